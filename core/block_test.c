/* SPDX-License-Identifier: GPL-2.0-or-later */
/* block_test.c - drives without a disk: order and time of ends, error policies, attaching,
 * draining, media. The node underneath ends requests when the test says so. */
#include "core/block.h"
#include "core/device.h"
#include "core/machine.h"
#include "core/private.h"
#include "lib/alloc.h"
#include "lib/error.h"
#include "lib/str.h"
#include "lib/test.h"
#include <errno.h>
#include <stdio.h>

enum { SIZE = 1 << 20, MAX_REQS = 16 };

/* A node that keeps what it gets. */
struct slow {
	struct block_req *got[MAX_REQS];
	unsigned n, plugs, drains;
};

static void slow_submit(struct block_node *n, struct block_req *r)
{
	struct slow *s = n->impl;

	CHECK(s->n < MAX_REQS);
	s->got[s->n++] = r;
}

static void slow_plug(struct block_node *n, bool on)
{
	struct slow *s = n->impl;

	s->plugs += on;
}

static void slow_drain(struct block_node *n)
{
	struct slow *s = n->impl;

	s->drains++;
	while (s->n)
		block_done(s->got[--s->n], 0);
}

static const struct block_driver slow_driver = {
	.name = "slow", .submit = slow_submit, .plug = slow_plug, .drain = slow_drain
};

struct fix {
	struct machine *m;
	struct block *b;
	struct slow slow;
	struct block_req r[MAX_REQS];
	int err[MAX_REQS];
	unsigned ends, order[MAX_REQS], batches, media;
	u8 buf[4096];
	struct iovec vec;
};

static void ended(struct block_req *r, int err)
{
	struct fix *f = r->arg;
	unsigned i = r - f->r;

	f->err[i] = err;
	f->order[f->ends++] = i;
}

static struct fix *the_fix;
static void on_batch(void *dev) { the_fix->batches++; }
static void on_media(void *dev, bool inserted) { the_fix->media++; }
static const struct block_user user = { .batch = on_batch },
			       removable = { .batch = on_batch, .media = on_media };

static struct fix *fix_new(bool counted)
{
	struct fix *f = the_fix = NEW(struct fix);
	struct block_node *n;

	f->m = machine_new();
	f->m->clock.counted = counted;
	n = block_node_new(f->m, &slow_driver, "slow");
	n->impl = &f->slow;
	n->size = SIZE;
	n->can_discard = true;
	f->b = block_new(f->m, "drive0", n);
	f->vec = (struct iovec){ f->buf, sizeof(f->buf) };
	for (unsigned i = 0; i < MAX_REQS; i++)
		f->err[i] = 1;
	return f;
}

static void fix_free(struct fix *f)
{
	machine_free(f->m);
	free(f);
}

static void submit(struct fix *f, unsigned i, u8 op, u64 at)
{
	f->r[i] = (struct block_req){ .op = op,
				      .vec = &f->vec,
				      .nvec = 1,
				      .at = at,
				      .bytes = sizeof(f->buf),
				      .done = ended,
				      .arg = f };
	block_submit(f->b, &f->r[i]);
}

static void complete(struct fix *f, unsigned i, int err)
{
	for (unsigned k = 0; k < f->slow.n; k++) {
		if (f->slow.got[k] != &f->r[i])
			continue;
		f->slow.got[k] = f->slow.got[--f->slow.n];
		block_done(&f->r[i], err);
		return;
	}
	CHECK(!"the node has this request");
}

static void run_for(struct fix *f, u64 ns)
{
	clock_advance(&f->m->clock, ns);
	clock_fire(&f->m->clock);
}

TEST(block_ends_by_post)
{
	struct fix *f = fix_new(false);

	submit(f, 0, BLOCK_READ, 0);
	submit(f, 1, BLOCK_WRITE, 4096);
	complete(f, 1, 0);
	complete(f, 0, 0);
	CHECK_EQ(f->ends, 0); /* never from inside */
	wait_service(f->m);
	CHECK_EQ(f->ends, 2);
	CHECK_EQ(f->order[0], 1);
	CHECK_EQ(f->err[0], 0);
	CHECK_EQ(f->b->stats.ops[BLOCK_READ], 1);
	CHECK_EQ(f->b->stats.highest, 8192);
	fix_free(f);
}

/* The host's order and speed must not show while the clock counts. */
TEST(block_counted_time_orders_ends)
{
	struct fix *f = fix_new(true);

	submit(f, 0, BLOCK_READ, 0);
	run_for(f, 5000);
	submit(f, 1, BLOCK_READ, 0);
	complete(f, 1, 0);
	complete(f, 0, 0);
	wait_service(f->m);
	CHECK_EQ(f->ends, 0);
	run_for(f, 14999);
	CHECK_EQ(f->ends, 0);
	run_for(f, 1);
	CHECK_EQ(f->ends, 1);
	CHECK_EQ(f->order[0], 0);
	run_for(f, 5000);
	CHECK_EQ(f->ends, 2);
	fix_free(f);
}

