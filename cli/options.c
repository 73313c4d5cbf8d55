/* SPDX-License-Identifier: GPL-2.0-or-later */
/* options.c - the table of all options and what reads it: parsing, suggestions, help. Names and
 * forms are QEMU 10.2's. */
#include "cli/options.h"
#include "cli/firmware.h"
#include "core/compat.h"
#include "lib/str.h"
#include <errno.h>
#include <stdio.h>

#define HEADING(text) \
	{ \
		.help = text \
	}
#define OPT(name_, arg_, help_, set_, ...) \
	{ \
		.name = name_, .arg = arg_, .help = help_, .set = set_, __VA_ARGS__ \
	}
#define AT(m) .off = offsetof(struct settings, m)
#define REFUSED(name_, arg_, help_, why) \
	{ \
		.name = name_, .arg = arg_, .help = help_, .status = OPTION_REFUSED, .note = why \
	}
#define NOTED(name_, arg_, help_, why) \
	{ \
		.name = name_, .arg = arg_, .help = help_, .status = OPTION_NOTED, .note = why \
	}

#define NO_SHARES    "file sharing is not built yet"
#define NO_DISPLAY   "graphical displays are not built yet"
#define NO_SNAPSHOTS "snapshots and migration are not built yet"
#define OTHER_GUEST  "it belongs to guests that are not built yet"

