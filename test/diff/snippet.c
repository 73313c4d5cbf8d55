/* SPDX-License-Identifier: GPL-2.0-or-later */
/* snippet.c - snippets as lists of instructions, as bytes at an address, as lines of a case file,
 * and as text. */
#include "diff.h"
#include <stdio.h>
#include <stdlib.h>
#ifdef HAVE_ZYDIS
#include <Zydis/Zydis.h>
#endif

/* Of the item's branch displacement from the end of item k. */
static s64 distance(const struct items *l, unsigned k, const u16 *at)
{
	return (s64)at[l->i[k].target] - at[k] - l->i[k].len;
}

/* Short branches that do not reach go to a nearer item. */
static void shorten(struct items *l, const u16 *at)
{
	for (unsigned k = 0; k < l->n; k++) {
		struct item *it = &l->i[k];

		if (it->target < 0 || it->rel != 1)
			continue;
		while (distance(l, k, at) > 127)
			it->target--;
		while (distance(l, k, at) < -128)
			it->target++;
	}
}

bool snippet_layout(struct snippet *s, struct items *l)
{
	u16 at[MAX_INSNS + 1];

	at[0] = 0;
	for (unsigned k = 0; k < l->n; k++)
		at[k + 1] = (u16)(at[k] + l->i[k].len);
	if (at[l->n] > MAX_CODE)
		return false;
	for (unsigned k = 0; k < l->n; k++)
		l->i[k].target = (s8)MIN((int)l->i[k].target, (int)l->n);
	shorten(l, at);
	for (unsigned k = 0; k < l->n; k++) {
		struct item *it = &l->i[k];
		u64 end = s->at + at[k + 1];

		if (it->target >= 0) {
			s64 d = distance(l, k, at);

			if (it->rel == 1)
				it->b[it->len - 1] = (u8)d;
			else
				st32le(it->b + it->len - 4, (u32)d);
		}
		if (it->rip_at) {
			u64 to = it->rip_to <= MAX_INSNS + 1 ?
					 s->at + at[MIN(it->rip_to - 1, (u64)l->n)] :
					 it->rip_to;

			st32le(it->b + it->rip_at, (u32)(to - end));
		}
		memcpy(s->code + at[k], it->b, it->len);
	}
	s->len = at[l->n];
	return true;
}

static s8 index_at(const u16 *at, unsigned n, s64 off)
{
	for (unsigned k = 0; k <= n; k++)
		if (at[k] == off)
			return (s8)k;
	return -1;
}

/* Where the disp32 of a RIP-relative operand lies: in front of the immediate. */
static u8 rip_offset(const struct x86_insn *in, const u8 *b)
{
	for (unsigned k = in->len - 4; k > 0; k--)
		if ((s32)ld32le(b + k) == in->disp && (b[k - 1] & 0xc7) == 5)
			return (u8)k;
	return 0;
}

void snippet_items(const struct snippet *s, struct items *l)
{
	u16 at[MAX_INSNS + 1] = { 0 };
	s64 to[MAX_INSNS];
	unsigned off = 0;

	l->n = 0;
	while (off < s->len && l->n < MAX_INSNS) {
		struct item *it = &l->i[l->n];
		struct x86_insn in;
		int n = x86_decode(s->code + off, s->len - off, MODE64, &in);

		if (n <= 0 || n > 15)
			n = MIN(15, s->len - (int)off);
		*it = (struct item){ .len = (u8)n,
				     .target = -1,
				     .enc = in.len == n ? in.enc : NULL };
		memcpy(it->b, s->code + off, (size_t)n);
		to[l->n] = -1;
		if (it->enc && in.nops && in.op[0].kind == OPK_REL) {
			it->rel = it->b[0] == 0x0f || in.opcode == 0xe8 || in.opcode == 0xe9 ||
						  in.map == MAP_0F ?
					  4 :
					  1;
			to[l->n] = (s64)off + n + (s64)in.imm;
		}
		if (it->enc && in.base == 16) {
			it->rip_at = rip_offset(&in, it->b);
			it->rip_to = s->at + off + (u64)n + (u64)in.disp;
		}
		off += (unsigned)n;
		at[++l->n] = (u16)off;
	}
	for (unsigned k = 0; k < l->n; k++) {
		struct item *it = &l->i[k];
		u64 rel = it->rip_to - s->at;

		if (to[k] >= 0)
			it->target = index_at(at, l->n, to[k]);
		if (it->rip_at && rel <= s->len && index_at(at, l->n, (s64)rel) >= 0)
			it->rip_to = (u64)index_at(at, l->n, (s64)rel) + 1;
	}
}

