/* SPDX-License-Identifier: GPL-2.0-or-later */
/* user.h - the user-mode network while it runs: forwards that the monitor adds and removes. */
#pragma once
#include "core/net.h"

/* n must be of kind user, -EINVAL else. */
int must_check net_user_add_hostfwd(struct netdev *n, const char *text, struct error *e);
int must_check net_user_remove_hostfwd(struct netdev *n, const char *text, struct error *e);
/* Its connections as a table, malloc'ed; NULL when it is of another kind. */
char *net_user_connections(struct netdev *n);
