/* SPDX-License-Identifier: GPL-2.0-or-later */
/* acpi.c - the fixed ACPI tables (ACPI 6.4, chapter 5): FACS, DSDT, FADT, MADT, HPET, MCFG, WAET,
 * SRAT, SLIT, RSDT, XSDT and RSDP. */
#include "acpi.h"
#include "vmgenid.h"

enum { HEADER = 36, FACS_SIZE = 64, FADT_SIZE_1 = 116, FADT_SIZE_3 = 244, FADT_SIZE_5 = 268 };
enum { GAS_MEMORY = 0, GAS_IO = 1 };

u8 acpi_checksum(const void *p, size_t n)
{
	u8 sum = 0;

	for (size_t i = 0; i < n; i++)
		sum += ((const u8 *)p)[i];
	return -sum;
}

static void pad(struct acpi_tables *t, size_t align)
{
	while (t->data.n % align)
		strbuf_addc(&t->data, 0);
}

/* Opens a table; the body is appended to t->data, then table_end. */
static u32 table_begin(struct acpi_tables *t, const char *sig, u8 revision)
{
	u8 h[HEADER] = { 0 };

	pad(t, 16);
	memcpy(h, sig, 4);
	h[8] = revision;
	memcpy(h + 10, "QUERN ", 6);
	memcpy(h + 16, "QUERN-PC", 8);
	st32le(h + 24, 1);
	memcpy(h + 28, "QRN ", 4);
	st32le(h + 32, 1);
	vec_push(&t->tables, ((struct acpi_table){ t->data.n, 0 }));
	strbuf_addn(&t->data, h, sizeof(h));
	return t->data.n - HEADER;
}

static void table_end(struct acpi_tables *t, u32 at)
{
	u32 size = t->data.n - at;

	st32le(t->data.at + at + 4, size);
	t->tables.at[t->tables.n - 1].size = size;
}

static void pointer(struct acpi_tables *t, u32 at, u8 size, u32 to)
{
	if (size == 8)
		st64le(t->data.at + at, to);
	else
		st32le(t->data.at + at, to);
	vec_push(&t->pointers, ((struct acpi_pointer){ at, size }));
}

static u32 build_facs(struct acpi_tables *t)
{
	u8 facs[FACS_SIZE] = "FACS";
	u32 at = t->data.n;

	st32le(facs + 4, sizeof(facs));
	facs[32] = 1; /* version */
	strbuf_addn(&t->data, facs, sizeof(facs));
	return at;
}

/* ---- FADT, 5.2.9 */

static void gas(u8 *p, u8 space, u8 bits, u8 access, u64 addr)
{
	p[0] = space;
	p[1] = bits;
	p[3] = access;
	st64le(p + 4, addr);
}

/* Blocks of the PM registers: in their 32-bit port fields and in the extended ones. */
static void fadt_ports(u8 *f, const struct x86_board_info *info)
{
	st16le(f + 46, info->sci_gsi);
	st32le(f + 48, info->smi_cmd);
	f[52] = info->smi_cmd ? info->acpi_enable : 0;
	f[53] = info->smi_cmd ? info->acpi_disable : 0;
	st32le(f + 56, info->pm1_evt);
	st32le(f + 64, info->pm1_cnt);
	st32le(f + 76, info->pm_timer);
	st32le(f + 80, info->gpe0);
	f[88] = 4;
	f[89] = 2;
	f[91] = info->pm_timer ? 4 : 0;
	f[92] = info->gpe0_len;
	gas(f + 148, GAS_IO, 32, 0, info->pm1_evt);
	gas(f + 172, GAS_IO, 16, 0, info->pm1_cnt);
	if (info->pm_timer)
		gas(f + 208, GAS_IO, 32, 0, info->pm_timer);
	if (info->gpe0)
		gas(f + 220, GAS_IO, info->gpe0_len * 8, 0, info->gpe0);
}

