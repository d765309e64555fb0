/* test_machine.c: fingerprints of made-up machines, and of this one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "store/machine.h"

#include "common/cleanup.h"
#include "tests/store_files.h"

#include <errno.h>

#define VULN "sys/devices/system/cpu/vulnerabilities/"

struct file {
	const char *name, *text;
};

static const struct file epyc_guest[] = {
	{"proc/cpuinfo",
		"processor\t: 0\nmodel\t\t: 17\nmodel name\t: AMD EPYC\nstepping\t: 1\n"
		"microcode\t: 0x1000065\ncpu MHz\t\t: 2596.6\n"
		"flags\t\t: fpu sse2 hypervisor lahf_lm\n\nprocessor\t: 1\n"},
	{"sys/devices/system/cpu/online", "0-1\n"},
	{"sys/devices/system/cpu/smt/active", "0\n"},
	{VULN "meltdown", "Not affected\n"},
	{VULN "spectre_v1", "Mitigation: usercopy\n"},
	{VULN "spec_store_bypass", "Vulnerable\n"},
	{"proc/sys/kernel/osrelease", "6.18.5\n"},
	{"sys/kernel/mm/transparent_hugepage/enabled", "always [madvise] never\n"},
	{"sys/devices/system/clocksource/clocksource0/current_clocksource", "tsc\n"},
	{"proc/self/mounts",
		"tmpfs /sys/fs/cgroup tmpfs rw 0 0\n"
		"cgroup /sys/fs/cgroup/cpu cgroup rw,cpu 0 0\n"
		"cgroup2 /sys/fs/cgroup/unified cgroup2 rw 0 0\n"},
	{"proc/loadavg", "0.10 0.20 0.30 1/123 4567\n"},
	{"proc/sys/kernel/random/boot_id", "f0e1d2c3-0000-4000-8000-000000000001\n"},
	{"sys/class/dmi/id/sys_vendor", "QEMU\n"},
	{"sys/class/dmi/id/product_name", "Standard PC (Q35 + ICH9, 2009)\n"},
	{0},
};

static void make(struct files *f, const struct file *list)
{
	for (; list->name; list++)
		files_put(f, list->name, list->text);
}

static void read_machine(struct files *f, struct tg_machine *m)
{
	struct tg_err err = {0};

	if (tg_machine_read_at(f->dir, NULL, m, &err) < 0)
		fail_msg("%s", err.msg);
}

static void read_of_a_guest_has_every_fact(void **state)
{
	static const struct {
		const char *key, *want;
		bool strict;
	} rows[] = {
		{"cpu_model", "AMD EPYC", true},
		{"stepping", "1", true},
		{"microcode", "0x1000065", true},
		{"cores", "2", true},
		{"smt", "off", true},
		{"hypervisor", "kvm", true},
		{"kernel", "6.18.5", true},
		{"cgroup_mode", "hybrid", true},
		{"thp", "madvise", true},
		{"clocksource", "tsc", true},
		{"wire", "1", true},
		{"mhz", "2597", false},
		{"governor", "unknown", false},
		{"load", "0.10 0.20 0.30", false},
		{"boot_id", "f0e1d2c3-0000-4000-8000-000000000001", false},
	};
	struct tg_machine m;

	make(*state, epyc_guest);
	read_machine(*state, &m);
	assert_string_equal(m.name, "vm-epyc-2");
	for (size_t i = 0; i < TG_ARRAY_SIZE(rows); i++) {
		const char *value = tg_machine_fact(&m, rows[i].key);

		if (!value || strcmp(value, rows[i].want) != 0)
			fail_msg("%s: `%s` instead of `%s`", rows[i].key, value, rows[i].want);
		for (size_t k = 0; k < m.count; k++)
			if (strcmp(m.facts[k].key, rows[i].key) == 0)
				assert_int_equal(m.facts[k].strict, rows[i].strict);
	}
	assert_int_equal(strncmp(tg_machine_fact(&m, "mitigations"),
				 "3 known, 1 mitigated, 1 vulnerable, fnv ", 40),
		0);
	assert_non_null(tg_machine_fact(&m, "libc"));
	assert_non_null(tg_machine_fact(&m, "commit"));
}

static void read_with_one_file_changed_changes_its_fact(void **state)
{
	static const struct {
		const char *file, *text, *key, *want; /* want NULL: something else than before */
	} rows[] = {
		{VULN "meltdown", "Mitigation: PTI\n", "mitigations", NULL},
		{VULN "zzz_new", "Not affected\n", "mitigations", NULL},
		{"sys/devices/system/cpu/online", "0,2-3,8\n", "cores", "4"},
		{"sys/devices/system/cpu/smt/active", "1\n", "smt", "on"},
		{"proc/self/mounts", "cgroup2 /sys/fs/cgroup cgroup2 rw 0 0\n", "cgroup_mode",
			"unified"},
		{"proc/self/mounts", "cgroup /sys/fs/cgroup/cpu cgroup rw 0 0\n", "cgroup_mode",
			"v1"},
		{"proc/self/mounts", "proc /proc proc rw 0 0\n", "cgroup_mode", "none"},
		{"sys/kernel/mm/transparent_hugepage/enabled", "[always] madvise never\n", "thp",
			"always"},
		{"sys/kernel/mm/transparent_hugepage/enabled", "\n", "thp", "unknown"},
		{"sys/hypervisor/type", "xen\n", "hypervisor", "xen"},
		{"sys/class/dmi/id/sys_vendor", "VMware, Inc.\n", "hypervisor", "vmware"},
		{"sys/devices/system/cpu/cpu0/cpufreq/scaling_governor", "schedutil\n", "governor",
			"schedutil"},
		{"proc/sys/kernel/osrelease", "  6.1\x1b[31m \xff\x7f x  \n", "kernel",
			"6.1 [31m x"},
		{"proc/loadavg", "junk", "load", "unknown"},
		{"proc/loadavg", "", "load", "unknown"},
		{"proc/cpuinfo", "", "cpu_model", "unknown"},
		{"proc/cpuinfo", "model name", "cpu_model", "unknown"},
	};

	for (size_t i = 0; i < TG_ARRAY_SIZE(rows); i++) {
		struct tg_machine m, was;
		const char *value, *now;

		make(*state, epyc_guest);
		read_machine(*state, &was);
		files_put(*state, rows[i].file, rows[i].text);
		read_machine(*state, &m);
		value = tg_machine_fact(&m, rows[i].key);
		now = tg_machine_fact(&was, rows[i].key);
		if (rows[i].want ? strcmp(value, rows[i].want) != 0 : strcmp(value, now) == 0)
			fail_msg("row %zu: %s is `%s`", i, rows[i].key, value);
		unlink(files_path(*state, rows[i].file));
	}
}

