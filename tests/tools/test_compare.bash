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
expect 2 compare small.yaml --models mmoe,mmoo --repeat 1
says "^--models mmoo: error: there is no model 'mmoo'; did you mean 'mmoe'"
says_not '--set'

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

# models x strategies: every pair has its runs, and compare.json has them under the model
expect 0 compare small.yaml --models 'mmoe,{use: shared_bottom, units: [8, 4], tower: [4]}' \
    --balancers equal,dwa --repeat 2 --out grid --set train.epochs=1
for model in mmoe shared_bottom; do
    for balancer in equal dwa; do
        says "^$model, $balancer .*\+- "
        is_there grid/$model-$balancer-1/result.json
        is_there grid/$model-$balancer-2/result.json
        json grid/compare.json models $model balancers $balancer tasks click auc_mean >/dev/null
    done
    json grid/compare.json models $model weights >/dev/null
done
says '^  - mmoe, equal '
says '^mean AUC +equal +dwa$'
says '^shared_bottom( +0\.[0-9]{5}){2}$'
# the spec's own model keeps its parameters, and the first model's rows stand where they always did
[ "$(json grid/compare.json balancers equal tasks click auc_mean)" = \
    "$(json $file balancers equal tasks click auc_mean)" ] || fail 'mmoe is not the mmoe of the spec'

# models alone are trained with the spec's strategy; a path is that file, a second mmoe is mmoe_2
cp "$(dirname "$poise")/models/mmoe.yaml" mine.yaml
expect 0 compare small.yaml --models '
    mine.yaml,
    {use: mmoe, experts: 2, units: [4], tower: [4]},
    mmoe' \
    --repeat 1 --out alone --set train.epochs=1 --set model.tower=[3]
says '^mine '
says '^mmoe_2 '
is_there alone/mmoe_2-1/result.json
grep -q '\[3\]' alone/mine-1/spec.yaml || fail '--set does not reach all models'

expect 2 compare small.yaml
says '\-\-models'
expect 2 compare small.yaml --models mmoe,mmoo
says 'mmoe'
expect 2 compare small.yaml --models 'mmoe,{use: ple, unit: [4]}'
says 'units'
expect 2 compare small.yaml --models mmoe,./none.yaml
says 'none.yaml'
expect 2 compare small.yaml --models mmoe,mmoe
says 'twice'
