/* SPDX-License-Identifier: GPL-2.0-or-later */
/* fwcfg_test.c - a machine's fw_cfg as firmware reads it: through the ports, by DMA, the directory,
 * the table loader's commands; -fw_cfg texts. */
#include "fwcfg.h"
#include "acpi.h"
#include "plan.h"
#include "test_images.h"
#include "test_machine.h"
#include <errno.h>
#include <quern/fw_cfg.h>
#include <quern/vmcoreinfo.h>

enum { PORT = 0x510, MIB = 1 << 20 };

static void out(struct test_machine *t, u16 port, unsigned size, u64 v)
{
	CHECK_EQ(space_st(&t->m->io, port, size, v, (struct mem_attrs){ 0 }), MEM_OK);
}

static u64 in(struct test_machine *t, u16 port, unsigned size)
{
	u64 v;

	CHECK_EQ(space_ld(&t->m->io, port, size, &v, (struct mem_attrs){ 0 }), MEM_OK);
	return v;
}

static void read_item(struct test_machine *t, u16 key, void *buf, size_t n)
{
	u8 *p = buf;

	out(t, PORT, 2, key);
	while (n--)
		*p++ = in(t, PORT + 1, 1);
}

/* A file by name: its key, and size; 0 when it is not in the directory. */
static u16 find(struct test_machine *t, const char *name, u32 *size)
{
	u8 head[4], entry[64];
	u32 n;

	read_item(t, 0x19, head, 4);
	n = ld32be(head);
	CHECK(n < 100);
	while (n--) {
		for (unsigned i = 0; i < 64; i++)
			entry[i] = in(t, PORT + 1, 1);
		if (strcmp((char *)entry + 8, name))
			continue;
		*size = ld32be(entry);
		return ld16be(entry + 4);
	}
	return 0;
}

static u8 *read_file(struct test_machine *t, const char *name, u32 *size)
{
	u16 key = find(t, name, size);
	u8 *data;

	if (!key)
		test_fail(__FILE__, __LINE__, "no file '%s'", name);
	data = xalloc(*size + 1);
	read_item(t, key, data, *size);
	return data;
}

static void start(struct test_machine *t)
{
	struct error e = { 0 };

	if (boot_prepare(t->m, &t->opt, &e))
		test_fail(__FILE__, __LINE__, "%s", e.text);
}

TEST(fwcfg_ports_and_dma)
{
	struct boot_fw_cfg f = { (char *)"opt/hello", { (u8 *)"world", 5 } };
	AUTO_MACHINE struct test_machine t = { 0 };
	u8 b[8], *ram, *hello;
	u32 size;

	test_machine_init(&t, 64 * MIB, 0, acpi_test_pc);
	t.opt.fw_cfg = &f;
	t.opt.nfw_cfg = 1;
	start(&t);
	read_item(&t, 0, b, 4);
	CHECK_MEM(b, "QEMU", 4);
	read_item(&t, 1, b, 4);
	CHECK_EQ(ld32le(b), 3);
	read_item(&t, 5, b, 2);
	CHECK_EQ(ld16le(b), 4);
	read_item(&t, 3, b, 8);
	CHECK_EQ(ld64le(b), 64 * MIB);
	read_item(&t, 0x7777, b, 4);
	CHECK_EQ(ld32le(b), 0);
	hello = read_file(&t, "opt/hello", &size);
	CHECK_MEM(hello, "world", 6);
	free(hello);
	CHECK_EQ(size, 5);
	CHECK_EQ(in(&t, PORT + 4, 4), ld32le("QEMU"));
	CHECK_EQ(in(&t, PORT + 8, 4), ld32le(" CFG"));

	/* DMA: select and read 8 bytes: 5 of the item, then zeros */
	ram = test_ram(&t, 0x1000);
	memset(test_ram(&t, 0x2000), 0xff, 16);
	st32be(ram, (u32)find(&t, "opt/hello", &size) << 16 | 8 | 2);
	st32be(ram + 4, 8);
	st64be(ram + 8, 0x2000);
	out(&t, PORT + 4, 4, 0);
	out(&t, PORT + 8, 4, __builtin_bswap32(0x1000));
	CHECK_EQ(ld32be(ram), 0);
	CHECK_MEM(test_ram(&t, 0x2000), "world\0\0\0\xff", 9);
	/* writing an item fails, as does a block that is not in memory, without harm */
	st32be(ram, 16);
	out(&t, PORT + 8, 4, __builtin_bswap32(0x1000));
	CHECK_EQ(ld32be(ram), 1);
	out(&t, PORT + 4, 4, 0xffffffff);
	out(&t, PORT + 8, 4, 0xffffffff);
	/* a transfer to where nothing is */
	st32be(ram, 2);
	st32be(ram + 4, 0xffffffff);
	st64be(ram + 8, 0xfffffffffff0);
	out(&t, PORT + 4, 4, 0);
	out(&t, PORT + 8, 4, __builtin_bswap32(0x1000));
	CHECK_EQ(ld32be(ram), 1);
}

