/* SPDX-License-Identifier: GPL-2.0-or-later */
/* overlay.h - a temporary layer that takes all writes, so that what is below stays as it is. */
#pragma once
#include "core/block.h"

/* Takes over the reference of `below`. NULL with a sentence. */
struct block_node *overlay_new(struct machine *m, struct block_node *below, struct error *e);
bool overlay_is(const struct block_node *n);
/* Writes what the layer holds into the node below, which must be writable, and empties it. The
 * drive above has been drained. */
int must_check overlay_commit(struct block_node *n, struct error *e);
