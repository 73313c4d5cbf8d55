/* SPDX-License-Identifier: GPL-2.0-or-later */
/* board_test.c - whole boards without a guest: options, memory maps, interrupt wiring, bridges. */
#include "board/x86_board.h"
#include "core/chardev.h"
#include "lib/error.h"
#include "lib/test.h"

static struct machine *m;
static struct board_config cfg;
static struct error err;

/* A failed one is released. */
static int try_build(const char *name)
{
	int r;

	m = machine_new();
	m->clock.counted = true;
	if (!cfg.cpus)
		cfg.cpus = 1;
	if (!cfg.ram_size)
		cfg.ram_size = 64 << 20;
	r = board_build(m, board_find(name), &cfg, &err);
	if (r < 0)
		machine_free(m);
	return r;
}

static struct x86_wiring *build(const char *name)
{
	if (try_build(name))
		error_print(&err);
	CHECK(!err.text);
	machine_reset(m);
	return &((struct x86_board *)device_find(m, "board"))->w;
}

static u64 ld(struct space *s, u64 a, unsigned n)
{
	u64 v = 0;

	space_ld(s, a, n, &v, (struct mem_attrs){ 0 });
	return n == 8 ? v : v & ((1ull << n * 8) - 1);
}
static void st(struct space *s, u64 a, unsigned n, u64 v)
{
	space_st(s, a, n, v, (struct mem_attrs){ 0 });
}
static u32 config(unsigned slot, unsigned fn, unsigned off)
{
	st(&m->io, 0xcf8, 4, 0x80000000 | slot << 11 | fn << 8 | off);
	return ld(&m->io, 0xcfc, 4);
}
static void config_set(unsigned slot, unsigned fn, unsigned off, u32 v)
{
	st(&m->io, 0xcf8, 4, 0x80000000 | slot << 11 | fn << 8 | (off & ~3u));
	st(&m->io, 0xcfc + (off & 3), 1, v);
}

TEST(boards_have_their_names)
{
	CHECK_STR(board_default("x86_64")->name, "pc");
	CHECK_STR(board_find("pc-i440fx-7.2")->name, "pc");
	CHECK_STR(board_find("pc-q35-8.0")->name, "q35");
	CHECK_STR(board_find("microvm")->name, "microvm");
	CHECK(!board_find("pc-q36"));
}

TEST(board_options_are_checked)
{
	static const struct board_setting bad_key = { "colour", "on" },
					  bad_value = { "pit", "maybe" };

	cfg.settings = &bad_key;
	cfg.nsettings = 1;
	CHECK(try_build("pc") < 0);
	CHECK(err.text && strstr(err.text, "colour"));
	error_clear(&err);
	cfg.settings = &bad_value;
	CHECK(try_build("pc") < 0);
	CHECK(err.text && strstr(err.text, "maybe"));
	error_clear(&err);
	cfg.nsettings = 0;
	cfg.cpus = 1000;
	CHECK(try_build("pc") < 0);
	error_clear(&err);
	cfg.cpus = 6;
	cfg.sockets = 2;
	cfg.cores = 2;
	cfg.threads = 2;
	CHECK(try_build("pc") < 0);
	CHECK(err.text && strstr(err.text, "topology"));
	error_clear(&err);
	cfg = (struct board_config){ .ram_size = 4097, .cpus = 1 };
	CHECK(try_build("pc") < 0);
	error_clear(&err);
	cfg = (struct board_config){ .cpu_model = "no-such-cpu" };
	CHECK(try_build("q35") < 0);
	error_clear(&err);
	cfg = (struct board_config){ .firmware = (const u8 *)"", .firmware_size = 32 << 20 };
	CHECK(try_build("microvm") < 0);
	error_clear(&err);
}

TEST(board_without_parts)
{
	static const struct board_setting off[] = { { "pit", "off" },
						    { "hpet", "off" },
						    { "i8042", "off" },
						    { "rtc", "off" },
						    { "acpi", "off" } };

	cfg.settings = off;
	cfg.nsettings = ARRAY_SIZE(off);
	build("pc");
	CHECK(!x86_info(m)->pit && !x86_info(m)->hpet_base && !x86_info(m)->i8042 &&
	      !x86_info(m)->rtc && !x86_info(m)->acpi);
	CHECK(!space_lookup(&m->io, 0x40));
	CHECK(!space_lookup(&m->io, 0x60));
	CHECK_EQ(config(1, 3, 0), 0xffffffff);
	machine_free(m);
}

TEST(pc_memory_has_its_hole)
{
	cfg.ram_size = 5ull << 30;
	build("pc");
	CHECK_EQ(x86_info(m)->ram_low, 0xc0000000);
	CHECK_EQ(x86_info(m)->ram_high, 0x80000000);
	st(&m->memory, 0xbffffff8, 8, 0x1122334455667788);
	CHECK_EQ(ld(&m->memory, 0xbffffff8, 8), 0x1122334455667788);
	CHECK_EQ(ld(&m->memory, 0xc0000000, 4), 0xffffffff);
	st(&m->memory, 0x17ffffff8, 8, 42);
	CHECK_EQ(ld(&m->memory, 0x17ffffff8, 8), 42);
	st(&m->memory, 0x100000000, 4, 7);
	CHECK_EQ(*(u32 *)(m->ram.ram->host + 0xc0000000), 7);
	machine_free(m);
}

