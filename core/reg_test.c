/* SPDX-License-Identifier: GPL-2.0-or-later */
/* reg_test.c - register banks: masks, widths, hooks, tracing, lint; the life of devices;
 * properties; lines; faults. */
#include "core/fault.h"
#include "core/irq.h"
#include "core/tdev.h"
#include "lib/alloc.h"
#include "lib/error.h"
#include "lib/str.h"
#include "lib/test.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { CTL_GO = BIT(0), CTL_MODE = GENMASK(5, 4) };

struct tdemo {
	struct device dev;
	u64 wide, extended;
	u32 ctl, status, id, clear, gaps, last_set, array[4];
	u8 small, on;
	u16 half;
	u32 speed;
	char *name;
	u64 limit;
	u8 mac[6];
	u32 raw_off, raw_size, sets, in_level;
	u64 raw_val;
	struct irq line[2];
	struct timer timer;
};

static void ctl_set(void *dev, unsigned i, u64 val)
{
	struct tdemo *d = dev;

	d->last_set = val;
	d->sets++;
	trace(d, "control", "val=%#x", (unsigned)val);
}

/* The extended register is locked while the mode is 3. */
static bool mode_3(void *dev, unsigned i)
{
	return FIELD_GET(CTL_MODE, ((struct tdemo *)dev)->ctl) == 3;
}

static u64 array_get(void *dev, unsigned i, u64 val) { return val + i; }

static u64 raw_read(void *dev, u64 off, unsigned size)
{
	struct tdemo *d = dev;

	d->raw_off = off;
	d->raw_size = size;
	return 0x1122334455667788ull;
}

static void raw_write(void *dev, u64 off, unsigned size, u64 val)
{
	struct tdemo *d = dev;

	d->raw_off = off;
	d->raw_size = size;
	d->raw_val = val;
	irq_set(&d->line[0], val & 1);
}

static void demo_input(void *dev, unsigned n, int level)
{
	((struct tdemo *)dev)->in_level = n << 8 | level;
}

static void speed_changed(void *dev) { ((struct tdemo *)dev)->sets += 100; }

static void demo_fire(void *dev)
{
	struct tdemo *d = dev;

	if (!fault(d, "lost"))
		irq_pulse(&d->line[1]);
}

static const struct reg demo_regs[] = {
	REG(0x00, struct tdemo, ctl, .set = ctl_set, .pulse = CTL_GO, .reset = 0x10,
	    FIELDS(CTL_GO, CTL_MODE), .doc = "Control."),
	REG(0x04, struct tdemo, status, .ro = 0xff, .w1c = 0xff00, .reset = 0x12345678,
	    .doc = "Status."),
	REG(0x08, struct tdemo, id, RO, .reset = 0xcafe, .doc = "Identity."),
	REG(0x0c, struct tdemo, clear, .rclr = 0xf, .reset = 0xff, .doc = "Cleared by reading."),
	REG(0x10, struct tdemo, wide, .doc = "64 bits."),
	REG(0x18, struct tdemo, extended, .extend = true, .locked = mode_3,
	    .doc = "64 bits, zero-extended."),
	REGS(0x20, struct tdemo, array, 8, .get = array_get, .doc = "Four, eight bytes apart."),
	{}
};
static const struct reg narrow_regs[] = { REG(0x0, struct tdemo, gaps, .doc = "Four bytes."),
					  REG(0x4, struct tdemo, small, .doc = "One byte."),
					  REG(0x6, struct tdemo, half, .doc = "Two bytes."),
					  {} };
static const struct bank demo_banks[] = {
	{ .name = "mmio", .regs = demo_regs, .size = 0x100 },
	{ .name = "narrow", .regs = narrow_regs, .size = 8, .narrow = true, .split = true },
	{ .name = "raw",
	  .size = 16,
	  .read = raw_read,
	  .write = raw_write,
	  .min = 2,
	  .max = 4,
	  .split = true },
	{}
};
static const struct prop demo_props[] = {
	PROP(struct tdemo, speed, .def = 9600, .min = 50, .max = 115200, .changed = speed_changed,
	     .doc = "Bits per second."),
	PROP(struct tdemo, on, .kind = PROP_BOOL, .def = 1, .doc = "Switch."),
	PROP(struct tdemo, name, .kind = PROP_STR, .def_str = "none", .doc = "Label."),
	PROP(struct tdemo, limit, .kind = PROP_SIZE, .def = 4096, .doc = "Bytes."),
	PROP(struct tdemo, mac, .kind = PROP_MAC, .def = 0x525400123456, .doc = "Address."),
	{}
};
static const struct state demo_state[] = { DERIVED(struct tdemo, last_set),
					   DERIVED(struct tdemo, raw_off),
					   DERIVED(struct tdemo, raw_size),
					   DERIVED(struct tdemo, sets),
					   DERIVED(struct tdemo, in_level),
					   DERIVED(struct tdemo, raw_val),
					   IRQ_OUT(struct tdemo, line),
					   TIMER(struct tdemo, timer, demo_fire),
					   {} };
