/* SPDX-License-Identifier: GPL-2.0-or-later */
/* guest.h - knowledge of the system in the guest, for whoever builds machines. */
#pragma once
struct machine;

/* Makes it known to os_of(m). Costs nothing while nobody asks. vmlinux: the kernel's ELF file, or
 * NULL. */
void guest_init(struct machine *m, const char *vmlinux);
