/* SPDX-License-Identifier: GPL-2.0-or-later */
/* all_devices_test.c - what every device class must hold, checked from its tables and by driving it
 * at random. */
#include "bus/virtio.h"
#include "core/blob.h"
#include "core/private.h"
#include "core/snapshot.h"
#include "core/snapshot_device.h"
#include "core/tdev.h"
#include "lib/alloc.h"
#include "lib/error.h"
#include "lib/hash.h"
#include "lib/str.h"
#include "lib/test.h"
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

static unsigned bad;
#define COMPLAIN(...) (bad++, fprintf(stderr, __VA_ARGS__))

static bool is_pci(const struct device_class *c) { return c->bus && str_eq(c->bus, "pci"); }

/* Every register table of a class, with its number. */
static void each_table(const struct device_class *c,
		       void (*fn)(const struct device_class *c, const struct reg *regs))
{
	for (const struct bank *b = c->banks; b && b->size; b++)
		fn(c, b->regs);
	for (unsigned i = 0; is_pci(c) && i < 6; i++)
		fn(c, ((const struct pci_class *)c)->bar[i].regs);
}

/* ---- documented */

static void regs_documented(const struct device_class *c, const struct reg *r)
{
	for (; r && r->name; r++) {
		if (!r->doc || !*r->doc)
			COMPLAIN("device %s: register %s has no .doc\n", c->name, r->name);
		if (!r->novalue && r->reset & reg_reserved(r))
			COMPLAIN("device %s: register %s resets to bits that no field has\n",
				 c->name, r->name);
	}
}

static void documented(void *arg, const struct device_class *c)
{
	if (!c->doc || !*c->doc)
		COMPLAIN("device %s has no .doc\n", c->name);
	each_table(c, regs_documented);
	for (const struct prop *p = c->props; p && p->name; p++) {
		if (!p->doc || !*p->doc)
			COMPLAIN("device %s: property %s has no .doc\n", c->name, p->name);
	}
}

TEST(devices_are_documented)
{
	device_class_each(documented, NULL);
	CHECK_EQ(bad, 0);
}

/* ---- every byte claimed once */

static u8 *claims;
static u8 *starts; /* alignment of the entry that starts at a byte */

static void claim(const struct device_class *c, const char *what, u64 off, u64 size, u64 unit)
{
	if (!range_fits(off, size, c->size)) {
		COMPLAIN("device %s: %s is not inside the structure\n", c->name, what);
		return;
	}
	for (u64 i = off; i < off + size; i++) {
		if (claims[i]++ && i == off)
			COMPLAIN("device %s: %s is claimed twice\n", c->name, what);
	}
	starts[off] = MIN(unit & -unit, (u64)8);
}

static void claim_regs(const struct device_class *c, const struct reg *r)
{
	for (; r && r->name; r++) {
		if (!r->novalue)
			claim(c, r->name, r->off, (u64)r->size * (r->count ? r->count : 1),
			      r->size);
	}
}

static bool is_made_virtio(const struct device_class *c)
{
	for (const struct prop *p = c->props; is_pci(c) && p && p->name; p++) {
		if (str_eq(p->name, "indirect_desc"))
			return true;
	}
	return false;
}

static u64 head_size(const struct device_class *c)
{
	/* made of a virtio class */
	if (c->bus && (str_eq(c->bus, "virtio-mmio") || is_made_virtio(c)))
		return sizeof(struct virtio_device);
	return is_pci(c) ? sizeof(struct pci_device) : sizeof(struct device);
}

/* A gap that alignment of what follows explains is padding; a forgotten member is no such gap, or a
 * lucky one. */
static void find_gaps(const struct device_class *c)
{
	for (u64 i = head_size(c), from; i < c->size; i++) {
		if (claims[i])
			continue;
		from = i;
		while (i < c->size && !claims[i])
			i++;
		if (i - from >= (i < c->size ? MAX(starts[i], (u8)1) : 8u))
			COMPLAIN("device %s: bytes %llu to %llu of the structure are in no table\n",
				 c->name, (unsigned long long)from, (unsigned long long)i - 1);
	}
}

static void claimed(void *arg, const struct device_class *c)
{
	claims = xalloc(c->size + 1);
	starts = xalloc(c->size + 1);
	each_table(c, claim_regs);
	for (const struct prop *p = c->props; p && p->name; p++)
		if (!p->ignored)
			claim(c, p->name, p->off, p->kind == PROP_MAC ? 6 : p->size,
			      p->kind == PROP_MAC ? 1 : p->size);
	for (const struct state *s = c->state; s && s->name; s++)
		claim(c, s->name, s->off, s->size, s->size);
	find_gaps(c);
	free(claims);
	free(starts);
}

TEST(devices_claim_every_byte_once)
{
	device_class_each(claimed, NULL);
	CHECK_EQ(bad, 0);
}

/* ---- driven */

static u64 seed;
static u64 rnd(void) { return hash_u64(++seed); }

static struct regbank *any_bank(struct device *d)
{
	struct regbank *b, *found = NULL;
	unsigned n = 0;

	list_for_each (b, &d->core->regbanks, link) {
		if (rnd() % ++n == 0)
			found = b;
	}
	return found;
}