/* clang-format off */
const struct option_def option_table[] = {
	HEADING("Information"),
	OPT("help", NULL, "this text", opt_help),
	OPT("h", NULL, "the same", opt_help),
	OPT("version", NULL, "the version", opt_version),

	HEADING("Kernel and firmware"),
	OPT("kernel", "FILE", "kernel to boot: bzImage, ELF vmlinux or multiboot", opt_text, AT(kernel)),
	OPT("initrd", "FILE", "initial RAM disk; also a gen_init_cpio description or a directory; multiboot modules", opt_text, AT(initrd)),
	OPT("append", "TEXT", "kernel command line", opt_text, AT(append)),
	OPT("dtb", "FILE", "device tree for the kernel", opt_text, AT(dtb)),
	OPT("bios", "FILE|none|default", "firmware image, searched for in the -L directories", opt_text, AT(bios)),
	OPT("L", "DIR", "directory to search for firmware (repeatable; help lists them)", opt_firmware_dir),
	OPT("fw_cfg", "[name=]NAME,file=FILE|string=TEXT", "adds an entry to fw_cfg", opt_fw_cfg),
	OPT("boot", "[order=]DRIVES[,once=DRIVES][,menu=on|off][,strict=on|off]", "boot order of firmware", opt_boot),
	REFUSED("pflash", "FILE", "flash image", "parallel flash is not built yet; -bios FILE works"),
	REFUSED("acpitable", "[sig=TEXT,...]data=FILE", "adds an ACPI table", "user ACPI tables are not built yet"),
	OPT("smbios", "file=FILE|type=N[,KEY=VALUE...]", "SMBIOS data", opt_smbios),
	REFUSED("option-rom", "FILE", "option ROM", "option ROMs are not built yet"),
	REFUSED("shim", "FILE", "EFI shim", "booting through an EFI shim is not built yet"),

	HEADING("Machine"),
	OPT("machine", "[type=]NAME[,KEY=VALUE...]", "kind of machine and its settings (help lists them); repeated ones add up", opt_machine),
	OPT("M", "[type=]NAME[,KEY=VALUE...]", "the same", opt_machine),
	OPT("cpu", "MODEL[,+F][,-F][,F=on|off]", "CPU model and features (help lists them)", opt_cpu),
	OPT("accel", "NAME[,KEY=VALUE...]", "how to execute, tried in order: tcg[,tier=0|1][,tb-size=MB][,one-insn-per-tb=on], t0", opt_accel),
	OPT("enable-kvm", NULL, "the same as -accel kvm", opt_enable_kvm),
	OPT("m", "[size=]SIZE[,slots=N][,maxmem=SIZE]", "memory, in MiB or with a suffix K, M, G, T (default 128M)", opt_memory),
	OPT("smp", "[cpus=]N[,maxcpus=N][,sockets=N][,dies=N][,clusters=N][,cores=N][,threads=N]", "CPUs and their topology", opt_smp),
	OPT("device", "NAME[,id=ID][,KEY=VALUE...]", "adds a device (help lists them; NAME,help its settings; ./x.so loads one)", opt_device),
	OPT("global", "NAME.KEY=VALUE", "default of a device's setting", opt_global),
	OPT("uuid", "UUID", "the machine's UUID", opt_uuid),
	OPT("name", "[guest=]NAME[,process=NAME][,debug-threads=on|off]", "the machine's name; name of the process", opt_name),
	OPT("rtc", "[base=utc|localtime|DATE][,clock=host|rt|vm][,driftfix=none|slew]", "real-time clock", opt_rtc),
	OPT("icount", "[shift=]N", "guest time follows executed instructions, 2^N ns each", opt_icount),
	OPT("seed", "N", "all randomness that the guest sees comes from this number", opt_seed),
	OPT("overcommit", "[mem-lock=on|off][,cpu-pm=on|off]", "lock the guest's memory into the host's", opt_overcommit),
	OPT("nodefaults", NULL, "no default serial port, monitor and display", opt_flag, AT(nodefaults)),
	NOTED("no-user-config", NULL, "no configuration files of the user", NULL),
	NOTED("nouserconfig", NULL, "the same", NULL),
	OPT("numa", "node[,mem=SIZE|memdev=ID][,cpus=N[-M]][,nodeid=N]\ndist,src=N,dst=N,val=N\ncpu,node-id=N[,socket-id=N][,core-id=N][,thread-id=N]",
	    "memory nodes, which CPUs are near them, how far they are from each other", opt_numa),
	OPT("object", "TYPE,id=ID[,KEY=VALUE...]", "adds an object (help lists them)", opt_object),
	OPT("mem-path", "FILE", "the guest's memory from a file, or from one without a name in a directory", opt_text, AT(mem_path)),
	OPT("mem-prealloc", NULL, "take all of the guest's memory at start", opt_flag, AT(mem_prealloc)),
	OPT("usb", NULL, "USB host controller", opt_usb),
	REFUSED("usbdevice", "NAME", "USB device", "USB is not built yet"),
	REFUSED("set", "GROUP.ID.KEY=VALUE", "changes an earlier option", "-set is not built yet; give the value with the option itself"),
	OPT("readconfig", "FILE", "options from a configuration file", opt_readconfig),
	REFUSED("writeconfig", "FILE", "options into a configuration file", "writing configuration files is not built yet"),
	REFUSED("semihosting", NULL, "semihosting", OTHER_GUEST),
	REFUSED("semihosting-config", "KEY=VALUE...", "semihosting", OTHER_GUEST),
	REFUSED("prom-env", "VARIABLE=VALUE", "Open Firmware variable", OTHER_GUEST),
	REFUSED("old-param", NULL, "old ARM boot parameters", OTHER_GUEST),

	HEADING("Console"),
	OPT("nographic", NULL, "no window; first serial port on standard input and output, with Ctrl-a keys", opt_flag, AT(nographic)),
	OPT("serial", "DEV", "serial port: stdio, mon:stdio, none, null, pty[:LINK], file:PATH, pipe:PATH, /dev/TTY,\n"
	    "tcp:HOST:PORT[,server=on][,wait=off], telnet:..., udp:..., unix:PATH[,...], chardev:ID", opt_serial),
	OPT("chardev", "BACKEND,id=ID[,KEY=VALUE...][,mux=on][,logfile=FILE][,logappend=on]", "adds a character back end (help lists them)",
	    opt_chardev),
	OPT("echr", "N", "the key of the multiplexer, 1 is Ctrl-a", opt_echr),
	OPT("parallel", "none", "parallel port", opt_none, .note = "parallel ports are not built yet; -parallel none works"),
	OPT("monitor", "DEV|none", "human monitor, as -serial's DEV", opt_monitor),
	OPT("mon", "[chardev=]ID[,mode=readline|control][,pretty=on|off]", "monitor on a character back end", opt_mon),
	OPT("qmp", "DEV", "machine-readable monitor (QMP)", opt_qmp),
	OPT("qmp-pretty", "DEV", "machine-readable monitor, indented", opt_qmp_pretty),
	OPT("debugcon", "DEV", "debug console at port 0xe9", opt_debugcon),
	OPT("display", "none", "display", opt_display),
	OPT("vga", "none", "graphics card", opt_none, .note = "graphics cards are not built yet; -vga none works"),
	REFUSED("vnc", "DISPLAY", "VNC server", NO_DISPLAY),
	REFUSED("spice", "KEY=VALUE...", "SPICE server", NO_DISPLAY),
	REFUSED("full-screen", NULL, "full-screen display", NO_DISPLAY),
	REFUSED("g", "WxH[xD]", "display size", NO_DISPLAY),
	REFUSED("k", "LANGUAGE", "keyboard layout", NO_DISPLAY),
	REFUSED("virtioserial", "DEV", "virtio console", "use -device virtio-serial -device virtconsole,chardev=ID"),
	NOTED("msg", "timestamp=on|off,guest-name=on|off", "form of messages", "messages have one form"),

	HEADING("Disks and files"),
	OPT("drive", "file=FILE[,if=ide|virtio|none][,format=raw][,index=N][,bus=N][,unit=N][,media=disk|cdrom][,id=ID]\n"
	    "[,cache=none|writeback|writethrough|directsync|unsafe][,aio=threads|native|io_uring][,readonly=on][,snapshot=on]\n"
	    "[,discard=ignore|unmap][,detect-zeroes=off|on|unmap][,rerror=...][,werror=...]", "disk image", opt_drive),
	OPT("blockdev", "[driver=]D,node-name=N[,KEY=VALUE...]", "block node, for drive=N of a device (help lists drivers)", opt_blockdev),
	OPT("hda", "FILE", "disk image 0", opt_hd),
	OPT("hdb", "FILE", "disk image 1", opt_hd),
	OPT("hdc", "FILE", "disk image 2", opt_hd),
	OPT("hdd", "FILE", "disk image 3", opt_hd),
	OPT("cdrom", "FILE", "CD-ROM image, the same as image 2", opt_cdrom),
	REFUSED("fda", "FILE", "floppy image 0", "floppy disks are not built yet"),
	REFUSED("fdb", "FILE", "floppy image 1", "floppy disks are not built yet"),
	REFUSED("sd", "FILE", "SD card image", "SD cards are not built yet"),
	REFUSED("mtdblock", "FILE", "flash image", "flash memory is not built yet"),
	OPT("snapshot", NULL, "writes to disk images go to temporary files", opt_flag, AT(snapshot)),
	REFUSED("fsdev", "TYPE,id=ID,path=DIR...", "directory to share", NO_SHARES),
	REFUSED("virtfs", "TYPE,path=DIR,mount_tag=TAG...", "directory shared over 9p", NO_SHARES),
	REFUSED("iscsi", "KEY=VALUE...", "iSCSI session", "iSCSI is not built yet"),

	HEADING("Network and other devices"),
	OPT("netdev", "TYPE,id=ID...", "network back end (help lists them)", opt_netdev),
	OPT("net", "nic|TYPE[,...]|none", "network card or back end, all at one hub", opt_net),
	OPT("nic", "TYPE[,model=CARD][,mac=ADDRESS][,...]|none", "network card with its back end", opt_net),
	OPT("audiodev", "none,id=ID", "audio back end", opt_audio),
	OPT("audio", "none", "audio back end with its card", opt_audio),
	REFUSED("tpmdev", "TYPE,id=ID...", "TPM back end", "TPM devices are not built yet"),
	REFUSED("add-fd", "fd=N,set=N", "passes a descriptor", "descriptor sets are not built yet"),

	HEADING("Running"),
	OPT("S", NULL, "do not start the CPUs", opt_flag, AT(stopped)),
	OPT("no-reboot", NULL, "exit instead of resetting", opt_no_reboot),
	OPT("no-shutdown", NULL, "stop instead of exiting at power-off", opt_no_shutdown),
	OPT("action", "[reboot=reset|shutdown][,shutdown=poweroff|pause][,panic=pause|shutdown|exit-failure|none]\n"
	    "[,watchdog=reset|shutdown|poweroff|inject-nmi|pause|debug|none]", "what events of the guest lead to", opt_action),
	OPT("watchdog-action", "ACTION", "the same as -action watchdog=ACTION", opt_watchdog_action),
	OPT("daemonize", NULL, "go into the background once the machine is built", opt_flag, AT(daemonize)),
	OPT("pidfile", "FILE", "write the process identifier", opt_text, AT(pidfile)),
	REFUSED("run-with", "KEY=VALUE...", "chroot, user, ...", "-run-with is not built yet"),
	REFUSED("preconfig", NULL, "wait before the machine is built", "building the machine step by step is not built yet"),
	OPT("sandbox", "on|off[,obsolete=allow|deny][,elevateprivileges=allow|deny|children][,spawn=allow|deny]\n"
	    "[,resourcecontrol=allow|deny]", "forbid system calls", opt_sandbox),
	OPT("incoming", "tcp:HOST:PORT|unix:PATH|file:PATH[,offset=N]|exec:COMMAND|fd:N|defer", "start as the machine that was written there", opt_incoming),
	OPT("loadvm", "FILE", "the same, from a file that savevm wrote", opt_incoming),
	NOTED("only-migratable", NULL, "refuse what cannot migrate", "every device can"),
	REFUSED("compat", "KEY=VALUE...", "policy for deprecated interfaces", "-compat is not built yet"),
	REFUSED("dump-vmstate", "FILE", "describe the state of devices", NO_SNAPSHOTS),

	HEADING("Debugging"),
	OPT("s", NULL, "the same as -gdb tcp::1234", opt_gdb),
	OPT("gdb", "DEV", "debuggers connect there: tcp:[HOST]:PORT, unix:PATH,server=on,wait=off, chardev:ID, stdio, pty, none", opt_gdb),
	OPT("d", "ITEM[,ITEM...]", "log: guest_errors, unimp, trace:GLOB (help lists them)", opt_log),
	OPT("D", "FILE", "log and traces go to a file", opt_text, AT(log_file)),
	REFUSED("dfilter", "RANGE[,...]", "log only code in these addresses", "filtering the log by addresses is not built yet"),
	OPT("trace", "[enable=]GLOB[,events=FILE][,file=FILE]", "switches trace points on (help lists them)", opt_trace),
	OPT("fault", "ID.POINT[,probability=PERCENT][,interval=N][,times=N][,action=NAME][,value=N][,mask=N][,flip=N][,delay=TIME]", "makes something fail (help lists the points)", opt_fault),
	OPT("vmlinux", "FILE", "the guest kernel's ELF file: symbols and types that its memory lacks, and what debuggers get", opt_text, AT(vmlinux)),
	OPT("lint", "report|stop", "tells what a guest does wrong with a device; stop: and stops there", opt_lint, .optional = true),
	REFUSED("plugin", "FILE[,KEY=VALUE...]", "loads an instrumentation plugin", "plugins are not built yet"),
	REFUSED("perfmap", NULL, "write a map for perf", "perf maps are not built yet"),
	REFUSED("jitdump", NULL, "write a jitdump for perf", "jitdumps are not built yet"),
	OPT("qtest", "DEV", "a test drives the devices from there, with -accel qtest instead of the CPUs", opt_qtest),
	OPT("qtest-log", "FILE|none", "its requests and replies go to a file instead of standard error", opt_text, AT(qtest_log)),
	NOTED("enable-sync-profile", NULL, "profile locks", "there are no locks to profile"),
	{}
};
/* clang-format on */

