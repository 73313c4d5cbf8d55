/* SPDX-License-Identifier: GPL-2.0-or-later */
/* dump.c - the life of one dump. */
#include "private.h"
#include "core/machine.h"
#include <errno.h>
#include <unistd.h>

const struct dump_format dump_formats[] = { { "elf", DUMP_ELF, false },
					    { "kdump-zlib", DUMP_ZLIB, false },
					    { "kdump-lzo", DUMP_LZO, false },
					    { "kdump-snappy", DUMP_SNAPPY, false },
					    { "kdump-zstd", DUMP_ZSTD, false },
					    { "kdump-raw-zlib", DUMP_ZLIB, true },
					    { "kdump-raw-lzo", DUMP_LZO, true },
					    { "kdump-raw-snappy", DUMP_SNAPPY, true },
					    { "kdump-raw-zstd", DUMP_ZSTD, true },
					    {} };

const struct dump_format *dump_format_find(const char *name)
{
	for (const struct dump_format *f = dump_formats; f->name; f++)
		if (str_eq(f->name, name))
			return f;
	return NULL;
}

static int check(const struct dump_options *o, struct error *e)
{
	if (o->format->codec != DUMP_ELF && (o->paging || o->length))
		return error_ret(e, -EINVAL,
				 "format %s knows neither paging nor a part of the memory; elf "
				 "does",
				 o->format->name);
	if (o->paging && o->length)
		return error_ret(e, -EINVAL,
				 "paging and a part of the memory cannot be asked for together");
	return 0;
}

static int look(struct dump *d, struct error *e)
{
	int err;

	blocks_find(&d->blocks, d->m);
	err = notes_make(d, e);
	if (!err && d->o.length)
		blocks_cut(&d->blocks, d->o.begin, d->o.length);
	if (!err && !d->blocks.n)
		err = error_ret(e, -EINVAL,
				d->o.length ? "the guest has no memory there" :
					      "the guest has no memory");
	if (!err && d->o.paging)
		err = pieces_find(&d->pieces, d->m, &d->blocks, e);
	return err;
}

struct dump *dump_new(struct machine *m, const struct dump_options *o, int fd, struct error *e)
{
	struct dump *d = NEW(struct dump);
	int err;

	d->m = m;
	d->o = *o;
	if (!d->o.format)
		d->o.format = dump_formats;
	d->writer = d->o.format->codec == DUMP_ELF ? &elf_writer : &kdump_writer;
	d->out = (struct out){ .fd = fd,
			       .kind = d->o.format->codec == DUMP_ELF ? OUT_STREAM :
				       d->o.format->raw		      ? OUT_FILE :
									OUT_FLAT };
	err = check(&d->o, e);
	if (!err)
		err = look(d, e);
	if (!err)
		err = out_begin(&d->out, e);
	if (!err)
		err = d->writer->begin(d, e);
	if (!err)
		return d;
	d->out.fd = -1;
	dump_free(d);
	return NULL;
}

int dump_step(struct dump *d, struct error *e)
{
	int more = d->writer->step(d, e);

	if (more)
		return more;
	return out_end(&d->out, e);
}

void dump_progress(const struct dump *d, u64 *completed, u64 *total)
{
	*completed = d->completed;
	*total = d->total;
}

void dump_free(struct dump *d)
{
	if (!d)
		return;
	d->writer->fini(d);
	vec_free(&d->blocks);
	vec_free(&d->pieces);
	strbuf_fini(&d->notes);
	if (d->out.fd >= 0)
		close(d->out.fd);
	free(d);
}
