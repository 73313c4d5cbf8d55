/* SPDX-License-Identifier: GPL-2.0-or-later */
/* run_test.c - whole programs of general instructions in a machine with memory, in the interpreter
 * and the translator: 16- and 32-bit code, repeated strings against their definition, faults in
 * their middle, single steps. */
#include "test_rig.h"

#define CHECK_MEM32(r, at, want) CHECK_EQ(peek(r, at, 4), (u32)(want))
#define CHECK_MEM16(r, at, want) CHECK_EQ(peek(r, at, 2), want)

/* --- 32-bit code: stack instructions, loops, decimal adjustment, 16-bit addresses, locked forms.
 * Results are stored from 0x9000 on. */
static const char program32[] = "\xbc\x00\x80\x00\x00\xb8\x11\x11\x11\x11\xb9\x22\x22\x22\x22\xba"
				"\x33\x33\x33\x33\xbb\x44\x44\x44\x44\xbd\x55\x55\x55\x55\xbe\x66"
				"\x66\x66\x66\xbf\x77\x77\x77\x77\x60\x61\x60\x8b\x44\x24\x0c\xa3"
				"\x00\x90\x00\x00\x61\x89\x3d\x04\x90\x00\x00\xa3\x08\x90\x00\x00"
				"\x6a\x01\xc8\x10\x00\x00\x89\x2d\x0c\x90\x00\x00\x89\x25\x10\x90"
				"\x00\x00\xc9\x89\x25\x14\x90\x00\x00\x59\xbd\x00\x70\x00\x00\xc7"
				"\x05\xfc\x6f\x00\x00\xcd\xab\x00\x00\xc8\x08\x00\x02\x8b\x45\xfc"
				"\xa3\x18\x90\x00\x00\x8b\x45\xf8\x29\xe8\xa3\x1c\x90\x00\x00\x89"
				"\x25\x20\x90\x00\x00\xc9\xb9\x05\x00\x00\x00\x31\xc0\x01\xc8\xe2"
				"\xfc\xa3\x24\x90\x00\x00\xe3\x01\xf4\xb9\x03\x00\x00\x00\x31\xd2"
				"\x42\x83\xfa\x02\xe0\xfa\x89\x0d\x28\x90\x00\x00\xe8\x02\x00\x00"
				"\x00\xeb\x04\x8b\x04\x24\xc3\x68\x99\x00\x00\x00\xe8\x5b\x01\x00"
				"\x00\x89\x25\x2c\x90\x00\x00\x66\xc7\x05\x00\x91\x00\x00\x05\x00"
				"\x66\xc7\x05\x02\x91\x00\x00\x09\x00\x66\xb8\x07\x00\x66\x62\x05"
				"\x00\x91\x00\x00\xc7\x05\x04\x91\x00\x00\xfb\xff\xff\xff\xc7\x05"
				"\x08\x91\x00\x00\x05\x00\x00\x00\xb8\xfb\xff\xff\xff\x62\x05\x04"
				"\x91\x00\x00\xb8\x79\x00\x00\x00\x04\x35\x27\xa3\x30\x90\x00\x00"
				"\x9c\x58\x25\xd5\x08\x00\x00\xa3\x34\x90\x00\x00\xb8\x35\x01\x00"
				"\x00\x2c\x47\x2f\xa3\x38\x90\x00\x00\xb8\x0f\x02\x00\x00\x37\xa3"
				"\x3c\x90\x00\x00\xb8\x0f\x02\x00\x00\x3f\xa3\x40\x90\x00\x00\xb8"
				"\x7f\x00\x00\x00\xd4\x0a\xa3\x44\x90\x00\x00\xd5\x0a\xa3\x48\x90"
				"\x00\x00\xf9\xd6\xa3\x4c\x90\x00\x00\x66\xb8\x10\x00\x66\xbb\x13"
				"\x00\x63\xd8\x0f\x94\xc1\x66\xa3\x50\x90\x00\x00\x88\x0d\x52\x90"
				"\x00\x00\xb8\x45\x23\x01\x00\x67\x8d\x48\x02\x89\x0d\x54\x90\x00"
				"\x00\x66\xbb\x00\x91\xbe\x00\x00\x00\x00\x67\x66\x8b\x47\x02\x66"
				"\xa3\x58\x90\x00\x00\x68\x34\x12\x00\x00\x66\x5a\x66\x89\x15\x5c"
				"\x90\x00\x00\x89\x25\x60\x90\x00\x00\x8f\x44\x24\x04\x83\xec\x06"
				"\x68\xfe\xca\x00\x00\x8f\x44\x24\xfc\x8b\x44\x24\xfc\xa3\x64\x90"
				"\x00\x00\x66\x8c\xd8\x66\xa3\x68\x90\x00\x00\xa1\x64\x90\x00\x00"
				"\x31\xdb\xf0\x0f\xb1\x1d\x64\x90\x00\x00\xb8\x00\x00\x00\x00\xba"
				"\x00\x00\x00\x00\xbb\x11\x00\x00\x00\xb9\x22\x00\x00\x00\xc7\x05"
				"\x70\x90\x00\x00\x00\x00\x00\x00\xc7\x05\x74\x90\x00\x00\x00\x00"
				"\x00\x00\xf0\x0f\xc7\x0d\x70\x90\x00\x00\xc7\x05\x78\x90\x00\x00"
				"\x05\x00\x00\x00\xf0\xf7\x1d\x78\x90\x00\x00\xf4\xc2\x04\x00";

