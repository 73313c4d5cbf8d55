/* SPDX-License-Identifier: GPL-2.0-or-later */
/* task.c - hardware task switches through TSS descriptors and task gates, with 32-bit and 16-bit
 * task state segments. SDM volume 3 chapter 8. */
#include "system.h"

/* Where things lie in a TSS: 32-bit and 16-bit. */
static const struct tss_layout {
	u8 size, cr3, ip, flags, gpr, seg, nsegs, ldt, min;
} layout32 = { 4, 0x1c, 0x20, 0x24, 0x28, 0x48, 6, 0x60, 0x67 },
  layout16 = { 2, 0, 0x0e, 0x10, 0x12, 0x22, 4, 0x2a, 0x2b };

struct tss_image {
	u32 cr3, ip, flags, gpr[8];
	u16 seg[6], ldt, link;
	bool trap;
};

static const struct tss_layout *layout(u16 attr) { return attr & 8 ? &layout32 : &layout16; }

static u32 tss_ld(struct x86_cpu *c, const struct x86_seg *tss, unsigned off, unsigned size)
{
	return cpu_ld(&c->cpu, x86_sys_ctx(c), (u32)(tss->base + off), size);
}

static void tss_st(struct x86_cpu *c, const struct x86_seg *tss, unsigned off, unsigned size, u32 v)
{
	cpu_st(&c->cpu, x86_sys_ctx(c), (u32)(tss->base + off), size, v);
}

static void read_image(struct x86_cpu *c, const struct x86_seg *tss, struct tss_image *im)
{
	const struct tss_layout *l = layout(tss->attr);

	memset(im, 0, sizeof(*im));
	if (l->size == 4) {
		im->cr3 = tss_ld(c, tss, l->cr3, 4);
		im->trap = tss_ld(c, tss, 0x64, 2) & 1;
	}
	im->ip = tss_ld(c, tss, l->ip, l->size);
	im->flags = tss_ld(c, tss, l->flags, l->size);
	for (unsigned i = 0; i < 8; i++)
		im->gpr[i] = tss_ld(c, tss, l->gpr + i * l->size, l->size);
	for (unsigned i = 0; i < l->nsegs; i++)
		im->seg[i] = tss_ld(c, tss, l->seg + i * l->size, 2);
	im->ldt = tss_ld(c, tss, l->ldt, 2);
}

static void save_old(struct x86_cpu *c, u32 ip, u32 flags)
{
	const struct x86_seg *tss = &c->seg[S_TR];
	const struct tss_layout *l = layout(tss->attr);

	tss_st(c, tss, l->ip, l->size, ip);
	tss_st(c, tss, l->flags, l->size, flags);
	for (unsigned i = 0; i < 8; i++)
		tss_st(c, tss, l->gpr + i * l->size, l->size, c->gpr[i]);
	for (unsigned i = 0; i < l->nsegs; i++)
		tss_st(c, tss, l->seg + i * l->size, 2, c->seg[i].sel);
}

static void set_busy(struct x86_cpu *c, u16 sel, bool busy)
{
	u64 at = (u32)(c->gdt.base + (sel & 0xfff8) + 5);
	u8 type = cpu_ld(&c->cpu, x86_sys_ctx(c), at, 1);

	cpu_st(&c->cpu, x86_sys_ctx(c), at, 1, busy ? type | 2 : type & ~2u);
}

/* Code segment of the new task; faults are #TS in the new task's context. */
static void load_cs(struct x86_cpu *c, u16 sel)
{
	unsigned rpl = sel & 3;
	struct x86_desc d;
	u16 attr;

	if (!(sel & 0xfffc) || !x86_desc_read(c, sel, &d))
		x86_fault_sel(c, EXC_TS, sel);
	attr = desc_attr(&d);
	if (!seg_is_code(attr) || (attr & SEG_C ? seg_dpl(attr) > rpl : seg_dpl(attr) != rpl))
		x86_fault_sel(c, EXC_TS, sel);
	if (!(attr & SEG_P))
		x86_fault_sel(c, EXC_NP, sel);
	x86_desc_set_accessed(c, &d);
	c->seg[S_CS] = desc_seg(sel, &d);
}

static void load_data(struct x86_cpu *c, unsigned sreg, u16 sel)
{
	struct x86_desc d;
	u16 attr;

	if (!(sel & 0xfffc)) {
		c->seg[sreg] = (struct x86_seg){ .sel = sel };
		return;
	}
	if (!x86_desc_read(c, sel, &d))
		x86_fault_sel(c, EXC_TS, sel);
	attr = desc_attr(&d);
	if (!(attr & SEG_S) || (seg_is_code(attr) && !(attr & SEG_R)) ||
	    (!(seg_is_code(attr) && attr & SEG_C) && seg_dpl(attr) < MAX(x86_cpl(c), sel & 3u)))
		x86_fault_sel(c, EXC_TS, sel);
	if (!(attr & SEG_P))
		x86_fault_sel(c, EXC_NP, sel);
	x86_desc_set_accessed(c, &d);
	c->seg[sreg] = desc_seg(sel, &d);
}

