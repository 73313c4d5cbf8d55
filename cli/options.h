/* SPDX-License-Identifier: GPL-2.0-or-later */
/* options.h - the command line: one table of options that parsing, help, suggestions and
 * configuration files read. */
#pragma once
#include "cli/settings.h"
#include "lib/error.h"

enum option_status {
	OPTION_WORKS,
	/* accepted; `note` is printed as a warning, because it has no effect */
	OPTION_NOTED,
	OPTION_REFUSED, /* `note` says why */
};

/* What a handler returns when it has printed all that was asked for. */
enum { OPTION_DONE = 1000 };

struct option_def {
	const char *name; /* without dashes; NULL: `help` is a heading */
	const char *arg;  /* form of the argument, or NULL when there is none */
	const char *help;
	int (*set)(struct settings *s, const struct option_def *o, const char *arg,
		   struct error *e);
	enum option_status status;
	const char *note;
	bool optional; /* the argument may be left out, and else stands behind '=' only */
	u32 off;       /* a member of struct settings, for the general handlers */
};

/* The table ends with {}. */
extern const struct option_def option_table[];

const struct option_def *option_find(const char *name);
/* Applies all of argv[1..]; 0, OPTION_DONE, or -errno with a sentence that names the option. */
int options_parse(struct settings *s, int argc, char **argv, struct error *e) must_check;
int option_apply(struct settings *s, const struct option_def *o, const char *arg,
		 struct error *e) must_check;
/* After all options: what only all together decide (-append without -kernel). */
int options_finish(struct settings *s, struct error *e) must_check;
void options_help(const struct settings *s);
void options_version(const struct settings *s);
/* -readconfig: groups of key = "value" lines. */
int readconfig(struct settings *s, const char *path, struct error *e) must_check;
int readconfig_text(struct settings *s, const char *text, const char *name,
		    struct error *e) must_check;

/* Lists for `-xxx help` (cli/lists.c). */
void list_machines(const struct settings *s);
int list_machine_options(const char *machine, const struct settings *s, struct error *e);
void list_accels(void);
void list_cpus(const struct settings *s);
void list_devices(void);
int list_device(const char *class, struct error *e);
void list_chardevs(void);
void list_traces(void);
void list_faults(void);
void list_objects(void);

/* Handlers; the table is their only user. */
#define OPTION_HANDLER(name) \
	int name(struct settings *s, const struct option_def *o, const char *arg, struct error *e)
OPTION_HANDLER(opt_text); /* a char * at off */
OPTION_HANDLER(opt_flag); /* a bool at off */
OPTION_HANDLER(opt_none); /* only "none" (or "null") is there */
/* opt_machine.c */
OPTION_HANDLER(opt_machine);
OPTION_HANDLER(opt_cpu);
OPTION_HANDLER(opt_accel);
OPTION_HANDLER(opt_enable_kvm);
OPTION_HANDLER(opt_memory);
OPTION_HANDLER(opt_smp);
OPTION_HANDLER(opt_numa); /* memory.c */
OPTION_HANDLER(opt_icount);
OPTION_HANDLER(opt_rtc);
OPTION_HANDLER(opt_boot);
OPTION_HANDLER(opt_action);
OPTION_HANDLER(opt_no_reboot);
OPTION_HANDLER(opt_no_shutdown);
OPTION_HANDLER(opt_watchdog_action);
OPTION_HANDLER(opt_name);
OPTION_HANDLER(opt_uuid);
OPTION_HANDLER(opt_incoming);
OPTION_HANDLER(opt_smbios);
OPTION_HANDLER(opt_seed);
OPTION_HANDLER(opt_overcommit);
/* opt_device.c */
OPTION_HANDLER(opt_device);
OPTION_HANDLER(opt_global);
OPTION_HANDLER(opt_fw_cfg);
OPTION_HANDLER(opt_object);
OPTION_HANDLER(opt_display);
OPTION_HANDLER(opt_audio);
OPTION_HANDLER(opt_log);
OPTION_HANDLER(opt_trace);
OPTION_HANDLER(opt_usb);
OPTION_HANDLER(opt_fault);
OPTION_HANDLER(opt_lint);
/* opt_drive.c */
OPTION_HANDLER(opt_drive);
OPTION_HANDLER(opt_blockdev);
OPTION_HANDLER(opt_hd);
OPTION_HANDLER(opt_cdrom);
/* opt_net.c */
OPTION_HANDLER(opt_netdev);
OPTION_HANDLER(opt_net);
void opt_net_default(struct settings *s);
/* opt_console.c */
OPTION_HANDLER(opt_chardev);
OPTION_HANDLER(opt_serial);
OPTION_HANDLER(opt_monitor);
OPTION_HANDLER(opt_qmp);
OPTION_HANDLER(opt_qmp_pretty);
OPTION_HANDLER(opt_mon);
OPTION_HANDLER(opt_echr);
OPTION_HANDLER(opt_debugcon);
OPTION_HANDLER(opt_gdb);
OPTION_HANDLER(opt_qtest);
/* options.c */
OPTION_HANDLER(opt_help);
OPTION_HANDLER(opt_version);
OPTION_HANDLER(opt_readconfig);
OPTION_HANDLER(opt_sandbox);
OPTION_HANDLER(opt_firmware_dir);

/* One item of -d into the settings; the list of them. */
int log_item(struct settings *s, const char *name, struct error *e) must_check;
void log_help(void (*line)(void *arg, const char *text), void *arg);
