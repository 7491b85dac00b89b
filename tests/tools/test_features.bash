# Lists and treated numbers from a file to predictions: what depends on them is learnt, and a scored row
# depends on its own cells alone.
source "$(dirname "$0")/harness.bash"

# `like` needs the tag "blue" among up to four; `buy` an amount in a band, or one that is missing
awk 'BEGIN {
    print "tags,amount,like,buy"
    split("red blue green grey tan", word, " ")
    s = 1
    for (k = 0; k < 3000; k++) {
        s = (s * 16807) % 2147483647; n = s % 5
        text = ""; like = 0
        for (i = 0; i < n; i++) {
            s = (s * 16807) % 2147483647; w = word[1 + s % 5]
            text = text (i ? "|" : "") w
            like = like || w == "blue"
        }
        s = (s * 16807) % 2147483647; a = s % 1000
        missing = k % 10 == 0
        printf "%s,%s,%d,%d\n", text, missing ? "" : a, like, missing || (a > 400 && a < 600)
    }
}' >rows.csv
cat >lists.yaml <<'SPEC'
data: {train: rows.csv, valid: {from: train, fraction: 0.2, seed: 0}}
features:
  tags: {list: {dim: 4, pool: max}}
  amount: {numeric: {bins: 10, dim: 4, indicator: true}}
tasks: {like: {label: like}, buy: {label: buy}}
model: {use: shared_bottom, units: [16], tower: [8]}
train: {batch: 100, epochs: 8, threads: 1, optimizer: {adam: {rate: 0.02}}}
SPEC
expect 0 check lists.yaml
says '1 numeric, 0 categorical, 1 list$'
expect 0 train lists.yaml --out run
says 'buy'
awk '/"monitor"/ { split($0, p, "\"monitor\":"); m = p[2] + 0; if (m > best) best = m }
    END { exit !(best > 0.99) }' run/log.jsonl || fail 'the model did not learn from lists and bins'

# a list's order does not matter to a pool, an unseen tag is no blue, an empty list is fine
printf 'tags,amount\nred|blue,500\nblue|red,500\npurple,100\n,\nred,\n' >new.csv
expect 0 predict run --data new.csv --out scores.csv
[ "$(sed -n 2p scores.csv)" = "$(sed -n 3p scores.csv)" ] || fail 'the order of a list changes its score'
awk -F, 'NR == 2 { ok = $1 > 0.5 && $2 > 0.5 } NR == 4 { ok = ok && $1 < 0.5 && $2 < 0.5 }
    NR == 5 { ok = ok && $1 < 0.5 && $2 > 0.5 } END { exit !ok }' scores.csv ||
    fail "the scores do not follow the data: $(cat scores.csv)"
# a row alone scores what it scores among others
printf 'amount,tags\n500,red|blue\n' >one.csv
expect 0 predict run --data one.csv --out one_score.csv
[ "$(sed -n 2p one_score.csv)" = "$(sed -n 2p scores.csv)" ] || fail 'other rows change a score'
