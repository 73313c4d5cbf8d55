/* SPDX-License-Identifier: GPL-2.0-or-later */
/* int_sys.c - emitters of the system instructions. What they do is in helpers (system.def); here is
 * what is known at translation time: operands, privilege by CPL, modes. Intel SDM vol. 2; vol. 3
 * chapters 2, 5, 6. */
#include "decode.h"
#include "helpers.h"
#include "cpuid.h"

#define OP0  (&t->in->op[0])
#define OP1_ (&t->in->op[1])

static bool code64(const struct x86_tr *t) { return (t->mode & M_CODE) == M_CODE64; }

static ref next(struct x86_tr *t) { return ir_const(t->ir, t->next); }

/* --- segment registers */

/* Behind a load of a data segment: outside 64-bit code bases and limits may have changed. */
static void loaded(struct x86_tr *t, unsigned sreg)
{
	if (!code64(t))
		x86_end_next(t, IR_EXIT_NEXT);
	else if (sreg == S_SS)
		t->sti = true;
}

static ref protect(struct x86_tr *t, unsigned sreg)
{
	return ir_const(t->ir, sreg == S_SS && !code64(t) ? t->next : 0);
}

EMIT(mov_from_sreg)
{
	ref v = x86_get(t, OP1_);

	x86_put(t, OP0, v);
}

EMIT(mov_to_sreg)
{
	ref v;

	if (OP0->reg == S_CS) {
		x86_ud(t);
		return;
	}
	v = x86_get(t, OP1_);
	v = ir_un(t->ir, IR_ZEXT16, I64, v);
	ir_callv(t->ir, XH_load_seg, v, protect(t, OP0->reg), 0, OP0->reg);
	loaded(t, OP0->reg);
}

EMIT(push_sreg)
{
	ref v = x86_get(t, OP0);

	x86_push(t, t->in->osize, v);
}

EMIT(pop_sreg)
{
	ref v = x86_pop(t, t->in->osize);

	v = ir_un(t->ir, IR_ZEXT16, I64, v);
	ir_callv(t->ir, XH_load_seg, v, protect(t, OP0->reg), 0, OP0->reg);
	x86_pop_commit(t, t->in->osize);
	loaded(t, OP0->reg);
}

static void far_load(struct x86_tr *t, unsigned sreg)
{
	unsigned size = t->in->osize;
	struct x86_addr a = x86_addr(t, size + 2, false);
	ref off = x86_load_at(t, &a, x86_type(size), 0, 0),
	    sel = x86_load_at(t, &a, I16, (s32)size, 0);

	ir_callv(t->ir, XH_load_seg, sel, ir_const(t->ir, 0), 0, (s32)sreg);
	x86_put_gpr(t, OP0->reg, size, off);
	if (!code64(t))
		x86_end_next(t, IR_EXIT_NEXT);
}

EMIT(les) { far_load(t, S_ES); }
EMIT(lds) { far_load(t, S_DS); }
EMIT(lss) { far_load(t, S_SS); }
EMIT(lfs) { far_load(t, S_FS); }
EMIT(lgs) { far_load(t, S_GS); }

/* --- descriptors */

EMIT(arpl)
{
	ref s = x86_get(t, OP1_), d = x86_get_rmw(t, OP0), three = ir_const(t->ir, 3), a, b, less,
	    v, r = ir_temp(t->ir);

	a = ir_bin(t->ir, IR_AND, I32, d, three);
	b = ir_bin(t->ir, IR_AND, I32, s, three);
	less = ir_setc(t->ir, I32, CC_B, a, b);
	v = ir_bin(t->ir, IR_AND, I32, d, ir_const(t->ir, 0xfffc));
	v = ir_bin(t->ir, IR_OR, I32, v, b);
	ir_emit(t->ir, IR_SEL, I32, r, v, d)->c = less;
	x86_put_rmw(t, OP0, r);
	x86_put_zf(t, less);
}

static void sysreg(struct x86_tr *t, s32 which)
{
	ref v = ir_call(t->ir, XH_sysreg, 0, 0, 0, which);

	x86_put(t, OP0, v);
}

EMIT(sldt) { sysreg(t, 0); }
EMIT(str) { sysreg(t, 1); }
EMIT(smsw) { sysreg(t, 2); }