/* ---- general handlers */

static void *member(struct settings *s, const struct option_def *o) { return (char *)s + o->off; }

OPTION_HANDLER(opt_text)
{
	char **at = member(s, o);

	free(*at);
	*at = xstrdup(arg);
	return 0;
}

OPTION_HANDLER(opt_firmware_dir)
{
	if (str_eq(arg, "help") || str_eq(arg, "?")) {
		firmware_list_dirs(s);
		return OPTION_DONE;
	}
	texts_add(&s->firmware_dirs, arg);
	return 0;
}

OPTION_HANDLER(opt_flag)
{
	*(bool *)member(s, o) = true;
	return 0;
}

OPTION_HANDLER(opt_none)
{
	if (str_eq(arg, "none") || str_eq(arg, "null"))
		return 0;
	return error_ret(e, -ENOTSUP, "%s", o->note);
}

OPTION_HANDLER(opt_sandbox)
{
	enum { ALLOW, DENY, CHILDREN };
	unsigned obsolete = DENY, privileges = ALLOW, spawn = ALLOW, resources = ALLOW;
	struct keyvals kv = { 0 };
	bool on = false;
	int err = keyvals_parse(&kv, arg, "enable", e);

	if (!err)
		err = keyvals_bool(&kv, "enable", &on, e);
	if (!err)
		err = keyvals_choice(&kv, "obsolete", "allow|deny", &obsolete, e);
	if (!err)
		err = keyvals_choice(&kv, "elevateprivileges", "allow|deny|children", &privileges,
				     e);
	if (!err)
		err = keyvals_choice(&kv, "spawn", "allow|deny", &spawn, e);
	if (!err)
		err = keyvals_choice(&kv, "resourcecontrol", "allow|deny", &resources, e);
	if (!err)
		err = keyvals_all_used(&kv,
				       "enable|obsolete|elevateprivileges|spawn|resourcecontrol",
				       e);
	keyvals_fini(&kv);
	s->sandbox = (struct sandbox){ .on = on,
				       .obsolete = obsolete == DENY,
				       .privileges = privileges == DENY,
				       .children = privileges == CHILDREN,
				       .spawn = spawn == DENY,
				       .resources = resources == DENY };
	return err;
}

