# Node for the web client and the tests that use real Yjs.
# shellcheck shell=bash
# shellcheck source=packages.sh
source "$(dirname "${BASH_SOURCE[0]}")/packages.sh"

oldest_node=20.19.0
fetched_node=$cache_dir/node

has_node() {
  command -v node >/dev/null && command -v npm >/dev/null &&
    printf '%s\n' "$oldest_node" "$(node --version | tr -d v)" | sort --check=quiet --version-sort
}

# Afterwards `node` is new enough and `npm` runs with it.
need_node() {
  if [[ -x $fetched_node/node_modules/.bin/node ]]; then
    PATH=$fetched_node/node_modules/.bin:$PATH
  fi
  has_node && return
  need_packages "${packages_for_node[@]}"
  has_node && return
  say "fetching Node 22"
  quietly "$root/build/logs/node.log" \
    npm install --prefix "$fetched_node" --no-save --no-audit --no-fund node@22
  PATH=$fetched_node/node_modules/.bin:$PATH
  hash -r
  has_node || die "the npm package node did not bring a Node of at least $oldest_node"
}

# need_npm_packages DIR: node_modules of DIR are what its lock file says.
need_npm_packages() {
  local dir=$1 lock stamp=$1/node_modules/.lock-hash
  lock=$(sha256sum <"$dir/package-lock.json")
  [[ -f $stamp && $(<"$stamp") == "$lock" ]] && return
  need_node
  say "installing the npm packages of ${dir#"$root"/}"
  quietly "$root/build/logs/npm-$(basename "$dir").log" npm ci --prefix "$dir" --no-audit --no-fund
  printf '%s\n' "$lock" >"$stamp"
}
