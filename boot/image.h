/* SPDX-License-Identifier: GPL-2.0-or-later */
/* image.h - kernel files: which format one is, and what its headers say, checked against the file's
 * size. */
#pragma once
#include <quern/types.h>
#include "lib/bytes.h"
#include "lib/error.h"
#include "elf.h"

enum image_kind { IMAGE_BZIMAGE, IMAGE_ELF, IMAGE_MULTIBOOT };

/* Offsets of setup_header fields in the file and in boot_params (Documentation/arch/x86/boot.rst,
 * "The Real-Mode Kernel Header"). */
enum {
	HDR_SETUP_SECTS = 0x1f1,
	HDR_VID_MODE = 0x1fa,
	HDR_BOOT_FLAG = 0x1fe,
	HDR_JUMP = 0x200,
	HDR_MAGIC = 0x202,
	HDR_VERSION = 0x206,
	HDR_TYPE_OF_LOADER = 0x210,
	HDR_LOADFLAGS = 0x211,
	HDR_CODE32_START = 0x214,
	HDR_RAMDISK_IMAGE = 0x218,
	HDR_RAMDISK_SIZE = 0x21c,
	HDR_HEAP_END_PTR = 0x224,
	HDR_CMD_LINE_PTR = 0x228,
	HDR_INITRD_ADDR_MAX = 0x22c,
	HDR_KERNEL_ALIGNMENT = 0x230,
	HDR_RELOCATABLE = 0x234,
	HDR_MIN_ALIGNMENT = 0x235,
	HDR_XLOADFLAGS = 0x236,
	HDR_CMDLINE_SIZE = 0x238,
	HDR_PAYLOAD_OFFSET = 0x248,
	HDR_PAYLOAD_LENGTH = 0x24c,
	HDR_SETUP_DATA = 0x250,
	HDR_PREF_ADDRESS = 0x258,
	HDR_INIT_SIZE = 0x260,
	HDR_HANDOVER = 0x264,
	HDR_KERNEL_INFO = 0x268,
	HDR_END_MAX = 0x290,
};
enum { LOADED_HIGH = BIT(0), KASLR_FLAG = BIT(1), KEEP_SEGMENTS = BIT(6), CAN_USE_HEAP = BIT(7) };
enum { XLF_KERNEL_64 = BIT(0), XLF_CAN_BE_LOADED_ABOVE_4G = BIT(1) };

struct bzimage {
	u16 version; /* of the boot protocol, 0x020f = 2.15 */
	u8 loadflags;
	u16 xloadflags;
	u32 setup_size;	 /* bytes of real-mode code, boot sector included */
	u64 kernel_size; /* bytes of protected-mode code after it */
	u32 code32_start;
	u64 payload_at, payload_size;		/* in the file; size 0 = the header tells none */
	u32 hdr_end;				/* end of the setup header in the file */
	u32 initrd_max;				/* highest address of an initrd's last byte */
	u32 cmdline_max;			/* characters, without the NUL */
	u64 pref_address, init_size, alignment; /* init_size 0 = not told */
	bool relocatable;
};

struct multiboot {
	u32 flags, at;	/* at: of the header in the file */
	bool addresses; /* the address fields are valid; else the file is ELF */
	u32 header_addr, load_addr, load_end, bss_end, entry;
	u64 file_at, file_size; /* what goes to load_addr */
};

struct kernel_image {
	enum image_kind kind;
	char *path;
	struct bytes file;
	struct bzimage bz;
	struct elf_image elf; /* IMAGE_ELF, and IMAGE_MULTIBOOT without addresses */
	struct multiboot mb;
};

/* Reads and recognises a kernel file. image_fini in any case. */
int image_open(struct kernel_image *k, const char *path, struct error *e) must_check;
/* The same from memory: data is malloc'ed and then owned by k. */
int image_parse(struct kernel_image *k, u8 *data, size_t size, const char *path,
		struct error *e) must_check;
void image_fini(struct kernel_image *k);
