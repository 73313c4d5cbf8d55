/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "core/command.h"
#include "core/cpu.h"
#include "core/machine.h"
#include "lib/alloc.h"
#include "lib/error.h"
#include "lib/str.h"
#include "lib/test.h"
#include <errno.h>

/* ---- commands of the test's own: each says what it was given */

static int run_probe(struct command_call *c, struct error *e)
{
	AUTO_FREE char *text = json_dumps(c->args, JSON_SORT_KEYS | JSON_COMPACT);

	command_print(c, "%s\n", text);
	c->result = json_incref(c->args);
	return 0;
}

static int run_fails(struct command_call *c, struct error *e)
{
	return error_ret(e, call_int(c, "code", 0), "it failed");
}

static void show_number(struct command_call *c)
{
	command_print(c, "number %lld\n", (long long)json_integer_value(c->result));
}

static int run_number(struct command_call *c, struct error *e)
{
	c->result = json_integer(42);
	return 0;
}

static void words(struct machine *m, void (*fn)(void *arg, const char *word), void *arg)
{
	fn(arg, "alpha");
	fn(arg, "alto");
	fn(arg, "beta");
}

static const struct command_arg numbers[] = { { "a", ARG_INT }, { "b", ARG_INT, true }, {} };
static const struct command_arg dump[] = { { "fmt", ARG_FORMAT }, { "addr", ARG_INT }, {} };
static const struct command_arg flags[] = { { "all", ARG_FLAG, .flag = 'a' },
					    { "flat", ARG_FLAG, .flag = 'f' },
					    { "name", ARG_STRING, true },
					    {} };
static const struct command_arg keys[] = { { "driver", ARG_KEYVALS }, {} };
static const struct command_arg rest[] = { { "line", ARG_REST }, {} };
static const struct command_arg mixed[] = {
	{ "on", ARG_BOOL }, { "size", ARG_SIZE, true }, { "any", ARG_ANY, true }, {}
};
COMMAND(t_numbers, .hmp = "tnumbers|tn", .qmp = "t-numbers", .doc = "d", .args = numbers,
	.run = run_probe);
COMMAND(t_dump, .hmp = "td", .doc = "d", .args = dump, .run = run_probe);
COMMAND(t_flags, .hmp = "info tflags", .qmp = "t-flags", .doc = "d", .args = flags,
	.run = run_probe, .complete = words);
COMMAND(t_keys, .hmp = "tkeys", .qmp = "t-keys", .doc = "d", .args = keys, .run = run_probe);
COMMAND(t_rest, .hmp = "trest", .doc = "d", .args = rest, .run = run_probe);
COMMAND(t_mixed, .hmp = "tmixed", .qmp = "t-mixed", .doc = "d", .args = mixed, .run = run_probe);
COMMAND(t_fails, .hmp = "tfails", .qmp = "t-fails", .doc = "d",
	.args = (const struct command_arg[]){ { "code", ARG_INT }, {} }, .run = run_fails);
COMMAND(t_number, .hmp = "tnumber", .qmp = "t-number", .doc = "d", .run = run_number,
	.show = show_number);

static void collect(void *arg, const char *text, size_t n) { strbuf_addn(arg, text, n); }

/* What a line answers. */
static const char *answer(struct command_session *s, const char *line)
{
	static char text[65536];
	struct strbuf b = { 0 };

	s->out = collect;
	s->arg = &b;
	command_run_line(s, line);
	snprintf(text, sizeof(text), "%s", strbuf_str(&b));
	strbuf_fini(&b);
	s->out = NULL;
	return text;
}

TEST(command_numbers)
{
	struct command_session s = { 0 };

	CHECK_STR(answer(&s, "tnumbers 1+2*3"), "{\"a\":7}\n");
	CHECK_STR(answer(&s, " tn  0x10 -1\n"), "{\"a\":15}\n");
	CHECK_STR(answer(&s, "tn 0x10 20"), "{\"a\":16,\"b\":20}\n");
	CHECK_STR(answer(&s, "tn (1|6)&~2^0 'A'"), "{\"a\":5,\"b\":65}\n");
	CHECK_STR(answer(&s, "tn 0xffffffff81000000"), "{\"a\":-2130706432}\n");
	CHECK_STR(answer(&s, "tn 7%4/0"), "division by zero\nTry \"help tn\" for more "
					  "information\n");
	CHECK_STR(answer(&s, "tn"), "unexpected end of expression\nTry \"help tn\" for more "
				    "information\n");
	CHECK_STR(answer(&s, "tn (1"), "')' expected\nTry \"help tn\" for more information\n");
	CHECK_STR(answer(&s, "tn $rip"),
		  "unknown register\nTry \"help tn\" for more information\n");
	CHECK_STR(answer(&s, "tn 1 2 x"), "tnumbers|tn: extraneous characters at the end of line\n"
					  "Try \"help tn\" for more information\n");
}

