/* SPDX-License-Identifier: GPL-2.0-or-later */
/* linux.c - the Linux boot protocol, Documentation/arch/x86/boot.rst and zero-page.rst. By default
 * the host unpacks the payload of a bzImage, loads the vmlinux inside as the image's own
 * decompressor would, and enters it as the decompressor does; else the image does so itself. */
#include "linux.h"
#include "core/cpu.h"
#include "core/os.h"
#include "decompress.h"
#include <errno.h>

/* Offsets in boot_params besides those of the setup header (zero-page.rst). */
enum {
	BP_SCREEN_INFO = 0x000,
	BP_EXT_MEM_K = 0x002,
	BP_ACPI_RSDP = 0x070,
	BP_EXT_RAMDISK_IMAGE = 0x0c0,
	BP_EXT_RAMDISK_SIZE = 0x0c4,
	BP_ALT_MEM_K = 0x1e0,
	BP_E820_ENTRIES = 0x1e8,
	BP_E820_TABLE = 0x2d0,
	BP_SIZE = 4096,
};
enum { LOADER_TYPE = 0xff /* no number assigned */, UNPACKED_MAX = 1 << 30, PAGE_2M = 1 << 21 };

/* 0 when it fits, with the address; what the guest must be able to reach is below max (the last
 * byte's address). */
static int place_initrd(struct start *s, u64 max, bool above_4g, u64 *addr, struct error *e)
{
	u64 size = s->initrd.size, hi = MIN(s->top, max + 1);

	*addr = 0;
	if (!size)
		return 0;
	if (!plan_find(s->plan, 0x100000, hi, size, 4096, true, addr) &&
	    !(above_4g &&
	      plan_find(s->plan, BIT64(32), BIT64(32) + s->info->ram_high, size, 4096, true, addr)))
		return error_ret(e, -E2BIG,
				 "initrd is too large, cannot support: it has %llu MiB and does "
				 "not fit into the guest's memory of %llu MiB "
				 "beside the kernel: use a larger -m",
				 (unsigned long long)(size >> 20),
				 (unsigned long long)(s->plan->m->ram_size >> 20));
	return plan_add(s->plan, "the initrd", *addr, size, s->initrd.data, size, e);
}

/* A VGA in text mode 3 after its BIOS ran: what the setup code would have found out. */
static void fill_screen_info(u8 *bp)
{
	u8 *si = bp + BP_SCREEN_INFO;

	si[0x06] = 3;	       /* orig_video_mode */
	si[0x07] = 80;	       /* orig_video_cols */
	st16le(si + 0x0a, 3);  /* orig_video_ega_bx: 256 KiB */
	si[0x0e] = 25;	       /* orig_video_lines */
	si[0x0f] = 1;	       /* orig_video_isVGA */
	st16le(si + 0x10, 16); /* orig_video_points */
}

/* What a loader fills in, in any copy of the setup header. */
static void fill_header(struct start *s, u8 *bp, u64 cmdline, u64 initrd)
{
	bp[HDR_TYPE_OF_LOADER] = LOADER_TYPE;
	st16le(bp + HDR_VID_MODE, 0xffff);
	st32le(bp + HDR_CMD_LINE_PTR, cmdline);
	st32le(bp + HDR_RAMDISK_IMAGE, initrd);
	st32le(bp + HDR_RAMDISK_SIZE, s->initrd.size);
}

static void fill_zero_page(struct start *s, u8 *bp, u64 initrd)
{
	u64 above_1m = (s->info->ram_low >> 10) - 1024;

	st32le(bp + BP_EXT_RAMDISK_IMAGE, initrd >> 32);
	st32le(bp + BP_EXT_RAMDISK_SIZE, (u64)s->initrd.size >> 32);
	st64le(bp + BP_ACPI_RSDP, s->rsdp);
	if (s->info->vga)
		fill_screen_info(bp);
	st16le(bp + BP_EXT_MEM_K, MIN(above_1m, 0xfc00ull));
	st32le(bp + BP_ALT_MEM_K, above_1m);
	e820_store(&s->e820, bp + BP_E820_TABLE);
	bp[BP_E820_ENTRIES] = s->e820.n;
}

