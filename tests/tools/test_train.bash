# train writes a whole run folder; eval and predict work from it alone; the same spec and seed give
# the same bits, whatever the number of threads.
source "$(dirname "$0")/harness.bash"

small small.yaml
expect 0 train small.yaml
says 'epoch 3/3'
says 'runs/small-1'
says '^click '
for file in spec.yaml log.jsonl result.json model.safetensors state.safetensors; do
    is_there "runs/small-1/$file"
done
result=runs/small-1/result.json
[ "$(json $result balancer)" = gradnorm ] || fail 'balancer in result.json'
[ "$(json $result seed)" = 1 ] || fail 'seed in result.json'
[ "$(json $result epochs)" = 3 ] || fail 'epochs in result.json'
for key in best_epoch samples_per_second seconds; do
    json $result $key >/dev/null
done
for task in click detail favourite; do
    for key in auc logloss auc_best_possible; do
        json $result tasks $task $key >/dev/null
    done
    json $result weights $task >/dev/null
done

# the next free number; the same bits on two threads
expect 0 train small.yaml --threads 2
same_weights runs/small-1/model.safetensors runs/small-2/model.safetensors
# another seed, other bits; a folder of its own, relative to here
expect 0 train small.yaml --seed 2 --out deep/folder
[ "$(json deep/folder/result.json seed)" = 2 ] || fail '--seed in result.json'
! cmp -s runs/small-1/model.safetensors deep/folder/model.safetensors || fail 'seeds do not matter'
# the resolved spec is a spec that gives the same run
expect 0 train runs/small-1/spec.yaml --out again
same_weights runs/small-1/model.safetensors again/model.safetensors

# overrides and another strategy
expect 0 train small.yaml --out dwa --balancer dwa --set train.epochs=1 --set balancer.temp=1
[ "$(json dwa/result.json balancer)" = dwa ] || fail '--balancer in result.json'
[ "$(json dwa/result.json epochs)" = 1 ] || fail '--set in result.json'
expect 0 train small.yaml --out path --set train.epochs=1 --balancer "$(dirname "$poise")/balancers/equal.so"
[ "$(json path/result.json balancer)" = equal ] || fail 'a strategy by its path'
expect 2 train small.yaml --out none --balancer gradnrom
says 'gradnorm'
expect 2 train small.yaml --out none --balancer ./nowhere.so
says 'nowhere.so'

# where the time goes, by part and by the layers of the spec; the same weights
expect 0 train small.yaml --out profiled --profile
says 'profile of 90 steps'
says '^  task backward +[0-9.]+ +[0-9.]+ %'
says '^  data '
says '^  tower/click .*models/mmoe.yaml:[0-9]+$'
same_weights runs/small-1/model.safetensors profiled/model.safetensors

# eval: the figures of result.json again
expect 0 eval runs/small-1 --json
cp "$output" eval.json
for task in click detail favourite; do
    [ "$(json eval.json tasks $task auc)" = "$(json $result tasks $task auc)" ] ||
        fail "eval's AUC of $task is not that of result.json"
done
says_not 'epoch|null' # what an evaluation cannot know is not there
expect 0 eval runs/small-1 --part valid
says '^valid '
says '^favourite '

# where nothing can be written
echo text >file
expect 1 train small.yaml --out file/run
says 'file'
if [ "$(id -u)" -ne 0 ]; then
    mkdir locked
    chmod 555 locked
    expect 1 train small.yaml --out locked/run
    says 'locked/run'
    (cd locked && expect 1 train ../small.yaml) || exit 1
    chmod 755 locked
fi
