/* SPDX-License-Identifier: GPL-2.0-or-later */
/* dump_test.c - dumps of a small machine, read back by readers of their own: ELF by its
 * specification, the compressed format by its description, each page by the library that packs
 * it. */
#include "dump/dump.h"
#include "dump/test_target.h"
#include "lib/bytes.h"
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <lzo/lzo1x.h>
#include <snappy-c.h>
#include <sys/mman.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

static int run(struct target *t, const char *format, const struct dump_options *more, int fd,
	       struct error *e)
{
	struct dump_options o = more ? *more : (struct dump_options){ 0 };
	u64 completed, total;
	struct dump *d;
	int err;

	o.format = dump_format_find(format);
	CHECK(o.format != NULL);
	d = dump_new(t->m, &o, fd, e);
	if (!d)
		return -EINVAL;
	do
		err = dump_step(d, e);
	while (err > 0);
	dump_progress(d, &completed, &total);
	if (!err)
		CHECK_EQ(completed, total);
	dump_free(d);
	return err;
}

static struct bytes dumped(struct target *t, const char *format, const struct dump_options *o)
{
	int fd = memfd_create("dump", 0), copy = dup(fd);
	struct error e = { 0 };
	struct bytes b;

	CHECK_EQ(run(t, format, o, fd, &e), 0);
	CHECK_STR(e.text ? e.text : "", "");
	lseek(copy, 0, SEEK_SET);
	CHECK_EQ(bytes_read_fd(&b, copy, "dump", 1 << 30, &e), 0);
	close(copy);
	return b;
}

static void done(struct target *t, struct bytes *b)
{
	if (b)
		bytes_fini(b);
	machine_free(t->m);
}

/* What the guest sees at pa. */
static const u8 *memory_at(struct target *t, u64 pa)
{
	return t->mem + (pa >= HIGH_AT ? pa - HIGH_AT + LOW : pa);
}

/* ---- ELF */

struct note {
	u32 type;
	const u8 *desc;
	u32 size;
};

/* The nth note of that name among `n` bytes of notes; desc NULL = there is none. */
static struct note find_note(const u8 *p, size_t n, const char *name, unsigned nth)
{
	for (size_t at = 0; at + 12 <= n;) {
		u32 namesz = ld32le(p + at), descsz = ld32le(p + at + 4);
		size_t desc = at + 12 + ALIGN_UP(namesz, 4u);

		CHECK(desc + ALIGN_UP(descsz, 4u) <= n);
		if (str_eq((const char *)p + at + 12, name) && !nth--)
			return (struct note){ ld32le(p + at + 8), p + desc, descsz };
		at = desc + ALIGN_UP(descsz, 4u);
	}
	return (struct note){ 0 };
}

static void check_notes(const u8 *notes, size_t n, bool wide, bool with_info)
{
	struct note p = find_note(notes, n, "CORE", 0), q = find_note(notes, n, "QEMU", 0),
		    v = find_note(notes, n, "VMCOREINFO", 0);

	CHECK(p.desc && p.type == NT_PRSTATUS);
	CHECK_EQ(p.size, wide ? 336 : 144);
	CHECK_EQ(ld32le(p.desc + (wide ? 32 : 24)), 1); /* pr_pid */
	/* struct user_regs_struct: rax is number 10, rsp 19, rip 16; eax 6 */
	if (wide) {
		CHECK_EQ(ld64le(p.desc + 112 + 10 * 8), 0x1122334455667788);
		CHECK_EQ(ld64le(p.desc + 112 + 19 * 8), 0xffff888000001000);
		CHECK_EQ(ld64le(p.desc + 112 + 16 * 8), 0xfff0);
		CHECK_EQ(ld64le(p.desc + 112 + 17 * 8), 0xf000); /* cs */
	} else {
		CHECK_EQ(ld32le(p.desc + 72 + 6 * 4), 0x55667788);
		CHECK_EQ(ld32le(p.desc + 72 + 12 * 4), 0xfff0);
	}
	CHECK(q.desc && q.type == 0);
	CHECK_EQ(q.size, 440);
	CHECK_EQ(ld32le(q.desc), 1);
	CHECK_EQ(ld32le(q.desc + 4), 440);
	CHECK_EQ(ld64le(q.desc + 8), 0x1122334455667788);
	CHECK_EQ(ld64le(q.desc + 8 + 16 * 8), 0xfff0);
	CHECK_EQ(ld32le(q.desc + 152), 0xf000); /* cs: selector, limit, flags, base */
	CHECK_EQ(ld32le(q.desc + 156), 0xffff);
	CHECK_EQ(ld32le(q.desc + 160) >> 15 & 1, 1); /* present */
	CHECK_EQ(ld64le(q.desc + 168), 0xffff0000);
	CHECK_EQ(ld64le(q.desc + 392 + 3 * 8), wide ? PML4 : 0); /* cr3 */
	CHECK_EQ(v.desc != NULL, with_info);
	if (with_info) {
		CHECK_EQ(v.size, strlen(info));
		CHECK_MEM(v.desc, info, strlen(info));
	}
}

