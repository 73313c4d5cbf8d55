/* SPDX-License-Identifier: GPL-2.0-or-later */
/* consoles.h - makes the character back ends that the options ask for, and joins serial ports and
 * monitors to them. */
#pragma once
#include "cli/settings.h"
#include "lib/error.h"
#include "mon/monitor.h"
#include "qtest/qtest.h"

struct board_config;

struct wanted_monitor {
	char *id; /* of its chardev */
	bool control, pretty;
};
/* What lives as long as the machine. `struct consoles c = {0}` starts empty. */
struct consoles {
	VEC(struct wanted_monitor) wanted;
	struct monitors *monitors;
	struct qtest *qtest;
};

/* Opens every -chardev, -serial, -monitor and -qmp; fills c->serial. */
int consoles_make(struct consoles *k, struct machine *m, const struct settings *s,
		  struct board_config *c, struct error *e) must_check;
/* Starts the monitors, when all devices have taken their character back ends. */
int consoles_monitors(struct consoles *k, struct machine *m, struct error *e) must_check;
/* -qtest: from now on a test may drive the machine. */
int consoles_qtest(struct consoles *k, struct machine *m, const struct settings *s,
		   struct error *e) must_check;
/* After the machine. */
void consoles_fini(struct consoles *k);
/* One -chardev; escape: the key of its mux. */
int chardev_make(struct machine *m, u8 escape, const struct keyvals *given,
		 struct error *e) must_check;