static void disassemble(u64 pc, const u8 *b, unsigned len, char *text, size_t size)
{
#ifdef HAVE_ZYDIS
	ZydisDecoder d;
	ZydisFormatter f;
	ZydisDecodedInstruction in;
	ZydisDecodedOperand op[ZYDIS_MAX_OPERAND_COUNT];

	ZydisDecoderInit(&d, ZYDIS_MACHINE_MODE_LONG_64, ZYDIS_STACK_WIDTH_64);
	ZydisFormatterInit(&f, ZYDIS_FORMATTER_STYLE_INTEL);
	if (ZYAN_SUCCESS(ZydisDecoderDecodeFull(&d, b, len, &in, op)) &&
	    ZYAN_SUCCESS(ZydisFormatterFormatInstruction(&f, &in, op, in.operand_count_visible,
							 text, size, pc, NULL)))
		return;
	snprintf(text, size, "(bad)");
#else
	struct x86_insn in;

	snprintf(text, size, "%s", x86_decode(b, len, MODE64, &in) > 0 ? in.enc->name : "(bad)");
#endif
}

void snippet_print(const struct snippet *s, const struct regs *start)
{
	struct items l;
	u64 pc = s->at;

	snippet_items(s, &l);
	for (unsigned k = 0; k < l.n; k++) {
		char text[128], hex[48];

		disassemble(pc, l.i[k].b, l.i[k].len, text, sizeof(text));
		for (unsigned i = 0; i < l.i[k].len; i++)
			snprintf(hex + 2 * i, 3, "%02x", l.i[k].b[i]);
		printf("  %8llx  %-30s %s\n", (unsigned long long)pc, hex, text);
		pc += l.i[k].len;
	}
	printf("  starts with");
	for (unsigned i = 0; i < 16; i++) {
		static const char *const names[16] = { "rax", "rcx", "rdx", "rbx", "rsp", "rbp",
						       "rsi", "rdi", "r8",  "r9",  "r10", "r11",
						       "r12", "r13", "r14", "r15" };

		printf("%s%s=%llx", i % 6 ? " " : "\n    ", names[i],
		       (unsigned long long)start->gpr[i]);
	}
	printf("\n    flags=%llx fs=%llx gs=%llx mxcsr=%x cw=%x sw=%x tag=%02x\n",
	       (unsigned long long)start->flags, (unsigned long long)start->fsbase,
	       (unsigned long long)start->gsbase, start->fx.mxcsr, start->fx.cw, start->fx.sw,
	       start->fx.tag);
}

void snippet_write(const struct snippet *s, char *text, size_t size)
{
	int n = snprintf(text, size,
			 "at=%llx seed=%llx simple=%llx code=", (unsigned long long)s->at,
			 (unsigned long long)s->seed, (unsigned long long)s->simple);

	for (unsigned i = 0; i < s->len && n + 3 < (int)size; i++)
		n += snprintf(text + n, size - (size_t)n, "%02x", s->code[i]);
}

bool snippet_read(struct snippet *s, const char *text)
{
	unsigned long long at, seed, simple;
	int n = 0;

	if (sscanf(text, "at=%llx seed=%llx simple=%llx code=%n", &at, &seed, &simple, &n) != 3 ||
	    !n)
		return false;
	*s = (struct snippet){ .at = at, .seed = seed, .simple = simple };
	for (text += n; s->len < MAX_CODE; text += 2) {
		unsigned b;

		if (sscanf(text, "%2x", &b) != 1 || text[0] <= ' ')
			break;
		s->code[s->len++] = (u8)b;
	}
	return s->len > 0;
}
