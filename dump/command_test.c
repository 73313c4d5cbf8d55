/* SPDX-License-Identifier: GPL-2.0-or-later */
/* command_test.c - the monitor's commands about dumps. */
#include "core/command.h"
#include "core/fds.h"
#include "dump/dump.h"
#include "dump/test_target.h"
#include "lib/bytes.h"
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

struct heard {
	struct command_session s;
	struct strbuf text, events;
};
static struct heard *listener; /* events have no argument */

static void hear(void *arg, const char *text, size_t n)
{
	strbuf_addn(&((struct heard *)arg)->text, text, n);
}

static void hear_event(struct machine *m, const char *name, const char *json)
{
	strbuf_printf(&listener->events, "%s %s\n", name, json);
}

static void listen_to(struct heard *h, struct target *t)
{
	*h = (struct heard){ .s = { .m = t->m, .out = hear } };
	h->s.arg = h;
	listener = h;
	t->m->event = hear_event;
}

static void hear_end(struct heard *h)
{
	strbuf_fini(&h->text);
	strbuf_fini(&h->events);
}

static const char *said(struct heard *h, const char *line)
{
	h->text.n = 0;
	if (h->text.at)
		h->text.at[0] = 0;
	command_run_line(&h->s, line);
	return strbuf_str(&h->text);
}

static char *temporary(void)
{
	char *path = xstrdup("/tmp/quern-dump-XXXXXX");
	int fd = mkstemp(path);

	CHECK(fd >= 0);
	close(fd);
	return path;
}

static u64 head(const char *path, char magic[16])
{
	struct error e = { 0 };
	struct bytes b;
	u64 size;

	CHECK_EQ(bytes_read_file(&b, path, 1 << 30, &e), 0);
	size = b.size;
	memcpy(magic, b.data, MIN(size, (u64)16));
	bytes_fini(&b);
	return size;
}

TEST(dump_command_human)
{
	AUTO_FREE char *path = temporary();
	struct target t;
	struct heard h;
	char line[256], magic[16];

	target(&t, true);
	listen_to(&h, &t);
	CHECK_STR(said(&h, "info dump"), "Status: none\n");
	snprintf(line, sizeof(line), "dump-guest-memory %s", path);
	CHECK_STR(said(&h, line), "");
	CHECK(head(path, magic) > RAM_BYTES);
	CHECK_MEM(magic, "\177ELF", 4);
	CHECK_STR(said(&h, "info dump"), "Status: completed\n");
	CHECK(strstr(strbuf_str(&h.events), "DUMP_COMPLETED") != NULL);
	CHECK(strstr(strbuf_str(&h.events), "\"completed\": 3145728") != NULL);
	snprintf(line, sizeof(line), "dump-guest-memory %s 0x1000 0x2000", path);
	CHECK_STR(said(&h, line), "");
	CHECK(head(path, magic) < 0x5000);
	snprintf(line, sizeof(line), "dump-guest-memory -z -R %s", path);
	CHECK_STR(said(&h, line), "");
	head(path, magic);
	CHECK_MEM(magic, "KDUMP   ", 8);
	snprintf(line, sizeof(line), "dump-guest-memory -s %s", path);
	CHECK_STR(said(&h, line), "");
	head(path, magic);
	CHECK_MEM(magic, "makedumpfile", 12);
	unlink(path);
	hear_end(&h);
	machine_free(t.m);
}

TEST(dump_command_mistakes)
{
	struct target t;
	struct heard h;

	target(&t, true);
	listen_to(&h, &t);
	CHECK_STR(said(&h, "dump-guest-memory /nowhere/at/all"),
		  "Error: could not open '/nowhere/at/all': No such file or directory\n");
	CHECK_STR(said(&h, "dump-guest-memory -z -l /dev/null"),
		  "Error: only one of -z, -l, -s and -Z can be given\n");
	CHECK_STR(said(&h, "dump-guest-memory -R /dev/null"),
		  "Error: -R needs a compressed format: -z, -l, -s or -Z\n");
	CHECK_STR(said(&h, "dump-guest-memory /dev/null 0x1000"),
		  "Error: parameter 'length' is missing\n");
	CHECK_STR(said(&h, "dump-guest-memory -p -z /dev/null"),
		  "Error: format kdump-zlib knows neither paging nor a part of the memory; elf "
		  "does\n");
	CHECK_STR(said(&h, "dump-guest-memory /dev/full"),
		  "Error: could not write the dump: No space left on device\n");
	hear_end(&h);
	machine_free(t.m);
}

