/* SPDX-License-Identifier: GPL-2.0-or-later */
/* run.c - builds the machine that the settings describe, runs it, and says how it ended. */
#include "cli/run.h"
#include "board/board.h"
#include "boot/boot.h"
#include "boot/smbios.h"
#include "cli/bootindex.h"
#include "cli/consoles.h"
#include "cli/debugger.h"
#include "cli/devices.h"
#include "cli/disks.h"
#include "cli/firmware.h"
#include "cli/nets.h"
#include "cli/memory.h"
#include "core/block.h"
#include "core/migrate.h"
#include "guest/guest.h"
#include "host/daemon.h"
#include "host/signals.h"
#include "initrd/initrd.h"
#include "lib/str.h"
#include <errno.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <time.h>

/* All that is released after the machine. */
struct run {
	struct machine *m;
	const struct board *board;
	struct board_config config;
	struct memory memory;
	struct keyvals board_keys;
	VEC(struct board_setting) board_settings;
	struct consoles consoles;
	struct debugger debugger;
	struct bytes firmware;
	struct boot_options boot;
	char **bootindex;
	struct smbios smbios;
	VEC(struct boot_fw_cfg) fw_cfg;
	VEC(struct boot_loader) loaders;
};

/* ---- accelerators */

static int tcg_options(struct settings *s, struct keyvals *kv, struct error *e)
{
	struct engine_options *o = &s->engine;
	unsigned thread = 0;
	u64 tier = 1, cache = 0;
	bool split = false;
	int err = keyvals_u64(kv, "tier", 0, 1, &tier, e);

	if (!err)
		err = keyvals_size(kv, "tb-size", 1 << 20, &cache, e);
	if (!err)
		err = keyvals_bool(kv, "one-insn-per-tb", &o->one_insn, e);
	if (!err)
		err = keyvals_bool(kv, "strict", &o->strict, e);
	if (!err)
		err = keyvals_bool(kv, "split-wx", &split, e);
	if (!err)
		err = keyvals_bool(kv, "stats", &o->stats, e);
	s->tier_given = keyvals_get(kv, "tier") != NULL;
	if (!err && split)
		err = error_ret(e, -ENOTSUP, "split-wx=on is not built yet");
	if (!err)
		err = keyvals_choice(kv, "thread", "single|multi", &thread, e);
	if (!err && thread == 1)
		warn("-accel tcg,thread=multi: CPUs still take turns in one thread");
	if (!err)
		err = keyvals_all_used(kv,
				       "tier|tb-size|one-insn-per-tb|strict|stats|split-wx|thread",
				       e);
	o->tier = tier;
	o->cache_bytes = cache;
	return err;
}

/* No CPU runs; monitors and debuggers see them through the interpreter. */
static int qtest_options(struct settings *s, struct keyvals *kv, struct error *e)
{
	int err = keyvals_all_used(kv, "", e);

	s->driven = true;
	s->tier_given = true;
	s->engine.tier = 0;
	if (err)
		error_prefix(e, "-accel qtest");
	return err;
}

/* The first that can be had; the others are skipped with a message. */
static int choose_accel(struct settings *s, struct error *e)
{
	static const char others[] = "kvm|hvf|whpx|nvmm|xen|mshv";

	s->driven = false;
	if (s->icount)
		return error_ret(e, -ENOTSUP,
				 "-icount: counting executed instructions is not built yet");
	s->engine = (struct engine_options){ .tier = 1 };
	for (size_t i = 0; i < s->accels.n; i++) {
		struct keyvals *kv = &s->accels.at[i];
		const char *name = keyvals_get(kv, "accel");
		bool last = i + 1 == s->accels.n;

		if (str_eq(name, "t0") || str_eq(name, "t1"))
			keyvals_add(kv, "tier", name + 1);
		if (str_eq(name, "tcg") || str_eq(name, "t0") || str_eq(name, "t1")) {
			int err = tcg_options(s, kv, e);

			if (err)
				error_prefix(e, "-accel %s", name);
			return err;
		}
		if (str_eq(name, "qtest"))
			return qtest_options(s, kv, e);
		if (last && choice_find(others, name) >= 0)
			return error_ret(e, -ENOTSUP,
					 "-accel %s: %s is not built yet; -accel tcg works on "
					 "every host",
					 name, name);
		if (last)
			return error_ret(e, -EINVAL,
					 "-accel %s: invalid accelerator; -accel help lists them",
					 name);
		fprintf(stderr, "%s: -accel %s: %s: trying the next one\n", s->program, name,
			choice_find(others, name) >= 0 ? "not built yet" : "invalid accelerator");
	}
	return 0;
}

