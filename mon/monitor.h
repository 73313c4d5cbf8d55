/* SPDX-License-Identifier: GPL-2.0-or-later */
/* monitor.h - the monitors of a machine: people at a prompt, programs that speak QMP; any number,
 * each on a character device. What they can do is in the table of commands (core/command.h). */
#pragma once
#include <quern/types.h>

struct machine;
struct chardev;
struct monitors;

/* Takes over m->event. */
struct monitors *monitors_new(struct machine *m);
/* After the machine, whose character devices are gone. */
void monitors_free(struct monitors *k);

/* Both take the character device, which must be claimed, until the machine ends. A server goes on
 * to accept further clients: each has a session of its own. */
void monitor_human(struct monitors *k, struct chardev *c);
void monitor_qmp(struct monitors *k, struct chardev *c, bool pretty);
