/* SPDX-License-Identifier: GPL-2.0-or-later */
/* socket.h - addresses of stream and datagram sockets, as options write them. */
#pragma once
#include <quern/types.h>
#include "lib/error.h"
#include "lib/keyval.h"
#include <netdb.h>
#include <sys/socket.h>

struct address {
	struct sockaddr_storage sa;
	socklen_t len;
	char text[300]; /* "unix:PATH", "tcp:HOST:PORT" */
};

/* By path= (abstract=on: without a file), or host= and port=. Port 0 is allowed with `passive`: any
 * free one. */
int address_parse(struct address *a, struct keyvals *kv, const char *host_key, const char *port_key,
		  int type, bool passive, struct error *e) must_check;
/* Fills the text from a bound or accepted socket: tells which port it became. */
void address_of(struct address *a, int fd);
/* A non-blocking close-on-exec socket; -errno with a sentence. */
int socket_listen(const struct address *a, struct error *e) must_check;
/* Starts connecting; *pending when it is under way. */
int socket_connect(const struct address *a, bool *pending, struct error *e) must_check;
