/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * overlay.c - the layer of -snapshot: a sparse temporary file without a name, which has every
 * sector at its own place, and a map of the sectors that were written. The map is made piece by
 * piece as it is needed.
 */
#include "block/overlay.h"
#include "block/file.h"
#include "lib/alloc.h"
#include "lib/error.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

enum {
	SECTOR = 512,
	PIECE_WORDS = 1024,
	PIECE_SECTORS = PIECE_WORDS * 64, /* 32 MiB */
};

struct overlay {
	u64 **map; /* by piece; NULL = nothing written there */
	u64 npieces;
	struct block_node *below; /* n->backing */
};
/* A request here, and its parts below. */
struct whole {
	struct block_node *node;
	struct block_req *of;
	unsigned parts;
	int err;
	u8 *copy; /* of a write that is not whole sectors */
	struct iovec copy_vec;
};
struct part {
	struct block_req r;
	struct whole *whole;
	bool mark; /* it writes */
	struct iovec vec[];
};

static u64 sectors(u64 bytes) { return (bytes + SECTOR - 1) / SECTOR; }

static bool written(const struct overlay *o, u64 s)
{
	const u64 *piece = o->map[s / PIECE_SECTORS];

	return piece && (piece[s % PIECE_SECTORS / 64] >> s % 64 & 1);
}

static void mark(struct overlay *o, u64 s, u64 n)
{
	for (; n; s++, n--) {
		u64 **piece = &o->map[s / PIECE_SECTORS], *word;

		if (!*piece)
			*piece = xcalloc(PIECE_WORDS, sizeof(u64));
		word = &(*piece)[s % PIECE_SECTORS / 64];
		if (s % 64 == 0 && n >= 64) {
			*word = ~0ull;
			s += 63;
			n -= 63;
		} else {
			*word |= BIT64(s % 64);
		}
	}
}

/* How many of n sectors from s on are alike. */
static u64 run(const struct overlay *o, u64 s, u64 n)
{
	bool first = written(o, s);
	u64 k = 1;

	while (k < n) {
		if ((s + k) % PIECE_SECTORS == 0 && n - k >= PIECE_SECTORS &&
		    !o->map[(s + k) / PIECE_SECTORS] && !first)
			k += PIECE_SECTORS;
		else if (written(o, s + k) == first)
			k++;
		else
			break;
	}
	return MIN(k, n);
}

/* ---- parts */

static void whole_put(struct whole *w)
{
	struct block_req *of = w->of;
	int err = w->err;

	if (--w->parts)
		return;
	free(w->copy);
	free(w);
	block_done(of, err);
}

static void part_done(struct block_req *r, int err)
{
	struct part *p = container_of(r, struct part, r);
	struct whole *w = p->whole;

	if (err && !w->err)
		w->err = err;
	if (!err && p->mark)
		mark(w->node->impl, r->at / SECTOR, sectors(r->bytes));
	free(p);
	whole_put(w);
}

/* The caller's pieces of [from, from + bytes). */
static u32 cut(struct iovec *out, const struct iovec *vec, u32 nvec, u64 from, u64 bytes)
{
	u32 n = 0;

	for (u32 i = 0; i < nvec && bytes; i++) {
		u64 len = vec[i].iov_len, take;

		if (from >= len) {
			from -= len;
			continue;
		}
		take = MIN(len - from, bytes);
		out[n++] = (struct iovec){ (u8 *)vec[i].iov_base + from, take };
		bytes -= take;
		from = 0;
	}
	return n;
}

static void send(struct whole *w, struct block_node *to, u8 op, const struct iovec *vec, u32 nvec,
		 u64 from, u64 at, u64 bytes, bool writes)
{
	struct part *p = xalloc(sizeof(*p) + nvec * sizeof(*vec));

	p->whole = w;
	p->mark = writes;
	p->r = (struct block_req){ .op = op,
				   .flags = w->of->flags & ~BLOCK_FUA,
				   .vec = p->vec,
				   .nvec = cut(p->vec, vec, nvec, from, bytes),
				   .at = at,
				   .bytes = bytes,
				   .done = part_done };
	w->parts++;
	block_node_submit(to, &p->r);
}

static void read_parts(struct whole *w, const struct iovec *vec, u32 nvec, u64 at, u64 bytes)
{
	struct block_node *n = w->node;
	struct overlay *o = n->impl;

	for (u64 pos = 0, len; pos < bytes; pos += len) {
		u64 s = (at + pos) / SECTOR, k = run(o, s, sectors(at + bytes) - s);

		len = MIN((s + k) * SECTOR - (at + pos), bytes - pos);
		send(w, written(o, s) ? n->file : n->backing, BLOCK_READ, vec, nvec, pos, at + pos,
		     len, false);
	}
}

/* ---- writes of parts of sectors: the whole sectors are read first */

struct fill {
	struct block_req r;
	struct block_node *node;
	struct block_req *of;
	u8 *copy;
	u64 start, end;
	struct iovec vec;
};

