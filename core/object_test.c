/* SPDX-License-Identifier: GPL-2.0-or-later */
/* object_test.c - a device compiled by a user into a shared object: found, traced, driven; and
 * files that are no such thing. */
#include "core/tdev.h"
#include "lib/alloc.h"
#include "lib/error.h"
#include "lib/str.h"
#include "lib/test.h"
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static char dir[] = "/tmp/quern-object-XXXXXX";

static const char user_device[] =
	"#include <quern/device.h>\n"
	"struct mine { struct device dev; u32 count; };\n"
	"static void bump(void *dev, unsigned i, u64 val) { struct mine *d = dev; d->count = val + "
	"1; trace(d, \"bumped\", \"to %u\", d->count); }\n"
	"static const struct reg regs[] = { REG(0, struct mine, count, .set = bump, .doc = "
	"\"Counts.\"), {} };\n"
	"static const struct bank banks[] = { { .name = \"mmio\", .regs = regs, .size = 16 }, {} "
	"};\n"
	"DEVICE(mine, .name = \"mine\", .doc = \"A user's.\", .banks = banks);\n";

/* Compiles text into dir/name.so; the test is skipped where there is no compiler or no source tree.
 */
static char *compile(const char *name, const char *text, const char *flags)
{
	AUTO_FREE char *c = xasprintf("%s/%s.c", dir, name), *cmd = NULL;
	char *so = xasprintf("%s/%s.so", dir, name);
	FILE *f = fopen(c, "w");

	CHECK(f);
	fputs(text, f);
	fclose(f);
	if (access("include/quern/device.h", R_OK))
		test_skip("not started in the source tree");
	cmd = xasprintf("cc -Iinclude -shared -fPIC %s -o %s %s", flags, so, c);
	if (system(cmd))
		test_skip("no compiler");
	return so;
}

static void clean(void)
{
	AUTO_FREE char *cmd = xasprintf("rm -r %s", dir);

	if (system(cmd))
		fprintf(stderr, "%s stays\n", dir);
}

TEST(object_of_a_user)
{
	struct error e = { 0 };
	struct tdev *t;
	AUTO_FREE char *so = NULL;

	CHECK(mkdtemp(dir));
	so = compile("mine", user_device, "");
	CHECK_EQ(device_class_find("mine"), NULL);
	CHECK_EQ(trace_enable("mine0.bumped", true, &e), 0);
	t = tdev_new(so);
	CHECK_STR(tdev_device(t)->id, "mine0");
	tdev_w32(t, "count", 41);
	CHECK_EQ(tdev_r32(t, "count"), 42);
	tdev_free(t);
	/* once more by file, and by name */
	t = tdev_new(so);
	tdev_free(t);
	t = tdev_new("mine");
	tdev_free(t);
	clean();
}

static void refused(const char *path, const char *why)
{
	struct machine *m = machine_new();
	struct error e = { 0 };

	CHECK_EQ(device_new(m, path, NULL, &e), NULL);
	if (!strstr(e.text, why))
		test_fail(__FILE__, __LINE__, "'%s' lacks '%s'", e.text, why);
	error_clear(&e);
	machine_free(m);
}

TEST(object_mistakes)
{
	AUTO_FREE char *second = NULL, *text = NULL, *empty = NULL, *taken = NULL, *later = NULL;
	FILE *f;

	CHECK(mkdtemp(dir));
	empty = compile("empty", "int x;", "");
	refused(empty, "contains no device");
	taken = compile("taken",
			"#include <quern/device.h>\nstruct mine { struct device dev; };\n"
			"DEVICE(mine, .name = \"crc\", .doc = \"Not ours.\");\n",
			"");
	refused(taken, "exists already");
	text = xasprintf("#include <quern/device.h>\n#undef QUERN_DEVICE_API\n#define "
			 "QUERN_DEVICE_API 77\n%s",
			 user_device + 26);
	later = compile("later", text, "");
	refused(later, "version 77");
	refused("./no-such-file.so", "could not load");
	second = xasprintf("%s/garbage.so", dir);
	f = fopen(second, "w");
	CHECK(f);
	fputs("this is no ELF file", f);
	fclose(f);
	refused(second, "could not load");
	clean();
}
