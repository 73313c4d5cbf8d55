/* SPDX-License-Identifier: GPL-2.0-or-later */
/* readline.c - line editing with the keys of a shell, control sequences of ECMA-48. What is typed
 * at the end of the line is echoed as it is, so that a log of the session stays readable. */
#include "mon/readline.h"
#include <ctype.h>
#include <stdio.h>

#define CTRL(c) ((c)&0x1f)
enum { ESC = 27, DEL = 127 };

static void put(struct readline *r, const char *text) { r->write(r->arg, text, strlen(text)); }

void readline_init(struct readline *r) { *r = (struct readline){ 0 }; }

void readline_fini(struct readline *r)
{
	for (size_t i = 0; i < r->history.n; i++)
		free(r->history.at[i]);
	vec_free(&r->history);
	free(r->typed);
}

/* ---- showing */

static void show_cursor(struct readline *r)
{
	char text[16];

	if (r->at == r->n)
		return;
	snprintf(text, sizeof(text), "\x1b[%uD", r->n - r->at);
	put(r, text);
}

void readline_prompt(struct readline *r)
{
	put(r, r->prompt);
	put(r, r->text);
	show_cursor(r);
}

static void redraw(struct readline *r)
{
	put(r, "\r\x1b[K");
	readline_prompt(r);
}

/* ---- editing */

static void set_text(struct readline *r, const char *text)
{
	r->n = r->at = (unsigned)snprintf(r->text, sizeof(r->text), "%s", text);
	redraw(r);
}

static void insert(struct readline *r, const char *text, size_t n)
{
	if (n > READLINE_LONGEST - r->n)
		return;
	memmove(r->text + r->at + n, r->text + r->at, r->n - r->at + 1);
	memcpy(r->text + r->at, text, n);
	r->n += (unsigned)n;
	r->at += (unsigned)n;
	if (r->at == r->n)
		r->write(r->arg, text, n);
	else
		redraw(r);
}

static void erase(struct readline *r, unsigned from, unsigned to)
{
	if (from >= to || to > r->n)
		return;
	memmove(r->text + from, r->text + to, r->n - to + 1);
	r->n -= to - from;
	r->at = from;
	redraw(r);
}

static void move_to(struct readline *r, unsigned at)
{
	r->at = MIN(at, r->n);
	redraw(r);
}

static unsigned word_before(const struct readline *r)
{
	unsigned i = r->at;

	while (i && isspace((unsigned char)r->text[i - 1]))
		i--;
	while (i && !isspace((unsigned char)r->text[i - 1]))
		i--;
	return i;
}

/* ---- history */

static void remember(struct readline *r)
{
	free(r->typed);
	r->typed = NULL;
	for (size_t i = 0; i < r->history.n; i++) {
		if (!str_eq(r->history.at[i], r->text))
			continue;
		free(r->history.at[i]);
		memmove(&r->history.at[i], &r->history.at[i + 1],
			(--r->history.n - i) * sizeof(char *));
		break;
	}
	if (r->history.n == READLINE_HISTORY) {
		free(r->history.at[0]);
		memmove(&r->history.at[0], &r->history.at[1], --r->history.n * sizeof(char *));
	}
	vec_push(&r->history, xstrdup(r->text));
	r->shown = r->history.n;
}

static void show_history(struct readline *r, int step)
{
	if ((step < 0 && !r->shown) || (step > 0 && r->shown >= r->history.n))
		return;
	if (r->shown == r->history.n) {
		free(r->typed);
		r->typed = xstrdup(r->text);
	}
	r->shown += (size_t)step;
	set_text(r, r->shown < r->history.n ? r->history.at[r->shown] : r->typed ? r->typed : "");
}

/* ---- completion */

struct words {
	VEC(char *) v;
};

static void add_word(void *arg, const char *word)
{
	struct words *w = arg;

	vec_push(&w->v, xstrdup(word));
}

static void show_words(struct readline *r, const struct words *w)
{
	size_t widest = 0;

	for (size_t i = 0; i < w->v.n; i++)
		widest = MAX(widest, strlen(w->v.at[i]));
	for (size_t i = 0; i < w->v.n; i++) {
		AUTO_FREE char *cell = xasprintf("%-*s", (int)widest + 2, w->v.at[i]);

		if (i % MAX((size_t)1, 79 / (widest + 2)) == 0)
			put(r, "\r\n");
		put(r, cell);
	}
	put(r, "\r\n");
	readline_prompt(r);
}

