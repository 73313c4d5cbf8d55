/* SPDX-License-Identifier: GPL-2.0-or-later */
/* options_test.c - the option table, every kind of argument, and the command lines of the tools
 * that drive emulators. */
#include "cli/options.h"
#include "lib/str.h"
#include "lib/test.h"
#include <errno.h>
#include <stdio.h>
#include <unistd.h>

enum { WORDS = 64 };

/* Splits at blanks; '...' keeps blanks. words[0] is the program. */
static int split(char *line, char **words)
{
	int n = 0;

	while (*line) {
		char *end;

		line += strspn(line, " ");
		if (!*line)
			break;
		CHECK(n < WORDS);
		end = *line == '\'' ? strchr(line + 1, '\'') : strpbrk(line, " ");
		words[n++] = line + (*line == '\'');
		if (!end)
			break;
		*end = 0;
		line = end + 1;
	}
	return n;
}

static int try_parse(struct settings *s, const char *text, struct error *e)
{
	char *words[WORDS];
	char *line = xstrdup(text);
	int n = split(line, words), err;

	settings_init(s, words[0]);
	err = options_parse(s, n, words, e);
	if (!err)
		err = options_finish(s, e);
	free(line);
	return err;
}

static struct settings parse(const char *text)
{
	struct error e = { 0 };
	struct settings s;

	if (try_parse(&s, text, &e))
		test_fail(__FILE__, __LINE__, "'%s': %s", text, e.text ? e.text : "?");
	return s;
}

/* The sentence holds `want`. */
static void refuses(const char *text, const char *want)
{
	struct error e = { 0 };
	struct settings s;
	int err = try_parse(&s, text, &e);

	if (err >= 0 || !e.text || !strstr(e.text, want) || strchr(e.text, '\n'))
		test_fail(__FILE__, __LINE__, "'%s': %d '%s', expected '%s'", text, err,
			  e.text ? e.text : "(none)", want);
	error_clear(&e);
	settings_fini(&s);
}

TEST(options_table_is_sound)
{
	char known[8192] = "";

	for (const struct option_def *o = option_table; o->name || o->help; o++) {
		CHECK(o->help && *o->help);
		if (!o->name)
			continue;
		CHECK(choice_find(*known ? known : "|", o->name) < 0);
		strcat(strcat(known, *known ? "|" : ""), o->name);
		CHECK(*o->name != '-');
		CHECK(o->status == OPTION_WORKS ? o->set != NULL : o->set == NULL);
		CHECK(o->status != OPTION_REFUSED || o->note);
		CHECK(option_find(o->name) == o);
	}
	CHECK(!option_find("nosuch"));
}

TEST(options_union_of_clients_is_there)
{
	static const char *const names[] = { "M",
					     "machine",
					     "accel",
					     "enable-kvm",
					     "cpu",
					     "smp",
					     "m",
					     "numa",
					     "object",
					     "global",
					     "name",
					     "uuid",
					     "rtc",
					     "icount",
					     "overcommit",
					     "kernel",
					     "initrd",
					     "append",
					     "dtb",
					     "bios",
					     "pflash",
					     "L",
					     "fw_cfg",
					     "nodefaults",
					     "nographic",
					     "display",
					     "vga",
					     "serial",
					     "parallel",
					     "monitor",
					     "qmp",
					     "mon",
					     "chardev",
					     "echr",
					     "drive",
					     "blockdev",
					     "hda",
					     "hdb",
					     "hdc",
					     "hdd",
					     "cdrom",
					     "sd",
					     "snapshot",
					     "device",
					     "fsdev",
					     "virtfs",
					     "netdev",
					     "net",
					     "nic",
					     "tpmdev",
					     "audiodev",
					     "usb",
					     "gdb",
					     "s",
					     "S",
					     "no-reboot",
					     "no-shutdown",
					     "action",
					     "watchdog-action",
					     "daemonize",
					     "pidfile",
					     "d",
					     "D",
					     "trace",
					     "plugin",
					     "seed",
					     "boot",
					     "readconfig",
					     "version",
					     "help",
					     "dfilter",
					     "smbios",
					     "preconfig",
					     "sandbox",
					     "msg" };

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (!option_find(names[i]))
			test_fail(__FILE__, __LINE__, "-%s is missing", names[i]);
}

