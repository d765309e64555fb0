#include "store/machine.h"

#include "common/cleanup.h"
#include "common/wire.h"

#include <ctype.h>
#include <errno.h>
#include <gnu/libc-version.h>
#include <dirent.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#ifndef TG_COMMIT /* set by the build */
#define TG_COMMIT "unknown"
#endif

/* The strict facts, as a baseline that does not have one is taken to say. */
static const struct tg_fact strict_facts[] = {
	{"cpu_model", "unknown", true},
	{"stepping", "unknown", true},
	{"microcode", "unknown", true},
	{"cores", "unknown", true},
	{"smt", "unknown", true},
	{"hypervisor", "unknown", true},
	{"kernel", "unknown", true},
	{"mitigations", "unknown", true},
	{"cgroup_mode", "unknown", true},
	{"thp", "unknown", true},
	{"clocksource", "unknown", true},
	{"wire", "unknown", true},
};

/* A view of the machine's files below `root` ("" = this machine), so that tests can bring their
 * own. */
struct view {
	const char *root;
	char *cpuinfo; /* owned; "" where unreadable */
};

/* The start of a file, as a string that the caller frees; NULL where it cannot be read. */
static char *slurp(const char *root, const char *path)
{
	const size_t limit = (size_t)1 << 18; /* the first CPUs of /proc/cpuinfo are enough */
	char full[512];
	tg_autofd int fd = -1;
	tg_autofree char *buf = malloc(limit);
	size_t used = 0;

	if (!buf || snprintf(full, sizeof(full), "%s%s", root, path) >= (int)sizeof(full))
		return NULL;
	fd = open(full, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return NULL;
	while (used < limit - 1) {
		ssize_t n = read(fd, buf + used, limit - 1 - used);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			break;
		used += (size_t)n;
	}
	buf[used] = '\0';
	return tg_steal(&buf);
}

/* Copy one line: printable ASCII, blanks squeezed, no blank at either end; "unknown" where nothing
 * is left. */
static void clean(const char *in, char *out, size_t size)
{
	size_t n = 0;

	for (; *in && *in != '\n' && n < size - 1; in++) {
		bool printable = *in > 0x20 && *in < 0x7f;

		if (printable)
			out[n++] = *in;
		else if (n > 0 && out[n - 1] != ' ')
			out[n++] = ' ';
	}
	while (n > 0 && out[n - 1] == ' ')
		n--;
	out[n] = '\0';
	if (n == 0)
		snprintf(out, size, "unknown");
}

static void add(struct tg_machine *m, const char *key, const char *value)
{
	struct tg_fact *f;

	if (m->count == TG_FACTS_MAX)
		return;
	f = &m->facts[m->count++];
	snprintf(f->key, sizeof(f->key), "%s", key);
	clean(value, f->value, sizeof(f->value));
	f->strict = false;
	for (size_t i = 0; i < TG_ARRAY_SIZE(strict_facts); i++)
		if (strcmp(strict_facts[i].key, key) == 0)
			f->strict = true;
}

static void add_file(struct tg_machine *m, const struct view *v, const char *key, const char *path)
{
	tg_autofree char *text = slurp(v->root, path);

	add(m, key, text ? text : "");
}

/* The value of the first `key` line of /proc/cpuinfo; "" where there is none. */
static void cpuinfo(const struct view *v, const char *key, char *out, size_t size)
{
	size_t len = strlen(key);

	out[0] = '\0';
	for (const char *line = v->cpuinfo; line && *line; line = strchr(line, '\n')) {
		const char *colon;

		line += *line == '\n';
		if (strncmp(line, key, len) != 0 || !strchr("\t :", line[len]))
			continue;
		colon = line + len + strspn(line + len, "\t ");
		if (*colon != ':')
			continue;
		snprintf(out, size, "%.*s", (int)strcspn(colon + 1, "\n"), colon + 1);
		return;
	}
}

static void add_cpu(struct tg_machine *m, const struct view *v)
{
	char value[192], part[64], mhz[64];

	cpuinfo(v, "model name", value, sizeof(value));
	if (!value[0]) { /* arm64 has numbers only */
		cpuinfo(v, "CPU implementer", mhz, sizeof(mhz));
		cpuinfo(v, "CPU part", part, sizeof(part));
		if (mhz[0])
			snprintf(value, sizeof(value), "implementer%s part%s", mhz, part);
	}
	add(m, "cpu_model", value);
	cpuinfo(v, "stepping", value, sizeof(value));
	if (!value[0])
		cpuinfo(v, "CPU revision", value, sizeof(value));
	add(m, "stepping", value);
	cpuinfo(v, "microcode", value, sizeof(value));
	add(m, "microcode", value);
	cpuinfo(v, "cpu MHz", mhz, sizeof(mhz));
	if (mhz[0])
		snprintf(mhz, sizeof(mhz), "%.0f", strtod(mhz, NULL));
	add(m, "mhz", mhz);
}

/* How many CPUs a list like "0-3,8" has. */
static unsigned count_list(const char *list)
{
	unsigned n = 0;

	while (isdigit((unsigned char)*list)) {
		char *end;
		unsigned long a = strtoul(list, &end, 10), b = a;

		if (*end == '-')
			b = strtoul(end + 1, &end, 10);
		if (b >= a && b - a < 65536)
			n += (unsigned)(b - a) + 1;
		list = *end == ',' ? end + 1 : end;
	}
	return n;
}

static unsigned add_cores(struct tg_machine *m, const struct view *v)
{
	tg_autofree char *online = slurp(v->root, "/sys/devices/system/cpu/online");
	tg_autofree char *smt = slurp(v->root, "/sys/devices/system/cpu/smt/active");
	unsigned n = online ? count_list(online) : 0;
	char text[16];

	snprintf(text, sizeof(text), "%u", n);
	add(m, "cores", n ? text : "unknown");
	add(m, "smt", !smt ? "unknown" : *smt == '1' ? "on" : "off");
	return n;
}

static bool contains(const char *text, const char *word)
{
	return text && strcasestr(text, word);
}

/* Who runs this machine: "none" on bare metal, "unnamed" where only the CPU says that it is
 * virtual. */
static void add_hypervisor(struct tg_machine *m, const struct view *v, bool *is_vm)
{
	static const char *const known[][2] = {{"KVM", "kvm"}, {"QEMU", "kvm"},
		{"Amazon EC2", "kvm"}, {"Google", "kvm"}, {"OpenStack", "kvm"},
		{"DigitalOcean", "kvm"}, {"Hetzner", "kvm"}, {"VMware", "vmware"},
		{"VirtualBox", "virtualbox"}, {"innotek", "virtualbox"}, {"Xen", "xen"},
		{"Microsoft", "hyperv"}, {"Apple", "apple"}, {"Parallels", "parallels"}};
	tg_autofree char *type = slurp(v->root, "/sys/hypervisor/type");
	tg_autofree char *vendor = slurp(v->root, "/sys/class/dmi/id/sys_vendor");
	tg_autofree char *product = slurp(v->root, "/sys/class/dmi/id/product_name");
	char flags[4096];
	const char *name = "unnamed";

	cpuinfo(v, "flags", flags, sizeof(flags));
	*is_vm = (type && *type) || contains(flags, " hypervisor");
	for (size_t i = 0; i < TG_ARRAY_SIZE(known); i++)
		if (contains(vendor, known[i][0]) || contains(product, known[i][0])) {
			name = known[i][1];
			break;
		}
	if (type && *type)
		name = type;
	add(m, "hypervisor", *is_vm ? name : "none");
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

static int no_dots(const struct dirent *d)
{
	return d->d_name[0] != '.';
}

static uint64_t fnv1a(uint64_t hash, const char *text)
{
	for (; *text; text++)
		hash = (hash ^ (unsigned char)*text) * UINT64_C(0x100000001b3);
	return hash;
}

/* "19 known, 3 mitigated, 2 vulnerable, fnv 0123456789abcdef": the hash is over all names and
 * states. */
static void add_mitigations(struct tg_machine *m, const struct view *v)
{
	uint64_t hash = UINT64_C(0xcbf29ce484222325);
	unsigned mitigated = 0, vulnerable = 0;
	struct dirent **list;
	char path[600], text[128];
	int n;

	snprintf(path, sizeof(path), "%s/sys/devices/system/cpu/vulnerabilities", v->root);
	n = scandir(path, &list, no_dots, by_name);
	for (int i = 0; i < n; i++) {
		tg_autofree char *state = NULL;

		snprintf(path, sizeof(path), "/sys/devices/system/cpu/vulnerabilities/%s",
			list[i]->d_name);
		state = slurp(v->root, path);
		hash = fnv1a(fnv1a(fnv1a(hash, list[i]->d_name), "="), state ? state : "");
		mitigated += contains(state, "Mitigation") && strncmp(state, "Mitigation", 10) == 0;
		vulnerable +=
			contains(state, "Vulnerable") && strncmp(state, "Vulnerable", 10) == 0;
		free(list[i]);
	}
	if (n >= 0)
		free(list);
	snprintf(text, sizeof(text), "%d known, %u mitigated, %u vulnerable, fnv %016llx", n,
		mitigated, vulnerable, (unsigned long long)hash);
	add(m, "mitigations", n > 0 ? text : "unknown");
}

/* From the mount table rather than statfs: the same answer, and one a test can write. */
static void add_cgroup(struct tg_machine *m, const struct view *v)
{
	tg_autofree char *mounts = slurp(v->root, "/proc/self/mounts");
	bool one = contains(mounts, " cgroup rw") || contains(mounts, " cgroup ro");
	bool two = contains(mounts, " cgroup2 r");

	add(m, "cgroup_mode",
		!mounts		     ? "unknown"
			: one && two ? "hybrid"
			: one	     ? "v1"
			: two	     ? "unified"
				     : "none");
}

static void add_thp(struct tg_machine *m, const struct view *v)
{
	tg_autofree char *text = slurp(v->root, "/sys/kernel/mm/transparent_hugepage/enabled");
	char *open = text ? strchr(text, '[') : NULL;
	char *close = open ? strchr(open, ']') : NULL;

	if (close)
		*close = '\0';
	add(m, "thp", close ? open + 1 : "unknown");
}

static void add_noted(struct tg_machine *m, const struct view *v)
{
	tg_autofree char *load = slurp(v->root, "/proc/loadavg");

	add(m, "libc", gnu_get_libc_version());
	add_file(m, v, "governor", "/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor");
	if (load) { /* "0.10 0.20 0.30 1/123 4567": the three averages */
		load[strcspn(load, "/")] = '\0';
		load[strrchr(load, ' ') ? strrchr(load, ' ') - load : 0] = '\0';
	}
	add(m, "load", load ? load : "");
	add_file(m, v, "boot_id", "/proc/sys/kernel/random/boot_id");
	add(m, "commit", TG_COMMIT);
}

/* Lower-case letters and digits of `in`, what is between them as one '-'. */
static void slug(const char *in, char *out, size_t size)
{
	size_t n = 0;

	for (; *in && n < size - 1; in++) {
		char c = (char)tolower((unsigned char)*in);

		if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'))
			out[n++] = c;
		else if (n > 0 && out[n - 1] != '-')
			out[n++] = '-';
	}
	while (n > 0 && out[n - 1] == '-')
		n--;
	out[n] = '\0';
}

/* The word of a CPU's name that tells its family: epyc, xeon, i7-8700k. */
static void cpu_slug(const char *model, char *out, size_t size)
{
	static const char *const dull[] = {"amd", "intel", "genuine", "core", "cpu", "processor",
		"virtual", "common", "unknown", "gen", "the"};
	char word[64];

	snprintf(out, size, "cpu");
	while (*model) {
		size_t len = strcspn(model, " (");
		bool skip = false;

		snprintf(word, sizeof(word), "%.*s", (int)len, model);
		slug(word, word, sizeof(word));
		for (size_t i = 0; i < TG_ARRAY_SIZE(dull); i++)
			skip = skip || strcmp(word, dull[i]) == 0;
		if (word[0] && isalpha((unsigned char)word[0]) && !skip) {
			snprintf(out, size, "%.30s", word);
			return;
		}
		model += len;
		if (*model == '(') /* (R), (TM) */
			model += strcspn(model, ")");
		model += *model != '\0';
	}
}

/* The vendor's name of the machine, where the firmware holds one that says something. */
static bool dmi_slug(const struct view *v, char *out, size_t size)
{
	static const char *const empty[] = {"to be filled", "default string", "system product",
		"not specified", "o.e.m.", "none", "unknown", "not applicable", "invalid"};
	tg_autofree char *product = slurp(v->root, "/sys/class/dmi/id/product_name");
	char name[192];

	clean(product ? product : "", name, sizeof(name));
	for (size_t i = 0; i < TG_ARRAY_SIZE(empty); i++)
		if (contains(name, empty[i]))
			return false;
	slug(name, out, size);
	return out[0] != '\0';
}

static void make_name(struct tg_machine *m, const struct view *v, bool is_vm, unsigned cores)
{
	char base[32];

	/* A guest's firmware names its hypervisor's board, which says nothing. */
	if (is_vm || !dmi_slug(v, base, sizeof(base)))
		cpu_slug(tg_machine_fact(m, "cpu_model"), base, sizeof(base));
	snprintf(m->name, sizeof(m->name), "%s%s-%u", is_vm ? "vm-" : "", base, cores);
}

bool tg_machine_name_ok(const char *name)
{
	size_t len = strlen(name);

	return len > 0 && len < sizeof(((struct tg_machine *)0)->name) && name[0] != '.' &&
		strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789._-") == len;
}

int tg_machine_read_at(
	const char *root, const char *name, struct tg_machine *out, struct tg_err *err)
{
	tg_autofree char *cpus = slurp(root, "/proc/cpuinfo");
	struct view v = {root, cpus};
	struct tg_machine m = {0};
	unsigned cores;
	bool is_vm;
	char wire[16];

	if (name && !tg_machine_name_ok(name))
		return tg_err_set(err, EINVAL,
			"machine name: 1 to 63 of a-z 0-9 . _ - wanted, no dot in front");
	add_cpu(&m, &v);
	cores = add_cores(&m, &v);
	add_hypervisor(&m, &v, &is_vm);
	add_file(&m, &v, "kernel", "/proc/sys/kernel/osrelease");
	add_mitigations(&m, &v);
	add_cgroup(&m, &v);
	add_thp(&m, &v);
	add_file(&m, &v, "clocksource",
		"/sys/devices/system/clocksource/clocksource0/current_clocksource");
	snprintf(wire, sizeof(wire), "%d", TG_WIRE_VERSION);
	add(&m, "wire", wire);
	add_noted(&m, &v);
	if (name)
		snprintf(m.name, sizeof(m.name), "%s", name);
	else
		make_name(&m, &v, is_vm, cores);
	*out = m;
	return 0;
}

int tg_machine_read(const char *name, struct tg_machine *out, struct tg_err *err)
{
	const char *env = getenv("TOLLGATE_MACHINE");

	return tg_machine_read_at("", name ? name : env && *env ? env : NULL, out, err);
}

const char *tg_machine_fact(const struct tg_machine *m, const char *key)
{
	for (size_t i = 0; i < m->count; i++)
		if (strcmp(m->facts[i].key, key) == 0)
			return m->facts[i].value;
	return NULL;
}

const struct tg_fact *tg_machine_differs(
	const struct tg_machine *was, const struct tg_machine *now, const char **now_value)
{
	for (size_t i = 0; i < was->count; i++) {
		const char *value = tg_machine_fact(now, was->facts[i].key);

		if (!was->facts[i].strict)
			continue;
		*now_value = value ? value : "unknown";
		if (strcmp(was->facts[i].value, *now_value) != 0)
			return &was->facts[i];
	}
	for (size_t i = 0; i < TG_ARRAY_SIZE(strict_facts); i++) {
		*now_value = tg_machine_fact(now, strict_facts[i].key);
		if (*now_value && !tg_machine_fact(was, strict_facts[i].key))
			return &strict_facts[i];
	}
	return NULL;
}