TEST(pc_bridges)
{
	build("pc");
	CHECK_EQ(config(0, 0, 0), 0x12378086);
	CHECK_EQ(config(1, 0, 0), 0x70008086);
	CHECK_EQ(config(1, 3, 0), 0x71138086);
	CHECK_EQ(config(1, 0, 0x0c) >> 16 & 0xff, 0x80);
	CHECK_EQ(config(2, 0, 0), 0xffffffff);
	/* the power management ports appear where the bridge says */
	CHECK(!space_lookup(&m->io, 0x608));
	config_set(1, 3, 0x41, 0x06);
	config_set(1, 3, 0x40, 0x01);
	config_set(1, 3, 0x80, 0x01);
	CHECK(space_lookup(&m->io, 0x608));
	config_set(1, 3, 0x41, 0xb0);
	CHECK(!space_lookup(&m->io, 0x608));
	CHECK(space_lookup(&m->io, 0xb008));
	st(&m->io, 0xcf9, 1, 6);
	CHECK(m->reset_requested);
	machine_free(m);
}

TEST(pc_attribute_map_and_firmware)
{
	static u8 rom[256 << 10];

	rom[sizeof(rom) - 1] = 0x5a;
	rom[sizeof(rom) - 0x20000] = 0xa5;
	cfg.firmware = rom;
	cfg.firmware_size = sizeof(rom);
	build("pc");
	CHECK_EQ(ld(&m->memory, 0xffffffff, 1), 0x5a);
	CHECK_EQ(ld(&m->memory, 0xfffff, 1), 0x5a);
	CHECK_EQ(ld(&m->memory, 0xe0000, 1), 0xa5);
	CHECK_EQ(ld(&m->memory, 0xa0000, 4), 0xffffffff);
	st(&m->memory, 0xfffff, 1, 1);
	CHECK_EQ(ld(&m->memory, 0xfffff, 1), 0x5a);
	config_set(0, 0, 0x59, 0x30); /* 0xf0000: RAM */
	CHECK_EQ(ld(&m->memory, 0xfffff, 1), 0);
	st(&m->memory, 0xfffff, 1, 1);
	config_set(0, 0, 0x59, 0x10); /* read-only */
	st(&m->memory, 0xfffff, 1, 2);
	CHECK_EQ(ld(&m->memory, 0xfffff, 1), 1);
	config_set(0, 0, 0x5e, 0x03); /* 0xe0000 to 0xe3fff only */
	CHECK_EQ(ld(&m->memory, 0xe0000, 1), 0);
	machine_reset(m);
	CHECK_EQ(ld(&m->memory, 0xfffff, 1), 0x5a);
	CHECK_EQ(ld(&m->memory, 0xffffffff, 1), 0x5a);
	machine_free(m);
}

TEST(pc_interrupt_routes)
{
	struct x86_wiring *w;
	struct device *bridge;

	cfg.direct_boot = true;
	w = build("pc");
	bridge = &w->bridge->dev;
	CHECK_EQ(w->info.pci_irq[3][0], 11); /* slot 3, INTA: PIRQC */
	bridge->class->input(bridge, 2, 1);
	CHECK(w->to_pic[11].level && w->to_ioapic[11].level);
	bridge->class->input(bridge, 3, 1); /* shares 11 */
	bridge->class->input(bridge, 2, 0);
	CHECK(w->to_pic[11].level);
	config_set(1, 0, 0x63, 0x05);
	CHECK(!w->to_pic[11].level && w->to_pic[5].level);
	config_set(1, 0, 0x63, 0x80);
	CHECK(!w->to_pic[5].level);
	w->pic->class->input(w->pic, 0, 0);
	x86_info(m);
	/* ISA interrupt 0 is pin 2 of the I/O APIC */
	device_find(m, "board")->class->input(device_find(m, "board"), 0, 0);
	device_find(m, "board")->class->input(device_find(m, "board"), 0, 1);
	CHECK(w->to_pic[0].level && w->to_ioapic[2].level && !w->to_ioapic[0].level);
	machine_free(m);
}

