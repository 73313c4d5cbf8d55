/* SPDX-License-Identifier: GPL-2.0-or-later */
/* chardevs.c - commands about character back ends: who is there, ring buffers, breaks. */
#include "core/chardev.h"
#include "core/command.h"
#include "core/machine.h"
#include "lib/alloc.h"
#include "lib/base64.h"
#include "lib/error.h"
#include "lib/str.h"
#include <errno.h>

static void add_chardev(void *arg, struct chardev *c)
{
	/* fronts of a mux and further clients have no name */
	if (*c->id)
		json_array_append_new(arg,
				      json_pack("{s:s, s:s, s:b}", "label", c->id, "filename",
						c->ops->name, "frontend-open", c->use != NULL));
}

static int query_chardev(struct command_call *c, struct error *e)
{
	c->result = json_array();
	chardev_each(c->m, add_chardev, c->result);
	return 0;
}
static void show_chardev(struct command_call *c)
{
	json_t *item;
	size_t i;

	json_array_foreach(c->result, i, item)
		command_print(c, "%s: filename=%s\n",
			      json_string_value(json_object_get(item, "label")),
			      json_string_value(json_object_get(item, "filename")));
}
COMMAND(query_chardev, .hmp = "info chardev", .qmp = "query-chardev", .run = query_chardev,
	.show = show_chardev, .doc = "show the character back ends");

static struct chardev *find(struct command_call *c, const char *key, struct error *e)
{
	struct chardev *k = chardev_find(c->m, call_str(c, key));

	if (!k)
		error_set(e, "Chardev '%s' not found", call_str(c, key));
	return k;
}

static const struct command_arg id_args[] = { { "id", ARG_STRING }, {} };
static int chardev_remove(struct command_call *c, struct error *e)
{
	struct chardev *k = find(c, "id", e);

	if (!k)
		return -EINVAL;
	if (k->use || k->claimed)
		return error_ret(e, -EBUSY, "Chardev '%s' is busy", k->id);
	chardev_free(k);
	return 0;
}
COMMAND(chardev_remove, .hmp = "chardev-remove", .qmp = "chardev-remove", .args = id_args,
	.run = chardev_remove, .doc = "remove a character back end that nobody uses");

static int send_break(struct command_call *c, struct error *e)
{
	struct chardev *k = find(c, "id", e);

	if (!k)
		return -EINVAL;
	chardev_event(k, CHARDEV_BREAK);
	return 0;
}
COMMAND(send_break, .hmp = "chardev-send-break", .qmp = "chardev-send-break", .args = id_args,
	.run = send_break, .doc = "send a break to the guest, as the other end would");

/* ---- ring buffers */

static struct chardev *find_ring(struct command_call *c, struct error *e)
{
	struct chardev *k = chardev_find(c->m, call_str(c, "device"));
	u8 none;

	if (!k)
		error_set(e, "Device '%s' not found", call_str(c, "device"));
	else if (ringbuf_read(k, &none, 0) < 0)
		error_set(e, "%s is not a ringbuf device", k->id);
	else
		return k;
	return NULL;
}

static int coding(struct command_call *c, bool *base64, struct error *e)
{
	const char *format = call_str(c, "format");

	*base64 = format && str_eq(format, "base64");
	if (format && !*base64 && !str_eq(format, "utf8"))
		return error_ret(e, -EINVAL, "Parameter 'format' does not accept value '%s'",
				 format);
	return 0;
}

static const struct command_arg read_args[] = {
	{ "device", ARG_STRING }, { "size", ARG_INT }, { "format", ARG_STRING, true }, {}
};
static int ring_read(struct command_call *c, struct error *e)
{
	struct chardev *k = find_ring(c, e);
	s64 size = call_int(c, "size", 0);
	struct strbuf text = { 0 };
	u8 *buf;
	bool base64;
	int n, err;

	if (!k)
		return -EINVAL;
	err = coding(c, &base64, e);
	if (!err && size <= 0)
		err = error_ret(e, -EINVAL, "size must be greater than zero");
	if (err)
		return err;
	size = MIN(size, (s64)64 << 20);
	buf = xalloc((size_t)size);
	n = ringbuf_read(k, buf, (int)size);
	if (base64)
		base64_encode(&text, buf, (size_t)n);
	for (int i = 0; !base64 && i < n; i++)
		strbuf_addc(&text, buf[i] && buf[i] < 0x80 ? (char)buf[i] : '?');
	/* wholly UTF-8 or with its bytes replaced */
	if (!base64)
		c->result = json_stringn((char *)buf, (size_t)n);
	if (!c->result)
		c->result = json_stringn(strbuf_str(&text), text.n);
	strbuf_fini(&text);
	free(buf);
	return 0;
}
static void show_ring(struct command_call *c)
{
	command_print(c, "%s\n", json_string_value(c->result));
}
COMMAND(ring_read, .hmp = "ringbuf_read", .qmp = "ringbuf-read", .args = read_args,
	.run = ring_read, .show = show_ring, .doc = "take bytes out of a ring buffer");

static const struct command_arg write_args[] = {
	{ "device", ARG_STRING }, { "data", ARG_STRING }, { "format", ARG_STRING, true }, {}
};
static int ring_write(struct command_call *c, struct error *e)
{
	struct chardev *k = find_ring(c, e);
	const char *data = call_str(c, "data");
	struct strbuf b = { 0 };
	bool base64;
	int err, n;

	if (!k)
		return -EINVAL;
	err = coding(c, &base64, e);
	if (!err && base64 && base64_decode(&b, data))
		err = error_ret(e, -EINVAL, "Data is not base64");
	if (!err && !base64)
		strbuf_add(&b, data);
	n = err ? 0 : ringbuf_write(k, (const u8 *)strbuf_str(&b), (int)b.n);
	if (!err && n < (int)b.n)
		err = error_ret(e, -EAGAIN, "the guest takes %d of %zu bytes now", n, b.n);
	strbuf_fini(&b);
	return err;
}
COMMAND(ring_write, .hmp = "ringbuf_write", .qmp = "ringbuf-write", .args = write_args,
	.run = ring_write, .doc = "type into the port behind a ring buffer");