OPTION_HANDLER(opt_readconfig) { return readconfig(s, arg, e); }

OPTION_HANDLER(opt_version)
{
	options_version(s);
	return OPTION_DONE;
}

OPTION_HANDLER(opt_help)
{
	options_help(s);
	return OPTION_DONE;
}

/* ---- finding and applying */

const struct option_def *option_find(const char *name)
{
	const struct option_def *o;

	for (o = option_table; o->name || o->help; o++)
		if (o->name && str_eq(o->name, name))
			return o;
	return NULL;
}

static int unknown(const char *word, const char *name, struct error *e)
{
	struct strbuf names = { 0 };
	char near[64];
	bool found;

	for (const struct option_def *o = option_table; o->name || o->help; o++)
		if (o->name)
			strbuf_printf(&names, "%s%s", names.n ? "|" : "", o->name);
	found = choice_near(strbuf_str(&names), name, near, sizeof(near));
	strbuf_fini(&names);
	if (found)
		return error_ret(e, -EINVAL, "%s: invalid option, did you mean '-%s'?", word, near);
	return error_ret(e, -EINVAL, "%s: invalid option, -help lists all", word);
}

int option_apply(struct settings *s, const struct option_def *o, const char *arg, struct error *e)
{
	const char *space = arg ? " " : "";
	int err = 0;

	if (o->status == OPTION_REFUSED)
		err = error_ret(e, -ENOTSUP, "%s", o->note);
	else if (o->status == OPTION_NOTED && o->note)
		warn("-%s%s%s has no effect: %s", o->name, space, arg ? arg : "", o->note);
	else if (o->set)
		err = o->set(s, o, arg, e);
	if (err < 0)
		error_prefix(e, "-%s%s%s", o->name, space, arg ? arg : "");
	return err;
}