DEVICE(tdemo, .name = "tdemo-dev", .doc = "A device of the tests.", .banks = demo_banks,
       .props = demo_props, .state = demo_state, .inputs = 2, .input = demo_input);

static struct tdemo *demo(struct tdev *t) { return (struct tdemo *)tdev_device(t); }

TEST(reg_masks)
{
	struct tdev *t = tdev_new("tdemo-dev");

	CHECK_EQ(tdev_r32(t, "ctl"), 0x10);
	tdev_w32(t, "ctl", 0xffffffff);
	CHECK_EQ(demo(t)->ctl, CTL_MODE);
	CHECK_EQ(demo(t)->last_set, CTL_MODE | CTL_GO);
	/* ro stays, w1c clears where 1 is written, the rest is stored */
	CHECK_EQ(tdev_r32(t, "status"), 0x12345678);
	tdev_w32(t, "status", 0xaaaa1600);
	CHECK_EQ(tdev_r32(t, "status"), 0xaaaa4078);
	tdev_w32(t, "id", 1);
	CHECK_EQ(tdev_r32(t, "id"), 0xcafe);
	CHECK_EQ(tdev_r32(t, "clear"), 0xff);
	CHECK_EQ(tdev_r32(t, "clear"), 0xf0);
	device_reset(tdev_device(t));
	CHECK_EQ(tdev_r32(t, "clear"), 0xff);
	tdev_free(t);
}

TEST(reg_widths)
{
	struct tdev *t = tdev_new("tdemo-dev");

	tdev_w64(t, "wide", 0x1122334455667788ull);
	CHECK_EQ(tdev_read_at(t, 0, 0x10, 4), 0x55667788);
	CHECK_EQ(tdev_read_at(t, 0, 0x14, 4), 0x11223344);
	tdev_write_at(t, 0, 0x14, 4, 0xaabbccdd);
	CHECK_EQ(demo(t)->wide, 0xaabbccdd55667788ull);
	/* other widths are refused without narrow */
	CHECK_EQ(tdev_read_at(t, 0, 0x10, 2), 0xffff);
	CHECK_EQ(tdev_read_at(t, 0, 0x04, 1), 0xff);
	tdev_write_at(t, 0, 0x10, 1, 0);
	CHECK_EQ(demo(t)->wide, 0xaabbccdd55667788ull);
	CHECK_EQ(tdev_read_at(t, 0, 0x00, 8), ~0ull);
	CHECK_EQ(tdev_read_at(t, 0, 0x80, 4), 0xffffffff);
	/* elements of an array lie stride apart, between them is nothing */
	tdev_w32(t, "array[2]", 100);
	CHECK_EQ(demo(t)->array[2], 100);
	CHECK_EQ(tdev_r32(t, "array[2]"), 102);
	CHECK_EQ(tdev_read_at(t, 0, 0x24, 4), 0xffffffff);
	tdev_free(t);
}

TEST(reg_zero_extended)
{
	struct tdev *t = tdev_new("tdemo-dev");

	tdev_w64(t, "extended", 0x1122334455667788ull);
	CHECK_EQ(tdev_read_at(t, 0, 0x18, 4), 0x55667788);
	CHECK_EQ(tdev_read_at(t, 0, 0x1c, 4), 0xffffffff);
	tdev_write_at(t, 0, 0x1c, 4, 1);
	CHECK_EQ(demo(t)->extended, 0x1122334455667788ull);
	tdev_write_at(t, 0, 0x18, 4, 0xfedcba98);
	CHECK_EQ(tdev_r64(t, "extended"), 0xfedcba98);
	tdev_free(t);
}

