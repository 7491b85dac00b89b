# harness.bash -- sourced by every test_*.bash: POISE JSON_GET SOURCE WORK are its arguments.
#
#   expect 2 train no.yaml          # runs `poise train no.yaml`; its status must be 2
#   says 'did you mean'             # in the output of the last run, both streams together
#   says_not 'Segmentation'
#   json FILE KEY...                # the value at a path of a JSON file
set -euo pipefail
poise=$1 json_get=$2 source=$3 work=$4

rm -rf "$work"
mkdir -p "$work"
cd "$work"
output=$work/output.txt

fail() {
    echo "FAILED: $*" >&2
    [ -f "$output" ] && sed 's/^/  | /' "$output" >&2
    exit 1
}
expect() {
    local wanted=$1 status=0
    shift
    "$poise" "$@" >"$output" 2>&1 </dev/null || status=$?
    [ "$status" -eq "$wanted" ] || fail "poise $*: status $status, not $wanted"
}
says() { grep -qE -- "$1" "$output" || fail "'$1' was not said"; }
says_not() { ! grep -qE -- "$1" "$output" || fail "'$1' was said"; }
json() { "$json_get" "$@" || fail "json_get $*"; }
same() { cmp "$1" "$2" || fail "$1 and $2 differ"; }
# The tensors alone: what stands before them tells of the spec, its threads and paths too.
tensors() { tail -c "+$(($(od -An -t u8 -N 8 "$1") + 9))" "$1"; }
same_weights() { cmp <(tensors "$1") <(tensors "$2") || fail "the weights of $1 and $2 differ"; }
is_there() { [ -s "$1" ] || fail "$1 is missing or empty"; }

# A small run that needs no file.  small NAME [LINE...]: more lines replace nothing, they are added.
small() {
    local name=$1
    shift
    cat >"$name" <<SPEC
data: {generate: funnel, rows: 3000, seed: 1}
model: {use: mmoe, experts: 2, units: [8], tower: [4]}
balancer: gradnorm
train: {batch: 100, epochs: 3, seed: 1, threads: 1, checkpoint_every: 10}
SPEC
    [ $# -eq 0 ] || printf '%s\n' "$@" >>"$name"
}
