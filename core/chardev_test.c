/* SPDX-License-Identifier: GPL-2.0-or-later */
/* chardev_test.c - front ends on back ends: ringbuf, log files, claims, and every key of the mux.
 */
#include "core/chardev.h"
#include "core/machine.h"
#include "lib/alloc.h"
#include "lib/bytes.h"
#include "lib/error.h"
#include "lib/str.h"
#include "lib/test.h"
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

struct front {
	char got[256];
	int n, room, breaks, opened;
};

static int front_room(void *dev) { return ((struct front *)dev)->room; }

static void front_receive(void *dev, const u8 *buf, int n)
{
	struct front *f = dev;

	CHECK(n <= f->room && f->n + n < 255);
	memcpy(f->got + f->n, buf, n);
	f->n += n;
	f->room -= n;
}

static void front_event(void *dev, int event)
{
	struct front *f = dev;

	f->breaks += event == CHARDEV_BREAK;
	f->opened += event == CHARDEV_OPENED;
}

static const struct chardev_user user = { front_room, front_receive, front_event };

/* What the back end has been given, as text. */
static char *output(struct chardev *c)
{
	static char buf[4096];
	int n = ringbuf_read(c, (u8 *)buf, sizeof(buf) - 1);

	CHECK(n >= 0);
	buf[n] = 0;
	return buf;
}

static void type(struct chardev *c, const char *text)
{
	CHECK_EQ(ringbuf_write(c, (const u8 *)text, strlen(text)), strlen(text));
}

static void put(struct chardev *c, const char *text)
{
	CHECK_EQ(chardev_write(c, (const u8 *)text, strlen(text)), strlen(text));
}

TEST(chardev_ringbuf_keeps_the_last)
{
	struct machine *m = machine_new();
	struct error e = { 0 };
	struct chardev *c = chardev_ringbuf(m, "r", 8, &e);

	put(c, "abc");
	CHECK_STR(output(c), "abc");
	put(c, "0123456789");
	CHECK_STR(output(c), "23456789");
	CHECK_EQ(chardev_ringbuf(m, "s", 100, &e), NULL);
	CHECK(strstr(e.text, "power of two"));
	error_clear(&e);
	CHECK_EQ(ringbuf_read(chardev_null(m, "n"), (u8 *)"", 0), -EINVAL);
	machine_free(m);
}

TEST(chardev_claims)
{
	struct machine *m = machine_new();
	struct error e = { 0 };
	struct chardev *c = chardev_null(m, "n");

	CHECK_EQ(chardev_claim(m, "n", &e), c);
	CHECK_EQ(chardev_claim(m, "n", &e), NULL);
	CHECK(strstr(e.text, "in use"));
	error_clear(&e);
	CHECK_EQ(chardev_claim(m, "x", &e), NULL);
	CHECK(strstr(e.text, "no chardev 'x'"));
	error_clear(&e);
	put(NULL, "nobody listens");
	machine_free(m);
}

TEST(chardev_logs_output)
{
	char path[] = "/tmp/quern-log-XXXXXX";
	struct machine *m = machine_new();
	struct chardev *c = chardev_null(m, "n");
	struct bytes b = { 0 };
	struct error e = { 0 };

	close(mkstemp(path));
	CHECK_EQ(chardev_log(c, path, false, &e), 0);
	put(c, "one");
	CHECK_EQ(chardev_log(c, path, true, &e), 0);
	put(c, "two");
	CHECK_EQ(bytes_read_file(&b, path, 100, &e), 0);
	CHECK_EQ(b.size, 6);
	CHECK_MEM(b.data, "onetwo", 6);
	bytes_fini(&b);
	unlink(path);
	CHECK(chardev_log(c, "/no/such/place", false, &e) < 0);
	error_clear(&e);
	machine_free(m);
}

/* ---- mux */

static unsigned quits, saves;
static void quit(void *arg) { quits++; }
static void save(void *arg) { saves++; }

struct rig {
	struct machine *m;
	struct chardev *back, *mux, *c[2];
	struct front f[2];
};