TEST(reg_locked)
{
	struct tdev *t = tdev_new("tdemo-dev");

	tdev_w64(t, "extended", 1);
	tdev_w32(t, "ctl", 0x30);
	tdev_w64(t, "extended", 2);
	CHECK_EQ(tdev_r64(t, "extended"), 1);
	tdev_w32(t, "ctl", 0);
	tdev_w64(t, "extended", 2);
	CHECK_EQ(tdev_r64(t, "extended"), 2);
	tdev_free(t);
}

TEST(reg_narrow_and_split)
{
	struct tdev *t = tdev_new("tdemo-dev");

	tdev_write_at(t, 1, 0, 4, 0x11223344);
	tdev_write_at(t, 1, 1, 1, 0xee);
	CHECK_EQ(demo(t)->gaps, 0x1122ee44);
	CHECK_EQ(tdev_read_at(t, 1, 2, 2), 0x1122);
	/* an access over several registers is cut at their ends; 5 is nothing */
	tdev_write_at(t, 1, 4, 1, 0x55);
	tdev_write_at(t, 1, 6, 2, 0x7766);
	CHECK_EQ(tdev_read_at(t, 1, 6, 2), 0x7766);
	CHECK_EQ(tdev_read_at(t, 1, 4, 4), 0xffffff55);
	tdev_free(t);
}

TEST(reg_raw_banks)
{
	struct tdev *t = tdev_new("tdemo-dev");

	CHECK_EQ(tdev_read_at(t, 2, 4, 4), 0x55667788);
	CHECK_EQ(demo(t)->raw_off, 4);
	CHECK_EQ(tdev_read_at(t, 2, 0, 1), 0xff);
	CHECK_EQ(tdev_read_at(t, 2, 8, 8), 0x5566778855667788ull);
	CHECK_EQ(demo(t)->raw_off, 12);
	CHECK_EQ(demo(t)->raw_size, 4);
	tdev_write_at(t, 2, 2, 2, 0xabcd);
	CHECK_EQ(demo(t)->raw_val, 0xabcd);
	tdev_free(t);
}

/* ---- traces and lint go to a file here */

static char trace_path[] = "/tmp/quern-trace-XXXXXX";

static void trace_to_file(void)
{
	struct error e = { 0 };
	int fd = mkstemp(trace_path);

	CHECK(fd >= 0);
	close(fd);
	trace_set_file(trace_path, &e);
	CHECK(!error_is_set(&e));
}

static char *traced(void)
{
	static char buf[8192];
	FILE *f;
	size_t n;

	trace_set_file(NULL, NULL);
	f = fopen(trace_path, "r");
	CHECK(f);
	n = fread(buf, 1, sizeof(buf) - 1, f);
	buf[n] = 0;
	fclose(f);
	unlink(trace_path);
	return buf;
}

TEST(trace_registers_and_points)
{
	struct tdev *t = tdev_new("tdemo-dev");
	char want[256];

	trace_to_file();
	tdev_w32(t, "ctl", 0x21);
	CHECK_EQ(trace_enable("*.c*", true, NULL), 0);
	CHECK_EQ(trace_enable("tdemo-dev0.clear", false, NULL), 0);
	tdev_w32(t, "ctl", 0x21);
	tdev_r32(t, "ctl");
	tdev_r32(t, "clear");
	tdev_r32(t, "id");
	CHECK_EQ(trace_enable("*", false, NULL), 0);
	tdev_w32(t, "ctl", 0x21);
	snprintf(want, sizeof(want),
		 "tdemo-dev0.ctl <- 0x21 CTL_GO CTL_MODE=0x2\ntdemo-dev0.control val=0x21\n"
		 "tdemo-dev0.ctl -> 0x20 CTL_MODE=0x2\n");
	CHECK_STR(traced(), want);
	tdev_free(t);
}