TEST(options_dashes_and_mistakes)
{
	struct settings s = parse("quern --kernel K --append 'a b' -no-reboot --no-shutdown");

	CHECK_STR(s.kernel, "K");
	CHECK_STR(s.append, "a b");
	CHECK_EQ(s.actions.reboot, ACTION_SHUTDOWN);
	CHECK_EQ(s.actions.shutdown, ACTION_PAUSE);
	settings_fini(&s);
	refuses("quern -kernle K", "-kernle: invalid option, did you mean '-kernel'?");
	refuses("quern --apend K", "did you mean '-append'?");
	refuses("quern -zzzzz", "-zzzzz: invalid option");
	refuses("quern ---kernel", "invalid option");
	refuses("quern -kernel", "-kernel: an argument is missing");
	refuses("quern -", "'-' is no option");
	refuses("quern -append x", "-append only allowed with -kernel option");
	refuses("quern -initrd x", "-initrd only allowed with -kernel option");
	refuses("quern -fda x", "-fda x: floppy disks are not built yet");
}

TEST(options_with_equal_signs)
{
	struct settings s =
		parse("quern --kernel=K --append=a=b -lint -fault crc0.stuck,times=1 --lint=stop");

	CHECK_STR(s.kernel, "K");
	CHECK_STR(s.append, "a=b");
	CHECK(s.lint && s.lint_stop);
	CHECK_EQ(s.faults.n, 1);
	settings_fini(&s);
	s = parse("quern -lint -S");
	CHECK(s.lint && !s.lint_stop && s.stopped);
	settings_fini(&s);
	refuses("quern --nographic=on", "-nographic has no argument");
	refuses("quern --lint=maybe", "report or stop");
	refuses("quern --=x", "invalid option");
}

TEST(options_personality)
{
	struct settings s = parse("/usr/bin/qemu-system-i386 -kernel K");

	CHECK(!s.native && !s.nographic);
	CHECK_STR(s.default_cpu, "qemu32");
	settings_fini(&s);
	s = parse("./quern -kernel K");
	CHECK(s.native && s.nographic);
	settings_fini(&s);
	s = parse("quern -kernel K -display none");
	CHECK(!s.nographic);
	settings_fini(&s);
	s = parse("quern -kernel K -serial null");
	CHECK(!s.nographic);
	settings_fini(&s);
	refuses("quern -nographic -daemonize", "-nographic cannot be used with -daemonize");
}

TEST(options_machine)
{
	struct settings s =
		parse("quern -machine accel=kvm:tcg -M q35,pit=off,hpet=on -machine hpet=off,acpi");

	CHECK_STR(keyvals_get(&s.machine, "type"), "q35");
	CHECK_STR(keyvals_get(&s.machine, "pit"), "off");
	CHECK_STR(keyvals_get(&s.machine, "hpet"), "off");
	CHECK_STR(keyvals_get(&s.machine, "acpi"), "on");
	CHECK_EQ(s.accels.n, 2);
	CHECK_STR(keyvals_get(&s.accels.at[0], "accel"), "kvm");
	CHECK_STR(keyvals_get(&s.accels.at[1], "accel"), "tcg");
	settings_fini(&s);
	s = parse("quern -M pc,kernel=K,append=a,,b,initrd=I -M q35 -machine type=microvm");
	CHECK_STR(s.kernel, "K");
	CHECK_STR(s.append, "a,b");
	CHECK_STR(s.initrd, "I");
	CHECK_STR(keyvals_get(&s.machine, "type"), "microvm");
	CHECK_EQ(s.machine.n, 1);
	settings_fini(&s);
}

TEST(options_accel)
{
	struct settings s =
		parse("quern -machine accel=kvm -accel hvf -accel tcg,thread=single,tb-size=64");

	CHECK_EQ(s.accels.n, 2);
	CHECK_STR(keyvals_get(&s.accels.at[0], "accel"), "hvf");
	CHECK_STR(keyvals_get(&s.accels.at[1], "tb-size"), "64");
	settings_fini(&s);
	s = parse("quern -accel tcg -machine accel=kvm -enable-kvm");
	CHECK_EQ(s.accels.n, 2);
	CHECK_STR(keyvals_get(&s.accels.at[1], "accel"), "kvm");
	settings_fini(&s);
	refuses("quern -accel ''", "the accelerator's name is missing");
}