TEST(command_deep_expression)
{
	struct command_session s = { 0 };
	char line[1024] = "tn ";

	memset(line + 3, '(', 900);
	CHECK(strstr(answer(&s, line), "expression too deep"));
}

TEST(command_formats)
{
	struct command_session s = { 0 };

	CHECK_STR(answer(&s, "td 0"),
		  "{\"addr\":0,\"fmt\":{\"count\":1,\"format\":120,\"size\":4}}\n");
	CHECK_STR(answer(&s, "td/8dh 0"),
		  "{\"addr\":0,\"fmt\":{\"count\":8,\"format\":100,\"size\":2}}\n");
	/* what was chosen stays */
	CHECK_STR(answer(&s, "td 1"),
		  "{\"addr\":1,\"fmt\":{\"count\":1,\"format\":100,\"size\":2}}\n");
	CHECK_STR(answer(&s, "td /3i 1"),
		  "{\"addr\":1,\"fmt\":{\"count\":3,\"format\":105,\"size\":0}}\n");
	CHECK(strstr(answer(&s, "td /3s 1"), "invalid char in format: 's'"));
}

TEST(command_flags)
{
	struct command_session s = { 0 };

	CHECK_STR(answer(&s, "info tflags"), "{}\n");
	CHECK_STR(answer(&s, "info  tflags -f -a x"),
		  "{\"all\":true,\"flat\":true,\"name\":\"x\"}\n");
	CHECK_STR(answer(&s, "info tflags -fa \"x \\\"y\""),
		  "{\"all\":true,\"flat\":true,\"name\":\"x \\\"y\"}\n");
	CHECK(strstr(answer(&s, "info tflags -z"), "tflags: unsupported option -z"));
	CHECK(strstr(answer(&s, "info tflags \"x"), "unterminated string"));
}

TEST(command_keyvals_rest)
{
	struct command_session s = { 0 };

	CHECK_STR(answer(&s, "tkeys e1000,id=n0,mac=1"),
		  "{\"driver\":\"e1000\",\"id\":\"n0\",\"mac\":\"1\"}\n");
	CHECK(strstr(answer(&s, "tkeys"), "Parameter 'driver' is missing"));
	CHECK_STR(answer(&s, "trest  a  b \"c  "), "{\"line\":\"a  b \\\"c\"}\n");
	CHECK_STR(answer(&s, "tmixed on 2K"), "{\"on\":true,\"size\":2048}\n");
	CHECK(strstr(answer(&s, "tmixed maybe"), "expected 'on' or 'off'"));
	CHECK(strstr(answer(&s, "trest \xff"), "not valid UTF-8"));
}

TEST(command_lookup)
{
	struct command_session s = { 0 };
	const char *after;

	CHECK_STR(answer(&s, "foo bar"), "unknown command: 'foo'\n");
	CHECK_STR(answer(&s, "info foo bar"), "unknown command: 'info foo'\n");
	/* abbreviations are not commands, even where only one begins so */
	CHECK_STR(answer(&s, "tnumb 1"), "unknown command: 'tnumb'\n");
	CHECK_STR(answer(&s, ""), "");
	CHECK_STR(answer(&s, "tnumber"), "number 42\n");
	CHECK_STR(answer(&s, "tfails 0-5"), "Error: it failed\n");
	CHECK_EQ(command_run_line(&s, "tnumbx"), -ENOENT);
	CHECK_STR(command_find_hmp("td/4x 0", &after)->hmp, "td");
	CHECK_STR(after, "/4x 0");
	CHECK(strstr(answer(&s, "help tn"), "tnumbers|tn a [b] -- d\n"));
	CHECK(strstr(answer(&s, "help info tflags"), "info tflags [-a] [-f] [name] -- d\n"));
	CHECK(strstr(answer(&s, "info"), "info tflags"));
	CHECK(!strstr(answer(&s, "info"), "\ntnumbers"));
	CHECK_STR(answer(&s, "help foo"), "unknown command: 'foo'\n");
}

/* The result or the sentence of a QMP command. */
static const char *qmp(const char *name, const char *args, int *err)
{
	struct command_session s = { .qmp = true };
	json_t *given = args ? json_loads(args, 0, NULL) : NULL, *result;
	struct error e = { 0 };
	static char text[1024];

	*err = command_run_qmp(&s, name, given, &result, &e);
	if (*err) {
		snprintf(text, sizeof(text), "%s", e.text);
	} else {
		AUTO_FREE char *t =
			json_dumps(result, JSON_SORT_KEYS | JSON_COMPACT | JSON_ENCODE_ANY);

		snprintf(text, sizeof(text), "%s", t);
	}
	json_decref(given);
	json_decref(result);
	error_clear(&e);
	return text;
}

