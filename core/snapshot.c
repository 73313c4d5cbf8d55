/* SPDX-License-Identifier: GPL-2.0-or-later */
/* snapshot.c - writing and reading the stream: a header, sections of {name length, name, length,
 * bytes}, and an end. All numbers are little-endian. */
#include "core/snapshot.h"
#include "core/blob.h"
#include "core/block.h"
#include "core/cpu.h"
#include "core/device.h"
#include "core/private.h"
#include "core/snapshot_device.h"
#include "lib/alloc.h"
#include "lib/error.h"
#include "lib/str.h"
#include <errno.h>
#include <stdio.h>
#include <unistd.h>

enum { PAGE = 4096, NAME_MAX_BYTES = 255, VERSION = 1 };
#define SECTION_MAX (1ull << 30)
static const char magic[8] = "QUERNVM";
static const char end_name[] = "end";

void snapshot_add_part(struct machine *m, struct snapshot_part *p)
{
	list_add_tail(&m->priv->parts, &p->link);
}

void snapshot_remove_part(struct snapshot_part *p) { list_del(&p->link); }

/* --- keyed values */

void snapshot_put(struct blob *b, const char *key, const void *p, size_t n)
{
	u8 head[6];

	st16le(head, (u16)strlen(key));
	st32le(head + 2, (u32)n);
	blob_put(b, head, sizeof(head));
	blob_put(b, key, strlen(key));
	blob_put(b, p, n);
}

/* The value's place and size; -ENOENT, or -EINVAL when the blob is torn. */
static int find(struct blob *b, const char *key, size_t *at, size_t *n)
{
	size_t len = strlen(key);

	for (size_t pos = 0; pos < b->n;) {
		size_t k, v;

		if (b->n - pos < 6)
			return -EINVAL;
		k = ld16le(b->at + pos);
		v = ld32le(b->at + pos + 2);
		pos += 6;
		if (b->n - pos < k || b->n - pos - k < v)
			return -EINVAL;
		if (k == len && !memcmp(b->at + pos, key, k)) {
			*at = pos + k;
			*n = v;
			return 0;
		}
		pos += k + v;
	}
	return -ENOENT;
}

int snapshot_get(struct blob *b, const char *key, void *p, size_t n)
{
	size_t at, size;
	int r = find(b, key, &at, &size);

	if (r)
		return r;
	if (size != n)
		return -EINVAL;
	memcpy(p, b->at + at, n);
	return 0;
}

s64 snapshot_size(struct blob *b, const char *key)
{
	size_t at, size;
	int r = find(b, key, &at, &size);

	return r ? r : (s64)size;
}

/* --- the stream */

struct stream {
	int fd;
	struct error *e;
	u8 buf[64 << 10];
	size_t n, pos; /* bytes in buf; reading: of which consumed */
};

static int flush(struct stream *s)
{
	for (size_t done = 0; done < s->n;) {
		ssize_t w = write(s->fd, s->buf + done, s->n - done);

		if (w < 0 && errno == EINTR)
			continue;
		if (w <= 0)
			return error_ret(s->e, w ? -errno : -EIO, "cannot write the snapshot: %s",
					 strerror(w ? errno : EIO));
		done += (size_t)w;
	}
	s->n = 0;
	return 0;
}

static int put(struct stream *s, const void *p, size_t n)
{
	const u8 *at = p;

	while (n) {
		size_t part = MIN(n, sizeof(s->buf) - s->n);

		memcpy(s->buf + s->n, at, part);
		s->n += part;
		at += part;
		n -= part;
		if (s->n == sizeof(s->buf)) {
			int r = flush(s);

			if (r)
				return r;
		}
	}
	return 0;
}

static int get(struct stream *s, void *p, size_t n)
{
	u8 *at = p;

	while (n) {
		size_t part = MIN(n, s->n - s->pos);

		if (!part) {
			ssize_t r = read(s->fd, s->buf, sizeof(s->buf));

			if (r < 0 && errno == EINTR)
				continue;
			if (r < 0)
				return error_ret(s->e, -errno, "cannot read the snapshot: %s",
						 strerror(errno));
			if (!r)
				return error_ret(s->e, -EINVAL,
						 "the snapshot ends too soon: it is not complete");
			s->n = (size_t)r;
			s->pos = 0;
			continue;
		}
		memcpy(at, s->buf + s->pos, part);
		s->pos += part;
		at += part;
		n -= part;
	}
	return 0;
}

