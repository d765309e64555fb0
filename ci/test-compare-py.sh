#!/bin/sh
# Does Google Benchmark's own compare.py take our results.json?
# Usage: test-compare-py.sh RESULTS.json [LANE_A LANE_B]   (default: native null)
# Exit: 0 it does, 1 it does not, 2 usage, 77 compare.py or scipy is not installed.
set -eu

compare=${COMPARE_PY:-/usr/share/benchmark/compare.py}
[ $# -eq 1 ] || [ $# -eq 3 ] || {
	echo "usage: $0 RESULTS.json [LANE_A LANE_B]" >&2
	exit 2
}
results=$1
a=lane:${2:-native}
b=lane:${3:-null}
[ -r "$results" ] || {
	echo "$0: $results: cannot be read" >&2
	exit 2
}
[ -r "$compare" ] || {
	echo "skip: no $compare (Debian: libbenchmark-tools)"
	exit 77
}
python=
for p in /usr/bin/python3 python3; do
	if "$p" -c 'import scipy' 2>/dev/null; then
		python=$p
		break
	fi
done
[ -n "$python" ] || {
	echo "skip: no python3 with scipy (Debian: python3-scipy)"
	exit 77
}

tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT

fail()
{
	echo "$0: $1" >&2
	cat "$tmp/out" >&2
	exit 1
}

# compare.py exits 0 whatever it found, so its words are looked at: every row, and the overall line.
"$python" "$compare" --no-color benchmarks "$results" "$results" >"$tmp/out" 2>&1 ||
	fail "compare.py benchmarks failed"
"$python" - "$results" >"$tmp/names" <<'PY' || fail "rows that its readers stumble over"
import json, sys
rows = json.load(open(sys.argv[1]))["benchmarks"]
for row in rows:
    # One 0 among them makes the geometric mean of all of them 0.
    if row["run_type"] == "iteration" and not row["real_time"] > 0:
        sys.exit("%s: real_time %r" % (row["name"], row["real_time"]))
for name in sorted({row["run_name"] for row in rows}):
    print(name)
PY
[ -s "$tmp/names" ] || fail "results.json has no rows"
while IFS= read -r name; do
	grep -qF -- "$name " "$tmp/out" || fail "no row of $name"
	grep -qF -- "${name}_median " "$tmp/out" || fail "no median row of $name"
done <"$tmp/names"
grep -q '^OVERALL_GEOMEAN' "$tmp/out" || fail "no OVERALL_GEOMEAN"

"$python" "$compare" --no-color filters "$results" "$a" "$b" >"$tmp/out" 2>&1 ||
	fail "compare.py filters failed"
grep -qF "[$a vs. $b]" "$tmp/out" || fail "no row of $a against $b"
grep -qF OVERALL_GEOMEAN "$tmp/out" || fail "no OVERALL_GEOMEAN of $a against $b"
echo "ok: $(wc -l <"$tmp/names") benches, $a against $b"
