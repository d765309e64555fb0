#!/usr/bin/env bash
# Line and function coverage of the product (not of its tests), from a build directory whose tests have run.
# Usage: coverage.sh [BUILD-DIR]; writes BUILD-DIR/coverage.info and BUILD-DIR/html, prints the totals.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
build=${1:-$root/build-coverage}
options=(--quiet)

command -v lcov >/dev/null || {
	echo "coverage: lcov is not installed: run ci/provision.sh" >&2
	exit 1
}
if [[ -z $(find "$build" -name '*.gcda' -print -quit 2>/dev/null) ]]; then
	echo "coverage: no counts in $build: run \`make coverage\`" >&2
	exit 1
fi
# lcov 2 makes errors of what lcov 1 was silent about: a filter that matches nothing, gcov's line guesses
if ! lcov --version | grep -q 'version 1\.'; then
	options+=(--ignore-errors 'unused,mismatch,inconsistent,negative')
fi

lcov "${options[@]}" --capture --directory "$build" --base-directory "$root" \
	--output-file "$build/coverage.all"
lcov "${options[@]}" --extract "$build/coverage.all" "$root/framework/*" "$root/suites/*" \
	--output-file "$build/coverage.product"
lcov "${options[@]}" --remove "$build/coverage.product" "$root/framework/tests/*" \
	--output-file "$build/coverage.info"
genhtml "${options[@]}" --prefix "$root" --title tollgate --output-directory "$build/html" \
	"$build/coverage.info"
rm -f -- "$build/coverage.all" "$build/coverage.product"
lcov --summary "$build/coverage.info" 2>&1 | sed -n 's/^ *\(lines\|functions\)\.*: */\1 /p'
echo "report $build/html/index.html"