static void run32(unsigned tier)
{
	AUTO_RIG struct rig r = { 0 };

	rig(&r, tier);
	protected_mode(&r, false);
	PROGRAM(&r, CODE, program32);
	poke(&r, 0x8000, 0, 8);
	go(&r, CODE);
	CHECK_MEM32(&r, 0x9000, 0x8000); /* PUSHA's rSP */
	CHECK_MEM32(&r, 0x9004, 0x77777777);
	CHECK_MEM32(&r, 0x9008, 0x11111111);
	CHECK_MEM32(&r, 0x900c, 0x7ff8); /* ENTER 16, 0 */
	CHECK_MEM32(&r, 0x9010, 0x7fe8);
	CHECK_MEM32(&r, 0x9014, 0x7ffc);
	CHECK_MEM32(&r, 0x9018, 0xabcd); /* ENTER 8, 2 */
	CHECK_MEM32(&r, 0x901c, 0);
	CHECK_MEM32(&r, 0x9020, 0x7fec);
	CHECK_MEM32(&r, 0x9024, 15);	 /* LOOP */
	CHECK_MEM32(&r, 0x9028, 1);	 /* LOOPNE */
	CHECK_MEM32(&r, 0x902c, 0x8000); /* RET 4 */
	CHECK_MEM32(&r, 0x9030, 0x14);	 /* DAA */
	CHECK_MEM32(&r, 0x9034, 0x15);
	CHECK_MEM32(&r, 0x9038, 0x188); /* DAS */
	CHECK_MEM32(&r, 0x903c, 0x305); /* AAA */
	CHECK_MEM32(&r, 0x9040, 0x109); /* AAS */
	CHECK_MEM32(&r, 0x9044, 0xc07); /* AAM */
	CHECK_MEM32(&r, 0x9048, 0x7f);	/* AAD */
	CHECK_MEM32(&r, 0x904c, 0xff);	/* SALC */
	CHECK_MEM16(&r, 0x9050, 0x13);	/* ARPL */
	CHECK_EQ(peek(&r, 0x9052, 1), 1);
	CHECK_MEM32(&r, 0x9054, 0x667b); /* 16-bit LEA */
	CHECK_MEM16(&r, 0x9058, 9);
	CHECK_MEM16(&r, 0x905c, 0x1234);
	CHECK_MEM32(&r, 0x9060, 0x7ffe);
	CHECK_MEM32(&r, 0x9064, 0); /* POP [esp - 4], then LOCK CMPXCHG */
	CHECK_MEM16(&r, 0x9068, K_SS);
	CHECK_MEM32(&r, 0x9070, 0x11); /* CMPXCHG8B */
	CHECK_MEM32(&r, 0x9074, 0x22);
	CHECK_MEM32(&r, 0x9078, -5); /* LOCK NEG */
	CHECK_EQ(r.c->cpu.pc, CODE + sizeof(program32) - 1 - 3);
}

TEST(x86_run_32_interpreter) { run32(0); }
TEST(x86_run_32_translator) { run32(1); }