static void rig_up(struct rig *r)
{
	static const struct mux_actions actions = { .quit = quit, .save = save };
	struct error e = { 0 };

	*r = (struct rig){ .m = machine_new() };
	r->back = chardev_ringbuf(r->m, "back", 4096, &e);
	r->mux = chardev_mux(r->m, "mux", r->back, &actions);
	for (unsigned i = 0; i < 2; i++) {
		r->c[i] = chardev_claim(r->m, "mux", &e);
		CHECK(r->c[i]);
		r->f[i].room = 200;
		chardev_attach(r->c[i], &r->f[i], &user);
	}
	CHECK_EQ(chardev_claim(r->m, "back", &e), NULL);
	error_clear(&e);
}

TEST(mux_focus_and_escape)
{
	struct rig r;

	rig_up(&r);
	CHECK_EQ(r.f[0].opened, 1);
	type(r.back, "ab");
	CHECK_STR(r.f[0].got, "ab");
	type(r.back, "\1"
		     "ccd");
	CHECK_STR(r.f[0].got, "ab");
	CHECK_STR(r.f[1].got, "cd");
	type(r.back, "\1");
	type(r.back, "c\1\1z");
	CHECK_STR(r.f[0].got, "ab\1z");
	put(r.c[0], "from 0 ");
	put(r.c[1], "from 1");
	CHECK_STR(output(r.back), "from 0 from 1");
	machine_free(r.m);
}

TEST(mux_keys)
{
	struct rig r;

	rig_up(&r);
	type(r.back, "\1b");
	CHECK_EQ(r.f[0].breaks, 1);
	CHECK_EQ(r.f[1].breaks, 0);
	type(r.back, "\1s");
	CHECK_EQ(saves, 1);
	type(r.back, "\1x");
	CHECK_EQ(quits, 1);
	output(r.back);
	type(r.back, "\1h");
	CHECK(strstr(output(r.back), "C-a x    end"));
	type(r.back, "\1q");
	CHECK_STR(r.f[0].got, "");
	mux_set_escape(r.mux, 2);
	type(r.back, "\1x");
	CHECK_EQ(quits, 1);
	CHECK_STR(r.f[0].got, "\1x");
	type(r.back, "\2x");
	CHECK_EQ(quits, 2);
	machine_free(r.m);
}

TEST(mux_timestamps)
{
	struct rig r;

	rig_up(&r);
	r.m->clock.counted = true;
	clock_advance(&r.m->clock, 5000000000ull);
	type(r.back, "\1t");
	clock_advance(&r.m->clock, 61500000000ull);
	put(r.c[0], "one\ntwo");
	put(r.c[0], " three\n");
	type(r.back, "\1t");
	put(r.c[0], "four\n");
	CHECK_STR(output(r.back), "[00:01:01.500] one\n[00:01:01.500] two three\nfour\n");
	machine_free(r.m);
}

/* The escape works although the guest reads nothing; what was typed meanwhile is not lost. */
TEST(mux_guest_that_does_not_read)
{
	struct rig r;

	rig_up(&r);
	r.f[0].room = 2;
	type(r.back, "abcdef");
	CHECK_STR(r.f[0].got, "ab");
	type(r.back, "\1x");
	CHECK_EQ(quits, 1);
	r.f[0].room = 3;
	chardev_room(r.c[0]);
	CHECK_STR(r.f[0].got, "abcde");
	r.f[0].room = 100;
	chardev_room(r.c[0]);
	CHECK_STR(r.f[0].got, "abcdef");
	machine_free(r.m);
}

/* What a pipe brings while the guest reads nothing stays in the pipe. */
TEST(mux_input_waits_when_its_queue_is_full)
{
	static const u8 many[512] = { 'x' };
	struct rig r;
	int typed = 0;

	rig_up(&r);
	r.f[0].room = 0;
	while (chardev_can_receive(r.back) > 0) {
		int n = MIN(chardev_can_receive(r.back), (int)sizeof(many));

		chardev_receive(r.back, many, n);
		typed += n;
		CHECK(typed <= 1 << 20);
	}
	CHECK(typed >= 4096);
	r.f[0].room = 10;
	chardev_room(r.c[0]);
	CHECK_EQ(chardev_can_receive(r.back), 10);
	machine_free(r.m);
}