/* A setup header for a vmlinux that comes without one: the fields that the kernel itself reads. */
static void default_header(u8 *bp)
{
	st16le(bp + 0x1f2, 1); /* root_flags: mounted read-only first */
	st16le(bp + HDR_BOOT_FLAG, 0xaa55);
	memcpy(bp + HDR_MAGIC, "HdrS", 4);
	st16le(bp + HDR_VERSION, 0x20f);
	bp[HDR_LOADFLAGS] = LOADED_HIGH;
	st32le(bp + HDR_INITRD_ADDR_MAX, 0x7fffffff);
	st32le(bp + HDR_KERNEL_ALIGNMENT, PAGE_2M);
	bp[HDR_RELOCATABLE] = 1;
}

/* Identity mapping of the first 4 GiB in 2 MiB pages: kernel, boot_params, command line and tables
 * are all there. */
static int page_tables(struct start *s, struct error *e)
{
	enum { PRESENT_RW = 3, LARGE = 0x80, TABLES = 6 };
	AUTO_FREE u8 *t = xalloc(TABLES * 4096);
	u64 at;
	int err;

	if (!plan_find(s->plan, START_LOW, START_LOW_END, TABLES * 4096, 4096, false, &at))
		at = 0;
	st64le(t, at + 4096 + PRESENT_RW);
	for (unsigned i = 0; i < 4; i++)
		st64le(t + 4096 + 8 * i, at + (2 + i) * 4096 + PRESENT_RW);
	for (u64 i = 0; i < 4 * 512; i++)
		st64le(t + 2 * 4096 + 8 * i, i * PAGE_2M + LARGE + PRESENT_RW);
	err = plan_put(s->plan, "the boot page tables", START_LOW, START_LOW_END, 4096, t,
		       TABLES * 4096, &at, e);
	s->plan->entry.cr3 = at;
	return err;
}

/* boot_params and the CPU's state for the 64- or 32-bit protocol. bzImages bring their setup
 * header. */
static int enter(struct start *s, bool wide, u64 pc, bool kaslr, u64 cmdline, u64 initrd,
		 u64 code32, struct error *e)
{
	struct boot_entry *entry = &s->plan->entry;
	const struct kernel_image *k = s->kernel;
	const struct isa *isa = s->plan->m->isa;
	u8 bp[BP_SIZE] = { 0 };
	int err;

	if (wide && isa->boot_mode && !isa->boot_mode(s->plan->m->cpu[0], BOOT_X86_LONG64))
		return error_ret(e, -EINVAL,
				 "kernel file '%s' is a 64-bit kernel, but the CPU has no long "
				 "mode: use another -cpu",
				 k->path);
	if (k->kind == IMAGE_BZIMAGE)
		memcpy(bp + HDR_SETUP_SECTS, k->file.data + HDR_SETUP_SECTS,
		       k->bz.hdr_end - HDR_SETUP_SECTS);
	else
		default_header(bp);
	fill_header(s, bp, cmdline, initrd);
	fill_zero_page(s, bp, initrd);
	bp[HDR_LOADFLAGS] =
		(bp[HDR_LOADFLAGS] & ~(KASLR_FLAG | CAN_USE_HEAP)) | (kaslr ? KASLR_FLAG : 0);
	if (code32)
		st32le(bp + HDR_CODE32_START, code32);
	err = start_gdt(s, wide, e);
	if (!err)
		err = plan_put(s->plan, "boot_params", START_LOW, START_LOW_END, 4096, bp,
			       sizeof(bp), &entry->rsi, e);
	if (!err && wide)
		err = page_tables(s, e);
	entry->mode = wide ? BOOT_X86_LONG64 : BOOT_X86_PROT32;
	entry->pc = pc;
	s->plan->has_entry = true;
	return err;
}

