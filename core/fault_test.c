/* SPDX-License-Identifier: GPL-2.0-or-later */
/* fault_test.c - the points that every device has: each effect as the device's driver would see it,
 * with the checksum engine and the demonstration device of reg_test.c. */
#include "core/blob.h"
#include "core/dma_fault.h"
#include "core/fault.h"
#include "core/late.h"
#include "core/private.h"
#include "core/snapshot.h"
#include "core/tdev.h"
#include "lib/error.h"
#include "lib/test.h"
#include <quern/dma.h>
#include <errno.h>
#include <stdio.h>

enum { CTL_START = BIT(0), ST_BUSY = BIT(0), ST_DONE = BIT(1), ST_ERROR = BIT(2) };

static struct tdev *armed(const char *class, const char *spec)
{
	struct tdev *t = tdev_new(class);
	struct error e = { 0 };

	if (fault_arm(tdev_machine(t), spec, &e)) {
		error_print(&e);
		CHECK(false);
	}
	return t;
}

static void run(struct tdev *t)
{
	memcpy(tdev_ram(t, 0x100), "123456789", 9);
	tdev_w64(t, "src", 0x100);
	tdev_w32(t, "len", 9);
	tdev_w32(t, "ctl", CTL_START);
	tdev_run_us(t, 10);
}

TEST(fault_register_reads)
{
	struct tdev *t = armed("crc", "crc0.id.read,times=1");

	CHECK_EQ(tdev_r32(t, "id"), ~0u);
	CHECK_EQ(tdev_r32(t, "id"), 0x0c2c0001);
	CHECK_EQ(fault_arm(tdev_machine(t), "crc0.id.read,value=0x70,mask=0xf0", NULL), 0);
	CHECK_EQ(tdev_r32(t, "id"), 0x0c2c0071);
	CHECK_EQ(fault_arm(tdev_machine(t), "crc0.id.read,mask=0xf0", NULL), 0);
	CHECK_EQ(tdev_r32(t, "id"), 0x0c2c00f1);
	CHECK_EQ(fault_arm(tdev_machine(t), "crc0.id.read,flip=0x80000000", NULL), 0);
	CHECK_EQ(tdev_r32(t, "id"), 0x8c2c0001);
	CHECK_EQ(tdev_r32(t, "status"), 0);
	CHECK_EQ(fault_disarm(tdev_machine(t), "crc0.id.read", NULL), 0);
	CHECK_EQ(tdev_r32(t, "id"), 0x0c2c0001);
	tdev_free(t);
}

TEST(fault_register_writes)
{
	struct tdev *t = armed("crc", "crc0.len.write,interval=2");

	tdev_w32(t, "len", 5);
	tdev_w32(t, "len", 6); /* is lost */
	CHECK_EQ(tdev_r32(t, "len"), 5);
	tdev_w32(t, "len", 7);
	CHECK_EQ(tdev_r32(t, "len"), 7);
	CHECK_EQ(fault_arm(tdev_machine(t), "crc.len.write,flip=0x100", NULL), 0);
	CHECK_EQ(fault_disarm(tdev_machine(t), "crc0.len.write", NULL), 0);
	tdev_w32(t, "len", 7);
	CHECK_EQ(tdev_r32(t, "len"), 0x107);
	tdev_free(t);
}

TEST(fault_one_element_of_an_array)
{
	struct tdev *t = armed("tdemo-dev", "tdemo-dev0.array[2].write");
	u32 honest[4];

	for (unsigned i = 0; i < 4; i++) {
		char name[16];

		snprintf(name, sizeof(name), "array[%u]", i);
		tdev_w32(t, name, 0x11 * (i + 1));
	}
	for (unsigned i = 0; i < 4; i++) {
		char name[16];

		snprintf(name, sizeof(name), "array[%u]", i);
		honest[i] = tdev_r32(t, name);
		CHECK_EQ(honest[i] >> 4 & 0xf, i == 2 ? 0 : i + 1);
	}
	CHECK_EQ(fault_arm(tdev_machine(t), "tdemo-dev0.array.read,flip=0x1000", NULL), 0);
	CHECK_EQ(tdev_r32(t, "array[1]"), honest[1] ^ 0x1000);
	CHECK_EQ(tdev_r32(t, "array[3]"), honest[3] ^ 0x1000);
	tdev_free(t);
}

