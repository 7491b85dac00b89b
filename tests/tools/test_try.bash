# `poise balancer try`: signals from a file, weights to standard output, without a model.
source "$(dirname "$0")/harness.bash"

# a step by hand: DWA's first two steps are 1, then T softmax of loss ratios over the temperature
printf '%s\n' '{"loss": [1, 1]}' '{"loss": [0.5, 1]}' '' '{"loss": [0.4, 1]}' >three.jsonl
expect 0 balancer try dwa --signals three.jsonl --set window=1
[ "$(wc -l <"$output")" -eq 3 ] || fail 'not one line a step'
[ "$(sed -n 1p "$output")" = '{"weights": [1, 1]}' ] || fail 'the first weights are not 1'
expect 0 balancer try equal --signals three.jsonl --set weight.task1=3
says '^\{"weights": \[1, 3\]\}'

# 200 steps are 100, a state, and 100: bit for bit, for every strategy of the tree
awk 'BEGIN {
    s = 11
    for (k = 0; k < 200; k++) {
        for (i = 0; i < 12; i++) { s = (s * 16807) % 2147483647; v[i] = s / 2147483647 }
        a = v[0]; b = v[1]; c = v[2]; d = v[3]; e = v[4] - 0.5; f = v[5] - 0.5
        printf "{\"loss\": [%.6f, %.6f, %.6f], \"labelled\": [9, %d, 7], ", 0.1 + a, 0.1 + b, 1 - c / 2, k % 7 ? 5 : 0
        printf "\"rate\": 0.01, \"kpi\": [%.4f, %s, 0.7], ", 0.5 + a / 3, k ? 0.6 + b / 4 : "null"
        printf "\"loss_after\": [%s, %s, 0.5], ", k ? 0.1 + c : "null", (k % 7 == 1 || !k) ? "null" : 0.1 + d
        printf "\"group_gram\": [[[%.9f, %.9f, 0], [%.9f, %.9f, 0], [0, 0, 1]], ", \
            c * c + d * d, c * e + d * f, c * e + d * f, e * e + f * f
        printf "[[2, %.9f, -0.4], [%.9f, 2, 0.3], [-0.4, 0.3, 1]]], ", a - b, a - b
        printf "\"half_gram\": [[%.9f, 0.1, 0.2], [%.9f, %.9f, 0.1], [0, 0.1, 0.9]]}\n", 1 + c, e, 1 + d
    }
}' >signals.jsonl
head -n 100 signals.jsonl >first.jsonl
tail -n 100 signals.jsonl >last.jsonl
for file in "$(dirname "$poise")"/balancers/*.so; do
    expect 0 balancer try "$file" --signals signals.jsonl
    grep weights "$output" >whole.txt
    expect 0 balancer try "$file" --signals first.jsonl --state-out half.json
    grep weights "$output" >parts.txt
    expect 0 balancer try "$file" --signals last.jsonl --state-in half.json
    grep weights "$output" >>parts.txt
    [ "$(wc -l <whole.txt)" -eq 200 ] || fail "$file: $(wc -l <whole.txt) lines of weights"
    same whole.txt parts.txt
done

# what is not there is derived: norms from the Gram matrix, that from the groups
printf '{"loss": [1, 2], "gram": [[4, 1], [1, 9]]}\n{"loss": [0.9, 1], "gram": [[4, 1], [1, 9]]}\n' >gram.jsonl
printf '{"loss": [1, 2], "grad_norm": [2, 3]}\n{"loss": [0.9, 1], "grad_norm": [2, 3]}\n' >norm.jsonl
printf '{"loss": [1, 2], "group_gram": [[[3, 1], [1, 5]], [[1, 0], [0, 4]]]}\n%s\n' \
    '{"loss": [0.9, 1], "group_gram": [[[3, 1], [1, 5]], [[1, 0], [0, 4]]]}' >groups.jsonl
expect 0 balancer try gradnorm --signals gram.jsonl
cp "$output" gram.txt
for file in norm groups; do
    expect 0 balancer try gradnorm --signals $file.jsonl
    same gram.txt "$output"
done

# a mistake has its file and line
wrong() { # LINE TEXT: LINE as the second of a file
    printf '{"loss": [1, 2], "grad_norm": [1, 1]}\n%s\n' "$1" >wrong.jsonl
    expect 1 balancer try gradnorm --signals wrong.jsonl
    says "^wrong.jsonl:2:([0-9]+:)? error: .*$2"
}
wrong '{"loss": [1, 2], "grad_norm": [1, 1]' 'not JSON'
wrong '[1, 2]' 'must be an object'
wrong '{"los": [1, 2]}' "did you mean 'loss'"
wrong '{"loss": [1, 2, 3]}' 'list of 2 numbers'
wrong '{"loss": [1, "a"]}' 'loss\[1\] must be a number'
wrong '{"loss": [1, null]}' 'null, but the task has labels'
wrong '{"loss": [1, 2], "loss": [1, 2]}' 'duplicate'
wrong '{"loss": [1, 2], "gram": [[1, 2], [3, 1]]}' 'no Gram matrix'
wrong '{"loss": [1, 2], "gram": [[1, 2]]}' 'list of 2 lists'
wrong '{"loss": [1, 2], "grad_norm": [1, 1], "step": -1}' 'whole number'
wrong '{"loss": [1, 2]}' 'did not give the signal grad_norm'
wrong '{"loss": [-1, 2], "grad_norm": [1, 1]}' 'the loss of task "task0" is -1'
: >empty.jsonl
expect 1 balancer try dwa --signals empty.jsonl
says 'it is empty'
expect 1 balancer try dwa --signals none.jsonl
says 'none.jsonl: error: cannot be read'
expect 2 balancer try dwa
says 'which signals'
expect 2 balancer try dwa --signals three.jsonl --set temprature=1
says '^--set temprature=1: error: .*it has temp, window'
expect 2 balancer try dwa --signals three.jsonl --set temperature
says 'is not KEY=VALUE'
expect 2 balancer try equal --signals three.jsonl --set weight.buy=1
says 'buy'

# a state that does not fit
expect 0 balancer try dwa --signals three.jsonl --state-out dwa.json
expect 1 balancer try equal --signals three.jsonl --state-in dwa.json
says 'state of balancer "dwa"'
sed 's/"task": \["task0"/"task": ["click"/' dwa.json >tasks.json
expect 1 balancer try dwa --signals three.jsonl --state-in tasks.json
says 'not those of the signals'
sed 's/"state": ".*"/"state": "0g"/' dwa.json >damaged.json
expect 1 balancer try dwa --signals three.jsonl --state-in damaged.json
says 'damaged'
sed 's/"state": ".*"/"state": "00"/' dwa.json >short.json
expect 1 balancer try dwa --signals three.jsonl --state-in short.json
says '1 bytes of state'
