/* SPDX-License-Identifier: GPL-2.0-or-later */
/* blk.c - virtio block device. VIRTIO 1.2, 5.2. Data goes between the guest's memory and the drive
 * without a copy. */
#include <errno.h>
#include <quern/block.h>
#include <quern/virtio.h>
#include <stdlib.h>

enum {
	F_SEG_MAX = 2,
	F_GEOMETRY = 4,
	F_RO = 5,
	F_BLK_SIZE = 6,
	F_FLUSH = 9,
	F_TOPOLOGY = 10,
	F_CONFIG_WCE = 11,
	F_MQ = 12,
	F_DISCARD = 13,
	F_WRITE_ZEROES = 14,
	/* requests (5.2.6) */
	T_IN = 0,
	T_OUT = 1,
	T_FLUSH = 4,
	T_GET_ID = 8,
	T_DISCARD = 11,
	T_WRITE_ZEROES = 13,
	S_OK = 0,
	S_IOERR = 1,
	S_UNSUPP = 2,
	HEADER = 16,
	ID_SIZE = 20,
	RANGE = 16, /* of discards */
	SECTOR = 512,
	CONFIG_SIZE = 60,
	CONFIG_WCE = 32,
	MAX_SEGMENTS = 254,
};
#define ZEROES_UNMAP BIT(0)

/* A request under way. */
struct io {
	struct block_req block;
	struct virtio_req *req;
	u32 written;	   /* of a success: bytes of in, the status included */
	struct iovec *cut; /* the piece that is shorter by its status byte meanwhile */
	struct io *next;
};

struct vblk {
	struct virtio_device virtio;
	struct block *drive;
	char *serial;
	u16 num_queues, queue_size;
	u32 logical_block_size, physical_block_size, min_io_size, opt_io_size;
	u32 max_discard_sectors, max_write_zeroes_sectors, discard_granularity;
	u32 cyls, heads, secs;
	u8 write_cache; /* on, off, auto */
	bool config_wce, discard, write_zeroes, seg_max_adjust;
	bool cache; /* writeback now */
	struct block_info info;
	struct io *spare;
};

/* ---- the end of a request */

static void answer(struct vblk *d, struct virtio_req *r, u8 status, u32 written)
{
	virtio_put(r, r->in_size - 1, &status, 1);
	trace(d, "done", "queue=%u status=%u", r->queue, status);
	virtq_push(r, written);
}

static u8 status_of(int err) { return !err ? S_OK : err == -ENOTSUP ? S_UNSUPP : S_IOERR; }

static void done(struct block_req *b, int err)
{
	struct io *io = b->arg;
	struct vblk *d = b->user;

	if (io->cut)
		io->cut->iov_len++;
	answer(d, io->req, status_of(err), err ? io->req->in_size : io->written);
	io->next = d->spare;
	d->spare = io;
}

static void batch(void *dev)
{
	struct vblk *d = dev;

	for (unsigned n = 0; n < d->num_queues; n++)
		virtq_notify(d, n);
}

/* ---- requests */

static struct io *io_new(struct vblk *d, struct virtio_req *r)
{
	struct io *io = d->spare;

	if (io)
		d->spare = io->next;
	else
		io = calloc(1, sizeof(*io));
	if (!io)
		return NULL;
	*io = (struct io){ .req = r, .written = 1 };
	io->block.done = done;
	io->block.arg = io;
	return io;
}

/* The pieces of out behind the first n bytes. The request is ours: its list may be cut. */
static void skip_header(struct virtio_req *r, size_t n, const struct iovec **vec, u32 *nvec)
{
	u32 i = 0;

	for (; i < r->nout && n >= r->out[i].iov_len; i++)
		n -= r->out[i].iov_len;
	if (n) {
		r->out[i].iov_base = (u8 *)r->out[i].iov_base + n;
		r->out[i].iov_len -= n;
	}
	*vec = r->out + i;
	*nvec = r->nout - i;
}

/* How many in pieces hold data: the very last byte is the status. */
static u32 without_status(const struct virtio_req *r)
{
	return r->in[r->nin - 1].iov_len == 1 ? r->nin - 1 : r->nin;
}

static bool in_range(struct vblk *d, u64 sector, u64 bytes)
{
	u64 at;

	return !mul_overflow(sector, (u64)SECTOR, &at) && range_fits(at, bytes, d->info.size) &&
	       bytes % d->logical_block_size == 0 && at % d->logical_block_size == 0;
}

