/* SPDX-License-Identifier: GPL-2.0-or-later */
/* builtin.c - character back ends that need nothing of the host: null, ringbuf, and the one by
 * which tests end the emulator. */
#include "core/machine.h"
#include "host/chardev.h"
#include "lib/alloc.h"

static struct chardev *null_open(struct machine *m, const char *id, struct keyvals *kv,
				 struct error *e)
{
	return chardev_null(m, id);
}

static const struct chardev_kind null_kind = { "null", "takes everything, gives nothing", "",
					       null_open };
CHARDEV_KIND(null_kind);

static struct chardev *ringbuf_open(struct machine *m, const char *id, struct keyvals *kv,
				    struct error *e)
{
	u64 size = 1 << 16;

	if (keyvals_size(kv, "size", 1, &size, e))
		return NULL;
	return chardev_ringbuf(m, id, size, e);
}

static const struct chardev_kind ringbuf_kind = {
	"ringbuf", "keeps the last bytes written; size is a power of two", "size", ringbuf_open
};
CHARDEV_KIND(ringbuf_kind);
static const struct chardev_kind memory_kind = { "memory", "the same as ringbuf", "size",
						 ringbuf_open };
CHARDEV_KIND(memory_kind);

/* ---- testdev: digits and then a letter; q exits with (number << 1) | 1 */

struct testdev {
	struct chardev c;
	u32 number;
};

static int testdev_write(struct chardev *c, const u8 *buf, int n)
{
	struct testdev *t = c->impl;

	for (int i = 0; i < n; i++) {
		if (buf[i] >= '0' && buf[i] <= '9') {
			t->number = t->number * 10 + (buf[i] - '0');
			continue;
		}
		if (buf[i] == 'q')
			machine_exit(c->machine, ((t->number << 1) | 1) & 0xff);
		t->number = 0;
	}
	return n;
}

static void testdev_fini(struct chardev *c) { free(c->impl); }

static const struct chardev_ops testdev_ops = { .name = "testdev",
						.write = testdev_write,
						.fini = testdev_fini };

static struct chardev *testdev_open(struct machine *m, const char *id, struct keyvals *kv,
				    struct error *e)
{
	struct testdev *t = NEW(struct testdev);

	chardev_init(&t->c, m, &testdev_ops, id, t);
	t->c.open = true;
	return &t->c;
}

static const struct chardev_kind testdev_kind = {
	"testdev", "ends the emulator: \"Nq\" exits with status N * 2 + 1", "", testdev_open
};
CHARDEV_KIND(testdev_kind);
