/* SPDX-License-Identifier: GPL-2.0-or-later */
/* x86.c - what PC-like boards share: CPUs with their local APICs, RAM around the hole below 4 GiB,
 * firmware ROM, interrupt wiring, legacy devices. */
#include "board/x86_board.h"
#include "core/blob.h"
#include "core/memory_backend.h"
#include "lib/alloc.h"
#include "lib/error.h"
#include "lib/str.h"
#include <assert.h>
#include <errno.h>
#include <stdio.h>

enum { MIB = 1 << 20 };
#define GIB4	    BIT64(32)
#define LAPIC_BASE  0xfee00000ull
#define IOAPIC_BASE 0xfec00000ull
#define HPET_BASE   0xfed00000ull

/* ---- interrupts: a device's line goes to the board's input of that GSI, from there to whoever
 * listens */

static void drive(struct x86_wiring *w, unsigned n)
{
	u64 l = w->levels;

	if (n < 16) {
		/* ISA interrupt n, and what the LPC bridge routes to the 8259 pair only */
		bool isa = l >> n & 1;
		unsigned pin = n == 0 ? 2 : n;

		irq_set(&w->to_pic[n], isa || (l >> (PIC_ONLY + n) & 1));
		if (n != 2)
			irq_set(&w->to_ioapic[pin], isa);
	} else if (n < GSIS) {
		irq_set(&w->to_ioapic[n], l >> n & 1);
	} else {
		irq_set(&w->to_pic[n - PIC_ONLY], (l >> (n - PIC_ONLY) & 1) || (l >> n & 1));
	}
}

static void board_input(void *dev, unsigned n, int level)
{
	struct x86_board *x = dev;

	x->w.levels = level ? x->w.levels | BIT64(n) : x->w.levels & ~BIT64(n);
	drive(&x->w, n);
}

/* The lines, and the address register of PCI configuration. */
static void save_wiring(void *arg, struct blob *b)
{
	struct x86_wiring *w = arg;
	u8 level[ARRAY_SIZE(w->to_pic) + ARRAY_SIZE(w->to_ioapic)], v[12];

	for (unsigned i = 0; i < ARRAY_SIZE(w->to_pic); i++)
		level[i] = w->to_pic[i].level;
	for (unsigned i = 0; i < ARRAY_SIZE(w->to_ioapic); i++)
		level[ARRAY_SIZE(w->to_pic) + i] = w->to_ioapic[i].level;
	st64le(v, w->levels);
	st32le(v + 8, w->config.address);
	blob_put(b, level, sizeof(level));
	blob_put(b, v, sizeof(v));
}

static int load_wiring(void *arg, struct blob *b, struct error *e)
{
	struct x86_wiring *w = arg;
	u8 level[ARRAY_SIZE(w->to_pic) + ARRAY_SIZE(w->to_ioapic)], v[12];

	if (blob_get(b, level, sizeof(level)) || blob_get(b, v, sizeof(v)))
		return error_ret(e, -EINVAL, "the snapshot's interrupt lines are damaged");
	for (unsigned i = 0; i < ARRAY_SIZE(w->to_pic); i++)
		w->to_pic[i].level = level[i];
	for (unsigned i = 0; i < ARRAY_SIZE(w->to_ioapic); i++)
		w->to_ioapic[i].level = level[ARRAY_SIZE(w->to_pic) + i];
	w->levels = ld64le(v);
	w->config.address = ld32le(v + 8);
	return 0;
}

void x86_gsi(struct x86_board *x, struct device *d, const char *out, unsigned n, unsigned gsi)
{
	device_connect(d, out, n, &x->dev, gsi);
}

void x86_override(struct x86_board *x, u8 source, u32 gsi, u16 flags)
{
	struct x86_board_info *i = &x->w.info;

	if (i->noverrides < X86_MAX_OVERRIDES)
		i->override[i->noverrides++] = (struct x86_irq_override){ source, gsi, flags };
}

static struct device *make(struct x86_board *x, const char *class, const char *id,
			   const char *props, struct error *e)
{
	return device_make(x->w.m, class, id, props, e);
}

static void cpu_line(void *to, unsigned n, int level) { cpu_set_line(to, n, level); }

