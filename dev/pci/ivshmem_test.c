/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ivshmem_test.c - two machines that share a file as memory, and what snapshots have of it. */
#include "bus/pci.h"
#include "core/blob.h"
#include "core/snapshot_device.h"
#include "core/tdev.h"
#include "core/user_object.h"
#include "lib/alloc.h"
#include "lib/error.h"
#include "lib/keyval.h"
#include "lib/str.h"
#include "lib/test.h"
#include <stdlib.h>
#include <unistd.h>

enum { SIZE = 1 << 20 };
static char path[] = "/tmp/quern-ivshmem-XXXXXX";

static struct tdev *machine(const char *props)
{
	struct tdev *t = tdev_empty();
	struct keyvals kv = { 0 };
	struct error e = { 0 };

	keyvals_add(&kv, "qom-type", "memory-backend-file");
	keyvals_add(&kv, "id", "mem");
	keyvals_add(&kv, "size", "1M");
	keyvals_add(&kv, "mem-path", path);
	keyvals_add(&kv, "share", "on");
	if (object_make(tdev_machine(t), &kv, &e))
		test_fail(__FILE__, __LINE__, "%s", e.text);
	keyvals_fini(&kv);
	CHECK(tdev_plug(t, "ivshmem-plain", props));
	return t;
}

static u64 at(struct tdev *t, u64 off)
{
	return pci_bar_address((struct pci_device *)tdev_device(t), 2) + off;
}

static u64 read_memory(struct tdev *t, u64 off, unsigned size)
{
	u64 v = 0;

	CHECK_EQ(space_read(&tdev_machine(t)->memory, at(t, off), &v, size,
			    (struct mem_attrs){ 0 }),
		 MEM_OK);
	return v;
}

static void write_memory(struct tdev *t, u64 off, unsigned size, u64 v)
{
	CHECK_EQ(space_write(&tdev_machine(t)->memory, at(t, off), &v, size,
			     (struct mem_attrs){ 0 }),
		 MEM_OK);
}

static u32 config(struct tdev *t, u32 off)
{
	return pci_config_access(tdev_pci(t), 0, 0, off, 4, false, 0);
}

static void begin(void)
{
	int fd = mkstemp(path);

	CHECK(fd >= 0 && ftruncate(fd, SIZE) == 0);
	close(fd);
}

TEST(ivshmem_is_shared)
{
	struct tdev *a, *b;

	begin();
	a = machine("memdev=mem");
	b = machine("memdev=mem");
	CHECK_EQ(config(a, 0), 0x11101af4);
	CHECK_EQ(config(a, 8), 0x05000001);
	/* BAR 2: memory, 64 bits, prefetchable */
	CHECK_EQ(config(a, 0x18) & 0xf, 0xc);
	write_memory(a, 0x1000, 8, 0x1122334455667788);
	CHECK_EQ(read_memory(b, 0x1000, 8), 0x1122334455667788);
	write_memory(b, SIZE - 1, 1, 0x5a);
	CHECK_EQ(read_memory(a, SIZE - 1, 1), 0x5a);
	CHECK_EQ(tdev_r32(a, "position"), 0);
	tdev_w32(a, "doorbell", 0x10000);
	tdev_free(a);
	tdev_free(b);
	unlink(path);
}

/* The master's snapshot brings its memory back; another one's leaves what there is. */
TEST(ivshmem_snapshots)
{
	static const char *const props[] = { "memdev=mem", "memdev=mem,master=on" };

	begin();
	for (unsigned master = 0; master < 2; master++) {
		struct tdev *t = machine(props[master]);
		struct blob blob = { 0 };
		struct error e = { 0 };

		write_memory(t, 0x800, 4, 1);
		snapshot_save_device(tdev_device(t), &blob);
		write_memory(t, 0x800, 4, 2);
		if (snapshot_load_device(tdev_device(t), &blob, &e))
			test_fail(__FILE__, __LINE__, "%s", e.text);
		CHECK_EQ(read_memory(t, 0x800, 4), master ? 1 : 2);
		blob_fini(&blob);
		tdev_free(t);
	}
	unlink(path);
}

TEST(ivshmem_wants_memory)
{
	struct tdev *t = tdev_empty();
	struct error e = { 0 };
	struct device *d = device_new(tdev_machine(t), "ivshmem-plain", "x", &e);

	CHECK(d && device_realize(d, &e));
	if (!strstr(e.text, "memdev= is missing"))
		test_fail(__FILE__, __LINE__, "%s", e.text);
	error_clear(&e);
	device_free(d);
	tdev_free(t);
}