static int put_head(struct stream *s, const char *name, u64 n)
{
	u8 head[10];
	int r;

	st16le(head, (u16)strlen(name));
	st64le(head + 2, n);
	r = put(s, head, sizeof(head));
	return r ? r : put(s, name, strlen(name));
}

static int put_section(struct stream *s, const char *name, const struct blob *b)
{
	int r = put_head(s, name, b->n);

	return r ? r : put(s, b->at, b->n);
}

/* --- RAM: {page number, bytes} of each page that is not zero, closed by ~0 */

enum { MAX_RAMS = 64 };

/* Every piece of memory below a region once, those that only aliases show included. */
static void each_ram(struct region *r, struct region *found[MAX_RAMS], unsigned *n)
{
	struct region *child;

	while (r->kind == REGION_ALIAS)
		r = r->alias;
	list_for_each (child, &r->children, link)
		each_ram(child, found, n);
	if (r->kind == REGION_CONTAINER || !r->ram || r->unsaved)
		return;
	for (unsigned i = 0; i < *n; i++)
		if (found[i] == r)
			return;
	if (*n < MAX_RAMS)
		found[(*n)++] = r;
}

static bool zero(const u8 *p) { return !p[0] && !memcmp(p, p + 1, PAGE - 1); }

static int put_ram(struct stream *s, struct region *r)
{
	AUTO_FREE char *name = xasprintf("ram %s", r->name);
	const struct ram *ram = r->ram;
	u8 at[8];
	int err = put_head(s, name, ram->size);

	for (u64 off = 0; !err && off < ram->size; off += PAGE) {
		if (zero(ram->host + off))
			continue;
		st64le(at, off / PAGE);
		err = put(s, at, sizeof(at));
		if (!err)
			err = put(s, ram->host + off, PAGE);
	}
	st64le(at, ~0ull);
	return err ? err : put(s, at, sizeof(at));
}

static int get_ram(struct stream *s, struct machine *m, const char *name, u64 size)
{
	struct region *found[MAX_RAMS];
	unsigned n = 0;
	struct ram *ram = NULL;
	u64 next = 0;

	each_ram(&m->memory_root, found, &n);
	for (unsigned i = 0; i < n && !ram; i++)
		if (str_eq(found[i]->name, name))
			ram = found[i]->ram;
	if (!ram || ram->size != size)
		return error_ret(s->e, -EINVAL,
				 "the snapshot has %llu bytes of memory '%s', this machine %llu: "
				 "start it with the same options",
				 (unsigned long long)size, name,
				 (unsigned long long)(ram ? ram->size : 0));
	for (;;) {
		u8 b[8];
		u64 page;
		int err = get(s, b, sizeof(b));

		if (err)
			return err;
		page = ld64le(b);
		if (page != ~0ull && (page < next || page >= size / PAGE))
			return error_ret(s->e, -EINVAL, "the snapshot's memory '%s' is damaged",
					 name);
		for (; next < size / PAGE && next < page; next++)
			if (!zero(ram->host + next * PAGE))
				memset(ram->host + next * PAGE, 0, PAGE);
		if (page == ~0ull)
			return 0;
		err = get(s, ram->host + page * PAGE, PAGE);
		if (err)
			return err;
		next = page + 1;
	}
}

/* --- the machine itself, and its CPUs */

static const char *isa_name(const struct machine *m) { return m->isa ? m->isa->name : "none"; }

static void save_machine(struct machine *m, struct blob *b)
{
	u64 v[5] = { clock_now(&m->clock), (u64)m->clock.wall_offset, m->ncpus,
		     m->priv->random_state, m->ram_size };
	u8 out[sizeof(v)];

	for (unsigned i = 0; i < ARRAY_SIZE(v); i++)
		st64le(out + 8 * i, v[i]);
	snapshot_put(b, "values", out, sizeof(out));
	snapshot_put(b, "isa", isa_name(m), strlen(isa_name(m)));
}

