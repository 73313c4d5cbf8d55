/* SPDX-License-Identifier: GPL-2.0-or-later */
/* compare.c - what of two outcomes must be equal, and the text of what is not. */
#include "diff.h"
#include <stdarg.h>
#include <stdio.h>

struct report {
	char *text;
	size_t size, n;
	bool differs;
	const struct outcome *want, *got;
};

static void printf_like(2, 3) note(struct report *r, const char *fmt, ...)
{
	va_list ap;

	r->differs = true;
	if (!r->text || r->n + 1 >= r->size)
		return;
	va_start(ap, fmt);
	r->n += (size_t)MAX(0, vsnprintf(r->text + r->n, r->size - r->n, fmt, ap));
	va_end(ap);
	r->n = MIN(r->n, r->size - 1);
}

static void number(struct report *r, const char *name, u64 want, u64 got)
{
	if (want != got)
		note(r, "    %-10s %s %016llx, %s %016llx\n", name, r->want->who,
		     (unsigned long long)want, r->got->who, (unsigned long long)got);
}

static void registers(struct report *r, const struct regs *a, const struct regs *b)
{
	static const char *const names[16] = { "rax", "rcx", "rdx", "rbx", "rsp", "rbp",
					       "rsi", "rdi", "r8",  "r9",  "r10", "r11",
					       "r12", "r13", "r14", "r15" };

	for (unsigned i = 0; i < 16; i++)
		number(r, names[i], a->gpr[i], b->gpr[i]);
	number(r, "rip", a->rip, b->rip);
	number(r, "fs base", a->fsbase, b->fsbase);
	number(r, "gs base", a->gsbase, b->gsbase);
}

static void floating(struct report *r, const struct fx_area *a, const struct fx_area *b)
{
	char name[16];

	number(r, "mxcsr", a->mxcsr, b->mxcsr);
	number(r, "x87 cw", a->cw, b->cw);
	number(r, "x87 sw", a->sw, b->sw);
	number(r, "x87 tag", a->tag, b->tag);
	for (unsigned i = 0; i < 8; i++) {
		snprintf(name, sizeof(name), "st%u", i);
		number(r, name, a->st[i].m, b->st[i].m);
		snprintf(name, sizeof(name), "st%u exp", i);
		number(r, name, a->st[i].se, b->st[i].se);
	}
	for (unsigned i = 0; i < 32; i++) {
		snprintf(name, sizeof(name), "xmm%u %s", i / 2, i & 1 ? "high" : "low");
		number(r, name, a->xmm[i / 2][i & 1], b->xmm[i / 2][i & 1]);
	}
}

/* The instruction that faults. */
static const char *at_end(const struct snippet *s, u64 rip)
{
	struct items l;
	u64 at = s->at;

	snippet_items(s, &l);
	for (unsigned k = 0; k < l.n; at += l.i[k++].len)
		if (at == rip)
			return l.i[k].enc ? l.i[k].enc->name : "";
	return "";
}

/* Of a large operand that lies in two pages, which byte was tried first. */
static bool state_image(const char *n)
{
	return strstr(n, "rstor") || strstr(n, "save") || !strcmp(n, "fldenv") ||
	       !strcmp(n, "fnstenv");
}

static bool string_operand(const struct regs *s)
{
	enum { WIDEST = 8 };
	const u64 base[] = { 0, s->fsbase, s->gsbase };

	for (unsigned i = 0; i < 2 * ARRAY_SIZE(base); i++) {
		u64 at = s->cr2 - base[i / 2], reg = s->gpr[i & 1 ? R_DI : R_SI];

		if (at - reg < WIDEST || at - (u32)reg < WIDEST)
			return true;
	}
	return false;
}

/* Both operands of a CMPS lie where nothing is mapped: processors differ in which they read first,
 * even those of one vendor. */
static bool other_operand(const struct regs *a, const struct regs *b, const char *name)
{
	return !strcmp(name, "cmps") && a->rip == b->rip && string_operand(a) && string_operand(b);
}

