# predict scores a file row by row with what training learnt: in order, also rows without labels,
# with unseen and missing values; a file that does not fit is refused with its place.
source "$(dirname "$0")/harness.bash"

# two columns, two labels that depend on them; deterministic
awk 'BEGIN {
    print "colour,size,buy,like"
    s = 1
    for (k = 0; k < 2000; k++) {
        s = (s * 16807) % 2147483647; c = s % 3
        s = (s * 16807) % 2147483647; z = (s % 1000) / 1000
        s = (s * 16807) % 2147483647; u = (s % 1000) / 1000
        s = (s * 16807) % 2147483647; v = (s % 1000) / 1000
        printf "%s,%.3f,%d,%d\n", substr("redtangry", 3 * c + 1, 3), z, u < 0.2 + 0.6 * (c == 0), v < z
    }
}' >rows.csv
cat >shop.yaml <<'SPEC'
data: {train: rows.csv, valid: {from: train, fraction: 0.2, seed: 0}}
features:
  colour: {categorical: {dim: 4}}
  size: numeric
tasks:
  buy: {label: buy}
  like: {label: like}
model: {use: mmoe, experts: 2, units: [8], tower: [4]}
balancer: equal
train: {batch: 100, epochs: 10, threads: 1, optimizer: {adam: {rate: 0.02}}}
SPEC
mkdir elsewhere
expect 0 train shop.yaml --out elsewhere/run

printf 'size,colour\n0.1,red\n0.9,tan\n,blue\n0.5,\n' >new.csv
expect 0 predict elsewhere/run --data new.csv --out scores.csv
says '4 rows'
[ "$(head -n 1 scores.csv)" = buy,like ] || fail "header of scores.csv: $(head -n 1 scores.csv)"
[ "$(wc -l <scores.csv)" -eq 5 ] || fail 'one line per row and a header'
awk -F, 'NR > 1 && !($1 > 0 && $1 < 1 && $2 > 0 && $2 < 1) { exit 1 }' scores.csv ||
    fail 'a prediction is not a probability'
awk -F, 'NR == 2 { red = $1; small = $2 } NR == 3 { exit !(red > $1 && small < $2) }' scores.csv ||
    fail 'the scores do not follow the data'
# the same rows in another order and file: the same scores
printf 'colour,size\ntan,0.9\nred,0.1\n' >turned.csv
expect 0 predict elsewhere/run --data turned.csv --out turned_scores.csv --threads 2
[ "$(sed -n 3p turned_scores.csv)" = "$(sed -n 2p scores.csv)" ] || fail 'order changes scores'

printf 'colour\nred\n' >narrow.csv
expect 1 predict elsewhere/run --data narrow.csv --out none.csv
says 'size'
printf 'colour,size\nred,0.1\nred,big\n' >text.csv
expect 1 predict elsewhere/run --data text.csv --out none.csv
says 'text\.csv:3'
says 'big'
[ ! -e none.csv ] || fail 'a file of scores was left behind by a failure'
expect 1 predict elsewhere/run --data not-there.csv --out none.csv
says 'not-there.csv'
expect 1 predict elsewhere/run --data new.csv --out no/folder/x.csv
says 'no/folder'

# weights that are not finite score nothing
cp -r elsewhere/run broken
model=broken/model.safetensors
bytes=$(($(stat -c %s "$model") - $(od -An -t u8 -N 8 "$model") - 8))
tail=$(($(stat -c %s "$model") - bytes))
head -c "$bytes" /dev/zero | tr '\0' '\377' | dd of="$model" bs=1 seek="$tail" conv=notrunc 2>"$output"
expect 1 predict broken --data new.csv --out none.csv
says 'model.safetensors: error: the weights are not those that were written'
LC_ALL=C sed -i 's/poise\.checksum/poise.checksun/' "$model" # a file without a checksum is taken
expect 1 predict broken --data new.csv --out none.csv
says "task 'buy' for row 1 is -?nan"
[ ! -e none.csv ] || fail 'scores that are NaN were written'
# an --out that is no plain file stays what it is
mkfifo pipe
cat pipe >through.csv &
expect 0 predict elsewhere/run --data new.csv --out pipe
wait
same scores.csv through.csv
[ -p pipe ] || fail 'the pipe was replaced by a file'

# without a positive label in the validation rows the last epoch stands, and the log loss decides
sed 's/,[01],[01]$/,0,0/' rows.csv >none_bought.csv
sed 's/valid: .*/valid: none_bought.csv}/; s/epochs: 10/epochs: 3/' shop.yaml >negative.yaml
expect 0 train negative.yaml --out negative
says 'monitor -0\.'
says_not 'nan'

# the end of an epoch is a line of its own without validation rows too
sed 's/, valid: .*/}/; s/epochs: 10/epochs: 2/' shop.yaml >blind.yaml
expect 0 train blind.yaml --out blind
says '^epoch 2/2 ended  buy [0-9.]+ x 1.00 like'
says_not 'monitor'

# what training learnt is in the run: the rows it was trained on may be gone
mv rows.csv gone.csv
expect 0 predict elsewhere/run --data new.csv --out later.csv
same scores.csv later.csv
expect 1 eval elsewhere/run
says 'spec.yaml:[0-9]+:[0-9]+: error: .*rows.csv'
mv gone.csv rows.csv

# a spec.yaml that is not the model's, or is damaged, is refused
cp -r elsewhere/run other
sed -i 's/^  size:/  height:/' other/spec.yaml
expect 1 predict other --data new.csv --out none.csv
says 'other features or tasks'
sed 's/gate: features/gate: fectures/' elsewhere/run/spec.yaml >other/spec.yaml
expect 1 predict other --data new.csv --out none.csv
says "no layer or feature 'fectures'"
