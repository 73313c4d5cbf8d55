/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * device_fuzz.c - one device at the hands of a driver that does anything: registers, configuration
 * space, memory that the device reads, time, resets, snapshots, and at last removal in the midst of
 * it. The class is DEVICE in the environment. An input is a run of operations: a byte that says
 * which, and what it takes. core/tdev.h gives the machine;
 * where a device is dead until a driver has brought it up, `starts` may do so.
 */
#include "bus/pci.h"
#include "bus/vdrv.h"
#include "core/block.h"
#include "core/private.h"
#include "core/snapshot.h"
#include "core/tdev.h"
#include "lib/alloc.h"
#include "lib/error.h"
#include "lib/hash.h"
#include "lib/keyval.h"
#include "lib/str.h"
#include "lib/test.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

enum { RAM_SIZE = 1 << 20, OPERATIONS = 2000, ALONE = 3 };

/* ---- what the rig asks of a test harness: its own complaints end an input, they are no finding,
 * except about timers */

static jmp_buf over;
static bool starting; /* what `starts` says must be right */
static bool plugging; /* a class that needs more than the rig has (a bus, a master) */
_Noreturn void test_fail(const char *file, int line, const char *fmt, ...)
{
	va_list ap;

	if (!plugging && !starting && !strstr(fmt, "without end"))
		longjmp(over, 1);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
	if (plugging)
		_exit(ALONE);
	abort();
}

_Noreturn void test_skip(const char *fmt, ...) { _exit(ALONE); }

/* ---- the input */

struct input {
	const u8 *at;
	size_t n;
};

static u8 byte(struct input *in) { return in->n ? (in->n--, *in->at++) : 0; }

static u64 number(struct input *in, unsigned size)
{
	u64 v = 0;

	for (unsigned i = 0; i < size; i++)
		v |= (u64)byte(in) << 8 * i;
	return v;
}

/* Places that matter: memory, its end, the device's own registers, nowhere. */
static u64 address(struct input *in)
{
	static const u64 bases[] = { 0,		 0x10000,    0x11000,	   0x20000,
				     RAM_SIZE,	 0xc0000000, 0xc0001000,   0xfeb00000,
				     0xfee00000, 0xfffff000, 0x100000000u, ~0ull << 12 };
	u8 which = byte(in);
	u64 base = bases[which % ARRAY_SIZE(bases)];

	switch (which / ARRAY_SIZE(bases) % 4) {
	case 0:
		return base;
	case 1:
		return base + byte(in);
	case 2:
		return base + number(in, 2);
	default:
		return base - byte(in);
	}
}

static u64 value(struct input *in)
{
	u8 how = byte(in);

	switch (how % 8) {
	case 0:
		return byte(in);
	case 1:
		return number(in, 2);
	case 2:
		return number(in, 4);
	case 3:
		return number(in, 8);
	case 4:
		return BIT64(byte(in) % 64);
	case 5:
		return ~0ull >> byte(in) % 64;
	case 6:
		return -(u64)byte(in);
	default:
		return address(in);
	}
}

/* ---- the device */

struct start {
	const char *class, *props, *extra; /* extra: a device behind it, with its properties */
	const char *registers;		   /* NAME/SIZE=VALUE..., in order */
};
static const struct start starts[] = {
	{ "nvme", "serial=fuzz,drive=fuzz", NULL,
	  "aqa/4=0x3f003f asq/8=0x10000 acq/8=0x11000 cc/4=0x460001" },
	{ "ich9-ahci", NULL, "ide-hd,drive=fuzz",
	  "ghc/4=0x80000002 clb[0]/4=0x10000 fb[0]/4=0x11000 pie[0]/4=0xffffffff cmd[0]/4=0x11" },
	{ "piix3-ide", NULL, "ide-hd,drive=fuzz", NULL },
	{ "piix4-ide", NULL, "ide-cd,drive=fuzz", NULL },
	{ "virtio-blk", "drive=fuzz", NULL, NULL },
	{ "virtio-serial", NULL, "virtserialport,name=fuzz", NULL },
};

struct fuzz {
	struct tdev *t;
	struct vdrv *v; /* virtio: a driver that has its rings set up */
	bool gone;
};

static const struct start *start_of(const char *class)
{
	for (size_t i = 0; i < ARRAY_SIZE(starts); i++) {
		const char *rest;

		if (str_prefix(class, starts[i].class, &rest) && (!*rest || *rest == '-'))
			return &starts[i];
	}
	return NULL;
}

static bool is_virtio(const struct device_class *c)
{
	return str_prefix(c->name, "virtio-", NULL) && c->bus &&
	       (str_eq(c->bus, "pci") || str_eq(c->bus, "virtio-mmio"));
}