static int make_lapic(struct x86_board *x, struct cpu *cpu, struct error *e)
{
	static const struct {
		const char *out;
		unsigned line;
	} wires[] = {
		{ "intr", CPU_LINE_INTR }, { "nmi", CPU_LINE_NMI },   { "smi", CPU_LINE_SMI },
		{ "init", CPU_LINE_INIT }, { "sipi", CPU_LINE_SIPI },
	};
	char id[16], props[32];
	struct device *d;

	snprintf(id, sizeof(id), "lapic%u", cpu->index);
	snprintf(props, sizeof(props), "bus=apic-bus,id=%u", cpu->topology_id);
	d = make(x, "lapic", id, props, e);
	if (!d)
		return -EINVAL;
	for (unsigned i = 0; i < ARRAY_SIZE(wires); i++)
		irq_connect(d, wires[i].out, 0, cpu_line, cpu, wires[i].line);
	cpu->intc = d->class->iface;
	cpu->intc_dev = d;
	x->w.info.apic_id[cpu->index] = cpu->topology_id;
	x->w.info.apic_id_end = MAX(x->w.info.apic_id_end, cpu->topology_id + 1);
	return 0;
}

static int make_interrupt_controllers(struct x86_board *x, const struct x86_parts *p,
				      struct error *e)
{
	struct x86_wiring *w = &x->w;

	if (p->pic) {
		w->pic = make(x, "i8259", "pic", NULL, e);
		if (!w->pic)
			return -EINVAL;
		device_map_io(w->pic, "master", 0x20);
		device_map_io(w->pic, "slave", 0xa0);
		device_map_io(w->pic, "elcr", 0x4d0);
		for (unsigned n = 0; n < 16; n++)
			if (n != 2)
				w->to_pic[n] = device_input(w->pic, n);
	}
	w->apic_bus = make(x, "apic-bus", "apic-bus", w->pic ? "pic=pic" : NULL, e);
	if (!w->apic_bus)
		return -EINVAL;
	device_map(w->apic_bus, "window", LAPIC_BASE);
	if (w->pic)
		device_connect(w->pic, "intr", 0, w->apic_bus, 0);
	for (u32 i = 0; i < w->m->ncpus; i++) {
		int err = make_lapic(x, w->m->cpu[i], e);

		if (err)
			return err;
	}
	w->ioapic = make(x, "ioapic", "ioapic", "bus=apic-bus", e);
	if (!w->ioapic)
		return -EINVAL;
	device_map(w->ioapic, "mmio", IOAPIC_BASE);
	for (unsigned n = 0; n < GSIS; n++)
		w->to_ioapic[n] = device_input(w->ioapic, n);
	w->info.pic = p->pic;
	w->info.lapic_base = LAPIC_BASE;
	w->info.ioapic_base = IOAPIC_BASE;
	w->info.ioapic_pins = GSIS;
	w->info.apic_hz = 1000000000;
	return 0;
}

/* ---- memory */

static int make_ram(struct x86_board *x, const struct board_config *c, const struct x86_parts *p,
		    struct error *e)
{
	struct x86_wiring *w = &x->w;
	struct machine *m = w->m;
	u64 low = c->ram_size < p->low_limit ? c->ram_size : p->low_split;
	int err;

	if (c->ram_size < MIB || c->ram_size % 4096)
		return error_ret(e, -EINVAL,
				 "machine '%s' needs at least 1M of memory, in whole pages of 4 "
				 "KiB, not %llu bytes",
				 w->board->name, (unsigned long long)c->ram_size);
	err = c->nmemory ? region_init_ram_of(&m->ram, m, "ram", c->memory, c->nmemory, e) :
			   region_init_ram(&m->ram, m, "ram", c->ram_size, e);
	if (err)
		return err;
	assert(m->ram.size == c->ram_size);
	m->ram_size = c->ram_size;
	w->info.ram_low = low;
	w->info.ram_high = c->ram_size - low;
	region_init_alias(&w->low, "ram-low", &m->ram, 0, low);
	region_add(&m->memory_root, 0, &w->low, 0);
	if (w->info.ram_high) {
		region_init_alias(&w->high, "ram-high", &m->ram, low, w->info.ram_high);
		region_add(&m->memory_root, GIB4, &w->high, 0);
	}
	return 0;
}

static int make_firmware(struct x86_board *x, const struct board_config *c,
			 const struct x86_parts *p, struct error *e)
{
	struct x86_wiring *w = &x->w;
	u64 size = ALIGN_UP((u64)c->firmware_size, 65536ull), low = MIN(size, (u64)128 << 10);
	int err;

	if (!c->firmware)
		return 0;
	if (size > 16 * MIB)
		return error_ret(e, -EFBIG,
				 "firmware of %zu bytes is too large; it ends at 4 GiB and may "
				 "take 16 MiB",
				 c->firmware_size);
	err = region_init_rom(&w->bios, w->m, "bios", size, e);
	if (err)
		return err;
	memcpy(w->bios.ram->host + (size - c->firmware_size), c->firmware, c->firmware_size);
	region_add(&w->m->memory_root, GIB4 - size, &w->bios, 0);
	region_init_alias(&w->isa_bios, "isa-bios", &w->bios, size - low, low);
	region_add(p->chipset ? &w->pci_memory : &w->m->memory_root, MIB - low, &w->isa_bios, 1);
	w->has_bios = true;
	w->info.firmware_size = size;
	return 0;
}

