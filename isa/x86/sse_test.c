/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sse_test.c - every vector helper against the host instruction that its row in sse.def names, on
 * random and special operands, with results and MXCSR flags compared. This proves the C code and
 * the encoding that back ends inline. */
#include "../../lib/test.h"
#include "sse.h"

#ifdef __x86_64__
#include <stdlib.h>
#include <sys/mman.h>

static u64 seed = 0x9e3779b97f4a7c15ull;
static u64 rnd(void)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return seed * 0x2545f4914f6cdd1dull;
}

static u8 *code_page(void)
{
	static u8 *p;

	if (!p)
		p = mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC,
			 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	CHECK(p != MAP_FAILED);
	return p;
}

static struct x86_cpu *cpu(void)
{
	static struct x86_cpu c;

	return &c;
}

static bool host_has(unsigned need)
{
	switch (need) {
	case HOST_BASE:
		return true;
	case HOST_SSE3:
		return __builtin_cpu_supports("sse3");
	case HOST_SSSE3:
		return __builtin_cpu_supports("ssse3");
	case HOST_SSE41:
		return __builtin_cpu_supports("sse4.1");
	case HOST_SSE42:
		return __builtin_cpu_supports("sse4.2");
	case HOST_AES:
		return __builtin_cpu_supports("aes");
	case HOST_PCLMUL:
		return __builtin_cpu_supports("pclmul");
	case HOST_SHA: {
		u32 a = 7, b, c = 0, d;
		__asm__ volatile("cpuid" : "+a"(a), "=b"(b), "+c"(c), "=d"(d));
		return b >> 29 & 1;
	}
	default:
		return false;
	}
}

/* --- operands */

static u32 special32(void)
{
	static const u32 v[] = { 0,	     0x80000000, 0x3f800000, 0xbf800000, 0x7f800000,
				 0xff800000, 0x7fc00000, 0xffc00001, 0x7f800001, 0xff812345,
				 1,	     0x80000001, 0x007fffff, 0x807fffff, 0x00800000,
				 0x7f7fffff, 0xff7fffff, 0x4b000000, 0x4b000001, 0x4f000000,
				 0xcf000000, 0x4effffff, 0x5f000000, 0xdf000000, 0x3f000000,
				 0x3effffff, 0x3f000001, 0x3fc00000, 0x40200000, 0x7fffffff,
				 0xffffffff, 0x00800001, 0x0c000000, 0x33800000, 0x7e800000 };
	u32 r = (u32)rnd();

	switch (r >> 28 & 7) {
	case 0:
		return (u32)rnd();
	case 1:
		return ((u32)rnd() & 0x807fffff) | (127 - 12 + (r & 31)) << 23; /* around 1 */
	case 2:
		return ((u32)rnd() & 0x80ffffff); /* around the smallest normal */
	case 3:
		return ((u32)rnd() & 0x803fffff) | 0x7f000000;
	default:
		return v[r % ARRAY_SIZE(v)];
	}
}

static u64 special64(void)
{
	static const u64 v[] = { 0,
				 1ull << 63,
				 0x3ff0000000000000,
				 0xbff0000000000000,
				 0x7ff0000000000000,
				 0xfff0000000000000,
				 0x7ff8000000000000,
				 0xfff8000000000001,
				 0x7ff0000000000001,
				 0xfff4000000000000,
				 1,
				 0x8000000000000001,
				 0x000fffffffffffff,
				 0x0010000000000000,
				 0x7fefffffffffffff,
				 0x41e0000000000000,
				 0xc1e0000000000000,
				 0x41dfffffffc00000,
				 0x41dfffffffe00000,
				 0xc1e0000000100000,
				 0x43e0000000000000,
				 0xc3e0000000000000,
				 0x43dfffffffffffff,
				 0x3fe0000000000000,
				 0x3fdfffffffffffff,
				 0x3ff8000000000000,
				 0x47efffffe0000000,
				 0x47efffffffffffff,
				 0x380fffffffffffff,
				 0x3690000000000000,
				 0x36a0000000000000,
				 0x380ffffff0000000,
				 0x4330000000000000,
				 0x4320000000000001,
				 0x7ff4000020000000 };
	u64 r = rnd();

	switch (r >> 60 & 7) {
	case 0:
		return rnd();
	case 1:
		return (rnd() & 0x800fffffffffffff) | (1023 - 20 + (r & 63)) << 52;
	case 2:
		return rnd() & 0x801fffffffffffff;
	case 3:
		return (rnd() & 0x800fffffffffffff) |
		       (1023 - 130 + (r & 255)) << 52; /* around the limits of float */
	default:
		return v[r % ARRAY_SIZE(v)];
	}
}

