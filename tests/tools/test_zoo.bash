# docs/zoo.md is what the model files say of themselves.
source "$(dirname "$0")/harness.bash"

"$source/tools/zoo-docs" "$(dirname "$poise")" >page.md
diff "$source/docs/zoo.md" page.md || fail 'docs/zoo.md is not up to date: tools/zoo-docs --write BUILD'
for file in "$source"/models/*.yaml; do
    name=$(basename "$file" .yaml)
    awk -v open="## $name" '$0 == open { on = 1; next } /^## / { on = 0 } on' page.md >part.md
    for text in '\*\*Source\.\*\* .' '\*\*When to use it\.\*\* .' 'network:'; do
        grep -q "^$text" part.md || fail "$name has no $text"
    done
done

# the whole run is one screen
screen=$(sed '/^#/d' "$source/census.yaml" | wc -l)
[ "$screen" -le 50 ] || fail "census.yaml has $screen lines"
