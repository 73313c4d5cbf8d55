/* SPDX-License-Identifier: GPL-2.0-or-later */
/* fwcfg.c - what firmware finds in fw_cfg: sizes, the memory map, ACPI tables with the commands
 * that place them, SMBIOS, boot order, the kernel of -kernel; and the user's -fw_cfg files. Names
 * and layouts as SeaBIOS (src/fw/paravirt.c, romfile_loader.h) and OVMF expect them. */
#include "fwcfg.h"
#include "acpi.h"
#include "board/board.h"
#include "core/device.h"
#include "lib/str.h"
#include "smbios.h"
#include "vmgenid.h"
#include <errno.h>
#include <quern/fw_cfg.h>
#include <quern/vmcoreinfo.h>
#include <quern/vmgenid.h>

enum {
	LOADER_ENTRY = 128,
	LOADER_NAME = 56,
	ALLOCATE = 1,
	ADD_POINTER = 2,
	ADD_CHECKSUM = 3,
	WRITE_POINTER = 4,
	ZONE_HIGH = 1,
	ZONE_FSEG = 2
};
enum { FILE_LIMIT = 0x7fffffff };

static const char vmgenid_guid[] = "etc/vmgenid_guid", vmgenid_addr[] = "etc/vmgenid_addr";

struct fw {
	struct start *s;
	struct device *dev;
	const struct fw_cfg_iface *iface;
	struct error *e;
	int err; /* of the first file that could not be added */
};

/* ---- options */

int boot_fw_cfg_parse(const char *text, struct boot_fw_cfg *f, struct error *e)
{
	AUTO_FREE char *file = NULL, *string = NULL;
	const char *p = text;
	int err = 0;

	*f = (struct boot_fw_cfg){ 0 };
	for (bool first = true; *p && !err; first = false) {
		struct strbuf b = { 0 };
		AUTO_FREE char *item = NULL;
		char *eq, **to;

		for (; *p && (*p != ',' || p[1] == ','); p++) {
			p += *p == ',';
			strbuf_addc(&b, *p);
		}
		p += *p == ',';
		item = strbuf_take(&b);
		eq = strchr(item, '=');
		if (!eq && first) {
			f->name = xstrdup(item);
			continue;
		}
		if (eq)
			*eq++ = 0;
		to = !strcmp(item, "name")   ? &f->name :
		     !strcmp(item, "file")   ? &file :
		     !strcmp(item, "string") ? &string :
					       NULL;
		if (!to || !eq) {
			err = error_ret(e, -EINVAL,
					"-fw_cfg %s: '%s' is none of name=, file= and string=",
					text, item);
			break;
		}
		free(*to);
		*to = xstrdup(eq);
	}
	if (!err && !f->name)
		err = error_ret(e, -EINVAL,
				"-fw_cfg %s: the name is missing: "
				"[name=]NAME,file=FILE|string=TEXT",
				text);
	if (!err && !file == !string)
		err = error_ret(e, -EINVAL, "-fw_cfg %s: give either file= or string=", text);
	if (!err && (!*f->name || strlen(f->name) > FW_CFG_NAME_MAX))
		err = error_ret(e, -EINVAL, "-fw_cfg %s: a name has 1 to %d letters", text,
				FW_CFG_NAME_MAX);
	if (!err && string)
		f->data = (struct bytes){ (u8 *)xstrdup(string), strlen(string) };
	else if (!err && (err = bytes_read_file(&f->data, file, FILE_LIMIT, e)))
		error_prefix(e, "-fw_cfg %s", f->name);
	if (!err && strncmp(f->name, "opt/", 4))
		warn("externally provided fw_cfg item names should be prefixed with \"opt/\": '%s'",
		     f->name);
	if (err)
		boot_fw_cfg_fini(f);
	return err;
}

void boot_fw_cfg_fini(struct boot_fw_cfg *f)
{
	free(f->name);
	bytes_fini(&f->data);
	f->name = NULL;
}

