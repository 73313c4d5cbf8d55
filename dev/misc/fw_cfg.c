/* SPDX-License-Identifier: GPL-2.0-or-later */
/* fw_cfg - hands configuration to firmware and guests: a selector and a data port, or DMA, over
 * numbered items and a directory of named files. After the kernel's
 * Documentation/devicetree/bindings/firmware/qemu,fw-cfg-mmio.yaml and QEMU's
 * docs/specs/fw_cfg.txt. */
#include <quern/device.h>
#include <quern/fw_cfg.h>
#include <errno.h>
#include <stdlib.h>

enum { FIXED = 0x20, ARCH = 0x20, FILES = 256, ARCH_KEY = 0x8000, DIR_ENTRY = 64 };
enum { PORT_SELECT = 0, PORT_DATA = 1, PORT_DMA = 4 };
enum {
	DMA_ERROR = BIT(0),
	DMA_READ = BIT(1),
	DMA_SKIP = BIT(2),
	DMA_SELECT = BIT(3),
	DMA_WRITE = BIT(4)
};

struct item {
	const u8 *data;
	u32 size;
	u8 *writable; /* data, if the guest may write it */
	void (*written)(void *arg);
	void *arg;
};

struct fw_cfg {
	struct device dev;
	u16 select;
	u32 at; /* position in the selected item */
	u64 dma_addr;
	u32 nfiles;
	struct item fixed[FIXED], arch[ARCH], file[FILES];
	u8 *directory; /* count and entries, big-endian */
	u16 watched;   /* key of the file that is brought up to date when selected, 0 = none */
	void (*update)(void *arg);
	void *update_arg;
};

static const u8 signature[4] = "QEMU";
static const u8 features[4] = { 3 }; /* traditional interface, DMA */
static const u8 dma_signature[8] = "QEMU CFG";

static struct item *find(struct fw_cfg *d, u16 key)
{
	/* Bit 14 selects for writing. */
	key &= ~0x4000;
	if (key < FIXED)
		return &d->fixed[key];
	if (key >= ARCH_KEY && key < ARCH_KEY + ARCH)
		return &d->arch[key - ARCH_KEY];
	if (key >= FW_CFG_FILE_FIRST && key < FW_CFG_FILE_FIRST + d->nfiles)
		return &d->file[key - FW_CFG_FILE_FIRST];
	return NULL;
}

static void set(void *dev, u16 key, const void *data, u32 size)
{
	struct item *item = find(dev, key);

	if (item)
		*item = (struct item){ .data = data, .size = size };
}

static int add_file(void *dev, const char *name, const void *data, u32 size)
{
	struct fw_cfg *d = dev;
	u8 *entry;

	if (strlen(name) > FW_CFG_NAME_MAX)
		return -ENAMETOOLONG;
	for (u32 i = 0; i < d->nfiles; i++)
		if (!strcmp((char *)d->directory + 4 + DIR_ENTRY * i + 8, name))
			return -EEXIST;
	if (d->nfiles == FILES)
		return -ENOSPC;
	entry = d->directory + 4 + DIR_ENTRY * d->nfiles;
	st32be(entry, size);
	st16be(entry + 4, FW_CFG_FILE_FIRST + d->nfiles);
	memcpy(entry + 8, name, strlen(name) + 1);
	d->file[d->nfiles++] = (struct item){ .data = data, .size = size };
	st32be(d->directory, d->nfiles);
	d->fixed[FW_CFG_FILE_DIR] =
		(struct item){ .data = d->directory, .size = 4 + DIR_ENTRY * d->nfiles };
	return 0;
}

static int add_writable(void *dev, const char *name, u8 *data, u32 size, void (*written)(void *arg),
			void *arg)
{
	struct fw_cfg *d = dev;
	int err = add_file(d, name, data, size);

	if (!err)
		d->file[d->nfiles - 1] = (struct item){ data, size, data, written, arg };
	return err;
}

static void on_select(void *dev, const char *name, void (*fn)(void *arg), void *arg)
{
	struct fw_cfg *d = dev;

	for (u32 i = 0; i < d->nfiles; i++)
		if (!strcmp((char *)d->directory + 4 + DIR_ENTRY * i + 8, name))
			d->watched = FW_CFG_FILE_FIRST + i;
	d->update = fn;
	d->update_arg = arg;
}

static u8 next_byte(struct fw_cfg *d)
{
	const struct item *item = find(d, d->select);

	if (!item || d->at >= item->size)
		return 0;
	return item->data[d->at++];
}

static void select_item(struct fw_cfg *d, u16 key)
{
	d->select = key;
	d->at = 0;
	if (d->watched && key == d->watched)
		d->update(d->update_arg);
	trace(d, "select", "key=%#x found=%d", key, find(d, key) && find(d, key)->data);
}

/* Past the item's end zeros are read. False when guest memory is not there. */
static bool dma_read_item(struct fw_cfg *d, u64 addr, u32 len)
{
	static const u8 zeros[4096];
	const struct item *item = find(d, d->select);

	while (len) {
		u32 left = item && d->at < item->size ? item->size - d->at : 0,
		    n = MIN(len, left ?: (u32)sizeof(zeros));

		if (dev_dma_write(d, addr, left ? item->data + d->at : zeros, n))
			return false;
		if (left)
			d->at += n;
		addr += n;
		len -= n;
	}
	return true;
}

