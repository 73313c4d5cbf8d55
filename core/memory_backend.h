/* SPDX-License-Identifier: GPL-2.0-or-later */
/* memory_backend.h - where guest RAM comes from when the user says so: what objects of the types
 * memory-backend-* are. host/ makes them, boards build main memory of them. */
#pragma once
#include "space.h"

struct memory_backend {
	const char *id;
	u64 size;
	int fd;	    /* -1 = anonymous memory */
	u64 offset; /* in the file */
	u64 align;  /* of its place in the host's address space: the page size of its file system */
	bool share; /* writes are seen by all who map the file */
	bool rom;   /* must not be written */
	bool prealloc, merge, no_core_dump;
	bool used; /* it is some machine's memory already */
};

/* RAM of several back ends, one behind the other. They stay the objects' and outlive the region. */
int must_check region_init_ram_of(struct region *r, struct machine *m, const char *name,
				  struct memory_backend *const *part, unsigned n, struct error *e);
