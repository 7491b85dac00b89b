# bench times every way of balancing and prints one JSON object with --json.
source "$(dirname "$0")/harness.bash"

for balancer in none gram gramall equal dwa dtp uncertainty gradnorm; do
    expect 0 bench --case tiny --balancer $balancer --steps 2 --blocks 2 --threads 2 --json
    cp "$output" bench.json
    [ "$(json bench.json case)" = tiny ] || fail 'case'
    [ "$(json bench.json balancer)" = $balancer ] || fail 'balancer'
    for key in samples_per_s ms_per_step gflops gemm_peak_gflops arena_bytes parameter_bytes; do
        awk -v x="$(json bench.json $key)" 'BEGIN { exit !(x > 0) }' || fail "$key is not positive"
    done
    for key in ms_least ms_most gemm_peak_share; do
        awk -v x="$(json bench.json $key)" 'BEGIN { exit !(x > 0) }' || fail "$key is not positive"
    done
    awk -v a="$(json bench.json ms_least)" -v b="$(json bench.json ms_per_step)" \
        -v c="$(json bench.json ms_most)" 'BEGIN { exit !(a <= b && b <= c) }' || fail 'no median'
    for part in forward 'shared backward' update data; do
        awk -v x="$(json bench.json parts_ms "$part")" 'BEGIN { exit !(x > 0) }' || fail "no $part"
    done
    task=$(json bench.json parts_ms 'task backward')
    case $balancer in
    gram | gramall | gradnorm) awk -v x="$task" 'BEGIN { exit !(x > 0) }' || fail 'task backward' ;;
    *) awk -v x="$task" 'BEGIN { exit !(x == 0) }' || fail 'task backward is not 0' ;;
    esac
done
expect 0 bench --case tiny --steps 1 --blocks 1 --layers
says 'shared backward +[0-9.]+ +[0-9.]+ %'
says '^  expert/0 '
expect 0 bench --case census --steps 1 --blocks 1
says 'samples/s'
says 'GEMM peak'
expect 1 bench --case tiny --balancer nonesuch
says 'nonesuch'

# a number of tasks other than the case's
expect 0 bench --case tiny --tasks 64 --balancer gram --steps 1 --blocks 1 --json
cp "$output" bench.json
[ "$(json bench.json tasks)" = 64 ] || fail 'tasks'
expect 0 bench --case tiny --tasks 1 --steps 1 --blocks 1
says '1 task,'
expect 2 bench --case tiny --tasks 65
says 'must be a whole number'

# the scope of a strategy's signals
expect 0 bench --case tiny --balancer gradnorm --scope all --steps 1 --blocks 1
expect 2 bench --case tiny --balancer gradnorm --scope every
says "it is last or all"

# rewrites of the graph can be left out
expect 0 bench --case tiny --steps 1 --blocks 1 --without siblings --without common
expect 0 bench --case tiny --steps 1 --blocks 1 --without all
expect 2 bench --case tiny --without nonesuch
says 'siblings'

# the products of the step, by every backend
expect 0 bench --case tiny --gemm
says '^  GEMM peak '
says '^  expert/0 +batched_linear +1 .* \*'
says 'dnnl:matmul +dnnl:sgemm +own:'
expect 0 bench --case tiny --gemm --json
cp "$output" bench.json
[ "$(json bench.json case)" = tiny ] || fail 'case'
grep -qE '"chosen": "own:[a-z0-9]+", "gflops": \{.*"dnnl:sgemm": [0-9.]+' bench.json || fail 'products'
