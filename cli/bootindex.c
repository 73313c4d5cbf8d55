/* SPDX-License-Identifier: GPL-2.0-or-later */
/* bootindex.c - see bootindex.h. */
#include "cli/bootindex.h"
#include "bus/pci.h"
#include "bus/slots.h"
#include "lib/alloc.h"
#include "lib/str.h"
#include <errno.h>

/* PCI functions, and drives on their controllers. */
static s64 index_of(struct device *d)
{
	if (d->class->bus && str_eq(d->class->bus, "pci"))
		return pci_bootindex((struct pci_device *)d);
	return slots_bootindex(d);
}

static char *path_of(struct device *d)
{
	if (str_eq(d->class->bus, "pci"))
		return pci_boot_path((struct pci_device *)d);
	return slots_boot_path(d);
}

static int by_index(const void *a, const void *b)
{
	s64 x = index_of(*(struct device *const *)a), y = index_of(*(struct device *const *)b);

	return (x > y) - (x < y);
}

int bootindex_paths(struct machine *m, char ***paths, unsigned *n, struct error *e)
{
	VEC(struct device *) found = { 0 };
	struct device_core *c;
	int err = 0;

	list_for_each (c, &m->devices, link) {
		if (index_of(c->dev) >= 0)
			vec_push(&found, c->dev);
	}
	if (found.n)
		qsort(found.at, found.n, sizeof(found.at[0]), by_index);
	*paths = xcalloc(found.n + 1, sizeof(**paths));
	*n = 0;
	for (size_t i = 0; i < found.n && !err; i++) {
		if (i && index_of(found.at[i]) == index_of(found.at[i - 1]))
			err = error_ret(e, -EINVAL, "bootindex %lld has already been used",
					(long long)index_of(found.at[i]));
		else
			(*paths)[(*n)++] = path_of(found.at[i]);
	}
	vec_free(&found);
	return err;
}
