/* SPDX-License-Identifier: GPL-2.0-or-later */
/* keys.c - sendkey and send-key: typing on the guest's keyboard. Names are QEMU's (QKeyCode),
 * numbers Linux's; a number given as such is a PC's set 1 scan code. */
#include "core/command.h"
#include "core/keyboard.h"
#include "lib/error.h"
#include "lib/str.h"
#include <errno.h>
#include <stdio.h>

enum { HOLD_MS = 100 };

static const struct {
	const char *name;
	u16 code;
} keys[] = {
	{ "shift", 42 },
	{ "shift_r", 54 },
	{ "alt", 56 },
	{ "alt_r", 100 },
	{ "ctrl", 29 },
	{ "ctrl_r", 97 },
	{ "menu", 127 },
	{ "compose", 127 },
	{ "meta_l", 125 },
	{ "meta_r", 126 },
	{ "esc", 1 },
	{ "1", 2 },
	{ "2", 3 },
	{ "3", 4 },
	{ "4", 5 },
	{ "5", 6 },
	{ "6", 7 },
	{ "7", 8 },
	{ "8", 9 },
	{ "9", 10 },
	{ "0", 11 },
	{ "minus", 12 },
	{ "equal", 13 },
	{ "backspace", 14 },
	{ "tab", 15 },
	{ "q", 16 },
	{ "w", 17 },
	{ "e", 18 },
	{ "r", 19 },
	{ "t", 20 },
	{ "y", 21 },
	{ "u", 22 },
	{ "i", 23 },
	{ "o", 24 },
	{ "p", 25 },
	{ "bracket_left", 26 },
	{ "bracket_right", 27 },
	{ "ret", 28 },
	{ "a", 30 },
	{ "s", 31 },
	{ "d", 32 },
	{ "f", 33 },
	{ "g", 34 },
	{ "h", 35 },
	{ "j", 36 },
	{ "k", 37 },
	{ "l", 38 },
	{ "semicolon", 39 },
	{ "apostrophe", 40 },
	{ "grave_accent", 41 },
	{ "backslash", 43 },
	{ "z", 44 },
	{ "x", 45 },
	{ "c", 46 },
	{ "v", 47 },
	{ "b", 48 },
	{ "n", 49 },
	{ "m", 50 },
	{ "comma", 51 },
	{ "dot", 52 },
	{ "slash", 53 },
	{ "asterisk", 55 },
	{ "kp_multiply", 55 },
	{ "spc", 57 },
	{ "caps_lock", 58 },
	{ "f1", 59 },
	{ "f2", 60 },
	{ "f3", 61 },
	{ "f4", 62 },
	{ "f5", 63 },
	{ "f6", 64 },
	{ "f7", 65 },
	{ "f8", 66 },
	{ "f9", 67 },
	{ "f10", 68 },
	{ "f11", 87 },
	{ "f12", 88 },
	{ "num_lock", 69 },
	{ "scroll_lock", 70 },
	{ "kp_7", 71 },
	{ "kp_8", 72 },
	{ "kp_9", 73 },
	{ "kp_subtract", 74 },
	{ "kp_4", 75 },
	{ "kp_5", 76 },
	{ "kp_6", 77 },
	{ "kp_add", 78 },
	{ "kp_1", 79 },
	{ "kp_2", 80 },
	{ "kp_3", 81 },
	{ "kp_0", 82 },
	{ "kp_decimal", 83 },
	{ "less", 86 },
	{ "kp_enter", 96 },
	{ "kp_divide", 98 },
	{ "sysrq", 99 },
	{ "home", 102 },
	{ "up", 103 },
	{ "pgup", 104 },
	{ "left", 105 },
	{ "right", 106 },
	{ "end", 107 },
	{ "down", 108 },
	{ "pgdn", 109 },
	{ "insert", 110 },
	{ "delete", 111 },
	{ "pause", 119 },
	{ "print", 210 },
};

static u16 by_name(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		if (str_eq(keys[i].name, name))
			return keys[i].code;
	}
	return 0;
}

