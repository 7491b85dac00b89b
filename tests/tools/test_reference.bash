# docs/balancers.md is what the strategies say of themselves.
source "$(dirname "$0")/harness.bash"

"$source/tools/balancer-docs" "$(dirname "$poise")" >page.md
diff "$source/docs/balancers.md" page.md ||
    fail 'docs/balancers.md is not up to date: tools/balancer-docs --write BUILD'
for file in "$source"/balancers/*.c; do
    name=$(basename "$file" .c)
    grep -q "^## $name$" page.md || fail "$name is not in the page"
    awk -v open="## $name" '$0 == open { on = 1; next } /^## / { on = 0 } on' page.md >part.md
    for title in '```' '\*\*Source\.\*\*' '\*\*When to use it\.\*\*'; do
        grep -q "^$title" part.md || fail "$name says nothing under $title"
    done
done
