/* SPDX-License-Identifier: GPL-2.0-or-later */
/* session.h - one monitor session: its character device and what waits to be written to it. */
#pragma once
#include "core/chardev.h"
#include "core/command.h"
#include "lib/list.h"
#include "lib/str.h"
#include "mon/monitor.h"

struct session;

struct session_kind {
	void (*opened)(struct session *s);
	void (*closed)(struct session *s); /* may be NULL */
	void (*focus)(struct session *s);  /* may be NULL: as opened */
	void (*receive)(struct session *s, const u8 *buf, int n);
	/* an event; may be NULL */
	void (*event)(struct session *s, json_t *event);
	void (*fini)(struct session *s); /* releases s */
	/* a further client of the same server */
	void (*peer)(struct monitors *k, struct session *of, struct chardev *c);
};

/* The head of each kind's structure. */
struct session {
	const struct session_kind *kind;
	struct monitors *monitors;
	struct chardev *c;
	struct command_session commands;
	struct strbuf out; /* [at, n) waits for the peer */
	size_t at;
	bool further; /* a further client: its device is ours to free */
	bool ended;   /* and will be freed */
	bool lost;    /* the peer does not read: something was dropped */
	struct list link;
};

struct monitors {
	struct machine *m;
	struct list sessions;
};

void session_init(struct session *s, struct monitors *k, const struct session_kind *kind,
		  struct chardev *c);
/* Attaches: kind->opened may be called at once. */
void session_start(struct session *s);
void session_write(struct session *s, const char *text, size_t n);
/* The same with \r before each \n, as terminals want it. */
void session_write_lines(struct session *s, const char *text, size_t n);
void session_fini(struct session *s);

void human_new(struct monitors *k, struct chardev *c, bool further);
void qmp_new(struct monitors *k, struct chardev *c, bool pretty, bool further);
