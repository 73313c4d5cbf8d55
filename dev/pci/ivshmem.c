/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ivshmem.c - memory that machines and programs of the host share, as BAR 2 of a PCI function
 * (Device Specification for Inter-VM shared memory device, revision 1 of the device; the form
 * without interrupts). */
#include <quern/pci.h>
#include <errno.h>

enum { MEMORY_BAR = 2 };

struct ivshmem {
	struct pci_device pci;
	struct memory_backend *memdev;
	u32 mask, status, position;
	u8 master;
};

static int init(void *dev, struct error *e)
{
	struct ivshmem *d = dev;

	if (!d->memdev) {
		error_set(e, "memdev= is missing: the id of an -object memory-backend-file or "
			     "memory-backend-memfd with share=on");
		return -EINVAL;
	}
	return pci_bar_backend(&d->pci, MEMORY_BAR, d->memdev, d->master == PROP_ON, e) ? 0 :
											  -EINVAL;
}

static void doorbell(void *dev, unsigned i, u64 val)
{
	guest_error(dev, "doorbell: %#x: this device has no interrupts", (u32)val);
}

static const struct reg regs[] = {
	REG(0x00, struct ivshmem, mask, .doc = "Interrupt mask; of no use in this revision."),
	REG(0x04, struct ivshmem, status, .doc = "Interrupt status; of no use in this revision."),
	REG(0x08, struct ivshmem, position, RO,
	    .doc = "IVPosition: which of those that share the memory this is; 0 without "
		   "interrupts."),
	{ .name = "doorbell",
	  .at = 0x0c,
	  .size = 4,
	  .novalue = true,
	  .set = doorbell,
	  .doc = "Interrupts another one; ignored without interrupts." },
	{}
};
static const struct prop props[] = {
	PROP(struct ivshmem, memdev, .kind = PROP_OBJECT, .def_str = "memory-backend-",
	     .doc = "The memory that is shared: -object memory-backend-file,share=on."),
	PROP(struct ivshmem, master, .kind = PROP_ONOFFAUTO, .def = PROP_OFF,
	     .doc = "on: snapshots have the memory's contents; else it is the others' and a "
		    "snapshot leaves it as it is."),
	{}
};

PCI_DEVICE(ivshmem,
	   .dev = { .name = "ivshmem-plain",
		    .doc = "Memory shared with other machines",
		    .bus = "pci",
		    .size = sizeof(struct ivshmem),
		    .props = props,
		    .init = init },
	   .vendor = 0x1af4, .device = 0x1110, .revision = 1, .class_code = 0x050000,
	   .bar[0] = { regs, 0x100 });
