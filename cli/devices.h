/* SPDX-License-Identifier: GPL-2.0-or-later */
/* devices.h - makes the devices of -device, with -global's defaults; and what is like a device on
 * the command line only. */
#pragma once
#include "cli/settings.h"
#include "lib/error.h"

struct boot_loader;

/* What -object asks for. */
int objects_make(struct machine *m, const struct settings *s, struct error *e) must_check;
/* -global: before the board is built, whose devices it reaches, too. */
void globals_set(struct machine *m, const struct settings *s);
int devices_make(struct machine *m, const struct settings *s, struct error *e) must_check;
/* -device loader is no device: boot/ does it. The strings stay the settings'. */
bool is_loader(struct keyvals *device);
int loader_settings(struct boot_loader *l, struct keyvals *device, struct error *e) must_check;
/* Warns of patterns that select no trace point of this machine. */
void traces_check(struct machine *m, const struct settings *s);
/* Arms every -fault; warns likewise. */
int faults_arm(struct machine *m, const struct settings *s, struct error *e) must_check;
