/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ide-hd, ide-cd - ATA disks and ATAPI CD-ROM drives: their settings, what both have in common, and
 * the way of a command between controller and drive. */
#include "ata.h"
#include <errno.h>
#include <stdlib.h>

/* ---- commands */

void ata_start(struct ata_cmd *c)
{
	struct ata_tf *t = &c->tf;

	c->busy = true;
	t->status = ST_BSY;
	t->error = 0;
	t->moved = 0;
	t->ncq = false;
	t->dma = t->out = t->fua = false;
	trace(&c->drive->dev, "command", "%#x feature=%#x count=%#x lba=%#llx device=%#x",
	      t->command, t->feature, t->count, (unsigned long long)t->lba, t->device);
	if (fault(&c->drive->dev, "stuck"))
		return;
	if (c->drive->cdrom)
		atapi_start(c);
	else
		ata_disk_start(c);
}

void ata_pio_done(struct ata_cmd *c)
{
	if (c->drive->cdrom)
		atapi_pio_done(c);
	else
		ata_disk_pio_done(c);
}

void ata_dma_ready(struct ata_cmd *c)
{
	if (c->drive->cdrom)
		atapi_dma_ready(c);
	else
		ata_disk_dma_ready(c);
}

void ata_done(struct ata_cmd *c, u8 error)
{
	struct ata_tf *t = &c->tf;

	t->status = ST_DRDY | ST_DSC | (error ? ST_ERR : 0);
	t->error = error;
	c->busy = false;
	trace(&c->drive->dev, "done", "%#x status=%#x error=%#x", t->command, t->status, error);
	c->host->done(c);
}

void ata_forget(struct ata_cmd *c)
{
	dma_list_finish(&c->list, 0);
	free(c->trim);
	c->trim = NULL;
	c->busy = false;
}

void ata_submit(struct ata_cmd *c, u8 op, u64 at, u64 bytes,
		void (*done)(struct block_req *b, int err))
{
	c->b.op = op;
	c->b.flags = c->tf.fua ? BLOCK_FUA : 0;
	c->b.at = at;
	c->b.bytes = bytes;
	c->b.done = done;
	block_submit(c->drive->drive, &c->b);
}

void ata_signature(const struct ata_drive *d, struct ata_tf *t)
{
	t->count = 1;
	t->lba = d->cdrom ? 0xeb1401 : 1;
	t->device &= DEV_SLAVE;
	t->error = 1; /* diagnostics passed */
	/* a packet device is not ready before its first command (SFF-8020i 6.4) */
	t->status = d->cdrom ? 0 : ST_DRDY | ST_DSC;
}

void ata_drive_reset(struct ata_drive *d)
{
	d->multi = 16;
	d->udma = 5;
	d->mwdma = d->pio_mode = 0;
	d->write_cache = d->write_cache_on;
	d->look_ahead = d->smart = true;
	d->cur_heads = d->heads;
	d->cur_secs = d->secs;
	d->sense = d->asc = d->ascq = 0;
	d->locked = false;
	d->power = 0xff;
	block_set_write_cache(d->drive, d->write_cache);
}

/* ---- life */

static void batch(void *dev)
{
	struct ata_drive *d = dev;

	if (d->host && d->host->batch)
		d->host->batch(d->port);
}

static void media(void *dev, bool inserted)
{
	struct ata_drive *d = dev;

	d->media_changed = true;
	d->new_media = inserted;
}

static bool tray_open(void *dev) { return ((struct ata_drive *)dev)->tray_open; }

static bool medium_locked(void *dev) { return ((struct ata_drive *)dev)->locked; }

static void eject_request(void *dev, bool force)
{
	struct ata_drive *d = dev;

	d->media_changed = true;
	if (force) {
		d->locked = false;
		d->tray_open = true;
		block_tray_moved(d->drive, true);
	}
}

const struct block_user ata_disk_user = { .batch = batch };
const struct block_user atapi_user = { .batch = batch,
				       .media = media,
				       .eject_request = eject_request,
				       .tray_open = tray_open,
				       .medium_locked = medium_locked };

/* Cylinders, heads and sectors for whoever still counts in them (ATA-5 limits). */
static void geometry(struct ata_drive *d)
{
	struct block_info i;
	u64 cyls;

	block_info(d->drive, &i);
	d->heads = d->heads ? d->heads : 16;
	d->secs = d->secs ? d->secs : 63;
	cyls = i.size / SECTOR / (d->heads * d->secs);
	d->cyls = d->cyls ? d->cyls : MIN(MAX(cyls, (u64)2), (u64)16383);
}

