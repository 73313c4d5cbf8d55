/* SPDX-License-Identifier: GPL-2.0-or-later */
/* keyboard.h - typing on a machine's keyboard from outside (quern/keyboard.h is the device's side).
 */
#pragma once
#include <quern/keyboard.h>

enum { KEYS_MOST = 16 };

/* Presses all keys in this order and lets go of them, in the opposite order, hold_ms of guest time
 * later. -ENODEV: there is no keyboard. */
int must_check keyboard_type(struct machine *m, const u16 *codes, unsigned n, u32 hold_ms,
			     struct error *e);
/* Its functions when it is the one that is typed on, or NULL. */
const struct keyboard_ops *keyboard_of(const struct device *d);
void keyboard_forget(struct device *d); /* it goes away */
void keyboard_fini(struct machine *m);