/* --- real mode: segments, 16-bit stack, interrupts, a fault at the limit */
static const char program16[] = "\x31\xc0\x8e\xd0\xbc\x00\x80\xb8\x00\x10\x8e\xd8\xb8\x00\x20\x8e"
				"\xc0\xc7\x06\x10\x00\xef\xbe\xbe\x10\x00\x31\xff\xfc\xa5\x26\xa1"
				"\x00\x00\xa3\x20\x00\x60\x89\xe5\x8b\x46\x06\xa3\x22\x00\x61\xe8"
				"\x02\x00\xeb\x0b\x55\x89\xe5\x8b\x46\x02\xa3\x24\x00\x5d\xc3\xb9"
				"\x2c\x01\xbf\x00\x01\xb8\x5a\x5a\xf3\xab\x89\x3e\x26\x00\x66\xb8"
				"\x78\x56\x34\x12\x66\xbb\x30\x00\x00\x00\x67\x66\x89\x04\x5d\x00"
				"\x00\x00\x00\x9c\x58\xa3\x28\x00\x68\x34\x12\x68\x00\x06\x89\x26"
				"\x2a\x00\x0f\xb2\x26\x2c\x00\x8c\x16\x32\x00\xb9\x00\x00\xe2\x01"
				"\xf4\x89\x0e\x34\x00\xfd\xbe\x12\x00\xad\x89\x36\x36\x00\xfc\xb8"
				"\xff\x7f\x83\xc0\x01\xce\xc7\x06\x3a\x00\x01\x00\x9a\x00\x7e\x00"
				"\x00\xc7\x06\x3c\x00\x02\x00\xbb\xff\xff\x8b\x07\xf4";

static void run16(unsigned tier)
{
	AUTO_RIG struct rig r = { 0 };

	rig(&r, tier);
	for (unsigned s = S_ES; s <= S_GS; s++)
		x86_seg_set_real(r.c, s, 0);
	r.c->idt.base = 0;
	r.c->idt.limit = 0x3ff;
	x86_update_mode(r.c);
	PROGRAM(&r, 0x7c00, program16);
	poke(&r, 4 * EXC_OF, 0x7d80, 4);
	PROGRAM(&r, 0x7d80, "\xff\x06\x38\x00\xcf"); /* inc word [0x38]; iret */
	poke(&r, 4 * EXC_GP, 0x7d90, 4);
	PROGRAM(&r, 0x7d90, "\xf4");
	PROGRAM(&r, 0x7e00, "\xcb"); /* retf */
	go(&r, 0x7c00);
	/* the last load crosses the segment's end */
	CHECK_EQ(r.c->cpu.pc, 0x7d91);
	CHECK_MEM16(&r, 0x10020, 0xbeef);
	CHECK_MEM16(&r, 0x10022, 0x8000);
	CHECK_MEM16(&r, 0x10024, 0x7c32);
	CHECK_MEM16(&r, 0x10026, 0x358);
	CHECK_EQ(peek(&r, 0x20100, 8), 0x5a5a5a5a5a5a5a5a);
	CHECK_EQ(peek(&r, 0x20350, 8), 0x5a5a5a5a5a5a5a5a);
	CHECK_EQ(peek(&r, 0x20358, 8), 0);
	CHECK_MEM32(&r, 0x10060, 0x12345678);
	CHECK_MEM16(&r, 0x10028, 0x46);
	CHECK_MEM16(&r, 0x1002a, 0x7ffc);
	CHECK_MEM16(&r, 0x10032, 0);
	CHECK_MEM16(&r, 0x10034, 0xffff);
	CHECK_MEM16(&r, 0x10036, 0x10);
	CHECK_MEM16(&r, 0x10038, 1);
	CHECK_MEM16(&r, 0x1003a, 1);
	CHECK_MEM16(&r, 0x1003c, 2);
	/* the frame of #GP names the faulting instruction */
	CHECK_MEM16(&r, (u16)r.c->gpr[R_SP], 0x7caa);
}

TEST(x86_run_16_interpreter) { run16(0); }
TEST(x86_run_16_translator) { run16(1); }

/* --- repeated strings, element by element as the manual defines them */

static u64 seed = 0x2545f4914f6cdd1dull;
static u64 rnd(void)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	return seed ^= seed << 17;
}

enum { AREA = 0x200000, AREA_SIZE = 0x8000 };
struct model {
	u8 mem[AREA_SIZE];
	u64 ax, cx, si, di;
	u32 flags;
	bool df;
};

