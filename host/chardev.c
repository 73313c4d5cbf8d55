/* SPDX-License-Identifier: GPL-2.0-or-later */
/* chardev.c - opens character back ends by name, with the keys that all of them have; and the short
 * forms of -serial. */
#include "host/chardev.h"
#include "lib/alloc.h"
#include "lib/str.h"
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

extern const struct chardev_kind *const __start_quern_chardev[], *const __stop_quern_chardev[];

void host_chardev_each(void (*fn)(void *arg, const struct chardev_kind *k), void *arg)
{
	for (const struct chardev_kind *const *k = __start_quern_chardev; k < __stop_quern_chardev;
	     k++)
		fn(arg, *k);
}

/* Those of QEMU that are missing here. */
static const char not_built[] = "hub|parallel|parport|vc|msmouse|braille|wctablet|spicevmc|"
				"spiceport|qemu-vdagent|dbus";

static const struct chardev_kind *find(const char *name, struct error *e)
{
	struct strbuf names = { 0 };

	for (const struct chardev_kind *const *k = __start_quern_chardev; k < __stop_quern_chardev;
	     k++) {
		if (str_eq((*k)->name, name)) {
			strbuf_fini(&names);
			return *k;
		}
		strbuf_printf(&names, "%s%s", names.n ? ", " : "", (*k)->name);
	}
	if (choice_find(not_built, name) >= 0)
		error_set(e, "the character back end '%s' is not built yet", name);
	error_set(e, "'%s' is not a character back end: there are %s", name, strbuf_str(&names));
	strbuf_fini(&names);
	return NULL;
}

const char *chardev_path(struct keyvals *kv, struct error *e)
{
	const char *path = keyvals_get(kv, "path");

	if (!path || !*path)
		error_set(e, "path=... is missing");
	return path && *path ? path : NULL;
}

/* logfile= and logappend= of every back end: opened before the back end, which may have effects on
 * its peer. */
static int open_log(struct keyvals *kv, int *fd, struct error *e)
{
	const char *path = keyvals_get(kv, "logfile");
	bool append = false;
	int err = keyvals_bool(kv, "logappend", &append, e);

	*fd = -1;
	if (err || !path)
		return err;
	*fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC | (append ? O_APPEND : O_TRUNC), 0666);
	return *fd < 0 ? error_ret(e, -errno, "could not open log file '%s': %s", path,
				   strerror(errno)) :
			 0;
}

struct chardev *host_chardev_new(struct machine *m, struct keyvals *kv, struct error *e)
{
	const char *backend = keyvals_get(kv, "backend"), *id = keyvals_get(kv, "id");
	const struct chardev_kind *kind;
	struct chardev *c = NULL;
	int logfd;

	if (!backend || !id) {
		error_set(e, "%s", backend ? "id=... is missing" : "a back end's name is missing");
		return NULL;
	}
	kind = find(backend, e);
	if (!kind)
		return NULL;
	if (chardev_find(m, id)) {
		error_set(e, "there is a character back end '%s' already", id);
		return NULL;
	}
	/* Asked for before opening, so that an unknown key has no effect besides its message. */
	for (size_t i = 0; i < kv->n; i++) {
		const char *rest = kv->at[i].key;

		if (choice_find(kind->keys, rest) >= 0 ||
		    (kv->at[i].bare && str_prefix(rest, "no", &rest) &&
		     choice_find(kind->keys, rest) >= 0))
			kv->at[i].used = true;
	}
	keyvals_get(kv, "mux");
	if (open_log(kv, &logfd, e))
		return NULL;
	if (!keyvals_all_used(kv, kind->keys, e))
		c = kind->open(m, id, kv, e);
	if (c)
		c->logfd = logfd;
	else if (logfd >= 0)
		close(logfd);
	if (!c)
		error_prefix(e, "character back end '%s'", id);
	return c;
}

/* ---- short forms */

