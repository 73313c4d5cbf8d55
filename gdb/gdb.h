/* SPDX-License-Identifier: GPL-2.0-or-later */
/* gdb.h - the debugger stub of a machine: speaks the GDB Remote Serial Protocol (GDB manual,
 * appendix E) with any number of debuggers at once. Whoever stops the machine holds it; any of
 * them may let it go on, and each is told of what it asked for. */
#pragma once
#include <quern/types.h>

struct gdb;
struct machine;
struct chardev;

struct gdb *gdb_new(struct machine *m);
/* Debuggers connect at c from now on, several of them where c serves several peers. own: c is freed
 * with the stub. As soon as one is connected the machine stops. */
void gdb_listen(struct gdb *g, struct chardev *c, bool own);
/* Nobody listens any more; connections end. -EBUSY within a debugger's own command. */
int must_check gdb_close(struct gdb *g);
void gdb_free(struct gdb *g);
/* Are Linux tasks threads, besides the CPUs? (monitor tasks on|off changes it.) */
void gdb_show_tasks(struct gdb *g, bool on);
/* The architecture as debuggers see it: the registers of an instruction set with the same CPUs
 * (i386 on x86_64 CPUs, for 32-bit and 16-bit code), under a name of BFD's (NULL: isa's own). */
struct isa;
void gdb_describe(struct gdb *g, const struct isa *isa, const char *bfd_name);
/* A directory in which files of the guest are looked for: kernel modules, vmlinux. */
void gdb_add_files(struct gdb *g, const char *dir);
