/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ram.c - the host memory behind regions: pages of the host, or of files that others may map, too.
 * Several back ends lie one behind the other in one piece of the host's address space. */
#include "core/ram.h"
#include "core/machine.h"
#include "core/memory_backend.h"
#include "lib/alloc.h"
#include "lib/error.h"
#include <errno.h>
#include <sys/mman.h>

#define PAGE 4096ull

static int no_memory(struct error *e, const char *name, u64 bytes, int err)
{
	return error_ret(e, -ENOMEM,
			 "cannot set up guest memory '%s': the host has not %llu MiB for it%s%s",
			 name, (unsigned long long)(bytes >> 20), err == ENOMEM ? "" : ": ",
			 err == ENOMEM ? "" : strerror(err));
}

/* Touches every page; on old kernels by reading and writing it. */
static int populate(u8 *at, u64 bytes)
{
#ifdef MADV_POPULATE_WRITE
	if (!madvise(at, bytes, MADV_POPULATE_WRITE))
		return 0;
	if (errno != EINVAL)
		return -errno;
#endif
	for (u64 i = 0; i < bytes; i += PAGE)
		__atomic_fetch_or(at + i, 0, __ATOMIC_RELAXED);
	return 0;
}

static int map_part(u8 *at, const char *name, const struct memory_backend *b, struct error *e)
{
	int flags =
		MAP_FIXED | (b->share ? MAP_SHARED : MAP_PRIVATE) | (b->fd < 0 ? MAP_ANONYMOUS : 0);

	if (mmap(at, b->size, PROT_READ | PROT_WRITE, flags, b->fd, b->offset) == MAP_FAILED)
		return no_memory(e, name, b->size, errno);
	if (b->fd < 0 && b->size >= 8u << 20)
		madvise(at, b->size, MADV_HUGEPAGE);
	if (b->merge)
		madvise(at, b->size, MADV_MERGEABLE);
	if (b->no_core_dump)
		madvise(at, b->size, MADV_DONTDUMP);
	if (b->prealloc && populate(at, b->size))
		return no_memory(e, name, b->size, errno);
	return 0;
}

/* Address space without memory, aligned. The slack around it is given back. */
static u8 *reserve(u64 bytes, u64 align)
{
	u8 *at = mmap(NULL, bytes + align, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE,
		      -1, 0),
	   *start;

	if (at == MAP_FAILED)
		return NULL;
	start = (u8 *)ALIGN_UP((u64)(uintptr_t)at, align);
	if (start > at)
		munmap(at, start - at);
	if (at + align > start)
		munmap(start + bytes, at + align - start);
	return start;
}

struct ram *ram_new(struct machine *m, const char *name, struct memory_backend *const *part,
		    unsigned n, struct error *e)
{
	u64 bytes = 0, align = PAGE;
	struct ram *ram;
	u8 *at;

	for (unsigned i = 0; i < n; i++) {
		bytes += part[i]->size;
		align = MAX(align, part[i]->align);
	}
	ram = NEW(struct ram);
	ram->page_flags = calloc(bytes / PAGE, 1);
	ram->host = ram->page_flags ? reserve(bytes, align) : NULL;
	if (!ram->host) {
		no_memory(e, name, bytes, ENOMEM);
		goto fail;
	}
	ram->size = bytes;
	at = ram->host;
	for (unsigned i = 0; i < n; at += part[i++]->size) {
		if (map_part(at, name, part[i], e))
			goto fail;
		ram->preset |= part[i]->fd >= 0;
	}
	ram->first_page = m->ram_pages;
	m->ram_pages += bytes / PAGE;
	return ram;
fail:
	ram_free(ram);
	return NULL;
}

void ram_free(struct ram *ram)
{
	if (ram->host)
		munmap(ram->host, ALIGN_UP(ram->size, PAGE));
	free(ram->page_flags);
	free(ram);
}
