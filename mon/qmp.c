/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * qmp.c - the monitor protocol for programs (docs/interop/qmp-spec): a greeting, negotiation of
 * capabilities, commands that are answered in order, events in between. Commands need no end of
 * line between them. What is out of band elsewhere (exec-oob) is so here by itself: no command
 * waits.
 */
#include "core/compat.h"
#include "core/machine.h"
#include "lib/alloc.h"
#include "mon/json.h"
#include "mon/session.h"
#include <errno.h>

struct qmp {
	struct session s;
	struct json_feed feed;
	bool pretty, negotiated, oob;
};

static struct qmp *of(struct session *s) { return (struct qmp *)s; }

static void send(struct qmp *q, json_t *what)
{
	struct strbuf b = { 0 };
	char *text = json_dumps(what, JSON_ENSURE_ASCII | (q->pretty ? JSON_INDENT(4) : 0));

	if (!text)
		return;
	strbuf_add(&b, text);
	strbuf_add(&b, "\r\n");
	session_write(&q->s, b.at, b.n);
	strbuf_fini(&b);
	free(text);
}

static void greet(struct session *s)
{
	struct qmp *q = of(s);
	json_t *v = json_pack("{s:{s:{s:{s:i, s:i, s:i}, s:s}, s:[s]}}", "QMP", "version", "qemu",
			      "micro", QEMU_MICRO, "minor", QEMU_MINOR, "major", QEMU_MAJOR,
			      "package", "Quern " QUERN_VERSION, "capabilities", "oob");

	q->negotiated = q->oob = false;
	json_feed_fini(&q->feed);
	send(q, v);
	json_decref(v);
}

/* ---- answers */

static void answer(struct qmp *q, const char *what, json_t *value, json_t *id)
{
	json_t *a = json_object();

	json_object_set_new(a, what, value);
	if (id)
		json_object_set(a, "id", id);
	send(q, a);
	json_decref(a);
}

static void answer_error(struct qmp *q, const char *class, const struct error *e, json_t *id)
{
	json_t *error = json_pack("{s:s, s:s}", "class", class, "desc", e->text ? e->text : "");

	/* what a file or a guest has in it need not be UTF-8 */
	answer(q, "error",
	       error ? error :
		       json_pack("{s:s, s:s}", "class", class, "desc",
				 "the text of the error is not valid UTF-8"),
	       id);
}

/* ---- negotiation */

static int enable(struct qmp *q, const json_t *args, struct error *e)
{
	const char *key;
	json_t *v, *item;
	size_t i;
	bool oob = false;

	json_object_foreach((json_t *)args, key, v)
	{
		if (!str_eq(key, "enable"))
			return error_ret(e, -EINVAL, "Parameter '%s' is unexpected", key);
		if (!json_is_array(v))
			return error_ret(e, -EINVAL,
					 "Invalid parameter type for 'enable', expected: array");
		json_array_foreach(v, i, item)
		{
			if (!json_is_string(item))
				return error_ret(e, -EINVAL,
						 "Invalid parameter type for 'enable[%zu]', "
						 "expected: "
						 "string",
						 i);
			if (!str_eq(json_string_value(item), "oob"))
				return error_ret(e, -EINVAL,
						 "Parameter 'enable[%zu]' does not accept value "
						 "'%s'",
						 i, json_string_value(item));
			oob = true;
		}
	}
	q->oob = oob;
	q->negotiated = true;
	return 0;
}

/* ---- commands */

/* The members that there may be, and their types. */
static int check(struct qmp *q, const json_t *in, const char **name, struct error *e)
{
	const char *key;
	json_t *v;

	*name = NULL;
	if (!json_is_object(in))
		return error_ret(e, -EINVAL, "QMP input must be a JSON object");
	json_object_foreach((json_t *)in, key, v)
	{
		if (str_eq(key, "execute") || (str_eq(key, "exec-oob") && q->oob)) {
			if (*name)
				return error_ret(e, -EINVAL,
						 "QMP input member '%s' clashes with 'exec-oob'",
						 key);
			if (!json_is_string(v))
				return error_ret(e, -EINVAL,
						 "QMP input member '%s' must be a string", key);
			*name = json_string_value(v);
		} else if (str_eq(key, "arguments")) {
			if (!json_is_object(v))
				return error_ret(e, -EINVAL,
						 "QMP input member 'arguments' must be an object");
		} else if (!str_eq(key, "id")) {
			return error_ret(e, -EINVAL, "QMP input member '%s' is unexpected", key);
		}
	}
	return *name ? 0 : error_ret(e, -EINVAL, "QMP input lacks member 'execute'");
}

static void execute(struct qmp *q, const char *name, json_t *args, json_t *id)
{
	struct error e = { 0 };
	const char *class = "GenericError";
	json_t *result = NULL;
	int err;

	if (!q->negotiated && !str_eq(name, "qmp_capabilities")) {
		class = "CommandNotFound";
		err = error_ret(&e, -EINVAL,
				"Expecting capabilities negotiation with 'qmp_capabilities'");
	} else if (!str_eq(name, "qmp_capabilities")) {
		err = command_run_qmp(&q->s.commands, name, args, &result, &e);
		if (err == -ENOENT)
			class = "CommandNotFound";
		else if (err == -ENODEV)
			class = "DeviceNotFound";
	} else if (q->negotiated) {
		class = "CommandNotFound";
		err = error_ret(&e, -EINVAL,
				"Capabilities negotiation is already complete, command ignored");
	} else {
		err = enable(q, args, &e);
		result = err ? NULL : json_object();
	}
	if (err)
		answer_error(q, class, &e, id);
	else
		answer(q, "return", result, id);
	error_clear(&e);
}

static void handle(struct qmp *q, json_t *in)
{
	struct error e = { 0 };
	json_t *id = json_is_object(in) ? json_object_get(in, "id") : NULL;
	const char *name;

	if (check(q, in, &name, &e))
		answer_error(q, "GenericError", &e, id);
	else
		execute(q, name, json_object_get(in, "arguments"), id);
	error_clear(&e);
}

static void receive(struct session *s, const u8 *buf, int n)
{
	struct qmp *q = of(s);

	for (int i = 0; i < n; i++) {
		struct error e = { 0 };
		json_t *in = NULL;
		int got = json_feed(&q->feed, (char)buf[i], &in, &e);

		if (got > 0)
			handle(q, in);
		else if (got < 0)
			answer_error(q, "GenericError", &e, NULL);
		json_decref(in);
		error_clear(&e);
	}
}

static void event(struct session *s, json_t *event)
{
	if (of(s)->negotiated && s->c->open)
		send(of(s), event);
}

static void closed(struct session *s)
{
	of(s)->negotiated = false;
	json_feed_fini(&of(s)->feed);
}

static void fini(struct session *s)
{
	json_feed_fini(&of(s)->feed);
	session_fini(s);
	free(s);
}

static void peer(struct monitors *k, struct session *s, struct chardev *c)
{
	qmp_new(k, c, of(s)->pretty, true);
}

static const struct session_kind qmp_kind = {
	.opened = greet,
	.closed = closed,
	.receive = receive,
	.event = event,
	.fini = fini,
	.peer = peer,
};

void qmp_new(struct monitors *k, struct chardev *c, bool pretty, bool further)
{
	struct qmp *q = NEW(struct qmp);

	session_init(&q->s, k, &qmp_kind, c);
	q->s.commands.qmp = true;
	q->s.further = further;
	q->pretty = pretty;
	session_start(&q->s);
}