static void ending(struct report *r, const struct regs *a, const struct regs *b, const char *name)
{
	u32 mask = ~0u;

	number(r, "vector", (u64)(s64)a->vector, (u64)(s64)b->vector);
	if (a->vector == EXC_PF && b->vector == EXC_PF) {
		if (!state_image(name) && !other_operand(a, b, name))
			number(r, "cr2", a->cr2, b->cr2);
		/* the host's kernel half is not empty, and Linux hides whether */
		if (a->cr2 >= 0x7ffffffff000)
			mask = ~1u;
	}
	number(r, "error", a->error & mask, b->error & mask);
}

static bool wide_operand(const struct snippet *s, u64 rip)
{
	struct x86_insn in;
	u64 off = rip - s->at;

	if (off >= s->len || x86_decode(s->code + off, s->len - (unsigned)off, MODE64, &in) <= 0)
		return false;
	for (unsigned i = 0; i < in.nops; i++)
		if (in.op[i].kind == OPK_MEM && in.op[i].size == 16)
			return true;
	return !strncmp(in.enc->name, "maskmov", 7);
}

/* Two faults at once, of which processors choose differently: the stack of a CALL and its target;
 * two operands of a string instruction; address and alignment of the SHA instructions. */
static bool either_fault(const struct snippet *s, const struct regs *a, const struct regs *b)
{
	const char *n = at_end(s, a->rip);
	u64 page = (a->vector == EXC_PF ? a : b)->cr2 >> 12;

	/* where canonical addresses end or begin: part of the operand, or its offset, which a
	 * snippet's segment base moves by a page, is not */
	if (page - 0x7fffffffe <= 1 || page - 0xffff800000000 <= 1)
		return true;
	if (a->rip != b->rip)
		return false;
	/* which of its accesses ENTER tries first */
	if (!strcmp(n, "enter"))
		return true;
	/* one operand's alignment against the other's page */
	if (!strcmp(n, "cmps") && (a->vector == EXC_AC || b->vector == EXC_AC))
		return true;
	if (!strcmp(n, "call_ind"))
		return a->vector == EXC_GP || b->vector == EXC_GP;
	if (!((a->vector == EXC_PF && b->vector == EXC_GP) ||
	      (a->vector == EXC_GP && b->vector == EXC_PF)))
		return false;
	return !strcmp(n, "cmps") || !strcmp(n, "movs") || !strncmp(n, "sha1", 4) ||
	       !strncmp(n, "sha256", 6);
}

/* An ENTER that faults has pushed something on hardware, and not here: that lies below RSP. */
static bool in_enter(const struct snippet *s, const struct outcome *o)
{
	return !strcmp(at_end(s, o->s.rip), "enter");
}

/* State images that the snippet may have stored. Processors by AMD keep the address of the last x87
 * instruction and of its operand only with a pending exception, and their MXCSR_MASK has a bit
 * more. */
struct images {
	struct {
		u64 at;
		bool environment;
	} i[8];
	unsigned n;
	bool unknown; /* some lie anywhere, or hold state that the guest has not */
};

/* Does something branch to item k? */
static bool entered(const struct items *l, unsigned k)
{
	for (unsigned i = 0; i < l->n; i++)
		if (l->i[i].target == (int)k)
			return true;
	return false;
}

/* The value that a MOV r32, imm32 shortly before item k gave to a register. */
static bool constant(const struct items *l, unsigned k, unsigned reg, u64 *v)
{
	for (unsigned back = 1; back <= 8 && back <= k; back++) {
		const struct item *it = &l->i[k - back];

		if (entered(l, k - back + 1))
			return false;

		if (it->len == 5 && it->b[0] == 0xb8 + reg) {
			*v = ld32le(it->b + 1);
			return true;
		}
	}
	return false;
}

static bool clears_edx(const struct items *l, unsigned k)
{
	for (unsigned back = 1; back <= 8 && back <= k; back++)
		if (l->i[k - back].len == 2 && ld16le(l->i[k - back].b) == 0xd231)
			return true;
	return false;
}

/* mov qword [r + 512], 0 before an XRSTOR? */
static bool cleared_header(const struct items *l, unsigned k)
{
	while (k-- > 0)
		if (l->i[k].len == 11 && ld16le(l->i[k].b) == 0xc748 &&
		    ld32le(l->i[k].b + 3) == 512)
			return true;
	return false;
}

