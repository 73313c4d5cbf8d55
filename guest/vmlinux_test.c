/* SPDX-License-Identifier: GPL-2.0-or-later */
/* vmlinux_test.c - an ELF file made here is read; damaged ones are refused or read, and nothing
 * else. */
#include "guest/vmlinux.h"
#include "lib/alloc.h"
#include "lib/bytes.h"
#include "lib/hash.h"
#include "lib/test.h"
#include <stdio.h>
#include <unistd.h>

#define TEXT 0xffffffff81000000ull
enum { NAMES = 64, RODATA = 192, NOTE = 320, STRINGS = 384, SYMS = 448, BTF = 576, SECTIONS = 640 };
enum { COUNT = 7, SIZE = SECTIONS + COUNT * 64 };

static u8 file[SIZE];
static char path[64];

static void section(unsigned i, u32 name, u32 type, u64 addr, u64 off, u64 size, u32 link)
{
	u8 *h = file + SECTIONS + i * 64;

	st32le(h, name), st32le(h + 4, type), st64le(h + 16, addr);
	st64le(h + 24, off), st64le(h + 32, size), st32le(h + 40, link);
}

static void symbol(unsigned i, u32 name, u8 info, u16 index, u64 value)
{
	u8 *p = file + SYMS + i * 24;

	st32le(p, name), p[4] = info, st16le(p + 6, index), st64le(p + 8, value);
}

static void make(void)
{
	static const char names[] = "\0.shstrtab\0.rodata\0.note\0.strtab\0.symtab\0.BTF";
	static const char strings[] = "\0linux_banner\0start_kernel\0elsewhere";

	memset(file, 0, sizeof(file));
	memcpy(file, "\177ELF\2\1\1", 7);
	st64le(file + 40, SECTIONS), st16le(file + 60, COUNT), st16le(file + 62, 1);
	memcpy(file + NAMES, names, sizeof(names));
	strcpy((char *)file + RODATA + 16, "Linux version 6.0-test (a@b)\n");
	st32le(file + NOTE, 4), st32le(file + NOTE + 4, 20), st32le(file + NOTE + 8, 3);
	memcpy(file + NOTE + 12, "GNU", 4);
	memset(file + NOTE + 16, 0xa5, 20);
	memcpy(file + STRINGS, strings, sizeof(strings));
	symbol(1, 1, 0x11, 2, TEXT + 0x1010);
	symbol(2, 14, 0x02, 2, TEXT + 0x80);
	symbol(3, 27, 0x12, 0, TEXT + 0x90);
	strcpy((char *)file + BTF, "types");
	section(1, 1, 3, 0, NAMES, sizeof(names), 0);
	section(2, 11, 1, TEXT + 0x1000, RODATA, 100, 0);
	section(3, 19, 7, 0, NOTE, 36, 0);
	section(4, 25, 3, 0, STRINGS, sizeof(strings), 0);
	section(5, 33, 2, 0, SYMS, 4 * 24, 4);
	section(6, 41, 1, 0, BTF, 5, 0);
}

static int read_it(struct vmlinux *v, size_t size, struct error *e)
{
	struct bytes b = { file, size };

	snprintf(path, sizeof(path), "/tmp/quern-vmlinux-test.%d", (int)getpid());
	CHECK_EQ(bytes_write_file(&b, path, e), 0);
	int err = vmlinux_read(v, path, e);

	unlink(path);
	return err;
}

TEST(vmlinux_reads)
{
	struct error e = { 0 };
	struct vmlinux v;

	make();
	CHECK_EQ(read_it(&v, SIZE, &e), 0);
	CHECK_EQ(v.syms.n, 2);
	CHECK_EQ(ksyms_by_name(&v.syms, "start_kernel")->addr, TEXT + 0x80);
	CHECK_EQ(ksyms_by_name(&v.syms, "start_kernel")->type, 't');
	CHECK_EQ(ksyms_by_name(&v.syms, "linux_banner")->type, 'D');
	CHECK_STR(v.banner, "Linux version 6.0-test (a@b)\n");
	CHECK_STR(v.build_id, "a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5");
	CHECK_EQ(v.btf_size, 5);
	CHECK_MEM(v.btf, "types", 5);
	vmlinux_fini(&v);
}

TEST(vmlinux_refuses)
{
	struct error e = { 0 };
	struct vmlinux v;

	make();
	memcpy(file + RODATA + 16, "GNU", 3);
	CHECK(read_it(&v, SIZE, &e) < 0);
	CHECK(strstr(e.text, "is no Linux kernel"));
	error_clear(&e);
	make();
	file[4] = 1;
	CHECK(read_it(&v, SIZE, &e) < 0);
	CHECK(strstr(e.text, "is no 64-bit"));
	error_clear(&e);
	CHECK(vmlinux_read(&v, "/nonexistent", &e) < 0);
	error_clear(&e);
	CHECK(vmlinux_read(&v, "/dev/null", &e) < 0);
	error_clear(&e);
}

TEST(vmlinux_garbage)
{
	for (u64 round = 0; round < 2000; round++) {
		u64 r = hash_u64(round);
		struct error e = { 0 };
		struct vmlinux v;

		make();
		for (unsigned i = 0; i <= round % 6; i++, r = hash_u64(r))
			file[r % SIZE] = r >> 40;
		if (!read_it(&v, round % 4 ? SIZE : r % SIZE + 1, &e)) {
			CHECK(v.syms.n <= 3);
			vmlinux_fini(&v);
		}
		error_clear(&e);
	}
}
