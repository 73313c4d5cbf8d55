/* SPDX-License-Identifier: GPL-2.0-or-later */
/* lock.h - who may use an image file at the same time. */
#pragma once
#include <quern/types.h>

struct error;
/* Takes the locks of a user of fd that writes, or not, for as long as fd is open. -EAGAIN with a
 * sentence when another user is in the way; must: what cannot lock at all is a mistake, too. */
int must_check lock_image(int fd, const char *path, bool writes, bool must, struct error *e);
/* Lets go of all that. */
void unlock_image(int fd);
