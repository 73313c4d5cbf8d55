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
	jmp_to(&m->c, (o->aux == IR_IND_RET ? m->th->ret : m->th->indirect)[m->class]);
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

/* To a known pc whose translation may be another one by now: jumps there when the jump cache has
 * it, else goes on behind. */
static void through_jump_cache(struct em *m, u64 pc)
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
	miss = jcc8(c, CC_NE);
	ins(c, 0, 4, 0xff, 4, o_gs(NOREG, jc + (s32)offsetof(struct jc_entry, host)), 0);
	patch_rel8(miss, c->p);
}

/* Does pc lie in the unit's only page? Then its address cannot translate differently. */
static bool in_page(const struct em *m, u64 pc)
{
	return (m->u->pc + m->u->pc_base) >> GUEST_PAGE_BITS ==
		       (pc + m->u->pc_base) >> GUEST_PAGE_BITS &&
	       m->u->ram_page2 == ~0ull;
}

/* The way out to a known pc: linked when it lies in this page, by making the call that asks the
 * dispatcher a jump; else through the jump cache. */
void emit_stub(struct em *m, struct exit_rec *x, struct exit_slot *s)
{
	struct code *c = &m->c;
	bool local = x->nospan || in_page(m, x->pc),
	     back = x->pc <= m->u->pc + (u64)(s64)m->u->insn_pc[m->ir->ninsns - 1];
	u8 *busy = NULL;

	s->pc = x->pc;
	s->from = m->u;
	s->nospan = x->nospan;
	m->lock = 0;
	if (x->site) {
		s->site = x->site;
		*s->site = (struct ret_site){ .tag = x->pc ^ (u64)m->class << RET_CLASS_SHIFT,
					      .host = m->th->resolve,
					      .slot = s };
		return;
	}
	if (x->from)
		patch_rel(x->from, c->p);
	if (x->save_flags) {
		e8(c, 0x9f);
		ins(c, 0, 1, 0x0f90, 0, o_reg(RAX), 0);
		mov_store(c, 2, o_cpu(offsetof(struct cpu, hflags)), RAX);
	}
	if (back && !x->nospan) {
		alu_imm(c, ALU_CMP, 4, o_cpu(offsetof(struct cpu, exit_request)), 0);
		busy = jcc8(c, CC_NE);
	}
	if (!local) {
		through_jump_cache(m, x->pc);
	} else {
		s->patch = c->p + 1;
		call_to(c, m->th->leave_slot);
		if (!busy)
			return;
	}
	if (busy)
		patch_rel8(busy, c->p);
	call_to(c, m->th->leave_slot);
	s->leave = c->p;
}

/* The call that ends this unit will return to pc: leave a site for the return. */
void emit_callhint(struct em *m)
{
	struct code *c = &m->c;
	u64 pc = ir_const_value(m->ir, m->o->a);
	struct ret_site *site = in_page(m, pc) ? unit_site(m->e) : NULL;

	if (site && m->nexits < MAX_EXITS)
		m->exit[m->nexits++] = (struct exit_rec){ .pc = pc, .site = site };
	else
		site = m->th->no_site;
	flags_clobber(m);
	take_reg(m, RAX);
	take_reg(m, R14);
	mov_load(c, 8, R14, o_cpu(offsetof(struct cpu, ret_top)));
	e8(c, 0x48); /* lea rax, [rip + disp] */
	e8(c, 0x8d);
	e8(c, 0x05);
	e32(c, (u32)((const u8 *)site - (c->p + 4)));
	alu_imm(c, ALU_ADD, 1, o_reg(R14), 8);
	mov_store(c, 8, o_mem(R14, 0), RAX);
	mov_store(c, 8, o_cpu(offsetof(struct cpu, ret_top)), R14);
	m->lock = 0;
}

const u8 *emit_guard(struct em *m)
{
	const u8 *at = m->c.p;

	through_jump_cache(m, m->u->pc);
	mov_imm(&m->c, RAX, m->u->pc);
	jmp_to(&m->c, m->th->leave_goto);
	return at;
}