static Elf64_Phdr segment(const struct bytes *b, unsigned i)
{
	Elf64_Ehdr h;
	Elf64_Phdr p;

	memcpy(&h, b->data, sizeof(h));
	CHECK(range_fits(h.e_phoff + i * sizeof(p), sizeof(p), b->size));
	memcpy(&p, b->data + h.e_phoff + i * sizeof(p), sizeof(p));
	CHECK(range_fits(p.p_offset, p.p_filesz, b->size));
	return p;
}

TEST(dump_elf64)
{
	struct target t;
	struct bytes b;
	Elf64_Ehdr h;
	Elf64_Phdr p;

	target(&t, true);
	long_mode(&t);
	os_set(t.m, &fake_os, NULL);
	b = dumped(&t, "elf", NULL);
	memcpy(&h, b.data, sizeof(h));
	CHECK_MEM(h.e_ident, "\177ELF\2\1\1", 7);
	CHECK_EQ(h.e_type, ET_CORE);
	CHECK_EQ(h.e_machine, EM_X86_64);
	CHECK_EQ(h.e_phnum, 3);
	p = segment(&b, 0);
	CHECK_EQ(p.p_type, PT_NOTE);
	check_notes(b.data + p.p_offset, p.p_filesz, true, true);
	for (unsigned i = 1; i < 3; i++) {
		p = segment(&b, i);
		CHECK_EQ(p.p_type, PT_LOAD);
		CHECK_EQ(p.p_paddr, i == 1 ? 0 : HIGH_AT);
		CHECK_EQ(p.p_filesz, i == 1 ? LOW : HIGH);
		CHECK_EQ(p.p_memsz, p.p_filesz);
		CHECK_EQ(p.p_offset % 4096, 0);
		CHECK_MEM(b.data + p.p_offset, memory_at(&t, p.p_paddr), p.p_filesz);
	}
	CHECK_EQ(p.p_offset + p.p_filesz, b.size);
	done(&t, &b);
}

TEST(dump_elf32)
{
	struct target t;
	struct bytes b;
	Elf32_Ehdr h;
	Elf32_Phdr p[2];

	target(&t, false);
	b = dumped(&t, "elf", NULL);
	memcpy(&h, b.data, sizeof(h));
	CHECK_MEM(h.e_ident, "\177ELF\1\1\1", 7);
	CHECK_EQ(h.e_machine, EM_386);
	CHECK_EQ(h.e_phnum, 2);
	memcpy(p, b.data + h.e_phoff, sizeof(p));
	CHECK_EQ(p[0].p_type, PT_NOTE);
	check_notes(b.data + p[0].p_offset, p[0].p_filesz, false, false);
	CHECK_EQ(p[1].p_filesz, LOW);
	CHECK_MEM(b.data + p[1].p_offset, t.mem, LOW);
	done(&t, &b);
}

/* A 32-bit guest with memory above 4 GiB: 64-bit headers, the registers as they are. */
TEST(dump_elf_pae)
{
	struct target t;
	struct bytes b;
	Elf64_Ehdr h;
	Elf64_Phdr p;

	target(&t, true);
	b = dumped(&t, "elf", NULL);
	memcpy(&h, b.data, sizeof(h));
	CHECK_EQ(h.e_ident[EI_CLASS], ELFCLASS64);
	CHECK_EQ(h.e_machine, EM_386);
	p = segment(&b, 0);
	check_notes(b.data + p.p_offset, p.p_filesz, false, false);
	done(&t, &b);
}

