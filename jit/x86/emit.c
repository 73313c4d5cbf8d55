/* SPDX-License-Identifier: GPL-2.0-or-later */
/* emit.c - one unit from IR to x86-64 code: one pass forward, after one backward by liveness; and
 * the interface to the engine. What operations become: alu.c, move.c, mem.c, vec.c, call.c, exit.c.
 */
#include "emit.h"
#include <asm/prctl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

#define OP(name, call) \
	static void op_##name(struct em *m) { call; }
OP(add, emit_alu(m, ALU_ADD))
OP(sub, emit_alu(m, ALU_SUB))
OP(adc, emit_alu(m, ALU_ADC))
OP(sbb, emit_alu(m, ALU_SBB))
OP(and, emit_alu(m, ALU_AND))
OP(or, emit_alu(m, ALU_OR))
OP(xor, emit_alu(m, ALU_XOR))
OP(not, emit_unary(m, 2, 0xf6))
OP(neg, emit_unary(m, 3, 0xf6))
OP(inc, emit_unary(m, 0, 0xfe))
OP(dec, emit_unary(m, 1, 0xfe))
OP(rol, emit_shift(m, 0))
OP(ror, emit_shift(m, 1))
OP(rcl, emit_shift(m, 2))
OP(rcr, emit_shift(m, 3))
OP(shl, emit_shift(m, 4))
OP(shr, emit_shift(m, 5))
OP(sar, emit_shift(m, 7))

static void op_insn(struct em *m)
{
	m->held = false;
	vec_insn(m);
	m->u->ninsns = (u32)m->o->imm;
}

static void op_fence(struct em *m)
{
	e8(&m->c, 0x0f);
	e8(&m->c, 0xae);
	e8(&m->c, 0xf0);
}

static void op_goto(struct em *m) { add_exit(m, NULL, ir_const_value(m->ir, m->o->a), m->o->pad); }

static void (*const emitters[])(struct em *) = {
	[IR_INSN] = op_insn,
	[IR_MOV] = emit_mov,
	[IR_LEA] = emit_lea,
	[IR_ZEXT8] = emit_extend,
	[IR_ZEXT16] = emit_extend,
	[IR_ZEXT32] = emit_extend,
	[IR_SEXT8] = emit_extend,
	[IR_SEXT16] = emit_extend,
	[IR_SEXT32] = emit_extend,
	[IR_EXT8H] = emit_ext8h,
	[IR_INS8] = emit_insert,
	[IR_INS8H] = emit_insert,
	[IR_INS16] = emit_insert,
	[IR_ADD] = op_add,
	[IR_SUB] = op_sub,
	[IR_ADC] = op_adc,
	[IR_SBB] = op_sbb,
	[IR_AND] = op_and,
	[IR_OR] = op_or,
	[IR_XOR] = op_xor,
	[IR_ANDN] = emit_andn,
	[IR_NOT] = op_not,
	[IR_NEG] = op_neg,
	[IR_INC] = op_inc,
	[IR_DEC] = op_dec,
	[IR_ROL] = op_rol,
	[IR_ROR] = op_ror,
	[IR_RCL] = op_rcl,
	[IR_RCR] = op_rcr,
	[IR_SHL] = op_shl,
	[IR_SHR] = op_shr,
	[IR_SAR] = op_sar,
	[IR_SHLD] = emit_double_shift,
	[IR_SHRD] = emit_double_shift,
	[IR_MUL] = emit_mul,
	[IR_MULU2] = emit_mul2,
	[IR_MULS2] = emit_mul2,
	[IR_DIVU2] = emit_divide,
	[IR_DIVS2] = emit_divide,
	[IR_BSWAP] = emit_bswap,
	[IR_CLZ] = emit_scan,
	[IR_CTZ] = emit_scan,
	[IR_BSF] = emit_scan,
	[IR_BSR] = emit_scan,
	[IR_POPCNT] = emit_scan,
	[IR_BT] = emit_bit,
	[IR_BTS] = emit_bit,
	[IR_BTR] = emit_bit,
	[IR_BTC] = emit_bit,
	[IR_PDEP] = emit_pdep,
	[IR_PEXT] = emit_pdep,
	[IR_CRC32] = emit_crc32,
	[IR_SETCC] = emit_setcc,
	[IR_SELCC] = emit_selcc,
	[IR_GETF] = emit_getf,
	[IR_PUTF] = emit_putf,
	[IR_SETC] = emit_setc,
	[IR_SEL] = emit_sel,
	[IR_LOAD] = emit_memory,
	[IR_STORE] = emit_memory,
	[IR_RMW] = emit_memory,
	[IR_CAS] = emit_memory,
	[IR_PROBE] = emit_memory,
	[IR_FENCE] = op_fence,
	[IR_CALL] = emit_call,
	[IR_LABEL] = emit_label,
	[IR_BR] = emit_branch,
	[IR_BRCC] = emit_branch,
	[IR_BRNZ] = emit_branch,
	[IR_BRZ] = emit_branch,
	[IR_EXITCC] = emit_exitcc,
	[IR_EXITNZ] = emit_exitz,
	[IR_EXITZ] = emit_exitz,
	[IR_CALLHINT] = emit_callhint,
	[IR_GOTO] = op_goto,
	[IR_GOTOIND] = emit_gotoind,
	[IR_EXIT] = emit_exit,
};

