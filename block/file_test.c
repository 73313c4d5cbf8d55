/* SPDX-License-Identifier: GPL-2.0-or-later */
/* file_test.c - host files as disks against a copy of their contents in memory: both engines, all
 * cache modes, any alignment, layers on top; locks, short files, sizes, formats by their name. */
#include "block/drive.h"
#include "block/io.h"
#include "block/lock.h"
#include "block/overlay.h"
#include "core/machine.h"
#include "lib/alloc.h"
#include "lib/error.h"
#include "lib/hash.h"
#include "lib/str.h"
#include "lib/test.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

enum { SIZE = 256 << 10 };

static char path[64];
static u64 seed = 1;
static u64 rnd(void) { return hash_u64(seed++); }

static void make_file(size_t size)
{
	int fd;
	AUTO_FREE u8 *buf = xalloc(size + 1);

	/* not in /tmp, which may have no direct I/O */
	snprintf(path, sizeof(path), "out/file-test-%d.img", (int)getpid());
	for (size_t i = 0; i < size; i++)
		buf[i] = i / 512 + i * 3;
	fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	CHECK(fd >= 0);
	CHECK_EQ(write(fd, buf, size), size);
	close(fd);
}

static struct block_node *open_keys(struct machine *m, struct error *e, const char *fmt, ...)
{
	struct keyvals kv = { 0 };
	struct block_node *n = NULL;
	char text[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (!keyvals_parse(&kv, text, "driver", e))
		n = block_open(m, &kv, e);
	keyvals_fini(&kv);
	return n;
}

static void ended(struct block_req *r, int err) { r->ended = true; }

static int now(struct block_node *n, u8 op, u8 flags, u64 at, void *buf, u64 bytes)
{
	/* three pieces, so that lists are met */
	struct iovec v[3] = { { buf, bytes / 3 },
			      { (u8 *)buf + bytes / 3, bytes / 3 },
			      { (u8 *)buf + bytes / 3 * 2, bytes - bytes / 3 * 2 } };
	struct block_req r = { .op = op,
			       .flags = flags,
			       .vec = v,
			       .nvec = buf ? 3 : 0,
			       .at = at,
			       .bytes = bytes,
			       .done = ended };

	block_node_submit(n, &r);
	block_wait(n, &r);
	return r.err;
}

static void compare_random(struct block_node *n, u8 *shadow, unsigned times, bool whole_sectors)
{
	AUTO_FREE u8 *buf = xalloc(SIZE);

	while (times--) {
		u64 at = rnd() % SIZE, bytes = 1 + rnd() % (rnd() % 4 ? 9000 : SIZE - at);
		unsigned what = rnd() % 8;

		bytes = MIN(bytes, SIZE - at);
		if (whole_sectors) {
			at &= ~511ull;
			bytes = MIN(ALIGN_UP(bytes, (u64)512), SIZE - at);
		}
		if (what < 4) {
			memset(buf, 0x55, bytes);
			CHECK_EQ(now(n, BLOCK_READ, 0, at, buf, bytes), 0);
			CHECK_MEM(buf, shadow + at, bytes);
		} else if (what < 7) {
			for (u64 i = 0; i < bytes; i++)
				buf[i] = shadow[at + i] = rnd();
			CHECK_EQ(now(n, BLOCK_WRITE, what == 6 ? BLOCK_FUA : 0, at, buf, bytes), 0);
		} else {
			memset(shadow + at, 0, bytes);
			CHECK_EQ(now(n, BLOCK_ZEROES, rnd() & 3, at, NULL, bytes), 0);
		}
	}
	CHECK_EQ(now(n, BLOCK_FLUSH, 0, 0, NULL, 0), 0);
}

static void read_back(u8 *to, size_t n)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	CHECK_EQ(pread(fd, to, n, 0), n);
	close(fd);
}

