/* SPDX-License-Identifier: GPL-2.0-or-later */
/* gdbserver.c - who opens the debugger stub. */
#include "core/gdbserver.h"
#include "core/private.h"
#include <errno.h>

void gdbserver_set(struct machine *m, int (*open)(void *arg, const char *dev, struct error *e),
		   void *arg)
{
	m->priv->gdbserver_open = open;
	m->priv->gdbserver_arg = arg;
}

int gdbserver_open(struct machine *m, const char *dev, struct error *e)
{
	if (!m->priv->gdbserver_open)
		return error_ret(e, -ENOTSUP, "this machine has no debugger stub");
	return m->priv->gdbserver_open(m->priv->gdbserver_arg, *dev ? dev : "tcp::1234", e);
}
