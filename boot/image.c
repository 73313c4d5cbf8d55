/* SPDX-License-Identifier: GPL-2.0-or-later */
/* image.c - recognises kernel files: bzImage (Documentation/arch/x86/boot.rst), ELF (elf.c),
 * multiboot (Multiboot Specification 0.6.96, section 3.1). Every number of the file is taken for
 * hostile. */
#include "image.h"
#include "lib/alloc.h"
#include <errno.h>

enum { KERNEL_LIMIT = 0x7fffffff, SECTOR = 512 };
enum {
	MB_MAGIC = 0x1badb002,
	MB_SEARCH = 8192,
	MB_KNOWN = BIT(0) | BIT(1) | BIT(2),
	MB_ADDRESSES = BIT(16)
};

static bool is_bzimage(const u8 *d, u64 size)
{
	return size >= HDR_VERSION + 2 && !memcmp(d + HDR_MAGIC, "HdrS", 4) &&
	       ld16le(d + HDR_BOOT_FLAG) == 0xaa55;
}

/* Fields that the protocol version has, and what holds where it does not. */
static void read_fields(struct bzimage *b, const u8 *d)
{
	u16 v = b->version;

	b->loadflags = d[HDR_LOADFLAGS];
	b->code32_start = ld32le(d + HDR_CODE32_START);
	b->initrd_max = v >= 0x203 ? ld32le(d + HDR_INITRD_ADDR_MAX) : 0x37ffffff;
	b->cmdline_max = v >= 0x206 ? ld32le(d + HDR_CMDLINE_SIZE) : 255;
	b->alignment = v >= 0x205 ? ld32le(d + HDR_KERNEL_ALIGNMENT) : 0;
	b->relocatable = v >= 0x205 && d[HDR_RELOCATABLE];
	b->pref_address = v >= 0x20a ? ld64le(d + HDR_PREF_ADDRESS) : 0x100000;
	b->init_size = v >= 0x20a ? ld32le(d + HDR_INIT_SIZE) : 0;
	b->xloadflags = v >= 0x20c ? ld16le(d + HDR_XLOADFLAGS) : 0;
}

static int parse_bzimage(struct kernel_image *k, struct error *e)
{
	struct bzimage *b = &k->bz;
	const u8 *d = k->file.data;
	u64 size = k->file.size;
	u32 sects = d[HDR_SETUP_SECTS] ?: 4;

	b->version = ld16le(d + HDR_VERSION);
	if (b->version < 0x200)
		return error_ret(e, -EINVAL,
				 "kernel file '%s': boot protocol %u.%02u is too old, 2.00 is the "
				 "first one supported",
				 k->path, b->version >> 8, b->version & 255);
	b->setup_size = (sects + 1) * SECTOR;
	/* The jump at 0x200 skips the header: its target is the header's end. */
	b->hdr_end = MIN(0x202u + d[HDR_JUMP + 1], (u32)HDR_END_MAX);
	if (size < b->setup_size || size < HDR_END_MAX)
		return error_ret(e, -EINVAL,
				 "kernel file '%s' is truncated: %llu bytes, but its setup code "
				 "alone has %u",
				 k->path, (unsigned long long)size, b->setup_size);
	b->kernel_size = size - b->setup_size;
	read_fields(b, d);
	if (!(b->loadflags & LOADED_HIGH))
		return error_ret(e, -EINVAL,
				 "kernel file '%s' is a zImage that must be loaded below 640 KiB; "
				 "only bzImages are supported",
				 k->path);
	if (b->alignment & (b->alignment - 1))
		return error_ret(e, -EINVAL,
				 "kernel file '%s': kernel_alignment %#llx is no power of two",
				 k->path, (unsigned long long)b->alignment);
	if (!b->kernel_size)
		return error_ret(e, -EINVAL,
				 "kernel file '%s' is truncated: it ends after the setup code",
				 k->path);
	if (b->version >= 0x208) {
		u64 at = ld32le(d + HDR_PAYLOAD_OFFSET), n = ld32le(d + HDR_PAYLOAD_LENGTH);

		if (n && !range_fits(at, n, b->kernel_size))
			return error_ret(e, -EINVAL,
					 "kernel file '%s' is truncated: its payload of %llu bytes "
					 "passes the file's end",
					 k->path, (unsigned long long)n);
		b->payload_at = b->setup_size + at;
		b->payload_size = n;
	}
	return 0;
}

