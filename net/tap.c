/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * tap.c - -netdev tap and -netdev bridge: frames to and from a network interface of the host
 * (Documentation/networking/tuntap.rst). tap opens /dev/net/tun itself and runs scripts, or gets a
 * descriptor; bridge asks a privileged helper for one.
 */
#include "core/machine.h"
#include "lib/alloc.h"
#include "lib/error.h"
#include "lib/str.h"
#include "net/socket.h"
#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <poll.h>
#include <spawn.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#define UP_SCRIPT   "/etc/qemu-ifup"
#define DOWN_SCRIPT "/etc/qemu-ifdown"
#define HELPER	    "/usr/lib/qemu/qemu-bridge-helper"

enum { BATCH = 64, WAITING = 256 };

extern char **environ;

struct tap {
	struct netdev *n;
	int fd;
	char ifname[IFNAMSIZ];
	char *down; /* script */
	bool paused;
	u8 frame[NET_FRAME_MAX];
};

static void readable(void *arg, short revents);

static void watch(struct tap *t)
{
	machine_poll_fd(t->n->machine, t->fd, t->paused ? 0 : POLLIN, t->paused ? NULL : readable,
			t);
}

/* The kernel keeps what the card has no room for. */
static void readable(void *arg, short revents)
{
	struct tap *t = arg;

	for (unsigned i = 0; i < BATCH; i++) {
		ssize_t got;

		if (netdev_waiting(t->n) >= WAITING) {
			t->paused = true;
			watch(t);
			return;
		}
		got = read(t->fd, t->frame, sizeof(t->frame));
		if (got > 0) {
			netdev_deliver(t->n, t->frame, got);
			continue;
		}
		if (got < 0 && (errno == EAGAIN || errno == EINTR))
			return;
		warn("netdev '%s': the interface is gone: %s", t->n->id,
		     got ? strerror(errno) : "end of file");
		machine_poll_fd(t->n->machine, t->fd, 0, NULL, NULL);
		return;
	}
}

static void tap_room(struct netdev *n)
{
	struct tap *t = n->impl;

	if (!t->paused)
		return;
	t->paused = false;
	watch(t);
}

static void tap_send(struct netdev *n, const struct iovec *vec, unsigned nvec)
{
	struct tap *t = n->impl;

	if (writev(t->fd, vec, (int)nvec) < 0)
		n->lost++;
}

/* ---- scripts */

static int run(char *const argv[], struct error *e)
{
	int status;
	pid_t pid;
	int err = posix_spawn(&pid, argv[0], NULL, NULL, argv, environ);

	if (err)
		return error_ret(e, -err, "could not launch network script %s: %s", argv[0],
				 strerror(err));
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return error_ret(e, -errno, "network script %s: %s", argv[0],
					 strerror(errno));
	if (!WIFEXITED(status) || WEXITSTATUS(status))
		return error_ret(e, -EINVAL, "network script %s failed with status %d", argv[0],
				 WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status));
	return 0;
}

static int run_script(const char *script, struct tap *t, struct error *e)
{
	char *argv[] = { (char *)script, t->ifname, NULL };

	return run(argv, e);
}

static void tap_fini(struct netdev *n)
{
	struct tap *t = n->impl;
	struct error e = { 0 };

	if (t->fd >= 0) {
		machine_poll_fd(n->machine, t->fd, 0, NULL, NULL);
		if (t->down && run_script(t->down, t, &e))
			warn("%s", e.text);
		close(t->fd);
	}
	free(t->down);
	free(t);
	n->impl = NULL;
}

static const struct net_ops tap_ops = { .send = tap_send, .room = tap_room, .fini = tap_fini };

static struct tap *tap_new(struct netdev *n)
{
	struct tap *t = NEW(struct tap);

	t->n = n;
	t->fd = -1;
	n->impl = t;
	return t;
}

/* ---- setting up */