static int load_machine(struct machine *m, struct blob *b, struct error *e)
{
	u8 in[40];
	char isa[32] = "";
	s64 n = snapshot_size(b, "isa");

	if (n < 0 || n >= (s64)sizeof(isa) || snapshot_get(b, "isa", isa, (size_t)n) ||
	    snapshot_get(b, "values", in, sizeof(in)))
		return error_ret(e, -EINVAL, "the snapshot's head is damaged");
	if (!str_eq(isa, isa_name(m)) || ld64le(in + 16) != m->ncpus ||
	    ld64le(in + 32) != m->ram_size)
		return error_ret(e, -EINVAL,
				 "the snapshot is of a machine with %llu CPUs of %s and %llu MiB, "
				 "not %u of %s and %llu MiB: start it with the same options",
				 (unsigned long long)ld64le(in + 16), isa,
				 (unsigned long long)ld64le(in + 32) >> 20, m->ncpus, isa_name(m),
				 (unsigned long long)m->ram_size >> 20);
	clock_set(&m->clock, ld64le(in));
	m->clock.wall_offset = (s64)ld64le(in + 8);
	m->priv->random_state = ld64le(in + 24);
	return 0;
}

static const struct cpu_state common[] = { CPU_STATE(struct cpu, pc),
					   CPU_STATE(struct cpu, hflags),
					   CPU_STATE(struct cpu, halted),
					   CPU_STATE(struct cpu, stopped),
					   CPU_STATE(struct cpu, icount),
					   CPU_STATE(struct cpu, lines),
					   {} };

static void save_table(struct cpu *cpu, const struct cpu_state *t, struct blob *b)
{
	for (; t && t->name; t++)
		snapshot_put(b, t->name, (const u8 *)cpu + t->offset, t->size);
}

static int load_value(struct cpu *cpu, const struct cpu_state *t, struct blob *b, struct error *e)
{
	AUTO_FREE u8 *v = xalloc(t->size);
	u8 *own = (u8 *)cpu + t->offset;

	if (snapshot_get(b, t->name, v, t->size))
		return error_ret(e, -EINVAL,
				 "the snapshot has no value for '%s' of CPU %u: it was made by "
				 "another version",
				 t->name, cpu->index);
	if (t->same && memcmp(own, v, t->size))
		return error_ret(e, -EINVAL,
				 "the snapshot's CPU %u has another '%s': start with the same CPU "
				 "options",
				 cpu->index, t->name);
	memcpy(own, v, t->size);
	return 0;
}

static int load_table(struct cpu *cpu, const struct cpu_state *t, struct blob *b, struct error *e)
{
	int r = 0;

	for (; !r && t && t->name; t++)
		r = load_value(cpu, t, b, e);
	return r;
}

static void save_cpu(struct cpu *cpu, struct blob *b)
{
	save_table(cpu, common, b);
	save_table(cpu, cpu->isa->state, b);
}

static int load_cpu(struct cpu *cpu, struct blob *b, struct error *e)
{
	int r = load_table(cpu, common, b, e);

	if (!r)
		r = load_table(cpu, cpu->isa->state, b, e);
	if (!r && cpu->isa->loaded)
		r = cpu->isa->loaded(cpu, e);
	cpu->pass_valid = cpu->passed_exception = false;
	/* whatever has happened meanwhile is looked at anew */
	cpu_kick(cpu, CPU_EXIT_IRQ);
	return r;
}

/* --- all of it */

static int save_all(struct machine *m, struct stream *s)
{
	struct region *ram[MAX_RAMS];
	struct snapshot_part *p;
	struct device_core *d;
	struct blob b = { 0 };
	unsigned n = 0;
	u8 version[4];
	int r;

	st32le(version, VERSION);
	r = put(s, magic, sizeof(magic));
	if (!r)
		r = put(s, version, sizeof(version));
#define SECTION(call, ...) \
	if (!r) { \
		AUTO_FREE char *name_ = xasprintf(__VA_ARGS__); \
\
		b.n = 0; \
		call; \
		r = put_section(s, name_, &b); \
	}
	SECTION(save_machine(m, &b), "machine");
	each_ram(&m->memory_root, ram, &n);
	for (unsigned i = 0; !r && i < n; i++)
		r = put_ram(s, ram[i]);
	list_for_each (d, &m->devices, link)
		SECTION(snapshot_save_device(d->dev, &b), "device %s", d->dev->id);
	list_for_each (p, &m->priv->parts, link)
		SECTION(p->save(p->arg, &b), "part %s", p->name);
	for (u32 i = 0; i < m->ncpus; i++)
		SECTION(save_cpu(m->cpu[i], &b), "cpu %u", i);
#undef SECTION
	blob_fini(&b);
	if (!r)
		r = put_head(s, end_name, 0);
	return r ? r : flush(s);
}

int snapshot_save(struct machine *m, int fd, struct error *e)
{
	struct stream *s = NEW(struct stream);
	int r;

	block_drain_all(m);
	s->fd = fd;
	s->e = e;
	r = save_all(m, s);
	free(s);
	return r;
}

