/* SPDX-License-Identifier: GPL-2.0-or-later */
/* smbus-eeprom - 256 bytes on an SMBus, as memory modules carry them: with module=SIZE they
 * describe a DDR3 module of that size (JEDEC 21-C, annex K). */
#include <quern/i2c.h>
#include <errno.h>

enum { SPD_BYTES = 256, CRC_COVERS = 117 };

struct smbus_eeprom {
	struct device dev;
	u64 module;
	u8 data[SPD_BYTES];
};

/* CRC-16 with the polynomial x^16 + x^12 + x^5 + 1, from 0 (annex K, bytes 126 and 127). */
static u16 crc16(const u8 *p, unsigned n)
{
	u16 crc = 0;

	for (; n; n--) {
		crc ^= *p++ << 8;
		for (unsigned i = 0; i < 8; i++)
			crc = crc & 0x8000 ? (crc << 1) ^ 0x1021 : crc << 1;
	}
	return crc;
}

/* A module of eight-bit chips, 64 bits wide: 256 Mbit to 8 Gbit each, up to four ranks of them; one
 * of 128 MiB has four chips of 16 bits. */
static void organize(struct smbus_eeprom *d)
{
	u32 mib = d->module >> 20, per_rank = mib == 128 ? 256 : mib;
	unsigned ranks = 1, density = 0;

	while (per_rank > 8192) {
		per_rank /= 2;
		ranks *= 2;
	}
	while (256u << density < per_rank)
		density++;
	d->data[4] = density; /* 8 banks; 256 Mbit << density */
	/* rows from 12, columns from 9: what a chip of this size has */
	d->data[5] = MIN(density, 4u) << 3 | (mib == 128 ? 0 : density > 4 ? 2 : 1);
	d->data[7] = (ranks - 1) << 3 | (mib == 128 ? 2 : 1);
	d->data[8] = 0x03; /* 64 bits, no ECC */
}

/* DDR3-1066 at CL 7, in units of 1/8 ns. */
static void describe(struct smbus_eeprom *d)
{
	static const u8 timing[] = { 0x01, 0x08, 0x0f, 0x00, 0x1c, 0x00, 0x69, 0x78, 0x69, 0x3c,
				     0x69, 0x11, 0x2c, 0x95, 0x70, 0x03, 0x3c, 0x3c, 0x01, 0x2c };
	u8 *p = d->data;

	p[0] = 0x92; /* 176 of 256 bytes used, the code covers 117 */
	p[1] = 0x10; /* revision 1.0 */
	p[2] = 0x0b; /* DDR3 */
	p[3] = 0x02; /* unbuffered */
	organize(d);
	p[9] = 0x11; /* fine timebase 1 ps */
	memcpy(p + 10, timing, sizeof(timing));
	p[30] = 0x82; /* drive strengths */
	p[60] = 0x0f; /* 30 mm high */
	st16le(p + 126, crc16(p, CRC_COVERS));
	memcpy(p + 128, "QUERN MODULE      ", 18);
}

static void smbus_eeprom_reset(void *dev)
{
	struct smbus_eeprom *d = dev;

	if (d->module)
		describe(d);
}

static int smbus_eeprom_init(void *dev, struct error *e)
{
	struct smbus_eeprom *d = dev;

	if (!(d->module & (d->module - 1)))
		return 0;
	error_set(e, "property 'module' takes a power of two, not %llu",
		  (unsigned long long)d->module);
	return -EINVAL;
}

static const struct reg smbus_eeprom_regs[] = {
	REGS(0, struct smbus_eeprom, data, 1, .doc = "Contents."), {}
};
static const struct bank smbus_eeprom_banks[] = {
	{ .name = "data", .regs = smbus_eeprom_regs, .size = SPD_BYTES, .narrow = true }, {}
};
static const struct prop smbus_eeprom_props[] = {
	PROP(struct smbus_eeprom, module, .kind = PROP_SIZE, .max = 32ull << 30,
	     .doc = "It describes a memory module of this size, a power of two from 128M; 0: it is "
		    "empty."),
	{}
};
I2C_DEVICE(smbus_eeprom,
	   .dev = { .api = QUERN_DEVICE_API,
		    .name = "smbus-eeprom",
		    .doc = "256 bytes of EEPROM",
		    .bus = "i2c-bus",
		    .size = sizeof(struct smbus_eeprom),
		    .banks = smbus_eeprom_banks,
		    .props = smbus_eeprom_props,
		    .init = smbus_eeprom_init,
		    .reset = smbus_eeprom_reset },
	   .address = 0x50, .pointer = { .bytes = 1 });
