/* SPDX-License-Identifier: GPL-2.0-or-later */
/* pci_ports.c - configuration accesses by ports and by memory; see pci_ports.h. */
#include "bus/pci_ports.h"

#define ADDRESS_ENABLE 0x80000000u

static u32 port_access(struct pci_ports *p, u64 off, unsigned size, bool write, u32 val)
{
	u32 a = p->address;

	if (!(a & ADDRESS_ENABLE))
		return ~0u;
	return pci_config_access(p->root, a >> 16 & 0xff, a >> 8 & 0xff, (a & 0xfc) | (off & 3),
				 size, write, val);
}

/* Only whole words reach the address register; other accesses go to what else is at these ports. */
static enum mem_result ports_read(void *opaque, u64 off, unsigned size, u64 *val,
				  struct mem_attrs attrs)
{
	struct pci_ports *p = opaque;

	if (off >= 4)
		*val = port_access(p, off, size, false, 0);
	else if (size == 4)
		*val = p->address;
	else if (off == 1 && size == 1 && p->reset_control)
		return region_ld(p->reset_control, 0, 1, val, attrs);
	else
		*val = ~0ull;
	return MEM_OK;
}

static enum mem_result ports_write(void *opaque, u64 off, unsigned size, u64 val,
				   struct mem_attrs attrs)
{
	struct pci_ports *p = opaque;

	if (off >= 4)
		port_access(p, off, size, true, val);
	else if (size == 4)
		p->address = val & 0x80fffffc;
	else if (off == 1 && size == 1 && p->reset_control)
		return region_st(p->reset_control, 0, 1, val, attrs);
	return MEM_OK;
}

static enum mem_result memory_read(void *opaque, u64 off, unsigned size, u64 *val,
				   struct mem_attrs attrs)
{
	struct pci_ports *p = opaque;

	*val = pci_config_access(p->root, off >> 20 & 0xff, off >> 12 & 0xff, off & 0xfff, size,
				 false, 0);
	return MEM_OK;
}

static enum mem_result memory_write(void *opaque, u64 off, unsigned size, u64 val,
				    struct mem_attrs attrs)
{
	struct pci_ports *p = opaque;

	pci_config_access(p->root, off >> 20 & 0xff, off >> 12 & 0xff, off & 0xfff, size, true,
			  val);
	return MEM_OK;
}

static const struct region_ops ports_ops = {
	.read = ports_read, .write = ports_write, .valid_max = 4, .impl_max = 4
};
static const struct region_ops memory_ops = {
	.read = memory_read, .write = memory_write, .valid_max = 8, .impl_max = 4
};

void pci_ports_init(struct pci_ports *p, struct pci_bus *root)
{
	p->root = root;
	region_init_io(&p->ports, "pci-config", 8, &ports_ops, p);
	region_init_io(&p->memory, "pci-ecam", 256 << 20, &memory_ops, p);
}

void pci_ports_fini(struct pci_ports *p)
{
	region_fini(&p->ports);
	region_fini(&p->memory);
}
