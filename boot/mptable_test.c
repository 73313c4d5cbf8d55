/* SPDX-License-Identifier: GPL-2.0-or-later */
/* mptable_test.c - the MP tables add up, and every entry is of a known kind and length. */
#include "mptable.h"
#include "acpi_test_boards.h"
#include "lib/test.h"

static u8 sum(const u8 *p, size_t n)
{
	u8 s = 0;

	while (n--)
		s += p[n];
	return s;
}

static void check(void (*board)(struct x86_board_info *i), unsigned buses)
{
	static const u8 size[] = { 20, 8, 8, 8, 8 };
	struct x86_board_info info = { 0 };
	struct strbuf b = { 0 };
	unsigned kinds[5] = { 0 }, entries = 0;
	const u8 *t;
	size_t at = 44;

	board(&info);
	mptable_build(&b, &info, 0xf5100);
	t = (u8 *)b.at + 16;
	CHECK_MEM(b.at, "_MP_", 4);
	CHECK_EQ(ld32le(b.at + 4), 0xf5110);
	CHECK_EQ(sum((u8 *)b.at, 16), 0);
	CHECK_MEM(t, "PCMP", 4);
	CHECK_EQ(ld16le(t + 4), b.n - 16);
	CHECK_EQ(sum(t, b.n - 16), 0);
	for (; at < b.n - 16; entries++) {
		CHECK(t[at] < 5);
		kinds[t[at]]++;
		at += size[t[at]];
	}
	CHECK_EQ(at, b.n - 16);
	CHECK_EQ(entries, ld16le(t + 34));
	CHECK_EQ(kinds[0], info.ncpus);
	CHECK_EQ(kinds[1], buses);
	CHECK_EQ(kinds[2], 1);
	CHECK_EQ(t[44 + 3], 3); /* the first processor boots */
	strbuf_fini(&b);
	free(info.apic_id);
}

TEST(mptable_pc) { check(acpi_test_pc, 2); }
TEST(mptable_microvm) { check(acpi_test_microvm, 1); }