TEST(fault_accesses_that_code_answers)
{
	struct tdev *t = armed("tdemo-dev", "tdemo-dev0.raw.read,value=0x5,mask=0xff");
	u64 honest;

	CHECK_EQ(tdev_read_at(t, 2, 4, 2) & 0xff, 5);
	CHECK_EQ(fault_disarm(tdev_machine(t), "tdemo-dev0.raw.read", NULL), 0);
	honest = tdev_read_at(t, 2, 4, 2);
	CHECK_EQ(fault_arm(tdev_machine(t), "tdemo-dev0.raw.write", NULL), 0);
	tdev_write_at(t, 2, 4, 2, 0x1);
	CHECK_EQ(tdev_level(t, "line", 0), 0);
	CHECK_EQ(tdev_read_at(t, 2, 4, 2), honest);
	CHECK_EQ(fault_arm(tdev_machine(t), "tdemo-dev0.raw.write,value=1", NULL), 0);
	tdev_write_at(t, 2, 4, 2, 0);
	CHECK_EQ(tdev_level(t, "line", 0), 1);
	tdev_free(t);
}

TEST(fault_dma_reads)
{
	struct tdev *t = armed("crc", "crc0.dma_read,times=1");

	run(t);
	CHECK_EQ(tdev_r32(t, "status"), ST_ERROR);
	run(t);
	CHECK_EQ(tdev_r32(t, "result"), 0xcbf43926);
	CHECK_EQ(fault_arm(tdev_machine(t), "crc0.dma_read,action=corrupt", NULL), 0);
	run(t);
	CHECK_EQ(tdev_r32(t, "status") & ST_DONE, ST_DONE);
	CHECK(tdev_r32(t, "result") != 0xcbf43926);
	CHECK_MEM(tdev_ram(t, 0x100), "123456789", 9);
	tdev_free(t);
}

static unsigned bits_wrong(const u8 *a, const u8 *b, size_t n)
{
	unsigned wrong = 0;

	for (size_t i = 0; i < n; i++)
		wrong += (unsigned)__builtin_popcount(a[i] ^ b[i]);
	return wrong;
}

/* How 64 bytes arrive at once, and after 5 us. */
static void written(struct tdev *t, int err, unsigned now, unsigned later)
{
	u8 data[64], *ram = tdev_ram(t, 0x2000);

	memset(data, 0xa5, sizeof(data));
	memset(ram, 0, sizeof(data));
	CHECK_EQ(dev_dma_write(tdev_device(t), 0x2000, data, sizeof(data)), err);
	CHECK_EQ(bits_wrong(ram, data, sizeof(data)), now);
	tdev_run_us(t, 5);
	CHECK_EQ(bits_wrong(ram, data, sizeof(data)), later);
}

static void listed(struct tdev *t, int err, unsigned now, unsigned later)
{
	struct dma_list l = { .dev = tdev_device(t), .write = true };
	u8 data[64], *ram = tdev_ram(t, 0x2000);

	memset(data, 0xa5, sizeof(data));
	memset(ram, 0, sizeof(data));
	CHECK_EQ(dma_list_add(&l, 0x2000, sizeof(data)), err);
	if (!err) {
		CHECK_EQ(dma_list_write(&l, 0, data, sizeof(data)), sizeof(data));
		CHECK_EQ(dma_list_finish(&l, sizeof(data)), 0);
		CHECK_EQ(bits_wrong(ram, data, sizeof(data)), now);
		tdev_run_us(t, 5);
		CHECK_EQ(bits_wrong(ram, data, sizeof(data)), later);
	}
	dma_list_free(&l);
}

TEST(fault_dma_writes)
{
	enum { ALL = 64 * 4 }; /* 0xa5 has four ones */
	static const struct {
		const char *spec;
		int err;
		unsigned now, later;
	} cases[] = {
		{ "tdemo-dev0.dma_write", -EFAULT, ALL, ALL },
		{ "tdemo-dev0.dma_write,action=fail", -EFAULT, ALL, ALL },
		{ "tdemo-dev0.dma_write,action=corrupt", 0, 1, 1 },
		{ "tdemo-dev0.dma_write,action=drop", 0, ALL, ALL },
		{ "tdemo-dev0.dma_write,delay=5us", 0, ALL, 0 },
		{ "tdemo-dev0.dma_write,delay=6us", 0, ALL, ALL },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct tdev *t = armed("tdemo-dev", cases[i].spec);

		written(t, cases[i].err, cases[i].now, cases[i].later);
		tdev_run_us(t, 10);
		listed(t, cases[i].err, cases[i].now, cases[i].later);
		tdev_free(t);
	}
}