static void against_memory(const char *aio, const char *direct, bool layer)
{
	struct machine *m = machine_new();
	struct error e = { 0 };
	AUTO_FREE u8 *shadow = xalloc(SIZE), *file = xalloc(SIZE), *before = xalloc(SIZE);
	struct block_node *n;

	make_file(SIZE);
	read_back(shadow, SIZE);
	memcpy(before, shadow, SIZE);
	n = open_keys(m, &e, "raw,file.driver=file,file.filename=%s,file.aio=%s,cache.direct=%s%s",
		      path, aio, direct, layer ? ",read-only=on" : "");
	if (!n && (strstr(e.text, "io_uring") || strstr(e.text, "direct I/O"))) {
		unlink(path);
		test_skip(e.text);
	}
	if (!n)
		fprintf(stderr, "%s\n", e.text);
	CHECK(n);
	if (layer)
		n = overlay_new(m, n, &e);
	CHECK(n);
	compare_random(n, shadow, 300, false);
	compare_random(n, shadow, 300, true);
	read_back(file, SIZE);
	CHECK_MEM(file, layer ? before : shadow, SIZE);
	if (layer) {
		CHECK_EQ(overlay_commit(n, &e), 0);
		read_back(file, SIZE);
		CHECK_MEM(file, shadow, SIZE);
		compare_random(n, shadow, 50, true);
		CHECK(n->backing->readonly && n->backing->file->readonly);
	}
	block_unref(n);
	machine_free(m);
	unlink(path);
}

TEST(file_threads) { against_memory("threads", "off", false); }
TEST(file_threads_direct) { against_memory("threads", "on", false); }
TEST(file_uring) { against_memory("io_uring", "off", false); }
TEST(file_uring_direct) { against_memory("io_uring", "on", false); }
TEST(file_overlay) { against_memory("threads", "off", true); }
TEST(file_overlay_direct) { against_memory("threads", "on", true); }

/* Many at once, some in the same block of a direct file: nothing of a neighbour's write gets lost.
 */
TEST(file_neighbours)
{
	enum { N = 64 };
	struct machine *m = machine_new();
	struct error e = { 0 };
	struct block_req r[N];
	struct iovec v[N];
	u8 buf[N][512], out[N * 512];
	struct block_node *n;

	make_file(SIZE);
	n = open_keys(m, &e, "file,filename=%s,cache.direct=on", path);
	if (!n) {
		unlink(path);
		test_skip(e.text);
	}
	n->align = MAX(n->align, 4096u); /* as on a disk of such sectors */
	for (unsigned i = 0; i < N; i++) {
		memset(buf[i], i + 1, 512);
		v[i] = (struct iovec){ buf[i], 512 };
		r[i] = (struct block_req){ .op = BLOCK_WRITE,
					   .vec = &v[i],
					   .nvec = 1,
					   .at = i * 512,
					   .bytes = 512,
					   .done = ended };
	}
	for (unsigned i = 0; i < N; i++)
		block_node_submit(n, &r[i * 7 % N]);
	for (unsigned i = 0; i < N; i++) {
		block_wait(n, &r[i]);
		CHECK_EQ(r[i].err, 0);
	}
	read_back(out, sizeof(out));
	for (unsigned i = 0; i < N; i++)
		CHECK_MEM(out + i * 512, buf[i], 512);
	block_unref(n);
	machine_free(m);
	unlink(path);
}