static struct snapshot_part *part_named(struct machine *m, const char *name)
{
	struct snapshot_part *p;

	list_for_each (p, &m->priv->parts, link)
		if (str_eq(p->name, name))
			return p;
	return NULL;
}

/* What a load has seen, to tell what is missing. */
struct seen {
	bool machine;
	u32 cpus, devices, parts;
};

static int load_section(struct machine *m, const char *name, struct blob *b, struct seen *seen,
			struct error *e)
{
	struct snapshot_part *p;
	struct device *d;
	u32 n;

	if (str_eq(name, "machine")) {
		seen->machine = true;
		return load_machine(m, b, e);
	}
	if (!strncmp(name, "device ", 7)) {
		d = device_find(m, name + 7);
		if (!d)
			return error_ret(e, -EINVAL,
					 "the snapshot has a device '%s', which this machine has "
					 "not: start it with the same options",
					 name + 7);
		seen->devices++;
		return snapshot_load_device(d, b, e);
	}
	if (!strncmp(name, "cpu ", 4) && !str_to_u32(name + 4, 10, &n) && n < m->ncpus) {
		seen->cpus++;
		return load_cpu(m->cpu[n], b, e);
	}
	p = strncmp(name, "part ", 5) ? NULL : part_named(m, name + 5);
	if (!p)
		return error_ret(e, -EINVAL,
				 "the snapshot has a section '%s', which this machine knows "
				 "nothing of",
				 name);
	seen->parts++;
	return p->load(p->arg, b, e);
}

static int complete(struct machine *m, const struct seen *seen, struct error *e)
{
	struct snapshot_part *p;
	struct device_core *d;
	u32 devices = 0, parts = 0;

	list_for_each (d, &m->devices, link)
		devices++;
	list_for_each (p, &m->priv->parts, link)
		parts++;
	if (seen->machine && seen->cpus == m->ncpus && seen->devices == devices &&
	    seen->parts == parts)
		return 0;
	return error_ret(e, -EINVAL,
			 "the snapshot has %u devices and %u CPUs, this machine %u and %u: start "
			 "it "
			 "with the same options",
			 seen->devices, seen->cpus, devices, m->ncpus);
}

static int load_all(struct machine *m, struct stream *s)
{
	struct seen seen = { 0 };
	struct blob b = { 0 };
	u8 head[12];
	int r = get(s, head, sizeof(head));

	if (r)
		return r;
	if (memcmp(head, magic, sizeof(magic)))
		return error_ret(s->e, -EINVAL, "this is no snapshot of a machine");
	if (ld32le(head + 8) != VERSION)
		return error_ret(s->e, -EINVAL, "the snapshot's format is version %u, not %u",
				 ld32le(head + 8), VERSION);
	while (!r) {
		char name[NAME_MAX_BYTES + 1];
		u64 n, len;

		r = get(s, head, 10);
		if (r)
			break;
		len = ld16le(head);
		n = ld64le(head + 2);
		if (len > NAME_MAX_BYTES) {
			r = error_ret(s->e, -EINVAL, "the snapshot is damaged");
			break;
		}
		r = get(s, name, len);
		name[len] = 0;
		if (r)
			break;
		if (str_eq(name, end_name)) {
			r = complete(m, &seen, s->e);
			break;
		}
		if (!strncmp(name, "ram ", 4)) {
			r = get_ram(s, m, name + 4, n);
			continue;
		}
		if (n > SECTION_MAX) {
			r = error_ret(s->e, -EINVAL, "the snapshot's section '%s' is damaged",
				      name);
			break;
		}
		blob_fini(&b);
		b.at = xalloc(n + 1);
		b.n = b.cap = n;
		r = get(s, b.at, n);
		if (!r)
			r = load_section(m, name, &b, &seen, s->e);
	}
	blob_fini(&b);
	return r;
}

int snapshot_load(struct machine *m, int fd, struct error *e)
{
	struct stream *s = NEW(struct stream);
	struct device_core *d;
	int r;

	block_drain_all(m);
	s->fd = fd;
	s->e = e;
	space_begin(m);
	r = load_all(m, s);
	space_commit(m);
	if (m->memory_changed)
		m->memory_changed(m);
	if (!r)
		list_for_each (d, &m->devices, link)
			if (d->dev->class->loaded)
				d->dev->class->loaded(d->dev);
	free(s);
	return r;
}
