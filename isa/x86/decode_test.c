/* SPDX-License-Identifier: GPL-2.0-or-later */
/* decode_test.c - the decoder against Zydis on random instructions in the three code sizes, and the
 * rules of prefixes and lengths by hand. */
#include "decode.h"
#include "../../lib/test.h"
#include <stdio.h>
#ifdef HAVE_ZYDIS
#include <Zydis/Zydis.h>
#endif

enum {
	MODE16 = M_CODE16 | M_PE,
	MODE32 = M_CODE32 | M_SS32 | M_PE | M_FLAT,
	MODE64 = M_CODE64 | M_SS32 | M_PE | M_LMA | M_FLAT
};

static int decode(u32 mode, const char *bytes, unsigned n, struct x86_insn *in)
{
	u8 buf[32] = { 0 };

	memcpy(buf, bytes, n);
	return x86_decode(buf, n, mode, in);
}
#define DECODE(mode, bytes, in) decode(mode, bytes, sizeof(bytes) - 1, in)

TEST(x86_decode_tables_are_consistent) { CHECK_STR(x86_decode_check(), NULL); }

TEST(x86_decode_operands)
{
	struct x86_insn in;

	CHECK_EQ(DECODE(MODE64, "\x48\x01\xd8", &in), 3); /* add rax, rbx */
	CHECK_STR(in.enc->name, "add");
	CHECK_EQ(in.op[0].reg, R_AX);
	CHECK_EQ(in.op[0].size, 8);
	CHECK_EQ(in.op[1].reg, R_BX);
	CHECK_EQ(DECODE(MODE64, "\x88\xe0", &in), 2); /* mov al, ah */
	CHECK_EQ(in.op[1].reg, 16);
	CHECK_EQ(DECODE(MODE64, "\x40\x88\xe0", &in), 3); /* mov al, spl */
	CHECK_EQ(in.op[1].reg, R_SP);
	/* mov rax, [rbx + 4 * rcx + 0x12345678] */
	CHECK_EQ(DECODE(MODE64, "\x48\x8b\x84\x8b\x78\x56\x34\x12", &in), 8);
	CHECK_EQ(in.base, R_BX);
	CHECK_EQ(in.index, R_CX);
	CHECK_EQ(in.scale, 2);
	CHECK_EQ(in.disp, 0x12345678);
	CHECK_EQ(DECODE(MODE64, "\x8b\x05\x10\x00\x00\x00", &in), 6);
	CHECK_EQ(in.base, 16);
	CHECK_EQ(DECODE(MODE32, "\x8b\x05\x10\x00\x00\x00", &in), 6);
	CHECK_EQ(in.base, -1);
	CHECK_EQ(DECODE(MODE64, "\x48\xb8\x88\x77\x66\x55\x44\x33\x22\x11", &in), 10);
	CHECK_EQ(in.imm, 0x1122334455667788);
	CHECK_EQ(DECODE(MODE64, "\x48\xc7\xc0\xff\xff\xff\xff", &in), 7);
	CHECK_EQ(in.imm, ~0ull);
	CHECK_EQ(DECODE(MODE16, "\x8b\x42\xfe", &in), 3); /* mov ax, [bp + si - 2] */
	CHECK_EQ(in.base, R_BP);
	CHECK_EQ(in.index, R_SI);
	CHECK_EQ(in.seg, S_SS);
	CHECK_EQ(in.disp, -2);
	CHECK_EQ(in.op[0].size, 2);
	CHECK_EQ(DECODE(MODE64, "\xa1\x88\x77\x66\x55\x44\x33\x22\x11", &in), 9);
	CHECK_EQ(in.disp, 0x1122334455667788);
	CHECK_EQ(DECODE(MODE32, "\x9a\x04\x03\x02\x01\x08\x00", &in), 7);
	CHECK_EQ(in.imm, 0x01020304);
	CHECK_EQ(in.imm2, 8);
	CHECK_EQ(DECODE(MODE64, "\xc8\x10\x00\x01", &in), 4);
	CHECK_EQ(in.imm, 16);
	CHECK_EQ(in.imm2, 1);
}