TEST(fault_dma_list_read_is_corrupt_in_the_device_only)
{
	struct tdev *t = armed("tdemo-dev", "tdemo-dev0.dma_read,action=corrupt");
	struct dma_list l = { .dev = tdev_device(t) };
	u8 data[64], *ram = tdev_ram(t, 0x2000);

	memset(ram, 0x3c, 64);
	CHECK_EQ(dma_list_add(&l, 0x2000, 64), 0);
	CHECK_EQ(dma_list_read(&l, 0, data, 64), 64);
	CHECK_EQ(bits_wrong(ram, data, 64), 1);
	CHECK_EQ(dma_list_finish(&l, 0), 0);
	for (unsigned i = 0; i < 64; i++)
		CHECK_EQ(ram[i], 0x3c);
	dma_list_free(&l);
	tdev_free(t);
}

TEST(fault_messages)
{
	struct tdev *t = armed("crc", "crc0.irq0,times=1");

	run(t);
	CHECK_EQ(tdev_irqs(t, 0), 0);
	CHECK_EQ(tdev_r32(t, "status"), ST_DONE);
	run(t);
	CHECK_EQ(tdev_irqs(t, 0), 1);
	CHECK_EQ(fault_arm(tdev_machine(t), "crc0.irq0,action=double", NULL), 0);
	run(t);
	CHECK_EQ(tdev_irqs(t, 0), 3);
	CHECK_EQ(fault_arm(tdev_machine(t), "crc0.irq0,delay=20us", NULL), 0);
	run(t);
	tdev_run_us(t, 19);
	CHECK_EQ(tdev_irqs(t, 0), 3);
	tdev_run_us(t, 1);
	CHECK_EQ(tdev_irqs(t, 0), 4);
	/* the other vector is another point */
	CHECK_EQ(fault_arm(tdev_machine(t), "crc0.irq0", NULL), 0);
	tdev_w64(t, "src", ~0ull - 4);
	tdev_w32(t, "ctl", CTL_START);
	tdev_run_us(t, 10);
	CHECK_EQ(tdev_irqs(t, 1), 1);
	tdev_free(t);
}

TEST(fault_lines)
{
	struct tdev *t = armed("tdemo-dev", "tdemo-dev0.line,times=1");
	struct irq *line = device_output(tdev_device(t), "line", 1);

	irq_pulse(line);
	CHECK_EQ(tdev_irqs(t, 1), 0);
	irq_pulse(line);
	CHECK_EQ(tdev_irqs(t, 1), 1);
	CHECK_EQ(fault_arm(tdev_machine(t), "tdemo-dev0.line,action=double", NULL), 0);
	irq_pulse(line);
	CHECK_EQ(tdev_irqs(t, 1), 3);
	/* one that is low again when it arrives is a pulse, another one stays high */
	CHECK_EQ(fault_arm(tdev_machine(t), "tdemo-dev0.line,delay=2us", NULL), 0);
	irq_pulse(line);
	tdev_run_us(t, 1);
	CHECK_EQ(tdev_irqs(t, 1), 3);
	tdev_run_us(t, 1);
	CHECK_EQ(tdev_irqs(t, 1), 4);
	/* one element, by its number */
	CHECK_EQ(fault_disarm(tdev_machine(t), "tdemo-dev0.line", NULL), 0);
	CHECK_EQ(fault_arm(tdev_machine(t), "tdemo-dev0.line[0]", NULL), 0);
	irq_pulse(line);
	CHECK_EQ(tdev_irqs(t, 1), 5);
	irq_pulse(line - 1);
	CHECK_EQ(tdev_irqs(t, 0), 0);
	tdev_free(t);
}