TEST(options_memory)
{
	static const struct {
		const char *arg;
		u64 size;
	} good[] = {
		{ "1024", 1024ull << 20 },	{ "4G", 4ull << 30 },
		{ "512M", 512ull << 20 },	{ "size=2g", 2ull << 30 },
		{ "1.5G", 3ull << 29 },		{ "65536K", 64ull << 20 },
		{ "256 -m 128", 128ull << 20 }, { "1G,slots=8,maxmem=4G", 1ull << 30 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
		AUTO_FREE char *line = xasprintf("quern -m %s", good[i].arg);
		struct settings s = parse(line);

		CHECK_EQ(s.ram_size, good[i].size);
		settings_fini(&s);
	}
	refuses("quern -m 12Q", "-m 12Q: size: '12Q' is not a size");
	refuses("quern -m 0", "a machine without memory cannot run");
	refuses("quern -m 99999999999G", "too large");
	refuses("quern -m 2G,maxmem=1G", "maxmem is less");
	refuses("quern -m 2G,foo=1", "'foo' is not known here");
}

TEST(options_smp)
{
	static const struct {
		const char *arg;
		struct smp want;
	} good[] = {
		{ "4", { 4, 4, 1, 1, 4, 1 } },
		{ "cpus=2", { 2, 2, 1, 1, 2, 1 } },
		{ "4,sockets=2", { 4, 4, 2, 1, 2, 1 } },
		{ "cores=2,threads=2", { 4, 4, 1, 1, 2, 2 } },
		{ "8,cores=2,threads=2", { 8, 8, 2, 1, 2, 2 } },
		{ "2,maxcpus=4", { 2, 4, 1, 1, 4, 1 } },
		{ "2,sockets=2,cores=1", { 2, 2, 2, 1, 1, 1 } },
		{ "8,dies=2,clusters=2,cores=2", { 8, 8, 1, 2, 4, 1 } },
		{ "64", { 64, 64, 1, 1, 64, 1 } },
	};

	for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
		AUTO_FREE char *line = xasprintf("quern -smp %s", good[i].arg);
		struct settings s = parse(line);

		CHECK_MEM(&s.smp, &good[i].want, sizeof(s.smp));
		settings_fini(&s);
	}
	refuses("quern -smp 256", "SMP CPUs");
	refuses("quern -smp 4096", "SMP CPUs");
	refuses("quern -smp 99999999999999999999", "not between");
	refuses("quern -smp 0", "cpus=0");
	refuses("quern -smp 3,sockets=2", "must be maxcpus");
	refuses("quern -smp 4,maxcpus=2", "maxcpus");
	refuses("quern -sandbox on,spawn=maybe", "allow|deny");
	refuses("quern -sandbox on,nosuch=deny", "nosuch");
	refuses("quern -smp 2,sockets=1048576,cores=1048576", "must be maxcpus");
	refuses("quern -smp 2,wheels=4", "'wheels' is not known here");
	refuses("quern -smp many", "a number is expected");
}

TEST(options_time)
{
	struct settings s = parse("quern -rtc base=2006-06-17T16:01:21,clock=vm,driftfix=slew "
				  "-icount shift=5 -seed 0x10");

	CHECK_EQ(s.rtc_base, RTC_DATE);
	CHECK_EQ(s.rtc_date, 1150560081);
	CHECK(s.icount);
	CHECK_EQ(s.icount_shift, 5);
	CHECK(s.seed_set);
	CHECK_EQ(s.seed, 16);
	settings_fini(&s);
	s = parse("quern -rtc base=2006-06-17");
	CHECK_EQ(s.rtc_date, 1150502400);
	settings_fini(&s);
	s = parse("quern -rtc base=utc,clock=host");
	CHECK_EQ(s.rtc_base, RTC_UTC);
	settings_fini(&s);
	refuses("quern -rtc base=yesterday", "base='yesterday'");
	refuses("quern -rtc base=2006-06-17Tnoon", "is none of");
	refuses("quern -rtc clock=sun", "one of host|rt|vm");
	refuses("quern -icount auto", "only a fixed shift");
	refuses("quern -icount shift=99", "not between");
	refuses("quern -icount shift=1,rr=record,rrfile=x", "not built yet");
	refuses("quern -seed abc", "a number below 2^64");
}

