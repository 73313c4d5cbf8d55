/* SPDX-License-Identifier: GPL-2.0-or-later */
/* vmgenid.c - the ACPI device of the generation ID (Microsoft, Virtual Machine Generation ID,
 * 2012), and its place where no firmware chooses one: in the EBDA, which is neither memory for the
 * system nor ACPI's. */
#include "vmgenid.h"
#include "acpi_aml.h"
#include "e820.h"
#include "lib/str.h"
#include "plan.h"
#include <errno.h>
#include <quern/vmgenid.h>

enum { AML_DWORD = 0x0c, IN_EBDA = 0x200 };

int vmgenid_find(struct machine *m, struct device **d, struct error *e)
{
	const struct x86_board_info *info = x86_info(m);
	struct device_core *c;

	*d = NULL;
	list_for_each (c, &m->devices, link) {
		if (!str_eq(c->dev->class->name, "vmgenid"))
			continue;
		if (*d)
			return error_ret(e, -EINVAL, "at most one vmgenid device is permitted");
		*d = c->dev;
	}
	if (*d && (!info->acpi || info->acpi_reduced))
		return error_ret(e, -ENOTSUP,
				 "-device vmgenid: this machine has no ACPI events by which the "
				 "guest would learn of a change; pc and q35 have");
	return 0;
}

u32 vmgenid_aml(struct strbuf *b)
{
	static const char gpe[] = { '_', 'E', '0', '0' + VMGENID_GPE, 0 };
	size_t scope = aml_scope(b, "\\_SB"), d = aml_device(b, "VGEN"), p, m;
	u8 offset[4];
	u32 at;

	aml_name_string(b, "_HID", "QEMUVGID");
	aml_name_string(b, "_CID", "VM_Gen_Counter");
	aml_name_string(b, "_DDN", "VM_Gen_Counter");
	aml_name(b, "ADDR");
	p = aml_package(b, 2);
	aml_op(b, AML_DWORD);
	at = b->n;
	st32le(offset, VMGENID_GUID);
	strbuf_addn(b, offset, sizeof(offset));
	aml_int(b, 0);
	aml_end(b, p);
	aml_end(b, d);
	aml_end(b, scope);
	scope = aml_scope(b, "\\_GPE");
	m = aml_method(b, gpe, 0, false);
	aml_op(b, AML_NOTIFY);
	aml_path(b, "\\_SB.VGEN");
	aml_int(b, 0x80);
	aml_end(b, m);
	aml_end(b, scope);
	return at;
}

u64 vmgenid_put(struct boot_plan *p, struct device *d)
{
	const struct vmgenid_iface *iface = d->class->iface;
	u64 at = EBDA_BASE + IN_EBDA;

	plan_add_any(p, "the generation ID", at, iface->page(d) + VMGENID_GUID, 16);
	iface->placed(d, at);
	return at;
}
