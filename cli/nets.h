/* SPDX-License-Identifier: GPL-2.0-or-later */
/* nets.h - makes the network back ends of the command line, and the cards that -nic and -net ask
 * for. */
#pragma once
#include "cli/settings.h"
#include "lib/error.h"

/* Before objects and devices. */
int nets_make(struct machine *m, const struct settings *s, struct error *e) must_check;
/* After the devices of -device. */
int nets_plug(struct machine *m, const struct settings *s, struct error *e) must_check;