TEST(options_actions)
{
	struct settings s = parse("quern -action reboot=shutdown,shutdown=pause,panic=exit-failure "
				  "--watchdog-action inject-nmi");

	CHECK_EQ(s.actions.reboot, ACTION_SHUTDOWN);
	CHECK_EQ(s.actions.shutdown, ACTION_PAUSE);
	CHECK_EQ(s.actions.panic, ACTION_EXIT_FAILURE);
	CHECK_EQ(s.actions.watchdog, ACTION_INJECT_NMI);
	settings_fini(&s);
	s = parse("quern");
	CHECK_EQ(s.actions.reboot, ACTION_RESET);
	CHECK_EQ(s.actions.shutdown, ACTION_POWEROFF);
	CHECK_EQ(s.actions.panic, ACTION_SHUTDOWN);
	CHECK_EQ(s.actions.watchdog, ACTION_RESET);
	settings_fini(&s);
	refuses("quern -action reboot=poweroff", "one of reset|shutdown");
	refuses("quern -action sleep=none", "'sleep' is none of");
}

TEST(options_identity)
{
	struct settings s = parse("quern -name n1,process=p1,debug-threads=on --uuid "
				  "12345678-9abc-def0-1234-56789ABCDEF0 -boot order=cd,menu=on");

	CHECK_STR(s.name, "n1");
	CHECK_STR(s.process_name, "p1");
	CHECK_STR(s.boot_order, "cd");
	CHECK(s.boot_menu);
	CHECK_EQ(s.boot_splash_ms, -1);
	settings_fini(&s);
	refuses("quern -uuid 1234", "this is no UUID");
	refuses("quern -uuid 12345678-9abc-def0-1234-56789ABCDEFG", "this is no UUID");
	refuses("quern -boot order=z", "letters a to p");
}

TEST(options_console)
{
	struct settings s = parse("quern -serial null -serial mon:stdio -serial chardev:c0 "
				  "-chardev file,path=/proc/self/fd/2,id=c0 -echr 0x14");

	CHECK_EQ(s.serial.n, 3);
	CHECK_STR(s.serial.at[1], "mon:stdio");
	CHECK_EQ(s.chardevs.n, 1);
	CHECK_EQ(s.escape, 0x14);
	settings_fini(&s);
	s = parse("quern -debugcon file:x,y -monitor none -parallel none -vga none -net none -nic "
		  "none");
	CHECK_EQ(s.devices.n, 1);
	CHECK_STR(keyvals_get(&s.chardevs.at[0], "path"), "x,y");
	CHECK(s.monitor_given);
	settings_fini(&s);
	s = parse("quern -net nic,model=virtio -net user -nic user,model=virtio-net-pci");
	CHECK_EQ(s.nics.n, 3);
	CHECK_STR(keyvals_get(&s.nics.at[0], "type"), "nic");
	CHECK_STR(keyvals_get(&s.nics.at[2], "option"), "nic");
	settings_fini(&s);
	/* the personality has a network by default */
	s = parse("qemu-system-x86_64 -display none");
	CHECK_EQ(s.nics.n, 2);
	settings_fini(&s);
	s = parse("qemu-system-x86_64 -display none -net none");
	CHECK_EQ(s.nics.n, 0);
	settings_fini(&s);
	s = parse("qemu-system-x86_64 -display none -nodefaults");
	CHECK_EQ(s.nics.n, 0);
	settings_fini(&s);
	s = parse("quern -display none");
	CHECK_EQ(s.nics.n, 0);
	settings_fini(&s);
	refuses("quern -serial nonsense", "'nonsense' is none of stdio");
	refuses("quern -serial tcp:host", "is not HOST:PORT");
	refuses("quern -serial tcp:[::1:5", "no ']'");
	refuses("quern -serial null -serial null -serial null -serial null -serial null",
		"four serial ports");
	refuses("quern -chardev stdio", "id=... is missing");
	refuses("quern -monitor nonsense", "'nonsense' is none of stdio");
	refuses("quern -mon chardev=a,mode=neither", "neither");
	refuses("quern -mon chardev=a,pretty=on", "pretty=on is for mode=control");
	refuses("quern -mon mode=control", "chardev=ID is missing");
	refuses("quern -vga std", "graphics cards are not built yet");
	refuses("quern -display gtk", "not built yet");
	refuses("quern -net l2tpv3", "not built yet");
	refuses("quern -netdev nosuch,id=n", "no network back end 'nosuch'");
	refuses("quern -netdev user", "'id' is missing");
	refuses("quern -echr 300", "a character's number");
}

