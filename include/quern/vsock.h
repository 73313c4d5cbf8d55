/* SPDX-License-Identifier: MIT */
/*
 * vsock.h - the host's side of a socket device, as Unix sockets: a program that connects to PATH
 * and sends "CONNECT PORT\n" reaches that port of the guest, and reads "OK PORT\n" when the guest
 * took it; what the guest connects to, port N of the host, is the socket PATH_N.
 */
#pragma once
#include "device.h"
#include <sys/uio.h>

struct vsock_host;
struct vsock_stream;

struct vsock_user {
	/* Somebody wants the guest's port: vsock_accept or vsock_close follows, now or later. */
	void (*request)(void *dev, struct vsock_stream *s, u32 port);
	/* After -EAGAIN: reading or writing is possible again. */
	void (*ready)(void *dev, struct vsock_stream *s);
};
/* NULL with a sentence. */
struct vsock_host *vsock_listen(void *dev, const char *path, const struct vsock_user *u,
				struct error *e);
void vsock_unlisten(struct vsock_host *h); /* NULL is allowed */
/* To PATH_PORT; NULL = nobody listens there. */
struct vsock_stream *vsock_connect(struct vsock_host *h, u32 port);
void vsock_accept(struct vsock_stream *s, u32 port);
/* Bytes moved; read: 0 = the other side sends no more; -EAGAIN, or -EPIPE when it is gone. */
s64 vsock_read(struct vsock_stream *s, const struct iovec *vec, unsigned nvec);
s64 vsock_write(struct vsock_stream *s, const struct iovec *vec, unsigned nvec);
void vsock_end(struct vsock_stream *s); /* no more will be written */
void vsock_close(struct vsock_stream *s);
