/* SPDX-License-Identifier: GPL-2.0-or-later */
/* i2c_pointer.c - registers behind a pointer: the bytes of a message become accesses to the
 * target's first bank, as instructions become accesses to a bank in memory. */
#include "bus/i2c.h"
#include "core/reg.h"
#include <errno.h>

static struct regbank *bank_of(const struct i2c_core *t)
{
	return list_entry(t->dev->core->regbanks.next, struct regbank, link);
}

void i2c_pointer_start(struct i2c_core *t)
{
	t->got = t->n = t->late = 0;
	t->value = 0;
}

/* The width of what the pointer points at: 0 = nothing is there, or the middle of it. */
static unsigned width(const struct i2c_core *t, const struct regbank *b)
{
	unsigned i, in;
	const struct reg *r = regbank_find(b, t->at, &i, &in);

	if (!r)
		return b->bank->read ? MAX(b->bank->min, (u8)1) : 0;
	return in ? 0 : r->size;
}

static void move(struct i2c_core *t, const struct regbank *b, unsigned by)
{
	t->n = 0;
	t->value = 0;
	if (!t->pointer.stays)
		t->at = (t->at + by) % b->bank->size;
}

/* Where the byte that the pointer points at is in the bank, whose registers are little-endian. */
static u64 swapped(const struct i2c_core *t, const struct regbank *b)
{
	unsigned i, in;
	const struct reg *r = regbank_find(b, t->at, &i, &in);

	return r && t->pointer.big_endian ? t->at - in + (r->size - 1 - in) : t->at;
}

static void store(struct i2c_core *t, struct regbank *b)
{
	unsigned size = t->n;

	regbank_write(b, t->at, size, t->value);
	move(t, b, b->bank->numbered ? 1 : size);
}

static unsigned shift(const struct i2c_core *t, unsigned size)
{
	return 8 * (t->pointer.big_endian ? size - 1 - t->n : t->n);
}

static void point(struct i2c_core *t, const struct regbank *b, u8 byte)
{
	t->at = t->got++ ? t->at << 8 | byte : byte;
	if (t->got < t->pointer.bytes || t->at < b->bank->size)
		return;
	guest_error(t->dev, "pointer %#x of %s, which ends at %#llx", t->at, b->bank->name,
		    (unsigned long long)b->bank->size - 1);
	t->at %= b->bank->size;
}

int i2c_pointer_send(struct i2c_core *t, u8 byte)
{
	struct regbank *b = bank_of(t);
	unsigned size;

	if (t->got < t->pointer.bytes) {
		point(t, b, byte);
		return 0;
	}
	if (t->late) {
		t->late = 0;
		if (byte != t->pec) {
			guest_error(t->dev, "packet error code %#x, and it is %#x", byte, t->pec);
			t->n = 0;
			return -EIO;
		}
		store(t, b);
		return 0;
	}
	if (b->bank->narrow) {
		regbank_write(b, swapped(t, b), 1, byte);
		move(t, b, 1);
		return 0;
	}
	size = width(t, b);
	if (!size) {
		regbank_write(b, t->at, 1, byte); /* says what is wrong */
		move(t, b, 1);
		return -EIO;
	}
	t->value |= (u64)byte << shift(t, size);
	if (++t->n < size)
		return 0;
	if (t->pointer.pec)
		t->late = 1;
	else
		store(t, b);
	return 0;
}

u8 i2c_pointer_recv(struct i2c_core *t)
{
	struct regbank *b = bank_of(t);
	unsigned size;
	u8 byte;

	if (t->late)
		return t->late++ == 1 ? t->pec : 0xff;
	if (b->bank->narrow) {
		byte = (u8)regbank_read(b, swapped(t, b), 1);
		move(t, b, 1);
		return byte;
	}
	size = width(t, b);
	if (!t->n)
		t->value = regbank_read(b, t->at, size ? size : 1);
	byte = (u8)(t->value >> (size ? shift(t, size) : 0));
	if (++t->n < size)
		return byte;
	move(t, b, b->bank->numbered ? 1 : MAX(size, 1u));
	t->late = t->pointer.pec;
	return byte;
}

void i2c_pointer_end(struct i2c_core *t)
{
	struct regbank *b;
	unsigned i, in;
	const struct reg *r;

	if (t->phase != I2C_SEND || !t->n || !t->pointer.bytes || t->class->send)
		return;
	b = bank_of(t);
	if (t->late) {
		store(t, b); /* a master without codes */
		return;
	}
	r = regbank_find(b, t->at, &i, &in);
	guest_error(t->dev, "%u of the %u bytes of %s written: nothing is stored", t->n,
		    r ? r->size : 0, r ? r->name : "a register");
}