TEST(file_short_ones_end_in_zeroes)
{
	struct machine *m = machine_new();
	struct error e = { 0 };
	struct block_node *n;
	u8 buf[1024], zero[512] = { 0 };

	make_file(700);
	n = open_keys(m, &e, "raw,file.driver=file,file.filename=%s", path);
	CHECK(n);
	CHECK_EQ(n->size, 1024);
	CHECK_EQ(now(n, BLOCK_READ, 0, 0, buf, 1024), 0);
	CHECK_MEM(buf + 700, zero, 324);
	CHECK_EQ(buf[699], (u8)(699 / 512 + 699 * 3));
	CHECK_EQ(now(n, BLOCK_READ, 0, 512, buf, 1024), -EINVAL);
	CHECK_EQ(n->driver->truncate(n, 2048, &e), 0);
	CHECK_EQ(n->size, 2048);
	block_unref(n);
	n = open_keys(m, &e, "raw,offset=512,size=100,file.driver=file,file.filename=%s", path);
	CHECK(n);
	CHECK_EQ(n->size, 100);
	CHECK_EQ(now(n, BLOCK_READ, 0, 0, buf, 10), 0);
	CHECK_EQ(buf[0], (u8)(1 + 512 * 3));
	block_unref(n);
	CHECK(!open_keys(m, &e, "raw,offset=2048,size=1,file.driver=file,file.filename=%s", path));
	error_clear(&e);
	machine_free(m);
	unlink(path);
}

TEST(file_discard_frees_space)
{
	struct machine *m = machine_new();
	struct error e = { 0 };
	struct block_node *n;
	struct stat before, after;
	u8 buf[512];

	make_file(SIZE);
	n = open_keys(m, &e, "raw,discard=unmap,file.driver=file,file.filename=%s", path);
	CHECK(n && n->can_discard);
	CHECK_EQ(now(n, BLOCK_FLUSH, 0, 0, NULL, 0), 0);
	stat(path, &before);
	CHECK_EQ(now(n, BLOCK_DISCARD, 0, 65536, NULL, 131072), 0);
	stat(path, &after);
	CHECK(after.st_blocks < before.st_blocks);
	CHECK_EQ(now(n, BLOCK_READ, 0, 65536, buf, 512), 0);
	CHECK_EQ(buf[9], 0);
	n->discard = false;
	CHECK_EQ(now(n, BLOCK_DISCARD, 0, 0, NULL, 4096), 0);
	CHECK_EQ(now(n, BLOCK_READ, 0, 512, buf, 512), 0);
	CHECK_EQ(buf[0], (u8)(1 + 512 * 3));
	block_unref(n);
	machine_free(m);
	unlink(path);
}

TEST(file_locks)
{
	struct machine *m = machine_new();
	struct error e = { 0 };
	struct block_node *w, *r, *r2;

	make_file(4096);
	w = open_keys(m, &e, "file,filename=%s", path);
	CHECK(w);
	CHECK(!open_keys(m, &e, "file,filename=%s", path));
	CHECK(strstr(e.text, "failed to get \"write\" lock: is another process using the image"));
	error_clear(&e);
	CHECK(!open_keys(m, &e, "file,filename=%s,read-only=on", path));
	error_clear(&e);
	r = open_keys(m, &e, "file,filename=%s,read-only=on,force-share=on", path);
	CHECK(r);
	block_unref(r);
	block_unref(w);
	r = open_keys(m, &e, "file,filename=%s,read-only=on", path);
	r2 = open_keys(m, &e, "file,filename=%s,read-only=on", path);
	CHECK(r && r2);
	CHECK(!open_keys(m, &e, "file,filename=%s", path));
	error_clear(&e);
	block_unref(r);
	block_unref(r2);
	machine_free(m);
	unlink(path);
}