static void complete(struct readline *r)
{
	unsigned start = r->at;
	AUTO_FREE char *before = xstrndup(r->text, r->at);
	struct words w = { 0 };
	size_t common;

	if (!r->complete)
		return;
	while (start && !isspace((unsigned char)r->text[start - 1]))
		start--;
	r->complete(r->arg, before, add_word, &w);
	common = w.v.n ? strlen(w.v.at[0]) : 0;
	for (size_t i = 1; i < w.v.n; i++) {
		size_t k = 0;

		while (k < common && w.v.at[i][k] == w.v.at[0][k])
			k++;
		common = k;
	}
	if (common > r->at - start)
		insert(r, w.v.at[0] + (r->at - start), common - (r->at - start));
	else if (w.v.n > 1)
		show_words(r, &w);
	if (w.v.n == 1)
		insert(r, " ", 1);
	for (size_t i = 0; i < w.v.n; i++)
		free(w.v.at[i]);
	vec_free(&w.v);
}

/* ---- keys */

static void enter(struct readline *r)
{
	AUTO_FREE char *line = NULL;

	put(r, "\r\n");
	if (r->n)
		remember(r);
	r->shown = r->history.n;
	line = xstrdup(r->text);
	r->n = r->at = 0;
	r->text[0] = 0;
	r->line(r->arg, line);
}

static void plain_key(struct readline *r, u8 key)
{
	char c = (char)key;
	bool after_cr = r->was_cr;

	r->was_cr = key == '\r';
	switch (key) {
	case '\n':
		if (!after_cr)
			enter(r);
		break;
	case '\r':
		enter(r);
		break;
	case ESC:
		r->state = KEY_ESC;
		break;
	case '\t':
		complete(r);
		break;
	case '\b':
	case DEL:
		if (r->at)
			erase(r, r->at - 1, r->at);
		break;
	case CTRL('a'):
		move_to(r, 0);
		break;
	case CTRL('e'):
		move_to(r, r->n);
		break;
	case CTRL('b'):
		move_to(r, r->at ? r->at - 1 : 0);
		break;
	case CTRL('f'):
		move_to(r, r->at + 1);
		break;
	case CTRL('d'):
		erase(r, r->at, r->at + 1);
		break;
	case CTRL('k'):
		erase(r, r->at, r->n);
		break;
	case CTRL('u'):
		erase(r, 0, r->at);
		break;
	case CTRL('w'):
		erase(r, word_before(r), r->at);
		break;
	case CTRL('p'):
		show_history(r, -1);
		break;
	case CTRL('n'):
		show_history(r, 1);
		break;
	case CTRL('l'):
		put(r, "\x1b[H\x1b[2J");
		readline_prompt(r);
		break;
	default:
		if (key >= 32)
			insert(r, &c, 1);
	}
}

static void sequence(struct readline *r, u8 key)
{
	switch (key) {
	case 'A':
		show_history(r, -1);
		break;
	case 'B':
		show_history(r, 1);
		break;
	case 'C':
		move_to(r, r->at + 1);
		break;
	case 'D':
		move_to(r, r->at ? r->at - 1 : 0);
		break;
	case 'H':
		move_to(r, 0);
		break;
	case 'F':
		move_to(r, r->n);
		break;
	case '~':
		if (r->param == 1 || r->param == 7)
			move_to(r, 0);
		else if (r->param == 4 || r->param == 8)
			move_to(r, r->n);
		else if (r->param == 3)
			erase(r, r->at, r->at + 1);
		break;
	}
}

void readline_key(struct readline *r, u8 key)
{
	switch (r->state) {
	case KEY_PLAIN:
		plain_key(r, key);
		return;
	case KEY_ESC:
		r->state = key == '[' ? KEY_CSI : key == 'O' ? KEY_SS3 : KEY_PLAIN;
		r->param = 0;
		return;
	case KEY_CSI:
		if (isdigit(key)) {
			r->param = MIN(r->param * 10 + key - '0', 1000u);
			return;
		}
		if (key == ';')
			return;
		break;
	case KEY_SS3:
		break;
	}
	r->state = KEY_PLAIN;
	sequence(r, key);
}
