/* SPDX-License-Identifier: GPL-2.0-or-later */
/* kdump.c - the dump in makedumpfile's compressed format, header version 6 (makedumpfile's
 * IMPLEMENTATION, "kdump-compressed format"): in blocks of a page, a header, a second one with the
 * notes, two bitmaps of pages (those that exist, those that are here: the same), then a descriptor
 * for each page and the pages. All pages of zeros are one. */
#include "private.h"
#include "core/cpu.h"
#include "core/debug.h"
#include "core/machine.h"
#include <errno.h>

enum { HEADER_VERSION = 6, DESC = 24, STEP_PAGES = 1024, BUFFER = 1 << 20, UTS = 65 };

struct kdump {
	struct compressor *compressor;
	u64 pfn, pages; /* the next one; the number behind the last one */
	size_t hint;
	u64 desc_at, data_at, zero_at;
	u32 codec_flag;
	/* what waits to be written at desc_at and data_at */
	struct strbuf descs, data;
};

static u32 codec_flag(enum dump_codec c)
{
	return c == DUMP_ZLIB ? 1 : c == DUMP_LZO ? 2 : c == DUMP_SNAPPY ? 4 : 0x20;
}

/* ---- headers */

static u8 *put32(u8 *p, u32 v)
{
	st32le(p, v);
	return p + 4;
}

static u8 *put64(u8 *p, u64 v)
{
	st64le(p, v);
	return p + 8;
}

/* an unsigned long of the guest's system */
static u8 *put_long(const struct dump *d, u8 *p, u64 v)
{
	return d->wide ? put64(p, v) : put32(p, v);
}

/* The kernel's own struct new_utsname, through whichever CPU has it mapped. */
static bool read_uts(const struct dump *d, u8 uts[6 * UTS])
{
	u64 symbol, offset;

	if (notes_number(d, "SYMBOL(init_uts_ns)", 16, &symbol) ||
	    notes_number(d, "OFFSET(uts_namespace.name)", 10, &offset))
		return false;
	for (u32 i = 0; i < d->m->ncpus; i++)
		if (!debug_read(d->m->cpu[i], symbol + offset, uts, 6 * UTS) &&
		    !memcmp(uts, "Linux", 6))
			return true;
	memset(uts, 0, 6 * UTS);
	return false;
}

/* Else OSRELEASE= of VMCOREINFO: what uname -r prints. */
static void put_uts(const struct dump *d, u8 *uts)
{
	static const char key[] = "OSRELEASE=";
	const char *machine = d->machine == 62 ? "x86_64" : "i686", *found;

	if (read_uts(d, uts))
		return;
	AUTO_FREE char *text = xstrndup(d->vmcoreinfo_size ? d->notes.at + d->vmcoreinfo_at : "",
					d->vmcoreinfo_size);

	memcpy(uts + 4 * UTS, machine, strlen(machine));
	found = strstr(text, key);
	if (!found)
		return;
	found += strlen(key);
	memcpy(uts, "Linux", 5);
	memcpy(uts + 2 * UTS, found, MIN(strcspn(found, "\n"), (size_t)UTS - 1));
}

struct layout {
	u32 sub_blocks, bitmap_blocks; /* of both bitmaps */
	u32 sub_size;
	u64 pages, present;
};

static void put_header(const struct dump *d, const struct layout *l, u8 block[PAGE])
{
	u8 *p = block + (d->wide ? 424 : 412); /* behind a timeval, which is zero */

	memcpy(block, "KDUMP   ", 8);
	st32le(block + 8, HEADER_VERSION);
	put_uts(d, block + 12);
	p = put32(p, codec_flag(d->o.format->codec));
	p = put32(p, PAGE);
	p = put32(p, l->sub_blocks);
	p = put32(p, l->bitmap_blocks);
	p = put32(p, MIN(l->pages, (u64)~0u)); /* in full in the second header */
	p = put32(p, 0);		       /* total_ram_blocks */
	p = put32(p, 0);		       /* device_blocks */
	p = put32(p, 0);		       /* written_blocks */
	p = put32(p, 0);		       /* current_cpu */
	put32(p, d->m->ncpus);
}

static void put_sub_header(const struct dump *d, const struct layout *l, u8 *p)
{
	u64 notes = PAGE + l->sub_size, phys_base = 0;

	if (notes_number(d, "NUMBER(phys_base)", 10, &phys_base))
		phys_base = 0; /* tools find it themselves */
	p = put_long(d, p, phys_base);
	p = put32(p, 1);       /* dump_level: pages of zeros are left out, in a way */
	p = put32(p, 0);       /* split */
	p = put_long(d, p, 0); /* start_pfn, end_pfn */
	p = put_long(d, p, 0);
	p = put64(p, d->vmcoreinfo_size ? notes + d->vmcoreinfo_at : 0);
	p = put_long(d, p, d->vmcoreinfo_size);
	p = put64(p, notes);
	p = put_long(d, p, d->notes.n);
	p = put64(p, 0); /* eraseinfo */
	p = put_long(d, p, 0);
	p = put64(p, 0); /* start_pfn_64, end_pfn_64 */
	p = put64(p, 0);
	put64(p, l->pages);
}

