/* SPDX-License-Identifier: GPL-2.0-or-later */
/* frames.c - the kernel's unwinding table as call frame information (DWARF 5, 6.4; register numbers
 * by the AMD64 psABI, figure 3.36), so that a debugger unwinds a kernel without debug information.
 * Rows stand in pieces, since a debugger executes a piece from its start. */
#include "private.h"

enum {
	ROWS_MOST = 32,
	/* call frame instructions */
	CFA_advance_loc = 0x40,
	CFA_offset = 0x80,
	CFA_advance_loc2 = 3,
	CFA_advance_loc4 = 4,
	CFA_undefined = 7,
	CFA_same_value = 8,
	CFA_def_cfa = 12,
	CFA_def_cfa_expression = 15,
	CFA_offset_extended_sf = 17,
	CFA_def_cfa_sf = 18,
	/* expressions */
	OP_deref = 6,
	OP_consts = 0x11,
	OP_plus = 0x22,
	OP_breg0 = 0x70,
	/* registers */
	R_DX = 1,
	R_DI = 5,
	R_BP = 6,
	R_SP = 7,
	R_10 = 10,
	R_13 = 13,
	R_IP = 16
};

struct frames {
	struct strbuf *out;
	u64 slide;
	struct strbuf code; /* of the piece in the making */
	u64 start, at;	    /* where it begins, and its last row */
	unsigned rows;
	bool calls; /* it consists of calls, else of one row of another kind */
};

static void put8(struct strbuf *b, u8 v) { strbuf_addc(b, (char)v); }

static void put32(struct strbuf *b, u32 v)
{
	u8 buf[4];

	st32le(buf, v);
	strbuf_addn(b, buf, 4);
}

static void put64(struct strbuf *b, u64 v)
{
	u8 buf[8];

	st64le(buf, v);
	strbuf_addn(b, buf, 8);
}

static void put_sleb(struct strbuf *b, s64 v)
{
	for (;;) {
		u8 byte = v & 0x7f;

		v >>= 7;
		if ((v == 0 && !(byte & 0x40)) || (v == -1 && byte & 0x40)) {
			put8(b, byte);
			return;
		}
		put8(b, byte | 0x80);
	}
}

/* A register lies at the frame's address + offset. */
static void put_saved(struct strbuf *b, unsigned reg, s64 offset)
{
	put8(b, CFA_offset_extended_sf);
	put8(b, reg);
	put_sleb(b, offset / -8);
}

static void put_entry(struct strbuf *out, u32 id, const struct strbuf *body)
{
	size_t n = ALIGN_UP(4 + body->n, 8ul) + 4; /* the length itself has four bytes */

	put32(out, n);
	put32(out, id);
	strbuf_addn(out, body->at, body->n);
	for (size_t i = 4 + body->n; i < n; i++)
		put8(out, 0);
}

/* Without augmentation; the return address in front of the frame's address. */
static void put_common(struct strbuf *out)
{
	static const u8 body[] = {
		1, 0, 1, 0x78, R_IP, CFA_def_cfa, R_SP, 8, CFA_offset | R_IP, 1
	};
	struct strbuf b = { 0 };

	strbuf_addn(&b, body, sizeof(body));
	put_entry(out, ~0u, &b);
	strbuf_fini(&b);
}

static void end_piece(struct frames *f, u64 next)
{
	struct strbuf b = { 0 };

	if (f->rows && next > f->start) {
		put64(&b, f->start - f->slide);
		put64(&b, next - f->start);
		strbuf_addn(&b, f->code.at, f->code.n);
		put_entry(f->out, 0, &b);
	}
	strbuf_fini(&b);
	f->code.n = 0;
	f->rows = 0;
}

static void put_advance(struct strbuf *b, u64 delta)
{
	if (!delta)
		return;
	if (delta < 64) {
		put8(b, CFA_advance_loc | delta);
	} else if (delta < 65536) {
		put8(b, CFA_advance_loc2);
		put8(b, delta);
		put8(b, delta >> 8);
	} else {
		put8(b, CFA_advance_loc4);
		put32(b, delta);
	}
}

