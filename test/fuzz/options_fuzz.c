/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * options_fuzz.c - libFuzzer target: the command line (one argument per line of the input),
 * configuration files, and the short forms of character back ends. Nothing is opened or built,
 * except files that options name for reading. Run: make fuzz-options
 */
#include "cli/options.h"
#include "host/chardev.h"
#include "lib/str.h"
#include <stdlib.h>

enum { ARGUMENTS = 64 };

/* Options that read whatever file they name, or load it as a program, say nothing about the parser.
 */
static bool reads_files(const char *word)
{
	return strstr(word, "readconfig") || strstr(word, "events") || strstr(word, ".so") ||
	       strstr(word, "file");
}

static void command_line(char *text)
{
	char *argv[ARGUMENTS] = { (char *)"quern" }, *line;
	struct error e = { 0 };
	struct settings s;
	int argc = 1, err;

	while (argc < ARGUMENTS && (line = strsep(&text, "\n"))) {
		if (reads_files(line))
			continue;
		argv[argc++] = line;
	}
	settings_init(&s, argv[0]);
	err = options_parse(&s, argc, argv, &e);
	if (!err)
		err = options_finish(&s, &e);
	/* Every failure has one sentence, and nothing else has one. */
	if ((err < 0) != error_is_set(&e) || (e.text && !*e.text))
		abort();
	error_clear(&e);
	settings_fini(&s);
}

static void config_file(const char *text)
{
	struct error e = { 0 };
	struct settings s;

	if (reads_files(text))
		return;
	settings_init(&s, "qemu-system-x86_64");
	if ((readconfig_text(&s, text, "fuzz", &e) < 0) != error_is_set(&e))
		abort();
	error_clear(&e);
	settings_fini(&s);
}

/* What is parsed and written again means the same. */
static void key_values(const char *text)
{
	struct keyvals kv = { 0 }, again = { 0 };
	struct error e = { 0 };

	if (!keyvals_parse(&kv, text, NULL, &e) && *text != '{') {
		char *written = keyvals_text(&kv);

		if (keyvals_parse(&again, written, NULL, NULL) || again.n != kv.n)
			abort();
		for (size_t i = 0; i < kv.n; i++)
			if (!str_eq(kv.at[i].key, again.at[i].key) ||
			    !str_eq(kv.at[i].value, again.at[i].value))
				abort();
		free(written);
	}
	error_clear(&e);
	keyvals_fini(&kv);
	keyvals_fini(&again);
	if ((host_chardev_spec(&kv, text, &e) < 0) != error_is_set(&e))
		abort();
	error_clear(&e);
	keyvals_fini(&kv);
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);
int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	char *text;

	if (!size)
		return 0;
	text = xstrndup((const char *)data + 1, size - 1);
	if (data[0] % 4 == 0)
		config_file(text);
	else if (data[0] % 4 == 1)
		key_values(text);
	else
		command_line(text);
	free(text);
	return 0;
}