static union x86_xmm operand(void)
{
	union x86_xmm x;
	u64 kind = rnd() >> 61;

	for (unsigned i = 0; i < 4; i++)
		x.d[i] = kind < 3 ? special32() : (u32)rnd();
	if (kind >= 3 && kind < 6)
		x.q[0] = special64(), x.q[1] = special64();
	if (kind == 6)
		for (unsigned i = 0; i < 16; i++)
			x.b[i] = "\0\1\x7f\x80\x81\xff\xfe\5\x80"[rnd() % 9];
	return x;
}

static u32 random_mxcsr(void)
{
	u32 r = (u32)(rnd() >> 32), mx = MX_MASKS;

	if (r & 1)
		mx |= r & MX_RC;
	if ((r >> 1 & 3) == 3)
		mx |= MX_DAZ;
	if ((r >> 3 & 3) == 3)
		mx |= MX_FTZ;
	return mx;
}

/* --- running */

struct result {
	union x86_xmm x;
	u64 value;
	u16 flags;
	u32 mxcsr;
};

static u32 swap_mxcsr(u32 v)
{
	u32 old;

	__asm__ volatile("stmxcsr %0" : "=m"(old));
	__asm__ volatile("ldmxcsr %0" : : "m"(v));
	return old;
}

/* xmm0 = *x, xmm1 = *y, xmm2 = rax = value: insn; results back. rdi = x, rsi = y, rdx = struct
 * result */
static unsigned begin(u8 *p)
{
	static const u8 pre[] = { 0x0f, 0x10, 0x07,   /* movups xmm0, [rdi] */
				  0x0f, 0x10, 0x0e,   /* movups xmm1, [rsi] */
				  0x48, 0x89, 0xc8 }; /* mov rax, rcx */

	memcpy(p, pre, sizeof(pre));
	return sizeof(pre);
}

static void end(u8 *p, unsigned n)
{
	/* mov [rdx+value], rax */
	static const u8 post[] = { 0x48, 0x89, 0x42, offsetof(struct result, value), 0x9f, 0x0f,
				   0x90, 0xc0, /* lahf; seto al */
				   /* mov [rdx+flags], ax */
				   0x66, 0x89, 0x42, offsetof(struct result, flags), 0x0f, 0x11,
				   0x07, 0xc3 }; /* movups [rdi], xmm0; ret */

	memcpy(p + n, post, sizeof(post));
}

static unsigned encode(u8 *p, unsigned prefix, unsigned rex, unsigned map, unsigned opcode)
{
	unsigned n = 0;

	if (prefix)
		p[n++] = (u8)prefix;
	if (rex)
		p[n++] = (u8)rex;
	p[n++] = 0x0f;
	if (map > 1)
		p[n++] = map == 2 ? 0x38 : 0x3a;
	p[n++] = (u8)opcode;
	return n;
}

static void native(struct result *r, union x86_xmm y, u64 value, u32 mx)
{
	void (*run)(void *, void *, void *, u64);
	u8 *p = code_page();
	u32 old;

	memcpy(&run, &p, sizeof(run));
	old = swap_mxcsr(mx);
	run(&r->x, &y, r, value);
	r->mxcsr = swap_mxcsr(old);
}

