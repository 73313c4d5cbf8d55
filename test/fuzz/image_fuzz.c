/* SPDX-License-Identifier: GPL-2.0-or-later */
/* image_fuzz.c - fuzzes what reads kernel files: recognition, the ELF reader, the seven unpackers,
 * relocation. Run by make fuzz-image. */
#include "boot/decompress.h"
#include "boot/linux.h"

enum { LIMIT = 1 << 22 };

static void elf(u8 *data, size_t size)
{
	struct elf_image elf;
	struct error e = { 0 };
	u64 pa;

	if (!elf_parse(&elf, data, size, "fuzz", &e)) {
		elf_vaddr_to_paddr(&elf, 0xffffffff81000000, &pa);
		if (kaslr_relocate(data, size, &elf, 0x200000, "fuzz", &e))
			error_clear(&e);
	}
	error_clear(&e);
}

static void unpack(const u8 *data, size_t size)
{
	struct bytes out;
	struct error e = { 0 };

	if (!payload_unpack(&out, data, size, LIMIT, "fuzz", &e))
		elf(out.data, out.size);
	bytes_fini(&out);
	error_clear(&e);
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);
int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	struct kernel_image k;
	struct error e = { 0 };

	if (!image_parse(&k, xmemdup(data, size), size, "fuzz", &e) && k.kind == IMAGE_BZIMAGE)
		unpack(k.file.data + k.bz.payload_at, k.bz.payload_size);
	image_fini(&k);
	error_clear(&e);
	/* and the inner formats without the outer one */
	unpack(data, size);
	AUTO_FREE u8 *copy = xmemdup(data, size);
	elf(copy, size);
	return 0;
}
