#!/usr/bin/env bash
# Does our native getppid agree with `perf bench syscall basic`, which times the same call in a loop of libc's
# syscall()? Alternates the two, pinned to the same CPU, and prints both medians and the median ratio.
# Usage: ci/bench-perf.sh [ROUNDS]   (needs perf: package linux-perf or linux-tools-generic)
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

rounds=${1:-7}
cpu=$(($(nproc) - 1)) # where a lane on one CPU runs
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
command -v perf >/dev/null || { echo 'bench-perf: no perf: install linux-perf' >&2; exit 77; }

perf_ns() { # ns of one call; perf prints "0.123456 usecs/op"
	taskset -c "$cpu" perf bench --format=default syscall basic --loop 5000000 2>/dev/null |
		awk '/usecs\/op/ { printf "%.2f\n", $1 * 1000 }'
}

our_ns() {
	build/tollgate run --quiet --lanes native --bench syscall/getppid --blocks 4 --out "$out" >/dev/null
	awk -F'\t' '$1 == "syscall/getppid" && $2 == "native" { print $7 }' "$out/gates.tsv"
}

median() { sort -g | awk '{ v[NR] = $1 } END { print NR % 2 ? v[(NR + 1) / 2] : (v[NR / 2] + v[NR / 2 + 1]) / 2 }'; }

for ((i = 0; i < rounds; i++)); do
	printf '%s %s\n' "$(our_ns)" "$(perf_ns)"
done | tee "$out/pairs"
printf 'ours %.1f ns, perf %.1f ns, ratio ours / perf %.3f (medians of %d alternations)\n' \
	"$(cut -d' ' -f1 "$out/pairs" | median)" "$(cut -d' ' -f2 "$out/pairs" | median)" \
	"$(awk '{ print $1 / $2 }' "$out/pairs" | median)" "$rounds"