static u32 dma(struct test_machine *t, u32 control, u32 len, u64 addr)
{
	u8 *block = test_ram(t, 0x1000);

	st32be(block, control);
	st32be(block + 4, len);
	st64be(block + 8, addr);
	out(t, PORT + 4, 4, 0);
	out(t, PORT + 8, 4, __builtin_bswap32(0x1000));
	return ld32be(block);
}

/* As the guest's driver does it: select and write the whole record. */
TEST(fwcfg_vmcoreinfo)
{
	enum { SELECT = 8, WRITE = 16, SKIP = 4 };
	AUTO_MACHINE struct test_machine t = { 0 };
	struct error e = { 0 };
	const struct vmcoreinfo_iface *iface;
	struct device *d;
	u8 b[16], *ram;
	u32 size, key;
	u64 addr;

	test_machine_init(&t, 64 * MIB, 0, acpi_test_pc);
	d = device_make(t.m, "vmcoreinfo", "vmcoreinfo", NULL, &e);
	CHECK(d != NULL);
	iface = d->class->iface;
	start(&t);
	device_reset(d);
	key = find(&t, "etc/vmcoreinfo", &size);
	CHECK(key);
	CHECK_EQ(size, 16);
	read_item(&t, key, b, 16);
	CHECK_MEM(b, "\1\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 16);
	CHECK(!iface->where(d, &addr, &size));
	ram = test_ram(&t, 0x2000);
	memset(ram, 0, 17);
	st16le(ram + 2, 1);
	st32le(ram + 4, 0x123);
	st64le(ram + 8, 0x4567);
	CHECK_EQ(dma(&t, key << 16 | SELECT | WRITE, 17, 0x2000), 1);
	CHECK_EQ(dma(&t, key << 16 | SELECT | WRITE, 16, 0xfffffffff0), 1);
	CHECK(!iface->where(d, &addr, &size));
	CHECK_EQ(dma(&t, key << 16 | SELECT | WRITE, 16, 0x2000), 0);
	CHECK(iface->where(d, &addr, &size));
	CHECK_EQ(size, 0x123);
	CHECK_EQ(addr, 0x4567);
	/* in parts, and not past the end */
	CHECK_EQ(dma(&t, key << 16 | SELECT | SKIP, 8, 0), 0);
	st64le(ram, 0x89ab);
	CHECK_EQ(dma(&t, WRITE, 8, 0x2000), 0);
	CHECK(iface->where(d, &addr, &size));
	CHECK_EQ(addr, 0x89ab);
	CHECK_EQ(dma(&t, WRITE, 1, 0x2000), 1);
	device_reset(d);
	CHECK(!iface->where(d, &addr, &size));
}

TEST(fwcfg_firmware_files)
{
	static const char *const names[] = { "etc/e820",
					     "etc/acpi/rsdp",
					     "etc/acpi/tables",
					     "etc/table-loader",
					     "etc/smbios/smbios-anchor",
					     "etc/smbios/smbios-tables",
					     "etc/system-states",
					     "bootorder" };
	AUTO_MACHINE struct test_machine t = { 0 };
	u32 size, tables_size;
	u8 *loader, *tables, *e820;

	test_machine_init(&t, 64 * MIB, 32 * MIB, acpi_test_q35);
	start(&t);
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (!find(&t, names[i], &size))
			test_fail(__FILE__, __LINE__, "no file '%s'", names[i]);
	e820 = read_file(&t, "etc/e820", &size);
	CHECK_EQ(size, 60);
	CHECK_EQ(ld64le(e820 + 40), BIT64(32));
	CHECK_EQ(ld64le(e820 + 48), 32 * MIB);
	/* do what firmware does: place, connect, sum */
	tables = read_file(&t, "etc/acpi/tables", &tables_size);
	loader = read_file(&t, "etc/table-loader", &size);
	CHECK_EQ(size % 128, 0);
	for (u32 at = 0; at < size; at += 128) {
		u8 *c = loader + at;
		bool mine = !strcmp((char *)c + 4, "etc/acpi/tables");

		if (ld32le(c) == 2 && mine) {
			u32 where = ld32le(c + 116), width = c[120];

			CHECK(range_fits(where, width, tables_size));
			CHECK((width == 8 ? ld64le(tables + where) : ld32le(tables + where)) <
			      tables_size);
		} else if (ld32le(c) == 3 && mine) {
			u32 where = ld32le(c + 60), from = ld32le(c + 64), n = ld32le(c + 68);

			CHECK(range_fits(from, n, tables_size) && where >= from &&
			      where < from + n);
			CHECK_EQ(tables[where], 0);
			CHECK_EQ(ld32le(tables + from + 4), n);
		} else {
			CHECK(ld32le(c) >= 1 && ld32le(c) <= 3);
		}
	}
	free(loader);
	free(tables);
	free(e820);
}

static void refused(const char *text, const char *part)
{
	struct boot_fw_cfg f;
	struct error e = { 0 };

	CHECK(boot_fw_cfg_parse(text, &f, &e) < 0);
	if (!strstr(e.text, part))
		test_fail(__FILE__, __LINE__, "'%s' lacks '%s'", e.text, part);
	error_clear(&e);
}

TEST(fwcfg_option)
{
	struct boot_fw_cfg f;
	struct error e = { 0 };

	CHECK_EQ(boot_fw_cfg_parse("name=opt/a,string=x,,y=z", &f, &e), 0);
	CHECK_STR(f.name, "opt/a");
	CHECK_MEM(f.data.data, "x,y=z", 5);
	CHECK_EQ(f.data.size, 5);
	boot_fw_cfg_fini(&f);
	CHECK_EQ(boot_fw_cfg_parse("opt/b,file=/dev/null", &f, &e), 0);
	CHECK_STR(f.name, "opt/b");
	CHECK_EQ(f.data.size, 0);
	boot_fw_cfg_fini(&f);
	refused("opt/b", "either file= or string=");
	refused("opt/b,file=/dev/null,string=x", "either file= or string=");
	refused("string=x", "name is missing");
	refused("opt/b,colour=red", "'colour'");
	refused("opt/b,file=/nonexistent", "No such file");
	refused("opt/0123456789012345678901234567890123456789012345678901234567890,string=x",
		"1 to 55 letters");
}

TEST(fwcfg_duplicate)
{
	struct boot_fw_cfg f[2] = { { (char *)"opt/x", { (u8 *)"1", 1 } },
				    { (char *)"opt/x", { (u8 *)"2", 1 } } };
	AUTO_MACHINE struct test_machine t = { 0 };
	struct error e = { 0 };

	test_machine_init(&t, 64 * MIB, 0, acpi_test_pc);
	t.opt.fw_cfg = f;
	t.opt.nfw_cfg = 2;
	CHECK_EQ(boot_prepare(t.m, &t.opt, &e), -EEXIST);
	CHECK_STR(e.text, "fw_cfg file 'opt/x' could not be added: there is one of that name");
	error_clear(&e);
}

/* With firmware the kernel is not entered directly: its parts, and a ROM that fetches them, are in
 * fw_cfg. */
TEST(fwcfg_kernel_for_firmware)
{
	struct bytes k = test_bzimage("payload!", 8);
	AUTO_FREE char *path = test_file(&k);
	AUTO_MACHINE struct test_machine t = { 0 };
	u8 *rom, *order, sum = 0, setup[1024];
	u32 size;

	test_machine_init(&t, 64 * MIB, 0, acpi_test_pc);
	t.info.firmware_size = 0x40000;
	t.opt.kernel = path;
	t.opt.append = "quiet";
	t.opt.initrd_data = (struct bytes){ xmemdup("initrd", 6), 6 };
	start(&t);
	unlink(path);
	CHECK(!t.opt.plan->has_entry);
	read_item(&t, FW_CFG_SETUP_DATA, setup, sizeof(setup));
	CHECK_MEM(setup + HDR_MAGIC, "HdrS", 4);
	CHECK_EQ(ld32le(setup + HDR_RAMDISK_SIZE), 6);
	CHECK_EQ(ld32le(setup + HDR_CMD_LINE_PTR), 0x20000);
	rom = read_file(&t, "genroms/quern-linux.bin", &size);
	CHECK_EQ(size, 512);
	CHECK_EQ(ld16le(rom), 0xaa55);
	CHECK_EQ(rom[2] * 512, size);
	for (u32 i = 0; i < size; i++)
		sum += rom[i];
	CHECK_EQ(sum, 0);
	for (u32 i = sum = 0; i < 32; i++)
		sum += rom[ld16le(rom + 0x1a) + i];
	CHECK_EQ(sum, 0);
	CHECK_EQ(ld16le(rom + 0xfe), 4);
	/* the third request: the kernel to 1 MiB */
	CHECK_EQ(ld32be(rom + 0x120), FW_CFG_KERNEL_DATA << 16 | 0xa);
	CHECK_EQ(ld32be(rom + 0x124), k.size - 1024);
	CHECK_EQ(ld64be(rom + 0x128), 0x100000);
	order = read_file(&t, "bootorder", &size);
	CHECK_STR((char *)order, "/rom@genroms/quern-linux.bin");
	free(order);
	free(rom);
	bytes_fini(&k);
}
