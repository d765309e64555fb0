#!/usr/bin/env bash
# What do idle lanes cost the one that runs? Alternates short runs of native alone and of native beside idle sandboxes
# of the default lanes (their turns are the same, so what differs is that the others are there), and prints the median
# ratio of native's costs per bench. Usage: ci/bench-idle.sh [PAIRS] [LANES]
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

pairs=${1:-12}
lanes=${2:-native,null,runc,runsc-ptrace,runsc-systrap-1cpu}
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT

costs() { # LANES: "bench cost" of native
	build/tollgate run --quiet --lanes "$1" --suite syscall --blocks 1 --out "$out" >/dev/null
	awk -F'\t' 'NR > 1 && $2 == "native" { print $1, $7 }' "$out/gates.tsv"
}

for ((i = 0; i < pairs; i++)); do
	costs native,null >"$out/alone"
	costs "$lanes" >"$out/beside"
	paste -d' ' "$out/alone" "$out/beside" | awk '{ print $1, $4 / $2 }' >>"$out/ratios"
done
echo "native beside $lanes / native alone, medians of $pairs pairs:"
sed 'p; s/^[^ ]* /~all-benches /' "$out/ratios" | sort -k1,1 -k2,2g | awk '
	function flush() { if (n) printf "  %-32s %.3f\n", name, (v[int((n + 1) / 2)] + v[int(n / 2) + 1]) / 2 }
	$1 != name { flush(); name = $1; n = 0 }
	{ v[++n] = $2 }
	END { flush() }'
