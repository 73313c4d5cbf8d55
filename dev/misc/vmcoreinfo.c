/* SPDX-License-Identifier: GPL-2.0-or-later */
/* vmcoreinfo - takes from the guest where its kernel's VMCOREINFO note lies, for dumps: the fw_cfg
 * file etc/vmcoreinfo with a record of host format (16 bits), guest format (16), size (32) and
 * address (64), little-endian. After Linux's drivers/firmware/qemu_fw_cfg.c and
 * include/uapi/linux/qemu_fw_cfg.h. */
#include <quern/device.h>
#include <quern/vmcoreinfo.h>

enum { FORMAT_NONE = 0, FORMAT_ELF = 1 };

struct vmcoreinfo {
	struct device dev;
	u8 record[VMCOREINFO_RECORD];
};

static u8 *record(void *dev) { return ((struct vmcoreinfo *)dev)->record; }

static bool where(void *dev, u64 *addr, u32 *size)
{
	struct vmcoreinfo *d = dev;

	*size = ld32le(d->record + 4);
	*addr = ld64le(d->record + 8);
	return ld16le(d->record + 2) == FORMAT_ELF && *size;
}

static void written(void *dev)
{
	struct vmcoreinfo *d = dev;
	unsigned format = ld16le(d->record + 2);

	trace(d, "written", "format=%u size=%u addr=%#llx", format, ld32le(d->record + 4),
	      (unsigned long long)ld64le(d->record + 8));
	if (format != FORMAT_ELF && format != FORMAT_NONE)
		guest_error(d, "VMCOREINFO of format %u; 1 is an ELF note", format);
}

static void reset(void *dev)
{
	struct vmcoreinfo *d = dev;

	memset(d->record, 0, sizeof(d->record));
	st16le(d->record, FORMAT_ELF); /* what the host understands */
}

static const struct state state[] = { STATE(struct vmcoreinfo, record), { 0 } };
static const struct vmcoreinfo_iface iface = { .record = record,
					       .written = written,
					       .where = where };

DEVICE(vmcoreinfo, .name = "vmcoreinfo", .bus = "system",
       .doc = "Takes the guest kernel's VMCOREINFO, for dumps", .state = state, .reset = reset,
       .iface = &iface);