static void put_base(struct strbuf *b, const struct os_unwind *u)
{
	static const u8 regs[] = {
		[OS_BASE_SP] = R_SP,	[OS_BASE_BP] = R_BP,  [OS_BASE_AT_SP] = R_SP,
		[OS_BASE_AT_BP] = R_BP, [OS_BASE_R10] = R_10, [OS_BASE_R13] = R_13,
		[OS_BASE_DI] = R_DI,	[OS_BASE_DX] = R_DX
	};
	bool at = u->base == OS_BASE_AT_SP || u->base == OS_BASE_AT_BP;
	struct strbuf e = { 0 };

	if (!at) {
		put8(b, CFA_def_cfa_sf);
		put8(b, regs[u->base]);
		put_sleb(b, u->base <= OS_BASE_BP ? u->offset / -8 : 0);
		return;
	}
	put8(&e, OP_breg0 + regs[u->base]);
	put_sleb(&e, u->base == OS_BASE_AT_BP ? u->offset : 0);
	put8(&e, OP_deref);
	if (u->base == OS_BASE_AT_SP) {
		put8(&e, OP_consts);
		put_sleb(&e, u->offset);
		put8(&e, OP_plus);
	}
	put8(b, CFA_def_cfa_expression);
	put8(b, e.n);
	strbuf_addn(b, e.at, e.n);
	strbuf_fini(&e);
}

/* struct pt_regs of x86-64: what is where (ptrace.h of the kernel's user interface) */
static const struct {
	u8 reg, offset;
} pt_regs[] = { { 15, 0 },  { 14, 8 },	{ 13, 16 }, { 12, 24 },	   { R_BP, 32 }, { 3, 40 },
		{ 11, 48 }, { 10, 56 }, { 9, 64 },  { 8, 72 },	   { 0, 80 },	 { 2, 88 },
		{ 1, 96 },  { 4, 104 }, { 5, 112 }, { R_IP, 128 }, { R_SP, 152 } };

static bool add_row(void *arg, const struct os_unwind *u)
{
	struct frames *f = arg;
	bool call = u->kind == OS_UNWIND_CALL;

	if (f->rows && (!call || !f->calls || f->rows == ROWS_MOST))
		end_piece(f, u->addr);
	if (!f->rows)
		f->start = f->at = u->addr;
	if (u->addr < f->at)
		return true;
	put_advance(&f->code, u->addr - f->at);
	f->at = u->addr;
	f->calls = call;
	f->rows++;
	if (u->kind == OS_UNWIND_END) {
		put8(&f->code, CFA_undefined);
		put8(&f->code, R_IP);
		return true;
	}
	put_base(&f->code, u);
	if (u->kind == OS_UNWIND_REGS) {
		for (size_t i = 0; i < ARRAY_SIZE(pt_regs); i++)
			put_saved(&f->code, pt_regs[i].reg, pt_regs[i].offset);
	} else if (u->kind == OS_UNWIND_TRAP) {
		put_saved(&f->code, R_IP, 0);
		put_saved(&f->code, R_SP, 24);
	}
	if (u->kind != OS_UNWIND_REGS && u->bp_saved) {
		put_saved(&f->code, R_BP, u->bp_offset);
	} else if (call) {
		put8(&f->code, CFA_same_value);
		put8(&f->code, R_BP);
	}
	return true;
}

void gdb_put_frames(struct gdb *g, struct strbuf *out, u64 slide)
{
	const struct os *os = gdb_os(g);
	struct frames f = { .out = out, .slide = slide };

	if (!os || !os->unwind_table)
		return;
	put_common(out);
	/* a kernel without such a table is unwound as gdb can */
	if (os->unwind_table(g->m, add_row, &f))
		out->n = 0;
	else
		end_piece(&f, f.at + 1);
	strbuf_fini(&f.code);
}
