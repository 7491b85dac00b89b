# The strategies of the tree are listed, explained, and found where the environment says.
source "$(dirname "$0")/harness.bash"

expect 0 balancer list
for name in equal dwa dtp uncertainty gradnorm; do
    says "^$name "
done
expect 0 balancer info gradnorm
says '^gradnorm [0-9]'
says '^needs .*grad_norm'
says '^  alpha +1\.5 '
expect 0 balancer info "$(dirname "$poise")/balancers/equal.so"
says '^equal '
expect 2 balancer info gradnrom
says 'gradnorm'
expect 2 help balancer gradnrom
echo 'not a shared object' >broken.so
expect 1 balancer info ./broken.so
says 'broken.so'

mkdir own
cp "$(dirname "$poise")/balancers/equal.so" own/mine.so
echo text >own/damaged.so
POISE_BALANCER_PATH=$work/own expect 0 balancer list
says '^mine '
says '^damaged .*does not load'
