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
#include "core/snapshot_stream.h"
#include "lib/alloc.h"
#include "lib/error.h"
#include "lib/str.h"
#include <errno.h>
#include <stdio.h>

enum { NAME_MAX_BYTES = 255, VERSION = 2 };
#define SECTION_MAX (1ull << 30)
static const char magic[8] = SNAPSHOT_MAGIC;
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

/* --- sections that are held in memory */

struct section {
	char *name;
	struct blob b;
};
struct snapshot {
	struct machine *m;
	struct section *at;
	size_t n, cap;
	size_t heads; /* the first ones: the machine's, the disks' */
	bool ran;     /* the machine that was saved */
};

static struct section *add_section(struct snapshot *s, char *name)
{
	if (s->n == s->cap) {
		s->cap = s->cap ? s->cap * 2 : 64;
		s->at = xrealloc(s->at, s->cap * sizeof(*s->at));
	}
	s->at[s->n] = (struct section){ .name = name };
	return &s->at[s->n++];
}

void snapshot_free(struct snapshot *s)
{
	for (size_t i = 0; s && i < s->n; i++) {
		free(s->at[i].name);
		blob_fini(&s->at[i].b);
	}
	if (s)
		free(s->at);
	free(s);
}

static u64 total_bytes(struct machine *m)
{
	struct region *ram[MAX_RAMS];
	unsigned n = ram_find(m, ram);
	u64 total = 0;

	for (unsigned i = 0; i < n; i++)
		total += ram[i]->ram->size;
	for (struct block *b = disk_next(m, NULL); b; b = disk_next(m, b))
		total += disk_layer(b) ? layer_bytes(disk_layer(b)) : 0;
	return total;
}

u64 snapshot_total(const struct snapshot *s) { return total_bytes(s->m); }
bool snapshot_ran(const struct snapshot *s) { return s->ran; }

/* --- saving */

struct snapshot *snapshot_collect(struct machine *m, bool ran, struct error *e)
{
	struct snapshot *s;
	struct snapshot_part *p;
	struct device_core *d;
	u8 running = ran;

	if (block_settle_all(m, e))
		return NULL;
	s = NEW(struct snapshot);
	s->m = m;
	s->ran = ran;
#define SECTION(...) &add_section(s, xasprintf(__VA_ARGS__))->b
	save_machine(m, SECTION("machine"));
	snapshot_put(&s->at[0].b, "running", &running, 1);
	for (struct block *b = disk_next(m, NULL); b; b = disk_next(m, b))
		disk_save(b, SECTION("disk %s", block_name(b)));
	s->heads = s->n;
	list_for_each (d, &m->devices, link)
		snapshot_save_device(d->dev, SECTION("device %s", d->dev->id));
	list_for_each (p, &m->priv->parts, link)
		p->save(p->arg, SECTION("part %s", p->name));
	for (u32 i = 0; i < m->ncpus; i++)
		save_cpu(m->cpu[i], SECTION("cpu %u", i));
#undef SECTION
	return s;
}

static int put_memory(struct machine *m, struct stream *st)
{
	struct region *ram[MAX_RAMS];
	unsigned n = ram_find(m, ram);
	int err = 0;

	for (unsigned i = 0; !err && i < n; i++)
		err = ram_put(st, ram[i]);
	for (struct block *b = disk_next(m, NULL); b && !err; b = disk_next(m, b))
		if (disk_layer(b))
			err = layer_put(st, block_name(b), disk_layer(b));
	return err;
}

int snapshot_write(struct snapshot *s, int fd, struct snapshot_progress *p, struct error *e)
{
	struct stream *st = NEW(struct stream);
	u8 version[4];
	int err;

	stream_init(st, fd, p, e);
	st32le(version, VERSION);
	err = stream_put(st, magic, sizeof(magic));
	if (!err)
		err = stream_put(st, version, sizeof(version));
	for (size_t i = 0; !err && i < s->n; i++) {
		err = stream_head(st, s->at[i].name, s->at[i].b.n);
		if (!err)
			err = stream_put(st, s->at[i].b.at, s->at[i].b.n);
		/* behind the disks, so that their layers find them checked */
		if (!err && i + 1 == s->heads)
			err = put_memory(s->m, st);
	}
	if (!err)
		err = stream_head(st, end_name, 0);
	if (!err)
		err = stream_flush(st);
	free(st);
	return err;
}

int snapshot_save(struct machine *m, int fd, struct error *e)
{
	struct snapshot *s = snapshot_collect(m, false, e);
	int err = s ? snapshot_write(s, fd, NULL, e) : -EBUSY;

	snapshot_free(s);
	return err;
}

