/* SPDX-License-Identifier: MIT */
/* vmcoreinfo.h - what a guest told about its VMCOREINFO note: the `iface` of class "vmcoreinfo". */
#pragma once
#include "types.h"

struct vmcoreinfo_iface {
	/* Where in guest memory the ELF note lies and how long it is; false when the guest has told
	 * nothing, or something that is not understood. */
	bool (*where)(void *dev, u64 *addr, u32 *size);
};
