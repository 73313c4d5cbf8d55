/* SPDX-License-Identifier: GPL-2.0-or-later */
/* fpu_env.c - the x87 environment in its four layouts: FNSTENV, FLDENV, FNSAVE, FRSTOR. SDM vol.
 * 1, 8.1.10, figures 8-9 to 8-12. */
#include "fpu.h"

/* Real-mode layouts hold linear addresses instead of selectors. */
static bool real_layout(const struct x86_cpu *c)
{
	return !(c->cpu.mode & M_PE) || c->cpu.mode & M_VM;
}

static unsigned put_env(const struct x86_cpu *c, bool wide, u8 *p)
{
	u32 ip = (u32)c->fpu_ip, dp = (u32)c->fpu_dp;
	bool real = real_layout(c);

	if (real) {
		ip += (u32)c->fpu_cs << 4;
		dp += (u32)c->fpu_ds << 4;
	}
	if (!wide) {
		st16le(p, c->fpu_cw);
		st16le(p + 2, c->fpu_sw);
		st16le(p + 4, fpu_full_tag(c));
		st16le(p + 6, (u16)ip);
		st16le(p + 8, real ? (u16)((ip >> 16 & 15) << 12 | c->fpu_op) : c->fpu_cs);
		st16le(p + 10, (u16)dp);
		st16le(p + 12, real ? (u16)((dp >> 16 & 15) << 12) : c->fpu_ds);
		return 14;
	}
	st32le(p, 0xffff0000u | c->fpu_cw);
	st32le(p + 4, 0xffff0000u | c->fpu_sw);
	st32le(p + 8, 0xffff0000u | fpu_full_tag(c));
	st32le(p + 12, real ? 0xffff0000u | (ip & 0xffff) : ip);
	st32le(p + 16, real ? (ip >> 16) << 12 | c->fpu_op : (u32)c->fpu_op << 16 | c->fpu_cs);
	st32le(p + 20, real ? 0xffff0000u | (dp & 0xffff) : dp);
	st32le(p + 24, real ? (dp >> 16) << 12 : 0xffff0000u | c->fpu_ds);
	return 28;
}

static void get_env(struct x86_cpu *c, bool wide, const u8 *p)
{
	unsigned step = wide ? 4 : 2;
	bool real = real_layout(c);
	u16 tag = ld16le(p + 2 * step);

	c->fpu_cw = (u16)((ld16le(p) & 0x1f3f) | 0x40);
	c->fpu_sw = ld16le(p + step);
	c->fpu_tag = 0;
	for (unsigned i = 0; i < 8; i++)
		if ((tag >> 2 * i & 3) != 3)
			c->fpu_tag |= (u16)(1 << i);
	c->fpu_ip = wide && !real ? ld32le(p + 12) : ld16le(p + 3 * step);
	c->fpu_dp = wide && !real ? ld32le(p + 20) : ld16le(p + 5 * step);
	c->fpu_cs = c->fpu_ds = 0;
	if (!real) {
		c->fpu_cs = ld16le(p + 4 * step);
		c->fpu_ds = ld16le(p + 6 * step);
		c->fpu_op = wide ? ld16le(p + 18) & 0x7ff : 0;
	} else {
		u32 hi = wide ? ld32le(p + 16) : ld16le(p + 8),
		    dhi = wide ? ld32le(p + 24) : ld16le(p + 12);

		c->fpu_ip |= hi >> 12 << 16;
		c->fpu_dp |= dhi >> 12 << 16;
		c->fpu_op = hi & 0x7ff;
	}
	fpu_loaded(c);
}

void fpu_operand(struct x86_cpu *c, u64 va, unsigned n, unsigned first, unsigned align,
		 enum access access)
{
	unsigned ctx = x86_data_ctx(c->cpu.mode);

	if (c->cpu.mode & M_ALIGN && va & (align - 1))
		x86_raise_err(c, EXC_AC, 0);
	cpu_probe(&c->cpu, ctx, va + first, 1, access);
	cpu_probe(&c->cpu, ctx, va, n, access);
}

FPU(fnstenv)
{
	struct x86_cpu *c = X86(cpu);
	u8 buf[28];
	unsigned n = put_env(c, imm & 1, buf);

	fpu_operand(c, a, n, 0, imm & 1 ? 4 : 2, ACCESS_WRITE);
	cpu_st_bytes(cpu, x86_data_ctx(cpu->mode), a, buf, n);
	c->fpu_cw |= F80_EXC;
	fpu_loaded(c);
	return 0;
}

FPU(fldenv)
{
	u8 buf[28];

	fpu_waiting(X86(cpu));
	fpu_operand(X86(cpu), a, imm & 1 ? 28 : 14, 0, imm & 1 ? 4 : 2, ACCESS_READ);
	cpu_ld_bytes(cpu, x86_data_ctx(cpu->mode), a, buf, imm & 1 ? 28 : 14);
	get_env(X86(cpu), imm & 1, buf);
	return 0;
}

FPU(fnsave)
{
	struct x86_cpu *c = X86(cpu);
	u8 buf[108];
	unsigned n = put_env(c, imm & 1, buf);

	for (unsigned i = 0; i < 8; i++, n += 10) {
		st64le(buf + n, c->fpr[fpu_phys(c, i)].m);
		st16le(buf + n + 8, c->fpr[fpu_phys(c, i)].se);
	}
	cpu_probe(cpu, x86_data_ctx(cpu->mode), a, 1, ACCESS_WRITE);
	fpu_operand(c, a, n, n - 1, imm & 1 ? 4 : 2, ACCESS_WRITE);
	cpu_st_bytes(cpu, x86_data_ctx(cpu->mode), a, buf, n);
	return x86_h_fninit(cpu, 0, 0, 0, 0);
}

FPU(frstor)
{
	struct x86_cpu *c = X86(cpu);
	unsigned n = imm & 1 ? 28 : 14;
	u8 buf[108];

	fpu_waiting(c);
	cpu_probe(cpu, x86_data_ctx(cpu->mode), a, 1, ACCESS_READ);
	fpu_operand(c, a, n + 80, n + 79, imm & 1 ? 4 : 2, ACCESS_READ);
	cpu_ld_bytes(cpu, x86_data_ctx(cpu->mode), a, buf, n + 80);
	get_env(c, imm & 1, buf);
	for (unsigned i = 0; i < 8; i++, n += 10) {
		c->fpr[fpu_phys(c, i)].m = ld64le(buf + n);
		c->fpr[fpu_phys(c, i)].se = ld16le(buf + n + 8);
	}
	return 0;
}
