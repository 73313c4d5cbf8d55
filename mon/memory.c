/* SPDX-License-Identifier: GPL-2.0-or-later */
/* memory.c - commands that read and write guest memory and ports, for programs and files. */
#include "core/command.h"
#include "core/cpu.h"
#include "core/debug.h"
#include "core/machine.h"
#include "lib/alloc.h"
#include "lib/base64.h"
#include "lib/error.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#define SPARE (8ull << 30) /* addresses for devices and holes */
enum { CHUNK = 65536, INLINE_MOST = 64 << 20 };

struct place {
	struct machine *m;
	struct cpu *cpu; /* NULL: physical */
	u64 addr;
};

static int get(const struct place *p, u64 off, void *buf, size_t n)
{
	return p->cpu ? debug_read(p->cpu, p->addr + off, buf, n) :
			debug_read_phys(p->m, p->addr + off, buf, n);
}

static int put(const struct place *p, u64 off, const void *buf, size_t n)
{
	return p->cpu ? debug_write(p->cpu, p->addr + off, buf, n) :
			debug_write_phys(p->m, p->addr + off, buf, n);
}

/* The CPU that cpu-index names, else the session's. */
static int find_cpu(struct command_call *c, struct cpu **cpu, struct error *e)
{
	s64 n = call_int(c, "cpu-index", c->s->cpu);

	if (n < 0 || n >= c->m->ncpus)
		return error_ret(e, -EINVAL, "Parameter 'cpu-index' expects a CPU number");
	*cpu = c->m->cpu[n];
	return 0;
}

/* ---- into files */

static int open_out(const char *path, struct error *e)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666), err = errno;

	return fd < 0 ? error_ret(e, -err, "could not open '%s': %s", path, strerror(err)) : fd;
}

static int write_all(int fd, const char *path, const u8 *buf, size_t n, struct error *e)
{
	while (n) {
		ssize_t done = write(fd, buf, n);

		if (done < 0 && errno == EINTR)
			continue;
		if (done < 0)
			return error_ret(e, -errno, "writing '%s' failed: %s", path,
					 strerror(errno));
		buf += done;
		n -= (size_t)done;
	}
	return 0;
}

/* all: also what nobody answers, as ones */
static int save(const struct place *p, u64 size, const char *path, bool all, struct error *e)
{
	int fd = open_out(path, e), err = fd < 0 ? fd : 0;
	AUTO_FREE u8 *buf = xalloc(CHUNK);

	for (u64 off = 0; off < size && !err;) {
		/* to the next page only, so that no byte is lost to one that is not there */
		size_t n = MIN(size - off, (u64)CHUNK - ((p->addr + off) & (CHUNK - 1)));
		int got = get(p, off, buf, n);

		if (got && !all)
			err = error_ret(e, -EINVAL, "Invalid addr 0x%016llx/size %llu specified",
					(unsigned long long)p->addr, (unsigned long long)size);
		else
			err = write_all(fd, path, buf, n, e);
		off += n;
	}
	if (fd >= 0 && close(fd) < 0 && !err)
		err = error_ret(e, -errno, "writing '%s' failed: %s", path, strerror(errno));
	return err;
}

static const struct command_arg save_args[] = { { "val", ARG_INT },
						{ "size", ARG_INT },
						{ "filename", ARG_STRING },
						{ "cpu-index", ARG_INT, true },
						{} };
static int memsave(struct command_call *c, struct error *e)
{
	struct place p = { .m = c->m, .addr = (u64)call_int(c, "val", 0) };
	int err = find_cpu(c, &p.cpu, e);

	return err ? err : save(&p, (u64)call_int(c, "size", 0), call_str(c, "filename"), false, e);
}
COMMAND(memsave, .hmp = "memsave", .qmp = "memsave", .args = save_args, .run = memsave,
	.doc = "write virtual memory from val on to a file");

static const struct command_arg psave_args[] = {
	{ "val", ARG_INT }, { "size", ARG_INT }, { "filename", ARG_STRING }, {}
};
static int pmemsave(struct command_call *c, struct error *e)
{
	struct place p = { .m = c->m, .addr = (u64)call_int(c, "val", 0) };
	u64 size = (u64)call_int(c, "size", 0);

	/* also what nobody answers is written: a slip must not fill the disk */
	if (size > c->m->ram_size + SPARE)
		return error_ret(e, -ERANGE, "size %llu is much more than the memory there is",
				 (unsigned long long)size);
	return save(&p, size, call_str(c, "filename"), true, e);
}
COMMAND(pmemsave, .hmp = "pmemsave", .qmp = "pmemsave", .args = psave_args, .run = pmemsave,
	.doc = "write physical memory from val on to a file");

