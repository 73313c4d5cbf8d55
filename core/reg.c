/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * reg.c - register banks at work. At plug time a table becomes an index by offset; an access then
 * costs one load to find its register. Widths: the register's own, 32-bit halves of 64-bit ones,
 * and parts where the bank says narrow.
 */
#include "core/reg.h"
#include "core/fault.h"
#include "core/trace.h"
#include "lib/alloc.h"
#include "lib/error.h"
#include <errno.h>
#include <stdio.h>

static u64 size_mask(unsigned size) { return size >= 8 ? ~0ull : BIT64(size * 8) - 1; }

u64 reg_mask(const struct reg *r) { return size_mask(r->size); }

u64 reg_reserved(const struct reg *r)
{
	u64 known = 0;

	if (!r->fields)
		return 0;
	for (const struct field *f = r->fields; f->name; f++)
		known |= f->mask;
	return ~known & reg_mask(r);
}

static unsigned reg_count(const struct reg *r) { return r->count ? r->count : 1; }

/* How much of the bank an element takes, and how far it is to the next. */
static unsigned reg_span(const struct bank *b, const struct reg *r)
{
	return b->numbered ? 1 : r->size;
}

static unsigned reg_step(const struct bank *b, const struct reg *r)
{
	return r->stride ? r->stride : reg_span(b, r);
}

u64 reg_place(const struct bank *b, const struct reg *r, unsigned i)
{
	return r->at + (u64)i * reg_step(b, r);
}

/* ---- storage */

static void *storage(const struct device *d, const struct reg *r, unsigned i)
{
	return (u8 *)d + r->off + (size_t)i * r->size;
}

static u64 load(const struct device *d, const struct reg *r, unsigned i)
{
	const void *p = storage(d, r, i);

	if (r->novalue)
		return 0;
	switch (r->size) {
	case 1:
		return *(const u8 *)p;
	case 2:
		return *(const u16 *)p;
	case 4:
		return *(const u32 *)p;
	default:
		return *(const u64 *)p;
	}
}

static void store(struct device *d, const struct reg *r, unsigned i, u64 val)
{
	void *p = storage(d, r, i);

	if (r->novalue)
		return;
	switch (r->size) {
	case 1:
		*(u8 *)p = val;
		break;
	case 2:
		*(u16 *)p = val;
		break;
	case 4:
		*(u32 *)p = val;
		break;
	default:
		*(u64 *)p = val;
		break;
	}
}

void reg_poke(struct device *d, const struct reg *r, unsigned i, u64 val) { store(d, r, i, val); }

u64 reg_peek(const struct device *d, const struct reg *r, unsigned i) { return load(d, r, i); }

/* ---- tracing */

void reg_fields(const struct reg *r, u64 val, char *buf, size_t size)
{
	size_t n = 0;

	buf[0] = 0;
	for (const struct field *f = r->fields; f && f->name && n < size; f++) {
		u64 v = val & f->mask;

		if (!v)
			continue;
		if (f->mask & (f->mask - 1))
			n += snprintf(buf + n, size - n, " %s=0x%llx", f->name,
				      (unsigned long long)FIELD_GET(f->mask, val));
		else
			n += snprintf(buf + n, size - n, " %s", f->name);
	}
}

/* What somebody wants of a register's accesses. */
enum { TRACED = BIT(0), READ_FAULT = BIT(1), WRITE_FAULT = BIT(2) };

/* Each only grows, so their sum changes with either. */
static u32 generation(void) { return trace_generation + fault_generation; }

static u8 wanted(struct regbank *b, const char *name)
{
	char point[80];
	u8 w = 0;

	if (fault_may(b->dev, FAULT_READ | FAULT_WRITE)) {
		snprintf(point, sizeof(point), "%s.read", name);
		w |= fault_armed(b->dev, point) ? READ_FAULT : 0;
		snprintf(point, sizeof(point), "%s.write", name);
		w |= fault_armed(b->dev, point) ? WRITE_FAULT : 0;
	}
	return w;
}

static void refresh_watched(struct regbank *b)
{
	b->any_watched = 0;
	for (unsigned i = 0; i < b->nregs; i++) {
		const char *name = b->bank->regs[i].name;

		b->watched[i] = wanted(b, name) | (trace_selected(b->dev, name) ? TRACED : 0);
		b->any_watched |= b->watched[i];
	}
	b->watched[b->nregs] = b->bank->name ? wanted(b, b->bank->name) : 0;
	b->any_watched |= b->watched[b->nregs];
	b->generation = generation();
}

