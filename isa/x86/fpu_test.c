/* SPDX-License-Identifier: GPL-2.0-or-later */
/* fpu_test.c - every x87 instruction, register and memory forms, against the host's: random states
 * of the register stack (empty registers, all control words, unmasked exceptions), special
 * operands; registers, tags, control and status words, memory and EFLAGS are compared. */
#include "../../lib/test.h"
#include "fpu.h"
#include "sse.h"

#ifdef __x86_64__
#include <stdio.h>
#include <sys/mman.h>

static u64 seed = 0x2545f4914f6cdd1dull;
static u64 rnd(void)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return seed * 0x9e3779b97f4a7c15ull;
}

static struct x86_cpu *cpu(void)
{
	static struct x86_cpu c;

	return &c;
}

/* The protected-mode 32-bit FSAVE image. */
struct image {
	u16 cw, r0, sw, r1, tag, r2;
	u32 ip, cs, dp, ds;
	u8 st[8][10];
} __attribute__((packed));

static struct x86_f80 value(void)
{
	static const struct {
		u16 se;
		u64 m;
	} v[] = { { 0, 0 },
		  { 0x8000, 0 },
		  { 0x3fff, 1ull << 63 },
		  { 0xbfff, 1ull << 63 },
		  { 0x7fff, 1ull << 63 },
		  { 0xffff, 1ull << 63 },
		  { 0x7fff, 3ull << 62 },
		  { 0xffff, 0xc000000000000001 },
		  { 0x7fff, 0x8000000000000001 },
		  { 0xffff, 0xa000000000000000 },
		  { 0, 1 },
		  { 0x8000, 0x7fffffffffffffff },
		  { 0, 1ull << 63 } /* pseudo-denormal */,
		  { 0x4000, 0x1234 } /* unnormal */,
		  { 0x7fff, 0 },
		  { 0x7ffe, ~0ull },
		  { 1, 1ull << 63 },
		  { 0x403e, 1ull << 63 },
		  { 0xc03e, 1ull << 63 },
		  { 0x403d, ~0ull },
		  { 0x401e, 1ull << 63 },
		  { 0x3ffe, 1ull << 63 },
		  { 0x4000, 0xc90fdaa22168c235 },
		  { 0x3fff, 0xc000000000000000 },
		  { 0x403e, 0x8ac7230489e80000 },
		  { 0x4042, 1ull << 63 },
		  { 0x43fe, ~0ull },
		  { 0x3bff, 1ull << 63 },
		  { 0x407e, ~0ull },
		  { 0x3f80, 1ull << 63 },
		  { 0x3ffd, 0x9a209a84fbcff799 } };
	u64 r = rnd();
	struct x86_f80 x = { .m = rnd(), .se = (u16)rnd() };

	switch (r >> 60 & 15) {
	case 0:
		return x; /* anything */
	case 1:
	case 2:
		x.m |= 1ull << 63;
		return x;
	case 3:
	case 4:
	case 5:
	case 6:
		x.m |= 1ull << 63;
		x.se = (u16)((x.se & 0x8000) | (0x3fff - 10 + (r & 31)));
		return x;
	case 7:
	case 8: /* integers */
		x.m = (r & 0xffff) << 48 | 1ull << 63;
		x.se = (u16)((x.se & 0x8000) | (0x3fff + (r >> 16) % 70));
		return x;
	case 9: /* a double */
		x.m = (x.m | 1ull << 63) & ~0x7ffull;
		x.se = (u16)((x.se & 0x8000) | (0x3fff - 1100 + r % 2200));
		return x;
	default:
		return (struct x86_f80){ .m = v[r % ARRAY_SIZE(v)].m,
					 .se = v[r % ARRAY_SIZE(v)].se };
	}
}

static u64 special64(void)
{
	static const u64 v[] = { 0,
				 1ull << 63,
				 0x3ff0000000000000,
				 0x7ff0000000000000,
				 0xfff0000000000000,
				 0x7ff8000000000001,
				 0x7ff0000000000001,
				 0xfff7000000000000,
				 1,
				 0x800fffffffffffff,
				 0x7fefffffffffffff,
				 0x7f8000007f800001,
				 0xff800000ffc00000,
				 0x0000000100000001,
				 0x7f7fffff007fffff,
				 0x8000800080008000,
				 0x7fff7fff7fff7fff };

	return rnd() & 1 ? v[rnd() % ARRAY_SIZE(v)] : rnd();
}

