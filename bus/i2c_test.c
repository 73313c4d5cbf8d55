/* SPDX-License-Identifier: GPL-2.0-or-later */
/* i2c_test.c - messages on the bus, registers behind pointers, SMBus's protocols, and the two host
 * controllers, as their drivers see them. */
#include "bus/i2c.h"
#include "bus/pci.h"
#include "core/fault.h"
#include "core/tdev.h"
#include "lib/error.h"
#include "lib/str.h"
#include "lib/test.h"
#include <errno.h>

/* A target with registers of all widths, little-endian by bytes. */
struct treg {
	struct device dev;
	u8 a, b;
	u16 half;
	u32 wide;
};
static const struct reg treg_regs[] = { REG(0x00, struct treg, a, .doc = "A."),
					REG(0x01, struct treg, b, RO, .reset = 0x5a, .doc = "B."),
					REG(0x02, struct treg, half, .doc = "H."),
					REG(0x04, struct treg, wide, .doc = "W."),
					{} };
static const struct bank treg_banks[] = { { .name = "regs", .regs = treg_regs, .size = 8 }, {} };
static const struct bank treg_narrow[] = {
	{ .name = "regs", .regs = treg_regs, .size = 8, .narrow = true }, {}
};
#define TREG(T, banks_, ...) \
	static const struct i2c_class T##_class = { .dev = { .api = QUERN_DEVICE_API, \
							     .name = #T, \
							     .doc = "A target of the tests.", \
							     .bus = "i2c-bus", \
							     .size = sizeof(struct treg), \
							     .banks = banks_ }, \
						    .address = 0x20, \
						    .pointer = { __VA_ARGS__ } }; \
	QUERN_REGISTER(T##_class)
TREG(treg_whole, treg_banks, .bytes = 1);
TREG(treg_bytes, treg_narrow, .bytes = 1, .big_endian = true);
TREG(treg_far, treg_banks, .bytes = 2);
TREG(treg_pec, treg_banks, .bytes = 1, .pec = true);

static void message(struct tdev *t, const char *bytes, unsigned n)
{
	CHECK_EQ(i2c_start(tdev_i2c(t), 0x20, false), 0);
	for (unsigned i = 0; i < n; i++)
		CHECK_EQ(i2c_send(tdev_i2c(t), (u8)bytes[i]), 0);
}

static void expect(struct tdev *t, const char *bytes, unsigned n)
{
	CHECK_EQ(i2c_start(tdev_i2c(t), 0x20, true), 0);
	for (unsigned i = 0; i < n; i++)
		CHECK_EQ(i2c_recv(tdev_i2c(t)), (u8)bytes[i]);
	i2c_stop(tdev_i2c(t));
}

TEST(i2c_registers_whole)
{
	struct tdev *t = tdev_new("treg-whole");
	struct treg *d = (struct treg *)tdev_device(t);

	message(t, "\x00\x11\x99\x22\x33\x44\x55\x66", 8); /* b is read-only */
	i2c_stop(tdev_i2c(t));
	CHECK_EQ(d->a, 0x11);
	CHECK_EQ(d->half, 0x3322);
	CHECK_EQ(d->wide, 0); /* three of its four bytes */
	message(t, "\x04\x01\x02\x03\x04", 5);
	i2c_stop(tdev_i2c(t));
	CHECK_EQ(d->wide, 0x04030201);
	/* the pointer wraps */
	message(t, "\x04", 1);
	expect(t, "\x01\x02\x03\x04\x11\x5a\x22\x33", 8);
	/* a pointer that is too large wraps, the middle of a register is nothing */
	message(t, "\x09", 1);
	expect(t, "\x5a", 1);
	message(t, "\x05", 1);
	expect(t, "\xff", 1);
	tdev_free(t);
}

TEST(i2c_registers_by_bytes)
{
	struct tdev *t = tdev_new("treg-bytes");
	struct treg *d = (struct treg *)tdev_device(t);

	message(t, "\x02\x12\x34\x56\x78", 5);
	i2c_stop(tdev_i2c(t));
	CHECK_EQ(d->half, 0x1234);
	CHECK_EQ(d->wide, 0x56780000);
	message(t, "\x03", 1);
	expect(t, "\x34\x56\x78\x00\x00\x00\x5a", 7);
	tdev_free(t);
}

TEST(i2c_pointer_of_two_bytes)
{
	struct tdev *t = tdev_new("treg-far");

	message(t, "\x00\x01", 2);
	expect(t, "\x5a", 1);
	tdev_free(t);
}

static int transfer(struct tdev *t, struct smbus *s)
{
	s->address = 0x20;
	return smbus_transfer(tdev_i2c(t), s);
}

TEST(i2c_packet_error_codes)
{
	struct tdev *t = tdev_new("treg-pec");
	struct treg *d = (struct treg *)tdev_device(t);
	struct smbus s = {
		.protocol = SMBUS_WORD_DATA, .command = 2, .pec = true, .data = { 0xcd, 0xab }
	};
	struct error e = { 0 };

	/* SMBus 3.1 gives CRC-8 of "123456789" as F4h by its polynomial */
	u8 pec = 0;
	for (const char *p = "123456789"; *p; p++)
		pec = smbus_pec(pec, (u8)*p);
	CHECK_EQ(pec, 0xf4);

	CHECK_EQ(transfer(t, &s), 0);
	CHECK_EQ(d->half, 0xabcd);
	CHECK_EQ(s.bytes, 5); /* address, command, two of data, code */
	s = (struct smbus){ .protocol = SMBUS_WORD_DATA, .command = 2, .pec = true, .recv = true };
	CHECK_EQ(transfer(t, &s), 0);
	CHECK_EQ(ld16le(s.data), 0xabcd);
	s.pec = false;
	CHECK_EQ(transfer(t, &s), 0);
	/* a wrong code is not acknowledged and nothing is stored */
	message(t, "\x02\x11\x22", 3);
	CHECK_EQ(i2c_send(tdev_i2c(t), 0), -EIO);
	i2c_stop(tdev_i2c(t));
	CHECK_EQ(d->half, 0xabcd);
	/* without a code it is stored */
	s = (struct smbus){ .protocol = SMBUS_WORD_DATA, .command = 2, .data = { 1, 2 } };
	CHECK_EQ(transfer(t, &s), 0);
	CHECK_EQ(d->half, 0x0201);
	/* a broken bit is noticed */
	CHECK_EQ(fault_arm(tdev_machine(t), "treg_pec.corrupt,times=1", &e), 0);
	s = (struct smbus){ .protocol = SMBUS_WORD_DATA, .command = 2, .pec = true, .recv = true };
	CHECK(transfer(t, &s) < 0);
	CHECK_EQ(transfer(t, &s), 0);
	tdev_free(t);
}

TEST(i2c_faults_and_nobody)
{
	struct tdev *t = tdev_new("treg-whole");
	struct i2c_bus *b = tdev_i2c(t);
	struct error e = { 0 };

	CHECK_EQ(i2c_start(b, 0x21, false), -ENXIO);
	CHECK_EQ(i2c_send(b, 0), -EIO);
	CHECK_EQ(i2c_recv(b), 0xff);
	CHECK_EQ(fault_arm(tdev_machine(t), "treg_whole0.nack,times=1", &e), 0);
	CHECK_EQ(fault_arm(tdev_machine(t), "lines.stuck,times=1", &e), 0);
	CHECK_EQ(i2c_start(b, 0x20, false), -ETIMEDOUT);
	CHECK_EQ(fault_arm(tdev_machine(t), "lines.lost,times=1", &e), 0);
	CHECK_EQ(i2c_start(b, 0x20, false), -EAGAIN);
	CHECK_EQ(i2c_start(b, 0x20, false), -ENXIO);
	CHECK_EQ(i2c_start(b, 0x20, false), 0);
	i2c_stop(b);
	/* registers break as in memory */
	CHECK_EQ(fault_arm(tdev_machine(t), "treg_whole0.b.read,value=0x77,times=1", &e), 0);
	message(t, "\x01", 1);
	expect(t, "\x77", 1);
	message(t, "\x01", 1);
	expect(t, "\x5a", 1);
	CHECK(fault_arm(tdev_machine(t), "treg_whole0.bend", &e) < 0);
	CHECK(strstr(e.text, "has no fault point 'bend'"));
	error_clear(&e);
	tdev_free(t);
}

TEST(i2c_addresses)
{
	struct tdev *t = tdev_new("treg-whole");
	struct machine *m = tdev_machine(t);
	struct error e = { 0 };

	CHECK(!device_make(m, "treg-far", NULL, NULL, &e));
	CHECK_STR(e.text, "address 0x20 of bus 'ti2c' is taken by 'treg_whole0'");
	error_clear(&e);
	CHECK(!device_make(m, "treg-far", NULL, "address=0x78", &e));
	CHECK_STR(e.text, "property 'address' takes a number from 0x8 to 0x77, not '0x78'");
	error_clear(&e);
	CHECK(!device_make(m, "treg-far", NULL, "bus=i2c", &e));
	CHECK_STR(e.text, "there is no I2C bus 'i2c'");
	error_clear(&e);
	CHECK(device_make(m, "treg-far", NULL, "address=0x21,bus=ti2c", &e));
	tdev_free(t);
}

/* ---- host controllers */

enum { BUSY = 1, INTR = 2, DEV_ERR = 4, BUS_ERR = 8, FAILED = 16, BYTE_DONE = 128 };

static struct device *target(struct tdev *t, const char *class, const char *props)
{
	struct error e = { 0 };
	struct device *d = device_make(tdev_machine(t), class, "target", props, &e);

	if (!d)
		test_fail(__FILE__, __LINE__, "%s", e.text);
	return d;
}

static u8 host(struct tdev *t, u8 protocol, u8 address, u8 command)
{
	tdev_w8(t, "hststs", 0xff);
	tdev_w8(t, "hstadd", address);
	tdev_w8(t, "hstcmd", command);
	tdev_w8(t, "hstcnt", 0x40 | protocol << 2 | 1);
	CHECK_EQ(tdev_r8(t, "hststs") & ~0x40, BUSY);
	tdev_run_us(t, 50);
	CHECK_EQ(tdev_r8(t, "hststs") & ~0x40, BUSY);
	tdev_run_us(t, 4000);
	return tdev_r8(t, "hststs") & ~0x40;
}

static void protocols(struct tdev *t)
{
	struct error e = { 0 };

	target(t, "tmp105", "bus=i2c,temperature=25500");
	CHECK_EQ(host(t, 0, 0x90, 0), INTR);
	CHECK_EQ(host(t, 0, 0x92, 0), DEV_ERR);
	CHECK_EQ(host(t, 3, 0x91, 0), INTR); /* word data: low byte first, and the chip's is high */
	CHECK_EQ(tdev_r8(t, "hstdat0"), 0x19);
	CHECK_EQ(tdev_r8(t, "hstdat1"), 0x80);
	tdev_w8(t, "hstdat0", 0x60);
	CHECK_EQ(host(t, 2, 0x90, 1), INTR);
	CHECK_EQ(host(t, 1, 0x91, 0), INTR);
	CHECK_EQ(tdev_r8(t, "hstdat0"), 0xe0); /* AL: no alert */
	tdev_w8(t, "hstcnt", 0);
	CHECK_EQ(fault_arm(tdev_machine(t), "*.hang,times=1", &e), 0);
	CHECK_EQ(host(t, 0, 0x90, 0), BUSY);
	tdev_w8(t, "hstcnt", 2);
	CHECK_EQ(tdev_r8(t, "hststs") & ~0x40, FAILED);
	tdev_w8(t, "hstcnt", 0);
	CHECK_EQ(fault_arm(tdev_machine(t), "*.stuck,times=1", &e), 0);
	CHECK_EQ(host(t, 0, 0x90, 0), BUSY);
	tdev_run_us(t, 30000);
	CHECK_EQ(tdev_r8(t, "hststs") & ~0x40, DEV_ERR);
	CHECK_EQ(fault_arm(tdev_machine(t), "*.lost,times=1", &e), 0);
	CHECK_EQ(host(t, 0, 0x90, 0), BUS_ERR);
}

static void config(struct tdev *t, u32 off, unsigned size, u32 val)
{
	pci_config_access(tdev_pci(t), 0, 0, off, size, true, val);
}

TEST(piix4_smbus)
{
	struct tdev *t = tdev_new("PIIX4_PM");

	config(t, 0xd2, 1, 9);
	protocols(t);
	CHECK(tdev_irqs(t, 0) >= 6);
	CHECK_EQ(tdev_level(t, "irq", 0), 1);
	tdev_w8(t, "hststs", 0x1e);
	CHECK_EQ(tdev_level(t, "irq", 0), 0);
	tdev_free(t);
}

TEST(ich9_smbus)
{
	struct tdev *t = tdev_new("ICH9-SMB");

	tdev_w8(t, "hstcnt", 0x41); /* not enabled: nothing happens */
	CHECK_EQ(tdev_r8(t, "hststs") & ~0x40, 0);
	config(t, 0x40, 1, 1);
	protocols(t);
	CHECK_EQ(tdev_level(t, "intx", 0), 1);
	tdev_w8(t, "hststs", 0x1e);
	CHECK_EQ(tdev_level(t, "intx", 0), 0);
	tdev_free(t);
}

/* An I2C block read of the EEPROM, byte by byte with an interrupt each. */
TEST(ich9_smbus_bytes)
{
	struct tdev *t = tdev_new("ICH9-SMB");

	config(t, 0x40, 1, 5); /* enabled, I2C_EN: no count on the wire */
	target(t, "at24c-eeprom", "bus=i2c");
	tdev_w8(t, "hstdat0", 2);
	tdev_w8(t, "blockdb", 0xde);
	CHECK_EQ(host(t, 5, 0xa0, 0x10), BUSY | BYTE_DONE);
	CHECK_EQ(tdev_level(t, "intx", 0), 1);
	tdev_w8(t, "blockdb", 0xad);
	tdev_w8(t, "hststs", BYTE_DONE);
	CHECK_EQ(tdev_level(t, "intx", 0), 0);
	tdev_run_us(t, 200);
	CHECK_EQ(tdev_r8(t, "hststs") & ~0x40, BUSY | BYTE_DONE);
	tdev_w8(t, "hststs", BYTE_DONE);
	CHECK_EQ(tdev_r8(t, "hststs") & ~0x40, INTR);
	config(t, 0x40, 1, 1);
	tdev_w8(t, "hstdat1", 0x10);
	CHECK_EQ(host(t, 6, 0xa0, 0), BUSY | BYTE_DONE);
	CHECK_EQ(tdev_r8(t, "blockdb"), 0xde);
	tdev_w8(t, "hstcnt", 6 << 2 | 0x20 | 1); /* the next one is the last */
	tdev_w8(t, "hststs", BYTE_DONE);
	tdev_run_us(t, 200);
	CHECK_EQ(tdev_r8(t, "blockdb"), 0xad);
	tdev_w8(t, "hststs", BYTE_DONE);
	CHECK_EQ(tdev_r8(t, "hststs") & ~0x40, INTR);
	tdev_free(t);
}

/* ---- targets */

TEST(tmp105_alert)
{
	struct tdev *t = tdev_new_props("tmp105", "temperature=-500");
	struct device *d = tdev_device(t);
	struct error e = { 0 };

	CHECK_EQ(tdev_r16(t, "temp"), 0xff80);
	CHECK_EQ(tdev_level(t, "alert", 0), 1); /* low is active */
	tdev_w8(t, "conf", 0x60);
	CHECK_EQ(device_set(d, "temperature", "80062", &e), 0);
	CHECK_EQ(tdev_r16(t, "temp"), 0x5000);
	CHECK_EQ(device_set(d, "temperature", "-63", &e), 0);
	CHECK_EQ(tdev_r16(t, "temp"), 0xffe0);
	CHECK_EQ(device_set(d, "temperature", "80063", &e), 0);
	CHECK_EQ(tdev_r16(t, "temp"), 0x5010);
	CHECK_EQ(tdev_level(t, "alert", 0), 0);
	CHECK_EQ(device_set(d, "temperature", "75000", &e), 0);
	CHECK_EQ(tdev_level(t, "alert", 0), 0);
	CHECK_EQ(device_set(d, "temperature", "74900", &e), 0);
	CHECK_EQ(tdev_level(t, "alert", 0), 1);
	/* asleep until asked */
	tdev_w8(t, "conf", 1);
	CHECK_EQ(device_set(d, "temperature", "10000", &e), 0);
	CHECK_EQ(tdev_r16(t, "temp"), 0x4ae0);
	tdev_w8(t, "conf", 0x81);
	CHECK_EQ(tdev_r16(t, "temp"), 0x0a00);
	/* interrupt mode: until something is read */
	tdev_w8(t, "conf", 6);
	CHECK_EQ(tdev_level(t, "alert", 0), 0);
	CHECK_EQ(device_set(d, "temperature", "90000", &e), 0);
	CHECK_EQ(tdev_level(t, "alert", 0), 1);
	CHECK_EQ(i2c_start(tdev_i2c(t), 0x48, true), 0);
	CHECK_EQ(tdev_level(t, "alert", 0), 0);
	CHECK_EQ(i2c_recv(tdev_i2c(t)), 0x5a);
	CHECK_EQ(i2c_recv(tdev_i2c(t)), 0x00);
	CHECK_EQ(i2c_recv(tdev_i2c(t)), 0x5a); /* the same again */
	i2c_stop(tdev_i2c(t));
	tdev_free(t);
}

TEST(at24c_pages)
{
	struct tdev *t = tdev_new_props("at24c-eeprom", "address=0x20,rom-size=4096,write-us=5000");

	/* from the page's last two bytes round to its beginning */
	message(t,
		"\x00\x3e"
		"abcd",
		6);
	i2c_stop(tdev_i2c(t));
	CHECK_EQ(i2c_start(tdev_i2c(t), 0x20, false), -ENXIO);
	tdev_run_us(t, 5001);
	message(t, "\x00\x3e", 2);
	expect(t, "ab\0\0", 4);
	message(t, "\x00\x20", 2);
	expect(t, "cd\0", 3);
	tdev_free(t);
	t = tdev_new_props("at24c-eeprom", "address=0x20,writable=off");
	message(t,
		"\x00"
		"a",
		2);
	i2c_stop(tdev_i2c(t));
	message(t, "\xff", 1);
	expect(t, "\0\0", 2); /* wraps */
	tdev_free(t);
}

/* Against the machine's own clock, and what a driver does to set it. */
TEST(ds1338_time)
{
	struct tdev *t = tdev_new_props("ds1338", "address=0x20");
	struct clock *c = &tdev_machine(t)->clock;

	/* 2024-02-29 23:59:58, a Thursday */
	c->wall_offset = 1709251198ll * 1000000000 - (s64)clock_now(c);
	message(t, "\x00", 1);
	expect(t, "\x58\x59\x23\x05\x29\x02\x24\x93", 8);
	tdev_run_us(t, 2000000);
	message(t, "\x00", 1);
	expect(t, "\x00\x00\x00\x06\x01\x03\x24", 7);
	/* 2031-12-31 11:59:59 PM as day 2, and what memory follows */
	message(t, "\x00\x59\x59\x71\x02\x31\x12\x31", 8);
	i2c_stop(tdev_i2c(t));
	message(t, "\x3f\xaa", 2);
	i2c_stop(tdev_i2c(t));
	tdev_run_us(t, 1000000);
	device_reset(tdev_device(t));
	message(t, "\x3f", 1);
	expect(t, "\xaa\x00\x00\x52\x03\x01\x01\x32", 8);
	/* stopped, it stands, and says so later */
	message(t, "\x00\x80", 2);
	i2c_stop(tdev_i2c(t));
	tdev_run_us(t, 5000000);
	message(t, "\x00", 1);
	expect(t, "\x80", 1);
	message(t, "\x07", 1);
	expect(t, "\xb3", 1);
	message(t, "\x07\x00", 2);
	i2c_stop(tdev_i2c(t));
	message(t, "\x07", 1);
	expect(t, "\x00", 1);
	tdev_free(t);
}