static void helper(unsigned id, struct result *r, union x86_xmm *y, u64 b, union x86_xmm *z,
		   u64 imm, u32 mx)
{
	struct x86_cpu *c = cpu();

	c->mxcsr = mx;
	c->cpu.hflags = 0;
	x86_fpu_enter(&c->cpu);
	r->value = x86_helpers[id].fn(&c->cpu, (uintptr_t)&r->x, y ? (uintptr_t)y : b, (uintptr_t)z,
				      imm);
	x86_fpu_leave(&c->cpu);
	r->flags = c->cpu.hflags;
	r->mxcsr = c->mxcsr;
}

static void show(const char *name, const union x86_xmm *x, const union x86_xmm *y, u64 imm, u32 mx,
		 const struct result *got, const struct result *want)
{
	test_fail(__FILE__, __LINE__,
		  "%s x=%016llx:%016llx y=%016llx:%016llx imm=%#llx mxcsr=%#x: got %016llx:%016llx "
		  "%#llx flags %#x mxcsr %#x, host %016llx:%016llx %#llx flags %#x mxcsr %#x",
		  name, (unsigned long long)x->q[1], (unsigned long long)x->q[0],
		  (unsigned long long)y->q[1], (unsigned long long)y->q[0], (unsigned long long)imm,
		  mx, (unsigned long long)got->x.q[1], (unsigned long long)got->x.q[0],
		  (unsigned long long)got->value, got->flags, got->mxcsr,
		  (unsigned long long)want->x.q[1], (unsigned long long)want->x.q[0],
		  (unsigned long long)want->value, want->flags, want->mxcsr);
}

static bool compared(const char *name)
{
#ifdef QUERN_PORTABLE
	return strncmp(name, "rcp", 3) && strncmp(name, "rsqrt", 5); /* estimates */
#else
	return true;
#endif
}

static void try_vector(unsigned id, unsigned imm, unsigned rounds)
{
	const struct ir_helper *h = &x86_helpers[id];

	for (unsigned i = 0; i < rounds; i++) {
		union x86_xmm x = operand(), y = i & 15 ? operand() : x;
		struct result got = { .x = x }, want = got;
		u32 mx = random_mxcsr();

		native(&want, y, 0, mx);
		helper(id, &got, &y, 0, NULL, imm, mx);
		if (memcmp(&got.x, &want.x, 16) || got.mxcsr != want.mxcsr)
			show(h->name, &x, &y, imm, mx, &got, &want);
	}
}

/* All VECTOR rows. */
TEST_TIMED(sse_vectors, 120)
{
	unsigned done = 0;

	for (unsigned id = 0; id < XH_COUNT; id++) {
		const struct ir_helper *h = &x86_helpers[id];
		unsigned nimm = h->x86.has_imm ? 256 : 1;

		if (!h->x86.map || !host_has(h->x86.host_need) || !compared(h->name))
			continue;
		for (unsigned imm = 0; imm < nimm; imm++) {
			u8 *p = code_page();
			unsigned n = begin(p);

			n += encode(p + n, h->x86.prefix, 0, h->x86.map, h->x86.opcode);
			p[n++] = 0xc1;
			if (h->x86.has_imm)
				p[n++] = (u8)imm;
			end(p, n);
			try_vector(id, imm, nimm > 1 ? 200 : 20000);
		}
		done++;
	}
	CHECK(done > 150);
}

/* The same with destination and source one register. */
TEST(sse_aliased)
{
	for (unsigned id = 0; id < XH_COUNT; id++) {
		const struct ir_helper *h = &x86_helpers[id];

		if (!h->x86.map || !compared(h->name))
			continue;
		for (unsigned i = 0; i < 500; i++) {
			union x86_xmm x = operand(), y = x;
			struct result one = { .x = x }, two = one;
			unsigned imm = (unsigned)rnd() & 0xff;

			helper(id, &one, &y, 0, NULL, imm, MX_MASKS);
			helper(id, &two, &two.x, 0, NULL, imm, MX_MASKS);
			if (memcmp(&one.x, &two.x, 16))
				show(h->name, &x, &y, imm, MX_MASKS, &two, &one);
		}
	}
}

