# The network as a tree, for graphviz and, where that is installed, as a picture.
source "$(dirname "$0")/harness.bash"

small small.yaml
expect 0 show small.yaml
says '^features .* B x 50 .* shared by all tasks'
says '^└─ expert .* B x 2 x 8 '
says '^   └─ mix .* one for each task; also reads features'
says 'in embeddings$'
[ ! -e runs ] || fail 'show made a run folder'

expect 0 show small.yaml --dot
says '^digraph "small" \{'
says 'logit/favourite'
cp "$output" small.dot
expect 2 show small.yaml --dot --svg
says 'choose one'

# worked out: a spec of the same network, that says itself again
expect 0 show small.yaml --expand
cp "$output" expanded.yaml
says '^    tower/click: '
says_not 'each:'
expect 0 show expanded.yaml --expand
same "$output" expanded.yaml
expect 0 show small.yaml --dot
sed 's/^digraph .*//' "$output" >small.txt
expect 0 show expanded.yaml --dot
sed 's/^digraph .*//' "$output" >expanded.txt
same small.txt expanded.txt
expect 2 show small.yaml --dot --expand
says 'choose one'

# without the rows: the names must be in the spec
cat >nowhere.yaml <<'SPEC'
data: {train: nowhere.csv}
features: {age: numeric, city: categorical}
tasks: {click: {label: click}}
model: {use: mmoe, units: [8], tower: [4]}
SPEC
expect 0 show nowhere.yaml
says 'B x 8 x 8'
says 'not read yet'
expect 2 show nowhere.yaml --set model.units=wide
says 'units'
expect 1 show nowhere.yaml --set 'features={"*": numeric}'
says 'nowhere.csv'
expect 1 show nowhere.yaml --set 'tasks.kind={label: kind, type: multiclass}'
says 'nowhere.csv'
expect 0 show nowhere.yaml --set 'data.format={header: [age, city, click]}' \
    --set 'features={"*": categorical}'
says 'age \[8\], city \[8\]'

if command -v dot >/dev/null; then
    expect 0 show small.yaml --svg
    says '<svg'
    says '>logit/click<'
    dot -Tplain small.dot >plain.txt || fail 'graphviz does not take the text'
    grep -q '^node t2 ' plain.txt || fail 'the third task is not drawn'
fi
# without graphviz: the package's name
status=0
PATH=$work "$poise" show small.yaml --svg >"$output" 2>&1 || status=$?
[ "$status" -eq 1 ] || fail "--svg without dot: status $status, not 1"
says 'Debian package: graphviz'
