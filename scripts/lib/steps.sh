# What scripts/test does, step by step; runner.sh says what a step is.
# shellcheck shell=bash
# shellcheck source=runner.sh
source "$(dirname "${BASH_SOURCE[0]}")/runner.sh"
# shellcheck source=release.sh
source "$root/scripts/lib/release.sh"
need_node
export PALIMPSEST=$binary

long=${PALIMPSEST_TEST_LONG:-}

cpp_sources() { git ls-files '*.cpp' '*.hpp'; }

# --- The sources as they stand ---

step_repository() { bash scripts/lib/check-repository; }

# Other versions break lines elsewhere, so only 14 has a say.
step_format() {
  command -v clang-format-14 >/dev/null || skip "clang-format 14 is not here"
  cpp_sources | xargs -r clang-format-14 --dry-run -Werror
}

step_tidy() {
  command -v clang-tidy-14 >/dev/null || skip "clang-tidy 14 is not here"
  bash scripts/lib/tidy build/dev
}

# --- C++ ---

step_release() { build_release; }

# build PRESET [TARGET…]: with lower priority, because tests with a clock run at the same time.
build() {
  local preset=$1
  shift
  configure "$preset"
  nice ninja -C "build/$preset" "$@"
}

# run_ctest PRESET [ARGUMENT…]
run_with=()
run_ctest() {
  local preset=$1
  shift
  "${run_with[@]}" ctest --test-dir "build/$preset" --verbose --timeout 600 -j "$(nproc)" "$@"
}

step_headers() { build dev all_verify_interface_header_sets; }

step_dev() {
  [[ -z $long ]] || export SIMULATION_SECONDS=60
  build dev
  run_ctest dev
}

# A short list of what the sanitizers may find is worse than none: every report is an error.
step_asan() {
  export ASAN_OPTIONS=strict_string_checks=1:detect_stack_use_after_return=1
  export UBSAN_OPTIONS=print_stacktrace=1
  build asan tests/all
  run_ctest asan
}

# What has only one thread by design has nothing to find here.
step_tsan() {
  export TSAN_OPTIONS=second_deadlock_stack=1
  # GCC's thread sanitizer cannot live with the address randomisation of the newest kernels.
  if (($(cat /proc/sys/vm/mmap_rnd_bits 2>/dev/null || echo 0) > 28)); then
    run_with=(setarch "$(uname -m)" --addr-no-randomize)
  fi
  build tsan tests/storage/all tests/server/all
  run_ctest tsan -E '^crdt_tests$|_replay$'
}

# What is found beyond the committed inputs stays in build/fuzz/corpus, for the next run.
step_fuzz() {
  need_packages "${packages_to_fuzz[@]}"
  build fuzz tests/fuzz/all
  local fuzzer name
  for fuzzer in build/fuzz/tests/fuzz/*_fuzz; do
    name=$(basename "$fuzzer" _fuzz)
    mkdir -p "build/fuzz/corpus/$name"
    "$fuzzer" -max_total_time=600 -timeout=2 -rss_limit_mb=1024 -print_final_stats=1 \
      -artifact_prefix="build/fuzz/$name-" "build/fuzz/corpus/$name" "tests/corpus/$name"
  done
}

# --- Node ---

step_web() {
  need_npm_packages "$root/web-client"
  cd web-client
  npm run check
  npm test
}

# node_tests FOLDER FILE…
node_tests() {
  local folder=$1
  shift
  need_npm_packages "$root/$folder"
  cd "$folder"
  node --test --test-reporter=spec --test-timeout=900000 --test-concurrency=4 "$@"
}

step_differential() {
  [[ -z $long ]] || export ROUNDS=1000
  build release crdt_probe crdt_peer
  node_tests tests/interop differential.test.js moments.test.js crdt.test.js mutated.test.js
}

step_interop() {
  node_tests tests/interop server.test.js keep-alive.test.js generations.test.js transfer.test.js
}

step_crash() {
  [[ -z $long ]] || export ROUNDS=1000 KILLS=200
  build failpoints palimpsest store_check
  export PALIMPSEST_FAILPOINTS=$root/build/failpoints/palimpsest
  export PALIMPSEST_STORE_CHECK=$root/build/failpoints/tests/interop/store_check
  node_tests tests/interop crash.test.js failpoints.test.js faults.test.js
}

# Mounts are seen in a namespace of its own only, which takes them down however it ends.
step_powercut() {
  [[ $(id -u) == 0 ]] || skip "cutting the power takes root"
  losetup --find >/dev/null 2>&1 || skip "there are no loop devices here"
  unshare --mount true 2>/dev/null || skip "there are no mount namespaces here"
  need_packages "${packages_to_cut_power[@]}"
  grep -qw xfs /proc/filesystems || modprobe xfs 2>/dev/null || skip "this kernel has no XFS"
  [[ -z $long ]] || export CUTS=200
  build failpoints power_writer store_check
  export PALIMPSEST_PROBES=$root/build/failpoints/tests/interop
  need_npm_packages "$root/tests/interop"
  cd tests/interop
  unshare --mount node --test --test-reporter=spec powercut.test.js
}

step_e2e() {
  [[ -f tests/e2e/package.json ]] || skip "there are no tests in a browser yet"
  need_npm_packages "$root/tests/e2e"
  cd tests/e2e
  NODE_OPTIONS=--test-reporter=spec npm test
}
