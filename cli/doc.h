/* SPDX-License-Identifier: GPL-2.0-or-later */
/* doc.h - the subcommands that write about devices and how to build one. */
#pragma once

/* quern doc [--c-header] [DEVICE|FILE.so]; argv[0] is "doc". The exit status. */
int doc_main(int argc, char **argv);
/* quern --cflags */
int cflags_main(void);
/* quern doc --monitor */
void doc_monitor(void);
