/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * keyval.h - option arguments of the form `word,key=value,flag,noflag` with `,,` for a comma, or
 * one JSON object. A list keeps its order and repetitions; the last of equal keys counts. Every
 * look-up marks what it found, so that what nobody asked for can be named.
 */
#pragma once
#include <quern/types.h>
#include "lib/error.h"

struct keyval {
	char *key, *value;
	/* written as a flag: value is "on"; `noflag` is found as flag=off too */
	bool bare;
	bool used;
};

/* `struct keyvals kv = {0}` starts empty. */
struct keyvals {
	struct keyval *at;
	size_t n, cap;
};

/*
 * Adds what text says. A first item without '=' is the value of key `implied` (NULL: a flag like
 * any other). Text that starts with
 * '{' is a JSON object: nested keys are joined by dots, array elements are numbered.
 */
int keyvals_parse(struct keyvals *kv, const char *text, const char *implied,
		  struct error *e) must_check;
void keyvals_add(struct keyvals *kv, const char *key, const char *value);
/* Removes every earlier item of that key first. */
void keyvals_set(struct keyvals *kv, const char *key, const char *value);
void keyvals_del(struct keyvals *kv, const char *key);
/* Adds all items of from; those that were there stay and are overridden. */
void keyvals_merge(struct keyvals *kv, const struct keyvals *from);
void keyvals_fini(struct keyvals *kv);

/* The last value, or NULL. A bare `noKEY` yields "off". */
const char *keyvals_get(struct keyvals *kv, const char *key);
/* Was `help` or `?` asked for? */
bool keyvals_help(const struct keyvals *kv);
/* These leave *v alone when the key is absent; -EINVAL or -ERANGE with a sentence when the value is
 * wrong. */
int keyvals_bool(struct keyvals *kv, const char *key, bool *v, struct error *e) must_check;
int keyvals_u64(struct keyvals *kv, const char *key, u64 min, u64 max, u64 *v,
		struct error *e) must_check;
int keyvals_size(struct keyvals *kv, const char *key, u64 unit, u64 *v, struct error *e) must_check;
/* One of "a|b|c": *v is its number. */
int keyvals_choice(struct keyvals *kv, const char *key, const char *choices, unsigned *v,
		   struct error *e) must_check;
/* -EINVAL naming the first item that no look-up has asked for; known: "a|b|c" for a suggestion, or
 * NULL. */
int keyvals_all_used(const struct keyvals *kv, const char *known, struct error *e) must_check;

/* The list as an option argument again, commas doubled. */
char *keyvals_text(const struct keyvals *kv);
/* The number of s in "a|b|c", or -1. */
int choice_find(const char *choices, const char *s);
/* The word of "a|b|c" that s probably means, in word (of size n); false when none is near. */
bool choice_near(const char *choices, const char *s, char *word, size_t n);
