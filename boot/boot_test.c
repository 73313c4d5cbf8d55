/* SPDX-License-Identifier: GPL-2.0-or-later */
/* boot_test.c - kernels of every kind are placed where their protocol says, the first CPU is
 * entered as it says, and a reset restores it all. */
#include "boot.h"
#include "image.h"
#include "plan.h"
#include "test_images.h"
#include "test_machine.h"
#include <zlib.h>

enum { MIB = 1 << 20 };

/* A payload as the kernel's build makes it: gzip of an ELF, its size last (gzip's own trailer). */
static struct bytes pack(struct bytes elf)
{
	struct bytes out;
	u8 *packed = xalloc(0x8000);
	z_stream z = {
		.next_in = elf.data, .avail_in = elf.size, .next_out = packed, .avail_out = 0x8000
	};

	CHECK_EQ(deflateInit2(&z, 9, Z_DEFLATED, 31, 8, 0), Z_OK);
	CHECK_EQ(deflate(&z, Z_FINISH), Z_STREAM_END);
	deflateEnd(&z);
	out = test_bzimage(packed, z.total_out);
	free(packed);
	bytes_fini(&elf);
	return out;
}

static struct bytes packed_bzimage(bool is64, u64 paddr)
{
	return pack(test_elf(is64, paddr, false));
}

static int prepare(struct test_machine *t, const struct bytes *kernel, struct error *e)
{
	int err;

	free(t->path);
	t->opt.kernel = t->path = test_file(kernel);
	err = boot_prepare(t->m, &t->opt, e);
	unlink(t->path);
	return err;
}

static void prepared(struct test_machine *t, const struct bytes *kernel)
{
	struct error e = { 0 };

	if (prepare(t, kernel, &e))
		test_fail(__FILE__, __LINE__, "%s", e.text);
	plan_place(t->opt.plan);
}

static void not_prepared(struct test_machine *t, const struct bytes *kernel, const char *part)
{
	struct error e = { 0 };

	CHECK(prepare(t, kernel, &e) < 0);
	CHECK(e.text && !strchr(e.text, '\n'));
	if (!strstr(e.text, part))
		test_fail(__FILE__, __LINE__, "'%s' lacks '%s'", e.text, part);
	error_clear(&e);
}

static void check_segments(struct test_machine *t, u64 paddr)
{
	for (unsigned i = 0; i < 0x1000; i++)
		CHECK_EQ(*test_ram(t, paddr + i), (u8)(i * 7));
	CHECK_EQ(*test_ram(t, paddr + 0x20ff), 0x5a);
	CHECK_EQ(*test_ram(t, paddr + 0x2100), 0);
}