static void submit(struct vblk *d, struct io *io, u8 op, u64 sector, u64 bytes)
{
	io->block.op = op;
	io->block.at = sector * SECTOR;
	io->block.bytes = bytes;
	block_submit(d->drive, &io->block);
}

static void transfer(struct vblk *d, struct io *io, u64 sector, bool write)
{
	struct virtio_req *r = io->req;
	u32 bytes = write ? r->out_size - HEADER : r->in_size - 1;

	if (!bytes || !in_range(d, sector, bytes)) {
		guest_error(d, "%s of %u bytes at sector %llu of %llu", write ? "write" : "read",
			    bytes, (unsigned long long)sector,
			    (unsigned long long)d->info.size / SECTOR);
		done(&io->block, -EIO);
		return;
	}
	if (write && d->info.readonly) {
		done(&io->block, -EROFS);
		return;
	}
	if (write) {
		skip_header(r, HEADER, &io->block.vec, &io->block.nvec);
	} else {
		u32 n = without_status(r);

		io->block.vec = r->in;
		io->block.nvec = n;
		io->written = r->in_size;
		if (n == r->nin) {
			io->cut = &r->in[n - 1];
			io->cut->iov_len--;
		}
	}
	submit(d, io, write ? BLOCK_WRITE : BLOCK_READ, sector, bytes);
}

/* 5.2.6: one range, as max_discard_seg says. */
static void clear_range(struct vblk *d, struct io *io, bool zeroes)
{
	u32 max = zeroes ? d->max_write_zeroes_sectors : d->max_discard_sectors, n, flags;
	u8 b[RANGE];
	u64 sector;

	if (d->info.readonly || io->req->out_size != HEADER + RANGE ||
	    virtio_get(io->req, HEADER, b, RANGE) != RANGE) {
		done(&io->block, d->info.readonly ? -EROFS : -EIO);
		return;
	}
	sector = ld64le(b);
	n = ld32le(b + 8);
	flags = ld32le(b + 12);
	if ((flags & ~ZEROES_UNMAP) || (!zeroes && flags)) {
		done(&io->block, -ENOTSUP);
		return;
	}
	if (!n || n > max || !in_range(d, sector, (u64)n * SECTOR)) {
		guest_error(d, "%s of %u sectors at %llu", zeroes ? "zeroes" : "discard", n,
			    (unsigned long long)sector);
		done(&io->block, -EIO);
		return;
	}
	io->block.flags = flags & ZEROES_UNMAP ? BLOCK_UNMAP : 0;
	submit(d, io, zeroes ? BLOCK_ZEROES : BLOCK_DISCARD, sector, (u64)n * SECTOR);
}

static void identify(struct vblk *d, struct io *io)
{
	char id[ID_SIZE] = { 0 };

	if (d->serial)
		memcpy(id, d->serial, MIN(strlen(d->serial), sizeof(id)));
	io->written = virtio_put(io->req, 0, id, MIN(io->req->in_size - 1, (u32)ID_SIZE)) + 1;
	done(&io->block, 0);
}

static void start(struct vblk *d, struct virtio_req *r)
{
	u8 header[HEADER];
	struct io *io;
	u64 sector;
	u32 type;

	if (virtio_get(r, 0, header, HEADER) != HEADER || !r->in_size) {
		virtio_broken(d, "a request without a header or without room for its status");
		virtq_drop(r);
		return;
	}
	type = ld32le(header);
	sector = ld64le(header + 8);
	trace(d, "start", "queue=%u type=%u sector=%llu out=%u in=%u", r->queue, type,
	      (unsigned long long)sector, r->out_size, r->in_size);
	io = io_new(d, r);
	if (!io) {
		answer(d, r, S_IOERR, 1);
		return;
	}
	io->block.user = d;
	if (fault(d, "io_error"))
		done(&io->block, -EIO);
	else if (type == T_IN || type == T_OUT)
		transfer(d, io, sector, type == T_OUT);
	else if (type == T_FLUSH)
		submit(d, io, BLOCK_FLUSH, 0, 0);
	else if (type == T_GET_ID)
		identify(d, io);
	else if (type == T_DISCARD && virtio_has(d, F_DISCARD))
		clear_range(d, io, false);
	else if (type == T_WRITE_ZEROES && virtio_has(d, F_WRITE_ZEROES))
		clear_range(d, io, true);
	else
		done(&io->block, -ENOTSUP);
}