/* False when the item is not the guest's to write, or shorter, or guest memory is not there. */
static bool dma_write_item(struct fw_cfg *d, u64 addr, u32 len)
{
	const struct item *item = find(d, d->select);

	if (!item || !item->writable || !range_fits(d->at, len, item->size)) {
		guest_error(d, "item %#x cannot be written with %u bytes at %u", d->select, len,
			    d->at);
		return false;
	}
	if (dev_dma_read(d, addr, item->writable + d->at, len))
		return false;
	d->at += len;
	item->written(item->arg);
	return true;
}

static void run_dma(struct fw_cfg *d)
{
	u8 command[16], result[4];
	u32 control, len;
	bool ok = true;
	u64 at = d->dma_addr;

	d->dma_addr = 0;
	if (dev_dma_read(d, at, command, sizeof(command)))
		return;
	control = ld32be(command);
	len = ld32be(command + 4);
	if (control & DMA_SELECT)
		select_item(d, control >> 16);
	trace(d, "dma", "control=%#x len=%u addr=%#llx", control, len,
	      (unsigned long long)ld64be(command + 8));
	if (control & DMA_READ)
		ok = dma_read_item(d, ld64be(command + 8), len);
	else if (control & DMA_WRITE)
		ok = dma_write_item(d, ld64be(command + 8), len);
	else if (control & DMA_SKIP)
		d->at += MIN(len, ~0u - d->at);
	st32be(result, ok ? 0 : DMA_ERROR);
	if (dev_dma_write(d, at, result, sizeof(result)))
		guest_error(d, "DMA control block at %#llx cannot be written",
			    (unsigned long long)at);
}

static u64 port_read(void *dev, u64 off, unsigned size)
{
	struct fw_cfg *d = dev;
	u64 val = 0;

	if (off == PORT_DATA)
		for (unsigned i = 0; i < size; i++)
			val |= (u64)next_byte(d) << 8 * i;
	else if (off >= PORT_DMA && off + size <= PORT_DMA + sizeof(dma_signature))
		for (unsigned i = 0; i < size; i++)
			val |= (u64)dma_signature[off - PORT_DMA + i] << 8 * i;
	else
		guest_error(d, "port %#llx cannot be read with %u bytes", (unsigned long long)off,
			    size);
	return val;
}

static void port_write(void *dev, u64 off, unsigned size, u64 val)
{
	struct fw_cfg *d = dev;

	if (off == PORT_SELECT && size == 2) {
		select_item(d, val);
	} else if (off == PORT_DMA && size == 4) {
		d->dma_addr = (u64)BE_(32, (u32)val) << 32 | (u32)d->dma_addr;
	} else if (off == PORT_DMA + 4 && size == 4) {
		d->dma_addr = (d->dma_addr & ~0xffffffffull) | BE_(32, (u32)val);
		run_dma(d);
	} else if (off == PORT_DMA && size == 8) {
		d->dma_addr = BE_(64, val);
		run_dma(d);
	} else {
		guest_error(d, "port %#llx written with %u bytes", (unsigned long long)off, size);
	}
}

static int init(void *dev, struct error *e)
{
	struct fw_cfg *d = dev;

	d->directory = calloc(FILES, DIR_ENTRY);
	if (!d->directory) {
		error_set(e, "fw_cfg: no memory for its directory");
		return -ENOMEM;
	}
	set(d, FW_CFG_SIGNATURE, signature, sizeof(signature));
	set(d, FW_CFG_ID, features, sizeof(features));
	d->fixed[FW_CFG_FILE_DIR] = (struct item){ .data = d->directory, .size = 4 };
	return 0;
}

static void reset(void *dev)
{
	struct fw_cfg *d = dev;

	d->select = 0;
	d->at = 0;
	d->dma_addr = 0;
}

static void fini(void *dev)
{
	struct fw_cfg *d = dev;

	free(d->directory);
}

static const struct bank banks[] = {
	{ .name = "io", .size = 12, .min = 1, .max = 8, .read = port_read, .write = port_write },
	{ 0 }
};
static const struct state state[] = {
	STATE(struct fw_cfg, select),
	STATE(struct fw_cfg, at),
	STATE(struct fw_cfg, dma_addr),
	/* from the command line, the same in every run of this machine */
	DERIVED(struct fw_cfg, nfiles),
	DERIVED(struct fw_cfg, fixed),
	DERIVED(struct fw_cfg, arch),
	DERIVED(struct fw_cfg, file),
	DERIVED(struct fw_cfg, directory),
	DERIVED(struct fw_cfg, watched),
	DERIVED(struct fw_cfg, update),
	DERIVED(struct fw_cfg, update_arg),
	{ 0 }
};
static const struct fw_cfg_iface iface = {
	.set = set, .add_file = add_file, .add_writable = add_writable, .on_select = on_select
};

DEVICE(fw_cfg, .name = "fw_cfg", .doc = "Firmware configuration", .banks = banks, .state = state,
       .init = init, .reset = reset, .fini = fini, .iface = &iface);
