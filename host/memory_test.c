/* SPDX-License-Identifier: GPL-2.0-or-later */
/* memory_test.c - guest memory of each kind of back end: what another mapping sees, what is left of
 * it, what is refused. */
#include "core/machine.h"
#include "core/memory_backend.h"
#include "core/user_object.h"
#include "lib/alloc.h"
#include "lib/error.h"
#include "lib/keyval.h"
#include "lib/str.h"
#include "lib/test.h"
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static int add(struct machine *m, const char *text, struct error *e)
{
	struct keyvals kv = { 0 };
	int err = keyvals_parse(&kv, text, "qom-type", e);

	if (!err)
		err = object_make(m, &kv, e);
	keyvals_fini(&kv);
	return err;
}

static struct memory_backend *make(struct machine *m, const char *text)
{
	struct error e = { 0 };

	if (add(m, text, &e))
		test_fail(__FILE__, __LINE__, "%s: %s", text, e.text);
	return object_find(m, "x", "memory-backend-", &e);
}

static void refused(const char *text, const char *why)
{
	struct machine *m = machine_new();
	struct error e = { 0 };

	CHECK(add(m, text, &e) < 0);
	if (!strstr(e.text, why))
		test_fail(__FILE__, __LINE__, "%s: %s", text, e.text);
	error_clear(&e);
	machine_free(m);
}

static char *temporary(void)
{
	char *path = xstrdup("/tmp/quern-mem-XXXXXX");

	close(mkstemp(path));
	unlink(path);
	return path;
}

static void map_ram(struct machine *m, struct memory_backend *const *part, unsigned n)
{
	struct error e = { 0 };

	CHECK_EQ(region_init_ram_of(&m->ram, m, "ram", part, n, &e), 0);
	region_add(&m->memory_root, 0, &m->ram, 0);
}

static void guest_write(struct machine *m, u64 at, u8 v)
{
	CHECK_EQ(space_write(&m->memory, at, &v, 1, (struct mem_attrs){ 0 }), MEM_OK);
}

static u8 file_byte(const char *path, u64 at)
{
	int fd = open(path, O_RDONLY);
	u8 v = 0xee;

	CHECK_EQ(pread(fd, &v, 1, at), 1);
	close(fd);
	return v;
}

TEST(memory_file)
{
	AUTO_FREE char *path = temporary();
	AUTO_FREE char *shared = xasprintf("memory-backend-file,id=x,size=2M,mem-path=%s,share=on",
					   path),
		       *own = xasprintf("memory-backend-file,id=x,size=1M,offset=1M,mem-path=%s",
					path),
		       *rom = xasprintf("memory-backend-file,id=x,size=1M,mem-path=%s,readonly=on,"
					"rom=off",
					path),
		       *gone = xasprintf("memory-backend-file,id=x,size=2M,mem-path=%s,"
					 "discard-data=on,share=on",
					 path);
	struct machine *m = machine_new();
	struct memory_backend *b = make(m, shared);
	struct stat st;

	map_ram(m, &b, 1);
	CHECK(m->ram.ram->preset);
	guest_write(m, 0x1ff000, 7);
	CHECK_EQ(file_byte(path, 0x1ff000), 7); /* at once */
	machine_free(m);
	CHECK_EQ(stat(path, &st), 0);
	CHECK_EQ(st.st_size, 2 << 20);

	m = machine_new(); /* what the file holds is there; what is written stays here */
	b = make(m, own);
	map_ram(m, &b, 1);
	CHECK_EQ(m->ram.ram->host[0xff000], 7);
	guest_write(m, 0xff000, 8);
	CHECK_EQ(file_byte(path, 0x1ff000), 7);
	machine_free(m);

	chmod(path, 0400);
	m = machine_new();
	b = make(m, rom);
	map_ram(m, &b, 1);
	guest_write(m, 0, 9);
	CHECK_EQ(file_byte(path, 0), 0);
	machine_free(m);

	chmod(path, 0600);
	m = machine_new();
	b = make(m, gone);
	map_ram(m, &b, 1);
	machine_free(m);
	CHECK_EQ(file_byte(path, 0x1ff000), 0);
	unlink(path);
}

