/* SPDX-License-Identifier: GPL-2.0-or-later */
/* at24c-eeprom - serial EEPROMs 24C01 to 24C512 (Microchip AT24C256C data sheet, 2019): an address
 * of one or two bytes, writes that wrap inside a page, and a write cycle after them. */
#include <quern/block.h>
#include <quern/i2c.h>
#include <errno.h>
#include <stdlib.h>

struct at24c {
	struct device dev;
	struct block *drive;
	u8 *data;
	u64 busy_until;
	u32 rom_size, write_us;
	u32 at;		   /* next byte */
	u32 dirty, ndirty; /* written in this message: a page at most */
	u16 page_size;
	u8 address_size;
	bool writable;
	u8 got; /* bytes of the address */
	u8 pad[7];
};

struct write {
	struct block_req req;
	struct iovec vec;
	u8 data[];
};

static void write_done(struct block_req *r, int err)
{
	trace(r->user, "written", "at=%#llx bytes=%llu err=%d", (unsigned long long)r->at,
	      (unsigned long long)r->bytes, err);
	free(container_of(r, struct write, req));
}

static void write_back(struct at24c *d)
{
	struct write *w = calloc(1, sizeof(*w) + d->ndirty);

	if (!w) {
		unimplemented(d, "a write of the drive: no memory");
		return;
	}
	memcpy(w->data, d->data + d->dirty, d->ndirty);
	w->vec = (struct iovec){ w->data, d->ndirty };
	w->req = (struct block_req){ .op = BLOCK_WRITE,
				     .nvec = 1,
				     .vec = &w->vec,
				     .at = d->dirty,
				     .bytes = d->ndirty,
				     .done = write_done };
	block_submit(d->drive, &w->req);
}

/* ---- messages */

static int at24c_start(void *dev, bool recv)
{
	struct at24c *d = dev;

	if (clock_ns(d) < d->busy_until)
		return -EBUSY;
	if (!recv)
		d->got = 0;
	return 0;
}

static int at24c_send(void *dev, u8 byte)
{
	struct at24c *d = dev;
	u32 page;

	if (d->got < d->address_size) {
		d->at = (d->got++ ? d->at << 8 | byte : byte) % d->rom_size;
		return 0;
	}
	page = ALIGN_DOWN(d->at, (u32)d->page_size);
	if (d->writable) {
		d->data[d->at] = byte;
		d->dirty = page;
		d->ndirty = d->page_size;
	} else {
		guest_error(d, "byte %#x is written and the write-protect pin is high", d->at);
	}
	d->at = page | ((d->at + 1) & (d->page_size - 1));
	return 0;
}

static u8 at24c_recv(void *dev)
{
	struct at24c *d = dev;
	u8 byte = d->data[d->at];

	d->at = (d->at + 1) % d->rom_size;
	return byte;
}

static void at24c_stop(void *dev)
{
	struct at24c *d = dev;

	if (!d->ndirty)
		return;
	d->busy_until = clock_ns(d) + d->write_us * 1000ull;
	if (d->drive)
		write_back(d);
	d->ndirty = 0;
}

/* ---- life */

static u16 usual_page(u32 size)
{
	return size <= 256 ? 8 : size <= 2048 ? 16 : size <= 8192 ? 32 : size <= 32768 ? 64 : 128;
}

static int check(struct at24c *d, struct error *e)
{
	bool power = d->rom_size && !(d->rom_size & (d->rom_size - 1));

	if (!power || d->rom_size < 16 || d->rom_size > 65536) {
		error_set(e, "property 'rom-size' takes a power of two from 16 to 65536, not %u",
			  d->rom_size);
		return -EINVAL;
	}
	if (!d->address_size)
		d->address_size = d->rom_size > 256 ? 2 : 1;
	if (d->address_size == 1 && d->rom_size > 256) {
		error_set(e, "an address-size of 1 reaches 256 bytes, and rom-size is %u",
			  d->rom_size);
		return -EINVAL;
	}
	if (!d->page_size)
		d->page_size = MIN((u32)usual_page(d->rom_size), d->rom_size);
	if ((d->page_size & (d->page_size - 1)) || d->page_size > d->rom_size) {
		error_set(e, "property 'page-size' takes a power of two up to rom-size, not %u",
			  d->page_size);
		return -EINVAL;
	}
	return 0;
}