static void try_alt(unsigned id, unsigned imm, unsigned rounds)
{
	const struct ir_helper *h = &x86_helpers[id];
	unsigned form = h->x86_alt.form;

	for (unsigned i = 0; i < rounds; i++) {
		union x86_xmm x = operand(), y = i & 15 ? operand() : x;
		struct result got = { .x = x }, want = got;
		u64 value = rnd() >> (rnd() & 63);
		u32 mx = random_mxcsr();

		if (rnd() & 1)
			value = ~value;
		native(&want, y, value, mx);
		helper(id, &got, form == X86_FORM_VR ? NULL : &y, value, NULL, imm, mx);
		if (memcmp(&got.x, &want.x, 16) || got.mxcsr != want.mxcsr ||
		    (form == X86_FORM_RV && got.value != want.value) ||
		    (form == X86_FORM_FLAGS && got.flags != (want.flags & HF_ALL)))
			show(h->name, &x, &y, form == X86_FORM_VR ? value : imm, mx, &got, &want);
	}
}

/* All ALT rows. */
TEST_TIMED(sse_other_shapes, 60)
{
	for (unsigned id = 0; id < XH_COUNT; id++) {
		const struct ir_helper *h = &x86_helpers[id];
		unsigned form = h->x86_alt.form, nimm = form == X86_FORM_SHIFT ? 256 : 1;

		if (!form || !host_has(h->x86_alt.host_need))
			continue;
		for (unsigned imm = 0; imm < nimm; imm++) {
			u8 *p = code_page();
			unsigned n = begin(p);

			n += encode(p + n, h->x86_alt.prefix, h->x86_alt.rexw ? 0x48 : 0,
				    h->x86_alt.map, h->x86_alt.opcode);
			p[n++] = form == X86_FORM_SHIFT ? (u8)(0xc0 | h->x86_alt.digit << 3) :
				 form == X86_FORM_FLAGS ? 0xc1 :
							  0xc0;
			if (form == X86_FORM_SHIFT)
				p[n++] = (u8)imm;
			end(p, n);
			try_alt(id, imm, nimm > 1 ? 50 : 20000);
		}
	}
}

/* With xmm0 as third operand: the destination is xmm2 here. */
TEST(sse_implicit_xmm0)
{
	static const struct {
		unsigned id, prefix, opcode, need;
	} rows[] = { { XH_pblendvb, 0x66, 0x10, HOST_SSE41 },
		     { XH_blendvps, 0x66, 0x14, HOST_SSE41 },
		     { XH_blendvpd, 0x66, 0x15, HOST_SSE41 },
		     { XH_sha256rnds2, 0, 0xcb, HOST_SHA } };
	/* movups xmm2, [rdi] */
	static const u8 copy_in[] = { 0x0f, 0x10, 0x57, offsetof(struct result, x) + 0 };
	/* movups xmm0, [rdx+64] */
	static const u8 load0[] = { 0x0f, 0x10, 0x42, 64 };
	/* movaps xmm0, xmm2 */
	static const u8 copy_out[] = { 0x0f, 0x28, 0xc2 };

	for (unsigned k = 0; k < ARRAY_SIZE(rows); k++) {
		u8 *p = code_page();
		unsigned n = begin(p);

		if (!host_has(rows[k].need))
			continue;
		memcpy(p + n, copy_in, 4);
		memcpy(p + n + 4, load0, 4);
		n += 8;
		n += encode(p + n, rows[k].prefix, 0, 2, rows[k].opcode);
		p[n++] = 0xd1;
		memcpy(p + n, copy_out, 3);
		end(p, n + 3);
		for (unsigned i = 0; i < 20000; i++) {
			struct {
				struct result r;
				u8 pad[64 - sizeof(struct result)];
				union x86_xmm z;
			} want;
			union x86_xmm x = operand(), y = operand(), z = operand();
			struct result got = { .x = x };

			want.r = got;
			want.z = z;
			native(&want.r, y, 0, MX_MASKS);
			helper(rows[k].id, &got, &y, 0, &z, 0, MX_MASKS);
			if (memcmp(&got.x, &want.r.x, 16))
				show(x86_helpers[rows[k].id].name, &x, &y, 0, MX_MASKS, &got,
				     &want.r);
		}
	}
}