/* ---- the machine's settings */

/* Keys that every machine of QEMU has, for which there is nothing to do here. */
static const struct {
	const char *key, *why;
} everywhere[] = {
	{ "kernel-irqchip", "only KVM has an interrupt controller in the host's kernel" },
	{ "kernel_irqchip", "only KVM has an interrupt controller in the host's kernel" },
	{ "suppress-vmdesc", "there is no description in the stream" },
	{ "usb", NULL },
	{ "graphics", NULL },
};

/* Keys that are not the board's. */
static const char machine_keys[] =
	"type|kernel-decompress|kaslr|memory-backend|mem-merge|dump-guest-core";

static bool board_knows(const struct board *b, const char *key)
{
	for (const struct board_option *o = b->options; o && o->name; o++)
		if (str_eq(o->name, key))
			return true;
	return false;
}

/* Is it one that can be left out of what the board checks? */
static bool drop_setting(const struct board *b, const char *key, const char *value)
{
	for (size_t i = 0; i < ARRAY_SIZE(everywhere); i++) {
		if (!str_eq(everywhere[i].key, key) || board_knows(b, key))
			continue;
		if (everywhere[i].why)
			warn("-machine %s=%s has no effect: %s", key, value, everywhere[i].why);
		else if (str_eq(value, "on"))
			warn("-machine %s=on has no effect: it is not built yet", key);
		return true;
	}
	return false;
}

static int machine_settings(struct run *r, struct settings *s, struct error *e)
{
	const char *value, *rest;
	int err = 0;

	keyvals_merge(&r->board_keys, &s->machine);
	value = keyvals_get(&r->board_keys, "kernel-decompress");
	if (value)
		err = boot_decompress_parse(value, &r->boot.decompress, e);
	if (!err)
		err = keyvals_bool(&r->board_keys, "kaslr", &r->boot.kaslr, e);
	if (err)
		return err;
	for (size_t i = 0; i < r->board_keys.n; i++) {
		struct keyval *kv = &r->board_keys.at[i];
		struct board_setting set = { kv->key, kv->value };

		if (kv->bare && !board_knows(r->board, set.key) &&
		    str_prefix(set.key, "no", &rest) && board_knows(r->board, rest))
			set = (struct board_setting){ rest, "off" };
		if (choice_find(machine_keys, set.key) < 0 &&
		    !drop_setting(r->board, set.key, set.value))
			vec_push(&r->board_settings, set);
	}
	r->config.settings = r->board_settings.at;
	r->config.nsettings = r->board_settings.n;
	return 0;
}

static int find_board(struct run *r, struct settings *s, struct error *e)
{
	const char *type = keyvals_get(&s->machine, "type");

	r->board = type ? board_find(type) : board_default(s->isa);
	if (!r->board && type)
		return error_ret(e, -EINVAL,
				 "-machine %s: unsupported machine type; -machine help lists them",
				 type);
	if (!r->board)
		return error_ret(e, -EINVAL, "there is no machine for %s", s->isa);
	r->config.ram_size = s->ram_size; /* 0: memory_make decides */
	r->config.cpus = s->smp.cpus ? s->smp.cpus : 1;
	/* places without a CPU are part of the topology */
	r->config.max_cpus = s->smp.max_cpus ? s->smp.max_cpus : r->config.cpus;
	r->config.sockets = s->smp.sockets;
	r->config.dies = s->smp.dies;
	r->config.cores = s->smp.cores;
	r->config.threads = s->smp.threads;
	if (r->config.cpus > r->board->max_cpus)
		return error_ret(e, -ERANGE, "invalid SMP CPUs %u: the most of machine '%s' is %u",
				 r->config.cpus, r->board->name, r->board->max_cpus);
	r->config.cpu_model = s->cpu ? s->cpu : s->default_cpu;
	return machine_settings(r, s, e);
}

/* ---- boot */