static int open_tun(struct tap *t, const char *name, struct error *e)
{
	struct ifreq r = { .ifr_flags = IFF_TAP | IFF_NO_PI };

	if (name && strlen(name) >= sizeof(r.ifr_name))
		return error_ret(e, -EINVAL, "the name of interface '%s' is too long", name);
	snprintf(r.ifr_name, sizeof(r.ifr_name), "%s", name ? name : "tap%d");
	t->fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
	if (t->fd < 0)
		return error_ret(e, -errno, "could not open /dev/net/tun: %s", strerror(errno));
	if (ioctl(t->fd, TUNSETIFF, &r))
		return error_ret(e, -errno, "could not configure /dev/net/tun (%s): %s", r.ifr_name,
				 strerror(errno));
	snprintf(t->ifname, sizeof(t->ifname), "%s", r.ifr_name);
	return 0;
}

/* A descriptor that was opened elsewhere, without the header of offloads. */
static int take_tun(struct tap *t, struct error *e)
{
	struct ifreq r = { 0 };

	if (ioctl(t->fd, TUNGETIFF, &r))
		return error_ret(e, -errno, "the descriptor is no tap interface: %s",
				 strerror(errno));
	if (!(r.ifr_flags & IFF_TAP) || !(r.ifr_flags & IFF_NO_PI))
		return error_ret(e, -EINVAL,
				 "interface %s must have been opened with IFF_TAP and IFF_NO_PI",
				 r.ifr_name);
	if (r.ifr_flags & IFF_VNET_HDR)
		return error_ret(e, -ENOTSUP,
				 "interface %s was opened with IFF_VNET_HDR: frames come and go "
				 "whole",
				 r.ifr_name);
	snprintf(t->ifname, sizeof(t->ifname), "%s", r.ifr_name);
	return 0;
}

static int refuse(struct keyvals *kv, struct error *e)
{
	static const char *const names[] = { "fds",	"vhostfd", "vhostfds", "vhostforce",
					     "poll-us", "helper",  "br",       "sndbuf" };
	bool vhost = false, header = false;
	u64 queues = 1;
	int err = keyvals_bool(kv, "vhost", &vhost, e);

	if (!err)
		err = keyvals_bool(kv, "vnet_hdr", &header, e);
	if (!err)
		err = keyvals_u64(kv, "queues", 1, 1024, &queues, e);
	if (!err && vhost)
		err = error_ret(e, -ENOTSUP,
				"vhost=on is not built: the kernel would have to see "
				"the guest's memory");
	if (!err && header)
		err = error_ret(e, -ENOTSUP, "vnet_hdr=on is not built: frames come and go whole");
	if (!err && queues > 1)
		err = error_ret(e, -ENOTSUP,
				"queues=%llu is not built: cards have one pair of "
				"queues",
				(unsigned long long)queues);
	for (unsigned i = 0; i < ARRAY_SIZE(names) && !err; i++)
		if (keyvals_get(kv, names[i]))
			err = error_ret(e, -ENOTSUP, "%s= is not built%s", names[i],
					i == 5 || i == 6 ? "; -netdev bridge has it" : "");
	return err;
}

#define TAP_KEYS "ifname|fd|script|downscript|vhost|vnet_hdr|queues"

static bool is_no(const char *s) { return str_eq(s, "no") || !*s; }

static int tap_open(struct tap *t, struct keyvals *kv, struct error *e)
{
	const char *name = keyvals_get(kv, "ifname"), *fd = keyvals_get(kv, "fd"),
		   *up = keyvals_get(kv, "script"), *down = keyvals_get(kv, "downscript");
	int err = keyvals_all_used(kv, "type|id|" TAP_KEYS, e);

	if (err)
		return err;
	if (fd && (name || up || down))
		return error_ret(e, -EINVAL,
				 "ifname=, script=, downscript=, vnet_hdr=, helper=, "
				 "queues=, fds=, and vhostfds= are invalid with fd=");
	if (fd) {
		t->fd = net_fd(t->n, fd, e);
		return t->fd < 0 ? t->fd : take_tun(t, e);
	}
	err = open_tun(t, name, e);
	up = up ? up : UP_SCRIPT;
	down = down ? down : DOWN_SCRIPT;
	if (!err && !is_no(up))
		err = run_script(up, t, e);
	if (!err && !is_no(down))
		t->down = xstrdup(down);
	return err;
}