static void load_segments(struct x86_cpu *c, const struct tss_image *im)
{
	static const u8 data[] = { S_ES, S_DS, S_FS, S_GS };

	if (c->eflags & EFL_VM) {
		for (unsigned i = 0; i < 6; i++)
			x86_seg_set_real(c, i, im->seg[i]);
		x86_update_mode(c);
		return;
	}
	/* selectors are there even where loading a descriptor faults */
	for (unsigned i = 0; i < 6; i++)
		c->seg[i] = (struct x86_seg){ .sel = im->seg[i],
					      .attr = i == S_SS ? (im->seg[S_CS] & 3) << 5 : 0 };
	x86_update_mode(c);
	x86_load_ldt(c, im->ldt, EXC_TS);
	c->seg[S_SS] = x86_check_ss(c, im->seg[S_SS], im->seg[S_CS] & 3, EXC_TS);
	load_cs(c, im->seg[S_CS]);
	x86_update_mode(c);
	for (unsigned i = 0; i < ARRAY_SIZE(data); i++)
		load_data(c, data[i], im->seg[data[i]]);
	x86_update_mode(c);
}

/* The descriptor of the new task. */
static struct x86_seg check_tss(struct x86_cpu *c, u16 sel, bool busy_wanted, int exc)
{
	struct x86_desc d;
	struct x86_seg tss;
	unsigned type;

	if (sel & 4 || !(sel & 0xfffc) || !x86_desc_read(c, sel, &d))
		x86_fault_sel(c, exc, sel);
	type = desc_type(&d);
	if (desc_attr(&d) & SEG_S || (type & ~8u) != (busy_wanted ? SYS_TSS16_BUSY : SYS_TSS16))
		x86_fault_sel(c, exc, sel);
	if (!(desc_attr(&d) & SEG_P))
		x86_fault_sel(c, EXC_NP, sel);
	tss = desc_seg(sel, &d);
	if (tss.limit < layout(tss.attr)->min)
		x86_fault_sel(c, EXC_TS, sel);
	return tss;
}

void x86_task_switch(struct x86_cpu *c, u16 sel, enum x86_task_why why, u64 next, bool has_error,
		     u32 error)
{
	struct x86_seg tss = check_tss(c, sel, why == TASK_IRET,
				       why == TASK_IRET ? EXC_TS : EXC_GP),
		       old = c->seg[S_TR];
	u32 flags = x86_eflags(c);
	struct tss_image im;

	if (why == TASK_IRET)
		flags &= ~(u32)EFL_NT;
	cpu_probe(&c->cpu, x86_sys_ctx(c), (u32)old.base, layout(old.attr)->min + 1, ACCESS_WRITE);
	read_image(c, &tss, &im);
	save_old(c, next, flags);
	if (why == TASK_JMP || why == TASK_IRET)
		set_busy(c, old.sel, false);
	if (why == TASK_CALL || why == TASK_EVENT)
		tss_st(c, &tss, 0, 2, old.sel);
	if (why != TASK_IRET)
		set_busy(c, sel, true);

	/* from here on faults are the new task's */
	tss.attr |= 2;
	c->seg[S_TR] = tss;
	c->cr0 |= CR0_TS;
	if (layout(tss.attr)->size == 4 && c->cr0 & CR0_PG && im.cr3 != c->cr3)
		x86_load_cr3(c, im.cr3);
	c->cpu.pc = im.ip;
	if (why == TASK_CALL || why == TASK_EVENT)
		im.flags |= EFL_NT;
	if (layout(tss.attr)->size == 2)
		im.flags |= flags & 0xffff0000 & ~(u32)(EFL_VM | EFL_RF);
	for (unsigned i = 0; i < 8; i++)
		c->gpr[i] = layout(tss.attr)->size == 4 ? im.gpr[i] :
							  (c->gpr[i] & ~0xffffull) | im.gpr[i];
	x86_set_eflags(c, im.flags, ~0u);
	c->dr[7] &= ~(u64)0x55;
	x86_update_watch(c);
	load_segments(c, &im);
	x86_check_target(c, &c->seg[S_CS], im.ip);
	if (has_error) {
		struct x86_stack s = x86_stack_now(c);

		x86_stack_push(&s, layout(tss.attr)->size, error);
		x86_stack_commit(&s);
	}
	x86_update_mode(c);
	if (im.trap) {
		c->dr[6] |= BIT(15);
		c->exc_delivering = -1;
		x86_trap(c, EXC_DB, im.ip);
	}
}

void x86_task_gate(struct x86_cpu *c, const struct x86_desc *gate, enum x86_task_why why, u64 next,
		   bool has_error, u32 error)
{
	u16 sel = gate->lo >> 16;

	if (x86_long(c))
		x86_fault_sel(c, EXC_GP, sel);
	x86_task_switch(c, sel, why, next, has_error, error);
}