static u64 put_bitmap(const struct blocks *b, u8 *bitmap)
{
	u64 count = 0;

	for (size_t i = 0; i < b->n; i++) {
		u64 end = (b->at[i].start + b->at[i].size + PAGE - 1) / PAGE;

		for (u64 pfn = b->at[i].start / PAGE; pfn < end; pfn++) {
			count += !(bitmap[pfn / 8] & BIT(pfn % 8));
			bitmap[pfn / 8] |= BIT(pfn % 8);
		}
	}
	return count;
}

static int write_heads(struct dump *d, struct layout *l, struct error *e)
{
	u64 sub_bytes, map_blocks;
	AUTO_FREE u8 *head = NULL, *maps = NULL;
	int err;

	l->pages = (blocks_end(&d->blocks) + PAGE - 1) / PAGE;
	l->sub_size = d->wide ? 104 : 80;
	sub_bytes = l->sub_size + d->notes.n;
	l->sub_blocks = (sub_bytes + PAGE - 1) / PAGE;
	map_blocks = (l->pages + 8 * PAGE - 1) / (8 * PAGE);
	l->bitmap_blocks = 2 * map_blocks;
	head = xcalloc(1 + l->sub_blocks, PAGE);
	maps = calloc(l->bitmap_blocks, PAGE);
	if (!maps)
		return error_ret(e, -ENOMEM, "there is no memory for the dump's bitmap");
	l->present = put_bitmap(&d->blocks, maps);
	memcpy(maps + map_blocks * PAGE, maps, map_blocks * PAGE);
	put_header(d, l, head);
	put_sub_header(d, l, head + PAGE);
	memcpy(head + PAGE + l->sub_size, d->notes.at, d->notes.n);
	err = out_write(&d->out, 0, head, (1 + l->sub_blocks) * PAGE, e);
	return err ? err :
		     out_write(&d->out, (1 + l->sub_blocks) * PAGE, maps,
			       (u64)l->bitmap_blocks * PAGE, e);
}

/* ---- pages */

static int flush(struct dump *d, struct strbuf *b, u64 *at, struct error *e)
{
	int err = out_write(&d->out, *at, b->at, b->n, e);

	*at += b->n;
	b->n = 0;
	return err;
}

static int begin(struct dump *d, struct error *e)
{
	static const u8 zeros[PAGE];
	struct layout l = { 0 };
	struct kdump *k = NEW(struct kdump);
	int err;

	d->state = k;
	k->compressor = compressor_new(d->o.format->codec);
	k->codec_flag = codec_flag(d->o.format->codec);
	err = write_heads(d, &l, e);
	k->pages = l.pages;
	k->desc_at = (1 + (u64)l.sub_blocks + l.bitmap_blocks) * PAGE;
	k->zero_at = k->data_at = k->desc_at + l.present * DESC;
	d->total = l.present * PAGE;
	strbuf_addn(&k->data, zeros, PAGE);
	return err;
}

static bool is_zero(const u8 *page)
{
	static const u8 zeros[PAGE];

	return !memcmp(page, zeros, PAGE);
}

static void add_page(struct kdump *k, const u8 *page)
{
	u8 desc[DESC] = { 0 }, packed[COMPRESS_BOUND];
	size_t n;

	if (is_zero(page)) {
		st64le(desc, k->zero_at);
		st32le(desc + 8, PAGE);
	} else {
		n = compressor_page(k->compressor, page, packed);
		st64le(desc, k->data_at + k->data.n);
		st32le(desc + 8, n ? n : PAGE);
		st32le(desc + 12, n ? k->codec_flag : 0);
		strbuf_addn(&k->data, n ? packed : page, n ? n : PAGE);
	}
	strbuf_addn(&k->descs, desc, sizeof(desc));
}

static int step(struct dump *d, struct error *e)
{
	struct kdump *k = d->state;
	int err = 0;

	for (unsigned i = 0; i < STEP_PAGES && k->pfn < k->pages;) {
		u8 buf[PAGE];
		const u8 *page;

		/* holes cost nothing */
		if (k->hint < d->blocks.n && d->blocks.at[k->hint].start / PAGE > k->pfn)
			k->pfn = d->blocks.at[k->hint].start / PAGE;
		page = blocks_page(&d->blocks, k->pfn++, &k->hint, buf);
		if (!page)
			continue;
		add_page(k, page);
		d->completed += PAGE;
		i++;
	}
	if (k->descs.n >= BUFFER || k->pfn == k->pages)
		err = flush(d, &k->descs, &k->desc_at, e);
	if (!err && (k->data.n >= BUFFER || k->pfn == k->pages))
		err = flush(d, &k->data, &k->data_at, e);
	return err ? err : k->pfn < k->pages;
}

static void fini(struct dump *d)
{
	struct kdump *k = d->state;

	if (!k)
		return;
	compressor_free(k->compressor);
	strbuf_fini(&k->descs);
	strbuf_fini(&k->data);
	free(k);
}

const struct writer kdump_writer = { .begin = begin, .step = step, .fini = fini };