/* HOST:PORT[,KEY=VALUE...]; HOST may be empty or [v6]. */
static int host_port(struct keyvals *kv, const char *text, const char *host_key,
		     const char *port_key, const char **end, struct error *e)
{
	const char *host = text, *p = text;
	size_t n;

	if (*p == '[') {
		host = p + 1;
		p = strchr(p, ']');
		if (!p)
			return error_ret(e, -EINVAL, "'%s' has a '[' but no ']'", text);
		n = p++ - host;
	} else {
		n = strcspn(p, ":,@");
		p += n;
	}
	if (*p++ != ':')
		return error_ret(e, -EINVAL, "'%s' is not HOST:PORT", text);
	AUTO_FREE char *h = xstrndup(host, n);
	n = strcspn(p, ",@");
	AUTO_FREE char *port = xstrndup(p, n);

	if (!n)
		return error_ret(e, -EINVAL, "'%s' has no port", text);
	if (*h)
		keyvals_add(kv, host_key, h);
	keyvals_add(kv, port_key, port);
	*end = p + n;
	return 0;
}

static int tcp_spec(struct keyvals *kv, const char *rest, const char *mode, struct error *e)
{
	const char *end;
	int err;

	keyvals_add(kv, "backend", "socket");
	if (mode)
		keyvals_add(kv, mode, "on");
	err = host_port(kv, rest, "host", "port", &end, e);
	if (!err && *end == ',')
		err = keyvals_parse(kv, end + 1, NULL, e);
	else if (!err && *end)
		err = error_ret(e, -EINVAL, "'%s' follows the port", end);
	return err;
}

/* udp:[HOST]:PORT[@[HOST]:PORT]: peer, then our own address. */
static int udp_spec(struct keyvals *kv, const char *rest, struct error *e)
{
	const char *end;
	int err;

	keyvals_add(kv, "backend", "udp");
	err = host_port(kv, rest, "host", "port", &end, e);
	if (!err && *end == '@')
		err = host_port(kv, end + 1, "localaddr", "localport", &end, e);
	if (!err && *end)
		err = error_ret(e, -EINVAL, "'%s' follows the port", end);
	return err;
}

static int path_spec(struct keyvals *kv, const char *backend, const char *path)
{
	keyvals_add(kv, "backend", backend);
	if (*path)
		keyvals_add(kv, "path", path);
	return 0;
}

int host_chardev_spec(struct keyvals *kv, const char *spec, struct error *e)
{
	const char *rest;

	if (str_eq(spec, "null") || str_eq(spec, "stdio") || str_eq(spec, "pty") ||
	    str_eq(spec, "testdev"))
		return path_spec(kv, spec, "");
	if (str_prefix(spec, "stdio,", &rest)) {
		keyvals_add(kv, "backend", "stdio");
		return keyvals_parse(kv, rest, NULL, e);
	}
	if (str_prefix(spec, "pty:", &rest))
		return path_spec(kv, "pty", rest);
	if (str_prefix(spec, "file:", &rest))
		return path_spec(kv, "file", rest);
	if (str_prefix(spec, "pipe:", &rest))
		return path_spec(kv, "pipe", rest);
	if (str_prefix(spec, "unix:", &rest)) {
		keyvals_add(kv, "backend", "socket");
		return keyvals_parse(kv, rest, "path", e);
	}
	if (str_prefix(spec, "tcp:", &rest))
		return tcp_spec(kv, rest, NULL, e);
	if (str_prefix(spec, "telnet:", &rest))
		return tcp_spec(kv, rest, "telnet", e);
	if (str_prefix(spec, "websocket:", &rest))
		return tcp_spec(kv, rest, "websocket", e);
	if (str_prefix(spec, "udp:", &rest))
		return udp_spec(kv, rest, e);
	if (str_prefix(spec, "/dev/", NULL))
		return path_spec(kv, "serial", spec);
	if (str_eq(spec, "vc") || str_prefix(spec, "vc:", NULL))
		return error_ret(e, -ENOTSUP,
				 "'%s': virtual consoles are not built yet: use stdio, pty, "
				 "file:PATH or a socket",
				 spec);
	if (str_eq(spec, "msmouse") || str_eq(spec, "braille") || str_eq(spec, "wctablet"))
		return error_ret(e, -ENOTSUP, "'%s' is not built yet", spec);
	return error_ret(e, -EINVAL,
			 "'%s' is none of stdio, null, none, pty[:LINK], file:PATH, pipe:PATH, "
			 "tcp:HOST:PORT, telnet:HOST:PORT, "
			 "udp:HOST:PORT, unix:PATH, /dev/TTY, chardev:ID",
			 spec);
}