static u32 fadt_flags(const struct x86_board_info *info)
{
	enum {
		WBINVD = BIT(0),
		PROC_C1 = BIT(2),
		PWR_BUTTON = BIT(4),
		SLP_BUTTON = BIT(5),
		RTC_S4 = BIT(7),
		RESET_REG = BIT(10),
		PLATFORM_CLOCK = BIT(15),
		APIC_CLUSTER = BIT(18),
		HW_REDUCED = BIT(20)
	};
	u32 flags = WBINVD | PROC_C1 | SLP_BUTTON;

	if (info->reset.addr)
		flags |= RESET_REG;
	if (info->acpi_reduced)
		return flags | HW_REDUCED | PWR_BUTTON;
	if (info->rtc)
		flags |= RTC_S4;
	/* APIC IDs for which the flat logical mode has no bits. */
	if (info->apic_id_end > 8)
		flags |= APIC_CLUSTER;
	return flags | PLATFORM_CLOCK;
}

static u32 build_fadt(struct acpi_tables *t, const struct x86_board_info *info, u32 facs, u32 dsdt)
{
	enum { LEGACY = BIT(0), I8042 = BIT(1), NO_VGA = BIT(2), NO_RTC = BIT(5) };
	u8 f[FADT_SIZE_5] = { 0 };
	bool legacy = info->i8042 || info->pit || info->serial[0].present;
	u8 revision = info->acpi_reduced ? 5 : info->reset.addr ? 3 : 1;
	u32 size = revision == 5 ? FADT_SIZE_5 : revision == 3 ? FADT_SIZE_3 : FADT_SIZE_1, at;

	f[44] = revision == 1; /* interrupt model, ACPI 1.0: dual PIC and APIC */
	if (!info->acpi_reduced)
		fadt_ports(f, info);
	st16le(f + 96, 0xfff); /* no C2, no C3 */
	st16le(f + 98, 0xfff);
	f[108] = info->rtc ? 0x32 : 0; /* century */
	st16le(f + 109, (legacy ? LEGACY : 0) | (info->i8042 ? I8042 : 0) |
				(info->vga ? 0 : NO_VGA) | (info->rtc ? 0 : NO_RTC));
	st32le(f + 112, fadt_flags(info));
	if (info->reset.addr) {
		gas(f + 116, info->reset.io ? GAS_IO : GAS_MEMORY, 8, 1, info->reset.addr);
		f[128] = info->reset.value;
	}
	if (info->acpi_reduced && info->sleep_control) {
		gas(f + 244, GAS_MEMORY, 8, 1, info->sleep_control);
		gas(f + 256, GAS_MEMORY, 8, 1, info->sleep_status);
	}
	at = table_begin(t, "FACP", revision);
	strbuf_addn(&t->data, f + HEADER, size - HEADER);
	if (!info->acpi_reduced)
		pointer(t, at + 36, 4, facs);
	pointer(t, at + 40, 4, dsdt);
	if (revision >= 3)
		pointer(t, at + 140, 8, dsdt);
	table_end(t, at);
	return at;
}

/* ---- MADT, 5.2.12 */

static void madt_cpus(struct strbuf *b, const struct x86_board_info *info)
{
	for (u32 i = 0; i < info->ncpus; i++) {
		u8 e[16] = { 0 };

		if (info->apic_id[i] < 255) {
			e[0] = 0; /* local APIC */
			e[1] = 8;
			e[2] = i;
			e[3] = info->apic_id[i];
			st32le(e + 4, 1);
		} else {
			e[0] = 9; /* local x2APIC */
			e[1] = 16;
			st32le(e + 4, info->apic_id[i]);
			st32le(e + 8, 1);
			st32le(e + 12, i);
		}
		strbuf_addn(b, e, e[1]);
	}
}

static void madt_override(struct strbuf *b, u8 source, u32 gsi, u16 flags)
{
	u8 e[10] = { 2, 10, 0, source };

	st32le(e + 4, gsi);
	st16le(e + 8, flags);
	strbuf_addn(b, e, sizeof(e));
}