static void random_state(struct image *s)
{
	u64 r = rnd();
	u16 masks = r & 1 ? 0x3f : (u16)(r >> 8 & 0x3f);
	unsigned pc = r >> 16 & 3;

	memset(s, 0, sizeof(*s));
	s->cw = (u16)(0x40 | masks | (pc == 1 ? 3 : pc) << 8 | (r >> 18 & 3) << 10 |
		      (r >> 20 & 1) << 12);
	if (!(r >> 21 & 3))
		s->cw |= 0x300;
	s->sw = (u16)((r >> 32 & (F80_CC | F80_TOP)) | (r >> 48 & masks) |
		      (masks & 1 && r >> 60 & 1 ? F80_SF | F80_IE : 0));
	for (unsigned i = 0; i < 8; i++) {
		struct x86_f80 x = value();

		st64le(s->st[i], x.m);
		st16le(s->st[i] + 8, x.se);
	}
	/* mostly some registers in use and some free */
	for (unsigned i = 0; i < 8; i++) {
		unsigned phys = ((s->sw >> F80_TOP_SHIFT) + i) & 7;
		bool used = rnd() & 15 ? i < 4 : rnd() & 1;

		if (!used)
			s->tag |= (u16)(3 << 2 * phys);
	}
}

static void put(struct x86_cpu *c, const struct image *s)
{
	c->fpu_cw = s->cw;
	c->fpu_sw = s->sw;
	c->fpu_tag = 0;
	for (unsigned i = 0; i < 8; i++) {
		unsigned p = fpu_phys(c, i);

		if ((s->tag >> 2 * i & 3) != 3)
			c->fpu_tag |= (u16)(1 << i);
		c->fpr[p].m = ld64le(s->st[i]);
		c->fpr[p].se = ld16le(s->st[i] + 8);
	}
}

static void get(const struct x86_cpu *c, struct image *s)
{
	memset(s, 0, sizeof(*s));
	s->cw = c->fpu_cw;
	s->sw = c->fpu_sw;
	s->tag = fpu_full_tag(c);
	for (unsigned i = 0; i < 8; i++) {
		st64le(s->st[i], c->fpr[fpu_phys(c, i)].m);
		st16le(s->st[i] + 8, c->fpr[fpu_phys(c, i)].se);
	}
}

/* rdi = image, rsi = memory, rdx = flags in/out (u16: AX after LAHF, SETO), rcx = EFLAGS */
static void native(struct image *s, void *mem, u16 *flags, u64 efl, unsigned b0, unsigned b1)
{
	static u8 *p;
	void (*run)(struct image *, void *, u16 *, u64);
	/* frstor [rdi]; push rcx; popf; insn */
	u8 code[] = { 0xdd, 0x27, 0x51, 0x9d, (u8)b0, (u8)b1, 0x9f,
		      0x0f, 0x90, 0xc0, 0x66, 0x89,   0x02, /* lahf; seto al; mov [rdx], ax */
		      0xdd, 0x37, 0xc3 };		    /* fnsave [rdi]; ret */

	if (!p)
		p = mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC,
			 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	CHECK(p != MAP_FAILED);
	memcpy(p, code, sizeof(code));
	memcpy(&run, &p, sizeof(run));
	run(s, mem, flags, efl);
	s->r0 = s->r1 = s->r2 = 0;
	s->ip = s->cs = s->dp = s->ds = 0;
}

static unsigned memory_size(unsigned group, unsigned reg)
{
	switch (group) {
	case 0:
	case 1:
	case 2:
		return 4;
	case 3:
		return reg >= 5 ? 10 : 4;
	case 4:
	case 5:
		return 8;
	case 6:
		return 2;
	default:
		return reg < 4 ? 2 : reg & 1 ? 8 : 10;
	}
}

/* The helper that the emitter would call; -1 = not one of these. */
static int helper_of(unsigned group, unsigned modrm, bool *store)
{
	unsigned reg = modrm >> 3 & 7;

	*store = false;
	if (modrm < 0xc0) {
		if (!(group & 1))
			return XH_x87_arith;
		if (reg == 0 || (group == 3 && reg == 5) || (group == 7 && (reg == 4 || reg == 5)))
			return XH_x87_load;
		*store = reg == 2 || reg == 3 || (reg == 1 && group != 1) ||
			 (group == 3 && reg == 7) || (group == 7 && reg >= 6);
		return *store ? XH_x87_store : -1;
	}
	switch (group) {
	case 0:
	case 4:
		return XH_x87_arith;
	case 6:
		return reg == 3 && modrm != 0xd9 ? -1 : XH_x87_arith;
	case 1:
		if ((reg == 2 && modrm != 0xd0) || modrm == 0xe2 || modrm == 0xe3 ||
		    modrm == 0xe6 || modrm == 0xe7 || modrm == 0xef)
			return -1;
		return XH_x87_reg;
	case 2:
		return reg < 4 ? XH_x87_fcmov : modrm == 0xe9 ? XH_x87_reg : -1;
	case 3:
		return reg < 4		    ? XH_x87_fcmov :
		       reg == 5 || reg == 6 ? XH_x87_fcomi :
		       modrm == 0xe2	    ? XH_fnclex :
		       modrm == 0xe3	    ? XH_fninit :
					      -1;
	case 5:
		return reg < 6 ? XH_x87_reg : -1;
	default:
		return reg < 4 ? XH_x87_reg : reg == 5 || reg == 6 ? XH_x87_fcomi : -1;
	}
}

