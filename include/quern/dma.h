/* SPDX-License-Identifier: MIT */
/* dma.h - guest memory as pieces of host memory, for what is moved without a copy: disks, network
 * cards. Like every transfer of a device it obeys the bus (PCI: Bus Master Enable) and the fault
 * points dma_read and dma_write. */
#pragma once
#include "device.h"
#include <sys/uio.h>

/* Up to *n bytes of RAM at addr, *n cut to what is contiguous; NULL when that is not RAM or not
 * allowed (nothing is reported). After writing: dev_dma_dirty. */
void *dev_dma_map(void *dev, u64 addr, size_t *n, bool write);
void dev_dma_dirty(void *dev, u64 addr, size_t n);

/*
 * A scatter list. What is not RAM gets a copy: filled by dma_list_add when the device reads,
 * written back by dma_list_finish when it writes. `struct dma_list l = { .dev = d, .write = true }`
 * starts one; it can be used again after dma_list_finish.
 */
struct dma_list {
	void *dev;
	bool write; /* the device writes to the guest */
	u32 n, cap;
	struct iovec *vec; /* n pieces */
	size_t bytes;
	u64 *addr;		   /* of each piece in the guest */
	u8 *copied;		   /* is it a copy? */
	struct dma_broken *broken; /* the core's: pieces that a fault concerns */
};
/* Appends n bytes of guest memory. 0, or -EFAULT (reported as a guest error). */
int must_check dma_list_add(struct dma_list *l, u64 addr, size_t n);
/* The transfer is over (moved: how many of the bytes the device wrote): memory is marked as
 * changed, copies are written back and released, the list is empty. -EFAULT when a copy could not
 * be written. */
int dma_list_finish(struct dma_list *l, size_t moved);
void dma_list_free(struct dma_list *l); /* also of an unfinished list */
/* Bytes of the list from `off` on, to and from a buffer; how many there were. */
size_t dma_list_read(const struct dma_list *l, size_t off, void *buf, size_t n);
size_t dma_list_write(struct dma_list *l, size_t off, const void *buf, size_t n);
