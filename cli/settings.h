/* SPDX-License-Identifier: GPL-2.0-or-later */
/* settings.h - what the user asked for, as the options leave it: no machine exists yet. */
#pragma once
#include <quern/types.h>
#include "core/machine.h"
#include "host/sandbox.h"
#include "lib/alloc.h"
#include "lib/keyval.h"

struct texts {
	char **at;
	size_t n, cap;
};
struct keyvals_list {
	struct keyvals *at;
	size_t n, cap;
};

struct smp {
	u32 cpus, max_cpus;
	u32 sockets, dies, cores, threads; /* 0 = not said */
};

enum rtc_base { RTC_UTC, RTC_LOCALTIME, RTC_DATE };

struct settings {
	const char *program;	 /* "quern", or the last part of argv[0] */
	const char *isa;	 /* whose default board and CPU count */
	const char *default_cpu; /* of the personality; NULL = the board's */
	const char *registers;	 /* the instruction set by which debuggers see them; NULL = isa */
	/* started as quern: without a display, -nographic is the default */
	bool native;

	char *kernel, *initrd, *append, *dtb, *bios;
	struct texts firmware_dirs;
	struct texts fw_cfg, smbios;
	char *boot_order;
	bool boot_menu;
	int boot_splash_ms, boot_reboot_ms; /* -1 = not said */

	struct keyvals machine;	    /* -machine: type, accel and the board's own */
	struct keyvals_list accels; /* accel=NAME,...: tried in order */
	bool accels_by_machine;	    /* they come from -machine accel=, which -accel overrides */
	char *cpu;
	u64 ram_size; /* 0 = the board's default */
	struct smp smp;
	bool icount;
	u8 icount_shift;
	struct engine_options engine; /* from the accelerator that was chosen */
	bool tier_given;

	struct keyvals_list devices, globals, objects;
	/* -netdev; -nic and -net in order: key "option" tells them apart */
	struct keyvals_list netdevs, nics;
	bool net_given;
	struct keyvals_list drives, blockdevs;
	bool snapshot;
	struct keyvals_list chardevs, mons;
	struct texts serial; /* specs in order */
	bool nodefaults, nographic, no_display, monitor_given;
	u8 escape; /* the mux key, 1 = Ctrl-a */

	char *incoming; /* -incoming, -loadvm */
	char *name, *process_name, *pidfile, *vmlinux, *log_file, *trace_file, *uuid;
	enum rtc_base rtc_base;
	s64 rtc_date; /* seconds since 1970, for RTC_DATE */
	u64 seed;
	bool seed_set;
	struct machine_actions actions;
	bool stopped, daemonize, mem_lock, mem_prealloc;
	struct sandbox sandbox;
	char *mem_path;
	struct keyvals_list numa;

	struct texts debuggers; /* -gdb DEV */
	char *qtest, *qtest_log;
	bool driven;	     /* -accel qtest */
	struct texts traces; /* globs; a leading '-' disables */
	struct texts faults; /* POINT[,probability=...] */
	bool lint, lint_stop;
};

void settings_init(struct settings *s, const char *argv0);
void settings_fini(struct settings *s);
static inline void texts_add(struct texts *t, const char *s) { vec_push(t, xstrdup(s)); }
