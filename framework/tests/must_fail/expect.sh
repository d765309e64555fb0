#!/usr/bin/env bash
# expect.sh STATUS [-i INPUT] [TEXT | !TEXT | ~REGEX]... -- COMMAND...
# Runs COMMAND (INPUT, with \n in it, on its stdin). Its exit status must be STATUS ("fail": any but 0), each TEXT must be
# in what it prints, each !TEXT must not, and for each ~REGEX there must be a line.
set -uo pipefail

complain() {
	printf 'expect.sh: %s\n' "$1"
	failed=1
}

status=$1
shift
input=
if [[ $1 == -i ]]; then
	input=$2
	shift 2
fi
texts=()
while [[ $1 != -- ]]; do
	texts+=("$1")
	shift
done
shift

code=0
failed=0
output=$(printf '%b' "$input" | "$@" 2>&1) || code=$?
if [[ $status == fail ]]; then
	((code != 0)) || complain 'it succeeds'
else
	((code == status)) || complain "exit status $code, not $status"
fi
for text in "${texts[@]}"; do
	if [[ $text == !* ]]; then
		grep -qF -- "${text#!}" <<<"$output" && complain "it prints: ${text#!}"
	elif [[ $text == '~'* ]]; then
		grep -qE -- "${text#'~'}" <<<"$output" || complain "no line is like: ${text#'~'}"
	else
		grep -qF -- "$text" <<<"$output" || complain "it does not print: $text"
	fi
done
((failed == 0)) || printf '%s\n' "$output"
exit "$failed"
