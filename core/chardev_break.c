/* SPDX-License-Identifier: GPL-2.0-or-later */
/* chardev_break.c - a break from the guest's serial line to its back end. */
#include "core/chardev.h"

void chardev_send_break(struct chardev *c)
{
	if (c->ops->set_break)
		c->ops->set_break(c);
}