/* ---- unpacked by the host */

static int choose_slide(struct start *s, const struct elf_image *elf, u64 need, u64 align,
			u64 *phys, u64 *virt)
{
	enum {
		SPACE = 1 << 30
	}; /* the kernel's virtual window (KERNEL_IMAGE_SIZE with randomisation) */
	u64 r[2], slots, at;

	machine_random(s->plan->m, r, sizeof(r));
	slots = s->top > elf->lo + need ? (s->top - elf->lo - need) / align + 1 : 1;
	if (!plan_find(s->plan, elf->lo + r[0] % slots * align, s->top, need, align, false, &at) &&
	    !plan_find(s->plan, elf->lo, s->top, need, align, false, &at))
		return -ERANGE;
	*phys = at - elf->lo;
	/* 64-bit kernels are linked from 0xffffffff80000000 + lo on; 32-bit ones run where they are
	 * loaded */
	slots = elf->lo + need < SPACE ? (SPACE - elf->lo - need) / align + 1 : 1;
	*virt = elf->is64 ? r[1] % slots * align : *phys;
	return 0;
}

int linux_start_elf(struct start *s, const struct elf_image *elf, const u8 *data, u64 size,
		    struct error *e)
{
	const struct kernel_image *k = s->kernel;
	bool bz = k->kind == IMAGE_BZIMAGE, kaslr = s->opt->kaslr;
	u64 align = bz && k->bz.alignment ? k->bz.alignment : PAGE_2M,
	    need = MAX(elf->hi - elf->lo, bz ? k->bz.init_size : 0);
	u64 initrd, cmdline, phys = 0, virt = 0;
	u64 initrd_max = bz ? k->bz.initrd_max : 0x7fffffff;
	bool above = bz ? k->bz.xloadflags & XLF_CAN_BE_LOADED_ABOVE_4G : elf->is64;
	int err = 0;

	if (elf->hi > BIT64(32))
		return error_ret(e, -ERANGE,
				 "kernel file '%s' wants to be loaded above 4 GiB, at %#llx",
				 k->path, (unsigned long long)elf->lo);
	if (data && !kaslr)
		err = start_elf_segments(s, elf, data, 0, need, e);
	if (!err)
		err = place_initrd(s, initrd_max, above, &initrd, e);
	if (!err && kaslr) {
		if (choose_slide(s, elf, need, align, &phys, &virt))
			return error_ret(e, -ERANGE,
					 "the kernel needs %llu MiB from %#llx on, but the machine "
					 "has %llu MiB: use a larger -m",
					 (unsigned long long)(need >> 20),
					 (unsigned long long)elf->lo,
					 (unsigned long long)(s->plan->m->ram_size >> 20));
		err = kaslr_relocate((u8 *)data, size, elf, virt, k->path, e);
		if (!err)
			err = start_elf_segments(s, elf, data, phys, need, e);
	}
	if (!err)
		err = start_cmdline(s, bz ? k->bz.cmdline_max : 2047, &cmdline, e);
	if (err)
		return err;
	os_set_slide(s->plan->m, virt);
	return enter(s, elf->is64, elf->entry + phys, kaslr, cmdline, initrd, 0, e);
}

static int start_unpacked(struct start *s, struct error *e)
{
	const struct kernel_image *k = s->kernel;
	struct elf_image elf;
	struct bytes image;
	int err = s->opt->kaslr ? 0 : linux_unpack_in_place(s, &elf, e);

	if (err)
		return err < 0 ? err : linux_start_elf(s, &elf, NULL, 0, e);
	err = payload_unpack(&image, k->file.data + k->bz.payload_at, k->bz.payload_size,
			     UNPACKED_MAX, k->path, e);
	if (err)
		return err;
	plan_own(s->plan, image.data);
	err = elf_parse(&elf, image.data, image.size, k->path, e);
	return err ? err : linux_start_elf(s, &elf, image.data, image.size, e);
}

/* ---- unpacked by the guest */

