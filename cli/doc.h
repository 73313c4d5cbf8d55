/* SPDX-License-Identifier: GPL-2.0-or-later */
/* doc.h - the subcommands that write about devices and how to build one. */
#pragma once
#include <quern/types.h>

struct error;

/* quern doc [[--c-header | --check] DEVICE|FILE.so | --all DIRECTORY]; argv[0] is "doc". The exit
 * status. */
int doc_main(int argc, char **argv);
/* A page for every device class, and an index, as Markdown into a directory, which is made. */
int must_check doc_pages(const char *dir, struct error *e);
/* quern --cflags */
int cflags_main(void);
/* quern doc --monitor */
void doc_monitor(void);
