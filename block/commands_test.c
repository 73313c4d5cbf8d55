/* SPDX-License-Identifier: GPL-2.0-or-later */
/* commands_test.c - monitor commands about drives: what they return, what they refuse, and what
 * they do to media and images. */
#include "block/drive.h"
#include "core/command.h"
#include "core/device.h"
#include "core/machine.h"
#include "lib/alloc.h"
#include "lib/error.h"
#include "lib/str.h"
#include "lib/test.h"
#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

static char path[64];
static bool locked, open_tray;
static unsigned media_calls, eject_requests, resized_calls;

static void on_media(void *dev, bool inserted) { media_calls++; }
static void on_eject(void *dev, bool force)
{
	eject_requests++;
	open_tray |= force;
}
static bool is_locked(void *dev) { return locked; }
static bool is_open(void *dev) { return open_tray; }
static void on_resized(void *dev) { resized_calls++; }
static const struct block_user cd_user = { .media = on_media,
					   .eject_request = on_eject,
					   .medium_locked = is_locked,
					   .tray_open = is_open };
static const struct block_user disk_user = { .resized = on_resized };

struct fix {
	struct machine *m;
	struct command_session s;
	struct strbuf text;
	struct device_core core[2];
	struct device dev[2];
};

static void out(void *arg, const char *text, size_t n) { strbuf_addn(arg, text, n); }

static struct block *drive(struct fix *f, const char *fmt)
{
	static const struct drive_defaults d = { .interface = DRIVE_NONE, .ide_units = 2 };
	AUTO_FREE char *text = xasprintf(fmt, path);
	struct keyvals kv = { 0 };
	struct error e = { 0 };
	struct block *b;

	CHECK_EQ(keyvals_parse(&kv, text, NULL, &e), 0);
	b = drive_new(f->m, &kv, &d, &e);
	if (!b)
		fprintf(stderr, "%s\n", e.text);
	CHECK(b);
	keyvals_fini(&kv);
	return b;
}

static struct fix *fix_new(void)
{
	struct fix *f = NEW(struct fix);
	struct error e = { 0 };
	FILE *file;

	snprintf(path, sizeof(path), "out/commands-test-%d.img", (int)getpid());
	file = fopen(path, "w");
	CHECK(file);
	fclose(file);
	CHECK_EQ(truncate(path, 1 << 20), 0);
	f->m = machine_new();
	f->s = (struct command_session){ .m = f->m, .out = out, .arg = &f->text };
	for (unsigned i = 0; i < 2; i++) {
		f->core[i].machine = f->m;
		f->dev[i].core = &f->core[i];
		f->dev[i].id = i ? "disk0" : "cdrom0";
	}
	CHECK_EQ(block_attach(drive(f, "media=cdrom,id=cd%.0s"), &f->dev[0], &cd_user, false, &e),
		 0);
	CHECK_EQ(block_attach(drive(f, "file=%s,format=raw,id=hd"), &f->dev[1], &disk_user, true,
			      &e),
		 0);
	return f;
}

static void fix_free(struct fix *f)
{
	machine_free(f->m);
	strbuf_fini(&f->text);
	free(f);
	unlink(path);
}

/* The result, the caller's; NULL when it failed with a sentence that has `why` in it. */
static json_t *qmp(struct fix *f, const char *name, const char *args, const char *why)
{
	json_t *a = json_loads(args, 0, NULL), *result = NULL;
	struct error e = { 0 };
	int err;

	CHECK(a);
	err = command_run_qmp(&f->s, name, a, &result, &e);
	if ((err != 0) != (why != NULL) || (why && !strstr(e.text, why)))
		fprintf(stderr, "%s: %s\n", name, e.text ? e.text : "no error");
	CHECK_EQ(err != 0, why != NULL);
	CHECK(!why || strstr(e.text, why));
	error_clear(&e);
	json_decref(a);
	return result;
}

static void does(struct fix *f, const char *name, const char *args)
{
	json_decref(qmp(f, name, args, NULL));
}

static const char *human(struct fix *f, const char *line)
{
	strbuf_fini(&f->text);
	command_run_line(&f->s, line);
	return strbuf_str(&f->text);
}

TEST(block_commands_query)
{
	struct fix *f = fix_new();
	json_t *all = qmp(f, "query-block", "{}", NULL), *hd = json_array_get(all, 1), *in;
	const char *text;

	CHECK_EQ(json_array_size(all), 2);
	CHECK_STR(json_string_value(json_object_get(hd, "device")), "hd");
	CHECK(!json_object_get(json_array_get(all, 0), "inserted"));
	CHECK(json_is_true(json_object_get(json_array_get(all, 0), "removable")));
	in = json_object_get(hd, "inserted");
	CHECK_STR(json_string_value(json_object_get(in, "drv")), "raw");
	CHECK_STR(json_string_value(json_object_get(in, "file")), path);
	CHECK_EQ(json_integer_value(json_object_get(json_object_get(in, "image"), "virtual-size")),
		 1 << 20);
	json_decref(all);
	text = human(f, "info block");
	CHECK(strstr(text, "cd: [not inserted]"));
	CHECK(strstr(text, "Removable device: not locked, tray closed"));
	CHECK(strstr(text, "Attached to:      disk0"));
	CHECK(strstr(human(f, "info blockstats"), "hd: rd_bytes=0"));
	fix_free(f);
}