TEST(dump_elf_part)
{
	struct dump_options o = { .begin = 0x101800, .length = 0x1000 };
	struct error e = { 0 };
	struct target t;
	struct bytes b;
	Elf64_Phdr p;

	target(&t, true);
	b = dumped(&t, "elf", &o);
	p = segment(&b, 1);
	CHECK_EQ(p.p_paddr, 0x101800);
	CHECK_EQ(p.p_filesz, 0x1000);
	CHECK_MEM(b.data + p.p_offset, t.mem + 0x101800, 0x1000);
	o.begin = 0x80000000;
	CHECK(run(&t, "elf", &o, -1, &e) < 0);
	CHECK_STR(e.text, "the guest has no memory there");
	error_clear(&e);
	CHECK(run(&t, "kdump-zlib", &o, -1, &e) < 0);
	error_clear(&e);
	done(&t, &b);
}

static void entry(struct target *t, u64 table, unsigned i, u64 e)
{
	st64le(t->mem + table + 8 * i, e);
}

/* The direct map's 2 MiB page, two small pages the other way round, a page of what is no memory. */
static void tables(struct target *t)
{
	entry(t, PML4, 273, 0x11003);
	entry(t, 0x11000, 0, 0x12003);
	entry(t, 0x12000, 0, 0x83);
	entry(t, PML4, 511, 0x13003);
	entry(t, 0x13000, 510, 0x14003);
	entry(t, 0x14000, 8, 0x15003);
	entry(t, 0x15000, 0, HIGH_AT | 0x3003);
	entry(t, 0x15000, 1, 0x101003);
	entry(t, 0x15000, 2, 0x102003);
	entry(t, 0x15000, 3, 0xfee00003);
}

TEST(dump_elf_paging)
{
	static const Elf64_Phdr want[] = {
		{ .p_vaddr = 0xffff888000000000, .p_paddr = 0, .p_filesz = LOW },
		{ .p_vaddr = 0xffffffff81001000, .p_paddr = 0x101000, .p_filesz = 0x2000 },
		{ .p_vaddr = 0xffffffff81000000, .p_paddr = HIGH_AT | 0x3000, .p_filesz = 0x1000 },
	};
	struct dump_options o = { .paging = true };
	struct target t;
	struct bytes b;
	Elf64_Ehdr h;

	target(&t, true);
	long_mode(&t);
	tables(&t);
	b = dumped(&t, "elf", &o);
	memcpy(&h, b.data, sizeof(h));
	CHECK_EQ(h.e_phnum, 1 + ARRAY_SIZE(want));
	for (unsigned i = 0; i < ARRAY_SIZE(want); i++) {
		Elf64_Phdr p = segment(&b, 1 + i);

		CHECK_EQ(p.p_vaddr, want[i].p_vaddr);
		CHECK_EQ(p.p_paddr, want[i].p_paddr);
		CHECK_EQ(p.p_filesz, want[i].p_filesz);
		CHECK_MEM(b.data + p.p_offset, memory_at(&t, p.p_paddr), p.p_filesz);
	}
	done(&t, &b);
}

/* A table that is its own entry in all places, and so on every level. */
TEST(dump_elf_paging_of_a_maze)
{
	struct dump_options o = { .paging = true };
	struct error e = { 0 };
	struct target t;

	target(&t, true);
	long_mode(&t);
	for (unsigned i = 0; i < 512; i++)
		entry(&t, PML4, i, PML4 | 3);
	if (run(&t, "elf", &o, memfd_create("dump", 0), &e) < 0)
		CHECK(e.text != NULL);
	error_clear(&e);
	done(&t, NULL);
}

/* More pieces than e_phnum can tell: section 0 tells. */
TEST(dump_elf_many_segments)
{
	enum { N = 66000 };
	struct dump_options o = { .paging = true };
	struct target t;
	struct bytes b;
	Elf64_Ehdr h;
	Elf64_Shdr s;

	target(&t, true);
	long_mode(&t);
	entry(&t, PML4, 0, 0x11003);
	entry(&t, 0x11000, 0, 0x12003);
	for (unsigned i = 0; i < N; i++) { /* never two pages in a row */
		entry(&t, 0x12000, i / 512, (0x20000 + i / 512 * 0x1000ull) | 3);
		entry(&t, 0x20000 + i / 512 * 0x1000ull, i % 512,
		      (i % 2 ? 0x100000 : 0x110000) | 3);
	}
	b = dumped(&t, "elf", &o);
	memcpy(&h, b.data, sizeof(h));
	CHECK_EQ(h.e_phnum, PN_XNUM);
	CHECK_EQ(h.e_shnum, 1);
	memcpy(&s, b.data + h.e_shoff, sizeof(s));
	CHECK_EQ(s.sh_info, 1 + N);
	CHECK_EQ(segment(&b, N).p_vaddr, (N - 2) * 4096ull); /* even ones lie higher */
	CHECK_EQ(segment(&b, 0).p_offset, h.e_shoff + sizeof(s));
	done(&t, &b);
}

