/* SPDX-License-Identifier: GPL-2.0-or-later */
/* all_devices_test.c - what every device class must hold, by driving it at random; what its tables
 * alone can tell is in cli/device_check.c. */
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