/* ---- filling */

static void *keep(struct fw *f, const void *data, size_t n)
{
	return plan_own(f->s->plan, xmemdup(data, n));
}

static void add_file(struct fw *f, const char *name, const void *data, size_t n)
{
	int err = f->iface->add_file(f->dev, name, data, n);

	if (!err || f->err)
		return;
	f->err = error_ret(f->e, err, "fw_cfg file '%s' could not be added: %s", name,
			   err == -EEXIST ? "there is one of that name" :
			   err == -ENOSPC ? "there are too many files" :
					    strerror(-err));
}

static void add_copy(struct fw *f, const char *name, const void *data, size_t n)
{
	add_file(f, name, keep(f, data, n), n);
}

static void set_int(struct fw *f, u16 key, u64 v, unsigned bytes)
{
	u8 raw[8];

	st64le(raw, v);
	f->iface->set(f->dev, key, keep(f, raw, bytes), bytes);
}

static void loader_entry(struct strbuf *b, u32 command, const char *file, u8 entry[LOADER_ENTRY])
{
	st32le(entry, command);
	strncpy((char *)entry + 4, file, LOADER_NAME - 1);
	strbuf_addn(b, entry, LOADER_ENTRY);
}

static void loader_allocate(struct strbuf *b, const char *file, u32 align, u8 zone)
{
	u8 x[LOADER_ENTRY] = { 0 };

	st32le(x + 60, align);
	x[64] = zone;
	loader_entry(b, ALLOCATE, file, x);
}

static void loader_pointer(struct strbuf *b, const char *in, const char *to, u32 at, u8 size)
{
	u8 x[LOADER_ENTRY] = { 0 };

	strncpy((char *)x + 60, to, LOADER_NAME - 1);
	st32le(x + 116, at);
	x[120] = size;
	loader_entry(b, ADD_POINTER, in, x);
}

static void loader_checksum(struct strbuf *b, const char *file, u32 at, u32 start, u32 size)
{
	u8 x[LOADER_ENTRY] = { 0 };

	st32le(x + 60, at);
	st32le(x + 64, start);
	st32le(x + 68, size);
	loader_entry(b, ADD_CHECKSUM, file, x);
}

/* The address of `at` in a file, into another one that the device keeps. */
static void loader_write_pointer(struct strbuf *b, const char *in, const char *to, u32 at, u8 size)
{
	u8 x[LOADER_ENTRY] = { 0 };

	strncpy((char *)x + 60, to, LOADER_NAME - 1);
	st32le(x + 120, at);
	x[124] = size;
	loader_entry(b, WRITE_POINTER, in, x);
}

void fwcfg_table_loader(struct strbuf *b, const struct acpi_tables *t)
{
	static const char tables[] = "etc/acpi/tables", rsdp[] = "etc/acpi/rsdp";

	loader_allocate(b, rsdp, 16, ZONE_FSEG);
	loader_allocate(b, tables, 64, ZONE_HIGH);
	for (size_t i = 0; i < t->pointers.n; i++)
		loader_pointer(b, tables, tables, t->pointers.at[i].at, t->pointers.at[i].size);
	if (t->guid) {
		loader_allocate(b, vmgenid_guid, VMGENID_PAGE, ZONE_HIGH);
		loader_pointer(b, tables, vmgenid_guid, t->guid, 4);
		loader_write_pointer(b, vmgenid_addr, vmgenid_guid, VMGENID_GUID, 8);
	}
	for (size_t i = 0; i < t->tables.n; i++)
		loader_checksum(b, tables, t->tables.at[i].at + 9, t->tables.at[i].at,
				t->tables.at[i].size);
	loader_pointer(b, rsdp, tables, 16, 4);
	loader_pointer(b, rsdp, tables, 24, 8);
	loader_checksum(b, rsdp, 8, 0, 20);
	loader_checksum(b, rsdp, 32, 0, ACPI_RSDP_SIZE);
}