TEST(block_commands_nodes)
{
	struct fix *f = fix_new();

	does(f, "blockdev-add", "{\"driver\": \"null-co\", \"node-name\": \"n\", \"size\": 4096}");
	qmp(f, "blockdev-add", "{\"driver\": \"null-co\", \"node-name\": \"n\"}", "already");
	qmp(f, "blockdev-add", "{\"driver\": \"null-co\"}", "'node-name' must be specified");
	qmp(f, "blockdev-add", "{\"driver\": \"nosuch\", \"node-name\": \"x\"}", "'nosuch'");
	does(f, "blockdev-add", "{\"driver\": \"raw\", \"node-name\": \"top\", \"file\": \"n\"}");
	qmp(f, "blockdev-del", "{\"node-name\": \"n\"}", "in use");
	does(f, "blockdev-insert-medium", "{\"id\": \"cdrom0\", \"node-name\": \"top\"}");
	qmp(f, "blockdev-del", "{\"node-name\": \"top\"}", "in use");
	does(f, "eject", "{\"device\": \"cd\"}");
	does(f, "blockdev-del", "{\"node-name\": \"top\"}");
	does(f, "blockdev-del", "{\"node-name\": \"n\"}");
	qmp(f, "blockdev-del", "{\"node-name\": \"n\"}", "failed to find node");
	fix_free(f);
}

TEST(block_commands_media)
{
	struct fix *f = fix_new();
	AUTO_FREE char *args = xasprintf("{\"id\": \"cdrom0\", \"filename\": \"null-co://\", "
					 "\"format\": \"raw\"}");

	media_calls = eject_requests = 0;
	locked = open_tray = false;
	does(f, "blockdev-change-medium", args);
	CHECK_EQ(media_calls, 1);
	CHECK(strstr(human(f, "info block cd"), "null-co:// (raw, read-only)"));
	/* the guest holds it: it is asked, unless force says otherwise */
	locked = true;
	qmp(f, "eject", "{\"device\": \"cd\"}", "is locked and force was not specified");
	CHECK_EQ(eject_requests, 1);
	does(f, "eject", "{\"device\": \"cd\", \"force\": true}");
	CHECK_EQ(eject_requests, 2);
	CHECK(strstr(human(f, "info block cd"), "[not inserted]"));
	CHECK_STR(human(f, "eject hd"), "Error: Device 'hd' is not removable\n");
	CHECK_STR(human(f, "eject nosuch"), "Error: Device 'nosuch' not found\n");
	human(f, "change cd null-co:// raw");
	CHECK(strstr(human(f, "info block cd"), "null-co://"));
	fix_free(f);
}

TEST(block_commands_resize)
{
	struct fix *f = fix_new();
	struct stat st;

	resized_calls = 0;
	does(f, "block_resize", "{\"device\": \"hd\", \"size\": 2097152}");
	stat(path, &st);
	CHECK_EQ(st.st_size, 2 << 20);
	CHECK_EQ(resized_calls, 1);
	qmp(f, "block_resize", "{\"device\": \"cd\", \"size\": 1024}", "no medium");
	human(f, "block_resize hd 3M");
	stat(path, &st);
	CHECK_EQ(st.st_size, 3 << 20);
	fix_free(f);
}

static void ended(struct block_req *r, int err) { r->ended = true; }

/* What -snapshot kept apart reaches the image by `commit`. */
TEST(block_commands_commit)
{
	struct fix *f = fix_new();
	struct block *b;
	struct iovec v;
	char buf[512] = "kept apart", got[10];
	struct block_req r = { 0 };
	FILE *file;

	block_detach(block_find(f->m, "hd"));
	block_remove(block_find(f->m, "hd"));
	b = drive(f, "file=%s,format=raw,id=layer,snapshot=on");
	v = (struct iovec){ buf, sizeof(buf) };
	CHECK_STR(human(f, "commit cd"), "Error: Device 'cd' has no temporary layer\n");
	r = (struct block_req){ .op = BLOCK_WRITE, .vec = &v, .nvec = 1, .bytes = 512, .at = 1024 };
	r.done = ended;
	block_node_submit(b->node, &r);
	block_wait(b->node, &r);
	CHECK_EQ(r.err, 0);
	for (unsigned i = 0; i < 2; i++) {
		file = fopen(path, "r");
		CHECK(file && !fseek(file, 1024, SEEK_SET));
		CHECK_EQ(fread(got, 1, 10, file), 10);
		fclose(file);
		CHECK_EQ(memcmp(got, "kept apart", 10) == 0, i);
		CHECK_STR(human(f, "commit all"), "");
	}
	fix_free(f);
}
