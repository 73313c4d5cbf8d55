/* SPDX-License-Identifier: GPL-2.0-or-later */
/* keyval.c - option arguments: `word,key=value,flag,noflag`, `,,` for a comma, or a JSON object
 * (RFC 8259, by jansson). */
#include "lib/keyval.h"
#include "lib/alloc.h"
#include "lib/str.h"
#include <errno.h>
#include <jansson.h>
#include <stdio.h>

static struct keyval *add_owned(struct keyvals *kv, char *key, char *value)
{
	struct keyval item = { .key = key, .value = value };

	vec_push(kv, item);
	return &kv->at[kv->n - 1];
}

void keyvals_add(struct keyvals *kv, const char *key, const char *value)
{
	add_owned(kv, xstrdup(key), xstrdup(value));
}

void keyvals_del(struct keyvals *kv, const char *key)
{
	size_t to = 0;

	for (size_t i = 0; i < kv->n; i++) {
		if (str_eq(kv->at[i].key, key)) {
			free(kv->at[i].key);
			free(kv->at[i].value);
		} else {
			kv->at[to++] = kv->at[i];
		}
	}
	kv->n = to;
}

void keyvals_set(struct keyvals *kv, const char *key, const char *value)
{
	char *copy = xstrdup(value); /* it may lie in an item that goes */

	keyvals_del(kv, key);
	add_owned(kv, xstrdup(key), copy);
}

void keyvals_merge(struct keyvals *kv, const struct keyvals *from)
{
	for (size_t i = 0; i < from->n; i++)
		add_owned(kv, xstrdup(from->at[i].key), xstrdup(from->at[i].value))->bare =
			from->at[i].bare;
}

void keyvals_fini(struct keyvals *kv)
{
	for (size_t i = 0; i < kv->n; i++) {
		free(kv->at[i].key);
		free(kv->at[i].value);
	}
	vec_free(kv);
}

/* ---- key=value text */

/* Takes text up to a single comma; doubled commas become one. *p moves behind the comma. */
static char *take_item(const char **p)
{
	struct strbuf b = { 0 };

	for (; **p; (*p)++) {
		if (**p == ',') {
			if ((*p)[1] != ',') {
				(*p)++;
				break;
			}
			(*p)++;
		}
		strbuf_addc(&b, **p);
	}
	return strbuf_take(&b);
}

static int parse_text(struct keyvals *kv, const char *text, const char *implied, struct error *e)
{
	const char *p = text;

	while (*p) {
		size_t name = strcspn(p, "=,");
		char *value;

		if (p[name] == '=') {
			if (!name)
				return error_ret(e, -EINVAL, "a key is missing before '%s'", p);
			char *key = xstrndup(p, name);

			p += name + 1;
			add_owned(kv, key, take_item(&p));
		} else {
			value = take_item(&p);
			if (implied) {
				add_owned(kv, xstrdup(implied), value);
			} else if (!*value) {
				free(value);
				return error_ret(e, -EINVAL, "'%s' has an empty item", text);
			} else {
				add_owned(kv, value, xstrdup("on"))->bare = true;
			}
		}
		implied = NULL;
	}
	return 0;
}

/* ---- JSON */

static int add_json(struct keyvals *kv, const char *key, json_t *v, struct error *e);

static int add_json_object(struct keyvals *kv, const char *prefix, json_t *o, struct error *e)
{
	const char *k;
	json_t *v;

	json_object_foreach(o, k, v)
	{
		AUTO_FREE char *key = *prefix ? xasprintf("%s.%s", prefix, k) : xstrdup(k);
		int err = add_json(kv, key, v, e);

		if (err)
			return err;
	}
	return 0;
}

static int add_json(struct keyvals *kv, const char *key, json_t *v, struct error *e)
{
	char number[40];
	int err = 0;

	switch (json_typeof(v)) {
	case JSON_OBJECT:
		return add_json_object(kv, key, v, e);
	case JSON_ARRAY:
		for (size_t i = 0; i < json_array_size(v) && !err; i++) {
			AUTO_FREE char *sub = xasprintf("%s.%zu", key, i);

			err = add_json(kv, sub, json_array_get(v, i), e);
		}
		return err;
	case JSON_STRING:
		if (strlen(json_string_value(v)) != json_string_length(v))
			return error_ret(e, -EINVAL, "the JSON text of '%s' has a NUL in it", key);
		keyvals_add(kv, key, json_string_value(v));
		return 0;
	case JSON_INTEGER:
		snprintf(number, sizeof(number), "%" JSON_INTEGER_FORMAT, json_integer_value(v));
		keyvals_add(kv, key, number);
		return 0;
	case JSON_TRUE:
	case JSON_FALSE:
		keyvals_add(kv, key, json_is_true(v) ? "on" : "off");
		return 0;
	default:
		return error_ret(e, -EINVAL,
				 "the JSON value of '%s' is neither text, whole number, bool, "
				 "array nor object",
				 key);
	}
}

static int parse_json(struct keyvals *kv, const char *text, struct error *e)
{
	json_error_t je;
	json_t *root = json_loads(text, JSON_REJECT_DUPLICATES, &je);
	int err;

	if (!root)
		return error_ret(e, -EINVAL, "not a JSON object: %s (line %d, column %d)", je.text,
				 je.line, je.column);
	err = json_is_object(root) ? add_json_object(kv, "", root, e) :
				     error_ret(e, -EINVAL, "this JSON text is no object");
	json_decref(root);
	return err;
}