/* One option at argv[i]: `-name`, `-name argument`, or `-name=argument`. Returns how many words it
 * took. */
static int parse_one(struct settings *s, int left, char **argv, struct error *e)
{
	const char *word = argv[0], *name = word + 1, *arg = NULL;
	const struct option_def *o;
	int err;

	/* an image alone is disk 0 */
	if (*word != '-') {
		err = option_apply(s, option_find("hda"), word, e);
		return err ? err : 1;
	}
	if (!word[1])
		return error_ret(e, -EINVAL, "'-' is no option, -help lists all");
	name += *name == '-';
	AUTO_FREE char *stem = xstrndup(name, strcspn(name, "="));

	o = option_find(stem);
	if (name[strlen(stem)] == '=')
		arg = name + strlen(stem) + 1;
	if (!o)
		return unknown(word, stem, e);
	if (!o->arg && arg)
		return error_ret(e, -EINVAL, "%s: -%s has no argument", word, o->name);
	if (!o->arg || arg || o->optional) {
		err = option_apply(s, o, arg, e);
		return err ? err : 1;
	}
	if (left < 2)
		return error_ret(e, -EINVAL, "%s: an argument is missing: %s", word, o->arg);
	err = option_apply(s, o, argv[1], e);
	return err ? err : 2;
}

