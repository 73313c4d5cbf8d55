/* SPDX-License-Identifier: GPL-2.0-or-later */
/* i2c.c - I2C buses: addresses, messages, faults, and targets that are functions (NXP UM10204).
 * What a pointer does is in i2c_pointer.c. */
#include "bus/i2c.h"
#include "core/blob.h"
#include "core/device_add.h"
#include "core/fault.h"
#include "core/machine.h"
#include "core/snapshot.h"
#include "lib/alloc.h"
#include "lib/error.h"
#include "lib/str.h"
#include <errno.h>

/* 0000xxx and 1111xxx are reserved for other uses (UM10204, 3.1.12). */
enum { FIRST_ADDRESS = 0x08, LAST_ADDRESS = 0x77 };

static const struct bus_type i2c_type;

struct i2c_bus *i2c_bus_new(void *owner, const char *name, struct error *e)
{
	struct device *d = owner;
	struct i2c_bus *b;

	if (bus_of(d->core->machine, &i2c_type, name)) {
		error_set(e, "there is a bus '%s' already", name);
		return NULL;
	}
	b = NEW(struct i2c_bus);
	b->name = xstrdup(name);
	b->owner = d;
	bus_add(d->core->machine, &b->bus, &i2c_type, b->name);
	return b;
}

void i2c_bus_free(struct i2c_bus *b)
{
	if (!b)
		return;
	for (unsigned a = 0; a < ARRAY_SIZE(b->at); a++)
		device_free(b->at[a] ? b->at[a]->dev : NULL);
	list_del(&b->bus.link);
	free(b->name);
	free(b);
}

static struct i2c_core *core_of(const void *dev) { return ((const struct device *)dev)->core->bus; }

u8 i2c_address(const void *dev) { return core_of(dev)->address; }

u8 i2c_pec(const void *dev) { return core_of(dev)->pec; }

void i2c_set_pointer(void *dev, const struct i2c_pointer *p) { core_of(dev)->pointer = *p; }

/* ---- messages */

/* Callbacks of a target run one at a time; what it sends to itself by way of a master of its own is
 * the one case. */
static bool enter(struct i2c_core *t)
{
	if (t->dev->core->busy)
		return false;
	t->dev->core->busy = true;
	return true;
}

static void leave(struct i2c_core *t) { t->dev->core->busy = false; }

static void end_message(struct i2c_core *t)
{
	if (t->phase == I2C_IDLE || !enter(t))
		return;
	i2c_pointer_end(t);
	if (t->class->stop)
		t->class->stop(t->dev);
	trace(t->dev, "stop", "pec=%#x", t->pec);
	t->phase = I2C_IDLE;
	leave(t);
}

/* One wrong bit: which one follows from the message, so that it is the same one again. */
static u8 corrupted(struct i2c_core *t, u8 byte)
{
	return fault(t->dev, "corrupt") ? byte ^ BIT((t->pec ^ byte) & 7) : byte;
}

static int answer(struct i2c_core *t, u8 address, bool recv)
{
	int err = 0;

	if (fault(t->dev, "nack") || !enter(t))
		return -ENXIO;
	if (t->phase != I2C_IDLE)
		i2c_pointer_end(t);
	if (t->phase == I2C_IDLE)
		t->pec = 0;
	if (t->class->start && t->class->start(t->dev, recv))
		err = -ENXIO;
	if (!err) {
		t->phase = recv ? I2C_RECV : I2C_SEND;
		t->pec = smbus_pec(t->pec, address << 1 | recv);
		i2c_pointer_start(t);
	}
	trace(t->dev, "start", "address=%#x %s%s", address, recv ? "read" : "write",
	      err ? ", not acknowledged" : "");
	leave(t);
	return err;
}

int i2c_start(struct i2c_bus *b, u8 address, bool recv)
{
	struct i2c_core *t = b->at[address & 0x7f];
	int err = 0;

	if (b->current && b->current != t) {
		end_message(b->current);
		b->current = NULL;
	}
	if (fault(b->owner, "stuck"))
		err = -ETIMEDOUT;
	else if (fault(b->owner, "lost"))
		err = -EAGAIN;
	else
		err = t ? answer(t, address & 0x7f, recv) : -ENXIO;
	if (!t)
		trace(b->owner, "nobody", "address=%#x", address);
	b->current = t;
	if (!err)
		return 0;
	i2c_stop(b);
	return err;
}

int i2c_send(struct i2c_bus *b, u8 byte)
{
	struct i2c_core *t = b->current;
	int err;

	if (!t || t->phase != I2C_SEND || !enter(t))
		return -EIO;
	byte = corrupted(t, byte);
	if (t->class->send)
		err = t->class->send(t->dev, byte);
	else
		err = t->pointer.bytes ? i2c_pointer_send(t, byte) : -EIO;
	t->pec = smbus_pec(t->pec, byte);
	trace(t->dev, "send", "%#x%s", byte, err ? ", not acknowledged" : "");
	leave(t);
	return err ? -EIO : 0;
}

u8 i2c_recv(struct i2c_bus *b)
{
	struct i2c_core *t = b->current;
	u8 byte = 0xff; /* nobody pulls the line down */

	if (!t || t->phase != I2C_RECV || !enter(t))
		return byte;
	if (t->class->recv)
		byte = t->class->recv(t->dev);
	else if (t->pointer.bytes)
		byte = i2c_pointer_recv(t);
	t->pec = smbus_pec(t->pec, byte);
	byte = corrupted(t, byte);
	trace(t->dev, "recv", "%#x", byte);
	leave(t);
	return byte;
}