TEST(x86_decode_prefixes)
{
	struct x86_insn in;

	CHECK_EQ(DECODE(MODE64, "\x48\x66\x01\xd8", &in), 4); /* REX not last: ignored */
	CHECK_EQ(in.osize, 2);
	CHECK_EQ(DECODE(MODE64, "\x66\x48\x01\xd8", &in), 4);
	CHECK_EQ(in.osize, 8);
	CHECK_EQ(DECODE(MODE64, "\x67\x8b\x00", &in), 3);
	CHECK_EQ(in.asize, 4);
	/* CS is no override in 64-bit code */
	CHECK_EQ(DECODE(MODE64, "\x2e\x65\x2e\x8b\x00", &in), 5);
	CHECK_EQ(in.seg, S_GS);
	/* near branches ignore 66 */
	CHECK_EQ(DECODE(MODE64, "\x66\xe8\x00\x00\x00\x00", &in), 6);
	CHECK_EQ(DECODE(MODE32, "\x66\xe8\x00\x00", &in), 4);
	CHECK_EQ(DECODE(MODE64, "\x50", &in), 1);
	CHECK_EQ(in.osize, 8);
	CHECK_EQ(DECODE(MODE64, "\xf0\x01\x18", &in), 3);
	CHECK_EQ(DECODE(MODE64, "\xf0\x01\xd8", &in), 0); /* LOCK without memory */
	CHECK_EQ(DECODE(MODE64, "\xf0\x3b\x18", &in), 0); /* LOCK CMP */
	CHECK_EQ(DECODE(MODE64, "\xf0\x03\x18", &in), 0); /* memory is the source */
	CHECK_EQ(DECODE(MODE64, "\x06", &in), 0);
	CHECK_EQ(DECODE(MODE32, "\x0f\x05", &in), 2);
	CHECK_EQ(DECODE(M_CODE16, "\x0f\x00\xc0", &in), 0); /* SLDT in real mode */
	CHECK_EQ(DECODE(MODE16, "\x0f\x00\xc0", &in), 3);
	CHECK_EQ(DECODE(MODE64, "\xf3\x90", &in), 2);
	CHECK_STR(in.enc->name, "pause");
	CHECK_EQ(DECODE(MODE64, "\x66\xf3\x0f\xb8\xc1", &in), 5);
	CHECK_STR(in.enc->name, "popcnt");
	CHECK_EQ(in.op[0].size, 2);
	CHECK_EQ(DECODE(MODE64, "\x0f\xb8\xc1", &in), 0);
}

TEST(x86_decode_vex)
{
	struct x86_insn in;

	CHECK_EQ(DECODE(MODE64, "\xc4\xe2\x60\xf2\xc1", &in), 5); /* andn eax, ebx, ecx */
	CHECK_STR(in.enc->name, "andn");
	CHECK_EQ(in.op[1].reg, R_BX);
	CHECK_EQ(DECODE(MODE64, "\xc4\xe2\x64\xf2\xc1", &in), 0); /* L = 1 */
	CHECK_EQ(DECODE(MODE64, "\x66\xc4\xe2\x60\xf2\xc1", &in), 0);
	CHECK_EQ(DECODE(M_CODE16, "\xc4\xe2\x60\xf2\xc1", &in), 0); /* real mode */
	CHECK_EQ(DECODE(MODE32, "\xc4\x00", &in), 2);
	CHECK_STR(in.enc->name, "les");
}

TEST(x86_decode_lengths)
{
	struct x86_insn in;
	u8 long_one[17] = "\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\x01\xd8";

	CHECK_EQ(x86_decode(long_one, 15, MODE64, &in), 15);
	memset(long_one, 0x66, 14);
	long_one[14] = 0x01;
	long_one[15] = 0xd8;
	CHECK_EQ(x86_decode(long_one, 16, MODE64, &in), 16);
	CHECK_EQ(in.len, 16);
	CHECK_EQ(x86_decode(long_one, 14, MODE64, &in), -1);
	for (unsigned n = 0; n < 8; n++)
		CHECK_EQ(decode(MODE64, "\x48\x8b\x84\x8b\x78\x56\x34\x12", n, &in), -1);
}

#ifdef HAVE_ZYDIS
/* Emitters that stand for several mnemonics. */
static const struct {
	const char *name, *mnemonics;
} aliases[] = {
	{ "cbw", "cwde cdqe" },
	{ "cwd", "cdq cqo" },
	{ "jcc", "j*" },
	{ "jcxz", "jecxz jrcxz" },
	{ "cmpxchg8b", "cmpxchg16b" },
	{ "mm_pshuflw", "pshufw" },
	{ "movaps", "movapd movdqa movntdq movntdqa movntpd movntps" },
	{ "movd", "movq" },
	{ "movhps", "movhpd" },
	{ "movlps", "movlpd" },
	{ "movups", "movupd movdqu lddqu" },
	{ "mm_movd", "movq" },
	{ "mm_movq", "movntq" },
	{ "nop", "bnd* cldemote endbr32 endbr64 invd wbinvd lfence sfence prefetch* serialize" },
	{ "pand", "andps andpd" },
	{ "pandn", "andnps andnpd" },
	{ "por", "orps orpd" },
	{ "pxor", "xorps xorpd" },
	{ "punpcklqdq", "unpcklpd" },
	{ "punpckhqdq", "unpckhpd" },
	{ "setcc", "set*" },
	{ "xchg", "nop" },
	{ "pinsrd", "pinsrq" },
	{ "pextrd", "pextrq" },
	{ "imul1", "imul" },
	{ "x87", "f*" },
	{ "clflush", "clwb" },
};