/* r NULL: no register, code answers. */
static u8 watched(struct regbank *b, const struct reg *r)
{
	if (b->generation != generation())
		refresh_watched(b);
	return b->any_watched ? b->watched[r ? r - b->bank->regs : b->nregs] : 0;
}

static const struct fault_info *reg_fault(struct regbank *b, const struct reg *r, unsigned i,
					  bool write)
{
	const char *verb = write ? "write" : "read";
	char name[96], element[96];

	snprintf(name, sizeof(name), "%s.%s", r ? r->name : b->bank->name, verb);
	if (r)
		snprintf(element, sizeof(element), "%s[%u].%s", r->name, i, verb);
	return fault_visit(b->dev, write ? FAULT_WRITE : FAULT_READ, r && r->count ? element : name,
			   name);
}

static void trace_access(struct regbank *b, const struct reg *r, unsigned i, const char *arrow,
			 u64 val)
{
	char fields[256], element[16] = "";

	if (!(watched(b, r) & TRACED))
		return;
	if (r->count)
		snprintf(element, sizeof(element), "[%u]", i);
	reg_fields(r, val, fields, sizeof(fields));
	trace_line("%s.%s%s %s 0x%llx%s", b->dev->id, r->name, element, arrow,
		   (unsigned long long)val, fields);
}

/* ---- decoding */

static int check_reg(const struct regbank *b, const struct reg *r, struct error *e)
{
	u64 end = reg_place(b->bank, r, reg_count(r) - 1) + reg_span(b->bank, r);

	if (r->size != 1 && r->size != 2 && r->size != 4 && r->size != 8)
		return error_ret(e, -EINVAL, "device class %s: register %s has %u bytes",
				 b->dev->class->name, r->name, r->size);
	if (end > b->bank->size || reg_step(b->bank, r) < reg_span(b->bank, r))
		return error_ret(e, -EINVAL,
				 "device class %s: register %s does not fit into its bank",
				 b->dev->class->name, r->name);
	if (!r->novalue && (u64)r->off + (u64)reg_count(r) * r->size > b->dev->class->size)
		return error_ret(e, -EINVAL,
				 "device class %s: the value of register %s is not in the device",
				 b->dev->class->name, r->name);
	return 0;
}

static int build_index(struct regbank *b, struct error *e)
{
	const struct reg *regs = b->bank->regs;
	u64 bits = 8, end = 0;

	for (const struct reg *r = regs; r && r->name; r++) {
		int err = check_reg(b, r, e);

		if (err)
			return err;
		bits |= r->at | reg_span(b->bank, r) |
			(reg_count(r) > 1 ? reg_step(b->bank, r) : 0);
		end = MAX(end, reg_place(b->bank, r, reg_count(r) - 1) + reg_span(b->bank, r));
		b->nregs++;
	}
	b->shift = __builtin_ctzll(bits);
	b->nindex = end >> b->shift;
	b->index = xcalloc(b->nindex + 1, sizeof(*b->index));
	b->watched = xcalloc(b->nregs + 1, 1);
	for (unsigned n = 0; n < b->nregs; n++) {
		const struct reg *r = &regs[n];

		for (unsigned i = 0; i < reg_count(r); i++) {
			u64 at = reg_place(b->bank, r, i), past = at + reg_span(b->bank, r);

			for (u64 g = at >> b->shift; g < past >> b->shift; g++) {
				if (b->index[g])
					return error_ret(e, -EINVAL,
							 "device class %s: registers %s and %s "
							 "overlap",
							 b->dev->class->name, r->name,
							 regs[b->index[g] - 1].name);
				b->index[g] = n + 1;
			}
		}
	}
	return 0;
}

const struct reg *regbank_find(const struct regbank *b, u64 off, unsigned *i, unsigned *in)
{
	u64 g = off >> b->shift;
	const struct reg *r;
	u64 rel;

	if (g >= b->nindex || !b->index[g])
		return NULL;
	r = &b->bank->regs[b->index[g] - 1];
	rel = off - r->at;
	*i = r->count ? rel / reg_step(b->bank, r) : 0;
	*in = rel - (u64)*i * (r->count ? reg_step(b->bank, r) : 0);
	return r;
}

static bool width_ok(const struct regbank *b, const struct reg *r, unsigned in, unsigned size)
{
	if (in + size > r->size || (in && r->extend))
		return false;
	if (size == r->size || (b->bank->narrow && !b->bank->numbered))
		return true;
	return r->size == 8 && size == 4 && in % 4 == 0 && !b->bank->numbered;
}

/* ---- one register */