static union x86_xmm text(void)
{
	union x86_xmm x = operand();

	if (rnd() & 3)
		for (unsigned i = 0; i < 16; i++)
			x.b[i] = (u8)(rnd() % 5 * (rnd() & 7 ? 1 : 0x81) + (rnd() & 15 ? 1 : 0));
	return x;
}

/* String compares: index forms return rcx, mask forms xmm0. */
TEST_TIMED(sse_strings, 60)
{
	static const unsigned ids[4] = { XH_pcmpestrm, XH_pcmpestri, XH_pcmpistrm, XH_pcmpistri };

	if (!host_has(HOST_SSE42))
		test_skip("the host has no SSE4.2");
	for (unsigned k = 0; k < 4; k++)
		for (unsigned imm = 0; imm < 256; imm++)
			for (unsigned wide = 0; wide < (k < 2 ? 2 : 1); wide++) {
				u8 *p = code_page();
				unsigned n = begin(p);

				/* rdx is kept in r8 and loaded with the second length: mov r8, rdx;
				 * mov rdx, [rdx+64]; (rax = value) */
				memcpy(p + n, "\x49\x89\xd0\x48\x8b\x52\x40", 7);
				n += 7;
				n += encode(p + n, 0x66, wide ? 0x48 : 0, 3, 0x60 + k);
				p[n++] = 0xc1;
				p[n++] = (u8)imm;
				/* movzx eax of rcx without touching flags: mov rax, rcx; mov rdx,
				 * r8 */
				memcpy(p + n, "\x48\x89\xc8\x4c\x89\xc2", 6);
				end(p, n + 6);
				for (unsigned i = 0; i < 300; i++) {
					struct {
						struct result r;
						u8 pad[64 - sizeof(struct result)];
						u64 rdx;
					} want;
					union x86_xmm x = text(), y = rnd() & 3 ? text() : x;
					struct result got = { .x = x };
					struct x86_cpu *c = cpu();
					u64 la = rnd() & 1 ? rnd() : rnd() % 40 - 20,
					    lb = rnd() & 1 ? rnd() : rnd() % 40 - 20;

					want.r = got;
					want.rdx = lb;
					c->gpr[R_AX] = la;
					c->gpr[R_DX] = lb;
					native(&want.r, y, la, MX_MASKS);
					c->xmm[0] = x;
					helper(ids[k], &got, &y, 0, NULL, imm | wide << 8,
					       MX_MASKS);
					got.x = c->xmm[0];
					if (!(k & 1 ? (u32)got.value == (u32)want.r.value :
						      !memcmp(&got.x, &want.r.x, 16)) ||
					    got.flags != (want.r.flags & HF_ALL))
						show(x86_helpers[ids[k]].name, &x, &y, imm, wide,
						     &got, &want.r);
				}
			}
}

