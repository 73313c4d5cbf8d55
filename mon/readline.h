/* SPDX-License-Identifier: GPL-2.0-or-later */
/* readline.h - a line typed by a person at a terminal without echo: editing, history, completion.
 */
#pragma once
#include "lib/alloc.h"
#include "lib/str.h"

enum { READLINE_LONGEST = 4095, READLINE_HISTORY = 64 };

struct readline {
	const char *prompt;
	void (*write)(void *arg, const char *text, size_t n);
	void (*line)(void *arg, const char *text); /* Enter: without the end of line */
	/* one call of fn for each word that the last one of text may become */
	void (*complete)(void *arg, const char *text, void (*fn)(void *arg, const char *word),
			 void *to);
	void *arg;

	char text[READLINE_LONGEST + 1];
	unsigned n, at; /* length, cursor */
	enum { KEY_PLAIN, KEY_ESC, KEY_CSI, KEY_SS3 } state;
	unsigned param;
	bool was_cr;
	VEC(char *) history;
	size_t shown; /* of the history; history.n: what is being typed */
	char *typed;  /* while the history is shown */
};

void readline_init(struct readline *r);
void readline_fini(struct readline *r);
/* Shows the prompt, and what was typed already. */
void readline_prompt(struct readline *r);
void readline_key(struct readline *r, u8 key);
