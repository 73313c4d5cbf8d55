/* SPDX-License-Identifier: GPL-2.0-or-later */
/* dump.c - -object filter-dump: every frame of a netdev into a file in libpcap's format
 * (draft-ietf-opsawg-pcap), with the guest's time. */
#include "core/machine.h"
#include "core/net.h"
#include "core/user_object.h"
#include "lib/alloc.h"
#include "lib/error.h"
#include "lib/str.h"
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

enum { MAGIC = 0xa1b2c3d4, ETHERNET = 1, QUEUE_ALL = 0, QUEUE_RX, QUEUE_TX };

struct dump {
	struct net_tap tap;
	struct machine *m;
	char *path;
	int fd;
	u64 maxlen;
	unsigned queue;
};

static void put(struct dump *d, const void *buf, size_t n)
{
	const u8 *p = buf;

	while (n && d->fd >= 0) {
		ssize_t done = write(d->fd, p, n);

		if (done < 0 && errno == EINTR)
			continue;
		if (done < 0) {
			warn("filter-dump: cannot write '%s': %s; it ends here", d->path,
			     strerror(errno));
			close(d->fd);
			d->fd = -1;
			return;
		}
		p += done;
		n -= done;
	}
}

static void frame(struct net_tap *t, bool from_card, const struct iovec *vec, unsigned nvec)
{
	struct dump *d = container_of(t, struct dump, tap);
	u64 ns = clock_wall_ns(&d->m->clock);
	u8 record[16 + NET_FRAME_MAX];
	size_t len = 0, kept = 0;

	/* rx and tx are named from the back end's side */
	if (d->fd < 0 || (d->queue == QUEUE_RX && !from_card) ||
	    (d->queue == QUEUE_TX && from_card))
		return;
	for (unsigned i = 0; i < nvec; i++) {
		size_t part = MIN(vec[i].iov_len, MIN(d->maxlen, (u64)NET_FRAME_MAX) - kept);

		memcpy(record + 16 + kept, vec[i].iov_base, part);
		kept += part;
		len += vec[i].iov_len;
	}
	st32le(record, ns / 1000000000);
	st32le(record + 4, ns / 1000 % 1000000);
	st32le(record + 8, kept);
	st32le(record + 12, len);
	put(d, record, 16 + kept);
}

static void dump_free(void *object)
{
	struct dump *d = object;

	list_del(&d->tap.link);
	if (d->fd >= 0)
		close(d->fd);
	free(d->path);
	free(d);
}

static int begin(struct dump *d, const char *path, struct error *e)
{
	u8 header[24] = { 0 };

	d->fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	if (d->fd < 0)
		return error_ret(e, -errno, "net dump: can't open %s: %s", path, strerror(errno));
	d->path = xstrdup(path);
	st32le(header, MAGIC);
	st16le(header + 4, 2);
	st16le(header + 6, 4);
	st32le(header + 16, d->maxlen);
	st32le(header + 20, ETHERNET);
	put(d, header, sizeof(header));
	return 0;
}

static void *dump_make(struct machine *m, const char *id, struct keyvals *kv, struct error *e)
{
	const char *netdev = keyvals_get(kv, "netdev"), *path = keyvals_get(kv, "file");
	struct netdev *n = netdev ? netdev_find(m, netdev) : NULL;
	struct dump *d = NEW(struct dump);
	int err;

	d->m = m;
	d->fd = -1;
	d->maxlen = 65536;
	list_init(&d->tap.link);
	d->tap.frame = frame;
	err = keyvals_size(kv, "maxlen", 1, &d->maxlen, e);
	if (!err)
		err = keyvals_choice(kv, "queue", "all|rx|tx", &d->queue, e);
	if (!err)
		err = keyvals_all_used(kv, "netdev|file|maxlen|queue", e);
	if (!err && !n)
		err = error_ret(e, -ENOENT,
				"Parameter 'netdev' expects a network backend id, not '%s'",
				netdev ? netdev : "");
	if (!err && !path)
		err = error_ret(e, -EINVAL, "dump filter needs 'file' property set!");
	if (!err)
		err = begin(d, path, e);
	if (err) {
		dump_free(d);
		return NULL;
	}
	list_add_tail(&n->taps, &d->tap.link);
	return d;
}

static const struct object_kind dump = { .name = "filter-dump",
					 .doc = "writes a netdev's frames to a pcap file",
					 .keys = "netdev|file|maxlen|queue",
					 .make = dump_make,
					 .free = dump_free };
OBJECT_KIND(dump);
