/* SPDX-License-Identifier: GPL-2.0-or-later */
/* vmlinux.h - what the kernel's own ELF file knows and its memory does not. */
#pragma once
#include "guest/kallsyms.h"
#include "lib/error.h"

struct vmlinux {
	struct ksyms syms; /* as linked */
	u8 *btf;	   /* its .BTF, malloc'ed, or NULL */
	size_t btf_size;
	char banner[256];
	char build_id[41];
};

/* Reads symbols, types, banner and build id. */
int must_check vmlinux_read(struct vmlinux *v, const char *path, struct error *e);
void vmlinux_fini(struct vmlinux *v);
/* Where distributions put the file with debug information of this build id: its path, malloc'ed, or
 * NULL when there is none. */
char *vmlinux_find(const char *build_id, const char *release);