static int check_props(struct ata_drive *d, struct error *e)
{
	const char *why = NULL;

	if (!d->drive)
		why = "it needs a drive: drive=ID";
	else if (d->serial && strlen(d->serial) > 20)
		why = "serial has more than 20 characters";
	else if (d->model && strlen(d->model) > 40)
		why = "model has more than 40 characters";
	else if (d->ver && strlen(d->ver) > 8)
		why = "ver has more than 8 characters";
	else if (d->logical_block_size != SECTOR)
		why = "logical_block_size other than 512 is not built yet";
	else if (d->cyls > 65535 || d->heads > 16 || d->secs > 255)
		why = "cyls go to 65535, heads to 16 and secs to 255";
	if (why)
		error_set(e, "%s", why);
	return why ? -EINVAL : 0;
}

static int init(struct ata_drive *d, bool cdrom, struct error *e)
{
	struct block_info i;
	int err = check_props(d, e);

	if (err)
		return err;
	block_info(d->drive, &i);
	err = block_attach(d->drive, d, cdrom ? &atapi_user : &ata_disk_user, !cdrom, e);
	if (err)
		return err;
	d->cdrom = cdrom;
	d->write_cache_on = i.write_cache;
	if (!cdrom)
		geometry(d);
	ata_drive_reset(d);
	return 0;
}

static int hd_init(void *dev, struct error *e) { return init(dev, false, e); }
static int cd_init(void *dev, struct error *e) { return init(dev, true, e); }

static void fini(void *dev)
{
	struct ata_drive *d = dev;

	block_detach(d->drive);
}

static void loaded(void *dev)
{
	struct ata_drive *d = dev;

	block_set_write_cache(d->drive, d->write_cache);
}

#define D struct ata_drive
#define COMMON \
	PROP(D, drive, .kind = PROP_DRIVE, .doc = "The drive behind it."), \
		PROP(D, serial, .kind = PROP_STR, .doc = "Serial number."), \
		PROP(D, model, .kind = PROP_STR, .doc = "Model."), \
		PROP(D, ver, .kind = PROP_STR, .def_str = "2.5+", .doc = "Firmware version."), \
		PROP(D, wwn, .doc = "World-wide name; 0: none."), \
		PROP(D, logical_block_size, .kind = PROP_SIZE, .def = 512, .min = 512, .max = 512, \
		     .doc = "Bytes of a block."), \
		PROP(D, physical_block_size, .kind = PROP_SIZE, .def = 512, .min = 512, \
		     .max = 32768, .doc = "Bytes that the disk writes at once.")
static const struct prop hd_props[] = { COMMON,
					PROP(D, cyls, .doc = "Cylinders; 0: by the size."),
					PROP(D, heads, .doc = "Heads; 0: 16."),
					PROP(D, secs, .doc = "Sectors of a track; 0: 63."),
					PROP(D, rotation_rate, .max = 65534,
					     .doc = "Turns a minute; 1: no rotation; 0: unknown."),
					{} };
static const struct prop cd_props[] = { COMMON, {} };
#define COMMON_STATE \
	DERIVED(D, write_cache_on), DERIVED(D, cdrom), STATE(D, write_cache), \
		STATE(D, look_ahead), STATE(D, smart), STATE(D, locked), STATE(D, tray_open), \
		STATE(D, media_changed), STATE(D, new_media), STATE(D, multi), STATE(D, udma), \
		STATE(D, mwdma), STATE(D, pio_mode), STATE(D, sense), STATE(D, asc), \
		STATE(D, ascq), STATE(D, power), DERIVED(D, unit), DERIVED(D, sata), \
		DERIVED(D, pad), STATE(D, cur_heads), STATE(D, cur_secs), STATE(D, buf), \
		STATE(D, ncq_error), DERIVED(D, port), DERIVED(D, host)
static const struct state hd_state[] = { COMMON_STATE, {} };
static const struct state cd_state[] = {
	COMMON_STATE,	  DERIVED(D, cyls),	     DERIVED(D, heads),
	DERIVED(D, secs), DERIVED(D, rotation_rate), {}
};
static const struct device_class hd_class = { .api = QUERN_DEVICE_API,
					      .name = "ide-hd",
					      .doc = "ATA disk",
					      .bus = "ide",
					      .size = sizeof(struct ata_drive),
					      .props = hd_props,
					      .state = hd_state,
					      .init = hd_init,
					      .loaded = loaded,
					      .fini = fini };
static const struct device_class cd_class = { .api = QUERN_DEVICE_API,
					      .name = "ide-cd",
					      .doc = "ATAPI CD-ROM drive",
					      .bus = "ide",
					      .size = sizeof(struct ata_drive),
					      .props = cd_props,
					      .state = cd_state,
					      .init = cd_init,
					      .loaded = loaded,
					      .fini = fini };
QUERN_REGISTER(hd_class);
QUERN_REGISTER(cd_class);
