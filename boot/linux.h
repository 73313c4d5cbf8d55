/* SPDX-License-Identifier: GPL-2.0-or-later */
/* linux.h - starting a kernel: Linux by the 64-, 32- or 16-bit boot protocol, PVH, multiboot v1. */
#pragma once
#include <quern/types.h>
#include "boot.h"
#include "e820.h"
#include "image.h"
#include "plan.h"

/* What every way of starting a kernel gets. */
struct start {
	struct boot_plan *plan;
	const struct x86_board_info *info;
	const struct boot_options *opt;
	struct kernel_image *kernel;
	struct e820 e820;
	u64 rsdp;	     /* 0 = no ACPI */
	u64 top;	     /* RAM for loaders ends here, below 4 GiB (tables begin) */
	const char *cmdline; /* never NULL */
	struct bytes initrd; /* data NULL = none; the plan's */
};

/* A bzImage or a Linux vmlinux, by boot_params. */
int linux_start(struct start *s, struct error *e) must_check;
/* data NULL: the segments are in memory already. */
int linux_start_elf(struct start *s, const struct elf_image *elf, const u8 *data, u64 size,
		    struct error *e) must_check;
/* bios.c: the few services of INT 10h..1ah that real-mode setup code asks for, and the reset
 * vector, where no firmware runs. */
void bios_services(struct start *s);
/* unpack.c: 1 when the payload is now in guest memory, a piece of the plan, with *elf describing
 * it; 0 when it cannot be done in place. */
int linux_unpack_in_place(struct start *s, struct elf_image *elf, struct error *e) must_check;
int pvh_start(struct start *s, struct error *e) must_check;
int multiboot_start(struct start *s, struct error *e) must_check;

/* boot.c: the bytes of -initrd, from memory or the file; the plan's then. */
int boot_read_initrd(struct boot_options *o, struct boot_plan *p, struct bytes *out,
		     struct error *e) must_check;

/* Shared by them. The GDT has code at 0x10, data at 0x18 and a 32-bit TSS at 0x20. */
int start_gdt(struct start *s, bool wide, struct error *e) must_check;
int start_elf_segments(struct start *s, const struct elf_image *elf, const u8 *data, u64 slide,
		       u64 min_size, struct error *e) must_check;
int start_cmdline(struct start *s, u32 max, u64 *addr, struct error *e) must_check;
/* Addresses of loaders' own structures: conventional memory behind the BIOS data area. */
enum { START_LOW = 0x1000, START_LOW_END = 0x90000 };

/* kaslr.c: moves an unpacked vmlinux (an ELF followed by its relocations) by delta bytes in virtual
 * space. */
int kaslr_relocate(u8 *image, u64 size, const struct elf_image *elf, u64 delta, const char *name,
		   struct error *e) must_check;
/* Where the ELF itself ends and the relocations begin. */
u64 elf_file_end(const struct elf_image *elf, const u8 *data, u64 size);