static void selector_op(struct x86_tr *t, unsigned helper)
{
	ref v = x86_get(t, OP0);

	v = ir_un(t->ir, IR_ZEXT16, I64, v);
	ir_callv(t->ir, helper, v, 0, 0, 0);
}

EMIT(lldt) { selector_op(t, XH_lldt); }
EMIT(ltr) { selector_op(t, XH_ltr); }

static void verify(struct x86_tr *t, s32 write)
{
	ref v = x86_get(t, OP0);

	v = ir_un(t->ir, IR_ZEXT16, I64, v);
	v = ir_call(t->ir, XH_verify, v, 0, 0, write);
	x86_put_zf(t, v);
}

EMIT(verr) { verify(t, 0); }
EMIT(verw) { verify(t, 1); }

/* The destination changes only when the selector is valid. */
static void describe(struct x86_tr *t, unsigned helper)
{
	unsigned size = OP0->size;
	ref v = x86_get(t, OP1_), d = x86_gpr(OP0->reg), valid, r = ir_temp(t->ir);

	v = ir_un(t->ir, IR_ZEXT16, I64, v);
	v = ir_call(t->ir, helper, v, 0, 0, 0);
	valid = ir_bin(t->ir, IR_SHR, I64, v, ir_const(t->ir, 32));
	if (size == 2)
		ir_emit(t->ir, IR_INS16, I64, r, d, v);
	else
		ir_emit(t->ir, IR_ZEXT32, I64, r, v, 0);
	ir_emit(t->ir, IR_SEL, I64, d, r, d)->c = valid;
	x86_put_zf(t, valid);
}

EMIT(lar) { describe(t, XH_lar); }
EMIT(lsl) { describe(t, XH_lsl); }

static void store_dt(struct x86_tr *t, s32 idt)
{
	unsigned base = code64(t) ? 8 : 4;
	ref a = x86_linear_ea(t, base + 2, true);

	ir_callv(t->ir, XH_store_dt, a, ir_const(t->ir, base), 0, idt);
}

static void load_dt(struct x86_tr *t, s32 idt)
{
	unsigned base = code64(t) ? 8 : t->in->osize == 2 ? 3 : 4;
	ref a = x86_linear_ea(t, (base == 8 ? 8 : 4) + 2, false);

	ir_callv(t->ir, XH_load_dt, a, ir_const(t->ir, base), 0, idt);
}

EMIT(sgdt) { store_dt(t, 0); }
EMIT(sidt) { store_dt(t, 1); }
EMIT(lgdt) { load_dt(t, 0); }
EMIT(lidt) { load_dt(t, 1); }

static void read_base(struct x86_tr *t, s32 sreg)
{
	ref v = ir_call(t->ir, XH_rd_base, 0, 0, 0, sreg);

	x86_put_gpr(t, OP0->reg, OP0->size, v);
}

static void write_base(struct x86_tr *t, s32 sreg)
{
	ref v = x86_get(t, OP0);

	if (OP0->size == 4)
		v = ir_un(t->ir, IR_ZEXT32, I64, v);
	ir_callv(t->ir, XH_wr_base, v, 0, 0, sreg);
}

EMIT(rdfsbase) { read_base(t, S_FS); }
EMIT(rdgsbase) { read_base(t, S_GS); }
EMIT(wrfsbase) { write_base(t, S_FS); }
EMIT(wrgsbase) { write_base(t, S_GS); }
EMIT(swapgs) { ir_callv(t->ir, XH_swapgs, 0, 0, 0, 0); }

/* --- control and debug registers, caches */

static bool cr_exists(unsigned n) { return n == 0 || n == 2 || n == 3 || n == 4 || n == 8; }

EMIT(mov_from_cr)
{
	ref v;

	if (!cr_exists(OP1_->reg)) {
		x86_ud(t);
		return;
	}
	v = ir_call(t->ir, XH_rd_cr, 0, 0, 0, OP1_->reg);
	x86_put_gpr(t, OP0->reg, code64(t) ? 8 : 4, v);
}

/* A register operand of 32 bits, 64 in 64-bit code, whatever the operand size. */
static ref full(struct x86_tr *t, unsigned reg)
{
	return code64(t) ? x86_gpr(reg) : ir_un(t->ir, IR_ZEXT32, I64, x86_gpr(reg));
}

