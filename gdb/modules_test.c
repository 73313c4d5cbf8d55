/* SPDX-License-Identifier: GPL-2.0-or-later */
/* modules_test.c - kernel modules as libraries: addresses by the file's sections, events, and the
 * files that a debugger may read. */
#include "test_rig.h"
#include <elf.h>
#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#define ASK(body, want) CHECK_STR(rig_ask(p, body), want)

static char dir[] = "/tmp/quern-unit-XXXXXX", path[64];

/* A module with sections .text, .modinfo (which the kernel forgets), .comment (not loaded), .data.
 */
static void make_file(u64 text)
{
	static const char names[] = "\0.text\0.modinfo\0.comment\0.data\0.shstrtab";
	static const u8 name[] = { 0, 1, 7, 16, 25, 31 };
	Elf64_Ehdr h = {
		.e_type = ET_REL, .e_shoff = 64, .e_shentsize = 64, .e_shnum = 6, .e_shstrndx = 5
	};
	Elf64_Shdr s[6] = { { 0 } };
	FILE *f;

	CHECK(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/a-b.ko", dir);
	memcpy(h.e_ident, ELFMAG, SELFMAG);
	h.e_ident[EI_CLASS] = ELFCLASS64;
	h.e_ident[EI_DATA] = ELFDATA2LSB;
	for (unsigned i = 1; i < 6; i++) {
		s[i].sh_name = name[i];
		s[i].sh_type = SHT_PROGBITS;
		s[i].sh_flags = i == 3 || i == 5 ? 0 : SHF_ALLOC;
		s[i].sh_addr = i == 1 ? text : 0;
	}
	s[5].sh_type = SHT_STRTAB;
	s[5].sh_offset = 64 + sizeof(s);
	s[5].sh_size = sizeof(names);
	f = fopen(path, "w");
	CHECK(f && fwrite(&h, sizeof(h), 1, f) == 1 && fwrite(s, sizeof(s), 1, f) == 1 &&
	      fwrite(names, sizeof(names), 1, f) == 1 && !fclose(f));
}

/* vFile:open of the module's path, or of another one. */
static const char *open_file(struct rig_peer *p, const char *file)
{
	struct strbuf b = { 0 };
	const char *answer;

	strbuf_add(&b, "vFile:open:");
	gdb_put_hex(&b, file, strlen(file));
	strbuf_add(&b, ",0,0");
	answer = rig_ask_n(p, b.at, b.n);
	strbuf_fini(&b);
	return answer;
}

TEST(gdb_modules_are_libraries)
{
	struct rig *r = rig_new(1);
	struct rig_peer *p = &r->peer[0];
	AUTO_FREE char *want = NULL;

	make_file(0);
	rig_know(r);
	gdb_add_files(r->g, dir);
	CHECK_STR(open_file(p, path), "F-1,2");
	want = xasprintf("l<library-list>\n<library name=\"%s\"><section address=\"0xc000\"/>"
			 "<section address=\"0x100000000000000\"/><section address=\"0xd000\"/>"
			 "</library>\n</library-list>\n",
			 path);
	ASK("qXfer:libraries:read::0,1000", want);
	/* its file, and no other one, to read only */
	CHECK_STR(open_file(p, path), "F0");
	CHECK_STR(open_file(p, "/etc/passwd"), "F-1,2");
	ASK("vFile:open:2f,1,0", "F-1,1e");
	ASK("vFile:open:2,0,0", "F-1,16");
	ASK("vFile:pread:0,4,1", "F4;ELF\2");
	ASK("vFile:pread:1,4,1", "F-1,9");
	ASK("vFile:pread:0,10,100000", "F0;");
	CHECK(str_prefix(rig_ask(p, "vFile:fstat:0"), "F40;", NULL));
	ASK("vFile:close:0", "F0");
	ASK("vFile:close:0", "F-1,9");
	ASK("vFile:setfs:0", "F0");
	ASK("vFile:unlink:2f", "F-1,1e");
	ASK("vFile:frob:2f", "");
	unlink(path);
	rmdir(dir);
	rig_free(r);
}

TEST(gdb_modules_come_and_go)
{
	struct rig *r = rig_new(1);
	struct rig_peer *p = &r->peer[0];

	rig_know(r);
	CHECK(str_prefix(rig_ask(p, "qXfer:libraries:read::0,1000"), "l", NULL));
	/* at do_init_module */
	CHECK(strstr(rig_run(p, "c"), "T05thread:01;library:;"));
	CHECK_EQ(r->cpu[0]->cpu.pc, 0x4800);
	/* a breakpoint at the same place is told first */
	ASK("Z0,4800,1", "OK");
	r->cpu[0]->cpu.pc = 0x4700;
	CHECK(strstr(rig_run(p, "c"), "T05thread:01;02:"));
	CHECK_EQ(r->cpu[0]->cpu.pc, 0x4800);
	CHECK(strstr(rig_ask(p, "c"), "T05thread:01;library:;"));
	CHECK_EQ(r->cpu[0]->cpu.pc, 0x4800);
	ASK("z0,4800,1", "OK");
	/* free_module is at 0x5000; it returns to 0x5800, where the module is gone */
	r->cpu[0]->sp = 0x1000;
	ASK("M1000,8:0058000000000000", "OK");
	CHECK(strstr(rig_run(p, "c"), "T05thread:01;library:;"));
	CHECK_EQ(r->cpu[0]->cpu.pc, 0x5800);
	/* a new start has other modules */
	os_set(r->m, NULL, NULL);
	machine_reset(r->m);
	CHECK_EQ(debug_of(r->m)->nexec, 0);
	rig_free(r);
}

/* ---- the kernel as a library */

static bool is_ready;
static struct os late; /* what rig_know knows, when it is known */
static bool late_ready(struct machine *m) { return is_ready; }
static unsigned awaited;
static void late_await(struct machine *m) { awaited++; }
static const char *late_vmlinux(struct machine *m) { return path; }
static int late_slide(struct machine *m, u64 *slide)
{
	*slide = 0x1000000;
	return is_ready ? 0 : -EAGAIN;
}

static void make_known(void *arg)
{
	is_ready = true;
	debug_tell_known(arg);
}

static const char *run_known(struct rig_peer *p)
{
	machine_post(p->rig->m, make_known, p->rig->m);
	return rig_run(p, "c");
}

static void reset_now(void *arg) { machine_reset(arg); }

static void late_start(struct rig *r)
{
	rig_know(r);
	late = *os_of(r->m);
	late.ready = late_ready;
	late.await = late_await;
	late.vmlinux = late_vmlinux;
	late.slide = late_slide;
	is_ready = false;
	awaited = 0;
	os_set(r->m, &late, NULL);
	/* modules have files of their own */
	gdb_show_tasks(r->g, false);
}

TEST(gdb_kernel_becomes_a_library)
{
	struct rig *r = rig_new(1);
	struct rig_peer *p = &r->peer[0];

	/* Not relocatable: its addresses move by the slide; per-CPU ones, which are low, do not. */
	make_file(0xffffffff81000000);
	late_start(r);
	ASK("qXfer:exec-file:read:1:0,1000", "E00");
	CHECK_EQ(awaited, 1);
	CHECK(strstr(run_known(p), "T05thread:01;library:;"));
	/* The file is not relocatable: what it has for addresses moves by the slide; per-CPU
	 * ones, which are low, do not. */
	ASK("qXfer:libraries:read::0,1000",
	    "l<library-list>\n<library name=\"/guest/kernel\"><section address=\"0x1000000\"/>"
	    "<section address=\"0\"/><section address=\"0\"/></library>\n</library-list>\n");
	ASK("vFile:open:2f67756573742f6b65726e656c,0,0", "F0");
	/* a new start: the list is empty until the kernel is there again */
	is_ready = false;
	machine_post(r->m, reset_now, r->m);
	CHECK(strstr(rig_run(p, "c"), "T05thread:01;library:;"));
	ASK("qXfer:libraries:read::0,1000", "l<library-list>\n</library-list>\n");
	CHECK(strstr(run_known(p), "T05thread:01;library:;"));
	unlink(path);
	rmdir(dir);
	rig_free(r);
}

/* One with a file is told how to move it. */
TEST(gdb_tells_a_late_slide)
{
	struct rig *r = rig_new(1);
	struct rig_peer *p = &r->peer[0];
	char text[200] = "";
	size_t n;

	late_start(r);
	ASK("qXfer:exec-file:read:1:0,1000", "E00");
	ASK("qOffsets", "");
	ASK("qXfer:libraries:read::0,1000", "l<library-list>\n</library-list>\n");
	CHECK(run_known(p)[0] == 'O');
	n = (strlen(p->answer) - 1) / 2;
	CHECK_EQ(gdb_get_hex(p->answer + 1, text, MIN(n, sizeof(text) - 1)), 0);
	CHECK(strstr(text, "`symbol-file -o 0x1000000 FILE`"));
	CHECK(strstr(rig_next(p), "T05thread:01;library:;"));
	ASK("qOffsets", "TextSeg=ffffffff82000000");
	rig_free(r);
}
