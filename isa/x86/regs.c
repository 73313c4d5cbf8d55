/* SPDX-License-Identifier: GPL-2.0-or-later */
/* regs.c - the registers as debuggers and `info registers` see them: GDB's features
 * org.gnu.gdb.i386.* (GDB manual, i386 features). */
#include "system.h"
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#define CORE	 "org.gnu.gdb.i386.core"
#define SSE	 "org.gnu.gdb.i386.sse"
#define LINUX	 "org.gnu.gdb.i386.linux"
#define SEGMENTS "org.gnu.gdb.i386.segments"
#define CONTROL	 "org.quern.i386.control"
#define AT(m)	 offsetof(struct x86_cpu, m)

/* --- values that are not plain storage. GET/SET pairs for one 32- or 64-bit value. */
#define GET32(name, expr) \
	static void get_##name(struct cpu *cpu, void *val) \
	{ \
		struct x86_cpu *c = X86(cpu); \
		st32le(val, expr); \
	}
#define GET64(name, expr) \
	static void get_##name(struct cpu *cpu, void *val) \
	{ \
		struct x86_cpu *c = X86(cpu); \
		st64le(val, expr); \
	}
#define SET32(name, stmt) \
	static void set_##name(struct cpu *cpu, const void *val) \
	{ \
		struct x86_cpu *c = X86(cpu); \
		u32 v = ld32le(val); \
		stmt; \
	}
#define SET64(name, stmt) \
	static void set_##name(struct cpu *cpu, const void *val) \
	{ \
		struct x86_cpu *c = X86(cpu); \
		u64 v = ld64le(val); \
		stmt; \
	}

GET32(eflags, x86_eflags(c))
SET32(eflags, x86_set_eflags(c, v, ~0u); x86_update_mode(c))

/* The debugger changes the visible selector; where that is all that the mode has, the base too. */
static void set_sel(struct x86_cpu *c, unsigned s, u16 sel)
{
	if (x86_protected(c))
		c->seg[s].sel = sel;
	else
		x86_seg_set_real(c, s, sel);
	x86_update_mode(c);
}
#define SELECTOR(name, s) \
	GET32(name, c->seg[s].sel) \
	SET32(name, set_sel(c, s, v))
SELECTOR(cs, S_CS)
SELECTOR(ss, S_SS)
SELECTOR(ds, S_DS)
SELECTOR(es, S_ES)
SELECTOR(fs, S_FS)
SELECTOR(gs, S_GS)

static struct x86_f80 *st(struct x86_cpu *c, unsigned i)
{
	return &c->fpr[((c->fpu_sw >> 11 & 7) + i) & 7];
}
#define ST(i) \
	static void get_st##i(struct cpu *cpu, void *val) \
	{ \
		st64le(val, st(X86(cpu), i)->m); \
		st16le((u8 *)val + 8, st(X86(cpu), i)->se); \
	} \
	static void set_st##i(struct cpu *cpu, const void *val) \
	{ \
		st(X86(cpu), i)->m = ld64le(val); \
		st(X86(cpu), i)->se = ld16le((const u8 *)val + 8); \
	}
ST(0)
ST(1)
ST(2)
ST(3)
ST(4)
ST(5)
ST(6)
ST(7)

/* The full tag word: 0 valid, 1 zero, 2 special, 3 empty. */
static u32 full_tag(const struct x86_cpu *c)
{
	u32 tag = 0;

	for (unsigned i = 0; i < 8; i++) {
		const struct x86_f80 *f = &c->fpr[i];
		unsigned e = f->se & 0x7fff, t = 0;

		if (!(c->fpu_tag >> i & 1))
			t = 3;
		else if (!e && !f->m)
			t = 1;
		else if (!e || e == 0x7fff || !(f->m >> 63))
			t = 2;
		tag |= t << i * 2;
	}
	return tag;
}
static void set_full_tag(struct x86_cpu *c, u32 tag)
{
	c->fpu_tag = 0;
	for (unsigned i = 0; i < 8; i++)
		if ((tag >> i * 2 & 3) != 3)
			c->fpu_tag |= 1 << i;
}
GET32(fctrl, c->fpu_cw)
SET32(fctrl, c->fpu_cw = v)
GET32(fstat, c->fpu_sw)
SET32(fstat, c->fpu_sw = v)
GET32(ftag, full_tag(c))
SET32(ftag, set_full_tag(c, v))
GET32(fiseg, c->fpu_cs)
SET32(fiseg, c->fpu_cs = v)
GET32(fioff, (u32)c->fpu_ip)
SET32(fioff, c->fpu_ip = v)
GET32(foseg, c->fpu_ds)
SET32(foseg, c->fpu_ds = v)
GET32(fooff, (u32)c->fpu_dp)
SET32(fooff, c->fpu_dp = v)
GET32(fop, c->fpu_op)
SET32(fop, c->fpu_op = v & 0x7ff)