static void queue(void *dev, unsigned n)
{
	struct vblk *d = dev;
	struct virtio_req *r;

	block_plug(d->drive);
	while ((r = virtq_pop(d, n)))
		start(d, r);
	block_unplug(d->drive);
	virtq_notify(d, n);
}

/* ---- configuration */

static void set_cache(struct vblk *d, bool on)
{
	d->cache = on;
	block_set_write_cache(d->drive, on);
}

static void get_config(void *dev, u8 *c)
{
	struct vblk *d = dev;
	u64 sectors = d->info.size / SECTOR;
	u32 per_cylinder = 16 * 63;

	st64le(c, sectors);
	st32le(c + 12, d->seg_max_adjust ? MIN(d->queue_size - 2u, 1022u) : MAX_SEGMENTS);
	st16le(c + 16, d->cyls ? d->cyls : MIN(sectors / per_cylinder, (u64)16383));
	st8(c + 18, d->heads ? d->heads : 16);
	st8(c + 19, d->secs ? d->secs : 63);
	st32le(c + 20, d->logical_block_size);
	st8(c + 24, __builtin_ctz(d->physical_block_size / d->logical_block_size));
	st16le(c + 26, d->min_io_size / d->logical_block_size);
	st32le(c + 28, d->opt_io_size / d->logical_block_size);
	st8(c + CONFIG_WCE, d->cache);
	st16le(c + 34, d->num_queues);
	st32le(c + 36, d->max_discard_sectors);
	st32le(c + 40, 1);
	st32le(c + 44, MAX(d->discard_granularity, d->logical_block_size) / SECTOR);
	st32le(c + 48, d->max_write_zeroes_sectors);
	st32le(c + 52, 1);
	st8(c + 56, 1);
}

static void set_config(void *dev, const u8 *c, u32 off, u32 size)
{
	struct vblk *d = dev;

	if (off <= CONFIG_WCE && off + size > CONFIG_WCE && virtio_has(d, F_CONFIG_WCE))
		set_cache(d, c[CONFIG_WCE] & 1);
	else
		guest_error(d, "configuration at %u is read-only", off);
}

/* A driver that cannot flush gets a disk that needs no flushes. */
static void negotiated(void *dev)
{
	struct vblk *d = dev;

	set_cache(d,
		  d->info.write_cache && (virtio_has(d, F_FLUSH) || virtio_has(d, F_CONFIG_WCE)));
}

static void resized(void *dev)
{
	struct vblk *d = dev;
	bool cache = d->info.write_cache;

	block_info(d->drive, &d->info);
	d->info.write_cache = cache;
	virtio_config_changed(d);
}

static const struct block_user user = { .batch = batch, .resized = resized };

/* ---- life */

static int check_size(struct vblk *d, const char *name, u32 v, struct error *e)
{
	if (v >= SECTOR && v <= 1u << 21 && !(v & (v - 1)))
		return 0;
	error_set(e, "property '%s' cannot be %u: it is a power of two from 512 to 2M", name, v);
	return -EINVAL;
}

static int check(struct vblk *d, struct error *e)
{
	if (!d->drive) {
		error_set(e, "drive property not set");
		return -EINVAL;
	}
	if (check_size(d, "logical_block_size", d->logical_block_size, e) ||
	    check_size(d, "physical_block_size", d->physical_block_size, e))
		return -EINVAL;
	if (d->physical_block_size < d->logical_block_size) {
		error_set(e, "physical_block_size is smaller than logical_block_size");
		return -EINVAL;
	}
	if (d->queue_size & (d->queue_size - 1)) {
		error_set(e, "property 'queue-size' cannot be %u: it is a power of two from 4",
			  d->queue_size);
		return -EINVAL;
	}
	return 0;
}

static int init(void *dev, struct error *e)
{
	struct vblk *d = dev;
	int err = check(d, e);

	if (err)
		return err;
	block_info(d->drive, &d->info);
	err = block_attach(d->drive, d, &user, !d->info.readonly, e);
	if (err)
		return err;
	if (d->write_cache != PROP_AUTO)
		d->info.write_cache = d->write_cache == PROP_ON;
	for (unsigned i = 0; i < d->num_queues; i++)
		virtio_add_queue(d, d->queue_size);
	virtio_offer(d, F_RO, d->info.readonly);
	virtio_offer(d, F_MQ, d->num_queues > 1);
	virtio_offer(d, F_CONFIG_WCE, d->config_wce);
	virtio_offer(d, F_DISCARD, d->discard);
	virtio_offer(d, F_WRITE_ZEROES, d->write_zeroes);
	return 0;
}