static void make_disk(struct machine *m)
{
	struct keyvals kv = { 0 };
	struct error e = { 0 };
	struct block_node *n;

	keyvals_add(&kv, "driver", "null-co");
	keyvals_add(&kv, "size", "1048576");
	keyvals_add(&kv, "read-zeroes", "on");
	n = block_open(m, &kv, &e);
	keyvals_fini(&kv);
	if (!n)
		abort();
	block_new(m, "fuzz", n);
}

static void make_extra(struct machine *m, const char *extra)
{
	AUTO_FREE char *class = xstrndup(extra, strcspn(extra, ","));
	const char *props = strchr(extra, ',');
	struct error e = { 0 };

	if (!device_make(m, class, NULL, props ? props + 1 : NULL, &e)) {
		fprintf(stderr, "%s: %s\n", extra, e.text);
		abort();
	}
}

static void bring_up(struct tdev *t, const char *registers)
{
	AUTO_FREE char *text = xstrdup(registers);

	starting = true;
	for (char *next = text, *w; (w = strsep(&next, " "));) {
		char *size = strchr(w, '/'), *val = strchr(w, '=');
		u64 v;

		*size++ = 0;
		if (str_to_u64(val + 1, 0, &v))
			abort();
		tdev_write(t, w, (unsigned)(*size - '0'), v);
	}
	starting = false;
}

static void plug(struct fuzz *f, const struct device_class *c, struct input *in)
{
	const struct start *s = start_of(c->name);
	u8 how = byte(in);

	f->t = tdev_empty();
	if (s)
		make_disk(tdev_machine(f->t));
	plugging = true;
	tdev_plug(f->t, c->name, s ? s->props : NULL);
	plugging = false;
	if (s && s->extra)
		make_extra(tdev_machine(f->t), s->extra);
	if (is_virtio(c) && how & 1) {
		f->v = NEW(struct vdrv);
		f->v->t = f->t;
		f->v->mmio = str_eq(c->bus, "virtio-mmio");
		vdrv_negotiate(f->v, BIT64(VIRTIO_F_VERSION_1));
		vdrv_start(f->v, number(in, 8) & f->v->offered);
	} else if (s && s->registers && how & 1) {
		bring_up(f->t, s->registers);
	}
}

/* ---- operations */

static const struct mem_attrs attrs = { 0 };

static struct regbank *a_bank(struct fuzz *f, struct input *in)
{
	struct regbank *b, *found = NULL;
	unsigned n = byte(in), count = 0;

	list_for_each (b, &tdev_device(f->t)->core->regbanks, link)
		count++;
	if (!count)
		return NULL;
	n %= count;
	list_for_each (b, &tdev_device(f->t)->core->regbanks, link) {
		if (!n--)
			found = b;
	}
	return found;
}

static void access_bank(struct regbank *b, u64 off, unsigned size, bool write, u64 val)
{
	if (!range_fits(off, size, b->region->size))
		return;
	if (write)
		region_st(b->region, off, size, val, attrs);
	else
		region_ld(b->region, off, size, &val, attrs);
}

static void named_register(struct fuzz *f, struct input *in, bool write)
{
	struct regbank *b = a_bank(f, in);
	const struct reg *r;
	u64 off;

	if (!b || !b->nregs)
		return;
	r = &b->bank->regs[number(in, 2) % b->nregs];
	off = r->at;
	if (r->count)
		off += (u64)(byte(in) % r->count) * (r->stride ? r->stride : r->size);
	access_bank(b, off, r->size, write, write ? value(in) : 0);
}

static void any_offset(struct fuzz *f, struct input *in, bool write)
{
	struct regbank *b = a_bank(f, in);
	u64 off;
	u8 how;

	if (!b)
		return;
	how = byte(in);
	off = (b->bank->size > 0x10000 && how & 0x80 ? number(in, 4) : number(in, 2)) %
	      b->bank->size;
	access_bank(b, off, 1u << how % 4, write, write ? value(in) : 0);
}

static void config(struct fuzz *f, struct input *in, bool write)
{
	unsigned size = 1u << byte(in) % 3, off = byte(in) & ~(size - 1);

	pci_config_access(tdev_pci(f->t), 0, 0, off, size, write, write ? (u32)value(in) : 0);
}

/* Through the spaces, where what the device has there answers. */
static void memory(struct fuzz *f, struct input *in, bool write)
{
	u64 at = address(in), v = 0;
	unsigned size = 1u << byte(in) % 4;

	if (write)
		space_st(&tdev_machine(f->t)->memory, at, size, value(in), attrs);
	else
		space_ld(&tdev_machine(f->t)->memory, at, size, &v, attrs);
}

static void bytes_to_memory(struct fuzz *f, struct input *in)
{
	u32 at = (u32)number(in, 2) << 4, n = MIN((u32)byte(in), (u32)in->n);

	n = MIN(n, RAM_SIZE - at);
	memcpy(tdev_ram(f->t, at), in->at, n);
	in->at += n;
	in->n -= n;
}