/* Returns a sum of what was read. */
static u64 poke(struct tdev *t, unsigned times)
{
	struct device *d = tdev_device(t);
	u64 sum = 0;

	while (times--) {
		struct regbank *b = any_bank(d);
		unsigned size = 1u << rnd() % 4;
		u64 off, val = rnd();

		if (!b)
			return sum;
		/* small values and addresses in memory lead further than noise */
		if (rnd() % 2)
			val &= 0xfffff;
		if (rnd() % 4 == 0)
			val &= 0xff;
		off = rnd() % b->bank->size;
		if (rnd() % 4)
			off &= ~(u64)(size - 1);
		if (off + size > b->bank->size)
			continue;
		if (rnd() % 2)
			region_st(b->region, off, size, val, (struct mem_attrs){ 0 });
		else
			region_ld(b->region, off, size, &val, (struct mem_attrs){ 0 });
		sum = hash_u64(sum ^ val);
		if (rnd() % 8 == 0)
			tdev_run_ns(t, rnd() % 100000);
		for (unsigned i = 0; i < d->class->inputs && rnd() % 16 == 0; i++)
			d->class->input(d, i, rnd() & 1);
	}
	return sum;
}

static size_t copy_state(const struct device *d, u8 *out)
{
	const struct device_class *c = d->class;
	struct regbank *b;
	size_t n = 0;

	list_for_each (b, &d->core->regbanks, link) {
		for (const struct reg *r = b->bank->regs; r && r->name; r++) {
			size_t size = r->novalue ? 0 : (size_t)r->size * (r->count ? r->count : 1);

			memcpy(out + n, (const u8 *)d + r->off, size);
			n += size;
		}
	}
	for (const struct state *s = c->state; s && s->name; s++) {
		if (s->kind != STATE_SAVED)
			continue;
		memcpy(out + n, (const u8 *)d + s->off, s->size);
		n += s->size;
	}
	return n;
}

static void reset_twice(struct tdev *t)
{
	struct device *d = tdev_device(t);
	AUTO_FREE u8 *once = xalloc(d->class->size), *twice = xalloc(d->class->size);
	size_t n;

	poke(t, 2000);
	device_reset(d);
	n = copy_state(d, once);
	device_reset(d);
	CHECK_EQ(copy_state(d, twice), n);
	CHECK_MEM(twice, once, n);
}

static void survive(struct tdev *t) { poke(t, 20000); }

/* Each class in a process of its own, so that one bad class does not hide the others. */
static void drive(const struct device_class *c, void (*fn)(struct tdev *t))
{
	int status;
	pid_t pid;

	fflush(NULL);
	pid = fork();
	if (!pid) {
		struct tdev *t = tdev_new(c->name);

		fn(t);
		tdev_free(t);
		_exit(0);
	}
	CHECK_EQ(waitpid(pid, &status, 0), pid);
	if (WIFEXITED(status) && (WEXITSTATUS(status) == 0 || WEXITSTATUS(status) == 77))
		return;
	COMPLAIN("device %s fails: %s %d\n", c->name, WIFSIGNALED(status) ? "signal" : "status",
		 WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
}

static void drive_reset(void *arg, const struct device_class *c) { drive(c, reset_twice); }

static void drive_random(void *arg, const struct device_class *c) { drive(c, survive); }

TEST_TIMED(devices_reset_is_idempotent, 120)
{
	device_class_each(drive_reset, NULL);
	CHECK_EQ(bad, 0);
}

TEST_TIMED(devices_survive_random_accesses, 120)
{
	device_class_each(drive_random, NULL);
	CHECK_EQ(bad, 0);
}

/* ---- saved and loaded */

static void save(struct tdev *t, struct blob *b)
{
	b->n = 0;
	snapshot_save_device(tdev_device(t), b);
}

/* A device that loads another's state goes on as that one does. */
static void goes_on(struct tdev *t)
{
	struct tdev *u = tdev_new(tdev_device(t)->class->name);
	struct blob a = { 0 }, b = { 0 };
	struct error e = { 0 };
	u64 sum, at;

	for (unsigned round = 0; round < 20; round++) {
		poke(t, (unsigned)(rnd() % 200));
		save(t, &a);
		memcpy(tdev_ram(u, 0), tdev_ram(t, 0), 1 << 20);
		clock_set(&tdev_machine(u)->clock, clock_now(&tdev_machine(t)->clock));
		tdev_machine(u)->clock.wall_offset = tdev_machine(t)->clock.wall_offset;
		tdev_machine(u)->priv->random_state = tdev_machine(t)->priv->random_state;
		if (snapshot_load_device(tdev_device(u), &a, &e))
			test_fail(__FILE__, __LINE__, "%s", e.text);
		if (tdev_device(u)->class->loaded)
			tdev_device(u)->class->loaded(tdev_device(u));
		save(u, &b);
		CHECK_EQ(b.n, a.n);
		CHECK_MEM(b.at, a.at, a.n);
		at = seed;
		sum = poke(t, 100);
		seed = at;
		CHECK_EQ(poke(u, 100), sum);
		save(t, &a);
		save(u, &b);
		CHECK_EQ(b.n, a.n);
		CHECK_MEM(b.at, a.at, a.n);
	}
	tdev_free(u);
	blob_fini(&a);
	blob_fini(&b);
}

static void drive_snapshot(void *arg, const struct device_class *c) { drive(c, goes_on); }

TEST_TIMED(devices_go_on_from_snapshots, 120)
{
	device_class_each(drive_snapshot, NULL);
	CHECK_EQ(bad, 0);
}