static int finish(struct tap *t, int err, const char *extra)
{
	struct netdev *n = t->n;

	if (err) {
		tap_fini(n);
		return err;
	}
	n->ops = &tap_ops;
	watch(t);
	snprintf(n->info, sizeof(n->info), "ifname=%s%s", t->ifname, extra);
	return 0;
}

static int tap_make(struct netdev *n, struct keyvals *kv, struct error *e)
{
	int err = refuse(kv, e);
	struct tap *t;

	if (err)
		return err;
	t = tap_new(n);
	return finish(t, tap_open(t, kv, e), "");
}

static const struct netdev_kind tap_kind = {
	.name = "tap", .doc = "an interface of the host", .keys = TAP_KEYS, .make = tap_make
};
NETDEV_KIND(tap_kind);

/* ---- bridge */

/* The descriptor that comes over the socket, or -1. */
static int receive_fd(int socket)
{
	union {
		struct cmsghdr head;
		char room[CMSG_SPACE(sizeof(int))];
	} control;
	char byte;
	struct iovec one = { &byte, 1 };
	struct msghdr m = { .msg_iov = &one,
			    .msg_iovlen = 1,
			    .msg_control = &control,
			    .msg_controllen = sizeof(control) };
	struct cmsghdr *c;
	int fd;

	if (recvmsg(socket, &m, MSG_CMSG_CLOEXEC) <= 0)
		return -1;
	c = CMSG_FIRSTHDR(&m);
	if (!c || c->cmsg_type != SCM_RIGHTS || c->cmsg_len < CMSG_LEN(sizeof(int)))
		return -1;
	memcpy(&fd, CMSG_DATA(c), sizeof(fd));
	return fd;
}

static int ask_helper(struct tap *t, const char *helper, const char *bridge, struct error *e)
{
	char fd_arg[32], br_arg[64];
	char *argv[] = { (char *)helper, fd_arg, br_arg, NULL };
	int pair[2], err;

	if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair))
		return error_ret(e, -errno, "socketpair: %s", strerror(errno));
	fcntl(pair[0], F_SETFD, FD_CLOEXEC);
	snprintf(fd_arg, sizeof(fd_arg), "--fd=%d", pair[1]);
	snprintf(br_arg, sizeof(br_arg), "--br=%s", bridge);
	err = run(argv, e);
	close(pair[1]);
	if (!err)
		t->fd = receive_fd(pair[0]);
	close(pair[0]);
	if (err || t->fd >= 0)
		return err;
	return error_ret(e, -EINVAL, "bridge helper %s has sent no descriptor", helper);
}

static int bridge_make(struct netdev *n, struct keyvals *kv, struct error *e)
{
	const char *bridge = keyvals_get(kv, "br"), *helper = keyvals_get(kv, "helper");
	char extra[64];
	struct tap *t;
	int err = keyvals_all_used(kv, "type|id|br|helper", e);

	if (err)
		return err;
	t = tap_new(n);
	bridge = bridge ? bridge : "br0";
	err = ask_helper(t, helper ? helper : HELPER, bridge, e);
	if (!err)
		err = take_tun(t, e);
	if (!err)
		fcntl(t->fd, F_SETFL, fcntl(t->fd, F_GETFL) | O_NONBLOCK);
	snprintf(extra, sizeof(extra), ",br=%.40s", bridge);
	return finish(t, err, extra);
}

static const struct netdev_kind bridge_kind = {
	.name = "bridge", .doc = "a bridge of the host", .keys = "br|helper", .make = bridge_make
};
NETDEV_KIND(bridge_kind);