static u16 by_number(s64 n) { return n > 0 && n < 0x59 ? (u16)n : 0; }

static void complete_keys(struct machine *m, void (*fn)(void *arg, const char *word), void *arg)
{
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
		fn(arg, keys[i].name);
}

/* "ctrl-alt-f1": the codes; the number of keys or -errno. */
static int parse(const char *text, u16 *codes, struct error *e)
{
	int n = 0;

	while (*text) {
		size_t len = strcspn(text, "-");
		char name[32];
		u64 number;

		if (n == KEYS_MOST)
			return error_ret(e, -EINVAL, "too many keys");
		snprintf(name, sizeof(name), "%.*s", (int)MIN(len, sizeof(name) - 1), text);
		codes[n] = by_name(str_eq(name, "<") ? "less" : name);
		if (!codes[n] && str_prefix(name, "0x", NULL) && !str_to_u64(name, 0, &number))
			codes[n] = by_number((s64)MIN(number, (u64)0xffff));
		if (!codes[n++])
			return error_ret(e, -EINVAL, "invalid parameter: %s", name);
		text += len + (text[len] == '-');
	}
	return n;
}

static const struct command_arg sendkey_args[] = { { "keys", ARG_STRING },
						   { "hold-time", ARG_INT, true },
						   {} };
static int sendkey(struct command_call *c, struct error *e)
{
	s64 hold = call_int(c, "hold-time", HOLD_MS);
	u16 codes[KEYS_MOST];
	int n = parse(call_str(c, "keys"), codes, e);

	if (n < 0) {
		command_print(c, "%s\n", e->text);
		error_clear(e);
		return 0;
	}
	return keyboard_type(c->m, codes, (unsigned)n, (u32)MIN(MAX(hold, (s64)0), (s64)60000), e);
}
COMMAND(sendkey, .hmp = "sendkey", .args = sendkey_args, .run = sendkey, .complete = complete_keys,
	.doc = "type keys on the guest's keyboard: alt-sysrq-t; hold-time in ms (100)");

static int qmp_key(const json_t *k, u16 *code, struct error *e)
{
	const char *type = json_string_value(json_object_get(k, "type"));
	const json_t *data = json_object_get(k, "data");

	if (!type || !data)
		return error_ret(e, -EINVAL, "Parameter '%s' is missing", type ? "data" : "type");
	if (str_eq(type, "number") && json_is_integer(data))
		*code = by_number(json_integer_value(data));
	else if (str_eq(type, "qcode") && json_is_string(data))
		*code = by_name(json_string_value(data));
	else
		return error_ret(e, -EINVAL, "Parameter 'type' does not accept value '%s'", type);
	if (*code)
		return 0;
	if (json_is_integer(data))
		return error_ret(e, -EINVAL, "Parameter 'data' does not accept value '%lld'",
				 (long long)json_integer_value(data));
	return error_ret(e, -EINVAL, "Parameter 'data' does not accept value '%s'",
			 json_string_value(data));
}

static const struct command_arg send_key_args[] = { { "keys", ARG_ANY },
						    { "hold-time", ARG_INT, true },
						    {} };
static int send_key(struct command_call *c, struct error *e)
{
	s64 hold = call_int(c, "hold-time", HOLD_MS);
	const json_t *list = json_object_get(c->args, "keys");
	u16 codes[KEYS_MOST];
	json_t *k;
	size_t i;
	int err =
		json_is_array(list) ?
			0 :
			error_ret(e, -EINVAL, "Invalid parameter type for 'keys', expected: array");

	if (!err && json_array_size(list) > KEYS_MOST)
		err = error_ret(e, -EINVAL, "too many keys");
	json_array_foreach(list, i, k)
	{
		if (!err)
			err = qmp_key(k, &codes[i], e);
	}
	return err ? err :
		     keyboard_type(c->m, codes, (unsigned)json_array_size(list),
				   (u32)MIN(MAX(hold, (s64)0), (s64)60000), e);
}
COMMAND(send_key, .qmp = "send-key", .args = send_key_args, .run = send_key,
	.doc = "type keys on the guest's keyboard");