/* The protected-mode part and the memory that it will use; returns where it is. */
static int load_packed(struct start *s, u64 *at, struct error *e)
{
	const struct bzimage *b = &s->kernel->bz;
	const u8 *data = s->kernel->file.data + b->setup_size;

	*at = b->relocatable && b->init_size ? b->pref_address : 0x100000;
	return plan_add(s->plan, "the kernel", *at, MAX(b->kernel_size, b->init_size), data,
			b->kernel_size, e);
}

static int start_real_mode(struct start *s, u64 at, u64 initrd, struct error *e)
{
	enum { REAL = 0x10000, HEAP_END = 0xe000, TEXT = REAL + HEAP_END, TEXT_ROOM = 0x2000 };
	const struct kernel_image *k = s->kernel;
	size_t n = strlen(s->cmdline);
	u8 *setup;
	int err;

	if (k->bz.setup_size > HEAP_END - 0x1000)
		return error_ret(e, -EINVAL,
				 "kernel file '%s': its setup code of %u bytes is too large for "
				 "real mode",
				 k->path, k->bz.setup_size);
	if (n > MIN(k->bz.cmdline_max, (u32)TEXT_ROOM - 1))
		return error_ret(e, -E2BIG,
				 "the -append text has %zu characters, but this kernel takes at "
				 "most %u",
				 n, k->bz.cmdline_max);
	setup = plan_own(s->plan, xmemdup(k->file.data, k->bz.setup_size));
	fill_header(s, setup, TEXT, initrd);
	setup[HDR_LOADFLAGS] |= CAN_USE_HEAP;
	st16le(setup + HDR_HEAP_END_PTR, HEAP_END - 0x200);
	st32le(setup + HDR_CODE32_START, at);
	err = plan_add(s->plan, "the kernel's setup code", REAL, HEAP_END, setup, k->bz.setup_size,
		       e);
	if (!err)
		err = plan_add(s->plan, "the kernel command line", TEXT, n + 1,
			       plan_own(s->plan, xstrdup(s->cmdline)), n + 1, e);
	s->plan->entry = (struct boot_entry){
		.mode = BOOT_X86_REAL16, .cs = (REAL + 0x200) >> 4, .ds = REAL >> 4, .rsp = HEAP_END
	};
	s->plan->has_entry = true;
	return err;
}

static int start_packed(struct start *s, struct error *e)
{
	const struct bzimage *b = &s->kernel->bz;
	bool has64 = b->xloadflags & XLF_KERNEL_64;
	enum boot_decompress how = s->opt->decompress;
	u64 at, initrd, cmdline;
	int err;

	if (how == DECOMPRESS_GUEST64 && !has64)
		return error_ret(e, -EINVAL,
				 "kernel file '%s' has no 64-bit entry point; use "
				 "kernel-decompress=guest32 or guest16",
				 s->kernel->path);
	err = load_packed(s, &at, e);
	if (!err)
		err = place_initrd(s, b->initrd_max, false, &initrd, e);
	if (err)
		return err;
	if (how == DECOMPRESS_GUEST16)
		return start_real_mode(s, at, initrd, e);
	err = start_cmdline(s, b->cmdline_max, &cmdline, e);
	if (err)
		return err;
	if (how != DECOMPRESS_GUEST32 && has64)
		return enter(s, true, at + 0x200, false, cmdline, initrd, at, e);
	return enter(s, false, at, false, cmdline, initrd, at, e);
}

int linux_start(struct start *s, struct error *e)
{
	const struct bzimage *b = &s->kernel->bz;

	if (s->opt->kaslr && (s->opt->decompress != DECOMPRESS_HOST || !b->payload_size))
		return error_ret(e, -EINVAL,
				 "kaslr=on needs kernel-decompress=host; a kernel that unpacks "
				 "itself chooses its own address");
	/* Protocols before 2.08 do not tell where the payload is. */
	if (s->opt->decompress == DECOMPRESS_HOST && b->payload_size)
		return start_unpacked(s, e);
	return start_packed(s, e);
}
