/* SPDX-License-Identifier: GPL-2.0-or-later */
/* bootindex.c - see bootindex.h. */
#include "cli/bootindex.h"
#include "bus/pci.h"
#include "lib/alloc.h"
#include "lib/str.h"
#include <errno.h>

static int by_index(const void *a, const void *b)
{
	s64 x = pci_bootindex(*(struct pci_device *const *)a),
	    y = pci_bootindex(*(struct pci_device *const *)b);

	return (x > y) - (x < y);
}

int bootindex_paths(struct machine *m, char ***paths, unsigned *n, struct error *e)
{
	VEC(struct pci_device *) found = { 0 };
	struct device_core *c;
	int err = 0;

	list_for_each (c, &m->devices, link) {
		struct pci_device *p = (struct pci_device *)c->dev;

		if (c->dev->class->bus && str_eq(c->dev->class->bus, "pci") &&
		    pci_bootindex(p) >= 0)
			vec_push(&found, p);
	}
	if (found.n)
		qsort(found.at, found.n, sizeof(found.at[0]), by_index);
	*paths = xcalloc(found.n + 1, sizeof(**paths));
	*n = 0;
	for (size_t i = 0; i < found.n && !err; i++) {
		if (i && pci_bootindex(found.at[i]) == pci_bootindex(found.at[i - 1]))
			err = error_ret(e, -EINVAL, "bootindex %lld has already been used",
					(long long)pci_bootindex(found.at[i]));
		else
			(*paths)[(*n)++] = pci_boot_path(found.at[i]);
	}
	vec_free(&found);
	return err;
}