int keyvals_parse(struct keyvals *kv, const char *text, const char *implied, struct error *e)
{
	return *text == '{' ? parse_json(kv, text, e) : parse_text(kv, text, implied, e);
}

/* ---- look-ups */

const char *keyvals_get(struct keyvals *kv, const char *key)
{
	const char *found = NULL, *rest;

	for (size_t i = 0; i < kv->n; i++) {
		struct keyval *item = &kv->at[i];

		if (str_eq(item->key, key)) {
			item->used = true;
			found = item->value;
		} else if (item->bare && str_prefix(item->key, "no", &rest) && str_eq(rest, key)) {
			item->used = true;
			found = "off";
		}
	}
	return found;
}

bool keyvals_help(const struct keyvals *kv)
{
	for (size_t i = 0; i < kv->n; i++)
		if (kv->at[i].bare && (str_eq(kv->at[i].key, "help") || str_eq(kv->at[i].key, "?")))
			return true;
	return false;
}

int keyvals_bool(struct keyvals *kv, const char *key, bool *v, struct error *e)
{
	const char *s = keyvals_get(kv, key);

	if (s && str_to_bool(s, v))
		return error_ret(e, -EINVAL, "%s='%s': 'on' or 'off' is expected", key, s);
	return 0;
}

int keyvals_u64(struct keyvals *kv, const char *key, u64 min, u64 max, u64 *v, struct error *e)
{
	const char *s = keyvals_get(kv, key);
	u64 x;

	if (!s)
		return 0;
	if (str_to_u64(s, 0, &x) == -EINVAL)
		return error_ret(e, -EINVAL, "%s='%s': a number is expected", key, s);
	if (str_to_u64(s, 0, &x) || x < min || x > max)
		return error_ret(e, -ERANGE, "%s=%s is not between %llu and %llu", key, s,
				 (unsigned long long)min, (unsigned long long)max);
	*v = x;
	return 0;
}

int keyvals_size(struct keyvals *kv, const char *key, u64 unit, u64 *v, struct error *e)
{
	const char *s = keyvals_get(kv, key);
	int err = s ? str_to_size(s, unit, v, e) : 0;

	if (err)
		error_prefix(e, "%s", key);
	return err;
}

int choice_find(const char *choices, const char *s)
{
	size_t n = strlen(s);
	int i = 0;

	for (const char *p = choices;; p++, i++) {
		size_t len = strcspn(p, "|");

		if (len == n && !memcmp(p, s, n))
			return i;
		p += len;
		if (!*p)
			return -1;
	}
}

int keyvals_choice(struct keyvals *kv, const char *key, const char *choices, unsigned *v,
		   struct error *e)
{
	const char *s = keyvals_get(kv, key);
	int i = s ? choice_find(choices, s) : 0;

	if (i < 0)
		return error_ret(e, -EINVAL, "%s='%s': one of %s is expected", key, s, choices);
	if (s)
		*v = i;
	return 0;
}

/* Number of edits (insert, delete, replace, swap of neighbours) from a[0..n) to b; at least limit
 * when there are that many. */
static unsigned edits(const char *a, size_t n, const char *b, unsigned limit)
{
	enum { MOST = 40 };
	unsigned row[3][MOST + 1];
	size_t m = strlen(b);

	if (n > MOST || m > MOST)
		return limit;
	for (size_t j = 0; j <= m; j++)
		row[0][j] = j;
	for (size_t i = 1; i <= n; i++) {
		unsigned *now = row[i % 3], *up = row[(i + 2) % 3], *up2 = row[(i + 1) % 3];

		now[0] = i;
		for (size_t j = 1; j <= m; j++) {
			unsigned best = up[j - 1] + (a[i - 1] != b[j - 1]);

			best = MIN(best, MIN(up[j], now[j - 1]) + 1);
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
				best = MIN(best, up2[j - 2] + 1);
			now[j] = best;
		}
	}
	return row[n % 3][m];
}

bool choice_near(const char *choices, const char *s, char *word, size_t n)
{
	/* words of two letters: none; of six: two edits */
	unsigned best = MIN(strlen(s), 7ul) / 3 + 1;
	bool found = false;

	for (const char *p = choices;; p++) {
		size_t len = strcspn(p, "|");
		unsigned d = edits(p, len, s, best);

		if (d < best && len < n) {
			best = d;
			found = true;
			memcpy(word, p, len);
			word[len] = 0;
		}
		p += len;
		if (!*p)
			return found;
	}
}

int keyvals_all_used(const struct keyvals *kv, const char *known, struct error *e)
{
	char near[64];

	for (size_t i = 0; i < kv->n; i++) {
		const char *key = kv->at[i].key;

		if (kv->at[i].used)
			continue;
		if (known && choice_near(known, key, near, sizeof(near)))
			return error_ret(e, -EINVAL, "'%s' is not known here, '%s' is", key, near);
		return error_ret(e, -EINVAL, "'%s' is not known here", key);
	}
	return 0;
}

static void add_escaped(struct strbuf *b, const char *s)
{
	for (; *s; s++) {
		if (*s == ',')
			strbuf_addc(b, ',');
		strbuf_addc(b, *s);
	}
}

char *keyvals_text(const struct keyvals *kv)
{
	struct strbuf b = { 0 };

	for (size_t i = 0; i < kv->n; i++) {
		strbuf_add(&b, i ? "," : "");
		add_escaped(&b, kv->at[i].key);
		if (kv->at[i].bare)
			continue;
		strbuf_addc(&b, '=');
		add_escaped(&b, kv->at[i].value);
	}
	return strbuf_take(&b);
}
