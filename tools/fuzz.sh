#!/usr/bin/env bash
# Usage: tools/fuzz.sh TIME
# Runs every fuzz target of the module for TIME (30s, 10m), three at once for two processors. Prints a line for
# each, and everything that a failing one said.
set -euo pipefail
cd "$(dirname "$0")/.."
time=$1

targets=$(git ls-files --cached --others --exclude-standard '*_test.go' | sed 's,^,./,' | xargs grep -H '^func Fuzz' |
	sed -E 's,^(.*)/[^/]*:func (Fuzz[A-Za-z0-9_]*).*,\1 \2,' | sort) || true
if [ -z "$targets" ]; then
	echo "no fuzz target found" >&2
	exit 1
fi

# Usage: gotest PACKAGE ARGS...
# The desktop program is a module of its own.
gotest() {
	package=$1 module=.
	case $package in ./desktop/*) package=./${package#./desktop/} module=desktop ;; esac
	shift
	go -C "$module" test -run '^$' "$@" "$package"
}
export -f gotest

# Built ahead, one package after the other: the targets that run side by side then only fuzz.
echo "$targets" | cut -d' ' -f1 | uniq | xargs -I{} bash -c 'gotest "$0" -fuzz "^$"' {} >/dev/null

one() {
	log=$(mktemp)
	try() { gotest "$1" -fuzz "^$2\$" -fuzztime "$time" -parallel 1 >"$log" 2>&1; }
	# The end of the time is a failure of the tool's own where a worker is slow (go.dev/issue/48591).
	if try "$@" || { grep -q 'context deadline exceeded' "$log" && ! grep -q 'Failing input' "$log" && try "$@"; }; then
		printf 'ok  \tfuzz %s %s\t%s\n' "$1" "$2" "$(grep -o 'execs: [0-9]*' "$log" | tail -1)"
		rm -f "$log"
	else
		printf 'FAIL\tfuzz %s %s\n' "$1" "$2"
		cat "$log"
		rm -f "$log"
		return 1
	fi
}
export -f one
export time
echo "$targets" | xargs -P "$(($(nproc) * 3 / 2))" -L 1 bash -c 'one "$0" "$1"'
