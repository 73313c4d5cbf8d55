/* SPDX-License-Identifier: GPL-2.0-or-later */
/* place.h - looks up and adds files by the guest's paths, with the symlinks that the archive has.
 */
#pragma once
#include "initrd/cpio.h"

/* What the archive holds under a path, its symlinks followed; NULL when nothing. */
const struct cpio_node *place_find(const struct cpio *c, const char *guest);
/*
 * Puts the bytes of the host's file where the guest looks for them, unless something is there.
 * Missing directories and symlinks on the way are made as in root; with mirror, guest is the file's
 * path in the root, and its own symlinks are kept, too.
 */
int place_file(struct cpio *c, const char *root, const char *guest, const char *host,
	       const struct bytes *b, bool mirror, struct error *e) must_check;
