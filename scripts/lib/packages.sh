# The Debian packages that building and testing need, and how they get onto the machine.
# shellcheck shell=bash
#
# An entry is a package, or alternatives in order of preference: a|b. `name>=version` stands for
# that package in at least that version.

packages_to_build=(
  # The compiler and what drives it.
  ca-certificates cmake ninja-build g++ ccache
  # Server: network, JSON, command line, configuration, log.
  "libboost1.81-dev|libboost-dev>=1.81" libssl-dev nlohmann-json3-dev libcli11-dev
  libtomlplusplus-dev libspdlog-dev libfmt-dev
  # Storage: the database, checksums, compression.
  libsqlite3-dev libxxhash-dev libzstd-dev libbrotli-dev
  # To import what y-leveldb has stored.
  libleveldb-dev libsnappy-dev
)

packages_to_test=(
  # Unit and property tests.
  catch2 librapidcheck-dev
  # The checks of the sources. Their verdict differs from version to version, so 14 is preferred.
  "clang-format-14|clang-format" "clang-tidy-14|clang-tidy"
  # Two people in a browser.
  "chromium|chromium-browser"
)

# Cutting the power is for root only.
packages_to_cut_power=(util-linux e2fsprogs xfsprogs)

# Fuzzing is a part of the long run only.
packages_to_fuzz=("clang-14|clang" "libclang-rt-14-dev|libclang-rt-dev")

# Where Node is missing or too old, Debian's fetches a newer one (node.sh).
packages_for_node=(nodejs npm)

as_root() {
  if [[ $(id -u) == 0 ]]; then
    "$@"
  elif command -v sudo >/dev/null; then
    sudo "$@"
  else
    die "packages are missing and can only be installed by root or with sudo"
  fi
}

# Fills installed_version: package → version, for those of the given entries that are installed.
read_installed() {
  local names
  names=$(printf '%s\n' "$@" | tr '|' '\n' | sed 's/>=.*//')
  local name status version
  while read -r name status version; do
    [[ $status == installed ]] && installed_version[$name]=$version
  done < <(
    # shellcheck disable=SC2086  # one argument per package
    dpkg-query -W -f '${Package} ${db:Status-Status} ${Version}\n' $names 2>/dev/null || true
  )
}

is_new_enough() {  # VERSION ENTRY
  [[ -n $1 ]] || return 1
  [[ $2 != *'>='* ]] || dpkg --compare-versions "$1" ge "${2#*>=}"
}

is_satisfied() {  # ENTRY
  local choice
  for choice in ${1//|/ }; do
    is_new_enough "${installed_version[${choice%%>=*}]:-}" "$choice" && return 0
  done
  return 1
}

# The first alternative of an entry that can be installed here.
installable() {  # ENTRY
  local choice candidate
  for choice in ${1//|/ }; do
    candidate=$(apt-cache policy "${choice%%>=*}" 2>/dev/null |
      sed -n 's/^  Candidate: //p' | sed 's/^(none)$//')
    if is_new_enough "$candidate" "$choice"; then
      printf '%s\n' "${choice%%>=*}"
      return 0
    fi
  done
  die "no package here provides $1"
}

# need_packages ENTRY…: installs what is not there; touches apt only when something is missing.
need_packages() {
  if ! command -v dpkg-query >/dev/null; then
    say "no dpkg here: taking for granted what the Debian packages named in scripts/lib provide"
    return
  fi
  declare -A installed_version=()
  read_installed "$@"
  local entry missing=()
  for entry in "$@"; do
    is_satisfied "$entry" || missing+=("$entry")
  done
  [[ ${#missing[@]} == 0 ]] && return

  say "installing ${missing[*]%%[|>]*}"
  local log=$root/build/logs/apt.log
  quietly "$log" as_root apt-get update -q
  local names=()
  for entry in "${missing[@]}"; do
    names+=("$(installable "$entry")")
  done
  quietly "$log" as_root env DEBIAN_FRONTEND=noninteractive \
    apt-get install -q -y --no-install-recommends "${names[@]}"
}