struct acpi_file {
	const struct x86_board_info *info;
	bool vmgenid;
	u8 *data;
	size_t size;
};

/* Firmware has placed the power management ports by now. */
static void update_acpi(void *arg)
{
	struct acpi_file *file = arg;
	struct acpi_tables t;

	acpi_build_vmgenid(&t, file->info, file->vmgenid);
	if (t.data.n == file->size)
		memcpy(file->data, t.data.at, t.data.n);
	acpi_fini(&t);
}

static void put_vmgenid(struct fw *f, struct device *d)
{
	const struct vmgenid_iface *iface = d->class->iface;
	int err;

	add_file(f, vmgenid_guid, iface->page(d), VMGENID_PAGE);
	err = f->iface->add_writable(f->dev, vmgenid_addr, iface->address(d), 8, iface->written, d);
	if (err && !f->err)
		f->err = error_ret(f->e, err, "fw_cfg file '%s' could not be added: %s",
				   vmgenid_addr, strerror(-err));
}

static void put_acpi(struct fw *f)
{
	struct acpi_file *file = plan_own(f->s->plan, NEW(struct acpi_file));
	struct acpi_tables t;
	struct strbuf loader = { 0 };
	u8 rsdp[ACPI_RSDP_SIZE];
	struct device *vmgenid;

	f->err = vmgenid_find(f->s->plan->m, &vmgenid, f->e);
	if (f->err)
		return;
	acpi_build_vmgenid(&t, f->s->info, vmgenid != NULL);
	acpi_rsdp(&t, 0, rsdp);
	fwcfg_table_loader(&loader, &t);
	add_copy(f, "etc/acpi/rsdp", rsdp, sizeof(rsdp));
	*file = (struct acpi_file){ f->s->info, vmgenid != NULL, keep(f, t.data.at, t.data.n),
				    t.data.n };
	add_file(f, "etc/acpi/tables", file->data, file->size);
	f->iface->on_select(f->dev, "etc/acpi/tables", update_acpi, file);
	add_copy(f, "etc/table-loader", loader.at, loader.n);
	strbuf_fini(&loader);
	acpi_fini(&t);
	if (vmgenid)
		put_vmgenid(f, vmgenid);
}

static void put_smbios(struct fw *f, const struct smbios *smbios)
{
	const struct board *board = f->s->plan->m->board;
	struct smbios_tables t;
	u8 entry[SMBIOS_ENTRY_MAX];
	unsigned n;

	smbios_build(&t, smbios, f->s->info, board ? board->name : "pc");
	n = smbios_entry(&t, 0, entry);
	add_copy(f, "etc/smbios/smbios-anchor", entry, n);
	add_copy(f, "etc/smbios/smbios-tables", t.data.at, t.data.n);
	strbuf_fini(&t.data);
}

/* RAM and what devices decode in the middle of it; firmware adds its own reservations. */
static void put_e820(struct fw *f)
{
	const struct x86_board_info *info = f->s->info;
	struct e820 map = { .n = 0 };
	u8 out[E820_MAX * 20];

	map.at[map.n++] = (struct e820_entry){ 0, info->ram_low, E820_RAM };
	if (info->ecam.size)
		map.at[map.n++] =
			(struct e820_entry){ info->ecam.base, info->ecam.size, E820_RESERVED };
	if (info->ram_high)
		map.at[map.n++] = (struct e820_entry){ BIT64(32), info->ram_high, E820_RAM };
	add_copy(f, "etc/e820", out, e820_store(&map, out));
}

static const char linux_rom[] = "genroms/quern-linux.bin";

static bool boots_by_firmware(const struct start *s, const struct boot_options *o)
{
	return s->info->firmware_size && o->kernel;
}

