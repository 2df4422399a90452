# Runs steps, several at once, and keeps the score.
# shellcheck shell=bash
#
# A step is a function step_NAME in steps.sh. It runs in a shell of its own with strict errors, so
# that any command that fails fails the step. Its output goes to build/test-logs/NAME.log. It may
# end with `skip REASON`.
# shellcheck source=common.sh
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

log_dir=$root/build/test-logs
score_dir=$log_dir/score
skip_status=77

skip() {
  echo "$*"
  exit "$skip_status"
}

# counts_in LOG: "passed failed skipped", summed over what the test tools say at their ends: Catch2,
# node --test, Vitest.
counts_in() {
  sed 's/\x1b\[[0-9;]*m//g' "$1" | awk '
    function before(word) { return match($0, "[0-9]+ " word) ? substr($0, RSTART) + 0 : 0 }
    /All tests passed \([0-9]+ assertions? in [0-9]+ test cases?\)/ { passed += before("test case") }
    /^([0-9]+: )?test cases: / || /^ +Tests  / {
      passed += before("passed"); failed += before("failed"); skipped += before("skipped")
    }
    /^(#|ℹ) pass [0-9]+$/ { passed += $3 }
    /^(#|ℹ) (fail|cancelled) [0-9]+$/ { failed += $3 }
    /^(#|ℹ) (skipped|todo) [0-9]+$/ { skipped += $3 }
    END { print passed + 0, failed + 0, skipped + 0 }'
}

# excerpt LOG: where it first went wrong, and how it ended.
excerpt() {
  local first total
  total=$(wc -l <"$1")
  first=$(grep -nE -m 1 'FAILED|error:|Error:|ERROR:|WARNING: ThreadSanitizer|✖|not clean:' "$1" |
    cut -d: -f1 || true)
  if [[ -n $first ]] && ((first + 40 < total)); then
    sed -n "$((first > 3 ? first - 3 : 1)),$((first + 22))p" "$1"
    printf '…\n'
    tail -n 12 "$1"
  else
    tail -n 40 "$1"
  fi
}

# run_step NAME: runs it, prints its line, writes its score. Succeeds when the step did not fail.
run_step() {
  local name=$1 log=$log_dir/$1.log started=$EPOCHREALTIME status=0
  bash -c 'source "$0/scripts/lib/steps.sh"; "step_$1"' "$root" "$name" \
    </dev/null >"$log" 2>&1 || status=$?
  local seconds passed failed skipped
  seconds=$(awk -v from="$started" -v to="$EPOCHREALTIME" 'BEGIN { printf "%.1f", to - from }')
  read -r passed failed skipped < <(counts_in "$log")

  local mark result="$passed passed"
  case $status in
    0)
      mark=$green✓$plain
      # A step without tests of its own, or a tool that keeps its count to itself.
      ((passed + failed > 0)) || { passed=1 result=; }
      ;;
    "$skip_status")
      mark=$yellow–$plain passed=0 failed=0 skipped=1
      result="skipped: $(tail -n 1 "$log")"
      ;;
    *)
      mark=$red✗$plain
      ((failed > 0)) || failed=1
      result="$failed failed, $passed passed"
      ;;
  esac
  ((skipped == 0 || status == skip_status)) || result+=", $skipped skipped"
  printf '%s\n' "$passed $failed $skipped" >"$score_dir/$name"
  # In one piece, because another step may end at the same time.
  printf '%s\n' "$(
    printf ' %s %-14s %7s s  %s\n' "$mark" "$name" "$seconds" "$result"
    [[ $status == 0 || $status == "$skip_status" ]] || {
      excerpt "$log" | sed "s/^/     $dim│$plain /"
      printf '     %s\n' "${dim}all of it: ${log#"$root"/}$plain"
    }
  )"
  [[ $status == 0 || $status == "$skip_status" ]]
}

# not_run NAME…: what would have needed a step that failed.
not_run() {
  local name
  for name in "$@"; do
    printf '0 0 1\n' >"$score_dir/$name"
    printf ' %s %-14s %9s  %s\n' "$yellow–$plain" "$name" "" "not run: what it needs failed"
  done
}

# Prints what ran and the total, and answers the verdict.
print_score() {
  local file name passed failed skipped all_passed=0 all_failed=0 all_skipped=0
  local green_steps=() red_steps=() gray_steps=()
  for file in "$score_dir"/*; do
    name=$(basename "$file")
    read -r passed failed skipped <"$file"
    ((all_passed += passed, all_failed += failed, all_skipped += skipped)) || true
    ((passed == 0 || failed > 0)) || green_steps+=("$name ($passed)")
    ((failed == 0)) || red_steps+=("$name ($failed)")
    ((skipped == 0)) || gray_steps+=("$name ($skipped)")
  done
  printf '\n'
  printf 'passed:  %s\n' "${green_steps[*]:-nothing}"
  ((${#gray_steps[@]} == 0)) || printf 'skipped: %s\n' "${gray_steps[*]}"
  ((${#red_steps[@]} == 0)) || printf 'failed:  %s\n' "${red_steps[*]}"
  printf 'took:    %d min %d s\n' $((SECONDS / 60)) $((SECONDS % 60))
  printf '%d passed, %d failed, %d skipped\n' "$all_passed" "$all_failed" "$all_skipped"
  ((all_failed == 0))
}