static const struct block_user user = { 0 };

static int attach(struct at24c *d, struct error *e)
{
	struct block_info info;
	int err = block_attach(d->drive, d, &user, d->writable, e);

	if (err)
		return err;
	block_info(d->drive, &info);
	/* a drive has whole sectors */
	if (info.size == ALIGN_UP((u64)d->rom_size, (u64)512))
		return block_read_now(d->drive, 0, d->data, d->rom_size);
	error_set(e, "drive '%s' has %llu bytes, and rom-size is %u", block_name(d->drive),
		  (unsigned long long)info.size, d->rom_size);
	return -EINVAL;
}

static int at24c_init(void *dev, struct error *e)
{
	struct at24c *d = dev;
	int err = check(d, e);

	if (err)
		return err;
	d->data = calloc(1, d->rom_size);
	if (!d->data)
		return -ENOMEM;
	err = d->drive ? attach(d, e) : 0;
	if (err) {
		block_detach(d->drive);
		free(d->data);
	}
	return err;
}

static void at24c_reset(void *dev)
{
	struct at24c *d = dev;

	d->at = d->got = d->ndirty = d->dirty = 0;
	d->busy_until = 0;
}

static void at24c_fini(void *dev)
{
	struct at24c *d = dev;

	block_detach(d->drive);
	free(d->data);
}

static void save_data(void *dev, struct blob *b)
{
	struct at24c *d = dev;

	blob_put(b, d->data, d->rom_size);
}

static int load_data(void *dev, struct blob *b)
{
	struct at24c *d = dev;

	return blob_get(b, d->data, d->rom_size);
}

static const struct prop at24c_props[] = {
	{ .name = "rom-size",
	  .off = offsetof(struct at24c, rom_size),
	  .size = 4,
	  .def = 256,
	  .doc = "Bytes, a power of two from 16 to 65536." },
	{ .name = "address-size",
	  .off = offsetof(struct at24c, address_size),
	  .size = 1,
	  .max = 2,
	  .doc = "Bytes of an address; 0: 1 up to 256 bytes, else 2." },
	{ .name = "page-size",
	  .off = offsetof(struct at24c, page_size),
	  .size = 2,
	  .doc = "Bytes that one message can write; 0: what parts of this size have." },
	{ .name = "write-us",
	  .off = offsetof(struct at24c, write_us),
	  .size = 4,
	  .max = 1000000,
	  .doc = "Time after a write in which it does not answer; parts take up to 5000." },
	PROP(struct at24c, writable, .kind = PROP_BOOL, .def = 1,
	     .doc = "Off: its write-protect pin is high."),
	PROP(struct at24c, drive, .kind = PROP_DRIVE,
	     .doc = "Holds the contents, of rom-size bytes; without one they begin as zeroes."),
	{}
};
static const struct state at24c_state[] = { { .name = "data",
					      .off = offsetof(struct at24c, data),
					      .size = sizeof(u8 *),
					      .kind = STATE_CUSTOM,
					      .save = save_data,
					      .load = load_data },
					    STATE(struct at24c, busy_until),
					    STATE(struct at24c, at),
					    STATE(struct at24c, dirty),
					    STATE(struct at24c, ndirty),
					    STATE(struct at24c, got),
					    DERIVED(struct at24c, pad),
					    {} };
I2C_DEVICE(at24c,
	   .dev = { .api = QUERN_DEVICE_API,
		    .name = "at24c-eeprom",
		    .doc = "AT24C serial EEPROM",
		    .bus = "i2c-bus",
		    .size = sizeof(struct at24c),
		    .props = at24c_props,
		    .state = at24c_state,
		    .init = at24c_init,
		    .reset = at24c_reset,
		    .fini = at24c_fini },
	   .address = 0x50, .start = at24c_start, .send = at24c_send, .recv = at24c_recv,
	   .stop = at24c_stop);
