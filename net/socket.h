/* SPDX-License-Identifier: GPL-2.0-or-later */
/* socket.h - frames over sockets, for the back ends socket, stream and dgram: over a connection
 * each after its length in four bytes, big-endian; or one in each datagram. */
#pragma once
#include "core/machine.h"
#include "core/net.h"
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>

enum { NET_PREFIX = 4 };

union net_addr {
	struct sockaddr any;
	struct sockaddr_in in;
	struct sockaddr_in6 in6;
	struct sockaddr_un un;
};

struct net_socket {
	struct netdev *n;
	int listener, fd;
	bool stream, connecting, events;
	union net_addr to; /* of datagrams and connections */
	socklen_t to_len;
	u32 reconnect; /* seconds, 0 = never */
	struct device shell;
	struct timer again;
	char *unlink; /* a path that was bound */
	char name[96];
	u8 in[NET_PREFIX + NET_FRAME_MAX];
	size_t have;
};

extern const struct net_ops net_socket_ops;
struct net_socket *net_socket_new(struct netdev *n);
void net_socket_fini(struct netdev *n);
/* fd, or the one that a listener accepts, is there. */
void net_socket_watch(struct net_socket *s);
void net_socket_listen(struct net_socket *s);
/* To s->to; whether that works may show later. 0 or -errno. */
int must_check net_socket_connect(struct net_socket *s);
/* A descriptor by number, which was inherited, or by the name that a client gave it. */
int must_check net_fd(struct netdev *n, const char *text, struct error *e);
