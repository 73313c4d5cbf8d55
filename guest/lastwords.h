/* SPDX-License-Identifier: GPL-2.0-or-later */
/* lastwords.h - the end of the log of a guest that crashed in silence. */
#pragma once
#include "guest/linux.h"

/* The process ends: shows it on stderr if that is how the guest ended. */
void lastwords(struct linux_os *l);
