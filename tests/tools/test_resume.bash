# A run that was killed, or asked to stop, at any moment ends in the same bits as one that was not.
source "$(dirname "$0")/harness.bash"

small long.yaml
settings=(--set train.epochs=12 --set train.checkpoint_every=7)
expect 0 train long.yaml --out whole "${settings[@]}"

# Starts the run in FOLDER, sends SIGNAL once there is a state to continue from, waits.
interrupted=0
interrupt() { # SIGNAL FOLDER ARGUMENT...
    local signal=$1 folder=$2 status=0 pid
    shift 2
    touch begun
    "$poise" train "$@" >"$output" 2>&1 </dev/null &
    pid=$!
    while [ ! "$folder/state.safetensors" -nt begun ] && kill -0 $pid 2>/dev/null; do
        sleep 0.01
    done
    kill -"$signal" $pid 2>/dev/null || true
    wait $pid || status=$?
    interrupted=$status
}

interrupt KILL killed long.yaml --out killed "${settings[@]}"
[ "$interrupted" -eq 137 ] || fail "the run to be killed ended by itself: status $interrupted"
[ ! -e killed/result.json ] || fail 'a killed run has a result'
expect 2 train long.yaml --out killed
says '--resume killed'
expect 0 train --resume killed
same whole/model.safetensors killed/model.safetensors

interrupt INT asked long.yaml --out asked "${settings[@]}"
[ "$interrupted" -eq 1 ] || fail "SIGINT: status $interrupted, not 1"
says 'poise train --resume asked'
[ ! -e asked/result.json ] || fail 'a stopped run has a result'
interrupt TERM asked --resume asked
[ "$interrupted" -eq 1 ] || fail "SIGTERM: status $interrupted, not 1"
expect 0 train --resume asked
same whole/model.safetensors asked/model.safetensors
for task in click detail favourite; do
    [ "$(json whole/result.json tasks $task auc)" = "$(json asked/result.json tasks $task auc)" ] ||
        fail "the AUC of $task differs after a resume"
done

# a new run in the folder of one that ended leaves nothing of it behind
cp -r whole again
interrupt KILL again long.yaml --out again "${settings[@]}" --seed 2
[ "$interrupted" -eq 137 ] || fail "the run to be killed ended by itself: status $interrupted"
[ ! -e again/result.json ] || fail 'the result of the run before is still there'
expect 2 train long.yaml --out again
says '--resume again'
# and neither does a resume that adds epochs
cp -r whole more
interrupt KILL more --resume more --set train.epochs=200
[ ! -e more/result.json ] || fail 'a resumed run shows the result that it had before'

# a state that is damaged is refused, and left as it is
cp -r asked damaged
printf 'x' | dd of=damaged/state.safetensors bs=1 seek=3 conv=notrunc 2>/dev/null
cp damaged/state.safetensors before
expect 1 train --resume damaged
says 'state.safetensors'
same before damaged/state.safetensors
