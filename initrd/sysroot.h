/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sysroot.h - paths of a foreign root directory, with its absolute symlinks staying inside. */
#pragma once
#include <quern/types.h>
#include <sys/stat.h>

/*
 * The host's path of what `path` means to a program whose root is `root` ("" = the host's own
 * root). Symlinks of directories are followed inside the root, the last component's only with
 * follow. Parts that do not exist are taken as they are. NULL on a loop of symlinks. The caller
 * frees.
 */
char *sysroot_path(const char *root, const char *path, bool follow);
/* lstat inside the root; false when there is nothing. */
bool sysroot_lstat(const char *root, const char *path, struct stat *st);
/* The target of a symlink, to be freed, or NULL. */
char *link_target(const char *host);
/* The part before the last slash: "/" for "/x", "." for "x". To be freed. */
char *dir_of(const char *path);
