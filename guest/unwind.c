/* SPDX-License-Identifier: GPL-2.0-or-later */
/* unwind.c - stack traces of the x86-64 kernel from its ORC tables (Documentation/arch/x86/
 * orc-unwinder.rst), and along frame pointers where it has none. The tables are sorted by address:
 * one of 32-bit offsets to the code, one of entries; modules bring their own. */
#include "guest/linux.h"
#include <errno.h>
#include <stdlib.h>

enum { FRAMES = 256 };
/* where the caller's stack pointer comes from */
enum orc_reg {
	REG_NONE,
	REG_PREV_SP,
	REG_DX,
	REG_DI,
	REG_BP,
	REG_SP,
	REG_R10,
	REG_R13,
	REG_BP_INDIRECT,
	REG_SP_INDIRECT
};
enum orc_type { TYPE_END, TYPE_UNDEFINED, TYPE_CALL, TYPE_REGS, TYPE_REGS_PARTIAL };

struct orc {
	s64 sp_offset, bp_offset;
	u64 sp_reg, bp_reg;
	enum orc_type type;
};
struct unwind {
	struct linux_os *l;
	struct linux_regs r;
	bool exact;    /* r.ip is not a return address */
	u64 regs;      /* pt_regs of the frame, or 0 */
	bool full;     /* all of it, not only what an interrupt pushes */
	u64 prev_regs; /* full ones around partial ones */
};

/* ---- the tables */

static bool search(struct linux_os *l, u64 ips, u64 entries, u64 n, u64 ip, u64 *entry)
{
	u64 size, lo = 0, hi = n;

	if (linux_sizeof(l, "orc_entry", &size))
		return false;
	while (lo < hi) {
		u64 mid = lo + (hi - lo) / 2, at = ips + 4 * mid, off;

		if (kmem_uint(&l->mem, at, 4, &off))
			return false;
		if (at + (u64)(s64)(s32)off <= ip)
			lo = mid + 1;
		else
			hi = mid;
	}
	*entry = entries + size * (lo - 1);
	return lo > 0;
}

/* Their numbers changed in 7.0 or so. Two entries that the unwinder has for itself tell which these
 * are: they stand for what it knows without a table. */
static enum orc_reg reg_of(struct linux_os *l, u64 number)
{
	static const u8 newer[] = { REG_NONE,	 REG_NONE,	  REG_DX,	  REG_SP,
				    REG_BP,	 REG_DI,	  REG_R10,	  REG_R13,
				    REG_PREV_SP, REG_SP_INDIRECT, REG_BP_INDIRECT };
	u64 at, prev_sp;

	if (linux_sym(l, "orc_fp_entry", &at) || linux_get(l, at, "orc_entry.bp_reg", &prev_sp) ||
	    prev_sp == REG_PREV_SP)
		return number <= REG_SP_INDIRECT ? (enum orc_reg)number : REG_NONE;
	return number < sizeof(newer) ? newer[number] : REG_NONE;
}

static bool find_entry(struct linux_os *l, u64 ip, u64 *entry)
{
	u64 ips, end, entries, n, mod;

	if (ip >= l->lo && ip < l->hi)
		return !linux_sym(l, "__start_orc_unwind_ip", &ips) &&
		       !linux_sym(l, "__stop_orc_unwind_ip", &end) &&
		       !linux_sym(l, "__start_orc_unwind", &entries) && end > ips &&
		       search(l, ips, entries, (end - ips) / 4, ip, entry);
	mod = linux_module_at(l, ip);
	return mod && !linux_get(l, mod, "module.arch.orc_unwind_ip", &ips) &&
	       !linux_get(l, mod, "module.arch.orc_unwind", &entries) &&
	       !linux_get(l, mod, "module.arch.num_orcs", &n) && ips && entries && n <= 1 << 24 &&
	       search(l, ips, entries, n, ip, entry);
}