TEST(options_devices)
{
	struct settings s = parse("quern -device isa-debug-exit,iobase=0xf4,iosize=0x4 -device "
				  "{\"driver\":\"crc\",\"id\":\"c\"} "
				  "-global kvm-pit.lost_tick_policy=discard -global "
				  "driver=crc,property=latency,value=5");

	CHECK_EQ(s.devices.n, 2);
	CHECK_STR(keyvals_get(&s.devices.at[0], "driver"), "isa-debug-exit");
	CHECK_STR(keyvals_get(&s.devices.at[0], "iosize"), "0x4");
	CHECK_STR(keyvals_get(&s.devices.at[1], "id"), "c");
	CHECK_STR(keyvals_get(&s.globals.at[0], "driver"), "kvm-pit");
	CHECK_STR(keyvals_get(&s.globals.at[0], "property"), "lost_tick_policy");
	CHECK_STR(keyvals_get(&s.globals.at[1], "value"), "5");
	settings_fini(&s);
	refuses("quern -device ''", "the device's name is missing");
	refuses("quern -device {\"driver\":", "not a JSON object");
	refuses("quern -global nonsense", "the form is NAME.KEY=VALUE");
	refuses("quern -global a.b", "the form is NAME.KEY=VALUE");
	refuses("quern -global =.", "a key is missing");
	refuses("quern -object nonsense,id=r", "there are no objects of type 'nonsense'");
	refuses("quern -d in_asm", "logging of 'in_asm' is not built yet");
	refuses("quern -d guest_error", "'guest_error' is no log item");
	refuses("quern -trace events=/nonexistent/file", "/nonexistent/file");
}

TEST(options_traces)
{
	struct settings s = parse("quern -d guest_errors,unimp,trace:pci_* -trace "
				  "enable=crc0.*,file=out -trace memory_region_ops_* -D log");

	CHECK(s.lint);
	CHECK_EQ(s.traces.n, 3);
	CHECK_STR(s.traces.at[0], "pci_*");
	CHECK_STR(s.traces.at[1], "crc0.*");
	CHECK_STR(s.trace_file, "out");
	CHECK_STR(s.log_file, "log");
	settings_fini(&s);
}

TEST(options_readconfig)
{
	struct error e = { 0 };
	struct settings s;

	settings_init(&s, "quern");
	if (readconfig_text(&s,
			    "# a comment\n[machine]\n  type = \"q35\"\n  accel = "
			    "\"tcg\"\n\n[memory]\n\tsize = \"512\"\r\n"
			    "[smp-opts]\ncpus=\"2\"\n[device \"d0\"]\ndriver = \"crc\"\nname = "
			    "\"a,b\"\n[chardev \"c0\"]\nbackend = \"null\"\n",
			    "f", &e))
		test_fail(__FILE__, __LINE__, "%s", e.text);
	CHECK_STR(keyvals_get(&s.machine, "type"), "q35");
	CHECK_EQ(s.accels.n, 1);
	CHECK_EQ(s.ram_size, 512ull << 20);
	CHECK_EQ(s.smp.cpus, 2);
	CHECK_STR(keyvals_get(&s.devices.at[0], "id"), "d0");
	CHECK_STR(keyvals_get(&s.devices.at[0], "name"), "a,b");
	CHECK_STR(keyvals_get(&s.chardevs.at[0], "id"), "c0");
	settings_fini(&s);
}

