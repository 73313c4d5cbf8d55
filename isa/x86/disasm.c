/* SPDX-License-Identifier: GPL-2.0-or-later */
/* disasm.c - instructions as text for logs and the monitor: by Zydis in AT&T syntax, as kernel
 * developers read it; without that library, by the names and operands of our own tables. */
#include "decode.h"
#include <stdio.h>
#ifdef HAVE_ZYDIS
#include <Zydis/Zydis.h>

static unsigned by_library(u32 mode, u64 pc, const u8 *code, unsigned avail, char *text,
			   size_t size)
{
	unsigned bits = mode & M_CODE;
	ZydisDecoder d;
	ZydisFormatter f;
	ZydisDecodedInstruction in;
	ZydisDecodedOperand op[ZYDIS_MAX_OPERAND_COUNT];

	ZydisDecoderInit(&d,
			 bits == M_CODE64 ? ZYDIS_MACHINE_MODE_LONG_64 :
			 bits == M_CODE32 ? ZYDIS_MACHINE_MODE_LEGACY_32 :
					    ZYDIS_MACHINE_MODE_LEGACY_16,
			 bits == M_CODE64 ? ZYDIS_STACK_WIDTH_64 :
			 bits == M_CODE32 ? ZYDIS_STACK_WIDTH_32 :
					    ZYDIS_STACK_WIDTH_16);
	ZydisFormatterInit(&f, ZYDIS_FORMATTER_STYLE_ATT);
	if (!ZYAN_SUCCESS(ZydisDecoderDecodeFull(&d, code, avail, &in, op)))
		return 0;
	if (!ZYAN_SUCCESS(ZydisFormatterFormatInstruction(&f, &in, op, in.operand_count_visible,
							  text, size, pc, NULL)))
		return 0;
	return in.length;
}
#else
static unsigned by_library(u32 mode, u64 pc, const u8 *code, unsigned avail, char *text,
			   size_t size)
{
	return 0;
}
#endif

static const char *const names[] = { "ax", "cx", "dx", "bx", "sp", "bp", "si", "di" };

static int reg_text(char *at, size_t size, unsigned reg, unsigned bytes)
{
	static const char suffix[] = { [1] = 'b', [2] = 'w', [4] = 'd' };

	if (reg >= 16)
		return snprintf(at, size, "%%%ch", "acdb"[reg & 3]);
	if (reg >= 8)
		return bytes == 8 ? snprintf(at, size, "%%r%u", reg) :
				    snprintf(at, size, "%%r%u%c", reg, suffix[bytes & 7]);
	if (bytes == 1)
		return reg < 4 ? snprintf(at, size, "%%%cl", "acdb"[reg]) :
				 snprintf(at, size, "%%%sl", names[reg]);
	return snprintf(at, size, "%%%s%s", bytes == 8 ? "r" : bytes == 4 ? "e" : "", names[reg]);
}

static int mem_text(char *at, size_t size, const struct x86_insn *in)
{
	static const char *const segs[] = { "es", "cs", "ss", "ds", "fs", "gs" };
	int n = in->seg_override ? snprintf(at, size, "%%%s:", segs[in->seg]) : 0;

	n += snprintf(at + n, size - (size_t)n, "%s%#llx", in->disp < 0 ? "-" : "",
		      (unsigned long long)(in->disp < 0 ? -(u64)in->disp : (u64)in->disp));
	if (in->base < 0 && in->index < 0)
		return n;
	n += snprintf(at + n, size - (size_t)n, "(");
	if (in->base == 16)
		n += snprintf(at + n, size - (size_t)n, "%%rip");
	else if (in->base >= 0)
		n += reg_text(at + n, size - (size_t)n, (unsigned)in->base, in->asize);
	if (in->index >= 0) {
		n += snprintf(at + n, size - (size_t)n, ",");
		n += reg_text(at + n, size - (size_t)n, (unsigned)in->index, in->asize);
		n += snprintf(at + n, size - (size_t)n, ",%u", 1u << in->scale);
	}
	return n + snprintf(at + n, size - (size_t)n, ")");
}

static int operand_text(char *at, size_t size, const struct x86_insn *in,
			const struct x86_operand *o, u64 next)
{
	switch (o->kind) {
	case OPK_REG:
		return reg_text(at, size, o->reg, o->size);
	case OPK_MEM:
		return mem_text(at, size, in);
	case OPK_IMM:
		return snprintf(at, size, "$%#llx", (unsigned long long)in->imm);
	case OPK_REL:
		return snprintf(at, size, "%#llx", (unsigned long long)(next + in->imm));
	case OPK_FAR:
		return snprintf(at, size, "$%#x,$%#llx", in->imm2, (unsigned long long)in->imm);
	case OPK_XMM:
		return snprintf(at, size, "%%xmm%u", o->reg);
	case OPK_MMX:
		return snprintf(at, size, "%%mm%u", o->reg);
	case OPK_ST:
		return snprintf(at, size, "%%st(%u)", o->reg);
	default:
		return snprintf(at, size, "%%%s%u",
				o->kind == OPK_CREG ? "cr" :
				o->kind == OPK_DREG ? "db" :
						      "sreg",
				o->reg);
	}
}

unsigned x86_disasm(struct cpu *cpu, u64 pc, const u8 *code, unsigned avail, char *text,
		    size_t size)
{
	unsigned len = by_library(cpu->mode, pc, code, avail, text, size);
	struct x86_insn in;
	char buf[192];
	int n, at;

	if (len)
		return len;
	n = x86_decode(code, avail, cpu->mode, &in);
	if (n <= 0 || n > 15)
		return 0;
	at = snprintf(buf, sizeof(buf), "%s%s%s", in.lock ? "lock " : "",
		      in.rep ? in.rep == 0xf2 ? "repne " : "rep " : "", in.enc->name);
	for (unsigned i = in.nops; i-- > 0;) {
		at += snprintf(buf + at, sizeof(buf) - (size_t)at, i + 1 == in.nops ? " " : ", ");
		at += operand_text(buf + at, sizeof(buf) - (size_t)at, &in, &in.op[i],
				   pc + (unsigned)n);
	}
	snprintf(text, size, "%s", buf);
	return (unsigned)n;
}
