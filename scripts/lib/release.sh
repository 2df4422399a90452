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
  mkdir -p build/logs
  configure release
  # Ninja's own progress is worth seeing when there is something to see.
  if ! ninja -C build/release -n palimpsest | grep -q 'no work to do'; then
    say "building $(realpath --relative-to=. "$binary")"
    NINJA_STATUS="  [%f/%t] " ninja -C build/release palimpsest | tee "$log" | show_progress ||
      die "the build failed: ${log#"$root"/}"
  fi
}

# Ninja's lines on one line of a terminal, and whole where there is none or something is wrong.
show_progress() {
  if [[ ! -t 1 ]]; then
    grep -v '^ninja: Entering' || true
    return
  fi
  local line
  while IFS= read -r line; do
    case $line in
      'ninja: Entering'*) ;;
      '  ['*) printf '\r\e[K%.*s' "${COLUMNS:-78}" "$line" ;;
      *) printf '\r\e[K%s\n' "$line" ;;
    esac
  done
  printf '\r\e[K'
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