TEST(q35_windows_and_routes)
{
	struct x86_wiring *w;
	struct device *lpc;

	cfg.direct_boot = true;
	w = build("q35");
	lpc = &w->bridge->dev;
	CHECK_EQ(config(0, 0, 0), 0x29c08086);
	CHECK_EQ(config(31, 0, 0), 0x29188086);
	CHECK_EQ(ld(&m->memory, 0xb0000000, 4), 0x29c08086);
	CHECK_EQ(ld(&m->memory, 0xb0000000 + (31 << 15), 4), 0x29188086);
	CHECK_EQ(ld(&m->memory, 0xb0000000 + (31 << 15) + 0x100, 4), 0xffffffff);
	CHECK(space_lookup(&m->io, 0x608));
	config_set(0, 0, 0x63, 0xc0); /* the window moves */
	CHECK_EQ(ld(&m->memory, 0xc0000000, 4), 0x29c08086);
	CHECK_EQ(w->info.pci_gsi[2][0], 22);
	lpc->class->input(lpc, 6, 1);
	CHECK(w->to_ioapic[22].level && w->to_pic[11].level && !w->to_ioapic[11].level);
	config_set(31, 0, 0x6a, 0x80);
	CHECK(w->to_ioapic[22].level && !w->to_pic[11].level);
	config_set(31, 0, 0xf0, 0x01);
	config_set(31, 0, 0xf3, 0xfe);
	CHECK_EQ(ld(&m->memory, 0xfe003140, 2), 0x3210);
	machine_free(m);
}

TEST(microvm_has_what_is_asked_for)
{
	cfg.direct_boot = true;
	cfg.cpus = 2;
	build("microvm");
	CHECK(!x86_info(m)->pci && x86_info(m)->acpi_reduced);
	CHECK(!space_lookup(&m->io, 0xcf8));
	CHECK(!space_lookup(&m->io, 0x64));
	CHECK_EQ(m->ncpus, 2);
	st(&m->memory, x86_info(m)->sleep_control, 1, 0x20);
	CHECK(m->shutdown_requested);
	/* restarting through the reset vector shuts the CPU down */
	CHECK_EQ(ld(&m->memory, 0xffff0, 1), 0xfa);
	machine_free(m);
}

/* A device's message goes through the window to the local APIC of its destination; a pin through
 * bridge and I/O APIC. */
TEST(pci_interrupts_reach_the_cpu)
{
	struct x86_wiring *w;
	struct pci_device *p;
	const struct cpu_intc *intc;
	unsigned cap, bar;
	u64 table;

	cfg.cpus = 2;
	cfg.direct_boot = true;
	w = build("q35");
	p = pci_make(w->pci, 4, 0, "crc", NULL, NULL, &err);
	CHECK(p);
	for (cap = config(4, 0, 0x34) & 0xff; (config(4, 0, cap) & 0xff) != 0x11;
	     cap = config(4, 0, cap) >> 8 & 0xff)
		CHECK(cap);
	bar = config(4, 0, cap + 4) & 7;
	st(&m->io, 0xcf8, 4, 0x80002000 | (0x10 + 4 * bar));
	st(&m->io, 0xcfc, 4, 0xe0000000);
	config_set(4, 0, 0x04, 0x06);
	config_set(4, 0, cap + 3, 0x80);
	table = 0xe0000000 + (config(4, 0, cap + 4) & ~7u);
	st(&m->memory, table, 4, 0xfee01000);
	st(&m->memory, table + 4, 4, 0);
	st(&m->memory, table + 8, 4, 0x0041);
	st(&m->memory, table + 12, 4, 0);
	for (unsigned i = 0; i < 2; i++) {
		m->current = m->cpu[i];
		st(&m->memory, 0xfee000f0, 4, 0x1ff);
	}
	m->current = NULL;
	pci_irq(p, 0);
	intc = m->cpu[1]->intc;
	CHECK(intc->pending(m->cpu[1]->intc_dev));
	CHECK(!m->cpu[0]->intc->pending(m->cpu[0]->intc_dev));
	CHECK_EQ(intc->ack(m->cpu[1]->intc_dev), 0x41);
	/* its pin A: slot 4 is PIRQE, pin 20 */
	CHECK_EQ(w->info.pci_gsi[4][0], 20);
	st(&m->memory, 0xfec00000, 4, 0x10 + 2 * 20 + 1);
	st(&m->memory, 0xfec00010, 4, 0);
	st(&m->memory, 0xfec00000, 4, 0x10 + 2 * 20);
	st(&m->memory, 0xfec00010, 4, 0x8052);
	w->bridge->dev.class->input(w->bridge, 4, 1);
	CHECK_EQ(m->cpu[0]->intc->ack(m->cpu[0]->intc_dev), 0x52);
	machine_free(m);
}

TEST(board_serial_ports)
{
	cfg.serial_all = true;
	build("pc");
	for (unsigned i = 0; i < 4; i++) {
		CHECK(x86_info(m)->serial[i].present);
		st(&m->io, x86_info(m)->serial[i].port + 7, 1, 0x40 + i);
		CHECK_EQ(ld(&m->io, x86_info(m)->serial[i].port + 7, 1), 0x40 + i);
	}
	CHECK(device_make(m, "pvpanic", NULL, NULL, &err));
	CHECK_EQ(x86_info(m)->pvpanic_port, 0x505);
	CHECK(!device_make(m, "isa-debugcon", NULL, "iobase=0x3f8", &err)); /* taken */
	CHECK(err.text && strstr(err.text, "serial0"));
	error_clear(&err);
	machine_free(m);
}