/* What the number in an entry means changed in 6.4, when "the end" became a type of its own. */
static bool read_entry(struct linux_os *l, u64 at, struct orc *o)
{
	u64 sp, bp, type, end = 0;
	bool old = linux_has(l, "orc_entry.end");

	if (linux_get(l, at, "orc_entry.sp_offset", &sp) ||
	    linux_get(l, at, "orc_entry.bp_offset", &bp) ||
	    linux_get(l, at, "orc_entry.sp_reg", &o->sp_reg) ||
	    linux_get(l, at, "orc_entry.bp_reg", &o->bp_reg) ||
	    linux_get(l, at, "orc_entry.type", &type) ||
	    (old && linux_get(l, at, "orc_entry.end", &end)))
		return false;
	o->sp_reg = reg_of(l, o->sp_reg);
	o->bp_reg = reg_of(l, o->bp_reg);
	o->sp_offset = (s16)sp;
	o->bp_offset = (s16)bp;
	if (old && o->sp_reg == REG_NONE)
		o->type = end ? TYPE_END : TYPE_UNDEFINED;
	else if (old)
		o->type = type < 3 ? TYPE_CALL + (int)type : TYPE_UNDEFINED;
	else
		o->type = type == 1		 ? TYPE_END :
			  type >= 2 && type <= 4 ? TYPE_CALL + (int)type - 2 :
						   TYPE_UNDEFINED;
	return true;
}

/* ---- one step */

static bool saved_reg(struct unwind *u, const char *path, u64 *v)
{
	u64 regs = u->full ? u->regs : u->prev_regs;

	return regs && !linux_get(u->l, regs, path, v);
}

static bool caller_sp(struct unwind *u, const struct orc *o, u64 *sp)
{
	switch (o->sp_reg) {
	case REG_SP:
		*sp = u->r.sp + (u64)o->sp_offset;
		return true;
	case REG_BP:
		*sp = u->r.bp + (u64)o->sp_offset;
		return true;
	case REG_SP_INDIRECT:
		if (kmem_u64(&u->l->mem, u->r.sp, sp))
			return false;
		*sp += (u64)o->sp_offset;
		return true;
	case REG_BP_INDIRECT:
		return !kmem_u64(&u->l->mem, u->r.bp + (u64)o->sp_offset, sp);
	case REG_R10:
		return saved_reg(u, "pt_regs.r10", sp);
	case REG_R13:
		return saved_reg(u, "pt_regs.r13", sp);
	case REG_DI:
		return saved_reg(u, "pt_regs.di", sp);
	case REG_DX:
		return saved_reg(u, "pt_regs.dx", sp);
	}
	return false;
}

static bool from_regs(struct unwind *u, u64 sp, bool full)
{
	u64 ip_off, cs;

	if (!full) {
		/* an interrupt's frame is the end of pt_regs */
		if (linux_offset(u->l, "pt_regs.ip", &ip_off))
			return false;
		sp -= ip_off;
		u->prev_regs = u->full ? u->regs : u->prev_regs;
	} else {
		u->prev_regs = 0;
	}
	u->regs = sp;
	u->full = full;
	u->exact = true;
	return !linux_get(u->l, sp, "pt_regs.cs", &cs) && !(cs & 3) &&
	       !linux_get(u->l, sp, "pt_regs.ip", &u->r.ip) &&
	       !linux_get(u->l, sp, "pt_regs.sp", &u->r.sp);
}

static bool step_orc(struct unwind *u, const struct orc *o)
{
	u64 sp, bp = u->r.bp, before = u->r.sp;

	if (o->type == TYPE_END || o->type == TYPE_UNDEFINED || !caller_sp(u, o, &sp))
		return false;
	switch (o->bp_reg) {
	case REG_PREV_SP:
		if (kmem_u64(&u->l->mem, sp + (u64)o->bp_offset, &bp))
			return false;
		break;
	case REG_BP:
		if (kmem_u64(&u->l->mem, u->r.bp + (u64)o->bp_offset, &bp))
			return false;
		break;
	}
	if (o->type == TYPE_CALL) {
		if (kmem_u64(&u->l->mem, sp - 8, &u->r.ip))
			return false;
		u->r.sp = sp;
		u->regs = u->prev_regs = 0;
		u->exact = false;
		u->r.bp = bp;
		return sp > before || sp >> 12 != before >> 12; /* another stack, perhaps */
	}
	if (!from_regs(u, sp, o->type == TYPE_REGS))
		return false;
	if (o->bp_reg == REG_NONE && !saved_reg(u, "pt_regs.bp", &bp))
		bp = u->r.bp;
	u->r.bp = bp;
	return true;
}

