/* SPDX-License-Identifier: GPL-2.0-or-later */
/* opt_machine.c - handlers of the options about the machine itself: kind, CPUs, memory, time, what
 * its events lead to. */
#include "boot/smbios.h"
#include "cli/options.h"
#include "core/migrate_place.h"
#include "lib/str.h"
#include <errno.h>
#include <time.h>

static bool is_help(const char *arg) { return str_eq(arg, "help") || str_eq(arg, "?"); }

static void replace(char **at, const char *value)
{
	char *old = *at;

	*at = xstrdup(value);
	free(old);
}

/* accel=a:b of -machine: each like one -accel. */
static void add_accels(struct settings *s, const char *list)
{
	for (size_t n; *list; list += n + (list[n] == ':')) {
		struct keyvals kv = { 0 };

		n = strcspn(list, ":");
		AUTO_FREE char *name = xstrndup(list, n);

		keyvals_add(&kv, "accel", name);
		vec_push(&s->accels, kv);
	}
}

OPTION_HANDLER(opt_machine)
{
	struct {
		const char *key;
		char **at;
	} texts[] = {
		{ "kernel", &s->kernel }, { "initrd", &s->initrd }, { "append", &s->append },
		{ "dtb", &s->dtb },	  { "firmware", &s->bios },
	};
	struct keyvals kv = { 0 };
	const char *value;
	int err;

	if (is_help(arg)) {
		list_machines(s);
		return OPTION_DONE;
	}
	err = keyvals_parse(&kv, arg, "type", e);
	if (err)
		goto out;
	if (keyvals_help(&kv)) {
		value = keyvals_get(&kv, "type");
		err = list_machine_options(value && !is_help(value) ?
						   value :
						   keyvals_get(&s->machine, "type"),
					   s, e);
		err = err ? err : OPTION_DONE;
		goto out;
	}
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		value = keyvals_get(&kv, texts[i].key);
		if (value)
			replace(texts[i].at, value);
		keyvals_del(&kv, texts[i].key);
	}
	value = keyvals_get(&kv, "accel");
	if (value) {
		/* The last -machine accel= wins over earlier ones, but not over -accel. */
		if (s->accels_by_machine)
			while (s->accels.n)
				keyvals_fini(&s->accels.at[--s->accels.n]);
		if (!s->accels.n) {
			add_accels(s, value);
			s->accels_by_machine = true;
		}
		keyvals_del(&kv, "accel");
	}
	for (size_t i = 0; i < kv.n; i++)
		if (!kv.at[i].bare)
			keyvals_del(&s->machine, kv.at[i].key);
	keyvals_merge(&s->machine, &kv);
out:
	keyvals_fini(&kv);
	return err;
}

OPTION_HANDLER(opt_cpu)
{
	if (is_help(arg)) {
		list_cpus(s);
		return OPTION_DONE;
	}
	replace(&s->cpu, arg);
	return 0;
}

OPTION_HANDLER(opt_accel)
{
	struct keyvals kv = { 0 };
	int err;

	if (is_help(arg)) {
		list_accels();
		return OPTION_DONE;
	}
	err = keyvals_parse(&kv, arg, "accel", e);
	if (!err && !keyvals_get(&kv, "accel"))
		err = error_ret(e, -EINVAL, "the accelerator's name is missing");
	if (err) {
		keyvals_fini(&kv);
		return err;
	}
	if (s->accels_by_machine)
		while (s->accels.n)
			keyvals_fini(&s->accels.at[--s->accels.n]);
	s->accels_by_machine = false;
	vec_push(&s->accels, kv);
	return 0;
}

OPTION_HANDLER(opt_enable_kvm) { return opt_accel(s, o, "kvm", e); }

OPTION_HANDLER(opt_memory)
{
	struct keyvals kv = { 0 };
	u64 size = s->ram_size, most = 0, slots = 0;
	int err = keyvals_parse(&kv, arg, "size", e);

	if (!err)
		err = keyvals_size(&kv, "size", 1 << 20, &size, e);
	if (!err)
		err = keyvals_size(&kv, "maxmem", 1 << 20, &most, e);
	if (!err)
		err = keyvals_u64(&kv, "slots", 0, 256, &slots, e);
	if (!err)
		err = keyvals_all_used(&kv, "size|slots|maxmem", e);
	if (!err && !size && keyvals_get(&kv, "size"))
		err = error_ret(e, -EINVAL, "a machine without memory cannot run");
	if (!err && most && most < size)
		err = error_ret(e, -EINVAL,
				"maxmem is less than the memory that is there from the start");
	if (!err && (slots || most > size))
		warn("-m %s: slots and maxmem have no effect: memory cannot be added while running "
		     "yet",
		     arg);
	if (!err && size != ALIGN_UP(size, 4096ull))
		warn("-m %s: rounded up to whole pages", arg);
	if (!err)
		s->ram_size = size > ~0ull - 4096 ? size : ALIGN_UP(size, 4096ull);
	keyvals_fini(&kv);
	return err;
}

