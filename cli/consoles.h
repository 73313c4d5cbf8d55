/* SPDX-License-Identifier: GPL-2.0-or-later */
/* consoles.h - makes the character back ends that the options ask for, and joins serial ports and
 * monitors to them. */
#pragma once
#include "cli/settings.h"
#include "lib/error.h"

struct board_config;
struct no_monitor;

/* What lives as long as the machine. `struct consoles c = {0}` starts empty. */
struct consoles {
	struct no_monitor **at;
	size_t n, cap;
};

/* Opens every -chardev and -serial; fills c->serial. */
int consoles_make(struct consoles *k, struct machine *m, const struct settings *s,
		  struct board_config *c, struct error *e) must_check;
/* After the machine. */
void consoles_fini(struct consoles *k);
