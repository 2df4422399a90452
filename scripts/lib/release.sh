# The product: the web client, and the binary that carries it.
# shellcheck shell=bash
# shellcheck source=node.sh
source "$(dirname "${BASH_SOURCE[0]}")/node.sh"

binary=$root/build/release/palimpsest

# Leaves the built web client in web-client/dist; does nothing when its sources are those of the
# last build.
build_web_client() {
  local stamp=$root/build/web-client.hash sources
  sources=$(hash_of web-client)
  [[ -d web-client/dist && -f $stamp && $(<"$stamp") == "$sources" ]] && return
  need_node
  need_npm_packages "$root/web-client"
  say "building the web client"
  quietly build/logs/web-client.log npm --prefix web-client run build
  printf '%s\n' "$sources" >"$stamp"
}

# configure PRESET: CMake runs again by itself for a changed CMakeLists.txt, not for a changed
# preset.
configure() {
  local stamp=build/$1/.presets-hash presets
  presets=$(sha256sum <CMakePresets.json)
  [[ -f build/$1/build.ninja && -f $stamp && $(<"$stamp") == "$presets" ]] && return
  quietly "build/logs/configure-$1.log" cmake --preset "$1"
  printf '%s\n' "$presets" >"$stamp"
}

build_binary() {
  local log=build/logs/release.log
  configure release
  NINJA_STATUS="[%f/%t] " ninja -C build/release palimpsest | tee "$log" | show_progress ||
    die "the build failed: $log"
}

# Ninja's progress on one line of a terminal, or now and then where there is none; what a compiler
# has to say in any case. Nothing at all when there was nothing to do.
show_progress() {
  local line shown=0
  while IFS= read -r line; do
    case $line in
      ninja:* | *'Re-checking globbed'* | '-- '* | *'Re-running CMake'*) continue ;;
    esac
    ((shown += 1))
    ((shown > 1)) || say "building $(realpath --relative-to=. "$binary")"
    if [[ $line != \[*/*\]* ]]; then
      [[ ! -t 1 ]] || printf '\r\e[K'
      printf '%s\n' "$line"
    elif [[ -t 1 ]]; then
      printf '\r\e[K  %.*s' "$((${COLUMNS:-80} - 4))" "$line"
    elif ((shown % 20 == 0)); then
      printf '  %s\n' "$line"
    fi
  done
  [[ ! -t 1 || $shown == 0 ]] || printf '\r\e[K'
}

# One file is the whole product: it may need what glibc brings and nothing else.
check_is_self_contained() {
  local stamp=build/release/.self-contained extra
  [[ $stamp -nt $binary ]] && return
  extra=$(ldd "$binary" | grep -vE \
    '^\s*(linux-vdso\.so|lib(c|m|dl|rt|pthread|resolv|anl)\.so|/lib[^ ]*/ld-linux|ld-linux)' || true)
  [[ -z $extra ]] || die "the binary needs more than glibc:"$'\n'"$extra"
  touch "$stamp"
}

build_release() {
  need_packages "${packages_to_build[@]}"
  mkdir -p build/logs
  if [[ -f web-client/package-lock.json ]]; then
    build_web_client
  else
    say "no web client here: building without it"
  fi
  build_binary
  check_is_self_contained
}