/* ---- as text: hex or base64 */

static int encoding(struct command_call *c, bool *base64, struct error *e)
{
	const char *name = call_str(c, "encoding");

	*base64 = name && str_eq(name, "base64");
	if (name && !*base64 && !str_eq(name, "hex"))
		return error_ret(e, -EINVAL, "Parameter 'encoding' does not accept value '%s'",
				 name);
	return 0;
}

static int place_of(struct command_call *c, struct place *p, struct error *e)
{
	*p = (struct place){ .m = c->m, .addr = (u64)call_int(c, "addr", 0) };
	return call_bool(c, "physical", false) ? 0 : find_cpu(c, &p->cpu, e);
}

static int no_memory(const struct place *p, u64 size, struct error *e)
{
	return error_ret(e, -EFAULT, "there is no %s memory in all of %#llx+%llu",
			 p->cpu ? "virtual" : "physical", (unsigned long long)p->addr,
			 (unsigned long long)size);
}

static int read_inline(struct command_call *c, const struct place *p, u64 size, struct error *e)
{
	struct strbuf text = { 0 };
	u8 *buf = NULL;
	bool base64;
	int err = encoding(c, &base64, e);

	if (!err && size > INLINE_MOST)
		err = error_ret(e, -ERANGE, "size %llu is more than %u: give a file",
				(unsigned long long)size, INLINE_MOST);
	if (err)
		return err;
	buf = malloc(size + 1);
	if (!buf)
		return error_ret(e, -ENOMEM, "the host has no memory for %llu bytes",
				 (unsigned long long)size);
	if (get(p, 0, buf, size))
		err = no_memory(p, size, e);
	else if (base64)
		base64_encode(&text, buf, size);
	else
		hex_encode(&text, buf, size);
	if (!err)
		c->result = json_pack("{s:s, s:s}", "encoding", base64 ? "base64" : "hex", "data",
				      strbuf_str(&text));
	strbuf_fini(&text);
	free(buf);
	return err;
}

static const struct command_arg read_args[] = { { "physical", ARG_FLAG, true, 'p' },
						{ "addr", ARG_INT },
						{ "size", ARG_INT },
						{ "file", ARG_STRING, true },
						{ "encoding", ARG_STRING, true },
						{ "cpu-index", ARG_INT, true },
						{} };
static int memory_read(struct command_call *c, struct error *e)
{
	u64 size = (u64)call_int(c, "size", 0);
	const char *file = call_str(c, "file");
	struct place p;
	int err = place_of(c, &p, e);

	if (err)
		return err;
	return file && *file ? save(&p, size, file, false, e) : read_inline(c, &p, size, e);
}
static void show_read(struct command_call *c)
{
	command_print(c, "%s\n", json_string_value(json_object_get(c->result, "data")));
}
COMMAND(memory_read, .hmp = "memory-read", .qmp = "memory-read", .args = read_args,
	.run = memory_read, .show = show_read,
	.doc = "read virtual (-p: physical) memory as hex, as base64, or into a file");

static int read_file(const char *path, struct strbuf *b, struct error *e)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC), err = 0;
	char buf[CHUNK];
	ssize_t n;

	if (fd < 0)
		return error_ret(e, -errno, "could not open '%s': %s", path, strerror(errno));
	while ((n = read(fd, buf, sizeof(buf))) > 0 && b->n <= INLINE_MOST)
		strbuf_addn(b, buf, (size_t)n);
	if (n < 0)
		err = error_ret(e, -errno, "reading '%s' failed: %s", path, strerror(errno));
	close(fd);
	if (!err && b->n > INLINE_MOST)
		err = error_ret(e, -ERANGE, "'%s' has more than %u bytes", path, INLINE_MOST);
	return err;
}