/* ---- CPUs */

/* Omitted levels follow from the others: cores before sockets before threads. */
static int complete_topology(struct smp *t, u64 modules, struct error *e)
{
	u64 total;

	t->dies = t->dies ?: 1;
	if (!t->cpus && !t->max_cpus) {
		t->sockets = t->sockets ?: 1;
		t->cores = t->cores ?: 1;
		t->threads = t->threads ?: 1;
	} else {
		u64 all = t->max_cpus ?: t->cpus;

		if (!t->cores) {
			t->sockets = t->sockets ?: 1;
			t->threads = t->threads ?: 1;
			t->cores = all / ((u64)t->sockets * t->dies * modules * t->threads);
		} else if (!t->sockets) {
			t->threads = t->threads ?: 1;
			t->sockets = all / ((u64)t->dies * modules * t->cores * t->threads);
		}
		if (!t->threads)
			t->threads = all / ((u64)t->sockets * t->dies * modules * t->cores);
	}
	total = (u64)t->sockets * t->dies * modules * t->cores * t->threads;
	t->max_cpus = t->max_cpus ?: t->cpus ?: total;
	t->cpus = t->cpus ?: t->max_cpus;
	if (total != t->max_cpus)
		return error_ret(e, -EINVAL,
				 "sockets (%u) * dies (%u) * modules (%llu) * cores (%u) * threads "
				 "(%u) must be maxcpus (%u)",
				 t->sockets, t->dies, (unsigned long long)modules, t->cores,
				 t->threads, t->max_cpus);
	t->cores *= modules;
	return 0;
}

OPTION_HANDLER(opt_smp)
{
	static const char known[] =
		"cpus|maxcpus|sockets|dies|clusters|modules|cores|threads|drawers|books";
	enum { MOST = 255, LARGEST = 1 << 20 };
	struct smp t = { 0 };
	u32 clusters = 0, modules = 0, drawers = 0, books = 0;
	struct {
		const char *key;
		u32 *at;
	} keys[] = {
		{ "cpus", &t.cpus },   { "maxcpus", &t.max_cpus }, { "sockets", &t.sockets },
		{ "dies", &t.dies },   { "clusters", &clusters },  { "modules", &modules },
		{ "cores", &t.cores }, { "threads", &t.threads },  { "drawers", &drawers },
		{ "books", &books },
	};
	struct keyvals kv = { 0 };
	int err = keyvals_parse(&kv, arg, "cpus", e);

	for (size_t i = 0; i < ARRAY_SIZE(keys) && !err; i++) {
		u64 v = 0;

		err = keyvals_u64(&kv, keys[i].key, 0, ~0ull, &v, e);
		if (!err && keyvals_get(&kv, keys[i].key) && !v)
			err = error_ret(e, -EINVAL, "%s=0: at least one is needed", keys[i].key);
		if (!err && v > LARGEST)
			err = error_ret(e, -ERANGE, "invalid SMP CPUs: %s=%llu; the most is %d",
					keys[i].key, (unsigned long long)v, MOST);
		*keys[i].at = v;
	}
	if (!err)
		err = keyvals_all_used(&kv, known, e);
	if (!err && (drawers > 1 || books > 1))
		err = error_ret(e, -EINVAL,
				"drawers and books are of s390x machines: these have none");
	if (!err)
		err = complete_topology(&t, (u64)(clusters ?: 1) * (modules ?: 1), e);
	if (!err && t.max_cpus > MOST)
		err = error_ret(e, -ERANGE, "invalid SMP CPUs %u: the most is %d", t.max_cpus,
				MOST);
	if (!err && t.cpus > t.max_cpus)
		err = error_ret(e, -EINVAL, "maxcpus (%u) must be at least cpus (%u)", t.max_cpus,
				t.cpus);
	if (!err && t.max_cpus > t.cpus)
		warn("-smp %s: maxcpus has no effect: CPUs cannot be added while running yet", arg);
	if (!err)
		s->smp = t;
	keyvals_fini(&kv);
	return err;
}

/* ---- time */