/* 3.1.3: the file holds load_addr at header offset - (header_addr - load_addr). */
static int parse_addresses(struct kernel_image *k, struct error *e)
{
	struct multiboot *mb = &k->mb;
	const u8 *h = k->file.data + mb->at;
	u64 size = k->file.size, back;

	mb->header_addr = ld32le(h + 12);
	mb->load_addr = ld32le(h + 16);
	mb->load_end = ld32le(h + 20);
	mb->bss_end = ld32le(h + 24);
	mb->entry = ld32le(h + 28);
	back = (u64)mb->header_addr - mb->load_addr;
	if (mb->header_addr < mb->load_addr || back > mb->at)
		return error_ret(e, -EINVAL,
				 "kernel file '%s': invalid multiboot addresses: header_addr %#x, "
				 "load_addr %#x",
				 k->path, mb->header_addr, mb->load_addr);
	mb->file_at = mb->at - back;
	mb->file_size = size - mb->file_at;
	if (mb->load_end) {
		if (mb->load_end < mb->load_addr)
			return error_ret(e, -EINVAL,
					 "kernel file '%s': invalid multiboot load_end_addr %#x, "
					 "below load_addr %#x",
					 k->path, mb->load_end, mb->load_addr);
		mb->file_size = mb->load_end - mb->load_addr;
	}
	if (!range_fits(mb->file_at, mb->file_size, size))
		return error_ret(e, -EINVAL,
				 "kernel file '%s' is truncated: %#llx bytes to load, %#llx there",
				 k->path, (unsigned long long)mb->file_size,
				 (unsigned long long)(size - mb->file_at));
	if (mb->bss_end && mb->bss_end < mb->load_addr + mb->file_size)
		return error_ret(e, -EINVAL,
				 "kernel file '%s': invalid multiboot bss_end_addr %#x, inside "
				 "what is loaded",
				 k->path, mb->bss_end);
	return 0;
}

/* 1 = it is one, 0 = it is not, or -errno. */
static int parse_multiboot(struct kernel_image *k, struct error *e)
{
	const u8 *d = k->file.data;
	u64 size = k->file.size;
	struct multiboot *mb = &k->mb;
	int err;

	for (u32 at = 0; at < MB_SEARCH && range_fits(at, 12, MIN(size, (u64)MB_SEARCH)); at += 4) {
		u32 flags = ld32le(d + at + 4);

		if (ld32le(d + at) != MB_MAGIC || ld32le(d + at) + flags + ld32le(d + at + 8) != 0)
			continue;
		mb->at = at;
		mb->flags = flags;
		if (flags & 0xffff & ~MB_KNOWN)
			return error_ret(e, -EINVAL,
					 "kernel file '%s': multiboot header requires unknown "
					 "features (flags %#x)",
					 k->path, flags);
		mb->addresses = flags & MB_ADDRESSES;
		if (mb->addresses) {
			if (!range_fits(at, 32, size))
				return error_ret(e, -EINVAL,
						 "kernel file '%s' is truncated inside the "
						 "multiboot header",
						 k->path);
			err = parse_addresses(k, e);
			return err ? err : 1;
		}
		err = elf_parse(&k->elf, d, size, k->path, e);
		if (!err && k->elf.is64)
			err = error_ret(e, -EINVAL,
					"kernel file '%s': cannot load x86-64 image, give a 32bit "
					"one (multiboot)",
					k->path);
		return err ? err : 1;
	}
	return 0;
}

int image_parse(struct kernel_image *k, u8 *data, size_t size, const char *path, struct error *e)
{
	int err;

	*k = (struct kernel_image){ .path = xstrdup(path), .file = { data, size } };
	if (is_bzimage(data, size)) {
		k->kind = IMAGE_BZIMAGE;
		return parse_bzimage(k, e);
	}
	err = parse_multiboot(k, e);
	if (err < 0)
		return err;
	if (err) {
		k->kind = IMAGE_MULTIBOOT;
		return 0;
	}
	if (elf_is(data, size)) {
		k->kind = IMAGE_ELF;
		return elf_parse(&k->elf, data, size, path, e);
	}
	if (!size)
		return error_ret(e, -EINVAL, "could not load kernel '%s': the file is empty", path);
	return error_ret(e, -EINVAL,
			 "could not load kernel '%s': it is neither a bzImage nor an ELF nor a "
			 "multiboot kernel",
			 path);
}

int image_open(struct kernel_image *k, const char *path, struct error *e)
{
	struct bytes file = { 0 };
	struct error why = { 0 };
	int err = bytes_read_file(&file, path, KERNEL_LIMIT, &why);

	*k = (struct kernel_image){ 0 };
	if (err) {
		if (err == -EFBIG)
			error_set(e, "could not load kernel '%s': it is larger than 2 GiB", path);
		else
			error_set(e, "could not open kernel file '%s': %s", path, strerror(-err));
		error_clear(&why);
		return err;
	}
	return image_parse(k, file.data, file.size, path, e);
}

void image_fini(struct kernel_image *k)
{
	free(k->path);
	bytes_fini(&k->file);
	*k = (struct kernel_image){ 0 };
}
