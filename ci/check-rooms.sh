#!/usr/bin/env bash
# Does every room keep its rules? Usage: check-rooms.sh [ROOT]; prints file:line and the rule it breaks.
# Includes: what a file of framework/<room> may include with quotes. Then: JSON only in store/, printing only
# in cli/, no shell between us and a runtime, no Python in the product. Tests may do what they need to.
set -euo pipefail

cd "${1:-$(dirname "${BASH_SOURCE[0]}")/..}"

# room -> the prefixes it may include; a new room has to be added here to compile with anything
readonly RULES='
common common/ tollgate.h
probe common/ probe/ tollgate.h
lanes common/ lanes/ store/oci_spec.h
verdict common/ verdict/
host common/ host/ lanes/ verdict/ tollgate.h
store common/ store/ verdict/ lanes/lane.h host/samples.h
report common/ report/ verdict/ store/results.h store/file.h
cli *
tests *
framework common/
suites tollgate.h
'

sources() { # every C file of the product and its tests, NUL-terminated
	find framework suites -name '*.[ch]' -print0 2>/dev/null | sort -z
}

# The lines of C without comments, and without what is inside string and character constants.
# shellcheck disable=SC2016 # awk's own $
readonly CHECK='
function room_of(file,   part) {
	split(file, part, "/")
	if (part[1] == "suites")
		return "suites"
	return part[3] == "" ? "framework" : part[2]
}
function broken(rule) {
	printf "%s:%d: %s\n", FILENAME, FNR, rule
	failed = 1
}
function code_of(line,   out, c, two) {
	out = ""
	while (line != "") {
		two = substr(line, 1, 2)
		c = substr(line, 1, 1)
		if (comment) {
			comment = two != "*/"
			line = substr(line, comment ? 2 : 3)
		} else if (two == "/*") {
			comment = 1
			line = substr(line, 3)
		} else if (two == "//") {
			break
		} else if (c == "\"" || c == "\047") {
			line = substr(line, 2)
			while (line != "" && substr(line, 1, 1) != c)
				line = substr(line, substr(line, 1, 1) == "\\" ? 3 : 2)
			line = substr(line, 2)
			out = out c c
		} else {
			out = out c
			line = substr(line, 2)
		}
	}
	return out
}
function may_include(room, header,   n, i, prefix) {
	n = split(allowed[room], prefix, " ")
	for (i = 1; i <= n; i++)
		if (prefix[i] == "*" || prefix[i] == header ||
			(prefix[i] ~ /\/$/ && index(header, prefix[i]) == 1))
			return 1
	return 0
}
BEGIN {
	n = split(rules, row, "\n")
	for (i = 1; i <= n; i++) {
		space = index(row[i], " ")
		allowed[substr(row[i], 1, space - 1)] = substr(row[i], space + 1)
	}
	call = "(^|[^A-Za-z0-9_])"
}
FNR == 1 { comment = 0; room = room_of(FILENAME) }
!comment && /^[ \t]*#[ \t]*include[ \t]*"/ {
	header = $0
	sub(/^[^"]*"/, "", header)
	sub(/".*/, "", header)
	if (header ~ /(^|\/)\.\.?(\/|$)/ || !may_include(room, header))
		broken("room `" room "` may not include \"" header "\"")
}
!comment && /^[ \t]*#[ \t]*include[ \t]*["<].*cJSON/ && room != "store" && room != "tests" {
	broken("only store/ knows JSON")
}
{
	code = code_of($0)
	if (code ~ (call "(system|popen)[ \t]*\\("))
		broken("no shell: system and popen are not used")
	if (room == "cli" || room == "tests")
		next
	if (code ~ (call "(v?printf|puts|putchar|perror)[ \t]*\\(") ||
		code ~ (call "(v?fprintf|fputs|fputc|putc|fwrite)[ \t]*\\((.*[^A-Za-z0-9_])?(stdout|stderr)([^A-Za-z0-9_]|$)") ||
		code ~ (call "v?dprintf[ \t]*\\([ \t]*(1|2|STDOUT_FILENO|STDERR_FILENO)[ \t]*,"))
		broken("only cli/ prints")
}
END { exit failed }
'

main() {
	local status=0 python

	if [[ ! -d framework ]]; then
		echo "check-rooms: no framework/ in $PWD" >&2
		exit 2
	fi
	sources | xargs -0 -r awk -v rules="$RULES" "$CHECK" || status=1

	python=$(find . \( -name .git -o -name 'build*' \) -prune -o -name '*.py' -printf '%P:1: no Python in the product\n')
	if [[ -n $python ]]; then
		printf '%s\n' "$python"
		status=1
	fi
	exit "$status"
}

main
