# What every script starts with: strict mode, where the repository is, how to talk to the user.
# shellcheck shell=bash
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
cache_dir=$root/.cache
cd "$root"

# One compiler cache serves every clone and every build folder.
export CCACHE_BASEDIR=$root
export CCACHE_NOHASHDIR=true

if [[ -t 1 && -z ${NO_COLOR:-} ]]; then
  bold=$'\e[1m' dim=$'\e[2m' red=$'\e[31m' green=$'\e[32m' yellow=$'\e[33m' plain=$'\e[0m'
else
  # shellcheck disable=SC2034  # used by the scripts that source this file
  bold='' dim='' red='' green='' yellow='' plain=''
fi

say() { printf '%s\n' "${dim}»${plain} $*"; }

die() {
  printf '%s\n' "${red}$(basename "$0"): $*${plain}" >&2
  exit 1
}

# quietly LOG COMMAND…: runs it with its output in LOG, and shows the end of LOG when it fails.
quietly() {
  local log=$1
  shift
  mkdir -p "$(dirname "$log")"
  if ! "$@" >"$log" 2>&1; then
    tail -n 40 "$log" >&2
    die "failed: $* (all of its output: ${log#"$root"/})"
  fi
}

# hash_of PATH…: one hash over the content and the names of all files in these places.
hash_of() {
  find "$@" \( -name node_modules -o -name dist \) -prune -o -type f -print0 |
    LC_ALL=C sort -z | xargs -0 sha256sum | sha256sum | cut -d' ' -f1
}