/* ---- legacy devices */

static int make_serials(struct x86_board *x, const struct board_config *c, struct error *e)
{
	static const u16 port[] = { 0x3f8, 0x2f8, 0x3e8, 0x2e8 };

	for (unsigned i = 0; i < 4; i++) {
		char id[16];
		struct device *d;

		if (!c->serial[i] && !c->serial_all)
			continue;
		snprintf(id, sizeof(id), "serial%u", i);
		d = device_new(x->w.m, "isa-serial", id, e);
		if (!d || device_set_u64(d, "index", i, e) ||
		    (c->serial[i] && device_set_ptr(d, "chardev", c->serial[i], e)) ||
		    device_realize(d, e))
			return -EINVAL;
		x->w.info.serial[i].port = port[i];
		x->w.info.serial[i].irq = i & 1 ? 3 : 4;
		x->w.info.serial[i].present = true;
	}
	return 0;
}

static int make_rtc(struct x86_board *x, struct error *e)
{
	struct x86_wiring *w = &x->w;
	struct device *d = device_new(w->m, "mc146818rtc", "rtc", e);

	if (!d || device_set_u64(d, "ram_low", w->info.ram_low, e) ||
	    device_set_u64(d, "ram_high", w->info.ram_high, e) ||
	    device_set_u64(d, "cpus", MIN(w->info.ncpus, 255u), e) || device_realize(d, e))
		return -EINVAL;
	device_map_io(d, "rtc", 0x70);
	x86_gsi(x, d, "irq", 0, 8);
	w->info.rtc = true;
	return 0;
}

static int make_pit(struct x86_board *x, struct error *e)
{
	struct device *d = make(x, "i8254", "pit", NULL, e);

	if (!d)
		return -EINVAL;
	device_map_io(d, "pit", 0x40);
	device_map_io(d, "speaker", 0x61);
	x86_gsi(x, d, "out", 0, 0);
	x->w.info.pit = true;
	return 0;
}

/* Legacy replacement: the HPET's timers 0 and 1 take the places of the PIT and the RTC. */
static int make_hpet(struct x86_board *x, struct error *e)
{
	struct device *d = make(x, "hpet", "hpet", NULL, e), *pit = device_find(x->w.m, "pit"),
		      *rtc = device_find(x->w.m, "rtc");

	if (!d)
		return -EINVAL;
	device_map(d, "mmio", HPET_BASE);
	for (unsigned n = 0; n < GSIS; n++)
		x86_gsi(x, d, "irq", n, n);
	if (pit)
		device_connect(d, "legacy", 0, pit, 0);
	if (rtc)
		device_connect(d, "legacy", 0, rtc, 0);
	x->w.info.hpet_base = HPET_BASE;
	return 0;
}

static int make_i8042(struct x86_board *x, struct error *e)
{
	struct device *d = make(x, "i8042", "i8042", NULL, e);

	if (!d)
		return -EINVAL;
	device_map_io(d, "data", 0x60);
	device_map_io(d, "command", 0x64);
	x86_gsi(x, d, "irq", 0, 1);
	x86_gsi(x, d, "irq", 1, 12);
	x->w.info.i8042 = true;
	return 0;
}

static int make_dma(struct x86_board *x, struct error *e)
{
	struct device *d = make(x, "i8237", "dma", NULL, e);

	if (!d)
		return -EINVAL;
	device_map_io(d, "low", 0x00);
	device_map_io(d, "page", 0x80);
	device_map_io(d, "high", 0xc0);
	return 0;
}

static int make_legacy(struct x86_board *x, const struct board_config *c, const struct x86_parts *p,
		       struct error *e)
{
	struct device *d;
	int err = 0;

	if (p->pit)
		err = make_pit(x, e);
	if (!err && p->rtc)
		err = make_rtc(x, e);
	if (!err && p->hpet)
		err = make_hpet(x, e);
	if (!err && p->i8042)
		err = make_i8042(x, e);
	if (!err && p->serial)
		err = make_serials(x, c, e);
	if (!err && p->chipset)
		err = make_dma(x, e);
	if (err || !p->port92)
		return err;
	d = make(x, "port92", "port92", NULL, e);
	if (!d)
		return -EINVAL;
	device_map_io(d, "port", 0x92);
	return 0;
}