static void fail(unsigned group, unsigned modrm, const struct image *in, const struct image *got,
		 const struct image *want, u16 gf, u16 wf)
{
	char text[1200];
	int n = snprintf(text, sizeof(text),
			 "%02X %02X cw %04x sw %04x tag %04x; got cw %04x sw %04x tag %04x flags "
			 "%04x; host %04x %04x %04x %04x",
			 0xd8 + group, modrm, in->cw, in->sw, in->tag, got->cw, got->sw, got->tag,
			 gf, want->cw, want->sw, want->tag, wf);

	for (unsigned i = 0; i < 8; i++)
		n += snprintf(text + n, sizeof(text) - (size_t)n,
			      "\n  st%u was %04x:%016llx got %04x:%016llx host %04x:%016llx", i,
			      ld16le(in->st[i] + 8), (unsigned long long)ld64le(in->st[i]),
			      ld16le(got->st[i] + 8), (unsigned long long)ld64le(got->st[i]),
			      ld16le(want->st[i] + 8), (unsigned long long)ld64le(want->st[i]));
	test_fail(__FILE__, __LINE__, "%s", text);
}

static void one(unsigned group, unsigned modrm, int id, bool store)
{
	struct x86_cpu *c = cpu();
	bool mem = modrm < 0xc0;
	unsigned size = memory_size(group, modrm >> 3 & 7);
	struct image in, want, got;
	u8 wm[16] = { 0 }, gm[16] = { 0 };
	u16 wf = 0, gf = 0;
	u64 efl = 0x202 | (rnd() & (EFL_ARITH & ~EFL_AF));
	u64 a = 0, b = 0;

	random_state(&in);
	if (mem) {
		struct x86_f80 x = value();

		st64le(wm, size == 10 && rnd() & 7 ? x.m : special64());
		st16le(wm + 8, x.se);
		if (group == 7 && size == 10)
			for (unsigned i = 0; i < 9 && rnd() & 15; i++)
				wm[i] = (u8)(rnd() % 10 | rnd() % 10 << 4);
		memset(wm + size, 0, 16 - size);
		memcpy(gm, wm, 16);
		a = ld64le(gm);
		b = ld64le(gm + 8);
	}
	want = in;
	native(&want, wm, &wf, efl, 0xd8 + group, mem ? modrm | 6 : modrm);
	put(c, &in);
	c->cpu.hflags = x86_hf_from_arith((u32)efl);
	x86_fpu_enter(&c->cpu);
	if (store) {
		if (x86_helpers[id].fn(&c->cpu, 0, 0, 0, group << 8 | modrm)) {
			u8 v[16];

			st64le(v, c->tmp[0]);
			st64le(v + 8, c->tmp[1]);
			memcpy(gm, v, size);
		}
	} else {
		x86_helpers[id].fn(&c->cpu, a, b, 0, group << 8 | modrm);
	}
	x86_fpu_leave(&c->cpu);
	get(c, &got);
	if (id == XH_x87_fcomi || id == XH_x87_fcmov) { /* vendors differ in C1 */
		got.sw &= (u16)~F80_C1;
		want.sw &= (u16)~F80_C1;
	}
	gf = c->cpu.hflags & HF_ALL;
	wf &= HF_ALL;
	if (memcmp(&got, &want, sizeof(got)) || gf != wf)
		fail(group, modrm, &in, &got, &want, gf, wf);
	if (memcmp(gm, wm, 16))
		test_fail(__FILE__, __LINE__,
			  "%02X %02X cw %04x: st0 %04x:%016llx memory %02x%016llx, host "
			  "%02x%016llx",
			  0xd8 + group, modrm, in.cw, ld16le(in.st[0] + 8),
			  (unsigned long long)ld64le(in.st[0]), ld16le(gm + 8),
			  (unsigned long long)ld64le(gm), ld16le(wm + 8),
			  (unsigned long long)ld64le(wm));
}

static void all(bool mem, unsigned rounds)
{
	for (unsigned group = 0; group < 8; group++)
		for (unsigned modrm = mem ? 0 : 0xc0; modrm < (mem ? 0x40 : 0x100);
		     modrm += mem ? 8 : 1) {
			bool store;
			int id = helper_of(group, modrm, &store);

			for (unsigned i = 0; id >= 0 && i < rounds; i++)
				one(group, modrm, id, store);
		}
}

TEST_TIMED(fpu_memory_forms, 120) { all(true, 20000); }
TEST_TIMED(fpu_register_forms, 120) { all(false, 4000); }

/* FNSTENV, FNSAVE, FRSTOR, FXSAVE images through guest memory are whole-machine matters (segments,
 * layouts); here: FXSAVE's fields. */
TEST(fpu_tag_word)
{
	struct x86_cpu *c = cpu();

	for (unsigned i = 0; i < 2000; i++) {
		struct image in, want;
		u16 f;

		random_state(&in);
		want = in;
		native(&want, NULL, &f, 0x202, 0x66, 0x90);
		put(c, &in);
		CHECK_EQ(fpu_full_tag(c), want.tag);
	}
}
#endif
