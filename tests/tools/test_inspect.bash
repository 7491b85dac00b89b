# `poise inspect`: what the log has of experts, gates and gradients, and the weights' norms.
source "$(dirname "$0")/harness.bash"

small small.yaml
expect 0 train small.yaml --out run
expect 0 inspect run
says '^after epoch [123] \(best\), of 300 rows$'
says '^mix/click +[01]\.[0-9]{3}  [01]\.[0-9]{3}   expert/0 [0-9.]+ expert/1 [0-9.]+$'
says '^expert/0 and 1 more: CKA of two experts'
says "^cosine +click +detail +favourite   between the tasks' gradients"
says '^detail +-?[0-9.]+ +1\.000 +-?[0-9.]+$'
says '^tables +rows +untouched +share'
# the row of unseen values is as it was drawn, all others were trained
says '^embedding/slot +9 +1 +0\.111 +[0-9.]+ +[0-9.]+ +[0-9.]+$'
says '^expert/0/weight +2 x 8 x [0-9]+ +[0-9.]+ +[0-9.]+ +[0-9.]+$'
says '^logit/click/bias +1 '

expect 0 inspect run --epoch 1 --json
cp "$output" first.json
[ "$(json first.json epoch)" = 1 ] || fail 'another epoch was printed'
json first.json gates mix/click share expert/1 >/dev/null
[ "$(json first.json cosine click click)" = 1.0 ] || fail 'a task does not agree with itself'

expect 2 inspect run --epoch 4
says 'says nothing of epoch 4'
expect 2 inspect nowhere
says 'nowhere.*is not a run'

# without mixtures the gradients remain, and without a look the weights
expect 0 train small.yaml --out bottom --set 'model={use: shared_bottom, units: [8]}'
expect 0 inspect bottom
says '^cosine'
says_not '^gate'
expect 0 train small.yaml --out blind --set train.diagnose=false
expect 0 inspect blind
says 'the log says nothing of experts'
says '^expert/0/bias'
same_weights run/model.safetensors blind/model.safetensors