TEST(fault_timers)
{
	struct tdev *t = armed("crc", "crc0.timer,times=1");

	run(t);
	tdev_run_us(t, 1000);
	CHECK_EQ(tdev_r32(t, "status"), ST_BUSY);
	tdev_free(t);
	t = armed("crc", "crc0.timer,delay=30us");
	run(t);
	tdev_run_us(t, 29);
	CHECK_EQ(tdev_r32(t, "status"), ST_BUSY);
	tdev_run_us(t, 1);
	CHECK_EQ(tdev_r32(t, "status"), ST_DONE);
	/* started again while late: the next firing is a visit of its own */
	run(t);
	device_reset(tdev_device(t));
	run(t);
	CHECK_EQ(tdev_r32(t, "status"), ST_BUSY);
	tdev_free(t);
}

TEST(fault_mistakes_about_points)
{
	static const char *const bad[] = {
		"crc0.sttaus.read",	   "crc0.nothing",
		"crc0.irq0,value=5",	   "crc0.id.read,action=drop",
		"crc0.dma_read,delay=5us", "crc0.timer,action=double",
		"crc0.stuck,action=drop",  "crc0.irq0,action=delay",
		"crc0.irq0,delay=x",	   "crc0.id.read,value=",
		"crc0.irq0,action=vanish",
	};
	struct tdev *t = tdev_new("crc");

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct error e = { 0 };

		if (!fault_arm(tdev_machine(t), bad[i], &e))
			fprintf(stderr, "%s is taken\n", bad[i]);
		CHECK(error_is_set(&e));
		error_clear(&e);
	}
	/* of a device that may come */
	CHECK_EQ(fault_arm(tdev_machine(t), "crc1.anything", NULL), 0);
	tdev_free(t);
}

TEST(fault_of_a_device_that_comes_later)
{
	struct tdev *t = tdev_empty();

	CHECK_EQ(fault_arm(tdev_machine(t), "crc0.id.read,value=3", NULL), 0);
	CHECK_EQ(fault_kinds(tdev_machine(t), "crc0.id.read"), 0);
	tdev_plug(t, "crc", NULL);
	CHECK_EQ(fault_kinds(tdev_machine(t), "crc0.id.read"), FAULT_READ);
	CHECK_EQ(tdev_r32(t, "id"), 3);
	tdev_free(t);
}

static struct snapshot_part *faults_of(struct tdev *t)
{
	struct snapshot_part *p;

	list_for_each (p, &tdev_machine(t)->priv->parts, link) {
		if (!strcmp(p->name, "faults"))
			return p;
	}
	return NULL;
}

/* What is delayed and how often points were met goes on elsewhere. */
TEST(fault_snapshot)
{
	static const char spec[] = "crc0.irq0,delay=20us,interval=2";
	struct tdev *a = armed("crc", spec), *b = armed("crc", spec);
	struct snapshot_part *from = faults_of(a), *to = faults_of(b);
	struct blob blob = { 0 };
	struct error e = { 0 };

	run(a);
	CHECK_EQ(tdev_irqs(a, 0), 1);
	run(a);
	CHECK_EQ(tdev_irqs(a, 0), 1);
	tdev_run_us(a, 5);
	from->save(from->arg, &blob);
	clock_set(&tdev_machine(b)->clock, clock_now(&tdev_machine(a)->clock));
	CHECK_EQ(to->load(to->arg, &blob, &e), 0);
	tdev_run_us(b, 14);
	CHECK_EQ(tdev_irqs(b, 0), 0);
	tdev_run_us(b, 1);
	CHECK_EQ(tdev_irqs(b, 0), 1);
	run(b); /* the third: not delayed */
	CHECK_EQ(tdev_irqs(b, 0), 2);
	/* torn ones are refused */
	for (size_t n = blob.n; n-- > blob.n - 40;) {
		struct blob part = { .at = blob.at, .n = n };

		if (to->load(to->arg, &part, &e))
			CHECK(error_is_set(&e));
		error_clear(&e);
	}
	blob_fini(&blob);
	tdev_free(a);
	tdev_free(b);
}

TEST(fault_late_things_end_with_a_reset)
{
	struct tdev *t = armed("crc", "crc0.irq0,delay=20us");

	run(t);
	machine_reset(tdev_machine(t));
	tdev_run_us(t, 30);
	CHECK_EQ(tdev_irqs(t, 0), 0);
	tdev_free(t);
}