TEST(trace_io_access)
{
	struct tdev *t = tdev_new("tdemo-dev");
	long long sec, addr, value;
	int pid, usec, cpu, size;
	char mr[32], dir[8], name[64];

	device_map(tdev_device(t), "mmio", 0xd0000000);
	trace_to_file();
	CHECK_EQ(trace_enable("memory_region_ops_*", true, NULL), 0);
	tdev_r32(t, "id");
	CHECK_EQ(sscanf(traced(),
			"%d@%lld.%d:memory_region_ops_%7s cpu %d mr %31s addr %llx value %llx size "
			"%d name %63s",
			&pid, &sec, &usec, dir, &cpu, mr, (unsigned long long *)&addr,
			(unsigned long long *)&value, &size, name),
		 10);
	CHECK_EQ(pid, getpid());
	CHECK_STR(dir, "read");
	CHECK_EQ(cpu, -1);
	CHECK_EQ(addr, 0xd0000008);
	CHECK_EQ(value, 0xcafe);
	CHECK_EQ(size, 4);
	CHECK_STR(name, "'tdemo-dev0.mmio'");
	tdev_free(t);
}

static unsigned listed;
static void find_listed(void *arg, const char *name, bool on)
{
	listed += str_eq(name, "tdemo-dev.ctl") || str_eq(name, "memory_region_ops_read") ||
		  str_eq(name, "control") || str_eq(name, "crc.status");
}

TEST(trace_lists_what_there_is)
{
	trace_list(find_listed, NULL);
	CHECK_EQ(listed, 4);
}

TEST(lint_names_the_register)
{
	struct tdev *t = tdev_new("tdemo-dev");

	trace_to_file();
	tdev_w32(t, "id", 1);
	lint_set(LINT_REPORT);
	tdev_w32(t, "id", 1);
	tdev_w32(t, "ctl", 0x80);
	tdev_w32(t, "ctl", 0x30);
	tdev_w64(t, "extended", 2);
	tdev_read_at(t, 0, 0x80, 4);
	tdev_read_at(t, 0, 0x10, 2);
	CHECK_STR(traced(),
		  "guest error: tdemo-dev0: id is read-only\n"
		  "guest error: tdemo-dev0: ctl: reserved bits 0x80 written\n"
		  "guest error: tdemo-dev0: extended is locked: 0x2 is not written\n"
		  "guest error: tdemo-dev0: read at offset 0x80 of mmio, where no register is\n"
		  "guest error: tdemo-dev0: wide: read of 2 bytes at byte 0 of a 8-byte "
		  "register\n");
	tdev_free(t);
}

/* ---- properties */

TEST(prop_values)
{
	struct machine *m = machine_new();
	struct error e = { 0 };
	struct device *d = device_new(m, "tdemo_dev", "a", &e);
	struct tdemo *t = (struct tdemo *)d;

	CHECK(d);
	CHECK_EQ(t->speed, 9600);
	CHECK_EQ(t->on, 1);
	CHECK_STR(t->name, "none");
	CHECK_EQ(t->mac[5], 0x56);
	CHECK_EQ(device_set(d, "speed", "0x960", &e), 0);
	CHECK_EQ(device_set(d, "on", "off", &e), 0);
	CHECK_EQ(device_set(d, "limit", "1M", &e), 0);
	CHECK_EQ(device_set(d, "name", "x y", &e), 0);
	CHECK_EQ(device_set(d, "mac", "00:11:22:33:44:55", &e), 0);
	CHECK_EQ(t->speed, 0x960);
	CHECK_EQ(t->on, 0);
	CHECK_EQ(t->limit, 1 << 20);
	CHECK_STR(t->name, "x y");
	CHECK_EQ(t->mac[4], 0x44);
	CHECK_EQ(device_realize(d, &e), 0);
	CHECK_EQ(device_set_u64(d, "speed", 300, &e), 0);
	CHECK_EQ(t->sets, 100);
	CHECK(!error_is_set(&e));
	CHECK(device_set(d, "limit", "5", &e) < 0);
	CHECK(strstr(e.text, "cannot change"));
	error_clear(&e);
	machine_free(m);
}

TEST(prop_mistakes_are_named)
{
	static const char *const bad[][3] = {
		{ "speed", "fast", "takes a number" },
		{ "speed", "49", "from 50 to 115200" },
		{ "speed", "115201", "from 50 to 115200" },
		{ "speed", "", "takes a number" },
		{ "on", "maybe", "on or off" },
		{ "mac", "00:11:22:33:44", "MAC" },
		{ "mac", "00:11:22:33:44:55:66", "MAC" },
		{ "limit", "1X", "1X" },
		{ "colour", "red", "no property 'colour'" },
	};
	struct machine *m = machine_new();
	struct device *d = device_new(m, "tdemo-dev", NULL, NULL);

	for (unsigned i = 0; i < ARRAY_SIZE(bad); i++) {
		struct error e = { 0 };

		CHECK(device_set(d, bad[i][0], bad[i][1], &e) < 0);
		CHECK(e.text && strstr(e.text, bad[i][2]));
		error_clear(&e);
	}
	machine_free(m);
}