static struct block *drive(struct machine *m, struct error *e, const char *fmt, ...)
{
	static const struct drive_defaults d = { .interface = DRIVE_IDE, .ide_units = 2 };
	struct keyvals kv = { 0 };
	struct block *b = NULL;
	char text[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (!keyvals_parse(&kv, text, NULL, e))
		b = drive_new(m, &kv, &d, e);
	keyvals_fini(&kv);
	return b;
}

TEST(drive_keys)
{
	struct machine *m = machine_new();
	struct error e = { 0 };
	struct block *b;
	struct block_info i;

	make_file(4096);
	b = drive(m, &e, "file=%s,format=raw,cache=writethrough,werror=report,readonly=on", path);
	CHECK(b);
	CHECK_STR(b->id, "ide0-hd0");
	CHECK_STR(b->node->driver->name, "raw");
	CHECK_STR(block_filename(b->node), path);
	block_info(b, &i);
	CHECK(i.readonly && !i.write_cache && i.size == 4096);
	b = drive(m, &e, "if=none,id=x,media=cdrom");
	CHECK(b && !b->node && b->cdrom && b->removable);
	b = drive(m, &e, "file=null-co://,file.size=1M,format=raw,if=virtio");
	CHECK(b);
	CHECK_STR(b->id, "virtio0");
	CHECK_EQ(b->node->size, 1 << 20);
	b = drive(m, &e, "file=%s,format=raw,snapshot=on", path);
	CHECK(b && overlay_is(b->node) && b->unit == 1);
	block_info(b, &i);
	CHECK(!i.readonly);
	b = drive(m, &e, "file=%s,format=raw,readonly=on,index=3", path);
	CHECK(b && b->bus == 1 && b->unit == 1);
	machine_free(m);
	unlink(path);
}

TEST(drive_refusals)
{
	static const char *const wrong[][2] = {
		{ "file=x.img,if=scsi", "if=scsi is not built yet" },
		{ "file=x.img,if=foo", "foo" },
		{ "file=%s,format=raw,iops_rd=5", "iops_rd=5: limits of speed" },
		{ "file=%s,format=raw,copy-on-read=on", "copy-on-read" },
		{ "file=%s,format=qcow3", "'qcow3' is not built" },
		{ "file=%s,format=raw,readonly=on,frob=1", "frob" },
		{ "file=nbd:localhost", "protocol 'nbd' is not built" },
		{ "file=/nonexistent,format=raw", "could not open '/nonexistent'" },
		{ "file=%s,format=raw,index=0", "index=0) exists" },
		{ "file=%s,format=raw,index=1,bus=0", "index cannot be used" },
		{ "file=%s,format=raw,werror=maybe", "'maybe' is no write error action" },
		{ "file=%s,format=raw,rerror=enospc", "'enospc' is no read error action" },
		{ "file=%s,format=raw,aio=native,cache=writeback", "requires cache.direct=on" },
		{ "file=%s,format=raw,cache=most", "most" },
		{ "if=ide", "needs an image" },
		{ "file=%s,format=raw,id=ide0-hd0", "already" },
	};
	struct machine *m = machine_new();
	struct error e = { 0 };

	make_file(4096);
	CHECK(drive(m, &e, "file=%s,format=raw,readonly=on", path));
	for (unsigned i = 0; i < ARRAY_SIZE(wrong); i++) {
		CHECK(!drive(m, &e, wrong[i][0], path));
		if (!e.text || !strstr(e.text, wrong[i][1]))
			fprintf(stderr, "%s: %s\n", wrong[i][0], e.text ? e.text : "nothing");
		CHECK(e.text && strstr(e.text, wrong[i][1]));
		error_clear(&e);
	}
	machine_free(m);
	unlink(path);
}

/* A guest that writes another format's signature into a disk whose format was guessed. */
TEST(drive_guessed_format_stays)
{
	struct machine *m = machine_new();
	struct error e = { 0 };
	struct block *b;
	u8 buf[512] = "QFI\xfb";
	int fd;

	make_file(4096);
	b = drive(m, &e, "file=%s", path);
	CHECK(b);
	CHECK_EQ(now(b->node, BLOCK_WRITE, 0, 0, buf, 512), -EPERM);
	buf[0] = 0;
	CHECK_EQ(now(b->node, BLOCK_WRITE, 0, 0, buf, 512), 0);
	machine_free(m);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	CHECK_EQ(pwrite(fd, "QFI\xfb", 4, 0), 4);
	close(fd);
	m = machine_new();
	CHECK(!drive(m, &e, "file=%s", path));
	CHECK(strstr(e.text, "format qcow2, which is not built yet"));
	error_clear(&e);
	machine_free(m);
	unlink(path);
}
