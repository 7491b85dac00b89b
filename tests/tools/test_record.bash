# `poise train --record-signals`: what was recorded, given to `balancer try`, gives the weights of
# the training run to the last bit, for every strategy of the tree.
source "$(dirname "$0")/harness.bash"

small small.yaml
weights() { sed -n 's/.*"weights": \(.*\)}$/\1/p' "$1"; }
for file in "$(dirname "$poise")"/balancers/*.so; do
    name=$(basename "$file" .so)
    expect 0 train small.yaml --balancer "$name" --out "$name" --record-signals "$name.jsonl" \
        --set train.epochs=2
    lines=$(wc -l <"$name.jsonl")
    [ "$lines" -ge 40 ] || fail "$name: $lines steps were recorded"
    expect 0 balancer try "$name" --signals "$name.jsonl"
    grep '^{' "$output" >tried.txt
    cmp <(weights "$name.jsonl") <(weights tried.txt) || fail "$name: other weights than in training"
done
head -n 1 gradnorm.jsonl >first.json
[ "$(json first.json task)" = '["click", "detail", "favourite"]' ] || fail 'the tasks have no names'

# a run that stops and goes on records the rest, with its steps
expect 0 train small.yaml --balancer gradnorm --out again --set train.epochs=1
expect 0 train --resume again --set train.epochs=2 --record-signals rest.jsonl
cmp <(tail -n "$(wc -l <rest.jsonl)" gradnorm.jsonl | sed 's/"task": [^]]*\], //') \
    <(sed 's/"task": [^]]*\], //' rest.jsonl) || fail 'the rest differs'

expect 1 train small.yaml --out none --record-signals no/folder.jsonl
says '^no/folder.jsonl: error: cannot be written'
if [ -c /dev/full ] && ! echo text 2>/dev/null >/dev/full; then
    expect 1 train small.yaml --out full --record-signals /dev/full
    says '^/dev/full: error: cannot be written'
fi
