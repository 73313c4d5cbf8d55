/* SPDX-License-Identifier: GPL-2.0-or-later */
/* block_private.h - what a machine keeps of its disks, shared by block.c and block_node.c. */
#pragma once
#include "core/block.h"

struct block_state {
	struct device head; /* the timer's owner; no real device */
	struct timer timer; /* counted clock: the next request is due */
	struct machine *m;
	struct list nodes, drives, engines;
	u64 next_name;
	bool posted;
	bool inactive; /* the images are another process's */
};
struct block_state *block_state(struct machine *m);
/* Lets engines reap; false when none has anything under way. */
bool block_reap_all(struct block_state *bs, bool wait);