TEST(memory_directory)
{
	struct machine *m = machine_new();
	struct memory_backend *b =
		make(m, "memory-backend-file,id=x,size=1M,mem-path=/tmp,prealloc=on");
	struct stat st;

	CHECK_EQ(fstat(b->fd, &st), 0);
	CHECK_EQ(st.st_nlink, 0);
	map_ram(m, &b, 1);
	guest_write(m, 5, 5);
	machine_free(m);
}

TEST(memory_memfd)
{
	struct machine *m = machine_new();
	struct memory_backend *b = make(m, "memory-backend-memfd,id=x,size=1M");
	u8 *other;

	map_ram(m, &b, 1);
	other = mmap(NULL, 1 << 20, PROT_READ, MAP_SHARED, b->fd, 0);
	CHECK(other != MAP_FAILED);
	guest_write(m, 0x1234, 42);
	CHECK_EQ(other[0x1234], 42);
	CHECK(ftruncate(b->fd, 4096) < 0); /* sealed */
	munmap(other, 1 << 20);
	machine_free(m);
}

TEST(memory_of_parts)
{
	struct machine *m = machine_new();
	struct error e = { 0 };
	struct memory_backend *part[2];

	part[0] = make(m, "memory-backend-memfd,id=x,size=1M");
	CHECK_EQ(add(m, "memory-backend-ram,id=y,size=3M,prealloc=on,merge=on,dump=off,align=2M",
		     &e),
		 0);
	part[1] = object_find(m, "y", "memory-backend-", &e);
	map_ram(m, part, 2);
	CHECK_EQ(m->ram.size, 4 << 20);
	CHECK_EQ((uintptr_t)m->ram.ram->host % (2 << 20), 0);
	guest_write(m, (1 << 20) - 1, 1);
	guest_write(m, 1 << 20, 2);
	CHECK_EQ(ld16le(m->ram.ram->host + (1 << 20) - 1), 0x201);
	CHECK(region_init_ram_of(&m->ram, m, "ram", part, 1, &e) < 0);
	CHECK_STR(e.text, "memory backend 'x' is in use already");
	error_clear(&e);
	machine_free(m);
}

TEST(memory_refused)
{
	struct machine *m = machine_new();
	AUTO_FREE char *path = temporary();
	AUTO_FREE char *small = xasprintf("memory-backend-file,id=x,size=2M,mem-path=%s", path),
		       *rom = xasprintf("memory-backend-file,id=x,size=4K,mem-path=%s,readonly=on",
					path);
	int fd = open(path, O_CREAT | O_RDWR, 0600);
	struct memory_backend *b;
	struct error e = { 0 };

	CHECK_EQ(ftruncate(fd, 4096), 0);
	close(fd);
	refused(small, "has 4096 bytes; the guest's memory needs 2097152");
	b = make(m, rom);
	CHECK(region_init_ram_of(&m->ram, m, "ram", &b, 1, &e) < 0);
	CHECK(strstr(e.text, "read-only") != NULL);
	error_clear(&e);
	machine_free(m);
	unlink(path);
	refused("memory-backend-ram,id=x", "'size' is missing");
	refused("memory-backend-ram,id=x,size=5000", "whole pages");
	refused("memory-backend-ram,id=x,size=0", "whole pages");
	refused("memory-backend-ram,id=x,size=1M,align=3000", "power of two");
	refused("memory-backend-ram,id=x,size=1M,mem-path=/tmp", "'mem-path'");
	refused("memory-backend-ram,id=x,size=1M,policy=bind,host-nodes=0", "not built yet");
	refused("memory-backend-file,id=x,size=1M", "'mem-path' is missing");
	refused("memory-backend-file,id=x,size=1M,mem-path=/nowhere/x", "/nowhere/x");
	refused("memory-backend-file,id=x,size=1M,mem-path=/tmp,offset=5", "4 KiB");
	refused("memory-backend-file,id=x,size=1M,mem-path=/tmp,pmem=on", "pmem");
	refused("memory-backend-memfd,id=x,size=3M,hugetlb=on,hugetlbsize=2M", "multiple");
	refused("memory-backend-memfd,id=x,size=4M,hugetlbsize=2M", "hugetlb=on");
}