static bool in_list(const char *list, const char *m)
{
	while (*list) {
		size_t n = strcspn(list, " ");

		if (list[n - 1] == '*' ? !strncmp(list, m, n - 1) :
					 strlen(m) == n && !strncmp(list, m, n))
			return true;
		list += n + (list[n] == ' ');
	}
	return false;
}

static bool same_name(const char *name, const char *m)
{
	const char *root = strncmp(name, "mm_", 3) ? name : name + 3;

	for (unsigned i = 0; i < ARRAY_SIZE(aliases); i++)
		if (!strncmp(name, aliases[i].name, strlen(aliases[i].name)) &&
		    in_list(aliases[i].mnemonics, m))
			return true;
	return !strncmp(root, m, strcspn(root, "_"));
}

/* Encodings of theirs that we should know. */
static bool ours(const ZydisDecodedInstruction *z)
{
	static const char *const known =
		"BASE X87 MMX SSE SSE2 SSE3 SSSE3 SSE4 BMI1 BMI2 ADOX_ADCX AES PCLMULQDQ SHA MOVBE "
		"LONGMODE RDRAND RDSEED RDWRFSGS"
		" SMAP INVPCID LZCNT MONITOR RDTSCP PAUSE XSAVE XSAVEOPT XSAVEC CLFSH CLFLUSHOPT "
		"CLWB RDPID PREFETCHWT1";

	return in_list(known, ZydisISAExtGetString(z->meta.isa_ext));
}

/* Encodings of ours that they refuse: MPX forms that are NOPs without MPX, forms of MOV CR and MOV
 * sreg that the emitters refuse. */
static bool lenient(const struct x86_insn *in)
{
	return in->map == MAP_0F ? in->opcode == 0x1a || in->opcode == 0x1b || in->opcode == 0x20 ||
					   in->opcode == 0x22 :
				   in->map == MAP_PRI && in->opcode == 0x8e;
}

static u64 seed = 88172645463325252ull;
static u64 rnd(void)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	return seed ^= seed << 17;
}

/* Prefixes, then a byte of some map, then anything. */
static void make(u8 b[24])
{
	static const u8 prefix[] = { 0x66, 0x66, 0x67, 0xf2, 0xf3, 0xf0, 0x2e,
				     0x36, 0x64, 0x65, 0x48, 0x41, 0x44, 0x4f };
	unsigned p = 0, kind = rnd() % 10;

	for (unsigned k = 0; k < 24; k += 8)
		st64le(b + k, rnd());
	while ((rnd() & 3) == 0 && p < 4)
		b[p++] = prefix[rnd() % sizeof(prefix)];
	if (kind < 5)
		b[p++] = 0x0f;
	if (kind == 1 || kind == 2)
		b[p] = kind == 1 ? 0x38 : 0x3a;
	if (kind == 5) {
		b[p] = 0xc4;
		b[p + 1] = (u8)((b[p + 1] & 0xe0) | (1 + rnd() % 3));
	}
}

static void differ(const u8 *b, unsigned m, const char *what, const char *name)
{
	char hex[40];

	for (unsigned i = 0; i < 16; i++)
		snprintf(hex + 2 * i, 3, "%02x", b[i]);
	test_fail(__FILE__, __LINE__, "%u-bit code %s: %s (%s)", 16u << m, hex, what, name);
}

TEST(x86_decode_like_zydis)
{
	static const u32 modes[3] = { MODE16, MODE32, MODE64 };
	ZydisDecoder d[3];

	ZydisDecoderInit(&d[0], ZYDIS_MACHINE_MODE_LEGACY_16, ZYDIS_STACK_WIDTH_16);
	ZydisDecoderInit(&d[1], ZYDIS_MACHINE_MODE_LEGACY_32, ZYDIS_STACK_WIDTH_32);
	ZydisDecoderInit(&d[2], ZYDIS_MACHINE_MODE_LONG_64, ZYDIS_STACK_WIDTH_64);
	for (unsigned i = 0; i < 600000; i++) {
		unsigned m = i % 3;
		ZydisDecodedInstruction z;
		struct x86_insn in;
		bool theirs;
		u8 b[24];
		int n;

		make(b);
		n = x86_decode(b, 16, modes[m], &in);
		theirs = ZYAN_SUCCESS(ZydisDecoderDecodeInstruction(&d[m], NULL, b, 16, &z));
		if (n > 15 || (n <= 0 && !theirs))
			continue;
		if (n <= 0) {
			if (ours(&z))
				differ(b, m, "not decoded", ZydisMnemonicGetString(z.mnemonic));
		} else if (!theirs) {
			if (!lenient(&in))
				differ(b, m, "decoded, but is undefined", in.enc->name);
		} else if (n != z.length) {
			differ(b, m, "different length", in.enc->name);
		} else if (!same_name(in.enc->name, ZydisMnemonicGetString(z.mnemonic))) {
			differ(b, m, in.enc->name, ZydisMnemonicGetString(z.mnemonic));
		}
	}
}
#endif
