/* SPDX-License-Identifier: MIT */
/* keyboard.h - keyboards that somebody outside of the guest types on. Keys are numbered as in
 * Linux's input-event-codes.h. */
#pragma once
#include "device.h"

struct keyboard_ops {
	/* false: it cannot take it now, or has no such key */
	bool (*key)(void *dev, unsigned code, bool down);
};
/* In init: this device is a keyboard. What is typed reaches the one that came last. */
void keyboard_add(void *dev, const struct keyboard_ops *ops);