TEST(command_qmp)
{
	int err;

	CHECK_STR(qmp("t-none", NULL, &err), "The command t-none has not been found");
	CHECK_EQ(err, -ENOENT);
	CHECK_STR(qmp("t-numbers", "{\"a\": 3}", &err), "{\"a\":3}");
	CHECK_EQ(err, 0);
	CHECK_STR(qmp("t-numbers", NULL, &err), "Parameter 'a' is missing");
	CHECK_EQ(err, -EINVAL);
	CHECK_STR(qmp("t-numbers", "{\"a\": 3, \"c\": 1}", &err), "Parameter 'c' is unexpected");
	CHECK_STR(qmp("t-numbers", "{\"a\": \"3\"}", &err),
		  "Invalid parameter type for 'a', expected: integer");
	CHECK_STR(qmp("t-flags", "{\"all\": 1}", &err),
		  "Invalid parameter type for 'all', expected: boolean");
	CHECK_STR(qmp("t-keys", "{\"driver\": \"x\", \"n\": 1}", &err),
		  "{\"driver\":\"x\",\"n\":1}");
	CHECK_STR(qmp("t-mixed", "{\"on\": true, \"any\": [1]}", &err),
		  "{\"any\":[1],\"on\":true}");
	CHECK_STR(qmp("t-number", NULL, &err), "42");
	CHECK_STR(qmp("t-fails", "{\"code\": -2}", &err), "it failed");
	CHECK_EQ(err, -EINVAL); /* -ENOENT is for commands that there are not */
	CHECK_STR(qmp("t-fails", "{\"code\": -19}", &err), "it failed");
	CHECK_EQ(err, -ENODEV);
}

static void note(void *arg, const char *word)
{
	struct strbuf *b = arg;

	if (b->n)
		strbuf_addc(b, ' ');
	strbuf_add(b, word);
}

static const char *completions(const char *line)
{
	struct command_session s = { 0 };
	struct strbuf b = { 0 };
	static char text[1024];

	command_complete(&s, line, note, &b);
	snprintf(text, sizeof(text), "%s", strbuf_str(&b));
	strbuf_fini(&b);
	return text;
}

TEST(command_completion)
{
	CHECK_STR(completions("tnumbe"), "tnumber tnumbers");
	CHECK_STR(completions("info tfl"), "tflags");
	CHECK_STR(completions("  info   tfl"), "tflags");
	CHECK_STR(completions("info tflags al"), "alpha alto");
	CHECK_STR(completions("info tflags b"), "beta");
	CHECK_STR(completions("help tkey"), "tkeys");
	CHECK_STR(completions("inf"), "info");
	CHECK_STR(completions("nothing at"), "");
}

/* ---- the whole table */

struct names {
	VEC(char *) human, program;
};

static void add_names(void *arg, const struct command *c)
{
	struct names *n = arg;

	if (!c->doc || !*c->doc || !c->run || (!c->hmp && !c->qmp))
		test_fail(__FILE__, __LINE__, "command '%s' lacks something",
			  c->hmp ? c->hmp :
			  c->qmp ? c->qmp :
				   "");
	if (c->qmp)
		vec_push(&n->program, xstrdup(c->qmp));
	for (const char *name = c->hmp; name && *name;) {
		size_t len = strcspn(name, "|");

		vec_push(&n->human, xstrndup(name, len));
		name += len + (name[len] == '|');
	}
}

/* Frees them. */
static void check_once(char **at, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		for (size_t k = 0; k < i; k++) {
			if (str_eq(at[i], at[k]))
				test_fail(__FILE__, __LINE__, "two commands are named '%s'", at[i]);
		}
	}
	for (size_t i = 0; i < n; i++)
		free(at[i]);
}

TEST(command_names_are_taken_once)
{
	struct names n = { 0 };

	command_each(add_names, &n);
	check_once(n.human.at, n.human.n);
	check_once(n.program.at, n.program.n);
	CHECK(n.human.n > 50);
	vec_free(&n.human);
	vec_free(&n.program);
}

/* What stands behind something that takes the rest of a line could never be given. */
static void check_order(void *arg, const struct command *c)
{
	bool optional = false;

	for (const struct command_arg *a = c->hmp ? c->args : NULL; a && a->name; a++) {
		if (a->type == ARG_REST && a[1].name)
			test_fail(__FILE__, __LINE__, "%s: '%s' follows the rest of the line",
				  c->hmp, a[1].name);
		if (optional && !a->optional)
			test_fail(__FILE__, __LINE__, "%s: '%s' is needed behind an optional one",
				  c->hmp, a->name);
		if (a->type == ARG_FLAG && !a->flag)
			test_fail(__FILE__, __LINE__, "%s: -%s has no letter", c->hmp, a->name);
		optional |= a->optional && a->type != ARG_FLAG && a->type != ARG_FORMAT;
	}
}

TEST(command_arguments_can_be_given) { command_each(check_order, NULL); }