static void get_mxcsr(struct cpu *cpu, void *val)
{
	x86_mxcsr_sync(X86(cpu));
	st32le(val, X86(cpu)->mxcsr);
}
SET32(mxcsr, c->mxcsr = v & 0xffff; x86_mxcsr_written(c))

/* The kernel's original system call number: a register of Linux processes, not of the machine. */
static void get_orig(struct cpu *cpu, void *val) { st64le(val, ~0ull); }
static void set_orig(struct cpu *cpu, const void *val) {}
static void get_orig32(struct cpu *cpu, void *val) { st32le(val, ~0u); }

static void raw_cr(struct x86_cpu *c, u64 *cr, u64 v)
{
	*cr = v;
	x86_forget_tables(c);
	if (c->cpu.engine)
		cpu_tlb_flush_all(&c->cpu);
	x86_update_mode(c);
}
GET64(cr0, c->cr0)
SET64(cr0, raw_cr(c, &c->cr0, v | CR0_ET))
GET64(cr3, c->cr3)
SET64(cr3, raw_cr(c, &c->cr3, v))
GET64(cr4, c->cr4)
SET64(cr4, raw_cr(c, &c->cr4, v))
GET64(efer, c->efer)
SET64(efer, raw_cr(c, &c->efer, v))
GET64(cr8, cpu->intc && cpu->intc->get_tpr ? cpu->intc->get_tpr(((void)c, cpu->intc_dev)) : 0)
static void set_cr8(struct cpu *cpu, const void *val)
{
	if (cpu->intc && cpu->intc->set_tpr)
		cpu->intc->set_tpr(cpu->intc_dev, ld64le(val) & 15);
}

#define FN(name) .get = get_##name, .set = set_##name
#define STREGS \
	{ "st0", CORE, "i387_ext", 80, FN(st0) }, { "st1", CORE, "i387_ext", 80, FN(st1) }, \
		{ "st2", CORE, "i387_ext", 80, FN(st2) }, \
		{ "st3", CORE, "i387_ext", 80, FN(st3) }, \
		{ "st4", CORE, "i387_ext", 80, FN(st4) }, \
		{ "st5", CORE, "i387_ext", 80, FN(st5) }, \
		{ "st6", CORE, "i387_ext", 80, FN(st6) }, \
		{ "st7", CORE, "i387_ext", 80, FN(st7) }, { "fctrl", CORE, "int", 32, FN(fctrl) }, \
		{ "fstat", CORE, "int", 32, FN(fstat) }, { "ftag", CORE, "int", 32, FN(ftag) }, \
		{ "fiseg", CORE, "int", 32, FN(fiseg) }, { "fioff", CORE, "int", 32, FN(fioff) }, \
		{ "foseg", CORE, "int", 32, FN(foseg) }, { "fooff", CORE, "int", 32, FN(fooff) }, \
	{ \
		"fop", CORE, "int", 32, FN(fop) \
	}
#define SELREGS \
	{ "cs", CORE, "int32", 32, FN(cs) }, { "ss", CORE, "int32", 32, FN(ss) }, \
		{ "ds", CORE, "int32", 32, FN(ds) }, { "es", CORE, "int32", 32, FN(es) }, \
		{ "fs", CORE, "int32", 32, FN(fs) }, \
	{ \
		"gs", CORE, "int32", 32, FN(gs) \
	}
#define GPR(name_, r) \
	{ \
		name_, CORE, "int64", 64, AT(gpr[r]) \
	}
#define PTR(name_, r) \
	{ \
		name_, CORE, "data_ptr", 64, AT(gpr[r]) \
	}