int options_parse(struct settings *s, int argc, char **argv, struct error *e)
{
	for (int i = 1; i < argc;) {
		int n = parse_one(s, argc - i, argv + i, e);

		if (n < 0 || n == OPTION_DONE)
			return n;
		i += n;
	}
	return 0;
}

int options_finish(struct settings *s, struct error *e)
{
	if (s->initrd && !s->kernel)
		return error_ret(e, -EINVAL, "-initrd only allowed with -kernel option");
	if (s->append && !s->kernel)
		return error_ret(e, -EINVAL, "-append only allowed with -kernel option");
	if (s->dtb && !s->kernel)
		return error_ret(e, -EINVAL, "-dtb only allowed with -kernel option");
	if (s->native && !s->no_display && !s->nodefaults && !s->serial.n)
		s->nographic = true;
	if (!s->native && !s->nographic && !s->no_display && !s->nodefaults && !s->serial.n)
		warn("graphical displays are not built yet, and nothing shows the serial port: "
		     "-nographic or -serial stdio does");
	opt_net_default(s);
	if (s->nographic && s->daemonize)
		return error_ret(e, -EINVAL,
				 "-nographic cannot be used with -daemonize: use -display none");
	return 0;
}

/* ---- texts about it all */

void options_version(const struct settings *s)
{
	/* Clients look for "QEMU emulator version N.N" in the first line. */
	if (s->native)
		printf("Quern %s, compatible with QEMU emulator version %s\n", QUERN_VERSION,
		       QEMU_TEXT);
	else
		printf("QEMU emulator version %s (Quern %s)\n", QEMU_TEXT, QUERN_VERSION);
	printf("Free software under the GNU General Public License, version 2 or later; there is "
	       "no warranty\n");
}

static void print_wrapped(const char *text, const char *indent)
{
	for (const char *p = text; *p; p++) {
		putchar(*p);
		if (*p == '\n')
			fputs(indent, stdout);
	}
}

static void print_option(const struct option_def *o)
{
	static const char indent[] = "                ";
	int n = printf("  -%s", o->name);

	if (o->arg) {
		n += 1 + strlen(o->arg);
		fputs(o->optional ? "[=" : " ", stdout);
		print_wrapped(o->arg, "      ");
		fputs(o->optional ? "]" : "", stdout);
	}
	if (n < 15)
		printf("%*s", 16 - n, "");
	else
		printf("\n%s", indent);
	print_wrapped(o->help, indent);
	if (o->status == OPTION_REFUSED)
		printf("\n%s(refused: %s)", indent, o->note);
	else if (o->status == OPTION_NOTED && o->note)
		printf("\n%s(no effect: %s)", indent, o->note);
	putchar('\n');
}

void options_help(const struct settings *s)
{
	options_version(s);
	printf("\nusage: %s [OPTION...]\n", s->program);
	if (s->native)
		printf("       quern initramfs ...      builds an initramfs (quern initramfs "
		       "--help)\n"
		       "       quern doc [DEVICE]       the manual page of a device; without a "
		       "name, lists them\n"
		       "       quern doc --monitor      the commands of the monitors\n"
		       "       quern --cflags           compiler flags for a device of your own\n");
	printf("\nExample: %s -kernel bzImage -initrd initramfs.img -append \"console=ttyS0\" "
	       "-nographic\n"
	       "Options may be written with one dash or two. In KEY=VALUE lists ,, stands for a "
	       "comma, FLAG for FLAG=on, noFLAG for FLAG=off.\n"
	       "What is not built yet is refused with a sentence that says so.\n",
	       s->program);
	for (const struct option_def *o = option_table; o->name || o->help; o++) {
		if (o->name)
			print_option(o);
		else
			printf("\n%s:\n", o->help);
	}
	printf("\nWith -nographic and mon: the key Ctrl-a is a prefix: Ctrl-a h lists what follows "
	       "it, Ctrl-a x exits.\n");
}