static u32 build_madt(struct acpi_tables *t, const struct x86_board_info *info)
{
	u32 at = table_begin(t, "APIC", 3);
	struct strbuf *b = &t->data;
	u8 head[8] = { 0 }, ioapic[12] = { 1, 12, info->ioapic_id },
	   nmi[6] = { 4, 6, 0xff, 0, 0, 1 };
	u8 nmi2[12] = { 10, 12, 0, 0, 0xff, 0xff, 0xff, 0xff, 1 };
	bool sci_told = info->acpi_reduced || !info->sci_gsi, wide = false;

	st32le(head, info->lapic_base);
	st32le(head + 4, info->pic);
	strbuf_addn(b, head, sizeof(head));
	madt_cpus(b, info);
	st32le(ioapic + 4, info->ioapic_base);
	strbuf_addn(b, ioapic, sizeof(ioapic));
	for (unsigned i = 0; i < info->noverrides; i++) {
		sci_told |= info->override[i].gsi == info->sci_gsi;
		madt_override(b, info->override[i].source, info->override[i].gsi,
			      info->override[i].flags);
	}
	if (!sci_told)
		madt_override(b, info->sci_gsi, info->sci_gsi, info->sci_flags);
	strbuf_addn(b, nmi, sizeof(nmi));
	for (u32 i = 0; i < info->ncpus; i++)
		wide |= info->apic_id[i] >= 255;
	if (wide)
		strbuf_addn(b, nmi2, sizeof(nmi2));
	table_end(t, at);
	return at;
}

/* ---- small ones */

/* IA-PC HPET 1.0a, 3.2.4 */
static u32 build_hpet(struct acpi_tables *t, const struct x86_board_info *info)
{
	u32 at = table_begin(t, "HPET", 1);
	u8 b[20] = { 0 };

	st32le(b, 0x8086a201); /* timer block id: three comparators, 64 bits, legacy routing */
	gas(b + 4, GAS_MEMORY, 0, 0, info->hpet_base);
	strbuf_addn(&t->data, b, sizeof(b));
	table_end(t, at);
	return at;
}

/* PCI Firmware Specification 3.3, 4.1.2 */
static u32 build_mcfg(struct acpi_tables *t, const struct x86_board_info *info)
{
	u32 at = table_begin(t, "MCFG", 1);
	u8 b[24] = { 0 };

	st64le(b + 8, info->ecam.base);
	b[18] = info->bus_first;
	b[19] = info->bus_last;
	strbuf_addn(&t->data, b, sizeof(b));
	table_end(t, at);
	return at;
}

/* Windows ACPI Emulated Devices Table: the PM timer needs to be read only once. */
static u32 build_waet(struct acpi_tables *t)
{
	u32 at = table_begin(t, "WAET", 1);

	strbuf_addn(&t->data, "\2\0\0", 4);
	table_end(t, at);
	return at;
}

/* ---- SRAT, 5.2.16, and SLIT, 5.2.17 */

static void srat_cpu(struct strbuf *b, u32 apic_id, u32 node)
{
	u8 e[24] = { 0 };

	if (apic_id < 255) {
		e[0] = 0; /* local APIC */
		e[1] = 16;
		e[2] = node; /* its other 24 bits are zero, as is the SAPIC's part */
		e[3] = apic_id;
		st32le(e + 4, 1);
	} else {
		e[0] = 2; /* local x2APIC */
		e[1] = 24;
		st32le(e + 4, node);
		st32le(e + 8, apic_id);
		st32le(e + 12, 1);
	}
	strbuf_addn(b, e, e[1]);
}

static void srat_memory(struct strbuf *b, u32 node, u64 base, u64 size)
{
	u8 e[40] = { 1, 40 };

	st32le(e + 2, node);
	st64le(e + 8, base);
	st64le(e + 16, size);
	st32le(e + 28, 1); /* enabled */
	strbuf_addn(b, e, sizeof(e));
}

static u32 build_srat(struct acpi_tables *t, const struct x86_board_info *info)
{
	const struct board_numa *numa = info->numa;
	u32 at = table_begin(t, "SRAT", 3);
	u8 head[12] = { 1 };
	u64 pos = 0;

	strbuf_addn(&t->data, head, sizeof(head));
	for (u32 i = 0; i < info->ncpus; i++)
		srat_cpu(&t->data, info->apic_id[i], numa->cpu_node[i]);
	for (unsigned n = 0; n < numa->nodes; n++) {
		u64 end = pos + numa->size[n], low = MIN(end, info->ram_low);

		if (pos < low)
			srat_memory(&t->data, n, pos, low - pos);
		pos = MAX(pos, low);
		if (pos < end)
			srat_memory(&t->data, n, BIT64(32) + (pos - info->ram_low), end - pos);
		pos = end;
	}
	table_end(t, at);
	return at;
}