static unsigned help_lines;
static void help_line(void *arg, const char *name, const char *type, const char *def,
		      const char *doc)
{
	help_lines++;
	if (str_eq(name, "speed")) {
		CHECK_STR(type, "uint32");
		CHECK_STR(def, "9600");
		CHECK_STR(doc, "Bits per second.");
	}
}

TEST(prop_help)
{
	device_help(device_class_find("tdemo-dev"), help_line, NULL);
	CHECK_EQ(help_lines, 5);
}

/* ---- devices */

TEST(device_ids)
{
	struct machine *m = machine_new();
	struct error e = { 0 };
	struct device *a = device_make(m, "tdemo-dev", NULL, "speed=300,on", &e),
		      *b = device_make(m, "tdemo-dev", NULL, NULL, &e);

	CHECK_STR(a->id, "tdemo-dev0");
	CHECK_STR(b->id, "tdemo-dev1");
	CHECK_EQ(((struct tdemo *)a)->speed, 300);
	CHECK_EQ(device_find(m, "tdemo-dev1"), b);
	CHECK_EQ(device_new(m, "tdemo-dev", "tdemo-dev1", &e), NULL);
	CHECK(strstr(e.text, "already"));
	error_clear(&e);
	CHECK_EQ(device_new(m, "no-such", NULL, &e), NULL);
	CHECK(strstr(e.text, "no device 'no-such'"));
	error_clear(&e);
	CHECK_EQ(device_make(m, "tdemo-dev", "bad", "speed=1", &e), NULL);
	CHECK_EQ(device_find(m, "bad"), NULL);
	error_clear(&e);
	device_free(a);
	CHECK_EQ(device_find(m, "tdemo-dev0"), NULL);
	machine_free(m);
}

TEST(device_maps_banks)
{
	struct tdev *t = tdev_new("tdemo-dev");
	u64 val = 0;

	device_map(tdev_device(t), NULL, 0xd0000000);
	device_map_io(tdev_device(t), "raw", 0x300);
	CHECK_EQ(space_ld(&tdev_machine(t)->memory, 0xd0000008, 4, &val, (struct mem_attrs){ 0 }),
		 MEM_OK);
	CHECK_EQ(val, 0xcafe);
	CHECK_EQ(space_st(&tdev_machine(t)->io, 0x304, 4, 7, (struct mem_attrs){ 0 }), MEM_OK);
	CHECK_EQ(demo(t)->raw_val, 7);
	tdev_free(t);
	t = NULL;
}

/* Its own registers by DMA from inside a callback. */
TEST(device_does_not_reenter)
{
	struct tdev *t = tdev_new("tdemo-dev");
	u32 val;

	device_map(tdev_device(t), NULL, 0xd0000000);
	CHECK_EQ(dev_dma_read(tdev_device(t), 0xd0000008, &val, 4), 0);
	tdev_device(t)->core->busy = true;
	CHECK_EQ(dev_dma_read(tdev_device(t), 0xd0000008, &val, 4), -EFAULT);
	tdev_free(t);
}

/* ---- lines */

TEST(irq_or_and_split)
{
	struct machine *m = machine_new();
	struct device *a = device_make(m, "tdemo-dev", "a", NULL, NULL),
		      *b = device_make(m, "tdemo-dev", "b", NULL, NULL);
	struct device *c = device_make(m, "tdemo-dev", "c", NULL, NULL),
		      *d = device_make(m, "tdemo-dev", "d", NULL, NULL);
	struct irq *la = device_output(a, "line", 0), *lb = device_output(b, "line", 0);

	CHECK_EQ(device_output(a, "line", 2), NULL);
	CHECK_EQ(device_output(a, NULL, 1), la + 1);
	device_connect(a, "line", 0, c, 1);
	device_connect(b, "line", 0, c, 1);
	irq_set(la, 1);
	CHECK_EQ(((struct tdemo *)c)->in_level, 0x101);
	irq_set(lb, 1);
	irq_set(la, 0);
	CHECK_EQ(((struct tdemo *)c)->in_level, 0x101);
	irq_set(lb, 0);
	CHECK_EQ(((struct tdemo *)c)->in_level, 0x100);
	/* a second and third place for a's line, connected while it is high */
	irq_set(la, 1);
	device_connect(a, "line", 0, d, 0);
	CHECK_EQ(((struct tdemo *)d)->in_level, 1);
	device_connect(a, "line", 0, b, 1);
	irq_set(la, 0);
	CHECK_EQ(((struct tdemo *)c)->in_level, 0x100);
	CHECK_EQ(((struct tdemo *)d)->in_level, 0);
	CHECK_EQ(((struct tdemo *)b)->in_level, 0x100);
	machine_free(m);
}

