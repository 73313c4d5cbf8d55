/* SPDX-License-Identifier: GPL-2.0-or-later */
/* symfile_test.c - the user's vmlinux as a debugger reads it: per-CPU variables, which are linked
 * at 0, belong to no segment that it could move. */
#include "test_rig.h"
#include <elf.h>
#include <stdio.h>
#include <unistd.h>

static struct {
	Elf64_Ehdr h;
	Elf64_Phdr p[3];
	Elf64_Shdr s[4];
} file = {
	.h = { .e_ident = { 0x7f, 'E', 'L', 'F', ELFCLASS64, ELFDATA2LSB, EV_CURRENT },
	       .e_phoff = sizeof(Elf64_Ehdr),
	       .e_phentsize = sizeof(Elf64_Phdr),
	       .e_phnum = 3,
	       .e_shoff = sizeof(file.h) + sizeof(file.p),
	       .e_shentsize = sizeof(Elf64_Shdr),
	       .e_shnum = 4 },
	.p = { { .p_type = PT_LOAD, .p_vaddr = 0xffffffff81000000 },
	       { .p_type = PT_LOAD, .p_vaddr = 0 },
	       { .p_type = PT_NOTE, .p_vaddr = 0 } },
	.s = { { .sh_type = SHT_NULL },
	       { .sh_type = SHT_PROGBITS, .sh_flags = SHF_ALLOC, .sh_addr = 0xffffffff81000000 },
	       { .sh_type = SHT_PROGBITS, .sh_flags = SHF_ALLOC, .sh_addr = 0 },
	       { .sh_type = SHT_PROGBITS, .sh_addr = 0 } },
};

TEST(gdb_symfile_leaves_percpu_alone)
{
	char dir[] = "/tmp/quern-unit-XXXXXX";
	AUTO_FREE char *path = NULL;
	struct rig *r = rig_new(1);
	struct rig_peer *p = &r->peer[0];
	FILE *f;

	CHECK(mkdtemp(dir));
	path = xasprintf("%s/vmlinux", dir);
	f = fopen(path, "w");
	CHECK(f && fwrite(&file, sizeof(file), 1, f) == 1 && !fclose(f));
	rig_vmlinux = path;
	rig_know(r);
	CHECK_STR(rig_ask(p, "vFile:open:2f67756573742f766d6c696e7578,0,0"), "F0");
	/* e_phoff 0x40, 0x38 each; e_shoff 0xe8, 0x40 each */
	CHECK_MEM(rig_ask(p, "vFile:pread:0,4,40"), "F4;\1\0\0\0", 7);
	CHECK_MEM(rig_ask(p, "vFile:pread:0,4,78"), "F4;\0\0\0\0", 7);
	CHECK_MEM(rig_ask(p, "vFile:pread:0,4,b0"), "F4;\4\0\0\0", 7);
	CHECK_MEM(rig_ask(p, "vFile:pread:0,4,12c"), "F4;\1\0\0\0", 7);
	CHECK_MEM(rig_ask(p, "vFile:pread:0,4,16c"), "F4;\10\0\0\0", 7);
	CHECK_MEM(rig_ask(p, "vFile:pread:0,4,1ac"), "F4;\1\0\0\0", 7);
	/* also when only a part of what was changed is read */
	CHECK_MEM(rig_ask(p, "vFile:pread:0,2,77"), "F2;\0\0", 5);
	CHECK_MEM(rig_ask(p, "vFile:pread:0,1,16c"), "F1;\10", 4);
	rig_vmlinux = NULL;
	unlink(path);
	rmdir(dir);
	rig_free(r);
}