static u64 read_reg(struct regbank *b, const struct reg *r, unsigned i, unsigned in, unsigned size)
{
	u64 part = size_mask(size) << in * 8, val = load(b->dev, r, i);

	if (r->get)
		val = r->get(b->dev, i, val) & reg_mask(r);
	if (r->rclr & part)
		store(b->dev, r, i, load(b->dev, r, i) & ~(r->rclr & part));
	if (r->unmodelled & part & val)
		unimplemented(b->dev, "%s: bits %#llx", r->name, (unsigned long long)r->unmodelled);
	if (watched(b, r) & READ_FAULT) {
		const struct fault_info *f = reg_fault(b, r, i, false);

		val = f ? fault_value(f, val) & reg_mask(r) : val;
	}
	trace_access(b, r, i, "->", val);
	return (val & part) >> in * 8;
}

static void lint_write(struct regbank *b, const struct reg *r, u64 val, u64 part)
{
	u64 reserved = reg_reserved(r) & val & part;

	if (reserved)
		guest_error(b->dev, "%s: reserved bits %#llx written", r->name,
			    (unsigned long long)reserved);
	if (r->unmodelled & val & part)
		unimplemented(b->dev, "%s: bits %#llx", r->name,
			      (unsigned long long)(r->unmodelled & val & part));
}

static void write_reg(struct regbank *b, const struct reg *r, unsigned i, unsigned in,
		      unsigned size, u64 val)
{
	u64 part = size_mask(size) << in * 8, all = reg_mask(r), old = load(b->dev, r, i), keep,
	    stored;
	u64 acts = (r->w1c | r->w1s | r->pulse) & all;

	val = (val & size_mask(size)) << in * 8;
	if (r->extend)
		part = all;
	trace_access(b, r, i, "<-", val);
	if (watched(b, r) & WRITE_FAULT) {
		const struct fault_info *f = reg_fault(b, r, i, true);

		if (f && f->action != FAULT_VALUE)
			return;
		val = f ? fault_value(f, val) & part : val;
	}
	if ((r->ro & part & ~acts) == part) {
		guest_error(b->dev, "%s is read-only", r->name);
		return;
	}
	if (r->locked && r->locked(b->dev, i)) {
		guest_error(b->dev, "%s is locked: %#llx is not written", r->name,
			    (unsigned long long)val);
		return;
	}
	lint_write(b, r, val, part);
	if (r->novalue) {
		if (r->set)
			r->set(b->dev, i, val);
		return;
	}
	keep = (r->ro | reg_reserved(r)) & ~acts;
	val = (val & part) | (old & ~part & ~acts);
	val = (val & ~keep) | (old & keep);
	stored = val & ~acts;
	stored |= (old & r->w1c & ~val) | ((old | val) & r->w1s);
	store(b->dev, r, i, stored);
	if (r->set)
		r->set(b->dev, i, val);
}

/* ---- the bank */

static bool raw_size(const struct regbank *b, unsigned *size)
{
	const struct bank *k = b->bank;
	unsigned min = k->min ? k->min : 1, max = k->max ? k->max : 8;

	if (*size < min || (*size > max && !k->split))
		return false;
	*size = MIN(*size, max);
	return true;
}

/* The width of the first part when an access is cut: to the register's end, aligned; 0 = refuse. */
static unsigned part_size(const struct regbank *b, u64 off, unsigned size)
{
	unsigned i, in, n;
	const struct reg *r = regbank_find(b, off, &i, &in);

	if (r) {
		if (width_ok(b, r, in, size))
			return size;
		if (!b->bank->split || in + size <= r->size)
			return 0;
		n = r->size - in;
		return n < size && width_ok(b, r, in, n) ? n : 0;
	}
	n = size;
	return raw_size(b, &n) ? n : 0;
}

static void refused(struct regbank *b, u64 off, unsigned size, bool write)
{
	unsigned i, in;
	const struct reg *r = regbank_find(b, off, &i, &in);
	const char *verb = write ? "write" : "read";

	if (r)
		guest_error(b->dev, "%s: %s of %u bytes at byte %u of a %u-byte register", r->name,
			    verb, size, in, r->size);
	else if (b->bank->read || b->bank->write)
		guest_error(b->dev,
			    "%s of %u bytes at offset %#llx of %s: this size is not implemented",
			    verb, size, (unsigned long long)off, b->bank->name);
	else
		guest_error(b->dev, "%s at offset %#llx of %s, where no register is", verb,
			    (unsigned long long)off, b->bank->name);
}