OPTION_HANDLER(opt_icount)
{
	struct keyvals kv = { 0 };
	int err = keyvals_parse(&kv, arg, "shift", e);
	const char *shift = err ? NULL : keyvals_get(&kv, "shift"),
		   *rr = err ? NULL : keyvals_get(&kv, "rr");
	bool align = false, sleep = true;
	u64 n = 0;

	if (!err && rr && !str_eq(rr, "none"))
		err = error_ret(e, -ENOTSUP, "recording and replaying are not built yet");
	if (!err && (!shift || str_eq(shift, "auto")))
		err = error_ret(e, -ENOTSUP, "only a fixed shift=N is built yet");
	if (!err)
		err = keyvals_u64(&kv, "shift", 0, 10, &n, e);
	if (!err)
		err = keyvals_bool(&kv, "align", &align, e);
	if (!err && align)
		err = error_ret(e, -ENOTSUP, "align=on is not built yet");
	if (!err)
		err = keyvals_bool(&kv, "sleep", &sleep, e);
	if (!err)
		err = keyvals_all_used(&kv, "shift|align|sleep|rr", e);
	if (!err) {
		s->icount = true;
		s->icount_shift = n;
	}
	keyvals_fini(&kv);
	return err;
}

static int parse_date(const char *text, s64 *date, struct error *e)
{
	struct tm tm = { 0 };
	const char *end = strptime(text, "%Y-%m-%dT%H:%M:%S", &tm);

	if (!end || *end) {
		tm = (struct tm){ 0 };
		end = strptime(text, "%Y-%m-%d", &tm);
	}
	if (!end || *end)
		return error_ret(e, -EINVAL,
				 "base='%s' is none of utc, localtime, 2006-06-17, "
				 "2006-06-17T16:01:21",
				 text);
	*date = timegm(&tm);
	return 0;
}

OPTION_HANDLER(opt_rtc)
{
	struct keyvals kv = { 0 };
	int err = keyvals_parse(&kv, arg, NULL, e);
	const char *base = err ? NULL : keyvals_get(&kv, "base");
	unsigned choice;

	if (!err && base && str_eq(base, "utc"))
		s->rtc_base = RTC_UTC;
	else if (!err && base && str_eq(base, "localtime"))
		s->rtc_base = RTC_LOCALTIME;
	else if (!err && base) {
		s->rtc_base = RTC_DATE;
		err = parse_date(base, &s->rtc_date, e);
	}
	/* There is one clock, and it loses no ticks: all of these describe it. */
	if (!err)
		err = keyvals_choice(&kv, "clock", "host|rt|vm", &choice, e);
	if (!err)
		err = keyvals_choice(&kv, "driftfix", "none|slew", &choice, e);
	if (!err)
		err = keyvals_all_used(&kv, "base|clock|driftfix", e);
	keyvals_fini(&kv);
	return err;
}

/* ---- boot order, events */

OPTION_HANDLER(opt_boot)
{
	struct keyvals kv = { 0 };
	int err = keyvals_parse(&kv, arg, "order", e);
	const char *order = NULL, *once = NULL;
	bool strict;
	u64 ms;

	if (!err) {
		once = keyvals_get(&kv, "once");
		order = keyvals_get(&kv, "order");
		err = keyvals_bool(&kv, "menu", &s->boot_menu, e);
	}
	if (!err && once)
		err = error_ret(e, -ENOTSUP, "once= is not built yet; order= works");
	if (!err && order && (strspn(order, "abcdefghijklmnop") != strlen(order)))
		err = error_ret(e, -EINVAL, "order='%s': letters a to p are expected", order);
	if (!err)
		err = keyvals_bool(&kv, "strict", &strict, e);
	ms = s->boot_splash_ms;
	if (!err)
		err = keyvals_u64(&kv, "splash-time", 0, 65535, &ms, e);
	s->boot_splash_ms = ms;
	ms = s->boot_reboot_ms;
	if (!err)
		err = keyvals_u64(&kv, "reboot-timeout", 0, 65535, &ms, e);
	s->boot_reboot_ms = ms;
	if (!err)
		err = keyvals_all_used(&kv, "order|once|menu|strict|splash-time|reboot-timeout", e);
	if (!err && order)
		replace(&s->boot_order, order);
	keyvals_fini(&kv);
	return err;
}