static void emit_op(struct em *m)
{
	unsigned op = m->o->op;

	if (op < ARRAY_SIZE(emitters) && emitters[op])
		emitters[op](m);
	else
		m->bug = "an operation has no emitter";
}

/* Return addresses of slow-path calls, for engine_sync_pc: ascending, as cold parts are emitted in
 * order. */
static void points(struct em *m, struct unit *u, const u32 *cold_insn, const u8 *const *cold_at)
{
	u->npoints = m->ncold;
	u->points = unit_alloc(m->e, (m->ncold + 1) * sizeof(*u->points));
	for (u32 i = 0; i < m->ncold; i++)
		u->points[i] = (struct unit_point){ (u32)(cold_at[i] - m->c.start), cold_insn[i] };
}

static size_t emit_unit(struct engine *e, struct unit *u, u8 *at, size_t room)
{
	static __thread struct em em;
	static __thread u32 cold_insn[MAX_COLD];
	static __thread const u8 *cold_at[MAX_COLD];
	struct em *m = &em;
	struct ir *ir = &e->ir;

	m->c = (struct code){ .p = at, .start = at, .end = at + room - 64 };
	m->e = e;
	m->th = thunks_of(e);
	m->u = u;
	m->ir = ir;
	m->strict = e->exact;
	m->class = e->cpus[0]->cpu->isa->mode_class(u->mode);
	em_start(m);
	for (u32 i = 0; i < ir->nops && !m->c.full; i++) {
		u32 ncold = m->ncold;

		m->o = &ir->op[i];
		m->lock = 0;
		emit_op(m);
		for (; ncold < m->ncold; ncold++)
			cold_insn[ncold] = u->ninsns;
		release(m, m->o->a);
		release(m, m->o->b);
		release(m, m->o->c);
		if (m->bug) {
			fprintf(stderr, "quern: the x86 code generator failed at op %u (%s): %s\n",
				i, ir_opinfo[m->o->op].name, m->bug);
			abort();
		}
	}
	u->ninsns = ir->ninsns;
	for (u32 i = 0; i < m->nfix; i++)
		patch_rel(m->fix[i].at, m->label[m->fix[i].label]);
	u->exits = unit_alloc(e, (m->nexits + 1) * sizeof(*u->exits));
	u->nexits = m->nexits;
	/* the exit that ends the unit first, in line */
	for (u32 i = m->nexits; i-- > 0 && !m->c.full;)
		emit_stub(m, &m->exit[i], &u->exits[i]);
	u->guard = u->ram_page2 != ~0ull && !u->nospan ? emit_guard(m) : NULL;
	emit_cold_parts(m, cold_at);
	if (m->c.full)
		return 0;
	points(m, u, cold_insn, cold_at);
	u->host = at;
	u->host_size = (u32)(m->c.p - at);
	return u->host_size;
}

/* The exit whose stub made the call that returns to ra. */
static struct exit_slot *slot_at(struct engine *e, const u8 *ra)
{
	struct unit *u = unit_at(e, ra - 1);

	for (u32 i = 0; i < u->nexits; i++)
		if (u->exits[i].leave == ra || (u->exits[i].patch && u->exits[i].patch + 4 == ra))
			return &u->exits[i];
	abort(); /* every such call belongs to one */
}

/* Without FSGSBASE, which old hosts and some hypervisors do not offer: once per change of the
 * address space. */
static void set_gs_base(const struct tlb_set *set)
{
	static _Thread_local const struct tlb_set *now;

	if (now == set)
		return;
	if (syscall(SYS_arch_prctl, ARCH_SET_GS, set))
		abort(); /* any address of this process is valid */
	now = set;
}

static enum ir_leave enter(struct engine *e, struct cpu *cpu, const u8 *host,
			   struct exit_slot **slot)
{
	/* what thunks leave: the address behind a stub's call, or the slot of a return site */
	struct left {
		const u8 *ra;
		struct exit_slot *slot;
	} left = { NULL, NULL };
	typedef enum ir_leave entry(struct cpu *, const u8 *, struct tlb_set *, struct left *);
	entry *fn = (entry *)(uintptr_t)thunks_of(e)->enter;
	enum ir_leave why;

	if (!thunks_of(e)->fsgsbase)
		set_gs_base(cpu->engine->set);
	why = fn(cpu, host, cpu->engine->set, &left);
	*slot = left.ra ? slot_at(e, left.ra) : left.slot;
	if (left.ra)
		cpu->pc = (*slot)->pc;
	return why;
}

/* A stub's call of the dispatcher becomes a jump, and the other way round; one instruction of five
 * bytes either way. */
static void link_exit(struct engine *e, struct exit_slot *s, const struct unit *to)
{
	const u8 *host = !to ? NULL : to->guard ? to->guard : to->host;

	if (s->site) {
		s->site->host = to ? host : thunks_of(e)->resolve;
	} else {
		s->patch[-1] = to ? 0xe9 : 0xe8;
		patch_rel(s->patch, to ? host : thunks_of(e)->leave_slot);
	}
}

static int init(struct engine *e, u8 *at, size_t room) { return thunks_make(e, at, room); }

static const struct backend x86_backend = {
	.name = "x86-64", .init = init, .emit = emit_unit, .enter = enter, .link = link_exit
};

const struct backend *backend_host(void) { return &x86_backend; }