/* --- loading */

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
	u32 cpus, devices, parts, disks;
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
	/* looked at when it came */
	if (!strncmp(name, "disk ", 5)) {
		seen->disks++;
		return 0;
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
	u32 devices = 0, parts = 0, disks = 0;

	list_for_each (d, &m->devices, link)
		devices++;
	list_for_each (p, &m->priv->parts, link)
		parts++;
	for (struct block *b = disk_next(m, NULL); b; b = disk_next(m, b))
		disks++;
	if (seen->machine && seen->cpus == m->ncpus && seen->devices == devices &&
	    seen->parts == parts && seen->disks == disks)
		return 0;
	return error_ret(e, -EINVAL,
			 "the snapshot has %u devices, %u disks and %u CPUs, this machine %u, %u "
			 "and %u: start it with the same options",
			 seen->devices, seen->disks, seen->cpus, devices, disks, m->ncpus);
}

/* A section that is applied when all have come; the disks' are looked at now, before their layers
 * are overwritten. */
static int receive_section(struct snapshot *s, struct stream *st, const char *name, u64 n)
{
	struct section *sec;
	struct block *b;
	int err;

	if (n > SECTION_MAX)
		return error_ret(st->e, -EINVAL, "the snapshot's section '%s' is damaged", name);
	sec = add_section(s, xstrdup(name));
	sec->b.at = malloc(n + 1);
	if (!sec->b.at)
		return error_ret(st->e, -ENOMEM, "there is no memory for the snapshot's '%s'",
				 name);
	sec->b.n = sec->b.cap = n;
	err = stream_get(st, sec->b.at, n);
	if (!err && str_eq(name, "machine")) {
		u8 running = 1;

		if (!snapshot_get(&sec->b, "running", &running, 1))
			s->ran = running;
	}
	if (err || strncmp(name, "disk ", 5))
		return err;
	b = disk_named(s->m, name + 5);
	if (!b)
		return error_ret(st->e, -EINVAL,
				 "the snapshot has a disk '%s', which this machine has not: start "
				 "it with the same options",
				 name + 5);
	return disk_check(b, &sec->b, st->e);
}

static int receive_all(struct snapshot *s, struct stream *st)
{
	u8 head[12];
	int err = stream_get(st, head, sizeof(head));

	if (err)
		return err;
	if (memcmp(head, magic, sizeof(magic)))
		return error_ret(st->e, -EINVAL, "this is no snapshot of a machine");
	if (ld32le(head + 8) != VERSION)
		return error_ret(st->e, -EINVAL, "the snapshot's format is version %u, not %u",
				 ld32le(head + 8), VERSION);
	for (;;) {
		char name[NAME_MAX_BYTES + 1];
		u64 n, len;

		err = stream_get(st, head, 10);
		if (err)
			return err;
		len = ld16le(head);
		n = ld64le(head + 2);
		if (len > NAME_MAX_BYTES)
			return error_ret(st->e, -EINVAL, "the snapshot is damaged");
		err = stream_get(st, name, len);
		name[len] = 0;
		if (err || str_eq(name, end_name))
			return err;
		if (!strncmp(name, "ram ", 4))
			err = ram_get(st, s->m, name + 4, n);
		else if (!strncmp(name, "layer ", 6))
			err = layer_get(st, s->m, name + 6, n);
		else
			err = receive_section(s, st, name, n);
		if (err)
			return err;
	}
}

struct snapshot *snapshot_receive(struct machine *m, int fd, struct snapshot_progress *p,
				  struct error *e)
{
	struct stream *st = NEW(struct stream);
	struct snapshot *s = NEW(struct snapshot);

	s->m = m;
	s->ran = true;
	stream_init(st, fd, p, e);
	if (receive_all(s, st)) {
		snapshot_free(s);
		s = NULL;
	}
	free(st);
	return s;
}

int snapshot_apply(struct snapshot *s, struct error *e)
{
	struct machine *m = s->m;
	struct seen seen = { 0 };
	struct device_core *d;
	int err = 0;

	space_begin(m);
	for (size_t i = 0; !err && i < s->n; i++)
		err = load_section(m, s->at[i].name, &s->at[i].b, &seen, e);
	if (!err)
		err = complete(m, &seen, e);
	space_commit(m);
	if (m->memory_changed)
		m->memory_changed(m);
	if (!err)
		list_for_each (d, &m->devices, link)
			if (d->dev->class->loaded)
				d->dev->class->loaded(d->dev);
	return err;
}

int snapshot_load(struct machine *m, int fd, struct error *e)
{
	struct snapshot *s;
	int err;

	block_drain_all(m);
	s = snapshot_receive(m, fd, NULL, e);
	err = s ? snapshot_apply(s, e) : -EINVAL;
	if (!s && m->memory_changed)
		m->memory_changed(m);
	snapshot_free(s);
	return err;
}
