# compare trains every strategy with the same seeds, prints the table and writes compare.json.
source "$(dirname "$0")/harness.bash"

small small.yaml
expect 0 compare small.yaml --balancers equal,gradnorm --repeat 2 --out table --set train.epochs=1
says '^equal .*\+- '
says '^gradnorm .*\+- '
says '^  - equal '
says '^best possible '
file=table/compare.json
for balancer in equal gradnorm; do
    for task in click detail favourite; do
        for key in auc_mean auc_std; do
            json $file balancers $balancer tasks $task $key >/dev/null
        done
    done
    json $file balancers $balancer mean_std >/dev/null
    json $file balancers $balancer seconds_per_epoch >/dev/null
done
# a mean of two runs is their mean
expect 0 train small.yaml --balancer equal --seed 1 --out one --set train.epochs=1
expect 0 train small.yaml --balancer equal --seed 2 --out two --set train.epochs=1
awk -v a="$(json one/result.json tasks click auc)" -v b="$(json two/result.json tasks click auc)" \
    -v m="$(json $file balancers equal tasks click auc_mean)" \
    'BEGIN { d = (a + b) / 2 - m; exit !(d < 1e-8 && d > -1e-8) }' || fail 'the mean is another'

expect 0 compare small.yaml --balancers equal --repeat 1 --set train.epochs=1
is_there runs/small-1/compare.json
expect 2 compare small.yaml --balancers equal,gradnrom
says 'gradnorm'

# a strategy of the same name elsewhere has a folder of its own
cp "$(dirname "$poise")/balancers/dwa.so" equal.so
expect 0 compare small.yaml --balancers equal,./equal.so --repeat 1 --set train.epochs=1 --out twins
[ "$(json twins/equal-1/result.json balancer)" = equal ] || fail 'the first runs were written over'
[ "$(json twins/equal_2-1/result.json balancer)" = dwa ] || fail 'the second runs are elsewhere'

# a task without an AUC has no part in the mean deviation
cat >numbers.yaml <<'SPEC'
data: {train: numbers.csv}
features: {x: numeric}
tasks: {click: {label: click}, price: {label: price, type: regression}}
model: {use: mmoe, experts: 2, units: [4], tower: [4]}
train: {batch: 10, epochs: 1, threads: 1}
SPEC
awk 'BEGIN { print "x,click,price"; for (k = 0; k < 60; k++) print k % 7 "," k % 2 "," k % 5 }' >numbers.csv
expect 0 compare numbers.yaml --balancers equal --repeat 2 --out numbers
says_not 'nan'
[ "$(json numbers/compare.json balancers equal mean_std)" = \
    "$(json numbers/compare.json balancers equal tasks click auc_std)" ] || fail 'the mean deviation'
