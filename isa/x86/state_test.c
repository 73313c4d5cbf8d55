/* SPDX-License-Identifier: GPL-2.0-or-later */
/* state_test.c - snapshots of CPUs: no member of the structure is forgotten, and a machine that
 * loads one goes on as the saved one does. */
#include "test_rig.h"
#include "core/debug.h"
#include "core/snapshot.h"
#include <sys/mman.h>
#include <unistd.h>

static void claim(u8 *claims, const struct cpu_state *t)
{
	for (; t->name; t++)
		for (u32 i = 0; i < t->size; i++)
			if (claims[t->offset + i]++)
				test_fail(__FILE__, __LINE__, "%s is named twice", t->name);
}

TEST(x86_state_names_every_member)
{
	AUTO_FREE u8 *claims = xalloc(sizeof(struct x86_cpu));
	unsigned gap = 0;

	claim(claims, x86_state);
	claim(claims, x86_derived);
	for (u32 i = 0; i < sizeof(struct x86_cpu); i++) {
		gap = claims[i] ? 0 : gap + 1;
		/* what alignment leaves */
		if (gap > 8)
			test_fail(__FILE__, __LINE__, "the member at offset %u is in no table",
				  i - gap + 1);
	}
}

/* mov ecx, 1000; again: imul rax, rax, 31; add rax, rcx; movq xmm1, rax; paddq xmm0, xmm1;
 * mov [0x9000], rax; dec ecx; jne again; hlt */
static const char work[] =
	"\xb9\xe8\x03\x00\x00\x48\x6b\xc0\x1f\x48\x01\xc8\x66\x48\x0f\x6e\xc8\x66\x0f"
	"\xd4\xc1\x48\x89\x04\x25\x00\x90\x00\x00\xff\xc9\x75\xe4\xf4";

static void finish(struct rig *r)
{
	r->c->cpu.exit_request = 0;
	engine_run(r->m->engine, &r->c->cpu);
	CHECK(r->c->cpu.halted);
}

TEST(x86_state_goes_on_elsewhere)
{
	struct debug_point p = { .va = CODE + 29 };
	int fd = memfd_create("snapshot", 0);
	AUTO_RIG struct rig a = { 0 };
	AUTO_RIG struct rig b = { 0 };
	struct error e = { 0 };
	u64 before;

	rig(&a, 1);
	protected_mode(&a, true);
	a.c->cr4 |= CR4_OSFXSR;
	x86_update_mode(a.c);
	PROGRAM(&a, CODE, work);
	a.c->cpu.pc = CODE;
	machine_cont(a.m);
	debug_arm(a.m, &p);
	for (unsigned i = 0; i < 300; i++) {
		a.c->cpu.exit_request = 0;
		engine_run(a.m->engine, &a.c->cpu);
		CHECK(debug_tell(a.m));
		machine_cont(a.m);
	}
	debug_disarm(a.m, &p);
	machine_stop(a.m, RUN_PAUSED);
	before = clock_now(&a.m->clock);
	CHECK_EQ(a.c->gpr[R_CX], 1000 - 299);
	CHECK_EQ(snapshot_save(a.m, fd, &e), 0);

	rig(&b, 1);
	protected_mode(&b, true); /* so that something is translated and in the TLB already */
	PROGRAM(&b, CODE, "\xf4");
	b.c->cpu.pc = CODE;
	finish(&b);
	b.c->tsc_hz = a.c->tsc_hz;
	CHECK_EQ(lseek(fd, 0, SEEK_SET), 0);
	if (snapshot_load(b.m, fd, &e))
		test_fail(__FILE__, __LINE__, "%s", e.text);
	CHECK_EQ(clock_now(&b.m->clock), before);
	CHECK_EQ(b.c->gpr[R_CX], 1000 - 299);
	machine_cont(a.m);
	finish(&a);
	finish(&b);
	CHECK_EQ(b.c->gpr[R_AX], a.c->gpr[R_AX]);
	CHECK_EQ(b.c->xmm[0].q[0], a.c->xmm[0].q[0]);
	CHECK_EQ(peek(&b, 0x9000, 8), a.c->gpr[R_AX]);
	rig_free(&a);
	rig_free(&b);
	close(fd);
}

TEST(x86_state_refuses_what_is_torn)
{
	int fd = memfd_create("snapshot", 0);
	struct error e = { 0 };
	AUTO_RIG struct rig a = { 0 };
	off_t n;

	rig(&a, 1);
	poke(&a, 0x5000, 1, 1);
	CHECK_EQ(snapshot_save(a.m, fd, &e), 0);
	n = lseek(fd, 0, SEEK_CUR);
	/* every length but the right one, and a flipped byte in each of the first thousand places
	 */
	for (off_t cut = 0; cut < n; cut += 97) {
		int part = memfd_create("part", 0);
		AUTO_FREE u8 *bytes = xalloc((size_t)n);

		CHECK_EQ(pread(fd, bytes, (size_t)n, 0), n);
		CHECK_EQ(write(part, bytes, (size_t)cut), cut);
		lseek(part, 0, SEEK_SET);
		CHECK(snapshot_load(a.m, part, &e) < 0);
		CHECK(e.text && *e.text);
		error_clear(&e);
		close(part);
	}
	rig_free(&a);
	close(fd);
}