static void filled(struct block_req *r, int err)
{
	struct fill *f = container_of(r, struct fill, r);
	struct block_req *of = f->of;
	struct whole *w;
	u8 *to = f->copy + (of->at - f->start);

	if (err) {
		free(f->copy);
		free(f);
		block_done(of, err);
		return;
	}
	for (u32 i = 0; i < of->nvec; i++) {
		memcpy(to, of->vec[i].iov_base, of->vec[i].iov_len);
		to += of->vec[i].iov_len;
	}
	if (of->op == BLOCK_ZEROES)
		memset(f->copy + (of->at - f->start), 0, of->bytes);
	w = NEW(struct whole);
	*w = (struct whole){ .node = f->node, .of = of, .parts = 1, .copy = f->copy };
	w->copy_vec = (struct iovec){ f->copy, f->end - f->start };
	send(w, f->node->file, BLOCK_WRITE, &w->copy_vec, 1, 0, f->start, f->end - f->start, true);
	free(f);
	whole_put(w);
}

static void fill(struct block_node *n, struct block_req *r)
{
	struct fill *f = NEW(struct fill);
	struct whole *w = NEW(struct whole);

	f->node = n;
	f->of = r;
	f->start = ALIGN_DOWN(r->at, (u64)SECTOR);
	f->end = ALIGN_UP(r->at + r->bytes, (u64)SECTOR);
	f->copy = calloc(1, f->end - f->start);
	if (!f->copy) {
		free(f);
		free(w);
		block_done(r, -ENOMEM);
		return;
	}
	f->vec = (struct iovec){ f->copy, f->end - f->start };
	f->r = (struct block_req){ .op = BLOCK_READ, .done = filled };
	*w = (struct whole){ .node = n, .of = &f->r, .parts = 1 };
	read_parts(w, &f->vec, 1, f->start, f->end - f->start);
	whole_put(w);
}

/* ---- the node */

static void overlay_submit(struct block_node *n, struct block_req *r)
{
	struct whole *w;

	/* nothing of it outlives the process */
	if (r->op == BLOCK_FLUSH || r->op == BLOCK_DISCARD || !r->bytes) {
		block_done(r, 0);
		return;
	}
	if (r->op != BLOCK_READ && ((r->at | r->bytes) % SECTOR)) {
		fill(n, r);
		return;
	}
	w = NEW(struct whole);
	*w = (struct whole){ .node = n, .of = r, .parts = 1 };
	if (r->op == BLOCK_READ)
		read_parts(w, r->vec, r->nvec, r->at, r->bytes);
	else
		send(w, n->file, r->op, r->vec, r->op == BLOCK_WRITE ? r->nvec : 0, 0, r->at,
		     r->bytes, true);
	whole_put(w);
}

static void overlay_plug(struct block_node *n, bool on)
{
	block_node_plug(n->file, on);
	block_node_plug(n->backing, on);
}

static void overlay_close(struct block_node *n)
{
	struct overlay *o = n->impl;

	for (u64 i = 0; o && i < o->npieces; i++)
		free(o->map[i]);
	if (o)
		free(o->map);
	free(o);
}

static const char *overlay_filename(struct block_node *n) { return block_filename(n->backing); }

static int overlay_open(struct block_node *n, struct keyvals *kv, struct error *e)
{
	return error_ret(e, -EINVAL, "a temporary layer is asked for by snapshot=on");
}

/* ---- snapshots */

static int layer_fd(struct block_node *n) { return ((struct file *)n->file->impl)->fd; }

static u64 layer_next(struct block_node *n, u64 *at, u64 max)
{
	struct overlay *o = n->impl;
	u64 end = sectors(n->size), s = *at / SECTOR, k;

	for (; s < end; s += k) {
		k = run(o, s, MIN(end - s, max / SECTOR));
		if (written(o, s)) {
			*at = s * SECTOR;
			return k * SECTOR;
		}
	}
	return 0;
}

static int layer_move(struct block_node *n, u64 at, u8 *buf, u64 bytes, bool write)
{
	while (bytes) {
		ssize_t k = write ? pwrite(layer_fd(n), buf, bytes, at) :
				    pread(layer_fd(n), buf, bytes, at);

		if (k < 0 && errno == EINTR)
			continue;
		if (k < 0)
			return -errno;
		/* the last sector may end behind the file */
		if (!k) {
			memset(buf, 0, bytes);
			return 0;
		}
		buf += k;
		at += k;
		bytes -= k;
	}
	return 0;
}

static int layer_read(struct block_node *n, u64 at, void *buf, u64 bytes)
{
	return layer_move(n, at, buf, bytes, false);
}

static int layer_write(struct block_node *n, u64 at, const void *buf, u64 bytes)
{
	int err = layer_move(n, at, (u8 *)buf, bytes, true);

	if (!err)
		mark(n->impl, at / SECTOR, sectors(bytes));
	return err;
}