static int set_action(struct settings *s, const char *event, const char *action, struct error *e)
{
	static const struct {
		const char *event, *actions;
		u8 value[8];
		u32 off;
	} events[] = {
		{ "reboot",
		  "reset|shutdown",
		  { ACTION_RESET, ACTION_SHUTDOWN },
		  offsetof(struct machine_actions, reboot) },
		{ "shutdown",
		  "poweroff|pause",
		  { ACTION_POWEROFF, ACTION_PAUSE },
		  offsetof(struct machine_actions, shutdown) },
		{ "panic",
		  "pause|shutdown|exit-failure|none",
		  { ACTION_PAUSE, ACTION_SHUTDOWN, ACTION_EXIT_FAILURE, ACTION_NONE },
		  offsetof(struct machine_actions, panic) },
		{ "watchdog",
		  "reset|shutdown|poweroff|inject-nmi|pause|debug|none",
		  { ACTION_RESET, ACTION_SHUTDOWN, ACTION_POWEROFF, ACTION_INJECT_NMI, ACTION_PAUSE,
		    ACTION_DEBUG, ACTION_NONE },
		  offsetof(struct machine_actions, watchdog) },
	};

	for (size_t i = 0; i < ARRAY_SIZE(events); i++) {
		int n = choice_find(events[i].actions, action);

		if (!str_eq(events[i].event, event))
			continue;
		if (n < 0)
			return error_ret(e, -EINVAL, "%s='%s': one of %s is expected", event,
					 action, events[i].actions);
		*((u8 *)&s->actions + events[i].off) = events[i].value[n];
		return 0;
	}
	return error_ret(e, -EINVAL, "'%s' is none of reboot, shutdown, panic, watchdog", event);
}

OPTION_HANDLER(opt_action)
{
	struct keyvals kv = { 0 };
	int err = keyvals_parse(&kv, arg, NULL, e);

	for (size_t i = 0; i < kv.n && !err; i++)
		err = set_action(s, kv.at[i].key, kv.at[i].value, e);
	keyvals_fini(&kv);
	return err;
}

OPTION_HANDLER(opt_no_reboot) { return set_action(s, "reboot", "shutdown", e); }

OPTION_HANDLER(opt_no_shutdown) { return set_action(s, "shutdown", "pause", e); }

OPTION_HANDLER(opt_watchdog_action) { return set_action(s, "watchdog", arg, e); }

/* ---- identity */

OPTION_HANDLER(opt_name)
{
	struct keyvals kv = { 0 };
	int err = keyvals_parse(&kv, arg, "guest", e);
	const char *guest, *process;
	bool threads;

	if (!err)
		err = keyvals_bool(&kv, "debug-threads", &threads, e);
	if (!err) {
		guest = keyvals_get(&kv, "guest");
		process = keyvals_get(&kv, "process");
		if (guest)
			replace(&s->name, guest);
		if (process)
			replace(&s->process_name, process);
		err = keyvals_all_used(&kv, "guest|process|debug-threads", e);
	}
	keyvals_fini(&kv);
	return err;
}

OPTION_HANDLER(opt_incoming)
{
	int err = str_eq(arg, "defer") ? 0 : place_check(arg, e);

	if (!err)
		replace(&s->incoming, arg);
	return err;
}

OPTION_HANDLER(opt_uuid)
{
	u8 uuid[16];

	if (uuid_parse(arg, uuid))
		return error_ret(e, -EINVAL,
				 "this is no UUID: the form is 8-4-4-4-12 hexadecimal digits");
	replace(&s->uuid, arg);
	return 0;
}

OPTION_HANDLER(opt_smbios)
{
	struct smbios checked = { 0 };
	int err = smbios_parse(&checked, arg, e);

	smbios_fini(&checked);
	if (!err)
		texts_add(&s->smbios, arg);
	return err;
}

OPTION_HANDLER(opt_seed)
{
	if (str_to_u64(arg, 0, &s->seed))
		return error_ret(e, -EINVAL, "a number below 2^64 is expected");
	s->seed_set = true;
	return 0;
}

OPTION_HANDLER(opt_overcommit)
{
	struct keyvals kv = { 0 };
	bool cpu_pm = false;
	const char *lock;
	int err = keyvals_parse(&kv, arg, NULL, e);

	if (!err) {
		lock = keyvals_get(&kv, "mem-lock");
		if (lock && str_eq(lock, "on-fault"))
			err = error_ret(e, -ENOTSUP, "mem-lock=on-fault is not built yet");
		else
			err = keyvals_bool(&kv, "mem-lock", &s->mem_lock, e);
	}
	if (!err)
		err = keyvals_bool(&kv, "cpu-pm", &cpu_pm, e);
	if (!err)
		err = keyvals_all_used(&kv, "mem-lock|cpu-pm", e);
	if (!err && cpu_pm)
		warn("-overcommit %s: cpu-pm has no effect: a translated guest never gets the host "
		     "CPU's power states",
		     arg);
	keyvals_fini(&kv);
	return err;
}