static void value_to_memory(struct fuzz *f, struct input *in)
{
	u32 at = (u32)number(in, 2) << 2;
	u8 b[8];

	st64le(b, value(in));
	memcpy(tdev_ram(f->t, at), b, 8);
}

static void lines(struct fuzz *f, struct input *in)
{
	struct device *d = tdev_device(f->t);
	u8 what = byte(in);

	if (d->class->inputs)
		d->class->input(d, (what >> 1) % d->class->inputs, what & 1);
}

static void snapshot(struct fuzz *f)
{
	struct machine *m = tdev_machine(f->t);
	struct error e = { 0 };
	int fd = memfd_create("snapshot", MFD_CLOEXEC);

	if (fd < 0)
		return;
	if (!snapshot_save(m, fd, &e)) {
		lseek(fd, 0, SEEK_SET);
		machine_reset(m);
		if (snapshot_load(m, fd, &e)) {
			fprintf(stderr, "%s\n", e.text);
			abort();
		}
	}
	error_clear(&e);
	close(fd);
}

/* A request of buffers anywhere, in a ring that is in order; at times announced. */
static void request(struct fuzz *f, struct input *in)
{
	struct vdrv_buf b[4];
	u8 how = byte(in);
	unsigned n = 1 + how % 4, q = how >> 2 & 3;

	if (!f->v || q >= f->v->nq)
		return;
	for (unsigned i = 0; i < n; i++) {
		u8 kind = byte(in);

		b[i].at = kind & 2 ? (u32)address(in) : 0x80000 + (u32)number(in, 2);
		b[i].n = kind & 4 ? (u32)value(in) : byte(in);
		b[i].write = kind & 1;
		/* what the device reads first is a header mostly */
		for (u32 k = 0; kind & 8 && k < 16 && b[i].at < RAM_SIZE - 16; k++)
			*(u8 *)tdev_ram(f->t, b[i].at + k) = byte(in);
	}
	vdrv_add(f->v, q, b, n, how & 0x10);
	if (how & 0x20)
		vdrv_kick(f->v, q);
}

/* What was posted, and what the host has finished. */
static void settle(struct fuzz *f) { wait_service(tdev_machine(f->t)); }

static void operation(struct fuzz *f, struct input *in)
{
	u8 what = byte(in);

	switch (what % 16) {
	case 0:
	case 1:
	case 2:
		named_register(f, in, true);
		break;
	case 3:
		named_register(f, in, false);
		break;
	case 4:
		any_offset(f, in, true);
		break;
	case 5:
		any_offset(f, in, false);
		break;
	case 6:
		config(f, in, what & 0x10);
		break;
	case 7:
		memory(f, in, what & 0x10);
		break;
	case 8:
		bytes_to_memory(f, in);
		break;
	case 9:
		value_to_memory(f, in);
		break;
	case 10:
		tdev_run_ns(f->t, 1ull << byte(in) % 18);
		settle(f);
		break;
	case 11:
		lines(f, in);
		break;
	case 12:
	case 13:
		request(f, in);
		break;
	case 14:
		if (what & 0xf0)
			settle(f);
		else
			device_reset(tdev_device(f->t));
		break;
	case 15:
		if (!(what & 0xf0))
			snapshot(f);
		else if ((what & 0xf0) == 0x10)
			f->gone = true;
		break;
	}
}

/* ---- one input */

static const struct device_class *class;

static void list_class(void *arg, const struct device_class *c) { printf("%s\n", c->name); }

/* FUZZ_LIST: only says what there is, for tools/fuzz-devices. */
static void setup(void)
{
	const char *name = getenv("DEVICE");

	if (getenv("FUZZ_LIST")) {
		device_class_each(list_class, NULL);
		fflush(stdout);
		_exit(0);
	}
	class = name && *name ? device_class_find(name) : NULL;
	if (!class) {
		fprintf(stderr, "DEVICE=%s: there is no such class; FUZZ_LIST=1 lists them\n",
			name ? name : "");
		_exit(1);
	}
}

static void drive(struct fuzz *f, struct input *in)
{
	plug(f, class, in);
	for (unsigned i = 0; i < OPERATIONS && in->n && !f->gone; i++)
		operation(f, in);
	if (f->gone) {
		/* its requests are under way, its timers run */
		device_free(tdev_device(f->t));
		settle(f);
	}
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);
int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	static struct fuzz f;
	struct input in = { data, size };

	if (!class)
		setup();
	f = (struct fuzz){ 0 };
	if (!setjmp(over))
		drive(&f, &in);
	free(f.v);
	if (f.t)
		tdev_free(f.t);
	return 0;
}
