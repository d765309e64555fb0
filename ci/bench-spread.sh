#!/usr/bin/env bash
# How far does a session's slowdown move when nothing changed? Runs SESSIONS sessions and prints, per bench and lane,
# the standard deviation of the sessions' slowdowns in %. Usage: ci/bench-spread.sh [SESSIONS] [tollgate run's options]
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

sessions=${1:-10}
shift || true
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT

for ((i = 0; i < sessions; i++)); do
	build/tollgate run --quiet --out "$out" "$@" >/dev/null
	awk -F'\t' 'NR > 1 && $8 != "-" && $3 != "none" { print $1, $2, log($8) }' "$out/gates.tsv" >>"$out/all"
done
echo "standard deviation of a session's slowdown over $sessions sessions, %:"
awk '
	{ k = $1 " " $2; n[k]++; s[k] += $3; q[k] += $3 * $3; if (n[k] == 1) order[++count] = k }
	END {
		for (i = 1; i <= count; i++) {
			k = order[i]
			var = (q[k] - s[k] * s[k] / n[k]) / (n[k] - 1)
			split(k, part, " ")
			printf "  %-32s %-22s %8.3fx %6.2f\n", part[1], part[2], exp(s[k] / n[k]), 100 * sqrt(var > 0 ? var : 0)
		}
	}' "$out/all"
