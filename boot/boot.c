/* SPDX-License-Identifier: GPL-2.0-or-later */
/* boot.c - from the command line's wishes to a plan: tables, kernel, loaders, firmware
 * configuration. */
#include "boot.h"
#include "bus/virtio.h"
#include "core/cpu.h"
#include "core/os.h"
#include "fwcfg.h"
#include "linux.h"
#include "loader.h"
#include "tables.h"
#include <errno.h>

enum { INITRD_LIMIT = 0x7fffffff };

int boot_decompress_parse(const char *s, enum boot_decompress *d, struct error *e)
{
	static const char *const names[] = { "host", "guest", "guest16", "guest32", "guest64" };

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		if (strcmp(s, names[i]))
			continue;
		*d = (enum boot_decompress)i;
		return 0;
	}
	return error_ret(e, -EINVAL,
			 "kernel-decompress=%s: it is host, guest, guest16, guest32 or guest64", s);
}

int boot_check_options(const struct boot_options *o, struct error *e)
{
	if (!o->kernel && o->append)
		return error_ret(e, -EINVAL, "-append only allowed with -kernel option");
	if (!o->kernel && (o->initrd || o->initrd_data.data))
		return error_ret(e, -EINVAL, "-initrd only allowed with -kernel option");
	if (!o->kernel && o->dtb)
		return error_ret(e, -EINVAL, "-dtb only allowed with -kernel option");
	return 0;
}

int boot_read_initrd(struct boot_options *o, struct boot_plan *p, struct bytes *out,
		     struct error *e)
{
	struct error why = { 0 };
	int err;

	*out = (struct bytes){ 0 };
	if (o->initrd_data.data) {
		*out = o->initrd_data;
		o->initrd_data = (struct bytes){ 0 };
	} else if (o->initrd) {
		err = bytes_read_file(out, o->initrd, INITRD_LIMIT, &why);
		error_clear(&why);
		if (err == -EFBIG)
			return error_ret(e, err,
					 "initrd is too large, cannot support: '%s' has more than "
					 "2 GiB",
					 o->initrd);
		if (err)
			return error_ret(e, err, "could not load initrd '%s': %s", o->initrd,
					 strerror(-err));
	}
	plan_own(p, out->data);
	return 0;
}

/* Without firmware: the kernel is entered directly. */
static int start_kernel(struct start *s, struct boot_options *o, struct error *e)
{
	struct kernel_image *k = s->kernel;
	int err = 0;

	if (!s->plan->m->isa->boot_entry)
		return error_ret(e, -ENOTSUP,
				 "this machine's CPU cannot start a kernel directly; use -bios");
	if (k->kind != IMAGE_MULTIBOOT)
		err = boot_read_initrd(o, s->plan, &s->initrd, e);
	if (err)
		return err;
	if (k->kind == IMAGE_BZIMAGE)
		return linux_start(s, e);
	if (k->kind == IMAGE_MULTIBOOT)
		return multiboot_start(s, e);
	if (k->elf.has_pvh && !o->kaslr) {
		os_set_slide(s->plan->m, 0);
		return pvh_start(s, e);
	}
	return linux_start_elf(s, &k->elf, k->file.data, k->file.size, e);
}

/* Where devices begin below 4 GiB, rounded down to what one MTRR can describe. */
static u64 uncached_from(const struct x86_board_info *info)
{
	return info->ram_low <= 0x80000000 ? 0x80000000 :
	       info->ram_low <= 0xc0000000 ? 0xc0000000 :
					     0xe0000000;
}

static int boot_direct(struct machine *m, struct boot_options *o, struct start *s, struct error *e)
{
	int err = tables_put(s, o->smbios, e);

	if (err)
		return err;
	s->plan->uncached = uncached_from(s->info);
	return start_kernel(s, o, e);
}

/* Without ACPI the kernel's command line tells where virtio devices are
 * (Documentation/admin-guide/kernel-parameters.txt, virtio_mmio.device). */
static char *make_cmdline(const struct x86_board_info *info, const char *append)
{
	struct strbuf b = { 0 };

	strbuf_add(&b, append ? append : "");
	for (unsigned i = info->virtio_cmdline ? info->nvirtio_mmio : 0; i-- > 0;) {
		if (info->virtio_mmio[i].slot && virtio_slot_used(info->virtio_mmio[i].slot))
			strbuf_printf(&b, " virtio_mmio.device=%u@%#llx:%u",
				      info->virtio_mmio[i].size,
				      (unsigned long long)info->virtio_mmio[i].base,
				      info->virtio_mmio[i].gsi);
	}
	return strbuf_take(&b);
}

int boot_prepare(struct machine *m, struct boot_options *o, struct error *e)
{
	struct kernel_image k = { 0 };
	struct start s = { .info = x86_info(m), .opt = o, .kernel = &k };
	AUTO_FREE char *cmdline = make_cmdline(x86_info(m), o->append);
	int err = boot_check_options(o, e);

	s.cmdline = cmdline;
	if (err)
		return err;
	if (o->dtb)
		return error_ret(e, -ENOTSUP,
				 "-dtb: this machine describes itself by ACPI and takes no device "
				 "tree");
	s.plan = o->plan = plan_new(m);
	s.top = s.info->ram_low;
	if (o->kernel)
		err = image_open(&k, o->kernel, e);
	if (!err && o->kernel && !s.info->firmware_size)
		err = boot_direct(m, o, &s, e);
	if (!err)
		err = loader_put(s.plan, o->loader, o->nloader, e);
	if (!err)
		err = fwcfg_put(&s, o, e);
	/* Pieces point into the file. */
	plan_own(s.plan, k.file.data);
	k.file = (struct bytes){ 0 };
	image_fini(&k);
	if (!err)
		plan_commit(s.plan);
	return err;
}

void boot_release(struct boot_options *o)
{
	plan_free(o->plan);
	o->plan = NULL;
	bytes_fini(&o->initrd_data);
}