TEST(options_readconfig_mistakes)
{
	static const struct {
		const char *text, *want;
	} bad[] = {
		{ "[nosuch]\n", "f:1: there is no group 'nosuch'" },
		{ "\n[kernel]\n", "f:2: there is no group 'kernel'" },
		{ "a = \"b\"\n", "f:1: there is no group for 'a'" },
		{ "[memory]\nsize = 5\n", "f:2: the value is not quoted" },
		{ "[memory]\nsize = \"5\n", "f:2: the value's quote does not end" },
		{ "[memory]\nsize\n", "f:2: a line is KEY = \"VALUE\"" },
		{ "[memory\n", "f:1: a group's line is" },
		{ "[device \"x]\n", "f:1: the quote of a group's id does not end" },
		{ "[memory]\nsize = \"5\" x\n", "f:2: something follows" },
		{ "[memory]\nsize = \"x\"\n", "f:1: -m size=x: size: 'x' is not a size" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct error e = { 0 };
		struct settings s;

		settings_init(&s, "quern");
		CHECK(readconfig_text(&s, bad[i].text, "f", &e) < 0);
		if (strncmp(e.text, bad[i].want, strlen(bad[i].want)))
			test_fail(__FILE__, __LINE__, "'%s': '%s'", bad[i].text, e.text);
		error_clear(&e);
		settings_fini(&s);
	}
}

/* The parts of these tools' command lines whose devices exist. */
TEST(options_clients)
{
	static const char *const lines[] = {
		/* kunit.py, x86_64 and i386 */
		"qemu-system-x86_64 -nodefaults -m 1024 -kernel arch/x86/boot/bzImage -append "
		"'kunit.enable=1 console=ttyS0 "
		"kunit_shutdown=reboot' -no-reboot -nographic -accel kvm -accel hvf -accel tcg "
		"-serial stdio -bios qboot.rom",
		"qemu-system-i386 -nodefaults -m 1024 -kernel bzImage -append 'x' -no-reboot "
		"-nographic -accel kvm -accel hvf -accel tcg "
		"-serial stdio",
		/* kho */
		"qemu-system-x86_64 -m 1G -smp 2 -no-reboot -nographic -nodefaults -accel kvm "
		"-accel hvf -accel tcg -serial file:F -append a "
		"-kernel K -initrd I",
		/* rcutorture */
		"qemu-system-x86_64 -enable-kvm -display none -no-reboot -smp 4,cores=2,threads=2 "
		"-net none -machine q35,accel=kvm -cpu kvm64 "
		"-serial file:console.log -m 512 -kernel K -append a -S",
		/* wireguard */
		"qemu-system-x86_64 -nodefaults -nographic -smp 2 -machine "
		"microvm,accel=kvm,pit=off,pic=off,rtc=off,acpi=off -cpu max "
		"-m 256M -serial stdio -chardev file,path=R,id=result -serial chardev:result "
		"-no-reboot -monitor none -kernel K",
		/* nolibc */
		"qemu-system-x86_64 -display none -no-reboot -kernel K -initrd initramfs.cpio "
		"-serial file:/dev/stdout -m 1G -M pc",
		/* perf kvm */
		"qemu-system-x86_64 -display none -daemonize -pidfile F -monitor none",
		/* virtme-ng */
		"qemu-system-x86_64 -name N -m 1G -machine accel=kvm:tcg -machine q35 -cpu max "
		"-parallel none -net none -echr 1 -vga none "
		"-display none -chardev file,path=/proc/self/fd/2,id=dmesg -device "
		"virtio-serial-pci -device virtconsole,chardev=dmesg "
		"-chardev stdio,id=console,signal=off,mux=on -serial chardev:console -mon "
		"chardev=console -smp 2 -kernel K -append a -initrd I",
		/* tuxrun */
		"qemu-system-x86_64 -cpu Nehalem -machine q35 -nographic -nic none -m 4G -monitor "
		"none -smp 2 -kernel K -append a",
		/* kvm-unit-tests */
		"qemu-system-x86_64 --no-reboot -nodefaults -global "
		"kvm-pit.lost_tick_policy=discard -device pc-testdev -device "
		"isa-debug-exit,iobase=0xf4,iosize=0x4 -display none -serial stdio -device "
		"pci-testdev -machine accel=tcg -kernel F -smp 1 "
		"-append a -initrd ENV -cpu max,+vmx,-pku -overcommit cpu-pm=on -rtc "
		"base=2006-06-17",
		"qemu-system-x86_64 -nodefaults -device edu -machine q35,kernel-irqchip=split "
		"-icount shift=5 --watchdog-action inject-nmi",
		/* buildroot */
		"qemu-system-x86_64 -M pc -kernel bzImage -append 'rootwait root=/dev/vda "
		"console=tty1 console=ttyS0' -serial stdio "
		"-rtc base=utc,clock=host",
	};

	for (size_t i = 0; i < ARRAY_SIZE(lines); i++) {
		struct settings s = parse(lines[i]);

		settings_fini(&s);
	}
}