TEST(block_refuses_what_is_wrong)
{
	struct fix *f = fix_new(false);

	submit(f, 0, BLOCK_READ, SIZE - 4095);
	submit(f, 1, BLOCK_WRITE, ~0ull - 100);
	f->b->readonly = true;
	submit(f, 2, BLOCK_WRITE, 0);
	submit(f, 3, BLOCK_FLUSH, 0);
	complete(f, 3, 0);
	wait_service(f->m);
	CHECK_EQ(f->ends, 4);
	CHECK_EQ(f->err[0], -EINVAL);
	CHECK_EQ(f->err[1], -EINVAL);
	CHECK_EQ(f->err[2], -EROFS);
	CHECK_EQ(f->err[3], 0);
	block_remove(f->b);
	submit(f, 4, BLOCK_READ, 0);
	wait_service(f->m);
	CHECK_EQ(f->err[4], -ENOMEDIUM);
	fix_free(f);
}

static char last_event[256];
static void keep_event(struct machine *m, const char *name, const char *json)
{
	if (str_eq(name, "BLOCK_IO_ERROR"))
		snprintf(last_event, sizeof(last_event), "%s", json);
}

TEST(block_error_policies)
{
	struct fix *f = fix_new(false);

	f->m->event = keep_event;
	submit(f, 0, BLOCK_READ, 0);
	complete(f, 0, -EIO);
	wait_service(f->m);
	CHECK_EQ(f->err[0], -EIO);
	CHECK(strstr(last_event, "\"action\": \"report\"") && strstr(last_event, "\"read\""));
	f->b->werror = ONERR_IGNORE;
	submit(f, 1, BLOCK_WRITE, 0);
	complete(f, 1, -EIO);
	wait_service(f->m);
	CHECK_EQ(f->err[1], 0);
	/* stop: the machine stands, the request waits and is done again afterwards */
	f->b->werror = ONERR_ENOSPC;
	machine_cont(f->m);
	submit(f, 2, BLOCK_WRITE, 0);
	complete(f, 2, -ENOSPC);
	wait_service(f->m);
	CHECK_EQ(f->err[2], 1);
	CHECK_EQ(f->m->state, RUN_IO_ERROR);
	CHECK(strstr(last_event, "\"stop\"") && strstr(last_event, "\"nospace\": true"));
	CHECK_EQ(f->slow.n, 0);
	machine_cont(f->m);
	CHECK_EQ(f->slow.n, 1);
	complete(f, 2, 0);
	wait_service(f->m);
	CHECK_EQ(f->err[2], 0);
	fix_free(f);
}

TEST(block_drains)
{
	struct fix *f = fix_new(false);

	submit(f, 0, BLOCK_READ, 0);
	submit(f, 1, BLOCK_WRITE, 0);
	f->b->werror = ONERR_STOP;
	complete(f, 1, -EIO);
	block_drain(f->b);
	CHECK_EQ(f->ends, 2);
	CHECK_EQ(f->err[0], 0);
	CHECK_EQ(f->err[1], -ECANCELED);
	CHECK_EQ(f->slow.drains, 1);
	fix_free(f);
}

/* A snapshot neither loses what is held back after an error nor leaves it out. */
TEST(block_settle_keeps_what_is_held)
{
	struct fix *f = fix_new(false);
	struct error e = { 0 };

	machine_cont(f->m);
	submit(f, 0, BLOCK_READ, 0);
	complete(f, 0, 0);
	CHECK_EQ(block_settle_all(f->m, &e), 0);
	CHECK_EQ(f->ends, 1);
	f->b->werror = ONERR_STOP;
	submit(f, 1, BLOCK_WRITE, 0);
	complete(f, 1, -EIO);
	CHECK_EQ(block_settle_all(f->m, &e), -EBUSY);
	CHECK(e.text && strstr(e.text, "holds requests back"));
	error_clear(&e);
	CHECK_EQ(f->ends, 1);
	machine_cont(f->m);
	complete(f, 1, 0);
	CHECK_EQ(block_settle_all(f->m, &e), 0);
	CHECK_EQ(f->ends, 2);
	CHECK_EQ(f->err[1], 0);
	fix_free(f);
}

/* A machine that stands still hears of no end. */
TEST(block_paused_machine_hears_nothing)
{
	struct fix *f = fix_new(false);

	machine_cont(f->m);
	submit(f, 0, BLOCK_READ, 0);
	machine_stop(f->m, RUN_PAUSED);
	complete(f, 0, 0);
	wait_service(f->m);
	CHECK_EQ(f->ends, 0);
	machine_cont(f->m);
	wait_service(f->m);
	CHECK_EQ(f->ends, 1);
	fix_free(f);
}