static void name_comes_from_dmi_on_metal_and_from_the_cpu_elsewhere(void **state)
{
	static const struct {
		const char *model, *flags, *product, *want;
	} rows[] = {
		{"AMD EPYC", "fpu", NULL, "epyc-2"},
		{"AMD EPYC 7B13 64-Core Processor", "fpu hypervisor", "x", "vm-epyc-2"},
		{"Intel(R) Xeon(R) Platinum 8370C CPU @ 2.80GHz", "fpu", NULL, "xeon-2"},
		{"Intel(R) Core(TM) i7-8700K CPU @ 3.70GHz", "fpu", "To be filled by O.E.M.\n",
			"i7-8700k-2"},
		{"13th Gen Intel(R) Core(TM) i9-13900", "fpu", "\n", "i9-13900-2"},
		{"AMD EPYC", "fpu", "Default string\n", "epyc-2"},
		{"AMD EPYC", "fpu", "PowerEdge R640 \n", "poweredge-r640-2"},
		{"AMD EPYC", "fpu", "../../../etc\n", "etc-2"},
		{"AMD EPYC", "fpu", "\xc3\xa9\xc3\xa9\n", "epyc-2"},
		{"...", "fpu", NULL, "cpu-2"},
		{"(((", "fpu", NULL, "cpu-2"},
		{"", "", NULL, "cpu-2"},
	};

	for (size_t i = 0; i < TG_ARRAY_SIZE(rows); i++) {
		struct tg_machine m;
		char cpuinfo[256];

		snprintf(cpuinfo, sizeof(cpuinfo), "model name\t: %s\nflags\t\t: %s\n",
			rows[i].model, rows[i].flags);
		files_put(*state, "proc/cpuinfo", cpuinfo);
		files_put(*state, "sys/devices/system/cpu/online", "0-1\n");
		unlink(files_path(*state, "sys/class/dmi/id/product_name"));
		if (rows[i].product)
			files_put(*state, "sys/class/dmi/id/product_name", rows[i].product);
		read_machine(*state, &m);
		if (strcmp(m.name, rows[i].want) != 0 || !tg_machine_name_ok(m.name))
			fail_msg("row %zu: `%s` instead of `%s`", i, m.name, rows[i].want);
	}
}

