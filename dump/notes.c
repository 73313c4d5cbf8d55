/* SPDX-License-Identifier: GPL-2.0-or-later */
/* notes.c - the notes of a dump: each CPU's registers, and the kernel's VMCOREINFO, from which
 * tools learn where it lies and what its structures look like
 * (Documentation/admin-guide/kdump/vmcoreinfo.rst). Note layout: System V ABI, "Note Section". */
#include "private.h"
#include "core/corefile.h"
#include "core/cpu.h"
#include "core/device.h"
#include "core/machine.h"
#include "core/os.h"
#include <errno.h>
#include <quern/vmcoreinfo.h>

enum { NOTE_HEAD = 12, VMCOREINFO_MAX = 1 << 20 };

static void align(struct strbuf *b)
{
	while (b->n % 4)
		strbuf_addc(b, 0);
}

static void add_note(void *arg, const char *name, u32 type, const void *desc, size_t n)
{
	struct strbuf *b = arg;
	u8 head[NOTE_HEAD];

	st32le(head, strlen(name) + 1);
	st32le(head + 4, n);
	st32le(head + 8, type);
	strbuf_addn(b, head, sizeof(head));
	strbuf_addn(b, name, strlen(name) + 1);
	align(b);
	strbuf_addn(b, desc, n);
	align(b);
}

/* ---- VMCOREINFO */

static struct device *find_device(struct machine *m)
{
	struct device_core *d;

	list_for_each (d, &m->devices, link)
		if (str_eq(d->dev->class->name, "vmcoreinfo"))
			return d->dev;
	return NULL;
}

/* The whole note lies in guest memory: its head, its name, the text. */
static int parse_note(const u8 *note, size_t size, char **text, size_t *n)
{
	static const char name[] = "VMCOREINFO";
	u64 at = NOTE_HEAD + ALIGN_UP(sizeof(name), (size_t)4);

	if (size < at || ld32le(note) != sizeof(name) ||
	    memcmp(note + NOTE_HEAD, name, sizeof(name)) || !range_fits(at, ld32le(note + 4), size))
		return -EINVAL;
	*n = strnlen((const char *)note + at, ld32le(note + 4));
	*text = xstrndup((const char *)note + at, *n);
	return 0;
}

static int from_device(struct machine *m, struct device *dev, char **text, size_t *n,
		       struct error *e)
{
	const struct vmcoreinfo_iface *iface = dev->class->iface;
	AUTO_FREE u8 *note = NULL;
	u64 addr;
	u32 size;

	if (!iface->where(dev, &addr, &size))
		return error_ret(e, -ENOENT,
				 "the guest has not told where its VMCOREINFO lies: its driver "
				 "qemu_fw_cfg does");
	if (size > VMCOREINFO_MAX || !(note = malloc(size + 1)))
		return error_ret(e, -E2BIG, "the guest tells of a VMCOREINFO of %u bytes", size);
	if (space_read(&m->memory, addr, note, size, (struct mem_attrs){ .debug = 1 }) != MEM_OK ||
	    parse_note(note, size, text, n))
		return error_ret(e, -EINVAL, "there is no VMCOREINFO note at %#llx in guest memory",
				 (unsigned long long)addr);
	return 0;
}

int dump_vmcoreinfo(struct machine *m, char **text, size_t *n, struct error *e)
{
	struct device *dev = find_device(m);
	const struct os *os = os_of(m);
	struct error why = { 0 };
	int err = -ENOENT;

	*text = NULL;
	if (dev)
		err = from_device(m, dev, text, n, &why);
	if (err && os && os->vmcoreinfo && !os->vmcoreinfo(m, text, n))
		err = 0;
	if (err && error_is_set(&why))
		error_set(e, "%s", why.text);
	else if (err)
		error_set(e, "nothing tells the guest's VMCOREINFO; with -device vmcoreinfo the "
			     "guest does");
	error_clear(&why);
	return err;
}

int notes_number(const struct dump *d, const char *key, int base, u64 *v)
{
	AUTO_FREE char *text = xasprintf("\n%.*s", (int)d->vmcoreinfo_size,
					 d->vmcoreinfo_size ? d->notes.at + d->vmcoreinfo_at : ""),
		       *line = xasprintf("\n%s=", key);
	const char *found = strstr(text, line);
	char number[32] = { 0 };
	s64 negative;

	if (!found)
		return -ENOENT;
	found += strlen(line);
	memcpy(number, found, MIN(strcspn(found, "\n"), sizeof(number) - 1));
	if (*number != '-')
		return str_to_u64(number, base, v);
	if (str_to_s64(number, base, &negative))
		return -EINVAL;
	*v = (u64)negative;
	return 0;
}

/* ---- all */

int notes_make(struct dump *d, struct error *e)
{
	struct machine *m = d->m;
	const struct corefile_isa *isa = m->isa ? m->isa->corefile : NULL;
	struct error none = { 0 };
	char *text;
	bool wide;
	size_t n;

	if (!isa || !m->ncpus)
		return error_ret(e, -ENOTSUP, "a machine of this kind cannot be dumped");
	/* one CPU in long mode makes it a 64-bit system, whatever the others do */
	for (u32 i = 0; i < m->ncpus; i++) {
		u16 machine = isa->machine(m->cpu[i], &wide);

		if (!i || wide)
			d->machine = machine;
		d->wide |= wide;
	}
	for (u32 i = 0; i < m->ncpus; i++)
		isa->notes(m->cpu[i], d->wide, add_note, &d->notes);
	/* more memory than 32-bit headers can tell */
	d->wide |= blocks_end(&d->blocks) > BIT64(32);
	if (!dump_vmcoreinfo(m, &text, &n, &none)) {
		add_note(&d->notes, "VMCOREINFO", 0, text, n);
		d->vmcoreinfo_size = n;
		d->vmcoreinfo_at = d->notes.n - ALIGN_UP(n, (size_t)4);
		free(text);
	}
	error_clear(&none);
	return 0;
}
