/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ram.h - the host memory behind regions. */
#pragma once
#include "core/space.h"

struct memory_backend;

/* Of one or more back ends, or of one anonymous piece. NULL with a sentence that names the memory.
 */
struct ram *ram_new(struct machine *m, const char *name, struct memory_backend *const *part,
		    unsigned n, struct error *e);
void ram_free(struct ram *ram);
