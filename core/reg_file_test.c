/* SPDX-License-Identifier: GPL-2.0-or-later */
/* reg_file_test.c - numbered banks, banks that a device makes in its init, files that settings
 * name, and signed settings. */
#include "core/tdev.h"
#include "lib/alloc.h"
#include "lib/error.h"
#include "lib/test.h"
#include <errno.h>
#include <stdio.h>
#include <unistd.h>

struct tnum {
	struct device dev;
	char *file;
	u16 temp, limit[3];
	u8 config;
	u32 late;
	s32 level;
	s16 small;
	struct reg regs[2];
	struct bank bank;
};

static int tnum_init(void *dev, struct error *e)
{
	struct tnum *d = dev;
	char *text;
	size_t n;
	int err = d->file ? device_file(d, d->file, 64, &text, &n, e) : 0;

	if (err)
		return err;
	d->regs[0] = (struct reg){ .name = d->file ? text : "late",
				   .at = 4,
				   .off = offsetof(struct tnum, late),
				   .size = d->file ? 3 : 4,
				   .reset = 7 };
	d->bank = (struct bank){ .name = "late", .regs = d->regs, .size = 8 };
	err = device_add_bank(d, &d->bank, e);
	if (d->file)
		free(text);
	return err;
}

static const struct reg tnum_regs[] = {
	REG(0, struct tnum, temp, RO, .reset = 0x1900, .doc = "16 bits."),
	REG(1, struct tnum, config, .doc = "8 bits."),
	REGS(2, struct tnum, limit, 1, .reset = 0x4b00, .doc = "16 bits each."),
	{}
};
static const struct bank tnum_banks[] = {
	{ .name = "file", .regs = tnum_regs, .size = 8, .numbered = true }, {}
};
static const struct prop tnum_props[] = {
	PROP(struct tnum, file, .kind = PROP_STR, .doc = "A name."),
	PROP(struct tnum, level, .kind = PROP_INT, .def = (u64)-5, .min = (u64)-100, .max = 100,
	     .doc = "Signed."),
	PROP(struct tnum, small, .kind = PROP_INT, .doc = "Signed."),
	{}
};
static const struct state tnum_state[] = {
	DERIVED(struct tnum, late), DERIVED(struct tnum, regs), DERIVED(struct tnum, bank), {}
};
DEVICE(tnum, .name = "tnum", .doc = "Registers with numbers.", .banks = tnum_banks,
       .props = tnum_props, .state = tnum_state, .init = tnum_init);

TEST(reg_numbered)
{
	struct tdev *t = tdev_new("tnum");
	struct tnum *d = (struct tnum *)tdev_device(t);

	CHECK_EQ(tdev_r16(t, "temp"), 0x1900);
	CHECK_EQ(tdev_r16(t, "limit[2]"), 0x4b00);
	tdev_w16(t, "limit[1]", 0x1234);
	tdev_w8(t, "config", 0x56);
	CHECK_EQ(d->limit[1], 0x1234);
	CHECK_EQ(d->limit[0], 0x4b00);
	CHECK_EQ(d->config, 0x56);
	/* any other width is refused, and a number without a register */
	CHECK_EQ(tdev_r8(t, "temp"), 0xff);
	CHECK_EQ(tdev_read_at(t, 0, 1, 2), 0xffff);
	CHECK_EQ(tdev_read_at(t, 0, 5, 1), 0xff);
	tdev_free(t);
}

TEST(bank_made_in_init)
{
	struct tdev *t = tdev_new("tnum");

	CHECK_EQ(tdev_r32(t, "late"), 7);
	tdev_w32(t, "late", 9);
	CHECK_EQ(((struct tnum *)tdev_device(t))->late, 9);
	tdev_free(t);
}

TEST(bank_and_file_mistakes)
{
	char path[] = "/tmp/quern-reg-XXXXXX", props[64];
	struct machine *m = machine_new();
	struct error e = { 0 };
	int fd = mkstemp(path);

	CHECK(fd >= 0 && write(fd, "odd", 3) == 3);
	close(fd);
	snprintf(props, sizeof(props), "file=%s", path);
	CHECK(!device_make(m, "tnum", NULL, props, &e));
	CHECK_STR(e.text, "device class tnum: register odd has 3 bytes");
	error_clear(&e);
	unlink(path);
	CHECK(!device_make(m, "tnum", NULL, props, &e));
	CHECK(strstr(e.text, path) && strstr(e.text, "No such file"));
	error_clear(&e);
	machine_free(m);
}

TEST(prop_signed)
{
	struct machine *m = machine_new();
	struct error e = { 0 };
	struct device *d = device_new(m, "tnum", NULL, &e);
	struct tnum *t = (struct tnum *)d;

	CHECK_EQ(t->level, -5);
	CHECK_EQ(device_set(d, "level", "-100", &e), 0);
	CHECK_EQ(t->level, -100);
	CHECK_EQ(device_set(d, "small", "-32768", &e), 0);
	CHECK_EQ(t->small, -32768);
	CHECK_EQ(device_set(d, "small", "32768", &e), -ERANGE);
	CHECK_STR(e.text, "property 'small' cannot be 32768: it goes from -32768 to 32767");
	error_clear(&e);
	CHECK_EQ(device_set(d, "level", "-101", &e), -ERANGE);
	CHECK_STR(e.text, "property 'level' cannot be -101: it goes from -100 to 100");
	error_clear(&e);
	CHECK_EQ(device_set(d, "level", "warm", &e), -EINVAL);
	error_clear(&e);
	CHECK_EQ(t->level, -100);
	machine_free(m);
}