static u32 build_slit(struct acpi_tables *t, const struct board_numa *numa)
{
	u32 at = table_begin(t, "SLIT", 1);
	u8 n[8];

	st64le(n, numa->nodes);
	strbuf_addn(&t->data, n, sizeof(n));
	for (unsigned i = 0; i < numa->nodes; i++)
		strbuf_addn(&t->data, numa->distance[i], numa->nodes);
	table_end(t, at);
	return at;
}

static u32 build_root(struct acpi_tables *t, const char *sig, u8 width, const u32 *tables,
		      unsigned n)
{
	u32 at = table_begin(t, sig, 1);

	for (unsigned i = 0; i < n; i++) {
		u32 field = t->data.n;

		strbuf_addn(&t->data, "\0\0\0\0\0\0\0", width);
		pointer(t, field, width, tables[i]);
	}
	table_end(t, at);
	return at;
}

static u32 build_vmgenid(struct acpi_tables *t)
{
	u32 at = table_begin(t, "SSDT", 1);

	memcpy(t->data.at + at + 16, "VMGENID", 8);
	t->guid = vmgenid_aml(&t->data);
	table_end(t, at);
	return at;
}

void acpi_build_vmgenid(struct acpi_tables *t, const struct x86_board_info *info, bool vmgenid)
{
	u32 tables[11], facs, dsdt;
	unsigned n = 0;

	*t = (struct acpi_tables){ 0 };
	facs = build_facs(t);
	dsdt = table_begin(t, "DSDT", 2);
	acpi_dsdt(&t->data, info);
	table_end(t, dsdt);
	tables[n++] = build_fadt(t, info, facs, dsdt);
	tables[n++] = build_madt(t, info);
	if (info->hpet_base)
		tables[n++] = build_hpet(t, info);
	if (info->ecam.size)
		tables[n++] = build_mcfg(t, info);
	tables[n++] = build_waet(t);
	if (info->numa)
		tables[n++] = build_srat(t, info);
	if (info->numa && info->numa->distances)
		tables[n++] = build_slit(t, info->numa);
	if (vmgenid)
		tables[n++] = build_vmgenid(t);
	t->rsdt = build_root(t, "RSDT", 4, tables, n);
	t->xsdt = build_root(t, "XSDT", 8, tables, n);
}

void acpi_build(struct acpi_tables *t, const struct x86_board_info *info)
{
	acpi_build_vmgenid(t, info, false);
}

void acpi_rebase(struct acpi_tables *t, u64 base)
{
	for (size_t i = 0; i < t->pointers.n; i++) {
		u8 *p = (u8 *)t->data.at + t->pointers.at[i].at;

		if (t->pointers.at[i].size == 8)
			st64le(p, ld64le(p) + base);
		else
			st32le(p, ld32le(p) + base);
	}
	for (size_t i = 0; i < t->tables.n; i++) {
		u8 *p = (u8 *)t->data.at + t->tables.at[i].at;

		p[9] = 0;
		p[9] = acpi_checksum(p, t->tables.at[i].size);
	}
}

/* 5.2.5.3 */
void acpi_rsdp(const struct acpi_tables *t, u64 base, u8 rsdp[ACPI_RSDP_SIZE])
{
	memset(rsdp, 0, ACPI_RSDP_SIZE);
	memcpy(rsdp, "RSD PTR ", 8);
	memcpy(rsdp + 9, "QUERN ", 6);
	rsdp[15] = 2;
	st32le(rsdp + 16, base + t->rsdt);
	st32le(rsdp + 20, ACPI_RSDP_SIZE);
	st64le(rsdp + 24, base + t->xsdt);
	if (!base)
		return;
	rsdp[8] = acpi_checksum(rsdp, 20);
	rsdp[32] = acpi_checksum(rsdp, ACPI_RSDP_SIZE);
}

void acpi_fini(struct acpi_tables *t)
{
	strbuf_fini(&t->data);
	vec_free(&t->tables);
	vec_free(&t->pointers);
}
