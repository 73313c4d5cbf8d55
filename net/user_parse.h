/* SPDX-License-Identifier: GPL-2.0-or-later */
/* user_parse.h - what the arguments of -netdev user say. */
#pragma once
#include "lib/keyval.h"
#include <arpa/inet.h>
#include <netinet/in.h>
#include <quern/types.h>

/* "tcp::2222-:22": a port of the host that leads to one of the guest. */
struct net_forward {
	bool udp;
	struct in_addr host, guest;
	int host_port, guest_port;
};
/* The address of the guest is `guest` when the text gives none. */
int must_check net_parse_hostfwd(const char *text, struct in_addr guest, struct net_forward *f);
/* "tcp::2222": the host's side alone, as hostfwd_remove names it. */
int must_check net_parse_hostfwd_host(const char *text, struct net_forward *f);
/* "tcp:10.0.2.100:1234-REST": *rest is what follows. */
int must_check net_parse_guestfwd(const char *text, struct in_addr *addr, int *port,
				  const char **rest);
/* "10.0.2.0/24", "10.0.2.0/255.255.255.0", "10.0.2.0" */
int must_check net_parse_network(const char *text, struct in_addr *net, struct in_addr *mask);