EMIT(mov_to_cr)
{
	if (!cr_exists(OP0->reg)) {
		x86_ud(t);
		return;
	}
	ir_callv(t->ir, XH_wr_cr, full(t, OP1_->reg), 0, 0, OP0->reg);
	/* address space switches are frequent and need no visit to the machine loop */
	x86_end_next(t, OP0->reg == 2 || OP0->reg == 3 ? IR_EXIT_NEXT : IR_EXIT_POLL);
}

EMIT(mov_from_dr)
{
	ref v = ir_call(t->ir, XH_rd_dr, 0, 0, 0, OP1_->reg);

	x86_put_gpr(t, OP0->reg, code64(t) ? 8 : 4, v);
}

EMIT(mov_to_dr)
{
	ir_callv(t->ir, XH_wr_dr, full(t, OP1_->reg), 0, 0, OP0->reg);
	x86_end_next(t, IR_EXIT_NEXT);
}

EMIT(clts)
{
	ir_callv(t->ir, XH_clts, 0, 0, 0, 0);
	x86_end_next(t, IR_EXIT_NEXT);
}

EMIT(lmsw)
{
	ref v = x86_get(t, OP0);

	v = ir_un(t->ir, IR_ZEXT16, I64, v);
	ir_callv(t->ir, XH_lmsw, v, 0, 0, 0);
	x86_end_next(t, IR_EXIT_NEXT);
}

EMIT(invlpg)
{
	ref v = x86_ea(t);

	/* no access, hence no limit check */
	if (!code64(t) || t->in->seg == S_FS || t->in->seg == S_GS)
		v = ir_lea(t->ir, code64(t) ? I64 : I32, v, SLOT(SL_SEGBASE + t->in->seg), 0, 0);
	ir_callv(t->ir, XH_invlpg, v, 0, 0, 0);
	x86_end_next(t, IR_EXIT_NEXT);
}

EMIT(invpcid)
{
	ref a = x86_linear_ea(t, 16, false), type = full(t, OP0->reg);

	ir_callv(t->ir, XH_invpcid, a, type, 0, 0);
	x86_end_next(t, IR_EXIT_NEXT);
}

EMIT(rdmsr) { ir_callv(t->ir, XH_rdmsr, 0, 0, 0, 0); }

EMIT(wrmsr)
{
	ir_callv(t->ir, XH_wrmsr, 0, 0, 0, 0);
	x86_end_next(t, IR_EXIT_POLL);
}

EMIT(xgetbv) { ir_callv(t->ir, XH_xgetbv, 0, 0, 0, 0); }

EMIT(xsetbv)
{
	ir_callv(t->ir, XH_xsetbv, 0, 0, 0, 0);
	x86_end_next(t, IR_EXIT_NEXT);
}

static void set_ac(struct x86_tr *t, s32 on)
{
	/* not #GP: these are undefined outside privilege level 0 */
	if (MODE_CPL(t->mode)) {
		x86_ud(t);
		return;
	}
	ir_callv(t->ir, XH_set_ac, 0, 0, 0, on);
	x86_end_next(t, IR_EXIT_NEXT);
}

EMIT(clac) { set_ac(t, 0); }
EMIT(stac) { set_ac(t, 1); }

/* --- identification, time, random numbers */

EMIT(cpuid) { ir_callv(t->ir, XH_cpuid, 0, 0, 0, 0); }

/* EDX:EAX = v. */
static void put_pair(struct x86_tr *t, ref v)
{
	ir_copy(t->ir, I32, x86_gpr(R_AX), v);
	ir_emit(t->ir, IR_SHR, I64, x86_gpr(R_DX), v, ir_const(t->ir, 32));
}

EMIT(rdtsc) { put_pair(t, ir_call(t->ir, XH_rdtsc, 0, 0, 0, 0)); }

EMIT(rdtscp)
{
	ref tsc = ir_call(t->ir, XH_rdtsc, 0, 0, 0, 0),
	    aux = ir_call(t->ir, XH_tsc_aux, 0, 0, 0, 0);

	ir_copy(t->ir, I32, x86_gpr(R_CX), aux);
	put_pair(t, tsc);
}

EMIT(rdpmc)
{
	ref n = ir_un(t->ir, IR_ZEXT32, I64, x86_gpr(R_CX));

	put_pair(t, ir_call(t->ir, XH_rdpmc, n, 0, 0, 0));
}

EMIT(rdpid)
{
	ref v = ir_call(t->ir, XH_tsc_aux, 0, 0, 0, 0);

	x86_put_gpr(t, OP0->reg, code64(t) ? 8 : 4, v);
}