static void put_boot_order(struct fw *f, const struct boot_options *o)
{
	/* SeaBIOS: S3 and S4 are off, S5 is type 0 */
	static const u8 states[6] = { 128, 0, 0, 1, 2, 128 };
	struct strbuf order = { 0 };
	u8 raw[4];

	add_file(f, "etc/system-states", states, sizeof(states));
	if (boots_by_firmware(f->s, o))
		strbuf_printf(&order, "/rom@%s", linux_rom);
	for (unsigned i = 0; i < o->nbootindex; i++)
		strbuf_printf(&order, "%s%s", order.n ? "\n" : "", o->bootindex[i]);
	add_copy(f, "bootorder", strbuf_str(&order), order.n + (order.n > 0));
	strbuf_fini(&order);
	set_int(f, FW_CFG_BOOT_MENU, o->boot_menu, 2);
	if (o->boot_menu_ms > 0) {
		st16le(raw, MIN(o->boot_menu_ms, 0xffff));
		add_copy(f, "etc/boot-menu-wait", raw, 2);
	}
	if (o->reboot_ms > 0) {
		st32le(raw, o->reboot_ms);
		add_copy(f, "etc/boot-fail-wait", raw, 4);
	}
}

static void put_linux_rom(struct fw *f, const struct fwcfg_rom_part *parts)
{
	size_t n;
	u8 *rom = fwcfg_linux_rom(parts, FWCFG_ROM_PARTS, &n);

	add_file(f, linux_rom, plan_own(f->s->plan, rom), n);
}

/* -kernel with firmware: it loads and starts the pieces itself. */
static int put_kernel(struct fw *f, struct boot_options *o)
{
	enum { REAL = 0x10000, TEXT = 0x20000, KERNEL = 0x100000, TOP = 0x100000 };
	const struct kernel_image *k = f->s->kernel;
	u64 initrd_at = 0;
	u8 *setup;
	int err;

	if (k->kind != IMAGE_BZIMAGE)
		return error_ret(f->e, -ENOTSUP,
				 "kernel file '%s' is no bzImage: firmware (-bios) can start only "
				 "those; leave out -bios",
				 k->path);
	if (!f->s->initrd.data) {
		err = boot_read_initrd(o, f->s->plan, &f->s->initrd, f->e);
		if (err)
			return err;
	}
	if (f->s->initrd.size > f->s->info->ram_low ||
	    f->s->initrd.size + k->bz.kernel_size + KERNEL + TOP > f->s->info->ram_low ||
	    f->s->initrd.size > k->bz.initrd_max)
		return error_ret(f->e, -E2BIG,
				 "initrd is too large, cannot support: it has %llu MiB",
				 (unsigned long long)f->s->initrd.size >> 20);
	/* Below what SeaBIOS keeps for its tables. */
	if (f->s->initrd.size)
		initrd_at = ALIGN_DOWN(MIN(f->s->info->ram_low - TOP, (u64)k->bz.initrd_max + 1) -
					       f->s->initrd.size,
				       4096);
	setup = keep(f, k->file.data, k->bz.setup_size);
	setup[HDR_TYPE_OF_LOADER] = 0xff;
	setup[HDR_LOADFLAGS] |= CAN_USE_HEAP;
	st16le(setup + HDR_HEAP_END_PTR, TEXT - REAL - 0x200);
	st32le(setup + HDR_CMD_LINE_PTR, TEXT);
	st32le(setup + HDR_RAMDISK_IMAGE, initrd_at);
	st32le(setup + HDR_RAMDISK_SIZE, f->s->initrd.size);
	set_int(f, FW_CFG_SETUP_ADDR, REAL, 4);
	set_int(f, FW_CFG_SETUP_SIZE, k->bz.setup_size, 4);
	f->iface->set(f->dev, FW_CFG_SETUP_DATA, setup, k->bz.setup_size);
	set_int(f, FW_CFG_KERNEL_ADDR, KERNEL, 4);
	set_int(f, FW_CFG_KERNEL_SIZE, k->bz.kernel_size, 4);
	f->iface->set(f->dev, FW_CFG_KERNEL_DATA, k->file.data + k->bz.setup_size,
		      k->bz.kernel_size);
	set_int(f, FW_CFG_CMDLINE_ADDR, TEXT, 4);
	set_int(f, FW_CFG_CMDLINE_SIZE, strlen(f->s->cmdline) + 1, 4);
	f->iface->set(f->dev, FW_CFG_CMDLINE_DATA,
		      keep(f, f->s->cmdline, strlen(f->s->cmdline) + 1), strlen(f->s->cmdline) + 1);
	set_int(f, FW_CFG_INITRD_ADDR, initrd_at, 4);
	set_int(f, FW_CFG_INITRD_SIZE, f->s->initrd.size, 4);
	f->iface->set(f->dev, FW_CFG_INITRD_DATA, f->s->initrd.data, f->s->initrd.size);
	put_linux_rom(f, (const struct fwcfg_rom_part[FWCFG_ROM_PARTS]){
				 { FW_CFG_SETUP_DATA, k->bz.setup_size, REAL },
				 { FW_CFG_CMDLINE_DATA, strlen(f->s->cmdline) + 1, TEXT },
				 { FW_CFG_KERNEL_DATA, k->bz.kernel_size, KERNEL },
				 { FW_CFG_INITRD_DATA, f->s->initrd.size, initrd_at } });
	return 0;
}