void i2c_stop(struct i2c_bus *b)
{
	if (b->current)
		end_message(b->current);
	b->current = NULL;
}

/* ---- the bus type */

static void created(struct device *d)
{
	struct i2c_core *t = NEW(struct i2c_core);

	t->dev = d;
	t->class = container_of(d->class, const struct i2c_class, dev);
	t->address = t->class->address;
	t->pointer = t->class->pointer;
	d->core->bus = t;
}

static void freed(struct device *d)
{
	free(d->core->bus);
	d->core->bus = NULL;
}

static int set(struct device *d, const char *prop, const char *value, struct error *e)
{
	u32 address;

	if (!prop_name_eq(prop, "address"))
		return -ENOENT;
	if (str_to_u32(value, 0, &address) || address < FIRST_ADDRESS || address > LAST_ADDRESS)
		return error_ret(e, -EINVAL,
				 "property 'address' takes a number from %#x to %#x, not '%s'",
				 FIRST_ADDRESS, LAST_ADDRESS, value);
	core_of(d)->address = address;
	return 0;
}

static int plug(struct device *d, const char *bus, const char *addr, struct error *e)
{
	struct bus *found = bus_of(d->core->machine, &i2c_type, bus);
	struct i2c_core *t = core_of(d);
	struct i2c_bus *b = found ? container_of(found, struct i2c_bus, bus) : NULL;

	if (!b && bus)
		return error_ret(e, -ENODEV, "there is no I2C bus '%s'", bus);
	if (!b)
		return error_ret(e, -ENODEV,
				 "device '%s' needs an I2C bus, which this machine has not",
				 d->class->name);
	if (addr)
		return error_ret(e, -EINVAL,
				 "an I2C device has no addr=; its place is address=, 7 bits");
	if (!t->address)
		return error_ret(e, -EINVAL, "device '%s' needs address=, from %#x to %#x", d->id,
				 FIRST_ADDRESS, LAST_ADDRESS);
	if (b->at[t->address])
		return error_ret(e, -EBUSY, "address %#x of bus '%s' is taken by '%s'", t->address,
				 b->name, b->at[t->address]->dev->id);
	b->at[t->address] = t;
	t->bus = b;
	return 0;
}

static int realized(struct device *d, struct error *e)
{
	struct i2c_core *t = core_of(d);

	if (!t->pointer.bytes || !list_empty(&d->core->regbanks))
		return 0;
	return error_ret(e, -EINVAL, "device class %s: a pointer and no registers behind it",
			 d->class->name);
}

static void unplug(struct device *d)
{
	struct i2c_core *t = core_of(d);

	if (!t->bus)
		return;
	if (t->bus->current == t)
		t->bus->current = NULL;
	t->bus->at[t->address] = NULL;
	t->bus = NULL;
}

/* Two wires: a target can be cut off at any time. */
static int unplug_request(struct device *d, struct error *e)
{
	device_deleted(d);
	return 0;
}

static void reset(struct device *d)
{
	struct i2c_core *t = core_of(d);

	if (t->bus && t->bus->current == t)
		t->bus->current = NULL;
	t->phase = I2C_IDLE;
	t->at = 0;
	i2c_pointer_start(t);
}

static void fault_points(const struct device_class *c,
			 void (*fn)(void *arg, const char *name, unsigned kind), void *arg)
{
	fn(arg, "nack", FAULT_CODE);
	fn(arg, "corrupt", FAULT_CODE);
}

/* ---- snapshots */

static void save(struct device *d, struct blob *b)
{
	const struct i2c_core *t = core_of(d);
	u8 v[20] = { t->phase, t->got, t->n, t->late, t->pec };

	st32le(v + 8, t->at);
	st64le(v + 12, t->value);
	snapshot_put(b, "i2c message", v, sizeof(v));
}

static int load(struct device *d, struct blob *b, struct error *e)
{
	struct i2c_core *t = core_of(d);
	u8 v[20];

	if (snapshot_get(b, "i2c message", v, sizeof(v)) || v[0] > I2C_RECV || v[2] > 8)
		return error_ret(e, -EINVAL,
				 "the snapshot's message of I2C device '%s' is missing or damaged",
				 d->id);
	t->phase = v[0];
	t->got = v[1];
	t->n = v[2];
	t->late = v[3];
	t->pec = v[4];
	t->at = ld32le(v + 8);
	t->value = ld64le(v + 12);
	if (t->phase != I2C_IDLE)
		t->bus->current = t;
	else if (t->bus->current == t)
		t->bus->current = NULL;
	return 0;
}

static const struct prop i2c_props[] = { { .name = "address",
					   .kind = PROP_UINT,
					   .size = 1,
					   .doc = "Its address on the bus, 7 bits: 0x08 to 0x77." },
					 {} };
static const struct bus_type i2c_type = { .name = "i2c-bus",
					  .created = created,
					  .freed = freed,
					  .set = set,
					  .plug = plug,
					  .realized = realized,
					  .unplug = unplug,
					  .unplug_request = unplug_request,
					  .reset = reset,
					  .save = save,
					  .load = load,
					  .fault_points = fault_points,
					  .props = i2c_props };
BUS_TYPE(i2c_type)
