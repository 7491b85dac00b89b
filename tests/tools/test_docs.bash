# What the documents show is what is there: the README's spec and strategy, the commands' pages.
source "$(dirname "$0")/harness.bash"

block() { # LANGUAGE FILE : the first fenced block of that language
    awk -v open="\`\`\`$1" '$0 == open { on = 1; next } /^```/ && on { exit } on' "$2"
}

block c "$source/README.md" >even.c
same even.c "$source/examples/even.c"
[ "$(wc -l <even.c)" -lt 40 ] || fail 'the strategy of the README has 40 lines or more'

# the spec of the README trains on a table with its columns
awk 'BEGIN {
    s = 7
    for (k = 0; k < 600; k++) {
        if (k % 300 == 0) { file = k ? "test.csv" : "train.csv"; print "user_id,item_id,age,click,buy" >file }
        s = (s * 16807) % 2147483647; u = s % 20; i = s % 7; a = 18 + s % 50
        s = (s * 16807) % 2147483647; c = s % 10 < 3 + (i < 3); b = c && s % 3 == 0
        printf "u%d,i%d,%d,%d,%d\n", u, i, a, c, b >file
    }
}'
block yaml "$source/README.md" >shop.yaml
expect 0 check shop.yaml
says 'shop.yaml is right'
expect 0 train shop.yaml --set train.epochs=1 --out run

# every command has its page in docs/commands.md, word for word
commands=$(cat "$source/docs/commands.md")
for command in train check show schema compare eval predict inspect bench help; do
    [[ $commands == *"$("$poise" help $command)"* ]] || fail "docs/commands.md: $command's page is another"
done
[[ $commands == *"$("$poise" help)"* ]] || fail "docs/commands.md: the program's page is another"
[[ $commands == *"$("$poise" balancer --help)"* ]] || fail "docs/commands.md: balancer's page is another"