/* There is always a number: CF = 1, the other flags 0. */
static void random_number(struct x86_tr *t)
{
	ref v = ir_call(t->ir, XH_random, 0, 0, 0, 0);

	x86_put_gpr(t, OP0->reg, OP0->size, v);
	ir_emit(t->ir, IR_PUTF, I16, 0, ir_const(t->ir, HF_C), 0);
}

EMIT(rdrand) { random_number(t); }
EMIT(rdseed) { random_number(t); }

/* --- far control transfer */

static void far_transfer(struct x86_tr *t, unsigned helper, ref sel, ref off)
{
	ir_callv(t->ir, helper, sel, off, next(t), t->in->osize);
	x86_end_pc(t, IR_EXIT_NEXT);
}

static void far_memory(struct x86_tr *t, unsigned helper)
{
	unsigned size = t->in->osize;
	struct x86_addr a = x86_addr(t, size + 2, false);
	ref off = x86_load_at(t, &a, x86_type(size), 0, 0),
	    sel = x86_load_at(t, &a, I16, (s32)size, 0);

	far_transfer(t, helper, sel, off);
}

/* A direct far pointer: the offset is not sign-extended. */
static void far_direct(struct x86_tr *t, unsigned helper)
{
	far_transfer(t, helper, ir_const(t->ir, t->in->imm2), ir_const(t->ir, t->in->imm));
}

EMIT(call_far) { far_direct(t, XH_far_call); }
EMIT(jmp_far) { far_direct(t, XH_far_jmp); }
EMIT(call_far_mem) { far_memory(t, XH_far_call); }
EMIT(jmp_far_mem) { far_memory(t, XH_far_jmp); }

EMIT(ret_far)
{
	ir_callv(t->ir, XH_far_ret, ir_const(t->ir, t->in->imm & 0xffff), next(t), 0, t->in->osize);
	x86_end_pc(t, IR_EXIT_NEXT);
}

EMIT(iret)
{
	ir_callv(t->ir, XH_iret, next(t), 0, 0, t->in->osize);
	x86_end_pc(t, IR_EXIT_NEXT);
}

static void soft_int(struct x86_tr *t, s32 vector, u64 kind)
{
	ir_callv(t->ir, XH_soft_int, next(t), ir_const(t->ir, kind), 0, vector);
	ir_exit(t->ir, IR_EXIT_NEXT);
	t->ended = true;
}

EMIT(int_n) { soft_int(t, (s32)t->in->imm, 0); }
EMIT(int3) { soft_int(t, EXC_BP, 1); }
EMIT(int1) { soft_int(t, EXC_DB, 3); }

EMIT(into)
{
	u32 no = ir_label(t->ir);

	ir_brcc(t->ir, CC_NO, no);
	ir_callv(t->ir, XH_soft_int, next(t), ir_const(t->ir, 2), 0, EXC_OF);
	ir_place(t->ir, no);
}

EMIT(syscall)
{
	ir_callv(t->ir, XH_syscall, next(t), 0, 0, 0);
	x86_end_pc(t, IR_EXIT_NEXT);
}

EMIT(sysret)
{
	ir_callv(t->ir, XH_sysret, 0, 0, 0, t->in->osize == 8 ? 8 : 4);
	x86_end_pc(t, IR_EXIT_NEXT);
}

static bool protected_or_gp(struct x86_tr *t, bool privileged)
{
	if ((t->mode & M_PE) && !(privileged && MODE_CPL(t->mode)))
		return true;
	x86_raise_op(t, EXC_GP, 0);
	return false;
}

EMIT(sysenter)
{
	if (!protected_or_gp(t, false))
		return;
	ir_callv(t->ir, XH_sysenter, 0, 0, 0, 0);
	x86_end_pc(t, IR_EXIT_NEXT);
}

EMIT(sysexit)
{
	if (!protected_or_gp(t, true))
		return;
	ir_callv(t->ir, XH_sysexit, 0, 0, 0, t->in->osize == 8 ? 8 : 4);
	x86_end_pc(t, IR_EXIT_NEXT);
}

EMIT(hlt)
{
	ir_callv(t->ir, XH_hlt, next(t), 0, 0, 0);
	x86_end_pc(t, IR_EXIT_POLL);
}

