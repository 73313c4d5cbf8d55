/* SPDX-License-Identifier: MIT */
/* vmcoreinfo.h - what a guest told about its VMCOREINFO note: the `iface` of class "vmcoreinfo". */
#pragma once
#include "types.h"

enum { VMCOREINFO_RECORD = 16 };
struct vmcoreinfo_iface {
	/* the bytes of the fw_cfg file etc/vmcoreinfo, which the guest writes */
	u8 *(*record)(void *dev);
	/* after it has */
	void (*written)(void *dev);
	/* Where in guest memory the ELF note lies and how long it is; false when the guest has told
	 * nothing, or something that is not understood. */
	bool (*where)(void *dev, u64 *addr, u32 *size);
};
