# Help is there for every word, on standard output with status 0; an unknown word is answered with
# the nearest known one and status 2.
source "$(dirname "$0")/harness.bash"

expect 0 --version
says '^poise [0-9]+\.[0-9]+\.[0-9]+ \(oneDNN [0-9]+\.[0-9]+'

expect 2
says 'usage: poise COMMAND'
for how in help --help -h; do
    expect 0 "$how"
    for command in train check show schema compare eval predict balancer bench help; do
        says "^  $command  "
    done
done

for command in train check show schema compare eval predict balancer bench help; do
    for how in "help $command" "$command --help" "$command -h"; do
        # shellcheck disable=SC2086
        expect 0 $how
        says "^usage: poise $command"
        says '^  --help '
    done
done
for option in out balancer set seed threads resume; do
    expect 0 help train
    says "^  --$option "
done

expect 0 help spec
says 'features'
says 'monitor'
expect 0 help layer
says 'mixture'
expect 0 help layer mixture
says 'gate'
expect 0 help model
says 'mmoe'
says 'Multi-gate mixture of experts'
expect 0 help models
says '^ple '
expect 0 help model mmoe
says 'experts +integer, 1 .. 4096; default 8'
says 'KDD 2018'
says 'each: task, mixture: expert'
printf 'extends: mmoe\nparams: {experts: 3, deep: {type: integers, help: how deep}}\n' >mine.yaml
expect 0 help model ./mine.yaml
says 'experts +integer, 1 .. 4096; default 3'
says 'deep +list of integers; every run must say it'
says 'which extends .*mmoe.yaml'
printf 'extends: mmoes\n' >wrong.yaml
expect 0 help model mine.yaml
expect 1 help model ./wrong.yaml
says "wrong.yaml:1:10: error: there is no model 'mmoes'; did you mean 'mmoe'"
expect 0 help balancer gradnorm
says 'alpha'
expect 0 help balancer
says '^gradnorm '

# unknown words: | separates what was typed from what is meant
while IFS='|' read -r typed meant; do
    # shellcheck disable=SC2086
    expect 2 $typed
    says "did you mean '(--)?$meant'"
done <<'WORDS'
trian|train
blancer|balancer
help trian|train
help tunign|spec tuning
train x.yaml --ouut d|out
train x.yaml --thread 1|threads
compare x.yaml --balancer=equal|balancers
bench --case cesnus|census
help layer mixtur|mixture
schema modle|model
help model mmeo|mmoe
WORDS
expect 2 help spec zzzzzzzz
says "no section 'zzzzzzzz'; 'poise help spec' lists them"
expect 2 zzzzzzzz
says "unknown command 'zzzzzzzz'"
says_not 'did you mean'

# options and words that do not fit
expect 2 train
says 'which spec'
expect 2 train a.yaml b.yaml
says "'b.yaml' is one word too many"
expect 2 train a.yaml --seed
says '--seed needs a value'
expect 2 train a.yaml --seed x
says 'must be a whole number'
expect 2 train a.yaml --seed -1
says 'must be a whole number'
expect 2 train a.yaml --seed 1 --seed 2
says 'given twice'
expect 2 train a.yaml --set novalue
says 'is not KEY=VALUE'
expect 2 train a.yaml --resume d --out e
says 'leave --out away'
expect 2 train --resume nowhere
says 'holds no run to continue'
expect 2 eval
says 'something is missing'
expect 2 eval nowhere
says 'not a run'
expect 2 eval nowhere --part tset
says 'must be train, valid or test'
expect 2 predict nowhere --out x.csv
says '--data FILE is missing'
expect 2 compare a.yaml
says '--balancers'
expect 2 compare a.yaml --balancers equal,equal
says 'twice'
expect 2 compare a.yaml --balancers equal,
says 'empty name'
expect 2 compare a.yaml --balancers equal --repeat 0
says 'must be a whole number'
expect 2 balancer lst
says "did you mean 'list'"
expect 2 balancer info
says 'which one'
expect 2 bench --threads 0
says 'must be a whole number'
expect 2 bench --json=yes
says 'takes no value'

# what cannot be written is not passed over
if [ -c /dev/full ] && ! echo text 2>/dev/null >/dev/full; then
    status=0
    "$poise" help >/dev/full 2>"$output" || status=$?
    [ "$status" -eq 1 ] || fail "help to a full device: status $status, not 1"
    says 'could not be written'
fi