static void read_of_nothing_is_unknown_but_no_failure(void **state)
{
	struct tg_machine m;

	read_machine(*state, &m);
	assert_string_equal(m.name, "cpu-0");
	for (size_t i = 0; i < m.count; i++)
		assert_true(m.facts[i].value[0] != '\0');
	assert_string_equal(tg_machine_fact(&m, "kernel"), "unknown");
	assert_null(tg_machine_fact(&m, "nonsense"));
}

static void read_with_a_name_takes_it_before_the_environment(void **state)
{
	struct tg_machine m;

	(void)state;
	setenv("TOLLGATE_MACHINE", "from-env", 1);
	assert_int_equal(tg_machine_read("given.1_x", &m, NULL), 0);
	assert_string_equal(m.name, "given.1_x");
	assert_int_equal(tg_machine_read(NULL, &m, NULL), 0);
	assert_string_equal(m.name, "from-env");
	setenv("TOLLGATE_MACHINE", "", 1);
	assert_int_equal(tg_machine_read(NULL, &m, NULL), 0);
	assert_string_not_equal(m.name, "");
	unsetenv("TOLLGATE_MACHINE");
}

static void read_with_a_bad_name_is_einval_and_leaves_the_output(void **state)
{
	static const char *const names[] = {"", ".x", "..", "a/b", "A", "a b", "a\n", "\xc3\xa9",
		"0123456789012345678901234567890123456789012345678901234567890123"};

	(void)state;
	for (size_t i = 0; i < TG_ARRAY_SIZE(names); i++) {
		struct tg_machine m = {.name = "kept"};
		struct tg_err err = {0};

		assert_int_equal(tg_machine_read(names[i], &m, &err), -EINVAL);
		assert_string_equal(m.name, "kept");
		assert_non_null(strstr(err.msg, "machine name"));
	}
}

static void set(struct tg_machine *m, const char *key, const char *value)
{
	for (size_t i = 0; i < m->count; i++)
		if (strcmp(m->facts[i].key, key) == 0)
			strcpy(m->facts[i].value, value);
}

static void differs_looks_at_strict_facts_only(void **state)
{
	struct tg_machine was, now;
	const struct tg_fact *fact;
	const char *value = NULL;

	make(*state, epyc_guest);
	read_machine(*state, &was);
	now = was;
	assert_null(tg_machine_differs(&was, &now, &value));
	set(&now, "load", "9 9 9");
	set(&now, "boot_id", "another");
	set(&now, "libc", "3.0");
	assert_null(tg_machine_differs(&was, &now, &value));
	set(&now, "kernel", "6.19.0");
	fact = tg_machine_differs(&was, &now, &value);
	assert_non_null(fact);
	assert_string_equal(fact->key, "kernel");
	assert_string_equal(fact->value, "6.18.5");
	assert_string_equal(value, "6.19.0");
}

static void differs_with_a_strict_fact_missing_on_one_side_says_unknown(void **state)
{
	struct tg_machine was, now, without;
	const struct tg_fact *fact;
	const char *value = NULL;

	make(*state, epyc_guest);
	read_machine(*state, &was);
	now = without = was;
	memmove(without.facts, without.facts + 1, (was.count - 1) * sizeof(was.facts[0]));
	without.count--;
	fact = tg_machine_differs(&was, &without, &value);
	assert_non_null(fact);
	assert_string_equal(fact->key, "cpu_model");
	assert_string_equal(value, "unknown");
	fact = tg_machine_differs(&without, &now, &value);
	assert_non_null(fact);
	assert_string_equal(fact->key, "cpu_model");
	assert_string_equal(fact->value, "unknown");
	assert_string_equal(value, "AMD EPYC");
	now.count = 0;
	was.count = 0;
	assert_null(tg_machine_differs(&was, &now, &value));
}

#define WITH_FILES(f) cmocka_unit_test_setup_teardown(f, files_setup, files_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_FILES(read_of_a_guest_has_every_fact),
		WITH_FILES(read_with_one_file_changed_changes_its_fact),
		WITH_FILES(name_comes_from_dmi_on_metal_and_from_the_cpu_elsewhere),
		WITH_FILES(read_of_nothing_is_unknown_but_no_failure),
		cmocka_unit_test(read_with_a_name_takes_it_before_the_environment),
		cmocka_unit_test(read_with_a_bad_name_is_einval_and_leaves_the_output),
		WITH_FILES(differs_looks_at_strict_facts_only),
		WITH_FILES(differs_with_a_strict_fact_missing_on_one_side_says_unknown),
	};

	return cmocka_run_group_tests_name("machine", tests, NULL, NULL);
}
