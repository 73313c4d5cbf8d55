/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tables.c - puts firmware's legacy into the plan: ACPI tables at the top of low RAM; RSDP, SMBIOS,
 * MP tables and the BIOS data area where systems search for them (ACPI 6.4 5.2.5.1, SMBIOS 5.2,
 * MP 1.4 4.1). */
#include "tables.h"
#include "acpi.h"
#include "board/board.h"
#include "mptable.h"
#include "smbios.h"
#include "vmgenid.h"
#include <errno.h>

/* The BIOS area as used: below it the services for real-mode code (bios.c). */
enum {
	RSDP_AT = 0xf5000,
	SMBIOS_AT = 0xf5040,
	MP_AT = 0xf5100,
	TABLES_END = 0xfff00,
	ACPI_ROOM = 0x20000,
	RAM_MIN = 2 << 20
};

static void put_fixed(struct boot_plan *p, const char *what, u64 addr, const void *data,
		      size_t size)
{
	plan_add_any(p, what, addr, plan_own(p, xmemdup(data, size)), size);
}

static int put_acpi(struct start *s, struct error *e)
{
	struct acpi_tables t;
	u8 rsdp[ACPI_RSDP_SIZE];
	struct device *vmgenid;
	u64 base;
	int err;

	err = vmgenid_find(s->plan->m, &vmgenid, e);
	if (err)
		return err;
	acpi_build_vmgenid(&t, s->info, vmgenid != NULL);
	if (vmgenid)
		st32le(t.data.at + t.guid, vmgenid_put(s->plan, vmgenid));
	base = s->info->ram_low - ALIGN_UP((u64)t.data.n, ACPI_ROOM);
	acpi_rebase(&t, base);
	acpi_rsdp(&t, base, rsdp);
	err = plan_add(s->plan, "the ACPI tables", base, t.data.n,
		       plan_own(s->plan, xmemdup(t.data.at, t.data.n)), t.data.n, e);
	acpi_fini(&t);
	put_fixed(s->plan, "the ACPI root pointer", RSDP_AT, rsdp, sizeof(rsdp));
	s->rsdp = RSDP_AT;
	s->top = base;
	return err;
}

/* Returns the first free address behind. */
static u64 put_mptable(struct start *s)
{
	struct strbuf b = { 0 };
	u64 end;

	mptable_build(&b, s->info, MP_AT);
	end = ALIGN_UP(MP_AT + (u64)b.n, 16);
	if (end <= TABLES_END)
		put_fixed(s->plan, "the MP tables", MP_AT, b.at, b.n);
	strbuf_fini(&b);
	return MIN(end, (u64)TABLES_END);
}

static void put_smbios(struct start *s, const struct smbios *smbios, u64 at)
{
	const struct board *board = s->plan->m->board;
	struct smbios_tables t;
	u8 entry[SMBIOS_ENTRY_MAX];
	unsigned n;

	smbios_build(&t, smbios, s->info, board ? board->name : "pc");
	if (range_fits(at, t.data.n, TABLES_END)) {
		n = smbios_entry(&t, at, entry);
		put_fixed(s->plan, "the SMBIOS entry point", SMBIOS_AT, entry, n);
		put_fixed(s->plan, "the SMBIOS tables", at, t.data.at, t.data.n);
	} else {
		warn("the SMBIOS tables with %zu bytes are too large for the BIOS area; the guest "
		     "gets none",
		     t.data.n);
	}
	strbuf_fini(&t.data);
}

/* What real-mode code and kernels read there: serial ports, EBDA, memory size, the text screen. */
static void put_bios_data(struct start *s)
{
	u8 bda[0x100] = { 0 }, ebda[16] = { 1 };

	for (unsigned i = 0; i < ARRAY_SIZE(s->info->serial); i++)
		if (s->info->serial[i].present)
			st16le(bda + 2 * i, s->info->serial[i].port);
	st16le(bda + 0x0e, EBDA_BASE >> 4);
	st16le(bda + 0x10, 0x0026); /* equipment: FPU, pointing device, 80x25 colour */
	st16le(bda + 0x13, EBDA_BASE >> 10);
	if (s->info->vga) {
		bda[0x49] = 3;
		st16le(bda + 0x4a, 80);
		st16le(bda + 0x63, 0x3d4);
		bda[0x84] = 24;
		st16le(bda + 0x85, 16);
	}
	bda[0x75] = 0;
	put_fixed(s->plan, "the BIOS data area", 0x400, bda, sizeof(bda));
	put_fixed(s->plan, "the EBDA", EBDA_BASE, ebda, sizeof(ebda));
}

int tables_put(struct start *s, const struct smbios *smbios, struct error *e)
{
	int err = 0;

	if (s->info->ram_low < RAM_MIN)
		return error_ret(e, -EINVAL,
				 "the machine has %llu KiB of memory; starting a kernel needs at "
				 "least 2 MiB: use a larger -m",
				 (unsigned long long)(s->info->ram_low >> 10));
	if (s->info->acpi && !s->opt->no_acpi)
		err = put_acpi(s, e);
	if (err)
		return err;
	e820_build(&s->e820, s->info, s->top, s->info->ram_low - s->top);
	bios_services(s);
	put_bios_data(s);
	put_smbios(s, smbios, put_mptable(s));
	return 0;
}