/* ---- life */

/*
 * Without firmware, a kernel that restarts through the reset vector finds this at F000:FFF0:
 *	cli; lidt cs:[fff8]; int3
 * which shuts the CPU down, and that resets the machine.
 */
static const u8 reset_vector[] = {
	0xfa, 0x2e, 0x0f, 0x01, 0x1e, 0xf8, 0xff, 0xcc, 0, 0, 0, 0, 0, 0
};

static void direct_boot_state(void *arg)
{
	struct x86_wiring *w = arg;

	if (w->pci)
		x86_pci_boot_state(w);
	space_write(&w->m->memory, 0xffff0, reset_vector, sizeof(reset_vector),
		    (struct mem_attrs){ 0 });
}

/* A pvpanic port that the user adds belongs into the ACPI tables. */
static void isa_added(void *arg, struct device *d, u32 port)
{
	struct x86_board *x = arg;

	if (str_eq(d->class->name, "pvpanic"))
		x->w.info.pvpanic_port = port;
	else if (str_eq(d->class->name, "isa-debugcon"))
		x->w.info.debugcon_port = port;
}

struct x86_board *x86_board_new(struct machine *m, const struct board *b,
				const struct board_config *c, const struct x86_parts *p,
				struct error *e)
{
	struct x86_board *x = (struct x86_board *)device_make(m, "x86-board", "board", NULL, e);
	struct x86_wiring *w;
	struct x86_board_info *i;
	int err;

	if (!x)
		return NULL;
	w = &x->w;
	i = &w->info;
	w->m = i->m = m;
	w->part = (struct snapshot_part){
		.name = "board", .save = save_wiring, .load = load_wiring, .arg = w
	};
	snapshot_add_part(m, &w->part);
	w->board = b;
	m->board_info = i;
	i->ncpus = i->max_cpus = c->cpus;
	i->sockets = c->sockets ? c->sockets : 1;
	i->dies = c->dies ? c->dies : 1;
	i->cores = c->cores ? c->cores : c->cpus;
	i->threads = c->threads ? c->threads : 1;
	i->apic_id = xcalloc(c->cpus, sizeof(u32));
	i->fw_cfg_port = 0x510;
	i->numa = c->numa;
	region_init_container(&w->pci_memory, "pci", 0);
	region_add(&m->memory_root, 0, &w->pci_memory, -1);
	w->isa = isa_bus_new(m, "isa.0", &x->dev);
	w->isa->added = isa_added;
	w->isa->arg = x;
	err = board_make_cpus(m, b, c, e);
	if (!err)
		err = make_ram(x, c, p, e);
	if (!err)
		err = make_firmware(x, c, p, e);
	if (!err)
		err = make_interrupt_controllers(x, p, e);
	if (!err)
		err = make_legacy(x, c, p, e);
	if (err)
		return NULL;
	x86_override(x, 0, 2, 0);
	if (c->direct_boot) {
		w->boot_state = (struct reset_hook){ .fn = direct_boot_state, .arg = w };
		machine_add_reset(m, &w->boot_state);
	}
	return x;
}

static void board_fini(void *dev)
{
	struct x86_board *x = dev;
	struct x86_wiring *w = &x->w;

	if (!w->m)
		return;
	snapshot_remove_part(&w->part);
	x86_pci_fini(x);
	for (unsigned i = 0; i < w->info.nvirtio_mmio; i++)
		virtio_slot_free(w->virtio[i]);
	isa_bus_free(w->isa);
	if (w->has_bios) {
		region_fini(&w->isa_bios);
		region_fini(&w->bios);
	}
	if (w->m->ram_size) {
		region_fini(&w->low);
		if (w->info.ram_high)
			region_fini(&w->high);
	}
	region_fini(&w->pci_memory);
	free(w->info.apic_id);
	w->m->board_info = NULL;
}

static const struct chipset x86_chipset_ops = { .pam = x86_pam, .place = x86_place };
static const struct state board_state[] = { DERIVED(struct x86_board, w), {} };
static const struct device_class x86_board_class = {
	.api = QUERN_DEVICE_API,
	.size = sizeof(struct x86_board),
	.name = "x86-board",
	.doc = "Wiring of a PC-like machine",
	.state = board_state,
	.inputs = BOARD_INPUTS,
	.input = board_input,
	.fini = board_fini,
	.iface = &x86_chipset_ops,
};
QUERN_REGISTER(x86_board_class);