static u64 get(const struct model *m, u64 at, unsigned size)
{
	u64 v = 0;

	memcpy(&v, m->mem + (at - AREA), size);
	return v;
}

static void define(struct model *m, unsigned op, unsigned size, unsigned rep)
{
	s64 step = m->df ? -(s64)size : (s64)size;
	u64 mask = size == 8 ? ~0ull : (1ull << (8 * size)) - 1;

	while (m->cx) {
		u64 v = 0, w = 0;
		struct ir_eval e = { 0 };

		switch (op & 0xfe) {
		case 0xa4:
			v = get(m, m->si, size);
			memcpy(m->mem + (m->di - AREA), &v, size);
			m->si += (u64)step;
			m->di += (u64)step;
			break;
		case 0xaa:
			memcpy(m->mem + (m->di - AREA), &m->ax, size);
			m->di += (u64)step;
			break;
		case 0xac:
			v = get(m, m->si, size);
			m->ax = size == 4 ? v : (m->ax & ~mask) | v;
			m->si += (u64)step;
			break;
		case 0xa6:
			v = get(m, m->si, size);
			w = get(m, m->di, size);
			m->si += (u64)step;
			m->di += (u64)step;
			break;
		default:
			v = m->ax & mask;
			w = get(m, m->di, size);
			m->di += (u64)step;
			break;
		}
		m->cx--;
		if ((op & 0xfe) != 0xa6 && (op & 0xfe) != 0xae)
			continue;
		e.a = v;
		e.b = w;
		ir_evaluate(IR_SUB,
			    size == 1 ? I8 :
			    size == 2 ? I16 :
			    size == 4 ? I32 :
					I64,
			    0, &e);
		m->flags = x86_arith_from_hf(e.flags);
		if ((v == w) == (rep == 0xf2))
			break;
	}
}

static u64 place(void)
{
	switch (rnd() % 3) {
	case 0:
		return AREA + 0x2000 + rnd() % 0x4000;
	case 1:
		return AREA + 0x4000 - 16 + rnd() % 32; /* about a page boundary */
	default:
		return AREA + 0x4000 + rnd() % 64;
	}
}

static void string_trial(struct rig *r, struct model *m)
{
	static const u8 opcodes[] = { 0xa4, 0xa5, 0xaa, 0xab, 0xac, 0xad, 0xa6, 0xa7, 0xae, 0xaf };
	unsigned op = opcodes[rnd() % sizeof(opcodes)], kind = rnd() % 3,
		 rep = rnd() & 1 ? 0xf2 : 0xf3, n = 0;
	unsigned size = !(op & 1) ? 1 : kind == 0 ? 2 : kind == 1 ? 4 : 8;
	u8 code[8];

	if (size == 2)
		code[n++] = 0x66;
	if (rnd() % 4 == 0)
		code[n++] = 0x67;
	code[n++] = (u8)rep;
	if (size == 8)
		code[n++] = 0x48;
	code[n++] = (u8)op;
	code[n++] = 0xf4;
	write_mem(r, CODE, code, n);
	/* few values, so that comparisons go on for a while */
	for (unsigned i = 0; i < AREA_SIZE; i++)
		m->mem[i] = rnd() % 64 ? 7 : (u8)rnd();
	*m = (struct model){ .ax = rnd() & 1 ? 0x0707070707070707 : rnd(),
			     .cx = rnd() % (rnd() & 1 ? 0x2000 / size : 20),
			     .si = place(),
			     .di = place(),
			     .flags = EFL_ZF,
			     .df = rnd() & 1 };
	for (unsigned i = 0; i < AREA_SIZE; i++)
		m->mem[i] = rnd() % 64 ? 7 : (u8)rnd();
	if (rnd() & 1)
		m->di = m->si + rnd() % 33 - 16;
	write_mem(r, AREA, m->mem, AREA_SIZE);
	r->c->gpr[R_AX] = m->ax;
	r->c->gpr[R_CX] = m->cx;
	r->c->gpr[R_SI] = m->si;
	r->c->gpr[R_DI] = m->di;
	x86_set_eflags(r->c, m->flags | (m->df ? EFL_DF : 0), EFL_ARITH | EFL_DF);
	define(m, op, size, rep);
	go(r, CODE);
	CHECK_EQ(r->c->gpr[R_CX], m->cx);
	CHECK_EQ(r->c->gpr[R_SI], m->si);
	CHECK_EQ(r->c->gpr[R_DI], m->di);
	CHECK_EQ(r->c->gpr[R_AX], m->ax);
	CHECK_EQ(x86_eflags(r->c) & EFL_ARITH, m->flags);
	{
		static u8 after[AREA_SIZE];

		read_mem(r, AREA, after, AREA_SIZE);
		CHECK_MEM(after, m->mem, AREA_SIZE);
	}
}