static u64 read_part(struct regbank *b, u64 off, unsigned size)
{
	unsigned i, in;
	const struct reg *r = regbank_find(b, off, &i, &in);

	if (r)
		return read_reg(b, r, i, in, size);
	if (b->bank->read) {
		u64 val = b->bank->read(b->dev, off, size);
		const struct fault_info *f =
			watched(b, NULL) & READ_FAULT ? reg_fault(b, NULL, 0, false) : NULL;

		return (f ? fault_value(f, val) : val) & size_mask(size);
	}
	refused(b, off, size, false);
	return size_mask(size);
}

static void write_code(struct regbank *b, u64 off, unsigned size, u64 val)
{
	const struct fault_info *f =
		watched(b, NULL) & WRITE_FAULT ? reg_fault(b, NULL, 0, true) : NULL;

	if (f && f->action != FAULT_VALUE)
		return;
	b->bank->write(b->dev, off, size, (f ? fault_value(f, val) : val) & size_mask(size));
}

static void write_part(struct regbank *b, u64 off, unsigned size, u64 val)
{
	unsigned i, in;
	const struct reg *r = regbank_find(b, off, &i, &in);

	if (r)
		write_reg(b, r, i, in, size, val);
	else if (b->bank->write)
		write_code(b, off, size, val);
	else
		refused(b, off, size, true);
}

u64 regbank_read(struct regbank *b, u64 off, unsigned size)
{
	u64 val = 0;

	for (unsigned done = 0, n; done < size; done += n) {
		n = part_size(b, off + done, size - done);
		if (!n) {
			refused(b, off + done, size - done, false);
			return (val | ~0ull << done * 8) & size_mask(size);
		}
		val |= read_part(b, off + done, n) << done * 8;
	}
	return val;
}

void regbank_write(struct regbank *b, u64 off, unsigned size, u64 val)
{
	for (unsigned done = 0, n; done < size; done += n) {
		n = part_size(b, off + done, size - done);
		if (!n) {
			refused(b, off + done, size - done, true);
			return;
		}
		write_part(b, off + done, n, val >> done * 8);
	}
}

/* An access that comes back to a device while a callback of it runs, by DMA to its own registers
 * for instance. */
static bool comes_back(struct regbank *b)
{
	if (!b->dev->core->busy || b->dev->class->reentrant)
		return false;
	unimplemented(b->dev, "an access to its own registers by DMA is refused");
	return true;
}

static enum mem_result ops_read(void *opaque, u64 off, unsigned size, u64 *val,
				struct mem_attrs attrs)
{
	struct regbank *b = opaque;
	bool was = b->dev->core->busy;

	*val = size_mask(size);
	if (comes_back(b))
		return MEM_ERROR;
	b->dev->core->busy = true;
	*val = regbank_read(b, off, size);
	b->dev->core->busy = was;
	return MEM_OK;
}

static enum mem_result ops_write(void *opaque, u64 off, unsigned size, u64 val,
				 struct mem_attrs attrs)
{
	struct regbank *b = opaque;
	bool was = b->dev->core->busy;

	if (comes_back(b))
		return MEM_ERROR;
	b->dev->core->busy = true;
	regbank_write(b, off, size, val);
	b->dev->core->busy = was;
	return MEM_OK;
}

static const struct region_ops bank_ops = {
	.read = ops_read, .write = ops_write, .valid_unaligned = true, .impl_unaligned = true
};

int regbank_init(struct regbank *b, struct device *d, const struct bank *bank,
		 struct region *region, struct error *e)
{
	int err;

	memset(b, 0, sizeof(*b));
	b->dev = d;
	b->bank = bank;
	b->generation = generation() - 1;
	b->region = region;
	b->name = xasprintf("%s.%s", d->id, bank->name ? bank->name : "bank");
	list_init(&b->link);
	err = build_index(b, e);
	if (err) {
		regbank_fini(b);
		return err;
	}
	region_init_io(region, b->name, bank->size, &bank_ops, b);
	region->owner = d;
	list_add_tail(&d->core->regbanks, &b->link);
	return 0;
}

void regbank_fini(struct regbank *b)
{
	if (!b->dev)
		return;
	list_del(&b->link);
	if (b->region)
		region_fini(b->region);
	free(b->name);
	free(b->index);
	free(b->watched);
	memset(b, 0, sizeof(*b));
}

void regbank_reset(struct regbank *b)
{
	for (const struct reg *r = b->bank->regs; r && r->name; r++) {
		for (unsigned i = 0; i < reg_count(r); i++)
			store(b->dev, r, i, r->reset & reg_mask(r));
	}
}
