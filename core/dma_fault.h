/* SPDX-License-Identifier: GPL-2.0-or-later */
/* dma_fault.h - pieces of scatter lists that a fault concerns: the device works on a copy, which
 * then reaches memory wrongly, late, or not at all. */
#pragma once
#include "core/fault.h"

struct dma_broken {
	struct dma_broken *next;
	struct device *d;
	u64 addr;
	size_t n;
	bool write;
	struct fault_info fault;
	u8 data[];
};

/* Visits dma_read or dma_write. NULL and *failed: it fails; NULL else: nothing happens. host: the n
 * bytes at addr. It is put in front of the list. */
struct dma_broken *dma_break(struct device *d, u64 addr, const void *host, size_t n, bool write,
			     struct dma_broken **list, bool *failed);
/* The piece of the list whose copy begins at base, or NULL. */
struct dma_broken *dma_broken_at(struct dma_broken *list, const void *base);
/* The device wrote the first `moved` bytes. */
void dma_broken_written(struct dma_broken *p, size_t moved);
void dma_broken_free(struct dma_broken **list);