static void forget(struct overlay *o)
{
	for (u64 i = 0; i < o->npieces; i++) {
		free(o->map[i]);
		o->map[i] = NULL;
	}
}

static void layer_clear(struct block_node *n)
{
	forget(n->impl);
	/* only for the room; what is not marked is never read */
	if (ftruncate(layer_fd(n), 0) < 0 || ftruncate(layer_fd(n), n->size) < 0)
		warn("a temporary layer keeps its room: %s", strerror(errno));
}

BLOCK_DRIVER(overlay, .name = "overlay", .doc = "the temporary layer of -snapshot",
	     .protocol = true, .open = overlay_open, .close = overlay_close,
	     .submit = overlay_submit, .plug = overlay_plug, .filename = overlay_filename,
	     .layer_next = layer_next, .layer_read = layer_read, .layer_write = layer_write,
	     .layer_clear = layer_clear);

static int temporary_file(char *path, size_t size)
{
	const char *dir = getenv("TMPDIR");
	int fd;

	snprintf(path, size, "%s", dir && *dir ? dir : "/var/tmp");
	fd = open(path, O_RDWR | O_TMPFILE | O_CLOEXEC, 0600);
	if (fd >= 0 || (errno != EOPNOTSUPP && errno != EISDIR && errno != ENOENT))
		return fd;
	snprintf(path, size, "%s/quern-snapshot-XXXXXX", dir && *dir ? dir : "/var/tmp");
	fd = mkostemp(path, O_CLOEXEC);
	if (fd >= 0)
		unlink(path);
	return fd;
}

struct block_node *overlay_new(struct machine *m, struct block_node *below, struct error *e)
{
	struct block_node *n = block_node_new(m, &block_driver_overlay, NULL), *f;
	struct overlay *o = NEW(struct overlay);
	char path[4096];
	int fd = temporary_file(path, sizeof(path));

	n->impl = o;
	n->backing = below;
	n->size = below->size;
	n->optimal = below->optimal;
	n->can_discard = true;
	o->npieces = sectors(n->size) / PIECE_SECTORS + 1;
	o->map = xcalloc(o->npieces, sizeof(*o->map));
	if (fd < 0 || ftruncate(fd, n->size) < 0) {
		error_set(e, "could not make a temporary file for snapshot=on in '%s': %s", path,
			  strerror(errno));
		if (fd >= 0)
			close(fd);
		block_unref(n);
		return NULL;
	}
	f = block_node_new(m, block_driver_find("file"), NULL);
	n->file = f;
	f->size = n->size;
	/* it need not survive anything */
	f->cache.no_flush = true;
	if (file_adopt(f, fd, path, e)) {
		block_unref(n);
		return NULL;
	}
	return n;
}

bool overlay_is(const struct block_node *n) { return n->driver == &block_driver_overlay; }

/* ---- commit */

static void now_done(struct block_req *r, int err) { r->ended = true; }

static int now(struct block_node *n, u8 op, u64 at, void *buf, u64 bytes)
{
	struct iovec v = { buf, bytes };
	struct block_req r = {
		.op = op, .vec = &v, .nvec = buf ? 1 : 0, .at = at, .bytes = bytes, .done = now_done
	};

	block_node_submit(n, &r);
	block_wait(n, &r);
	return r.err;
}

/* The image below was opened for reading only; its formats follow its file. */
static int set_writable(struct block_node *n, bool on, struct error *e)
{
	struct block_node *f = n;
	int err;

	while (f->file)
		f = f->file;
	if (f->driver->submit != file_submit || f->readonly == !on)
		return 0;
	err = file_reopen(f, on, e);
	for (; !err && n; n = n->file)
		n->readonly = !on;
	return err;
}

static int copy_down(struct block_node *n, struct error *e)
{
	enum { STEP = 1 << 20 };
	struct overlay *o = n->impl;
	struct block_node *to = n->backing;
	AUTO_FREE u8 *buf = aligned_alloc(4096, STEP);
	u64 end = sectors(n->size);
	int err = buf ? 0 : -ENOMEM;

	for (u64 s = 0, k; s < end && !err; s += k) {
		k = run(o, s, MIN(end - s, (u64)PIECE_SECTORS));
		if (!written(o, s))
			continue;
		k = MIN(k, (u64)STEP / SECTOR);
		err = now(n->file, BLOCK_READ, s * SECTOR, buf, k * SECTOR);
		if (!err)
			err = now(to, BLOCK_WRITE, s * SECTOR, buf, k * SECTOR);
	}
	if (!err)
		err = now(to, BLOCK_FLUSH, 0, NULL, 0);
	if (err)
		return error_ret(e, err, "could not write '%s': %s", block_filename(to),
				 strerror(-err));
	forget(o);
	return 0;
}

int overlay_commit(struct block_node *n, struct error *e)
{
	int err = set_writable(n->backing, true, e);

	if (err)
		return err;
	err = copy_down(n, e);
	if (set_writable(n->backing, false, NULL))
		warn("'%s' stays open for writing", block_filename(n->backing));
	return err;
}
