# A spec that is wrong ends every command that reads it with status 2 and file:line:column, and
# nothing is written; all its errors are told at once.
source "$(dirname "$0")/harness.bash"

cat >bad.yaml <<'SPEC'
data: {generate: funnel, rows: 3000}
model: {use: mmoe, exprts: 2}
balancer: gradnorm
train: {batch: many, epochs: 3}
SPEC
for command in 'train bad.yaml' 'check bad.yaml' 'compare bad.yaml --balancers equal'; do
    # shellcheck disable=SC2086
    expect 2 $command
    says '^bad\.yaml:2:[0-9]+: error: .*experts'
    says '^bad\.yaml:4:[0-9]+: error: '
done
[ ! -e runs ] || fail 'a run folder was made for a bad spec'

expect 2 train not-there.yaml
says 'not-there.yaml'
small good.yaml
expect 2 check good.yaml --set train.epchs=3
says 'epochs'
expect 2 check good.yaml --set model=mmeo
says 'mmoe'
expect 2 check good.yaml --set balancer.alhpa=1
says 'alpha'

expect 0 check good.yaml
says 'last shared layer'
says 'expert'
says 'tasks'
says 'click'
says 'good.yaml is right'
[ ! -e runs ] || fail 'check made a run folder'

# --balancer replaces the spec's strategy and its settings, and keeps those of the same one
cat >tuned.yaml <<'SPEC'
data: {generate: funnel, rows: 3000}
model: mmoe
balancer: {use: gradnorm, alpha: 0.5}
SPEC
expect 0 check tuned.yaml --balancer dwa
expect 0 check tuned.yaml --balancer gradnorm --set balancer.alpha=2
expect 2 check tuned.yaml --balancer dwa --set balancer.alpha=2
says 'alpha'

# a strategy that is not there has the place where the spec names it; one of the command line has none
cat >typo.yaml <<'SPEC'
data: {generate: funnel, rows: 3000}
model: mmoe
balancer: {use: gradnrom}
SPEC
expect 2 check typo.yaml
says '^typo.yaml:3:17: error: .*did you mean "gradnorm"'
expect 2 check tuned.yaml --balancer gradnrom
says '^error: .*did you mean "gradnorm"'
expect 2 check tuned.yaml --set balancer.alfa=2
says '^--set balancer.alfa=2: error: .*alfa'
