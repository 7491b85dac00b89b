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

# check knows the parameters' names that tuning is of, as training does
expect 2 check good.yaml --set 'train.tuning={tower/click/0/wieght: {rate: 2}}'
says "error: tuning: no parameter's name matches 'tower/click/0/wieght'"
expect 0 check good.yaml --set 'train.tuning={tower*: {rate: 2}, tower/click: {l2: 0}}'
says "warning: tuning: 'tower/click' is of no parameter: patterns before it, such as 'tower[*]', match"
expect 0 check good.yaml --set 'train.tuning={tower/click: {l2: 0}, tower*: {rate: 2}}'
says_not warning

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

# an option of the host that the strategy has no use for
expect 2 check tuned.yaml --set balancer='{use: equal, signals: {scope: all}}'
says "'signals.scope' does nothing beside balancer 'equal': it measures no gradients"
expect 2 check tuned.yaml --set balancer='{use: metabalance, signals: {scope: all}}'
says "'signals.scope' does nothing beside balancer 'metabalance'"
expect 2 check tuned.yaml --set balancer='{use: dwa, signals: {initial: base_rate}}'
says "'signals.initial' does nothing beside balancer 'dwa': it does not look at initial losses"
expect 2 check tuned.yaml --set balancer='{use: metabalance, shared_only: false}'
says "'shared_only' does nothing beside balancer 'metabalance'"
expect 0 check tuned.yaml --set balancer='{use: gradnorm, signals: {scope: all, initial: base_rate}}'

# what a task is, by its kind
printf 'age,clicks,stars\n1,0,2\n2,3,0\n3,3,1\n' >visits.csv
cat >visits.yaml <<'SPEC'
data: {train: visits.csv}
features: {age: numeric}
tasks: {clicks: {label: clicks, type: count}, stars: {label: stars, type: ordinal}}
model: shared_bottom
SPEC
expect 0 check visits.yaml
says '^  clicks +count, mean 2$'
says '^  stars +3 grades$'

# a strategy that is not there has the place where the spec names it; one of the command line has none
cat >typo.yaml <<'SPEC'
data: {generate: funnel, rows: 3000}
model: mmoe
balancer: {use: gradnrom}
SPEC
expect 2 check typo.yaml
says "^typo.yaml:3:17: error: .*did you mean 'gradnorm'"
expect 2 check tuned.yaml --balancer gradnrom
says "^error: .*did you mean 'gradnorm'"
expect 2 check tuned.yaml --set balancer.alfa=2
says '^--set balancer.alfa=2: error: .*alfa'

# all at once: the run file, its strategy, a model file; each with its line and a caret
cat >model.yaml <<'SPEC'
params: {units: [8]}
network:
  bottom: {mlp: $units, input: featurs}
  logit: {each: task, dense: task, input: bottom}
SPEC
cat >many.yaml <<'SPEC'
data: {generate: funnel, rows: 3000}
model: {use: ./model.yaml, units: [0]}
balancer: {use: gradnorm, alhpa: 1}
train: {batch: many}
SPEC
for command in check train; do
    expect 2 $command many.yaml
    says "^many.yaml:2:36: error: mlp is '0' \(for \\\$units\)"
    says "^(\./)?model.yaml:3:17: note: \\\$units is used here"
    says '^many.yaml:3:27: error: .*alhpa.*alpha'
    says '^many.yaml:4:16: error: batch'
    says '^    4 . train: \{batch: many\}$'
    says '^      .                \^~~~$'
    says "^(\./)?model.yaml:3:32: error: there is no layer or feature 'featurs'; did you mean 'features'"
done

# for an editor: one JSON object on standard output and nothing else
expect 2 check many.yaml --json
[ "$(json "$output" errors)" -eq 4 ] || fail 'not 4 errors as JSON'
expect 0 check good.yaml --json
[ "$(json "$output" errors)" -eq 0 ] || fail 'errors as JSON'
[ "$(json "$output" warnings)" -eq 0 ] || fail 'warnings as JSON'

# what is odd is a warning
cat >odd.yaml <<'SPEC'
data: {generate: funnel, rows: 3000}
model:
  network:
    spare: {mlp: [4], input: features}
    logit: {each: task, dense: 1, input: features}
SPEC
expect 0 check odd.yaml
says "^odd.yaml:4:5: warning: no task needs layer 'spare'"
says 'odd.yaml is right'
expect 0 check odd.yaml --json
[ "$(json "$output" warnings)" -eq 1 ] || fail 'no warning as JSON'

# the table's columns are as wide as what stands in them; a table that no layer reads is not shared
cat >rows.csv <<'CSV'
age,city,job,click,buy
31,a,x,1,0
44,b,y,0,1
52,a,x,1,1
CSV
cat >wide.yaml <<'SPEC'
data: {train: rows.csv}
features: {age: numeric, city: categorical, job: categorical}
tasks: {click: {label: click}, buy: {label: buy}}
model:
  network:
    products: {factorisation_machine: [job], result: vector}
    logit: {each: task, dense: 1, input: [age, products]}
SPEC
expect 0 check wide.yaml
says "warning: no layer reads feature 'city'"
says 'embedding/job'
says_not 'embedding/city'
weights=$(awk '/^  layer /{print index($0, "weights") + 6}' "$output")
awk -v end="$weights" '/^  (features|products|logit) / && substr($0, end, 1) !~ /[0-9k]/ {exit 1}' \
    "$output" || fail 'the table is not aligned'

# training and check agree on a mask that leaves no row
sed 's/buy: {label: buy}/buy: {label: buy, when: age > 99}/' wide.yaml >none.yaml
expect 1 check none.yaml
says "none.yaml:3:32: error: task 'buy' has no labelled training row where its \`when\` holds"
expect 1 train none.yaml
says "none.yaml:3:32: error: task 'buy' has no labelled training row where its \`when\` holds"
# of no row that counts there is no share
sed '/^data/s/}/, limit: 1}/; s/buy: {label: buy}/buy: {label: buy, when: age > 99}/' wide.yaml >few.yaml
expect 0 check few.yaml
says '^  buy +binary, no row of those looked at counts, where age > 99$'
says_not '^  buy .*positive'
# ... and a file of more than the first rows is looked at to its end
{ head -1 rows.csv; for _ in $(seq 3000); do sed -n 2,3p rows.csv; done; echo 100,b,y,0,1; echo 101,b,y,0,0; } >long.csv
sed 's/rows.csv/long.csv/' none.yaml >long.yaml
expect 0 check long.yaml
says 'the labels of all 6002 training rows'
says_not "warning: task 'buy'"

# a parameter whose value is wrong is not told to be unused too
cat >parameter.yaml <<'SPEC'
data: {generate: funnel, rows: 100}
model:
  params: {depth: {type: integer, default: 2.5}}
  network: {logit: {each: task, dense: 1, input: features}}
SPEC
expect 2 check parameter.yaml
says "3:44: error: parameter 'depth' has '2.5'"
says_not 'no layer uses'