EMIT(monitor)
{
	struct x86_addr a;
	ref v, cx = ir_un(t->ir, IR_ZEXT32, I64, x86_gpr(R_CX));

	if (MODE_CPL(t->mode)) {
		x86_ud(t);
		return;
	}
	a = x86_addr_at(t, t->in->seg, x86_gpr(R_AX), 1, false);
	x86_single_base(t, &a);
	v = a.mem & IR_ADDR32 ? ir_un(t->ir, IR_ZEXT32, I64, a.base) : a.base;
	ir_callv(t->ir, XH_monitor, v, cx, 0, 0);
}

EMIT(mwait)
{
	ref ax, cx;

	if (MODE_CPL(t->mode)) {
		x86_ud(t);
		return;
	}
	ax = ir_un(t->ir, IR_ZEXT32, I64, x86_gpr(R_AX));
	cx = ir_un(t->ir, IR_ZEXT32, I64, x86_gpr(R_CX));
	ir_callv(t->ir, XH_mwait, next(t), ax, cx, 0);
	x86_end_pc(t, IR_EXIT_POLL);
}

EMIT(rsm)
{
	ir_callv(t->ir, XH_rsm, 0, 0, 0, 0);
	x86_end_pc(t, IR_EXIT_POLL);
}

EMIT(ud) { x86_ud(t); }

/* --- flags */

static void interrupt_flag(struct x86_tr *t, bool on)
{
	ref e = SLOT(SL_EFLAGS);

	/* CPL 0 is within any IOPL */
	if (MODE_CPL(t->mode))
		ir_callv(t->ir, on ? XH_sti : XH_cli, 0, 0, 0, 0);
	else
		ir_emit(t->ir, on ? IR_OR : IR_AND, I64, e, e,
			ir_const(t->ir, on ? EFL_IF : ~(u64)EFL_IF));
	t->sti = on;
}

EMIT(cli) { interrupt_flag(t, false); }
EMIT(sti) { interrupt_flag(t, true); }

/* Without VM and RF, which are never pushed as set. */
EMIT(pushf)
{
	ref f, o, v;

	if (t->mode & M_VM) {
		v = ir_call(t->ir, XH_pushf_v86, 0, 0, 0, t->in->osize);
		x86_push(t, t->in->osize, v);
		return;
	}
	f = ir_temp(t->ir);
	ir_emit(t->ir, IR_GETF, I16, f, 0, 0);
	v = ir_un(t->ir, IR_EXT8H, I32, f);
	v = ir_bin(t->ir, IR_AND, I32, v, ir_const(t->ir, 0xd5));
	o = ir_bin(t->ir, IR_AND, I32, f, ir_const(t->ir, HF_O));
	v = ir_lea(t->ir, I64, v, 0, 0, EFL_1);
	o = ir_bin(t->ir, IR_SHL, I32, o, ir_const(t->ir, 11));
	v = ir_bin(t->ir, IR_OR, I64, v, o);
	f = ir_bin(t->ir, IR_AND, I64, SLOT(SL_EFLAGS),
		   ir_const(t->ir, (u32) ~(EFL_VM | EFL_RF | EFL_ARITH | EFL_1)));
	v = ir_bin(t->ir, IR_OR, I64, v, f);
	x86_push(t, t->in->osize, v);
}

EMIT(popf)
{
	ref v = x86_pop(t, t->in->osize), pending = ir_call(t->ir, XH_popf, v, 0, 0, t->in->osize);

	x86_pop_commit(t, t->in->osize);
	x86_end_polled(t, pending, t->next);
}

/* --- ports */

static ref port(struct x86_tr *t, const struct x86_operand *o)
{
	return o->kind == OPK_IMM ? ir_const(t->ir, t->in->imm & 0xff) :
				    ir_un(t->ir, IR_ZEXT16, I64, x86_gpr(R_DX));
}

EMIT(in)
{
	ref p = port(t, OP1_), v = ir_call(t->ir, XH_in, p, 0, 0, OP0->size);

	x86_put_gpr(t, R_AX, OP0->size, v);
}

EMIT(out)
{
	unsigned size = OP1_->size;
	ref p = port(t, OP0), v;

	v = ir_un(t->ir,
		  size == 1 ? IR_ZEXT8 :
		  size == 2 ? IR_ZEXT16 :
			      IR_ZEXT32,
		  I64, x86_gpr(R_AX));
	ir_callv(t->ir, XH_out, p, v, 0, (s32)size);
	x86_end_next(t, IR_EXIT_POLL);
}