static void put_vmcoreinfo(struct fw *f)
{
	struct device_core *d;

	list_for_each (d, &f->s->plan->m->devices, link) {
		const struct vmcoreinfo_iface *iface = d->dev->class->iface;

		if (!str_eq(d->dev->class->name, "vmcoreinfo") || f->err)
			continue;
		f->err = f->iface->add_writable(f->dev, "etc/vmcoreinfo", iface->record(d->dev),
						VMCOREINFO_RECORD, iface->written, d->dev);
		if (f->err)
			error_set(f->e, "a machine has at most one vmcoreinfo device");
	}
}

static void put_basics(struct fw *f, const struct boot_options *o)
{
	const struct x86_board_info *info = f->s->info;

	set_int(f, FW_CFG_RAM_SIZE, info->ram_low + info->ram_high, 8);
	set_int(f, FW_CFG_NOGRAPHIC, !info->vga, 2);
	set_int(f, FW_CFG_NB_CPUS, info->ncpus, 2);
	/* what firmware takes as the end of the APIC IDs */
	set_int(f, FW_CFG_MAX_CPUS, info->apic_id_end, 2);
	set_int(f, FW_CFG_BOOT_DEVICE, o->boot_order ? o->boot_order[0] : 'c', 2);
	set_int(f, FW_CFG_X86_IRQ0_OVERRIDE, 1, 4);
	f->iface->set(f->dev, FW_CFG_UUID,
		      keep(f, o->smbios ? o->smbios->uuid : (const u8[16]){ 0 }, 16), 16);
	put_e820(f);
	if (info->acpi && !o->no_acpi)
		put_acpi(f);
	put_smbios(f, o->smbios);
	put_boot_order(f, o);
	put_vmcoreinfo(f);
}

int fwcfg_put(struct start *s, struct boot_options *o, struct error *e)
{
	struct fw f = { .s = s, .e = e };

	if (!s->info->fw_cfg_port) {
		if (o->nfw_cfg)
			return error_ret(e, -ENOTSUP, "-fw_cfg: this machine has no fw_cfg device");
		return 0;
	}
	f.dev = device_make(s->plan->m, "fw_cfg", "fw_cfg", NULL, e);
	if (!f.dev)
		return -EINVAL;
	f.iface = f.dev->class->iface;
	device_map_io(f.dev, NULL, s->info->fw_cfg_port);
	put_basics(&f, o);
	for (unsigned i = 0; i < o->nfw_cfg; i++)
		add_copy(&f, o->fw_cfg[i].name, o->fw_cfg[i].data.data, o->fw_cfg[i].data.size);
	if (!f.err && boots_by_firmware(s, o))
		f.err = put_kernel(&f, o);
	return f.err;
}