static struct images find_images(const struct snippet *s)
{
	struct images m = { .n = 0 };
	bool restored = false;
	struct items l;

	snippet_items(s, &l);
	for (unsigned k = 0; k < l.n; k++) {
		const char *name = l.i[k].enc ? l.i[k].enc->name : "";
		bool environment = !strcmp(name, "fnstenv") || !strcmp(name, "fnsave"),
		     extended = strstr(name, "xsave") || !strcmp(name, "xrstor");
		struct x86_insn in;
		u64 at = 0, mask = 1;

		if ((!environment && !extended) ||
		    x86_decode(l.i[k].b, l.i[k].len, MODE64, &in) <= 0)
			continue;
		if (extended && strcmp(name, "fxsave") &&
		    (!constant(&l, k, R_AX, &mask) || !mask || mask > 3 || !clears_edx(&l, k)))
			m.unknown = true;
		if (!strcmp(name, "xrstor")) {
			m.unknown |= !cleared_header(&l, k);
			restored = true;
			continue;
		}
		/* state that is as after reset may count as in use, or not */
		if (extended && strcmp(name, "fxsave") &&
		    (restored || s->simple & (SIMPLE_XMM | SIMPLE_X87)))
			m.unknown = true;
		if (in.base < 0 || in.base > 7 || in.index >= 0 || m.n == ARRAY_SIZE(m.i) ||
		    !constant(&l, k, (unsigned)in.base, &at))
			m.unknown = true;
		else
			m.i[m.n++] = (__typeof__(m.i[0])){ at + (u64)in.disp, environment };
	}
	return m;
}

static bool in_image(const struct images *m, u64 at)
{
	for (unsigned k = 0; k < m->n; k++) {
		u64 off = at - m->i[k].at;

		if (m->i[k].environment ? off >= 6 && off < 28 :
					  (off >= 6 && off < 24) || (off >= 28 && off < 32))
			return true;
	}
	return false;
}

static void memory(struct report *r, const struct images *m)
{
	for (unsigned p = 0; p < NPAGES; p++) {
		const u8 *a = r->want->page[p], *b = r->got->page[p];

		if (!memcmp(a, b, PAGE_BYTES))
			continue;
		for (unsigned i = 0, n = 0; i < PAGE_BYTES && n < 16; i++)
			if (a[i] != b[i] && !in_image(m, page_places[p].va + i) && n++ < 16)
				note(r, "    [%llx]  %s %02x, %s %02x\n",
				     (unsigned long long)page_places[p].va + i, r->want->who, a[i],
				     r->got->who, b[i]);
	}
}

bool outcome_equal(const struct snippet *s, const struct outcome *want, const struct outcome *got,
		   char *text, size_t size)
{
	struct report r = { .text = text, .size = size, .want = want, .got = got };
	struct images images = find_images(s);
	u32 flags = EFL_DF | EFL_AC | EFL_ID | EFL_IF | EFL_TF | EFL_NT | EFL_IOPL;

	if (size)
		text[0] = 0;
	/* alignment checks of 16-byte operands and state images: AMD's make them, Intel's do not; a
	 * CALL's stack against its target */
	if ((want->s.vector == EXC_AC || got->s.vector == EXC_AC) &&
	    (wide_operand(s, want->s.rip) || state_image(at_end(s, want->s.rip)) ||
	     !strcmp(at_end(s, want->s.rip), "call_ind")))
		return true;
	if (images.unknown)
		return true;
	/* MXCSR.MM, which only AMD's have */
	if (want->s.fx.mxcsr & BIT(17))
		return true;
	if (!either_fault(s, &want->s, &got->s))
		ending(&r, &want->s, &got->s, at_end(s, want->s.rip));
	registers(&r, &want->s, &got->s);
	if (want->s.rip == got->s.rip && got->exact_flags)
		flags |= flags_defined(s, want->s.rip);
	number(&r, "flags", want->s.flags & flags, got->s.flags & flags);
	floating(&r, &want->s.fx, &got->s.fx);
	if (!in_enter(s, want))
		memory(&r, &images);
	return !r.differs;
}
