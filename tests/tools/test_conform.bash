# `poise balancer check`: every check can fail, and what crashes, hangs or ends the process is a
# finding like others.  The objects are those of tests/plugins/broken/.
source "$(dirname "$0")/harness.bash"
broken=$(dirname "$poise")/tests/broken

result() { # CHECK OBJECT RESULT: of that check alone
    local status=1
    [ "$3" = FAILED ] || status=0
    expect "$status" balancer check "$broken/$2.so" --only "$1" --limit 30
    says "^  $1 +$3 "
}

told() { # CHECK OBJECT TEXT
    result "$1" "$2" FAILED
    says "$3"
}

# one broken object for each check, with its name
expect 0 balancer check equal
checks=$(sed -n 's/^  \([a-z-]*\)  .*/\1/p' "$output")
[ "$(wc -w <<<"$checks")" -ge 20 ] || fail 'checks are missing'
for check in $checks; do
    case $check in
    globals) # the objects of a build for a sanitizer have variables of its own
        "$poise" balancer check "$broken/globals.so" --only globals >"$output" || true
        grep -q 'built for a sanitizer' "$output" || told globals globals 'variable of its own: steps'
        ;;
    speed) expect 1 balancer check "$broken/speed.so" --only speed --limit 120 ;;
    *) result "$check" "${check//-/_}" FAILED ;;
    esac
done

# what each of them is told
told load load 'needs the signal of bit 0x100000'
told texts texts 'about has a line break'
told exports exports 'it exports mean'
told imports imports 'it calls malloc\(\)'
told imports talks 'it calls puts\(\)'
told tasks tasks 'the weight of task a0 is -?nan'
says 'at 17 tasks, ordinary signals, step 0'
told parameters parameters 'the weight of task a0 is -1;'
says 'cut = 2'
told losses losses 'is inf'
says 'losses of 0'
told unlabelled unlabelled 'look at labelled\[t\] first'
told withheld withheld 'it crashes in step\(\): Segmentation fault|it ends the process in step'
says 'without kpi'
told bounds bounds 'wrote past the end of its state|(crashes|ends the process) in step'
told bounds bounds_input 'crashes in step|ends the process in step'
told repeat repeat 'state is not the same bits'
told resume resume 'after a resume'
told interleaved interleaved 'beside another state'
told threads threads 'beside another thread'
told slices slices 'weights are not the same bits'
told slices slices_empty 'edit\(\) left element 40 of a0 without a finite value'
told migrate migrate 'in migrate\(\)|migrate\(\) wrote'
told tasks silent 'failed without a message'
told tasks ends 'ends the process in step\(\), with status 0'
expect 1 balancer check "$broken/hang.so" --only tasks --limit 1
says 'it hangs in step\(\): no end within 1 s'
result tasks talks warning
says 'it wrote: a step'

# a crash does not take the checker down: all other checks run
expect 1 balancer check "$broken/crash.so"
says '^  tasks +FAILED'
says 'it (crashes|ends the process) in step\(\)'
says 'at 17 tasks, ordinary signals, step 0'
says '^  resume +ok'
says '^  speed '
says "^crash: $(wc -w <<<"$checks") checks, "

# the machine's form
status=0
"$poise" balancer check "$broken/losses.so" --json >report.json || status=$?
[ "$status" -eq 1 ] || fail "check --json: status $status, not 1"
[ "$(json report.json balancer)" = losses ] || fail 'the JSON names another balancer'
[ "$(json report.json failed)" = 1 ] || fail 'the JSON counts other failures'

# what cannot be checked, and words that do not fit
expect 2 balancer check ./none.so
says 'none.so'
echo text >text.so
expect 1 balancer check ./text.so
says '^  load +FAILED'
says_not '^  tasks'
expect 1 balancer check gradnrom
says "did you mean 'gradnorm'"
expect 2 balancer check equal --only lossse
says "did you mean 'losses'"
expect 2 balancer check equal --limit 0
says 'must be a whole number'
expect 2 balancer info equal --json
says 'info has no option --json'
expect 2 balancer chek equal
says "did you mean 'check'"
