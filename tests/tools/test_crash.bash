# A strategy that crashes in the middle of a run: who, where, when, and what can be resumed.
source "$(dirname "$0")/harness.bash"
broken=$(dirname "$poise")/tests/broken

small small.yaml
crash() { # WORDS...: poise, which must die of a segmentation fault
    local status=0
    "$poise" "$@" >"$output" 2>&1 </dev/null || status=$?
    [ "$status" -eq 139 ] || fail "poise $*: status $status, not 139"
    says 'error: a segmentation fault in balancer "crash_later", step\(\), step 24;'
}
crash train small.yaml --balancer "$broken/crash_later.so" --out run
says 'the last checkpoint is that of step 20; continue with: poise train --resume run'
# which is true: it goes on from there, into the same crash
crash train --resume run
says 'the last checkpoint is that of step 20;'
crash train small.yaml --balancer "$broken/crash_later.so" --out none --set train.checkpoint_every=0
says 'the last checkpoint is that of step 0;'
crash compare small.yaml --balancers "equal,$broken/crash_later.so" --repeat 1 --out both
says 'step 20; .*--resume both/crash_later'
