/* SPDX-License-Identifier: GPL-2.0-or-later */
/* acpi_test.c - the ACPI tables add up and point at each other; with QUERN_ACPI_DUMP=DIR they are
 * written there, for test/acpi_tables. */
#include "acpi.h"
#include "acpi_aml.h"
#include "acpi_test_boards.h"
#include "lib/bytes.h"
#include "lib/test.h"

static u8 sum(const void *p, size_t n)
{
	u8 s = 0;

	while (n--)
		s += ((const u8 *)p)[n];
	return s;
}

static void dump(const char *board, const struct acpi_tables *t)
{
	const char *dir = getenv("QUERN_ACPI_DUMP");

	for (size_t i = 0; dir && i < t->tables.n; i++) {
		struct bytes b = { (u8 *)t->data.at + t->tables.at[i].at, t->tables.at[i].size };
		AUTO_FREE char *path = xasprintf("%s/%s-%.4s.aml", dir, board, (char *)b.data);

		CHECK_EQ(bytes_write_file(&b, path, NULL), 0);
	}
}

static void check_tables(const char *name, void (*fill)(struct x86_board_info *info), bool vmgenid)
{
	const u64 base = 0x7fe0000;
	struct x86_board_info info = { 0 };
	struct acpi_tables t;
	u8 rsdp[ACPI_RSDP_SIZE];
	const u8 *d, *xsdt;

	fill(&info);
	acpi_build_vmgenid(&t, &info, vmgenid);
	acpi_rebase(&t, base);
	acpi_rsdp(&t, base, rsdp);
	d = (u8 *)t.data.at;
	CHECK_EQ(sum(rsdp, 20), 0);
	CHECK_EQ(sum(rsdp, 36), 0);
	CHECK_MEM(d, "FACS", 4);
	for (size_t i = 0; i < t.tables.n; i++) {
		CHECK(range_fits(t.tables.at[i].at, t.tables.at[i].size, t.data.n));
		CHECK_EQ(ld32le(d + t.tables.at[i].at + 4), t.tables.at[i].size);
		CHECK_EQ(sum(d + t.tables.at[i].at, t.tables.at[i].size), 0);
	}
	xsdt = d + (ld64le(rsdp + 24) - base);
	CHECK_MEM(xsdt, "XSDT", 4);
	CHECK_MEM(d + (ld64le(xsdt + 36) - base), "FACP", 4);
	CHECK_MEM(d + (ld64le(xsdt + 44) - base), "APIC", 4);
	CHECK_MEM(d + (ld32le(d + (ld64le(xsdt + 36) - base) + 40) - base), "DSDT", 4);
	dump(name, &t);
	acpi_fini(&t);
	free(info.apic_id);
}

static void check_board(const char *name, void (*fill)(struct x86_board_info *info))
{
	check_tables(name, fill, false);
}

static u8 cpu_nodes[4] = { 0, 0, 1, 2 };
static struct board_numa numa = { .nodes = 3,
				  .size = { 64 << 20, 1ull << 31, 1ull << 31 },
				  .cpu_node = cpu_nodes,
				  .distances = true,
				  .distance = { { 10, 20, 30 }, { 20, 10, 40 }, { 30, 40, 10 } } };

static void numa_board(struct x86_board_info *i)
{
	acpi_test_q35(i);
	i->ram_low = 0x80000000;
	i->ram_high = (64 << 20) + 0x80000000ull;
	i->numa = &numa;
}

static const u8 *find_table(const struct acpi_tables *t, const char *sig)
{
	for (size_t i = 0; i < t->tables.n; i++)
		if (!memcmp(t->data.at + t->tables.at[i].at, sig, 4))
			return (u8 *)t->data.at + t->tables.at[i].at;
	test_fail(__FILE__, __LINE__, "no table %s", sig);
}

TEST(acpi_numa)
{
	/* the second node lies on both sides of the hole below 4 GiB */
	static const struct {
		u32 node;
		u64 base, size;
	} want[] = { { 0, 0, 64 << 20 },
		     { 1, 64 << 20, 0x7c000000 },
		     { 1, 0x100000000, 64 << 20 },
		     { 2, 0x104000000, 1ull << 31 } };
	struct x86_board_info info = { 0 };
	struct acpi_tables t;
	const u8 *p;

	check_board("numa", numa_board);
	numa_board(&info);
	acpi_build(&t, &info);
	p = find_table(&t, "SRAT") + 48;
	for (unsigned i = 0; i < info.ncpus; i++, p += 16) {
		CHECK_EQ(ld16le(p), 0x1000);
		CHECK_EQ(p[2], cpu_nodes[i]);
		CHECK_EQ(p[3], info.apic_id[i]);
	}
	for (unsigned i = 0; i < ARRAY_SIZE(want); i++, p += 40) {
		CHECK_EQ(ld16le(p), 0x2801);
		CHECK_EQ(ld32le(p + 2), want[i].node);
		CHECK_EQ(ld64le(p + 8), want[i].base);
		CHECK_EQ(ld64le(p + 16), want[i].size);
	}
	p = find_table(&t, "SLIT");
	CHECK_EQ(ld64le(p + 36), 3);
	CHECK_MEM(p + 44, "\x0a\x14\x1e\x14\x0a\x28\x1e\x28\x0a", 9);
	acpi_fini(&t);
	free(info.apic_id);
}

TEST(acpi_vmgenid) { check_tables("vmgenid", acpi_test_pc, true); }
TEST(acpi_pc) { check_board("pc", acpi_test_pc); }
TEST(acpi_q35) { check_board("q35", acpi_test_q35); }
TEST(acpi_microvm) { check_board("microvm", acpi_test_microvm); }

TEST(aml_encodings)
{
	struct strbuf b = { 0 };
	size_t d;

	aml_eisaid(&b, "PNP0A03");
	CHECK_MEM(b.at, "\x0c\x41\xd0\x0a\x03", 5);
	strbuf_fini(&b);
	aml_path(&b, "\\_SB.PCI0.ISA");
	CHECK_EQ(b.n, 15);
	CHECK_MEM(b.at, "\\\x2f\x03_SB_PCI0ISA_", 15);
	strbuf_fini(&b);
	aml_uuid(&b, "33db4d5b-1ff7-401c-9657-7441c03dd766");
	CHECK_MEM(b.at + 6, "\x5b\x4d\xdb\x33\xf7\x1f\x1c\x40\x96\x57\x74\x41\xc0\x3d\xd7\x66", 16);
	strbuf_fini(&b);
	d = aml_scope(&b, "\\_SB");
	for (unsigned i = 0; i < 1000; i++)
		aml_int(&b, 0x12345678);
	aml_end(&b, d);
	CHECK_EQ((u8)b.at[1] >> 6, 2);
	CHECK_EQ(((u8)b.at[1] & 15) | (u8)b.at[2] << 4 | (u8)b.at[3] << 12, (int)b.n - 1);
	strbuf_fini(&b);
}