static int boot_settings(struct run *r, struct settings *s, struct error *e)
{
	int err = 0;

	r->boot.kernel = s->kernel;
	r->boot.append = s->append;
	r->boot.dtb = s->dtb;
	r->boot.initrd = s->initrd;
	r->boot.boot_order = s->boot_order;
	r->boot.boot_menu = s->boot_menu;
	r->boot.boot_menu_ms = s->boot_splash_ms;
	r->boot.reboot_ms = s->boot_reboot_ms;
	for (size_t i = 0; i < s->fw_cfg.n && !err; i++) {
		struct boot_fw_cfg f = { 0 };

		err = boot_fw_cfg_parse(s->fw_cfg.at[i], &f, e);
		if (!err)
			vec_push(&r->fw_cfg, f);
	}
	for (size_t i = 0; i < s->devices.n && !err; i++) {
		struct boot_loader l = { 0 };

		if (!is_loader(&s->devices.at[i]))
			continue;
		err = loader_settings(&l, &s->devices.at[i], e);
		vec_push(&r->loaders, l);
	}
	for (size_t i = 0; i < s->smbios.n && !err; i++)
		err = smbios_parse(&r->smbios, s->smbios.at[i], e);
	if (!err && s->uuid)
		err = smbios_set_uuid(&r->smbios, s->uuid, e);
	r->boot.smbios = &r->smbios;
	r->boot.fw_cfg = r->fw_cfg.at;
	r->boot.nfw_cfg = r->fw_cfg.n;
	r->boot.loader = r->loaders.at;
	r->boot.nloader = r->loaders.n;
	return err ? err : boot_check_options(&r->boot, e);
}

/* A directory or a description is built here; an archive is read by the loader. */
static int make_initrd(struct run *r, const struct settings *s, struct error *e)
{
	struct initrd_opts o = { 0 };

	if (!s->initrd || !initrd_is_source(s->initrd))
		return 0;
	return initrd_build(&r->boot.initrd_data, s->initrd, &o, e);
}

static int load_firmware(struct run *r, const struct settings *s, struct error *e)
{
	int err = firmware_load(&r->firmware, s, e);

	/* Under its own name, firmware alone is started only when asked for: without a disk there
	 * is nothing that it could boot. */
	if (!err && s->native && !s->kernel && !s->bios && !s->drives.n)
		bytes_fini(&r->firmware);
	if (!err && !s->driven && !s->kernel && !r->firmware.size && !r->loaders.n)
		err = error_ret(e, -EINVAL,
				"there is nothing to boot: give a kernel with -kernel FILE or "
				"firmware with -bios FILE");
	r->config.firmware = r->firmware.data;
	r->config.firmware_size = r->firmware.size;
	/* what nobody executes programs no device */
	r->config.direct_boot = !r->firmware.size && !s->driven;
	return err;
}

/* ---- clocks, traces, the process */

static void set_clock(struct machine *m, const struct settings *s)
{
	time_t now = time(NULL);
	struct tm tm;

	if (s->rtc_base == RTC_LOCALTIME) {
		m->clock.wall_local = true;
		m->clock.wall_offset += localtime_r(&now, &tm)->tm_gmtoff * 1000000000ll;
	} else if (s->rtc_base == RTC_DATE) {
		m->clock.wall_offset = s->rtc_date * 1000000000ll;
	}
}

static int set_traces(const struct settings *s, struct error *e)
{
	const char *file = s->trace_file ? s->trace_file : s->log_file;
	int err = 0;

	if (file)
		trace_set_file(file, e);
	if (error_is_set(e))
		return -EIO;
	if (s->lint)
		lint_set(s->lint_stop ? LINT_STOP : LINT_REPORT);
	for (size_t i = 0; i < s->traces.n && !err; i++) {
		const char *glob = s->traces.at[i];

		err = trace_enable(glob + (*glob == '-'), *glob != '-', e);
	}
	return err;
}

static int set_process(const struct settings *s, struct error *e)
{
	if (s->process_name)
		prctl(PR_SET_NAME, s->process_name);
	if (s->mem_lock && mlockall(MCL_CURRENT | MCL_FUTURE) < 0)
		return error_ret(e, -errno, "-overcommit mem-lock=on: %s", strerror(errno));
	return 0;
}

/* ---- all of it */

/* Without a word about the tier, a host for which there is no code generator interprets. */
static int make_engine(struct machine *m, struct settings *s, struct error *e)
{
	struct error why = { 0 };
	int err = 0;

	if (!engine_new(m, &s->engine, &why)) {
		if (!s->tier_given && s->engine.tier) {
			warn("%s; interpreting instead, which is slow", why.text);
			s->engine.tier = 0;
			error_clear(&why);
			engine_new(m, &s->engine, &why);
		}
		if (!m->engine)
			err = error_ret(e, -ENOTSUP, "%s", why.text);
	}
	error_clear(&why);
	for (u32 i = 0; i < m->ncpus && !err; i++)
		err = engine_add_cpu(m->engine, m->cpu[i]);
	return err;
}