#define GPR32(name_, r) \
	{ \
		name_, CORE, "int32", 32, AT(gpr[r]) \
	}
#define PTR32(name_, r) \
	{ \
		name_, CORE, "data_ptr", 32, AT(gpr[r]) \
	}
#define XMM(i) \
	{ \
		"xmm" #i, SSE, "vec128", 128, AT(xmm[i]) \
	}
#define MXCSR \
	{ \
		"mxcsr", SSE, "i386_mxcsr", 32, FN(mxcsr) \
	}

const struct cpu_reg x86_regs[] = { GPR("rax", R_AX),
				    GPR("rbx", R_BX),
				    GPR("rcx", R_CX),
				    GPR("rdx", R_DX),
				    GPR("rsi", R_SI),
				    GPR("rdi", R_DI),
				    PTR("rbp", R_BP),
				    PTR("rsp", R_SP),
				    GPR("r8", 8),
				    GPR("r9", 9),
				    GPR("r10", 10),
				    GPR("r11", 11),
				    GPR("r12", 12),
				    GPR("r13", 13),
				    GPR("r14", 14),
				    GPR("r15", 15),
				    { "rip", CORE, "code_ptr", 64, AT(cpu.pc) },
				    { "eflags", CORE, "i386_eflags", 32, FN(eflags) },
				    SELREGS,
				    STREGS,
				    XMM(0),
				    XMM(1),
				    XMM(2),
				    XMM(3),
				    XMM(4),
				    XMM(5),
				    XMM(6),
				    XMM(7),
				    XMM(8),
				    XMM(9),
				    XMM(10),
				    XMM(11),
				    XMM(12),
				    XMM(13),
				    XMM(14),
				    XMM(15),
				    MXCSR,
				    { "orig_rax", LINUX, "int", 64, FN(orig) },
				    { "fs_base", SEGMENTS, "int", 64, AT(seg[S_FS].base) },
				    { "gs_base", SEGMENTS, "int", 64, AT(seg[S_GS].base) },
				    { "k_gs_base", CONTROL, "int", 64, AT(msr.kernel_gs_base) },
				    { "cr0", CONTROL, "int", 64, FN(cr0) },
				    { "cr2", CONTROL, "int", 64, AT(cr2) },
				    { "cr3", CONTROL, "int", 64, FN(cr3) },
				    { "cr4", CONTROL, "int", 64, FN(cr4) },
				    { "cr8", CONTROL, "int", 64, FN(cr8) },
				    { "efer", CONTROL, "int", 64, FN(efer) },
				    { 0 } };

const struct cpu_reg x86_regs32[] = { GPR32("eax", R_AX),
				      GPR32("ecx", R_CX),
				      GPR32("edx", R_DX),
				      GPR32("ebx", R_BX),
				      PTR32("esp", R_SP),
				      PTR32("ebp", R_BP),
				      GPR32("esi", R_SI),
				      GPR32("edi", R_DI),
				      { "eip", CORE, "code_ptr", 32, AT(cpu.pc) },
				      { "eflags", CORE, "i386_eflags", 32, FN(eflags) },
				      SELREGS,
				      STREGS,
				      XMM(0),
				      XMM(1),
				      XMM(2),
				      XMM(3),
				      XMM(4),
				      XMM(5),
				      XMM(6),
				      XMM(7),
				      MXCSR,
				      { "orig_eax", LINUX, "int", 32, .get = get_orig32,
					.set = set_orig },
				      { "cr0", CONTROL, "int", 64, FN(cr0) },
				      { "cr2", CONTROL, "int", 64, AT(cr2) },
				      { "cr3", CONTROL, "int", 64, FN(cr3) },
				      { "cr4", CONTROL, "int", 64, FN(cr4) },
				      { 0 } };