/* MMX through the vector helpers. */
TEST(sse_mmx)
{
	static const struct {
		u8 map, opcode;
		u16 id;
		u8 mode, imm, need;
	} rows[] = {
#define M(op, n)	{ 1, 0x##op, XH_##n, MMX_LOW, 0, HOST_BASE },
#define M2(op, n, mode) { 1, 0x##op, XH_##n, mode, 0, HOST_BASE },
#define S(op, n, mode)	{ 2, 0x##op, XH_##n, mode, 0, HOST_SSSE3 },
		M(60, punpcklbw) M(61, punpcklwd) M(62, punpckldq) M2(63, packsswb, MMX_PAIR) M(
			64, pcmpgtb) M(65,
				       pcmpgtw) M(66,
						  pcmpgtd) M2(67, packuswb,
							      MMX_PAIR) M2(68, punpcklbw,
									   MMX_HIGH) M2(69,
											punpcklwd,
											MMX_HIGH)
			M2(6a, punpckldq,
			   MMX_HIGH) M2(6b, packssdw,
					MMX_PAIR) M(74,
						    pcmpeqb) M(75,
							       pcmpeqw) M(76,
									  pcmpeqd) M(d1,
										     psrlw) M(d2,
											      psrld)
				M(d3, psrlq) M(d4, paddq) M(d5, pmullw) M(d8, psubusb) M(
					d9, psubusw) M(da,
						       pminub) M(db,
								 pand) M(dc, paddusb)
					M(dd, paddusw) M(de, pmaxub) M(df, pandn) M(e0, pavgb) M(
						e1, psraw) M(e2,
							     psrad) M(e3,
								      pavgw) M(e4, pmulhuw)
						M(e5, pmulhw) M(e8, psubsb) M(e9, psubsw) M(ea, pminsw) M(
							eb,
							por) M(ec,
							       paddsb) M(ed,
									 paddsw) M(ee,
										   pmaxsw) M(ef,
											     pxor) M(f1,
												     psllw)
							M(f2, pslld) M(f3, psllq) M(f4, pmuludq) M(
								f5,
								pmaddwd) M(f6,
									   psadbw) M(f8,
										     psubb) M(f9,
											      psubw) M(fa, psubd)
								M(fb, psubq) M(fc, paddb) M(fd, paddw) M(
									fe,
									paddd) S(00, pshufb,
										 MMX_SHUF) S(01,
											     phaddw,
											     MMX_PAIR) S(02,
													 phaddd,
													 MMX_PAIR)
									S(03, phaddsw, MMX_PAIR) S(
										04, pmaddubsw,
										MMX_LOW) S(05,
											   phsubw,
											   MMX_PAIR) S(06,
												       phsubd,
												       MMX_PAIR)
										S(07, phsubsw, MMX_PAIR) S(
											08, psignb,
											MMX_LOW) S(09,
												   psignw,
												   MMX_LOW)
											S(0a, psignd, MMX_LOW) S(
												0b,
												pmulhrsw,
												MMX_LOW) S(1c,
													   pabsb,
													   MMX_LOW)
												S(1d,
												  pabsw,
												  MMX_LOW) S(1e,
													     pabsd,
													     MMX_LOW){
													3,
													0x0f,
													XH_palignr,
													MMX_ALIGN,
													1,
													HOST_SSSE3 },
		{ 1, 0x70, XH_pshuflw, MMX_LOW, 1, HOST_BASE },
	};

	for (unsigned k = 0; k < ARRAY_SIZE(rows); k++)
		for (unsigned imm = 0; imm < (rows[k].imm ? 256 : 1); imm++) {
			u8 *p = code_page();
			unsigned n = 6;

			if (!host_has(rows[k].need))
				continue;
			/* movq mm0, [rdi]; movq mm1, [rsi] */
			memcpy(p, "\x0f\x6f\x07\x0f\x6f\x0e", 6);
			n += encode(p + n, 0, 0, rows[k].map, rows[k].opcode);
			p[n++] = 0xc1;
			if (rows[k].imm)
				p[n++] = (u8)imm;
			/* movq [rdi], mm0; emms; ret */
			memcpy(p + n, "\x0f\x7f\x07\x0f\x77\xc3", 6);
			for (unsigned i = 0; i < (rows[k].imm ? 100 : 5000); i++) {
				union x86_xmm x = operand(), y = operand();
				struct result want = { .x = x };
				u64 got;

				if (!(rnd() & 3))
					y.q[0] &= 63;
				native(&want, y, 0, MX_MASKS);
				got = x86_h_mmx(&cpu()->cpu, x.q[0], y.q[0], 0,
						(u64)(s64)(s32)(rows[k].id | rows[k].mode << 16 |
								imm << 24));
				if (got != want.x.q[0])
					test_fail(__FILE__, __LINE__,
						  "mmx %s %#llx %#llx imm %#x: %#llx, host %#llx",
						  x86_helpers[rows[k].id].name,
						  (unsigned long long)x.q[0],
						  (unsigned long long)y.q[0], imm,
						  (unsigned long long)got,
						  (unsigned long long)want.x.q[0]);
			}
		}
}
#endif