static int build(struct run *r, struct settings *s, struct error *e)
{
	int err = choose_accel(s, e);

	if (!err)
		err = find_board(r, s, e);
	if (!err)
		err = boot_settings(r, s, e);
	if (!err)
		err = load_firmware(r, s, e);
	if (!err)
		err = make_initrd(r, s, e);
	if (!err)
		err = set_traces(s, e);
	if (err)
		return err;
	r->m = machine_new();
	guest_init(r->m, s->vmlinux);
	r->m->driven = s->driven;
	r->m->seed = s->seed;
	r->m->seed_set = s->seed_set;
	r->m->actions = s->actions;
	r->m->name = s->name;
	r->m->uuid = s->uuid;
	set_clock(r->m, s);
	globals_set(r->m, s);
	err = consoles_make(&r->consoles, r->m, s, &r->config, e);
	if (!err)
		err = nets_make(r->m, s, e);
	if (!err)
		err = objects_make(r->m, s, e);
	if (!err)
		err = memory_make(&r->memory, r->m, s,
				  keyvals_get(&r->board_keys, "memory-backend"), r->board,
				  &r->config, e);
	if (!err)
		err = board_build(r->m, r->board, &r->config, e);
	if (!err)
		err = memory_advise(r->m, &r->board_keys, e);
	if (!err)
		err = make_engine(r->m, s, e);
	if (s->incoming)
		block_set_inactive(r->m);
	if (!err)
		err = disks_make(r->m, s, e);
	if (!err)
		err = devices_make(r->m, s, e);
	if (!err)
		err = nets_plug(r->m, s, e);
	if (!err)
		err = disks_plug(r->m, s, e);
	if (!err)
		err = faults_arm(r->m, s, e);
	if (!err)
		err = bootindex_paths(r->m, &r->bootindex, &r->boot.nbootindex, e);
	r->boot.bootindex = r->bootindex;
	if (!err)
		err = boot_prepare(r->m, &r->boot, e);
	if (!err)
		err = consoles_monitors(&r->consoles, r->m, e);
	if (!err)
		err = debugger_make(&r->debugger, r->m, s, e);
	if (!err)
		err = consoles_qtest(&r->consoles, r->m, s, e);
	if (!err)
		traces_check(r->m, s);
	return err ? err : set_process(s, e);
}

static void release(struct run *r)
{
	signals_machine(NULL);
	debugger_fini(&r->debugger);
	machine_free(r->m);
	memory_fini(&r->memory);
	boot_release(&r->boot);
	for (unsigned i = 0; i < r->boot.nbootindex; i++)
		free(r->bootindex[i]);
	free(r->bootindex);
	smbios_fini(&r->smbios);
	consoles_fini(&r->consoles);
	for (size_t i = 0; i < r->fw_cfg.n; i++)
		boot_fw_cfg_fini(&r->fw_cfg.at[i]);
	vec_free(&r->fw_cfg);
	vec_free(&r->loaders);
	vec_free(&r->board_settings);
	keyvals_fini(&r->board_keys);
	bytes_fini(&r->firmware);
	bytes_fini(&r->boot.initrd_data);
}

/* -incoming, -loadvm: before the first instruction. */
struct incoming {
	struct machine *m;
	const struct settings *s;
};

static void load_incoming(void *arg)
{
	struct incoming *in = arg;
	struct error e = { 0 };

	if (!migrate_incoming(in->m, in->s->incoming, &e))
		return;
	error_prefix(&e, "-incoming %s", in->s->incoming);
	error_print(&e);
	machine_exit(in->m, 1);
}

int run(struct settings *s)
{
	struct incoming in = { .s = s };
	struct run r = { .boot = { .boot_menu_ms = -1, .reboot_ms = -1 } };
	struct error e = { 0 };
	int status = 1, err = 0;

	if (s->daemonize)
		err = daemon_start(&e);
	signals_start(s->program);
	if (!err)
		err = build(&r, s, &e);
	if (!err && s->pidfile)
		err = pidfile_write(s->pidfile, &e);
	/* when nothing is left to be set up, and somebody still hears why not */
	if (!err)
		err = sandbox_enter(&s->sandbox, &e);
	if (!err && s->daemonize)
		err = daemon_ready(&e);
	if (err) {
		error_print(&e);
	} else {
		if (s->stopped)
			machine_stop(r.m, RUN_PRELAUNCH);
		signals_machine(r.m);
		in.m = r.m;
		if (s->incoming)
			migrate_expect(r.m, !s->stopped);
		if (s->incoming && !str_eq(s->incoming, "defer"))
			machine_post(r.m, load_incoming, &in);
		status = machine_run(r.m);
	}
	release(&r);
	pidfile_remove();
	return status;
}