TEST(x86_run_strings)
{
	struct model *m = xalloc(sizeof(*m));
	AUTO_RIG struct rig r = { 0 };

	rig(&r, 0);
	protected_mode(&r, true);
	for (unsigned i = 0; i < 1500; i++)
		string_trial(&r, m);
}

/* A missing page in the middle: registers say exactly how far it came. */
static void string_fault(unsigned tier, bool down)
{
	AUTO_RIG struct rig r = { 0 };

	rig(&r, tier);
	protected_mode(&r, true);
	gate64(&r, EXC_PF, CODE + 0x100);
	PROGRAM(&r, CODE + 0x100, "\xf4");
	PROGRAM(&r, CODE, "\xf3\x48\xa5\xf4");
	poke(&r, PT + 8 * (AREA >> 12) + 8 * 5, 0, 8);
	cpu_tlb_flush_all(&r.c->cpu);
	r.c->gpr[R_SP] = 0x80000;
	r.c->gpr[R_CX] = 5000;
	r.c->gpr[R_SI] = AREA + (down ? 0x7ff0 : 0x10);
	r.c->gpr[R_DI] = AREA + (down ? 0x6ff8 : 0x3008);
	x86_set_eflags(r.c, down ? EFL_DF : 0, EFL_DF);
	go(&r, CODE);
	CHECK_EQ(r.c->cr2, AREA + (down ? 0x5ff8 : 0x5000));
	CHECK_EQ(r.c->gpr[R_DI], AREA + (down ? 0x5ff8 : 0x5000));
	CHECK_EQ(r.c->gpr[R_SI], AREA + (down ? 0x6ff0 : 0x2008));
	CHECK_EQ(r.c->gpr[R_CX], 5000 - (down ? 0x1000 / 8 : 0x1ff8 / 8));
	CHECK_EQ(peek(&r, 0x80000 - 40, 8), CODE); /* RIP in the frame */
}

TEST(x86_run_string_fault_interpreter)
{
	string_fault(0, false);
	string_fault(0, true);
}
TEST(x86_run_string_fault_translator)
{
	string_fault(1, false);
	string_fault(1, true);
}

/* --- TF: one trap per instruction, and per element of a repeated one */
static void single_steps(unsigned tier)
{
	/* pushf; or dword [rsp], 0x100; popf; nop; jmp +1; nop; mov ecx, 3; rep stosb; loop +0;
	 * pushf; and dword [rsp], ~0x100; popf; hlt */
	static const char program[] = "\x9c\x81\x0c\x24\x00\x01\x00\x00\x9d\x90\xeb\x01\x90\xb9\x03"
				      "\x00\x00\x00\xf3\xaa\xe2\x00\x9c\x81\x24\x24\xff\xfe"
				      "\xff\xff\x9d\xf4";
	AUTO_RIG struct rig r = { 0 };

	rig(&r, tier);
	protected_mode(&r, true);
	gate64(&r, EXC_DB, CODE + 0x100);
	PROGRAM(&r, CODE + 0x100, "\x49\xff\xc7\x48\xcf"); /* inc r15; iretq */
	PROGRAM(&r, CODE, program);
	r.c->gpr[R_SP] = 0x80000;
	r.c->gpr[R_DI] = AREA;
	r.c->gpr[15] = 0;
	go(&r, CODE);
	/* nop, jmp, mov, 3 x stosb, loop, pushf, and, popf */
	CHECK_EQ(r.c->gpr[15], 10);
	CHECK_EQ(r.c->gpr[R_DI], AREA + 3);
	CHECK_EQ(r.c->gpr[R_SP], 0x80000);
	CHECK(r.c->dr[6] & BIT(14));
}

TEST(x86_run_single_steps_interpreter) { single_steps(0); }
TEST(x86_run_single_steps_translator) { single_steps(1); }