/* push rbp; mov rsp, rbp: the caller's rbp and the return address lie at rbp */
static bool step_frame(struct unwind *u)
{
	u64 bp, ip;

	if (u->r.bp < u->r.sp || (u->r.bp & 7) || kmem_u64(&u->l->mem, u->r.bp, &bp) ||
	    kmem_u64(&u->l->mem, u->r.bp + 8, &ip))
		return false;
	u->r = (struct linux_regs){ .ip = ip, .sp = u->r.bp + 16, .bp = bp };
	u->regs = u->prev_regs = 0;
	u->exact = false;
	return true;
}

static bool is_code(struct linux_os *l, u64 ip)
{
	return ip >= 0xffffffff80000000ull &&
	       ((ip >= l->lo && ip < l->hi) || linux_module_at(l, ip));
}

int linux_unwind(struct linux_os *l, const struct linux_regs *r, bool exact,
		 bool (*fn)(void *arg, u64 pc, u64 sp), void *arg)
{
	struct unwind u = { .l = l, .r = *r, .exact = exact };

	for (unsigned n = 0; n < FRAMES; n++) {
		struct orc o;
		u64 entry;
		bool more;

		if (n && !is_code(l, u.r.ip))
			return 0;
		if (!fn(arg, u.r.ip, u.r.sp))
			return 0;
		if (find_entry(l, u.exact ? u.r.ip : u.r.ip - 1, &entry) &&
		    read_entry(l, entry, &o))
			more = step_orc(&u, &o);
		else
			more = step_frame(&u);
		if (!more)
			return 0;
	}
	return 0;
}

/* ---- the whole table */

static bool row_base(unsigned reg, struct os_unwind *u)
{
	static const u8 bases[] = { [REG_DX] = OS_BASE_DX,
				    [REG_DI] = OS_BASE_DI,
				    [REG_BP] = OS_BASE_BP,
				    [REG_SP] = OS_BASE_SP,
				    [REG_R10] = OS_BASE_R10,
				    [REG_R13] = OS_BASE_R13,
				    [REG_BP_INDIRECT] = OS_BASE_AT_BP,
				    [REG_SP_INDIRECT] = OS_BASE_AT_SP };

	if (reg < REG_DX || reg > REG_SP_INDIRECT)
		return false;
	u->base = bases[reg];
	return true;
}

/* An entry as six bytes: two offsets, then sp_reg:4, bp_reg:4, and the type with what came and went
 * around it. */
static void decode_row(const u8 *p, unsigned end_bit, struct os_unwind *u)
{
	u16 flags = ld16le(p + 4);
	unsigned bp = flags >> 4 & 15, type = end_bit ? flags >> 8 & 3 : flags >> 8 & 7;

	u->offset = (s16)ld16le(p);
	u->bp_offset = (s16)ld16le(p + 2);
	u->bp_saved = bp == REG_PREV_SP;
	u->kind = end_bit ? OS_UNWIND_CALL + type : type >= 2 ? OS_UNWIND_CALL + type - 2 : 0;
	if (u->kind > OS_UNWIND_TRAP || !row_base(flags & 15, u))
		u->kind = OS_UNWIND_END;
}

int linux_unwind_table(struct linux_os *l, bool (*fn)(void *arg, const struct os_unwind *u),
		       void *arg)
{
	enum { ENTRY = 6, ROWS_MAX = 1 << 22 };
	bool old = linux_has(l, "orc_entry.end");
	unsigned end_bit = old ? 10 + linux_has(l, "orc_entry.signal") : 0;
	u64 ips, end, entries, size, n;
	u8 *buf;
	int err;

	if (linux_sizeof(l, "orc_entry", &size) || size != ENTRY ||
	    linux_sym(l, "__start_orc_unwind_ip", &ips) ||
	    linux_sym(l, "__stop_orc_unwind_ip", &end) ||
	    linux_sym(l, "__start_orc_unwind", &entries) || end <= ips)
		return -ENOTSUP;
	n = (end - ips) / 4;
	if (n > ROWS_MAX)
		return -E2BIG;
	buf = malloc(n * (4 + ENTRY));
	if (!buf)
		return -ENOMEM;
	err = kmem_read(&l->mem, 0, ips, buf, n * 4);
	if (!err)
		err = kmem_read(&l->mem, 0, entries, buf + n * 4, n * ENTRY);
	for (u64 i = 0; !err && i < n; i++) {
		struct os_unwind u = { .addr = ips + 4 * i + (u64)(s64)(s32)ld32le(buf + 4 * i) };

		decode_row(buf + n * 4 + i * ENTRY, end_bit, &u);
		if (!fn(arg, &u))
			break;
	}
	free(buf);
	return err;
}
