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
# all wrong names at once, each once
expect 2 compare small.yaml --models 'shared_botom,mmoe,./none.yaml,{use: ple, shred: 2}' \
    --balancers equal,gradnrom,./none.so
says "^--models shared_botom: error: there is no model 'shared_botom'"
says "^error: model ./none.yaml: "
says "^--models .use: ple, shred: 2.: error: model ple has no parameter 'shred'"
says "^error: there is no balancer 'gradnrom'; did you mean 'gradnorm'"
says '^error: balancer ./none.so: '
expect 2 compare small.yaml --models mmoe,ple --set train.epoch=1
[ "$(grep -c 'no key .epoch' "$output")" = 1 ] || fail 'the same is told for each model'

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

# A comparison that was killed in its second run goes on, and comes to what one that was not comes to.
asked=(small.yaml --balancers equal,dwa --repeat 2 --set train.epochs=4)
settled() { sed '/seconds_per_epoch/d' "$1"; }
expect 0 compare "${asked[@]}" --out whole
"$poise" compare "${asked[@]}" --out killed >"$output" 2>&1 </dev/null &
pid=$!
while [ ! -e killed/equal-2/state.safetensors ] && kill -0 $pid 2>/dev/null; do
    sleep 0.01
done
kill -KILL $pid 2>/dev/null || true
wait $pid 2>/dev/null && fail 'the comparison to be killed ended by itself'
[ ! -e killed/dwa-1 ] || fail 'the third run had begun'
touch -d '2001-01-01' killed/equal-1/result.json
expect 0 compare "${asked[@]}" --resume killed --threads 2
says '^run 2 of 4: equal, seed 2$'
says '^run 4 of 4: dwa, seed 2$'
says_not '^run 1 of 4'
says '^dwa .*\+- '
[ killed/equal-1/result.json -ot small.yaml ] || fail 'a run that had ended was trained again'
cmp <(settled whole/compare.json) <(settled killed/compare.json) || fail 'other figures after --resume'
same_weights whole/equal-2/model.safetensors killed/equal-2/model.safetensors
# there is nothing left to train
expect 0 compare "${asked[@]}" --resume killed
says_not '^run '
cmp <(settled whole/compare.json) <(settled killed/compare.json) || fail 'other figures the second time'

# what differs is told, and nothing is trained
cp killed/compare.json before.json
expect 2 compare "${asked[@]}" --resume killed --set train.batch=50
says 'killed/equal-1/spec.yaml: .*it has "batch: 100", asked for is "batch: 50"'
expect 2 compare small.yaml --balancers equal,dwa --repeat 3 --set train.epochs=4 --resume killed
says 'has a repeat of 2; asked for is 3'
expect 2 compare "${asked[@]}" --resume killed --seed 2
says 'has the first seed 1; asked for is 2'
expect 2 compare small.yaml --balancers dwa,equal --repeat 2 --set train.epochs=4 --resume killed
says 'has the balancers equal, dwa; asked for is dwa, equal'
expect 2 compare "${asked[@]}" --models mmoe,ple --resume killed
says 'has the models mmoe; asked for is mmoe, ple'
expect 2 compare "${asked[@]}" --resume killed --out killed
says 'leave --out away'
expect 2 compare "${asked[@]}" --resume nowhere
says 'nowhere holds no comparison'
same before.json killed/compare.json
printf '{' >killed/compare.json
expect 1 compare "${asked[@]}" --resume killed
says 'killed/compare.json.*no JSON'

# what an earlier comparison has left in the folder is not the new one's
expect 0 compare small.yaml --balancers equal,dwa --repeat 2 --set train.epochs=1 --out whole
[ "$(json whole/dwa-2/result.json epochs)" = 1 ] || fail 'runs of the comparison before were taken'