TEST(boot_bzimage_64)
{
	struct bytes k = packed_bzimage(true, 0x1000000);
	AUTO_MACHINE struct test_machine t = { 0 };
	struct boot_entry *n = &test_entry[0];
	u64 bp, initrd, pml4, pdpt, pd;
	bool found = false;

	test_machine_init(&t, 128 * MIB, 0, acpi_test_pc);
	t.opt.append = "console=ttyS0 quiet";
	t.opt.initrd_data = (struct bytes){ xmemdup("initrd bytes", 12), 12 };
	prepared(&t, &k);
	check_segments(&t, 0x1000000);
	CHECK_EQ(n->mode, BOOT_X86_LONG64);
	CHECK_EQ(n->pc, 0x1000010);
	CHECK_EQ(n->uncached, 0x80000000);
	CHECK_EQ(test_entry[1].mode, BOOT_X86_OTHER);
	CHECK_EQ(test_entry[1].uncached, 0x80000000);

	bp = n->rsi;
	CHECK_MEM(test_ram(&t, bp + HDR_MAGIC), "HdrS", 4);
	CHECK(*test_ram(&t, bp + HDR_TYPE_OF_LOADER));
	CHECK_EQ(*test_ram(&t, bp + 0x1ef), 0);
	CHECK_STR((char *)test_ram(&t, ld32le(test_ram(&t, bp + HDR_CMD_LINE_PTR))),
		  "console=ttyS0 quiet");
	initrd = ld32le(test_ram(&t, bp + HDR_RAMDISK_IMAGE));
	CHECK_EQ(ld32le(test_ram(&t, bp + HDR_RAMDISK_SIZE)), 12);
	CHECK_EQ(initrd & 4095, 0);
	CHECK_MEM(test_ram(&t, initrd), "initrd bytes", 12);
	CHECK_MEM(test_ram(&t, ld64le(test_ram(&t, bp + 0x70))), "RSD PTR ", 8);
	/* the memory map: sorted, without overlap, and the initrd lies in RAM of it */
	for (unsigned i = 0; i < *test_ram(&t, bp + 0x1e8); i++) {
		u8 *x = test_ram(&t, bp + 0x2d0 + 20 * i);
		u64 base = ld64le(x), size = ld64le(x + 8);

		if (i)
			CHECK(base >= ld64le(x - 20) + ld64le(x - 12));
		found |= ld32le(x + 16) == 1 && initrd >= base && initrd + 12 <= base + size;
	}
	CHECK(found);
	/* descriptors and the identity mapping */
	CHECK_EQ(ld64le(test_ram(&t, n->gdt_base + n->cs)) >> 40 & 0xffff, 0xaf9b);
	CHECK_EQ(ld64le(test_ram(&t, n->gdt_base + n->ds)) >> 40 & 0xffff, 0xcf93);
	pml4 = n->cr3;
	pdpt = ld64le(test_ram(&t, pml4)) & ~0xfffull;
	pd = ld64le(test_ram(&t, pdpt + 3 * 8)) & ~0xfffull;
	CHECK_EQ(ld64le(test_ram(&t, pd + 511 * 8)), 0xffe00083);

	/* the guest overwrites everything; a reset brings it back */
	memset(test_ram(&t, 0x1000000), 0xcc, 0x6000);
	memset(test_ram(&t, initrd), 0, 12);
	memset(test_ram(&t, bp), 0, 4096);
	plan_place(t.opt.plan);
	check_segments(&t, 0x1000000);
	CHECK_MEM(test_ram(&t, initrd), "initrd bytes", 12);
	CHECK_MEM(test_ram(&t, bp + HDR_MAGIC), "HdrS", 4);
	bytes_fini(&k);
}

TEST(boot_bzimage_32)
{
	struct bytes k = packed_bzimage(false, 0x1000000);
	AUTO_MACHINE struct test_machine t = { 0 };

	test_machine_init(&t, 64 * MIB, 0, acpi_test_q35);
	prepared(&t, &k);
	check_segments(&t, 0x1000000);
	CHECK_EQ(test_entry[0].mode, BOOT_X86_PROT32);
	CHECK_EQ(test_entry[0].pc, 0x1000010);
	CHECK_EQ(ld64le(test_ram(&t, test_entry[0].gdt_base + 0x10)) >> 40 & 0xffff, 0xcf9b);
	bytes_fini(&k);
}

/* Segments as the kernel's linker places them in the file: unpacked where they run, and nothing of
 * the file is left between them. */
TEST(boot_unpacks_in_place)
{
	for (unsigned is64 = 0; is64 < 2; is64++) {
		struct bytes k =
			pack(test_elf_at(is64, 0x1000000, false, is64 ? 0x200000 : 0x1000));
		AUTO_MACHINE struct test_machine t = { 0 };
		u64 end = 0x1000000 + 0x100000;

		if (!is64)
			st16le(k.data + HDR_XLOADFLAGS, 0);
		test_machine_init(&t, 64 * MIB, 0, acpi_test_pc);
		for (unsigned again = 0; again < 2; again++) {
			if (!again)
				prepared(&t, &k);
			else
				memset(test_ram(&t, 0x1000000), 0xcc, 0x100000);
			if (again)
				plan_place(t.opt.plan);
			CHECK(t.opt.plan->fill);
			check_segments(&t, 0x1000000);
			for (u64 at = 0x1002100; at < end; at++)
				CHECK_EQ(*test_ram(&t, at), 0);
			CHECK_EQ(*test_ram(&t, 0x1001000), 0);
			CHECK_EQ(*test_ram(&t, 0x1000000 - (is64 ? 0x200000 : 0x1000)), 0);
		}
		CHECK_EQ(test_entry[0].pc, 0x1000010);
		bytes_fini(&k);
	}
}

