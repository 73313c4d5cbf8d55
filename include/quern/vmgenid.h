/* SPDX-License-Identifier: MIT */
/* vmgenid.h - the machine's generation ID as who shows it to the guest sees it: the `iface` of
 * class "vmgenid". */
#pragma once
#include "types.h"

enum {
	VMGENID_PAGE = 4096,
	VMGENID_GUID = 40, /* where in the page */
	VMGENID_GPE = 5,   /* the ACPI event that tells the guest of a new one */
};
struct vmgenid_iface {
	/* the bytes of the fw_cfg file etc/vmgenid_guid */
	const u8 *(*page)(void *dev);
	/* the 8 bytes of etc/vmgenid_addr, where the guest's firmware writes the address of the
	 * GUID; written: after it has */
	u8 *(*address)(void *dev);
	void (*written)(void *dev);
	/* without firmware: the GUID was put there */
	void (*placed)(void *dev, u64 address);
};
