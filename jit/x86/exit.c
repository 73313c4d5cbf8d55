/* SPDX-License-Identifier: GPL-2.0-or-later */
/* exit.c - labels inside an instruction, and the ways out of a unit. */
#include "emit.h"

void add_exit(struct em *m, u8 *from, u64 pc, bool flags_live)
{
	struct exit_rec *x;

	if (m->nexits >= MAX_EXITS) {
		m->c.full = true;
		return;
	}
	x = &m->exit[m->nexits++];
	*x = (struct exit_rec){ .from = from,
				.pc = pc,
				.save_flags = flags_live && m->fl == FL_HOST };
}

void emit_exitcc(struct em *m)
{
	const struct ir_op *o = m->o;

	flags_load(m);
	add_exit(m, jcc(&m->c, o->aux), ir_const_value(m->ir, o->a), o->pad);
}

static void test_zero(struct em *m)
{
	const struct ir_op *o = m->o;
	unsigned r;

	if (m->fl == FL_HOST && (fl_live(m) || o->pad))
		flags_save(m);
	m->fl = FL_MEM;
	r = val_reg(m, o->a, o->type);
	ins(&m->c, 0, size_of(o), size_of(o) == 1 ? 0x84 : 0x85, r, o_reg(r), BYTE_REG | BYTE_RM);
}

void emit_exitz(struct em *m)
{
	const struct ir_op *o = m->o;

	test_zero(m);
	add_exit(m, jcc(&m->c, o->op == IR_EXITNZ ? CC_NE : CC_E), ir_const_value(m->ir, o->b),
		 o->pad);
}

void emit_gotoind(struct em *m)
{
	const struct ir_op *o = m->o;

	flags_save(m);
	if (!holds(m, RAX, o->a)) {
		take_reg(m, RAX);
		load_into(m, RAX, o->a, I64);
	}
	jmp_to(&m->c, m->th->indirect[m->class]);
}

void emit_exit(struct em *m)
{
	flags_save(m);
	jmp_to(&m->c, m->o->aux == IR_EXIT_POLL ? m->th->leave_poll : m->th->leave_next);
}

static void fix_label(struct em *m, u8 *at)
{
	if (m->nfix >= MAX_FIX || m->o->imm >= MAX_LABEL) {
		m->c.full = true;
		return;
	}
	m->fix[m->nfix].at = at;
	m->fix[m->nfix++].label = (u32)m->o->imm;
}

void emit_branch(struct em *m)
{
	const struct ir_op *o = m->o;

	m->held = false;
	vec_flush(m);
	switch (o->op) {
	case IR_BR:
		flags_save(m);
		fix_label(m, jmp(&m->c));
		break;
	case IR_BRCC:
		flags_load(m);
		flags_save(m);
		fix_label(m, jcc(&m->c, o->aux));
		break;
	default:
		flags_save(m);
		test_zero(m);
		fix_label(m, jcc(&m->c, o->op == IR_BRNZ ? CC_NE : CC_E));
		break;
	}
}

void emit_label(struct em *m)
{
	flags_save(m);
	m->fl = FL_MEM;
	vec_flush(m);
	vec_drop(m);
	drop_scratch(m);
	m->held = false;
	m->span = -1;
	if (m->o->imm < MAX_LABEL)
		m->label[m->o->imm] = m->c.p;
}

/* To a known pc whose translation may be another one by now; busy: a jump to join where the
 * dispatcher is asked. */
static void through_jump_cache(struct em *m, u64 pc, u8 *busy)
{
	struct code *c = &m->c;
	s32 jc = (s32)(offsetof(struct tlb_set, jc) + m->class * sizeof(struct jc_entry) * JC_SIZE +
		       jc_index(pc) * sizeof(struct jc_entry));
	u8 *miss;

	if (fits32(pc)) {
		alu_imm(c, ALU_CMP, 8, o_gs(NOREG, jc), (s32)pc);
	} else {
		mov_imm(c, RAX, pc);
		alu_rm(c, ALU_CMP, 8, RAX, o_gs(NOREG, jc));
	}
	miss = jcc(c, CC_NE);
	ins(c, 0, 4, 0xff, 4, o_gs(NOREG, jc + (s32)offsetof(struct jc_entry, host)), 0);
	patch_rel(miss, c->p);
	if (busy)
		patch_rel(busy, c->p);
	if (fits32(pc) || busy)
		mov_imm(c, RAX, pc);
	jmp_to(c, m->th->leave_goto);
}

/* The way out to a known pc: linked by patching when it lies in this page, else through the jump
 * cache. */
void emit_stub(struct em *m, struct exit_rec *x, struct exit_slot *s)
{
	struct code *c = &m->c;
	u64 page = (m->u->pc + m->u->pc_base) >> GUEST_PAGE_BITS,
	    to = (x->pc + m->u->pc_base) >> GUEST_PAGE_BITS;
	bool local = page == to && m->u->ram_page2 == ~0ull,
	     back = x->pc <= m->u->pc + (u64)(s64)m->u->insn_pc[m->ir->ninsns - 1];
	u8 *busy = NULL;

	s->pc = x->pc;
	s->from = m->u;
	s->nospan = x->nospan;
	m->lock = 0;
	if (x->from)
		patch_rel(x->from, c->p);
	if (x->save_flags) {
		e8(c, 0x9f);
		ins(c, 0, 1, 0x0f90, 0, o_reg(RAX), 0);
		mov_store(c, 2, o_cpu(offsetof(struct cpu, hflags)), RAX);
	}
	if (x->nospan)
		local = true;
	if (back && !x->nospan) {
		alu_imm(c, ALU_CMP, 4, o_cpu(offsetof(struct cpu, exit_request)), 0);
		busy = jcc(c, CC_NE);
	}
	if (local) {
		s->patch = jmp(c); /* to the next instruction until it is linked */
		patch_rel(s->patch, c->p);
		if (busy)
			patch_rel(busy, c->p);
		call_to(c, m->th->leave_slot);
		return;
	}
	through_jump_cache(m, x->pc, busy);
}

const u8 *emit_guard(struct em *m)
{
	const u8 *at = m->c.p;

	through_jump_cache(m, m->u->pc, NULL);
	return at;
}
