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
