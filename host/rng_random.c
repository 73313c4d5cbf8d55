/* SPDX-License-Identifier: GPL-2.0-or-later */
/* rng_random.c - random bytes from a file of the host, by default /dev/urandom (-object
 * rng-random). */
#include "core/machine.h"
#include "core/rng.h"
#include "core/user_object.h"
#include "lib/alloc.h"
#include "lib/error.h"
#include "lib/keyval.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

struct rng_random {
	struct rng_source source;
	struct machine *m;
	char *path;
	int fd;
	bool ended;
};

static void readable(void *arg, short revents)
{
	struct rng_random *r = arg;

	machine_poll_fd(r->m, r->fd, 0, NULL, NULL);
	rng_ready(&r->source);
}

static u32 random_read(struct rng_source *s, void *buf, u32 n)
{
	struct rng_random *r = container_of(s, struct rng_random, source);
	u32 got = 0;

	while (got < n && !r->ended) {
		ssize_t part = read(r->fd, (u8 *)buf + got, n - got);

		if (part > 0) {
			got += part;
		} else if (part < 0 && errno == EINTR) {
			continue;
		} else if (part < 0 && errno == EAGAIN) {
			break;
		} else {
			warn("rng-random: '%s' gives no more bytes: %s", r->path,
			     part ? strerror(errno) : "it has ended");
			r->ended = true;
		}
	}
	if (got < n && !r->ended)
		machine_poll_fd(r->m, r->fd, POLLIN, readable, r);
	return got;
}

static void *random_make(struct machine *m, const char *id, struct keyvals *kv, struct error *e)
{
	const char *path = keyvals_get(kv, "filename");
	struct rng_random *r;
	int fd;

	if (keyvals_all_used(kv, "filename", e))
		return NULL;
	if (!path)
		path = "/dev/urandom";
	fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0) {
		error_set(e, "could not open '%s': %s", path, strerror(errno));
		return NULL;
	}
	r = NEW(struct rng_random);
	r->source.read = random_read;
	r->m = m;
	r->path = xstrdup(path);
	r->fd = fd;
	return &r->source;
}

static void random_free(void *object)
{
	struct rng_random *r = container_of(object, struct rng_random, source);

	machine_poll_fd(r->m, r->fd, 0, NULL, NULL);
	close(r->fd);
	free(r->path);
	free(r);
}

static const struct object_kind rng_random = { .name = "rng-random",
					       .doc = "random bytes from a file of the host",
					       .keys = "filename",
					       .make = random_make,
					       .free = random_free };
OBJECT_KIND(rng_random);
