/* SPDX-License-Identifier: GPL-2.0-or-later */
/* microvm.c - the smallest PC that boots Linux: local and I/O APICs, one serial port,
 * hardware-reduced ACPI; the legacy devices only where asked for. Its virtio transports are in
 * memory. */
#include "board/x86_board.h"
#include "lib/error.h"
#include <errno.h>
#include <stdio.h>

#define GED_BASE    0xfea00000ull
#define VIRTIO_BASE 0xfeb00000ull
enum {
	GED_EVENTS = 0x800,
	GED_GSI = 9,
	VIRTIO_SLOTS = 8,
	VIRTIO_SIZE = 0x200,
	VIRTIO_GSI = 16,
	VIRTIO_ISA_IRQ = 5, /* without ACPI: interrupts that the MP table has */
};

static int make_acpi(struct x86_board *x, struct error *e)
{
	struct x86_board_info *i = &x->w.info;
	struct device *d = device_make(x->w.m, "acpi-ged", "ged", NULL, e);

	if (!d)
		return -EINVAL;
	device_map(d, "sleep", GED_BASE);
	device_map(d, "events", GED_BASE + GED_EVENTS);
	x86_gsi(x, d, "irq", 0, GED_GSI);
	i->acpi = i->acpi_reduced = true;
	i->sleep_control = GED_BASE;
	i->sleep_status = GED_BASE + 1;
	i->reset.addr = GED_BASE + 2;
	i->reset.value = 0x42;
	i->ged_base = GED_BASE + GED_EVENTS;
	i->ged_gsi = GED_GSI;
	return 0;
}

/* In front of every device that -device adds: an empty slot is passed over by drivers. */
static void make_virtio(struct x86_board *x, bool acpi)
{
	struct x86_board_info *i = &x->w.info;
	unsigned gsi = acpi ? VIRTIO_GSI : VIRTIO_ISA_IRQ;

	for (unsigned n = 0; n < VIRTIO_SLOTS; n++) {
		u64 base = VIRTIO_BASE + n * VIRTIO_SIZE;
		char *name = x->w.virtio_name[n];

		snprintf(name, sizeof(x->w.virtio_name[n]), "virtio-mmio-bus.%u", n);
		x->w.virtio[n] =
			virtio_slot_new(x->w.m, name, base, device_input(&x->dev, gsi + n));
		i->virtio_mmio[n].base = base;
		i->virtio_mmio[n].size = VIRTIO_SIZE;
		i->virtio_mmio[n].gsi = gsi + n;
		i->virtio_mmio[n].slot = x->w.virtio[n];
	}
	i->nvirtio_mmio = VIRTIO_SLOTS;
}

static int microvm_init(struct machine *m, const struct board_config *c, struct error *e)
{
	const struct board *b = m->board;
	const struct x86_parts parts = {
		.pic = board_option_on(b, c, "pic", true),
		.pit = board_option_on(b, c, "pit", true),
		.rtc = board_option_on(b, c, "rtc", true),
		.i8042 = board_option_on(b, c, "i8042", false),
		.serial = board_option_on(b, c, "isa-serial", true),
		.low_limit = 0xc0000000,
		.low_split = 0xc0000000,
	};
	bool acpi = board_option_on(b, c, "acpi", true);
	struct x86_board *x = x86_board_new(m, b, c, &parts, e);

	if (!x)
		return -EINVAL;
	make_virtio(x, acpi);
	x->w.info.virtio_cmdline = !acpi && board_option_on(b, c, "auto-kernel-cmdline", true);
	return acpi ? make_acpi(x, e) : 0;
}

static const struct board_option microvm_options[] = {
	{ "acpi", "hardware-reduced ACPI", "on|off|auto", "auto" },
	{ "pit", "8254 interval timer", "on|off|auto", "auto" },
	{ "pic", "8259 pair of interrupt controllers", "on|off|auto", "auto" },
	{ "rtc", "CMOS real-time clock", "on|off|auto", "auto" },
	{ "isa-serial", "16550A serial ports", "on|off", "on" },
	{ "i8042", "PS/2 controller (keyboard, reset)", "on|off", "off" },
	{ "x-option-roms", "option ROMs", "on|off", "off", "there are none" },
	{ "auto-kernel-cmdline", "virtio-mmio transports on the command line", "on|off", "on" },
	{ "ioapic2", "second I/O APIC", "on|off|auto", "auto", "24 inputs are enough" },
	{ "pcie", "PCI Express", "on|off|auto", "auto", "this machine has none: use q35" },
	{}
};
static const struct board microvm = {
	.name = "microvm",
	.doc = "Minimal PC without PCI",
	.isa = "x86_64",
	.default_cpu = "qemu64",
	.max_cpus = 255,
	.default_ram = 128 << 20,
	.options = microvm_options,
	.init = microvm_init,
};
BOARD(microvm);