TEST(block_attach_and_media)
{
	struct fix *f = fix_new(false);
	struct device_core core = { .machine = f->m }, other_core = { .machine = f->m };
	struct device dev = { .id = "disk0", .core = &core },
		      other = { .id = "disk1", .core = &other_core };
	struct error e = { 0 };
	struct block_info i;

	CHECK_EQ(block_attach(f->b, &dev, &removable, true, &e), 0);
	CHECK_EQ(block_attach(f->b, &other, &user, true, &e), -EBUSY);
	CHECK(strstr(e.text, "'drive0' is in use by device 'disk0'"));
	error_clear(&e);
	block_info(f->b, &i);
	CHECK_EQ(i.size, SIZE);
	CHECK(i.discard && i.write_cache && !i.readonly && i.inserted);
	submit(f, 0, BLOCK_READ, 0);
	submit(f, 1, BLOCK_READ, 0);
	complete(f, 0, 0);
	complete(f, 1, 0);
	wait_service(f->m);
	CHECK_EQ(f->batches, 1); /* one for both */
	block_remove(f->b);
	CHECK_EQ(f->media, 1);
	block_info(f->b, &i);
	CHECK(!i.inserted && !i.size);
	block_detach(f->b);
	CHECK_EQ(block_attach(f->b, &other, &user, true, &e), -ENOMEDIUM);
	error_clear(&e);
	fix_free(f);
}

static int open_text(struct machine *m, const char *text, struct block_node **n, struct error *e)
{
	struct keyvals kv = { 0 };
	int err = keyvals_parse(&kv, text, "driver", e);

	*n = err ? NULL : block_open(m, &kv, e);
	keyvals_fini(&kv);
	return *n ? 0 : -EINVAL;
}

TEST(block_open_names_mistakes)
{
	static const char *const wrong[][2] = {
		{ "null-co,node-name=9", "'9' is no name" },
		{ "null-co,sise=1M", "sise" },
		{ "nulco", "'nulco' is not built" },
		{ "node-name=a", "needs driver=" },
		{ "null-co,node-name=slow", "already" },
		{ "null-co,detect-zeroes=unmap,discard=ignore", "discard=unmap" },
		{ "null-co,read-only=maybe", "maybe" },
	};
	struct fix *f = fix_new(false);
	struct block_node *n;
	struct error e = { 0 };

	for (unsigned i = 0; i < ARRAY_SIZE(wrong); i++) {
		CHECK(open_text(f->m, wrong[i][0], &n, &e));
		CHECK(e.text && strstr(e.text, wrong[i][1]));
		error_clear(&e);
	}
	CHECK_EQ(open_text(f->m, "null-co,node-name=a,size=2M,read-only=on", &n, &e), 0);
	CHECK_EQ(n->size, 2u << 20);
	CHECK(block_node_find(f->m, "a") == n && n->readonly);
	block_unref(n);
	CHECK(!block_node_find(f->m, "a"));
	fix_free(f);
}

TEST(block_zeroes_are_detected)
{
	struct fix *f = fix_new(false);

	f->b->node->detect_zeroes = 2;
	submit(f, 0, BLOCK_WRITE, 0);
	CHECK_EQ(f->slow.got[0]->op, BLOCK_ZEROES);
	CHECK(f->slow.got[0]->flags & BLOCK_UNMAP);
	f->buf[4095] = 1;
	submit(f, 1, BLOCK_WRITE, 0);
	CHECK_EQ(f->slow.got[1]->op, BLOCK_WRITE);
	complete(f, 0, 0);
	complete(f, 1, 0);
	wait_service(f->m);
	CHECK_EQ(f->b->stats.ops[BLOCK_WRITE], 2);
	fix_free(f);
}

/* Latency of null-co is guest time; it also passes while the clock counts. */
TEST(block_null_latency)
{
	struct fix *f = fix_new(true);
	struct block_node *n;
	struct error e = { 0 };

	CHECK_EQ(open_text(f->m, "null-co,latency-ns=100000,read-zeroes=on", &n, &e), 0);
	block_insert(f->b, n);
	memset(f->buf, 5, sizeof(f->buf));
	submit(f, 0, BLOCK_READ, 0);
	for (unsigned i = 0; i < 99; i++)
		run_for(f, 1000);
	CHECK_EQ(f->ends, 0);
	for (unsigned i = 0; i < 30; i++)
		run_for(f, 1000);
	CHECK_EQ(f->ends, 1);
	CHECK_EQ(f->buf[77], 0);
	submit(f, 1, BLOCK_READ, 0);
	block_drain(f->b);
	CHECK_EQ(f->ends, 2);
	fix_free(f);
}
