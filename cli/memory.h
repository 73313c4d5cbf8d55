/* SPDX-License-Identifier: GPL-2.0-or-later */
/* memory.h - what main memory is made of, and its nodes. */
#pragma once
#include "board/board.h"
#include "cli/settings.h"

struct memory {
	struct memory_backend *part[NUMA_NODES];
	struct board_numa numa;
};
/* After the objects were made: fills c->ram_size (0: nobody has said), memory and numa. mem stays
 * as long as the machine. */
int memory_make(struct memory *mem, struct machine *m, struct settings *s, const char *backend,
		const struct board *b, struct board_config *c, struct error *e) must_check;
/* What -machine mem-merge= and dump-guest-core= want of the host, once memory is there. */
int memory_advise(struct machine *m, struct keyvals *keys, struct error *e) must_check;
void memory_fini(struct memory *mem);