bool x86_reg_alias(struct cpu *cpu, const char *name, u64 *val)
{
	static const char low[8][4] = { "eax", "ecx", "edx", "ebx", "esp", "ebp", "esi", "edi" };
	static const char seg[S_COUNT][4] = { "es", "cs", "ss", "ds", "fs", "gs", "ldt", "tr" };
	struct x86_cpu *c = X86(cpu);
	size_t n = strlen(name);

	for (unsigned i = 0; i < 8; i++) {
		if (!strcmp(name, low[i])) {
			*val = (u32)c->gpr[i];
			return true;
		}
	}
	for (unsigned i = 0; i < S_COUNT; i++) {
		if (n == strlen(seg[i]) + 5 && !strncmp(name, seg[i], n - 5) &&
		    !strcmp(name + n - 5, ".base")) {
			*val = c->seg[i].base;
			return true;
		}
	}
	if (!strcmp(name, "eip"))
		*val = (u32)cpu->pc;
	else if (!strcmp(name, "gdt.base") || !strcmp(name, "gdtbase"))
		*val = c->gdt.base;
	else if (!strcmp(name, "idt.base") || !strcmp(name, "idtbase"))
		*val = c->idt.base;
	else
		return false;
	return true;
}

/* --- info registers: one line after another, in the layout that scripts parse */

struct out {
	void (*line)(void *arg, const char *text);
	void *arg;
};
static void printf_like(2, 3) say(const struct out *o, const char *fmt, ...)
{
	char buf[256];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(buf, sizeof(buf), fmt, ap);
	va_end(ap);
	o->line(o->arg, buf);
}

static const char *seg_kind(const struct x86_cpu *c, unsigned i, char *buf, size_t n)
{
	static const char *const sys[2][16] = {
		{ "Reserved", "TSS16-avl", "LDT", "TSS16-busy", "CallGate16", "TaskGate",
		  "IntGate16", "TrapGate16", "Reserved", "TSS32-avl", "Reserved", "TSS32-busy",
		  "CallGate32", "Reserved", "IntGate32", "TrapGate32" },
		{ "<hiword>", "Reserved", "LDT", "Reserved", "Reserved", "Reserved", "Reserved",
		  "Reserved", "Reserved", "TSS64-avl", "Reserved", "TSS64-busy", "CallGate64",
		  "Reserved", "IntGate64", "TrapGate64" },
	};
	u16 a = c->seg[i].attr;

	if (!(c->cr0 & CR0_PE) || !(a & SEG_P)) {
		buf[0] = 0;
	} else if (!(a & SEG_S)) {
		snprintf(buf, n, " DPL=%u %s", seg_dpl(a), sys[!!(c->efer & EFER_LMA)][a & 15]);
	} else if (seg_is_code(a)) {
		snprintf(buf, n, " DPL=%u %s [%c%c%c]", seg_dpl(a),
			 a & SEG_L  ? "CS64" :
			 a & SEG_DB ? "CS32" :
				      "CS16",
			 a & SEG_C ? 'C' : '-', a & SEG_R ? 'R' : '-', a & SEG_A ? 'A' : '-');
	} else {
		snprintf(buf, n, " DPL=%u %s [%c%c%c]", seg_dpl(a),
			 a & SEG_DB || c->efer & EFER_LMA ? "DS  " : "DS16", a & SEG_E ? 'E' : '-',
			 a & SEG_W ? 'W' : '-', a & SEG_A ? 'A' : '-');
	}
	return buf;
}

static void dump_segments(struct x86_cpu *c, const struct out *o, int w)
{
	static const char *const name[] = {
		"ES ", "CS ", "SS ", "DS ", "FS ", "GS ", "LDT", "TR "
	};
	char buf[64];

	for (unsigned i = 0; i < S_COUNT; i++)
		say(o, "%s=%04x %0*llx %08x %08x%s", name[i], c->seg[i].sel, w,
		    (unsigned long long)c->seg[i].base, c->seg[i].limit, c->seg[i].attr << 8,
		    seg_kind(c, i, buf, sizeof(buf)));
	say(o, "GDT=     %0*llx %08x", w, (unsigned long long)c->gdt.base, c->gdt.limit);
	say(o, "IDT=     %0*llx %08x", w, (unsigned long long)c->idt.base, c->idt.limit);
}

static void dump_control(struct x86_cpu *c, const struct out *o, int w)
{
	say(o, "CR0=%08x CR2=%0*llx CR3=%0*llx CR4=%08x", (u32)c->cr0, w,
	    (unsigned long long)c->cr2, w, (unsigned long long)c->cr3, (u32)c->cr4);
	/* as wide as the target, whatever the mode */
	w = c->cpu.isa->regs == x86_regs32 ? 8 : 16;
	say(o, "DR0=%0*llx DR1=%0*llx DR2=%0*llx DR3=%0*llx ", w, (unsigned long long)c->dr[0], w,
	    (unsigned long long)c->dr[1], w, (unsigned long long)c->dr[2], w,
	    (unsigned long long)c->dr[3]);
	say(o, "DR6=%0*llx DR7=%0*llx", w, (unsigned long long)c->dr[6], w,
	    (unsigned long long)c->dr[7]);
	say(o, "EFER=%016llx", (unsigned long long)c->efer);
}