TEST(boot_guest_decompression)
{
	static const struct {
		enum boot_decompress how;
		enum boot_mode mode;
		u64 pc;
	} ways[] = {
		{ DECOMPRESS_GUEST, BOOT_X86_LONG64, 0x1000200 },
		{ DECOMPRESS_GUEST64, BOOT_X86_LONG64, 0x1000200 },
		{ DECOMPRESS_GUEST32, BOOT_X86_PROT32, 0x1000000 },
		{ DECOMPRESS_GUEST16, BOOT_X86_REAL16, 0 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(ways); i++) {
		struct bytes k = packed_bzimage(true, 0x1000000);
		AUTO_MACHINE struct test_machine t = { 0 };

		test_machine_init(&t, 64 * MIB, 0, acpi_test_pc);
		t.opt.decompress = ways[i].how;
		t.opt.append = "hello";
		prepared(&t, &k);
		CHECK_EQ(test_entry[0].mode, ways[i].mode);
		CHECK_EQ(test_entry[0].pc, ways[i].pc);
		CHECK_MEM(test_ram(&t, 0x1000000), k.data + 1024, k.size - 1024);
		if (ways[i].mode == BOOT_X86_REAL16) {
			u64 base = (u64)test_entry[0].ds << 4;

			CHECK_EQ(test_entry[0].cs, test_entry[0].ds + 0x20);
			CHECK_MEM(test_ram(&t, base + HDR_MAGIC), "HdrS", 4);
			CHECK_EQ(ld32le(test_ram(&t, base + HDR_CODE32_START)), 0x1000000);
			CHECK_STR((char *)test_ram(&t,
						   ld32le(test_ram(&t, base + HDR_CMD_LINE_PTR))),
				  "hello");
			CHECK_EQ(ld16le(test_ram(&t, 4 * 0x15 + 2)), 0xf000);
		}
		bytes_fini(&k);
	}
}

TEST(boot_pvh)
{
	struct bytes k = test_elf(true, 0x200000, true);
	AUTO_MACHINE struct test_machine t = { 0 };
	u8 *info, *mod;

	test_machine_init(&t, 64 * MIB, 0, acpi_test_pc);
	t.opt.append = "a b";
	t.opt.initrd_data = (struct bytes){ xmemdup("module", 6), 6 };
	prepared(&t, &k);
	check_segments(&t, 0x200000);
	CHECK_EQ(test_entry[0].mode, BOOT_X86_PROT32);
	CHECK_EQ(test_entry[0].pc, 0x200020);
	CHECK_EQ(test_entry[0].tr, 0x20);
	info = test_ram(&t, test_entry[0].rbx);
	CHECK_EQ(ld32le(info), 0x336ec578);
	CHECK_EQ(ld32le(info + 4), 1);
	CHECK_EQ(ld32le(info + 12), 1);
	mod = test_ram(&t, ld64le(info + 16));
	CHECK_MEM(test_ram(&t, ld64le(mod)), "module", 6);
	CHECK_EQ(ld64le(mod + 8), 6);
	CHECK_STR((char *)test_ram(&t, ld64le(info + 24)), "a b");
	CHECK_MEM(test_ram(&t, ld64le(info + 32)), "RSD PTR ", 8);
	CHECK(ld32le(info + 48) >= 4);
	bytes_fini(&k);
}

TEST(boot_vmlinux_without_pvh)
{
	struct bytes k = test_elf(true, 0x1000000, false);
	AUTO_MACHINE struct test_machine t = { 0 };

	test_machine_init(&t, 64 * MIB, 0, acpi_test_pc);
	prepared(&t, &k);
	CHECK_EQ(test_entry[0].mode, BOOT_X86_LONG64);
	CHECK_EQ(test_entry[0].pc, 0x1000010);
	CHECK_MEM(test_ram(&t, test_entry[0].rsi + HDR_MAGIC), "HdrS", 4);
	bytes_fini(&k);
}

TEST(boot_multiboot_with_modules)
{
	struct bytes k = test_multiboot(0x100000, 0x10003), one = { (u8 *)"one", 3 },
		     two = { (u8 *)"two!", 4 };
	AUTO_FREE char *f1 = test_file(&one), *f2 = test_file(&two),
		       *initrd = xasprintf("%s a,,b c,%s", f1, f2);
	AUTO_FREE char *text1 = xasprintf("%s a,b c", f1), *line = NULL;
	AUTO_MACHINE struct test_machine t = { 0 };
	u8 *info, *mods;

	test_machine_init(&t, 64 * MIB, 0, acpi_test_pc);
	t.opt.initrd = initrd;
	t.opt.append = "x=y";
	prepared(&t, &k);
	unlink(f1);
	unlink(f2);
	CHECK_EQ(test_entry[0].mode, BOOT_X86_PROT32);
	CHECK_EQ(test_entry[0].pc, 0x100080);
	CHECK_EQ(test_entry[0].rax, 0x2badb002);
	CHECK_EQ(*test_ram(&t, 0x100080), 0xf4);
	info = test_ram(&t, test_entry[0].rbx);
	line = xasprintf("%s x=y", t.opt.kernel);
	CHECK_STR((char *)test_ram(&t, ld32le(info + 16)), line);
	CHECK_EQ(ld32le(info + 20), 2);
	mods = test_ram(&t, ld32le(info + 24));
	CHECK_EQ(ld32le(mods) & 4095, 0);
	CHECK(ld32le(mods) >= 0x102000);
	CHECK_EQ(ld32le(mods + 4) - ld32le(mods), 3);
	CHECK_MEM(test_ram(&t, ld32le(mods)), "one", 3);
	CHECK_STR((char *)test_ram(&t, ld32le(mods + 8)), text1);
	CHECK_MEM(test_ram(&t, ld32le(mods + 16)), "two!", 4);
	bytes_fini(&k);
}

TEST(boot_refuses)
{
	struct bytes k = packed_bzimage(true, 0x1000000), high = test_elf(true, 0xfee00000, true),
		     low = test_elf(true, 0xffff8000000, false);
	AUTO_MACHINE struct test_machine t = { 0 };
	struct error e = { 0 };
	struct boot_options o = { .append = "x" };

	test_machine_init(&t, 16 * MIB, 0, acpi_test_pc);
	not_prepared(&t, &k, "use a larger -m");
	test_machine_init(&t, 64 * MIB, 0, acpi_test_pc);
	t.opt.initrd_data = (struct bytes){ calloc(1, 60 * MIB), 60 * MIB };
	not_prepared(&t, &k, "initrd is too large");
	test_machine_init(&t, 64 * MIB, 0, acpi_test_pc);
	t.opt.append = memset(xalloc(4001), 'a', 4000);
	not_prepared(&t, &k, "4000 characters, but this kernel takes at most 2047");
	test_machine_init(&t, 64 * MIB, 0, acpi_test_pc);
	t.opt.initrd = "/nonexistent/initrd";
	not_prepared(&t, &k,
		     "could not load initrd '/nonexistent/initrd': No such file or directory");
	test_machine_init(&t, 64 * MIB, 0, acpi_test_pc);
	not_prepared(&t, &high, "needs memory at 0xfee00000");
	test_machine_init(&t, 64 * MIB, 0, acpi_test_pc);
	not_prepared(&t, &low, "above 4 GiB");
	test_machine_init(&t, 64 * MIB, 0, acpi_test_pc);
	t.opt.kaslr = true;
	not_prepared(&t, &k, "no relocations");
	k.data[k.size - 40] ^= 0xff;
	test_machine_init(&t, 64 * MIB, 0, acpi_test_pc);
	not_prepared(&t, &k, "could not unpack its gzip payload");

	CHECK(boot_check_options(&o, &e) < 0);
	CHECK_STR(e.text, "-append only allowed with -kernel option");
	error_clear(&e);
	o = (struct boot_options){ .initrd = "x" };
	CHECK(boot_check_options(&o, &e) < 0);
	CHECK_STR(e.text, "-initrd only allowed with -kernel option");
	error_clear(&e);
}

TEST(boot_high_memory)
{
	struct bytes k = packed_bzimage(true, 0x1000000);
	AUTO_MACHINE struct test_machine t = { 0 };
	u64 bp;

	/* an initrd that fits only above 4 GiB */
	test_machine_init(&t, 40 * MIB, 64 * MIB, acpi_test_pc);
	t.opt.initrd_data = (struct bytes){ calloc(1, 30 * MIB), 30 * MIB };
	t.opt.initrd_data.data[1] = 0x77;
	prepared(&t, &k);
	bp = test_entry[0].rsi;
	CHECK_EQ(ld32le(test_ram(&t, bp + 0xc0)), 1);
	CHECK_EQ(*test_ram(&t, 40 * MIB + ld32le(test_ram(&t, bp + HDR_RAMDISK_IMAGE)) + 1), 0x77);
	bytes_fini(&k);
}

TEST(boot_loader)
{
	struct bytes raw = { (u8 *)"raw data", 8 }, elf = test_elf(false, 0x300000, false);
	AUTO_FREE char *f = test_file(&raw), *g = test_file(&elf);
	struct boot_loader l[4] = { 0 };
	AUTO_MACHINE struct test_machine t = { 0 };
	struct error e = { 0 };

	CHECK_EQ(boot_loader_set(&l[0], "addr", "0x1000", &e)		  ?:
			 boot_loader_set(&l[0], "data", "0x11223344", &e) ?:
			 boot_loader_set(&l[0], "data-len", "4", &e)	  ?:
			 boot_loader_set(&l[0], "data-be", "on", &e),
		 0);
	CHECK_EQ(boot_loader_set(&l[1], "file", f, &e) ?:
							 boot_loader_set(&l[1], "addr", "0x2000", &e),
		 0);
	CHECK_EQ(boot_loader_set(&l[2], "file", g, &e) ?:
							 boot_loader_set(&l[2], "cpu-num", "1", &e),
		 0);
	CHECK_EQ(boot_loader_set(&l[3], "addr", "0x4000", &e) ?:
			 boot_loader_set(&l[3], "cpu-num", "0", &e),
		 0);
	test_machine_init(&t, 64 * MIB, 0, acpi_test_pc);
	t.opt.loader = l;
	t.opt.nloader = 4;
	CHECK_EQ(boot_prepare(t.m, &t.opt, &e), 0);
	plan_place(t.opt.plan);
	CHECK_MEM(test_ram(&t, 0x1000), "\x11\x22\x33\x44", 4);
	CHECK_MEM(test_ram(&t, 0x2000), "raw data", 8);
	check_segments(&t, 0x300000);
	CHECK_EQ(test_entry[1].mode, BOOT_MODE_ISA);
	CHECK_EQ(test_entry[1].pc, 0x300010);
	CHECK_EQ(test_entry[0].pc, 0x4000);

	l[3].cpu = 9;
	test_machine_init(&t, 64 * MIB, 0, acpi_test_pc);
	t.opt.loader = l;
	t.opt.nloader = 4;
	CHECK(boot_prepare(t.m, &t.opt, &e) < 0);
	CHECK_STR(e.text, "-device loader: cpu-num=9: the machine has 4 CPUs, numbered from 0");
	error_clear(&e);
	unlink(f);
	unlink(g);
	CHECK(boot_loader_set(&l[0], "data-len", "9", &e) < 0);
	error_clear(&e);
	CHECK(boot_loader_set(&l[0], "colour", "red", &e) < 0);
	error_clear(&e);
	l[0].addr = 0xffffffff0000;
	boot_release(&t.opt);
	t.opt.nloader = 1;
	CHECK(boot_prepare(t.m, &t.opt, &e) < 0);
	error_clear(&e);
	bytes_fini(&elf);
}
