/* SPDX-License-Identifier: GPL-2.0-or-later */
/* vmgenid_test.c - the generation ID's text and bytes, what firmware is told to do with it, and
 * what the load of a snapshot does. */
#include "vmgenid.h"
#include "fwcfg.h"
#include "lib/error.h"
#include "lib/keyval.h"
#include "test_machine.h"
#include <errno.h>
#include <quern/vmgenid.h>

enum { MIB = 1 << 20 };

static struct device *make(struct test_machine *t, const char *props, struct error *e)
{
	test_machine_init(t, 64 * MIB, 0, acpi_test_pc);
	return device_make(t->m, "vmgenid", "vmgenid", props, e);
}

static const struct vmgenid_iface *iface(struct device *d) { return d->class->iface; }

TEST(vmgenid_bytes)
{
	static const char *const wrong[] = { "guid=324e6eaf-d1d1-4bf6-bf41-b9bb6c91fb8",
					     "guid=324e6eaf-d1d1-4bf6-bf41-b9bb6c91fb870",
					     "guid=324e6eafd1d14bf6bf41b9bb6c91fb87",
					     "guid=324e6eaf-d1d1-4bf6-bf41-b9bb6c91fbg7", "guid=" };
	AUTO_MACHINE struct test_machine t = { 0 };
	struct error e = { 0 };
	struct device *d = make(&t, "guid=324E6eaf-d1d1-4bf6-bf41-b9bb6c91fb87", &e);

	CHECK(d);
	/* three numbers little-endian, then bytes */
	CHECK_MEM(iface(d)->page(d) + VMGENID_GUID,
		  "\xaf\x6e\x4e\x32\xd1\xd1\xf6\x4b\xbf\x41\xb9\xbb\x6c\x91\xfb\x87", 16);
	for (unsigned i = 0; i < ARRAY_SIZE(wrong); i++) {
		AUTO_MACHINE struct test_machine other = { 0 };

		CHECK(!make(&other, wrong[i], &e));
		CHECK(strstr(e.text, "is neither auto nor of the form"));
		error_clear(&e);
	}
}

TEST(vmgenid_auto_is_another_each_time)
{
	AUTO_MACHINE struct test_machine t = { 0 }, u = { 0 };
	struct error e = { 0 };
	struct device *a = make(&t, NULL, &e), *b = make(&u, NULL, &e);
	u8 first[16];

	CHECK(a && b);
	memcpy(first, iface(a)->page(a) + VMGENID_GUID, 16);
	CHECK(memcmp(first, iface(b)->page(b) + VMGENID_GUID, 16));
	a->class->loaded(a);
	CHECK(memcmp(first, iface(a)->page(a) + VMGENID_GUID, 16));
}

TEST(vmgenid_follows_a_load)
{
	AUTO_MACHINE struct test_machine t = { 0 };
	struct error e = { 0 };
	struct device *d = make(&t, NULL, &e), *pm;
	struct region *gpe;
	u64 sts;

	CHECK(d);
	pm = device_make(t.m, "acpi-pm", "pm", "gpe_len=4", &e);
	gpe = device_bank(pm, "gpe");
	/* nobody has placed it: nothing is written, nothing happens */
	d->class->loaded(d);
	region_ld(gpe, 0, 1, &sts, (struct mem_attrs){ 0 });
	CHECK_EQ(sts, 0);
	st64le(iface(d)->address(d), 0x12328);
	d->class->loaded(d);
	CHECK_MEM(test_ram(&t, 0x12328), iface(d)->page(d) + VMGENID_GUID, 16);
	region_ld(gpe, 0, 1, &sts, (struct mem_attrs){ 0 });
	CHECK_EQ(sts, BIT(VMGENID_GPE));
	/* an address that is none */
	st64le(iface(d)->address(d), ~0ull);
	d->class->loaded(d);
	d->class->reset(d);
	CHECK_EQ(ld64le(iface(d)->address(d)), 0);
}

/* Who places the file, who gets its address, and in what order. */
TEST(vmgenid_table_loader)
{
	static const struct {
		u32 command;
		const char *file, *other;
		u32 at;
		u8 size;
	} want[] = { { 1, "etc/vmgenid_guid", NULL, 0, 0 },
		     { 2, "etc/acpi/tables", "etc/vmgenid_guid", 0, 4 },
		     { 4, "etc/vmgenid_addr", "etc/vmgenid_guid", 0, 8 } };
	struct x86_board_info info = { 0 };
	struct acpi_tables t;
	struct strbuf b = { 0 };
	unsigned found = 0;

	acpi_test_pc(&info);
	acpi_build_vmgenid(&t, &info, true);
	CHECK_EQ(ld32le(t.data.at + t.guid), VMGENID_GUID);
	fwcfg_table_loader(&b, &t);
	for (u32 at = 0; at < b.n; at += 128) {
		const char *c = b.at + at;

		if (found < ARRAY_SIZE(want) && ld32le(c) == want[found].command &&
		    !strcmp(c + 4, want[found].file) &&
		    (!want[found].other || !strcmp(c + 60, want[found].other))) {
			if (want[found].command == 2)
				CHECK(ld32le(c + 116) == t.guid && c[120] == 4);
			if (want[found].command == 4)
				CHECK(!ld32le(c + 116) && ld32le(c + 120) == VMGENID_GUID &&
				      c[124] == 8);
			found++;
		}
		/* sums come last */
		if (ld32le(c) == 3)
			CHECK_EQ(found, 3);
	}
	CHECK_EQ(found, 3);
	strbuf_fini(&b);
	acpi_fini(&t);
	free(info.apic_id);
}

TEST(vmgenid_where_nothing_would_tell)
{
	AUTO_MACHINE struct test_machine t = { 0 };
	struct error e = { 0 };
	struct device *d = make(&t, NULL, &e), *found;

	CHECK_EQ(vmgenid_find(t.m, &found, &e), 0);
	CHECK(found == d);
	t.info.acpi_reduced = true;
	CHECK_EQ(vmgenid_find(t.m, &found, &e), -ENOTSUP);
	error_clear(&e);
	t.info.acpi_reduced = false;
	CHECK(device_make(t.m, "vmgenid", "second", NULL, &e));
	CHECK_EQ(vmgenid_find(t.m, &found, &e), -EINVAL);
	CHECK_STR(e.text, "at most one vmgenid device is permitted");
	error_clear(&e);
}
