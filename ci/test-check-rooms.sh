#!/usr/bin/env bash
# Does check-rooms.sh see each kind of violation, and name its file and line? On a small tree of its own.
set -euo pipefail

check=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)/check-rooms.sh
tree=$(mktemp -d)
trap 'rm -rf -- "$tree"' EXIT
failed=0 count=0

fail() {
	printf 'not ok - %s\n' "$1"
	failed=1
}

# What every room may do: this has to pass, or the failures below prove nothing.
clean_tree() {
	local room
	rm -rf -- "${tree:?}"/*
	mkdir -p "$tree"/suites "$tree"/framework/{common,probe,lanes,verdict,host,store,report,cli,tests}
	for room in common probe lanes verdict host store report cli tests; do
		printf '#include "common/error.h"\n#include <errno.h>\n' >"$tree/framework/$room/ok.c"
	done
	printf '#include "common/limits.h"\n' >"$tree/framework/tollgate.h"
	printf '#include "tollgate.h"\n#include <sched.h>\n' >"$tree/suites/ok.c"
	printf '#include "store/oci_spec.h"\n#include "lanes/lane.h"\n' >"$tree/framework/lanes/spec.c"
	printf '#include "verdict/gate.h"\n#include "lanes/lane.h"\n' >"$tree/framework/host/plan.c"
	printf '#include "host/samples.h"\n#include <cjson/cJSON.h>\n' >"$tree/framework/store/json.c"
	printf '#include "store/results.h"\n#include "verdict/gate.h"\n' >"$tree/framework/report/table.c"
	printf '#include "host/plan.h"\nint f(void) { return puts("x"); }\n' >"$tree/framework/cli/main.c"
	cat >"$tree/framework/common/words.c" <<-'END'
		/* printf("x") in a comment; system("x") too,
		 * fputs("x", stderr) on its second line */
		static const char *text = "system(\"x\") printf(";   // popen("x")
		void f(char *b, FILE *o) { snprintf(b, 2, "printf("); fprintf(o, "stdout"); file_system(b); }
		__attribute__((format(printf, 1, 2))) void g(const char *fmt, ...);
	END
}

expect_clean() {
	local out
	count=$((count + 1))
	clean_tree
	if out=$("$check" "$tree" 2>&1) && [[ -z $out ]]; then
		echo "ok - a clean tree passes"
	else
		fail "a clean tree passes, got: $out"
	fi
}

expect_broken() { # file, line of the violation, text of the file with printf escapes
	local out status=0
	count=$((count + 1))
	clean_tree
	mkdir -p "$(dirname "$tree/$1")"
	printf '%b\n' "$3" >"$tree/$1"
	out=$("$check" "$tree" 2>&1) || status=$?
	if [[ $status -eq 1 && $(wc -l <<<"$out") -eq 1 && $out == "$1:$2: "* ]]; then
		printf 'ok - %s\n' "$out"
	else
		fail "$1:$2 alone, got status $status: $out"
	fi
}

expect_clean
expect_broken framework/common/bad.c 1 '#include "verdict/gate.h"'
expect_broken framework/probe/bad.c 2 '#include "common/wire.h"\n#include "host/samples.h"'
expect_broken framework/lanes/bad.c 1 '#include "store/machine.h"'
expect_broken framework/verdict/bad.h 2 '\n#include "store/results.h"'
expect_broken framework/host/bad.c 1 '#include "store/baseline.h"'
expect_broken framework/store/bad.c 1 '#include "lanes/oci.h"'
expect_broken framework/report/bad.c 1 '  #  include "store/json.h"'
expect_broken framework/report/dots.c 1 '#include "common/../host/plan.h"'
expect_broken framework/tollgate.h 1 '#include "host/plan.h"'
expect_broken framework/newroom/bad.c 1 '#include "common/error.h"'
expect_broken suites/bad.c 2 '#include "tollgate.h"\n#include "common/wire.h"'
expect_broken framework/report/json.c 1 '#include <cjson/cJSON.h>'
expect_broken framework/cli/json.c 1 '#include <cJSON.h>'
expect_broken framework/host/print.c 2 '/* a */\nvoid f(void) { printf("x"); }'
expect_broken framework/host/print.c 1 'void f(void) { fprintf(stderr, "x"); }'
expect_broken framework/store/print.c 1 'void f(void) { fputs("a, b", stdout); }'
expect_broken framework/report/print.c 1 'void f(void) { puts ("x"); }'
expect_broken framework/verdict/print.c 1 'void f(void) { perror("x"); }'
expect_broken framework/host/print.c 1 'void f(void) { dprintf(STDERR_FILENO, "x"); }'
expect_broken suites/print.c 1 'void f(void) { printf("x"); }'
expect_broken framework/host/shell.c 3 '/* system(\n */\nint f(void) { return system("x"); }'
expect_broken framework/cli/shell.c 1 'FILE *f(void) { return popen("x", "r"); }'
expect_broken framework/tests/shell.c 1 'int f(void) { return system("x"); }'
expect_broken plots/render.py 1 'print()'

count=$((count + 1))
if "$check" "$tree/plots" >/dev/null 2>&1; then
	fail "a tree without framework/ is refused"
else
	echo "ok - a tree without framework/ is refused"
fi

echo "1..$count"
exit "$failed"