static int data_of(struct command_call *c, struct strbuf *b, struct error *e)
{
	const char *data = call_str(c, "data"), *file = call_str(c, "file");
	bool base64;
	int err = encoding(c, &base64, e);

	if (err)
		return err;
	if (!data == !file)
		return error_ret(e, -EINVAL, "one of 'data' and 'file' is needed");
	if (file)
		return read_file(file, b, e);
	err = base64 ? base64_decode(b, data) : hex_decode(b, data);
	return err ? error_ret(e, err, "'data' is not %s", base64 ? "base64" : "hex") : 0;
}

static const struct command_arg write_args[] = { { "physical", ARG_FLAG, true, 'p' },
						 { "addr", ARG_INT },
						 { "data", ARG_STRING, true },
						 { "encoding", ARG_STRING, true },
						 { "file", ARG_STRING, true },
						 { "cpu-index", ARG_INT, true },
						 {} };
static int memory_write(struct command_call *c, struct error *e)
{
	struct strbuf b = { 0 };
	struct place p;
	int err = place_of(c, &p, e);

	if (!err)
		err = data_of(c, &b, e);
	if (!err && b.n && put(&p, 0, b.at, b.n))
		err = no_memory(&p, b.n, e);
	strbuf_fini(&b);
	return err;
}
COMMAND(memory_write, .hmp = "memory-write", .qmp = "memory-write", .args = write_args,
	.run = memory_write,
	.doc = "write hex or base64 data, or a file, to virtual (-p: physical) memory");

/* ---- a checksum */

static const struct command_arg sum_args[] = { { "start", ARG_INT }, { "size", ARG_INT }, {} };
static int sum(struct command_call *c, struct error *e)
{
	u64 addr = (u64)call_int(c, "start", 0), size = (u64)call_int(c, "size", 0);
	AUTO_FREE u8 *buf = xalloc(CHUNK);
	u16 sum = 0;

	if (size > c->m->ram_size * 2)
		return error_ret(e, -ERANGE, "size %llu is more than the memory there is",
				 (unsigned long long)size);
	for (u64 off = 0; off < size;) {
		size_t n = MIN(size - off, (u64)CHUNK);

		if (debug_read_phys(c->m, addr + off, buf, n))
			return error_ret(e, -EFAULT, "there is no memory in all of %#llx+%llu",
					 (unsigned long long)addr, (unsigned long long)size);
		for (size_t i = 0; i < n; i++)
			sum = (u16)((sum >> 1 | sum << 15) + buf[i]);
		off += n;
	}
	command_print(c, "%05d\n", sum);
	return 0;
}
COMMAND(sum, .hmp = "sum", .args = sum_args, .run = sum,
	.doc = "checksum of physical memory, as sum -r computes it");

/* ---- ports */

static unsigned port_size(struct command_call *c)
{
	unsigned size = call_format(c, "fmt").size;

	return size == 1 || size == 2 ? size : 4;
}

static char size_letter(unsigned size) { return size == 1 ? 'b' : size == 2 ? 'w' : 'l'; }

static const struct command_arg in_args[] = { { "fmt", ARG_FORMAT }, { "addr", ARG_INT }, {} };
static int port_in(struct command_call *c, struct error *e)
{
	unsigned size = port_size(c);
	u64 v = 0, port = (u64)call_int(c, "addr", 0) & 0xffff;

	if (space_ld(&c->m->io, port, size, &v, (struct mem_attrs){ .debug = 1 }) != MEM_OK)
		v = ~0ull;
	command_print(c, "port%c[0x%04x] = 0x%0*llx\n", size_letter(size), (unsigned)port,
		      (int)size * 2,
		      (unsigned long long)(v & (size == 4 ? 0xffffffffull : BIT64(size * 8) - 1)));
	return 0;
}
COMMAND(port_in, .hmp = "i", .args = in_args, .run = port_in, .doc = "read a port");

static const struct command_arg out_args[] = {
	{ "fmt", ARG_FORMAT }, { "addr", ARG_INT }, { "val", ARG_INT }, {}
};
static int port_out(struct command_call *c, struct error *e)
{
	u64 port = (u64)call_int(c, "addr", 0) & 0xffff;

	if (space_st(&c->m->io, port, port_size(c), (u64)call_int(c, "val", 0),
		     (struct mem_attrs){ .debug = 1 }) != MEM_OK)
		command_print(c, "nothing answers at port 0x%04x\n", (unsigned)port);
	return 0;
}
COMMAND(port_out, .hmp = "o", .args = out_args, .run = port_out, .doc = "write a port");
