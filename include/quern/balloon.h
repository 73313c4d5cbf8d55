/* SPDX-License-Identifier: MIT */
/* balloon.h - between a memory balloon and who sets its size (the monitor); one per machine. */
#pragma once
#include "device.h"

/* VIRTIO 1.2, 5.5.6.3: what the guest tells of its memory; ~0 = it did not. */
enum balloon_stat {
	BALLOON_SWAP_IN,
	BALLOON_SWAP_OUT,
	BALLOON_MAJFLT,
	BALLOON_MINFLT,
	BALLOON_MEMFREE,
	BALLOON_MEMTOT,
	BALLOON_AVAIL,
	BALLOON_CACHES,
	BALLOON_HTLB_PGALLOC,
	BALLOON_HTLB_PGFAIL,
	BALLOON_STATS
};
struct balloon_stats {
	u64 value[BALLOON_STATS];
	u64 at; /* seconds since 1970, 0 = never */
};
struct balloon_iface {
	void (*set_target)(void *dev, u64 bytes); /* that the guest shall give */
	u64 (*given)(const void *dev);
	void (*stats)(const void *dev, struct balloon_stats *s);
	void (*set_interval)(void *dev, u32 seconds);
};
int must_check balloon_register(void *dev, const struct balloon_iface *i, struct error *e);
void balloon_forget(void *dev);
/* The guest gave or took pages: BALLOON_CHANGE. */
void balloon_changed(void *dev);
/* Guest memory that is of no use any more: whole pages of RAM in it are zero from now on and the
 * host's. */
void dev_discard(void *dev, u64 addr, u64 n);