static void reset(void *dev)
{
	struct vblk *d = dev;

	block_drain(d->drive);
	set_cache(d, d->info.write_cache);
}

static void fini(void *dev)
{
	struct vblk *d = dev;

	block_detach(d->drive);
	while (d->spare) {
		struct io *io = d->spare;

		d->spare = io->next;
		free(io);
	}
}

#define MAX_SECTORS (0x7fffffff / SECTOR)
static const struct prop props[] = {
	PROP(struct vblk, drive, .kind = PROP_DRIVE, .doc = "The disk's contents."),
	PROP(struct vblk, serial, .kind = PROP_STR, .doc = "Its serial number, up to 20 letters."),
	PROP(struct vblk, num_queues, .def = 1, .min = 1, .max = 64, .doc = "How many queues."),
	PROP(struct vblk, queue_size, .def = 256, .min = 4, .max = 1024,
	     .doc = "Entries of a queue, a power of two."),
	PROP(struct vblk, logical_block_size, .def = 512, .doc = "Bytes of a block."),
	PROP(struct vblk, physical_block_size, .def = 512, .doc = "Bytes of the medium's blocks."),
	PROP(struct vblk, min_io_size, .doc = "Smallest good request, in bytes."),
	PROP(struct vblk, opt_io_size, .doc = "Best request, in bytes."),
	PROP(struct vblk, max_discard_sectors, .def = MAX_SECTORS, .min = 1, .max = MAX_SECTORS,
	     .doc = "Largest discard."),
	PROP(struct vblk, max_write_zeroes_sectors, .def = MAX_SECTORS, .min = 1,
	     .max = MAX_SECTORS, .doc = "Largest request for zeroes."),
	PROP(struct vblk, discard_granularity, .doc = "Discards should be aligned to these bytes."),
	PROP(struct vblk, cyls, .max = 65535, .doc = "Cylinders; 0 = as the size says."),
	PROP(struct vblk, heads, .max = 255, .doc = "Heads; 0 = 16."),
	PROP(struct vblk, secs, .max = 255, .doc = "Sectors of a track; 0 = 63."),
	PROP(struct vblk, write_cache, .kind = PROP_ONOFFAUTO,
	     .doc = "Has the disk a cache that must be flushed? auto: as the drive's cache= says."),
	PROP(struct vblk, config_wce, .kind = PROP_BOOL, .def = 1,
	     .doc = "The guest may switch that cache."),
	PROP(struct vblk, discard, .kind = PROP_BOOL, .def = 1, .doc = "Takes discards."),
	PROP(struct vblk, write_zeroes, .kind = PROP_BOOL, .def = 1,
	     .doc = "Takes requests for zeroes."),
	PROP(struct vblk, seg_max_adjust, .kind = PROP_BOOL, .def = 1,
	     .doc = "As many pieces in a request as the queue's size allows; off: 254."),
	{ .name = "scsi",
	  .kind = PROP_BOOL,
	  .size = 1,
	  .ignored = "there are no SCSI commands over virtio-blk",
	  .doc = "No effect: there are no SCSI commands over virtio-blk." },
	{ .name = "iothread",
	  .kind = PROP_STR,
	  .size = 8,
	  .ignored = "the disk's work has threads of its own always",
	  .doc = "No effect: the disk's work has threads of its own always." },
	{ .name = "request_merging",
	  .kind = PROP_BOOL,
	  .size = 1,
	  .ignored = "requests go to the host as they come",
	  .doc = "No effect: requests go to the host as they come." },
	{}
};
static const struct state state[] = {
	STATE(struct vblk, cache), DERIVED(struct vblk, info), DERIVED(struct vblk, spare), {}
};

VIRTIO_DEVICE(vblk,
	      .dev = { .name = "virtio-blk",
		       .doc = "Disk",
		       .bus = "virtio",
		       .size = sizeof(struct vblk),
		       .props = props,
		       .state = state,
		       .init = init,
		       .reset = reset,
		       .fini = fini },
	      .id = 2, .legacy_id = 0x1001, .pci_class = 0x010000,
	      .features = BIT64(F_SEG_MAX) | BIT64(F_GEOMETRY) | BIT64(F_BLK_SIZE) |
			  BIT64(F_FLUSH) | BIT64(F_TOPOLOGY),
	      .config_size = CONFIG_SIZE, .get_config = get_config, .set_config = set_config,
	      .queue = queue, .negotiated = negotiated);