static json_t *qmp(struct heard *h, const char *name, json_t *args, int want)
{
	struct error e = { 0 };
	json_t *result = NULL;
	int err = command_run_qmp(&h->s, name, args, &result, &e);

	CHECK_EQ(!err, !want);
	error_clear(&e);
	json_decref(args);
	return result;
}

TEST(dump_command_qmp)
{
	AUTO_FREE char *path = temporary(), *protocol = xasprintf("file:%s", path);
	struct target t;
	struct heard h;
	char magic[16];
	json_t *r;

	target(&t, true);
	listen_to(&h, &t);
	h.s.qmp = true;
	os_set(t.m, &fake_os, NULL);
	r = qmp(&h, "query-dump-guest-memory-capability", NULL, 0);
	CHECK_EQ(json_array_size(json_object_get(r, "formats")), 9);
	CHECK_STR(json_string_value(json_array_get(json_object_get(r, "formats"), 0)), "elf");
	json_decref(r);
	r = qmp(&h, "dump-guest-memory",
		json_pack("{s:b, s:s, s:s}", "paging", 0, "protocol", protocol, "format",
			  "kdump-raw-zstd"),
		0);
	json_decref(r);
	head(path, magic);
	CHECK_MEM(magic, "KDUMP   ", 8);
	r = qmp(&h, "query-dump", NULL, 0);
	CHECK_STR(json_string_value(json_object_get(r, "status")), "completed");
	CHECK_EQ(json_integer_value(json_object_get(r, "completed")), RAM_BYTES);
	CHECK_EQ(json_integer_value(json_object_get(r, "total")), RAM_BYTES);
	json_decref(r);
	qmp(&h, "dump-guest-memory",
	    json_pack("{s:b, s:s, s:s}", "paging", 0, "protocol", protocol, "format", "win-dmp"),
	    1);
	qmp(&h, "dump-guest-memory", json_pack("{s:b, s:s}", "paging", 0, "protocol", path), 1);
	qmp(&h, "dump-guest-memory", json_pack("{s:s}", "protocol", protocol), 1);
	qmp(&h, "dump-guest-memory", json_pack("{s:b, s:s}", "paging", 0, "protocol", "fd:x"), 1);
	fds_put(t.m, "x", open(path, O_WRONLY | O_TRUNC));
	r = qmp(&h, "dump-guest-memory", json_pack("{s:b, s:s}", "paging", 0, "protocol", "fd:x"),
		0);
	json_decref(r);
	CHECK(head(path, magic) > RAM_BYTES);
	CHECK_MEM(magic, "\177ELF", 4);
	fds_put(t.m, "left", dup(0));
	qmp(&h, "getfd", json_pack("{s:s}", "fdname", "y"), 1); /* none came along */
	r = qmp(&h, "closefd", json_pack("{s:s}", "fdname", "left"), 0);
	json_decref(r);
	qmp(&h, "closefd", json_pack("{s:s}", "fdname", "left"), 1);
	r = qmp(&h, "vmcoreinfo-get", NULL, 0);
	CHECK_STR(json_string_value(json_object_get(r, "vmcoreinfo")), info);
	json_decref(r);
	unlink(path);
	hear_end(&h);
	machine_free(t.m);
}

/* In the background: steps come by themselves while the machine's loop runs. */
static void finished(struct machine *m, const char *name, const char *json)
{
	hear_event(m, name, json);
	if (str_eq(name, "DUMP_COMPLETED"))
		machine_request_shutdown(m, CAUSE_HOST_QUIT);
}

TEST(dump_command_detached)
{
	AUTO_FREE char *path = temporary(), *line = xasprintf("dump-guest-memory -d %s", path);
	struct target t;
	struct heard h;
	char magic[16];

	target(&t, true);
	listen_to(&h, &t);
	t.m->event = finished;
	machine_stop(t.m, RUN_PRELAUNCH);
	CHECK_STR(said(&h, line), "");
	CHECK_STR(said(&h, "info dump"), "Status: active\nFinished: 0.00 %\n");
	CHECK_STR(said(&h, line), "Error: there is a dump in process, please wait\n");
	machine_run(t.m);
	CHECK_STR(said(&h, "info dump"), "Status: completed\n");
	CHECK(head(path, magic) > RAM_BYTES);
	unlink(path);
	hear_end(&h);
	machine_free(t.m);
}