/* ---- compressed */

/* The flattened form put together again. */
static struct bytes assembled(const struct bytes *flat)
{
	struct bytes out = { 0 };
	size_t at = 4096;

	CHECK_MEM(flat->data, "makedumpfile\0\0\0\0\0\0\0\0\0\0\0\1\0\0\0\0\0\0\0\1", 32);
	for (;;) {
		u64 to, n;

		CHECK(range_fits(at, 16, flat->size));
		to = ld64be(flat->data + at);
		n = ld64be(flat->data + at + 8);
		at += 16;
		if (to == ~0ull)
			break;
		CHECK(range_fits(at, n, flat->size));
		CHECK(to + n < 1 << 30);
		if (to + n > out.size) {
			out.data = xrealloc(out.data, to + n);
			memset(out.data + out.size, 0, to + n - out.size);
			out.size = to + n;
		}
		memcpy(out.data + to, flat->data + at, n);
		at += n;
	}
	CHECK_EQ(at, flat->size);
	return out;
}

static void unpack(const u8 *p, u32 n, u32 flags, u8 page[4096])
{
	size_t size = 4096;
	uLongf zn = size;
	lzo_uint ln = size;

	switch (flags) {
	case 0:
		CHECK_EQ(n, 4096);
		memcpy(page, p, 4096);
		return;
	case 1:
		CHECK_EQ(uncompress(page, &zn, p, n), Z_OK);
		size = zn;
		break;
	case 2:
		CHECK_EQ(lzo1x_decompress_safe(p, n, page, &ln, NULL), LZO_E_OK);
		size = ln;
		break;
	case 4:
		CHECK_EQ(snappy_uncompress((const char *)p, n, (char *)page, &size), SNAPPY_OK);
		break;
	case 0x20:
		size = ZSTD_decompress(page, 4096, p, n);
		break;
	default:
		CHECK_EQ(flags, 0);
	}
	CHECK_EQ(size, 4096);
}

/* Every page of the guest, and no other. */
static void check_pages(struct target *t, const struct bytes *b, u64 bitmap, u64 blocks, u64 pages,
			u32 flag)
{
	u64 desc = bitmap + blocks * 4096, packed = 0, plain = 0, zero = 0;

	CHECK_MEM(b->data + bitmap, b->data + bitmap + blocks / 2 * 4096, blocks / 2 * 4096);
	for (u64 pfn = 0; pfn < pages; pfn++) {
		bool there = b->data[bitmap + pfn / 8] >> pfn % 8 & 1;
		u64 pa = pfn * 4096, at;
		u32 size, flags;
		u8 page[4096];

		CHECK_EQ(there, pa < LOW || (pa >= HIGH_AT && pa < HIGH_AT + HIGH));
		if (!there)
			continue;
		CHECK(range_fits(desc, 24, b->size));
		at = ld64le(b->data + desc);
		size = ld32le(b->data + desc + 8);
		flags = ld32le(b->data + desc + 12);
		desc += 24;
		CHECK(range_fits(at, size, b->size));
		unpack(b->data + at, size, flags, page);
		CHECK_MEM(page, memory_at(t, pa), 4096);
		packed += flags == flag;
		plain += !flags;
		zero += !flags && at == bitmap + blocks * 4096 + 24 * (RAM_BYTES / 4096);
	}
	CHECK_EQ(packed, 0x40 + HIGH / 8192 - 1); /* the first of them is zero */
	CHECK_EQ(plain - zero, 0x10);
}

