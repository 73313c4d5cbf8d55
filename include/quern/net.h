/* SPDX-License-Identifier: MIT */
/* net.h - what a network card sees of what is behind it: whole Ethernet frames without checksum. A
 * property of kind PROP_NETDEV is a struct netdev * or NULL; every function takes NULL for a card
 * without a cable. */
#pragma once
#include "device.h"
#include <sys/uio.h>

struct netdev;

struct net_user {
	/* Takes a frame; false = no room now: it comes again after netdev_room. */
	bool (*receive)(void *dev, const u8 *frame, size_t n);
	/* the link went up or down (monitor: set_link); may be NULL */
	void (*link)(void *dev, bool up);
};

/* Claims the back end; -EBUSY when another card has it. */
int must_check netdev_attach(struct netdev *n, void *dev, const struct net_user *u,
			     struct error *e);
void netdev_detach(struct netdev *n);
/* One frame, which is taken or lost, as on a wire. Of several in a row, flush follows the last. */
void netdev_send(struct netdev *n, const struct iovec *vec, unsigned nvec);
void netdev_flush(struct netdev *n);
/* The card can receive again. */
void netdev_room(struct netdev *n);
bool netdev_link(const struct netdev *n);
/* An address for a card for which the user gave none (all zeroes): 52:54:00:12:34:56 and up. */
void netdev_address(void *dev, u8 mac[6]);
/* The line that `info network` shows for the card: model=virtio-net-pci,macaddr=... */
void netdev_describe(struct netdev *n, const char *model, const u8 mac[6]);
enum { NET_FRAME_MAX = 65550 };
