/* SPDX-License-Identifier: GPL-2.0-or-later */
/* loader.c - `-device loader`: a value or a file (raw, or an ELF executable's segments) placed at
 * each reset, and a CPU started there. */
#include "loader.h"
#include "core/cpu.h"
#include "core/space.h"
#include "elf.h"
#include "lib/bytes.h"
#include "lib/str.h"
#include <errno.h>

enum { FILE_LIMIT = 0x7fffffff };

static int bad(struct error *e, const char *key, const char *value, const char *right)
{
	return error_ret(e, -EINVAL, "%s=%s: it must be %s", key, value, right);
}

int boot_loader_set(struct boot_loader *l, const char *key, const char *value, struct error *e)
{
	u64 v;

	if (!strcmp(key, "file")) {
		l->file = value;
		return 0;
	}
	if (!strcmp(key, "data-be"))
		return str_to_bool(value, &l->data_be) ? bad(e, key, value, "on or off") : 0;
	if (!strcmp(key, "force-raw"))
		return str_to_bool(value, &l->force_raw) ? bad(e, key, value, "on or off") : 0;
	if (strcmp(key, "addr") && strcmp(key, "data") && strcmp(key, "data-len") &&
	    strcmp(key, "cpu-num"))
		return error_ret(e, -EINVAL,
				 "there is no property '%s'; there are addr, data, "
				 "data-len, data-be, cpu-num, file and "
				 "force-raw",
				 key);
	if (str_to_u64(value, 0, &v))
		return bad(e, key, value, "a number");
	if (!strcmp(key, "addr")) {
		l->addr = v;
		l->has_addr = true;
	} else if (!strcmp(key, "data")) {
		l->data = v;
	} else if (!strcmp(key, "data-len")) {
		if (v < 1 || v > 8)
			return bad(e, key, value, "1 to 8");
		l->data_len = v;
	} else {
		if (v > 0xffffffff)
			return bad(e, key, value, "a CPU's number");
		l->cpu = v;
		l->has_cpu = true;
	}
	return 0;
}

int boot_loader_check(const struct boot_loader *l, struct error *e)
{
	if (l->file && (l->data || l->data_len || l->data_be))
		return error_ret(e, -EINVAL, "a file and data can not be given together");
	if (!l->file && l->force_raw)
		return error_ret(e, -EINVAL, "force-raw needs a file");
	if (!l->file && !l->has_addr)
		return error_ret(e, -EINVAL, "give an addr or a file");
	if (!l->file && !l->data_len && (l->data || l->data_be || !l->has_cpu))
		return error_ret(e, -EINVAL, "data needs data-len, and addr alone needs cpu-num");
	if (l->file && l->force_raw && !l->has_addr)
		return error_ret(e, -EINVAL, "a raw file needs an addr");
	return 0;
}

/* Every byte must have somewhere to go: RAM or ROM. */
static int add(struct boot_plan *p, const char *what, u64 addr, const void *data, u64 size,
	       struct error *e)
{
	for (u64 at = addr, left = size; left;) {
		size_t part = MIN(left, (u64)1 << 30);

		if (!space_map(&p->m->memory, at, &part, false))
			return error_ret(e, -ERANGE,
					 "-device loader: %s does not fit: there is no memory at "
					 "%#llx",
					 what, (unsigned long long)at);
		at += part;
		left -= part;
	}
	plan_add_any(p, "-device loader", addr, data, size);
	return 0;
}

static int put_value(struct boot_plan *p, const struct boot_loader *l, struct error *e)
{
	u8 *b = plan_own(p, xalloc(8));

	if (l->data_be)
		st64be(b, l->data << (64 - 8 * l->data_len));
	else
		st64le(b, l->data);
	return add(p, "data", l->addr, b, l->data_len, e);
}

static int put_elf(struct boot_plan *p, const char *file, const struct bytes *b, u64 *entry,
		   struct error *e)
{
	struct elf_image elf;
	int err = elf_parse(&elf, b->data, b->size, file, e);

	for (unsigned i = 0; !err && i < elf.nsegments; i++) {
		const struct elf_segment *g = &elf.segment[i];

		err = add(p, file, g->paddr, b->data + g->offset, g->filesz, e);
		if (!err && g->memsz > g->filesz) {
			void *zero = g->memsz <= p->m->ram_size ?
					     plan_own(p, calloc(1, g->memsz - g->filesz)) :
					     NULL;

			if (!zero)
				return error_ret(e, -ENOMEM,
						 "-device loader: '%s' does not fit: a segment "
						 "needs %llu bytes",
						 file, (unsigned long long)g->memsz);
			err = add(p, file, g->paddr + g->filesz, zero, g->memsz - g->filesz, e);
		}
	}
	*entry = elf.entry;
	return err;
}

static int put_file(struct boot_plan *p, const struct boot_loader *l, u64 *entry, struct error *e)
{
	struct bytes b;
	struct error why = { 0 };
	int err = bytes_read_file(&b, l->file, FILE_LIMIT, &why);

	error_clear(&why);
	if (err)
		return error_ret(e, err, "-device loader: could not load '%s': %s", l->file,
				 strerror(-err));
	plan_own(p, b.data);
	if (!l->force_raw && elf_is(b.data, b.size))
		return put_elf(p, l->file, &b, entry, e);
	if (!l->has_addr)
		return error_ret(e, -EINVAL, "-device loader: '%s' is a raw file: give an addr",
				 l->file);
	return add(p, l->file, l->addr, b.data, b.size, e);
}

int loader_put(struct boot_plan *p, const struct boot_loader *l, unsigned n, struct error *e)
{
	for (unsigned i = 0; i < n; i++, l++) {
		u64 entry = l->addr;
		int err = boot_loader_check(l, e);

		if (err)
			error_prefix(e, "-device loader");
		if (!err && l->file)
			err = put_file(p, l, &entry, e);
		else if (!err && l->data_len)
			err = put_value(p, l, e);
		if (err)
			return err;
		if (!l->has_cpu)
			continue;
		if (l->cpu >= p->m->ncpus)
			return error_ret(e, -ERANGE,
					 "-device loader: cpu-num=%u: the machine has %u CPUs, "
					 "numbered from 0",
					 l->cpu, p->m->ncpus);
		if (!p->m->isa->boot_entry)
			return error_ret(e, -ENOTSUP,
					 "-device loader: cpu-num is not supported by this "
					 "machine's CPUs");
		vec_push(&p->cpus, ((struct plan_cpu){ l->cpu, entry }));
	}
	return 0;
}
