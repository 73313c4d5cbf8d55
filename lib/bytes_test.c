/* SPDX-License-Identifier: GPL-2.0-or-later */
/* bytes_test.c - reading whole files, with the limit at, below and above the size; and the
 * allocation and list headers. */
#include "lib/bytes.h"
#include "lib/alloc.h"
#include "lib/list.h"
#include "lib/test.h"
#include <errno.h>
#include <unistd.h>

TEST(bytes_files)
{
	char path[] = "/tmp/quern-bytes-XXXXXX";
	struct bytes in = { (u8 *)"hello", 5 }, b;
	struct error e = { 0 };
	int fd = mkstemp(path);

	CHECK(fd >= 0);
	close(fd);
	CHECK_EQ(bytes_write_file(&in, path, &e), 0);
	CHECK_EQ(bytes_read_file(&b, path, 5, &e), 0);
	CHECK_EQ(b.size, 5);
	CHECK_MEM(b.data, "hello", 5);
	bytes_fini(&b);
	CHECK_EQ(bytes_read_file(&b, path, 4, &e), -EFBIG);
	CHECK_EQ(b.data, NULL);
	CHECK(strstr(e.text, "limit of 4 bytes"));
	error_clear(&e);
	unlink(path);
	CHECK_EQ(bytes_read_file(&b, path, 5, &e), -ENOENT);
	CHECK(strstr(e.text, "could not open"));
	error_clear(&e);
	CHECK_EQ(bytes_read_file(&b, "/", 5, &e), -EISDIR);
	error_clear(&e);
	CHECK_EQ(bytes_read_file(&b, "/proc/self/status", 1 << 20, &e), 0);
	CHECK(b.size > 100);
	bytes_fini(&b);
	CHECK_EQ(bytes_read_file(&b, "/dev/zero", 1 << 20, &e), -EFBIG);
	error_clear(&e);
}

TEST(alloc_vec)
{
	VEC(int) v = { 0 };

	for (int i = 0; i < 1000; i++)
		vec_push(&v, i);
	CHECK_EQ(v.n, 1000);
	CHECK_EQ(v.at[999], 999);
	vec_free(&v);
}

TEST(error_keeps_first)
{
	struct error e = { 0 };

	CHECK_EQ(error_ret(&e, -EIO, "first %d", 1), -EIO);
	error_set(&e, "second");
	error_prefix(&e, "disk '%s'", "a");
	CHECK_STR(e.text, "disk 'a': first 1");
	error_clear(&e);
	CHECK(!error_is_set(&e));
}

TEST(list_order)
{
	struct item {
		struct list link;
		int v;
	} a = { .v = 1 }, b = { .v = 2 }, *p, *tmp;
	struct list head;
	int n = 0;

	list_init(&head);
	list_add_tail(&head, &a.link);
	list_add_tail(&head, &b.link);
	list_for_each (p, &head, link)
		CHECK_EQ(p->v, ++n);
	list_for_each_safe (p, tmp, &head, link)
		list_del(&p->link);
	CHECK(list_empty(&head));
}