TEST(timer_and_irq_in_virtual_time)
{
	struct tdev *t = tdev_new("tdemo-dev");

	timer_start(&demo(t)->timer, 5000);
	tdev_run_ns(t, 4999);
	CHECK_EQ(tdev_irqs(t, 1), 0);
	tdev_run_ns(t, 1);
	CHECK_EQ(tdev_irqs(t, 1), 1);
	CHECK_EQ(tdev_level(t, "line", 1), 0);
	tdev_free(t);
}

/* ---- faults */

static unsigned fire_pattern(u64 seed, const char *spec)
{
	struct tdev *t = tdev_new("tdemo-dev");
	unsigned pattern = 0;

	tdev_machine(t)->seed = seed;
	CHECK_EQ(fault_arm(tdev_machine(t), spec, NULL), 0);
	for (unsigned i = 0; i < 32; i++) {
		unsigned before = tdev_irqs(t, 1);

		timer_start(&demo(t)->timer, 1);
		tdev_run_us(t, 1);
		if (tdev_irqs(t, 1) == before)
			pattern |= BIT(i);
	}
	tdev_free(t);
	return pattern;
}

TEST(fault_parameters)
{
	unsigned a;

	trace_to_file();
	CHECK_EQ(fire_pattern(1, "tdemo-dev0.lost"), ~0u);
	CHECK_EQ(fire_pattern(1, "tdemo-dev0.lost,interval=4"), 0x88888888);
	CHECK_EQ(fire_pattern(1, "tdemo-dev*.lost,interval=4,times=2"), 0x88);
	CHECK_EQ(fire_pattern(1, "tdemo-dev.lost,probability=0"), 0);
	CHECK_EQ(fire_pattern(1, "other0.lost"), 0);
	a = fire_pattern(1, "tdemo-dev0.lost,probability=50");
	CHECK(a && a != ~0u);
	CHECK_EQ(fire_pattern(1, "tdemo-dev0.lost,probability=50"), a);
	CHECK(fire_pattern(2, "tdemo-dev0.lost,probability=50") != a);
	CHECK(strstr(traced(), "fault: tdemo-dev0.lost\n"));
}

TEST(fault_mistakes_are_named)
{
	static const char *const bad[] = { "lost",	  "a.b,probability=101", "a.b,interval=0",
					   "a.b,times=x", "a.b,colour=1",	 "a.b," };
	struct machine *m = machine_new();

	for (unsigned i = 0; i < ARRAY_SIZE(bad); i++) {
		struct error e = { 0 };

		CHECK(fault_arm(m, bad[i], &e) < 0);
		CHECK(error_is_set(&e));
		error_clear(&e);
	}
	CHECK(fault_disarm(m, "a.b", NULL) < 0);
	machine_free(m);
}

TEST(fault_dma_of_any_device)
{
	struct tdev *t = tdev_new("tdemo-dev");
	u8 byte;

	trace_to_file();
	CHECK_EQ(fault_arm(tdev_machine(t), "tdemo-dev0.dma_read,interval=2", NULL), 0);
	CHECK_EQ(dev_dma_read(tdev_device(t), 0, &byte, 1), 0);
	CHECK_EQ(dev_dma_read(tdev_device(t), 0, &byte, 1), -EFAULT);
	CHECK_EQ(dev_dma_read(tdev_device(t), 0, &byte, 1), 0);
	CHECK_EQ(fault_disarm(tdev_machine(t), "tdemo-dev0.dma_read", NULL), 0);
	CHECK_EQ(dev_dma_read(tdev_device(t), 0, &byte, 1), 0);
	CHECK_STR(traced(), "fault: tdemo-dev0.dma_read\n");
	tdev_free(t);
}