static void dump_fpu(struct x86_cpu *c, const struct out *o)
{
	unsigned n = c->efer & EFER_LMA ? 16 : 8;

	x86_mxcsr_sync(c);
	say(o, "FCW=%04x FSW=%04x [ST=%u] FTW=%02x MXCSR=%08x", c->fpu_cw, c->fpu_sw,
	    c->fpu_sw >> 11 & 7, c->fpu_tag & 0xff, c->mxcsr);
	for (unsigned i = 0; i < 8; i += 2)
		say(o, "FPR%u=%016llx %04x FPR%u=%016llx %04x", i, (unsigned long long)c->fpr[i].m,
		    c->fpr[i].se, i + 1, (unsigned long long)c->fpr[i + 1].m, c->fpr[i + 1].se);
	for (unsigned i = 0; i < n; i += 2)
		say(o, "XMM%02u=%016llx %016llx XMM%02u=%016llx %016llx", i,
		    (unsigned long long)c->xmm[i].q[1], (unsigned long long)c->xmm[i].q[0], i + 1,
		    (unsigned long long)c->xmm[i + 1].q[1], (unsigned long long)c->xmm[i + 1].q[0]);
}

static void dump_gprs(struct x86_cpu *c, const struct out *o)
{
	static const char name[16][4] = { "RAX", "RBX", "RCX", "RDX", "RSI", "RDI", "RBP", "RSP",
					  "R8 ", "R9 ", "R10", "R11", "R12", "R13", "R14", "R15" };
	static const u8 reg[16] = { R_AX, R_BX, R_CX, R_DX, R_SI, R_DI, R_BP, R_SP,
				    8,	  9,	10,   11,   12,	  13,	14,   15 };
	bool wide = c->efer & EFER_LMA;

	for (unsigned i = 0; i < (wide ? 16 : 8); i += 4) {
		const u64 *g = c->gpr;

		if (wide)
			say(o, "%s=%016llx %s=%016llx %s=%016llx %s=%016llx", name[i],
			    (unsigned long long)g[reg[i]], name[i + 1],
			    (unsigned long long)g[reg[i + 1]], name[i + 2],
			    (unsigned long long)g[reg[i + 2]], name[i + 3],
			    (unsigned long long)g[reg[i + 3]]);
		else
			say(o, "E%s=%08x E%s=%08x E%s=%08x E%s=%08x", name[i] + 1, (u32)g[reg[i]],
			    name[i + 1] + 1, (u32)g[reg[i + 1]], name[i + 2] + 1,
			    (u32)g[reg[i + 2]], name[i + 3] + 1, (u32)g[reg[i + 3]]);
	}
}

void x86_dump(struct cpu *cpu, void (*line)(void *arg, const char *text), void *arg)
{
	struct x86_cpu *c = X86(cpu);
	struct out o = { line, arg };
	bool wide = c->efer & EFER_LMA;
	u32 f = x86_eflags(c);

	dump_gprs(c, &o);
	say(&o, "%s=%0*llx %s=%08x [%c%c%c%c%c%c%c] CPL=%u II=%u A20=1 SMM=0 HLT=%u",
	    wide ? "RIP" : "EIP", wide ? 16 : 8, (unsigned long long)cpu->pc, wide ? "RFL" : "EFL",
	    f, f & EFL_DF ? 'D' : '-', f & EFL_OF ? 'O' : '-', f & EFL_SF ? 'S' : '-',
	    f & EFL_ZF ? 'Z' : '-', f & EFL_AF ? 'A' : '-', f & EFL_PF ? 'P' : '-',
	    f & EFL_CF ? 'C' : '-', x86_cpl(c), c->inhibit & 1, cpu->halted);
	dump_segments(c, &o, wide ? 16 : 8);
	dump_control(c, &o, wide ? 16 : 8);
	dump_fpu(c, &o);
}
