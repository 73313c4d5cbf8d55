/* SPDX-License-Identifier: GPL-2.0-or-later */
/* i8237 - the two ISA DMA controllers and their page registers (Intel 8237A data sheet, 1993; PIIX3
 * data sheet 2.5.1). Registers only: no device here asks for ISA DMA, so nothing is ever
 * transferred, and a request by software is reported. */
#include <quern/device.h>

enum { STATUS_REQUESTS = 0xf0, MASK_CHANNELS = 0x0f };

struct dma {
	u16 base_address[4], base_count[4], address[4], count[4];
	u8 mode[4];
	u8 command, request, mask, status;
	bool high; /* the byte pointer: the upper byte is next */
	u8 pad[1];
};
struct i8237 {
	struct device dev;
	struct dma dma[2];
	u8 page[16];
};

static void master_clear(struct dma *c)
{
	c->command = c->request = c->status = 0;
	c->mask = MASK_CHANNELS;
	c->high = false;
}

static void put_byte(struct dma *c, u16 *base, u16 *now, u8 v)
{
	*base = c->high ? (*base & 0xff) | v << 8 : (*base & 0xff00) | v;
	*now = *base;
	c->high = !c->high;
}

static u8 get_byte(struct dma *c, u16 v)
{
	bool high = c->high;

	c->high = !high;
	return high ? v >> 8 : v;
}

static void write_reg(struct i8237 *d, struct dma *c, unsigned reg, u8 v)
{
	unsigned ch = v & 3;

	switch (reg) {
	case 0 ... 7:
		ch = reg / 2;
		put_byte(c, reg & 1 ? &c->base_count[ch] : &c->base_address[ch],
			 reg & 1 ? &c->count[ch] : &c->address[ch], v);
		break;
	case 8:
		c->command = v;
		break;
	case 9:
		c->request = v & 4 ? c->request | BIT(ch) : c->request & ~BIT(ch);
		if (v & 4)
			unimplemented(d, "request: a transfer asked for by software");
		break;
	case 10:
		c->mask = v & 4 ? c->mask | BIT(ch) : c->mask & ~BIT(ch);
		break;
	case 11:
		c->mode[ch] = v & ~3;
		break;
	case 12:
		c->high = false;
		break;
	case 13:
		master_clear(c);
		break;
	case 14:
		c->mask = 0;
		break;
	case 15:
		c->mask = v & MASK_CHANNELS;
		break;
	}
}

static u8 read_reg(struct i8237 *d, struct dma *c, unsigned reg)
{
	u8 v;

	switch (reg) {
	case 0 ... 7:
		return get_byte(c, reg & 1 ? c->count[reg / 2] : c->address[reg / 2]);
	case 8:
		v = c->status;
		c->status &= STATUS_REQUESTS; /* terminal counts are cleared by reading */
		return v;
	case 13:
		return 0; /* temporary register */
	case 15:
		return c->mask | 0xf0;
	}
	guest_error(d, "register %u cannot be read", reg);
	return 0xff;
}

static u64 low_read(void *dev, u64 off, unsigned size)
{
	struct i8237 *d = dev;
	return read_reg(d, &d->dma[0], off);
}
static void low_write(void *dev, u64 off, unsigned size, u64 val)
{
	struct i8237 *d = dev;
	write_reg(d, &d->dma[0], off, val);
}
/* The second controller moves words: its registers are two ports apart. */
static u64 high_read(void *dev, u64 off, unsigned size)
{
	struct i8237 *d = dev;
	return off & 1 ? 0xff : read_reg(d, &d->dma[1], off / 2);
}
static void high_write(void *dev, u64 off, unsigned size, u64 val)
{
	struct i8237 *d = dev;

	if (!(off & 1))
		write_reg(d, &d->dma[1], off / 2, val);
}

static void i8237_reset(void *dev)
{
	struct i8237 *d = dev;

	memset(d->dma, 0, sizeof(d->dma));
	master_clear(&d->dma[0]);
	master_clear(&d->dma[1]);
}

static const struct reg page_regs[] = {
	REGS(0, struct i8237, page, 1,
	     .doc = "Address bits 23 to 16 of the channels; port 0x80 is the diagnostic port."),
	{}
};
static const struct bank i8237_banks[] = {
	{ .name = "low",
	  .size = 16,
	  .min = 1,
	  .max = 1,
	  .split = true,
	  .read = low_read,
	  .write = low_write },
	{ .name = "high",
	  .size = 32,
	  .min = 1,
	  .max = 1,
	  .split = true,
	  .read = high_read,
	  .write = high_write },
	{ .name = "page", .size = 16, .regs = page_regs, .split = true },
	{}
};
static const struct state i8237_state[] = { STATE(struct i8237, dma), {} };
DEVICE(i8237, .name = "i8237", .doc = "ISA DMA controllers", .banks = i8237_banks,
       .state = i8237_state, .reset = i8237_reset);