static void check_kdump(const char *format, u32 flag)
{
	AUTO_FREE char *raw_name = xasprintf("kdump-raw-%s", format),
		       *flat_name = xasprintf("kdump-%s", format);
	struct bytes b, flat, again;
	struct target t;
	const u8 *sub;
	u64 sub_blocks, notes;

	target(&t, true);
	long_mode(&t);
	os_set(t.m, &fake_os, NULL);
	b = dumped(&t, raw_name, NULL);
	flat = dumped(&t, flat_name, NULL);
	again = assembled(&flat);
	CHECK_EQ(again.size, b.size);
	CHECK_MEM(again.data, b.data, b.size);
	CHECK_MEM(b.data, "KDUMP   ", 8);
	CHECK_EQ(ld32le(b.data + 8), 6);
	CHECK_STR((char *)b.data + 12, "Linux");
	CHECK_STR((char *)b.data + 12 + 2 * 65, "6.1.0-test");
	CHECK_STR((char *)b.data + 12 + 4 * 65, "x86_64");
	CHECK_EQ(ld32le(b.data + 424), flag);
	CHECK_EQ(ld32le(b.data + 428), 4096);
	sub_blocks = ld32le(b.data + 432);
	CHECK_EQ(ld32le(b.data + 460), 1);
	sub = b.data + 4096;
	CHECK_EQ(ld64le(sub), (u64)-16777216); /* phys_base */
	CHECK_MEM(b.data + ld64le(sub + 32), info, strlen(info));
	CHECK_EQ(ld64le(sub + 40), strlen(info));
	notes = ld64le(sub + 48);
	CHECK(range_fits(notes, ld64le(sub + 56), b.size));
	check_notes(b.data + notes, ld64le(sub + 56), true, true);
	CHECK_EQ(ld64le(sub + 96), (HIGH_AT + HIGH) / 4096);
	check_pages(&t, &b, (1 + sub_blocks) * 4096, ld32le(b.data + 436), ld64le(sub + 96), flag);
	bytes_fini(&flat);
	bytes_fini(&again);
	done(&t, &b);
}

TEST(dump_kdump_zlib) { check_kdump("zlib", 1); }
TEST(dump_kdump_lzo) { check_kdump("lzo", 2); }
TEST(dump_kdump_snappy) { check_kdump("snappy", 4); }
TEST(dump_kdump_zstd) { check_kdump("zstd", 0x20); }

/* The kernel's name comes from its memory, where VMCOREINFO says. */
static int uts_vmcoreinfo(struct machine *m, char **text, size_t *n)
{
	*text = xstrdup("SYMBOL(init_uts_ns)=ffffffff81001000\nOFFSET(uts_namespace.name)=16\n");
	*n = strlen(*text);
	return 0;
}

TEST(dump_kdump_uname)
{
	static const struct os os = { .name = "test", .vmcoreinfo = uts_vmcoreinfo };
	struct target t;
	struct bytes b;

	target(&t, true);
	long_mode(&t);
	tables(&t);
	memcpy(t.mem + 0x101010, "Linux", 6);
	memcpy(t.mem + 0x101010 + 65, "node", 5);
	memcpy(t.mem + 0x101010 + 5 * 65, "domain", 7);
	os_set(t.m, &os, NULL);
	b = dumped(&t, "kdump-raw-lzo", NULL);
	CHECK_MEM(b.data + 12, t.mem + 0x101010, 6 * 65);
	CHECK_EQ(ld64le(b.data + 4096), 0);
	done(&t, &b);
}

TEST(dump_kdump_32)
{
	struct target t;
	struct bytes b;
	const u8 *sub;

	target(&t, false);
	os_set(t.m, &fake_os, NULL);
	b = dumped(&t, "kdump-raw-zlib", NULL);
	CHECK_STR((char *)b.data + 12 + 4 * 65, "i686");
	CHECK_EQ(ld32le(b.data + 412), 1);
	CHECK_EQ(ld32le(b.data + 416), 4096);
	CHECK_EQ(ld32le(b.data + 448), 1); /* nr_cpus */
	sub = b.data + 4096;
	CHECK_EQ(ld32le(sub), (u32)-16777216);
	CHECK_MEM(b.data + ld64le(sub + 20), info, strlen(info));
	check_notes(b.data + ld64le(sub + 32), ld32le(sub + 40), false, true);
	CHECK_EQ(ld64le(sub + 72), LOW / 4096);
	done(&t, &b);
}

/* ---- files */

TEST(dump_raw_needs_a_file)
{
	struct error e = { 0 };
	struct target t;
	int fd[2];

	target(&t, true);
	CHECK_EQ(pipe(fd), 0);
	CHECK(run(&t, "kdump-raw-lzo", NULL, fd[1], &e) < 0);
	CHECK(strstr(e.text, "a pipe") != NULL);
	error_clear(&e);
	close(fd[0]);
	close(fd[1]);
	done(&t, NULL);
}

TEST(dump_full_disk)
{
	struct error e = { 0 };
	struct target t;
	int fd = open("/dev/full", O_WRONLY);

	if (fd < 0)
		test_skip("no /dev/full");
	target(&t, true);
	CHECK(run(&t, "elf", NULL, fd, &e) < 0);
	CHECK_STR(e.text, "could not write the dump: No space left on device");
	error_clear(&e);
	close(fd);
	done(&t, NULL);
}
