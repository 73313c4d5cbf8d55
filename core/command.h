/* SPDX-License-Identifier: GPL-2.0-or-later */
/* command.h - monitor commands: one table entry serves the human monitor, QMP, gdb's `monitor` and
 * the manual. A command lives in the room that knows its subject; whoever talks to a user (mon/,
 * gdb/) runs it by name through here. Names, arguments, results and texts follow QEMU's HMP and QMP
 * where those have the command (contract: clients parse them). All on the machine's thread. */
#pragma once
#include <jansson.h>
#include <quern/types.h>

struct machine;
struct chardev;
struct cpu;
struct error;
struct command;

/* Who asked, and where text goes; one per monitor session, the session's owner keeps it. */
struct command_session {
	struct machine *m;
	u32 cpu; /* index of the vCPU that commands speak of (`cpu N`, gdb's thread) */
	/* Shows text to the user (human monitors, gdb). Lines end with \n. */
	void (*out)(void *arg, const char *text, size_t n);
	void *arg;
	bool qmp;
	struct chardev *from; /* whose descriptors getfd takes; NULL = none come */
	/* what /fmt of x, xp and print was last; 0: x, 4 bytes */
	char format;
	u8 format_size;
	/* lines typed before, oldest first, for `info history`; NULL: none are kept */
	const char *(*history)(void *arg, unsigned n);
};

/* One call. `args` has what was given, checked against the table: present keys have the right type.
 * Borrowed by the command. */
struct command_call {
	struct command_session *s;
	struct machine *m;
	struct cpu *cpu;	       /* the session's; NULL while the machine has none */
	const struct command *command; /* as found in the table */
	json_t *args;
	/* Out: what QMP returns, a new reference; NULL = {}. Human sessions show it with `show`. */
	json_t *result;
};

/* Argument kinds. */
enum command_type {
	ARG_STRING,
	ARG_INT,     /* decimal, 0x hex; human: also $reg and + - * / ( ) expressions */
	ARG_SIZE,    /* 1M */
	ARG_BOOL,    /* on|off; QMP: true|false */
	ARG_FLAG,    /* human: -x (name's first letter, or `flag`); QMP: a boolean */
	ARG_FORMAT,  /* human: /8xw of x and xp; always there: see call_format */
	ARG_REST,    /* human: the rest of the line as it stands */
	ARG_KEYVALS, /* human: driver,key=value...; QMP: every further member as it is */
	ARG_ANY	     /* QMP: any JSON value; human: a string */
};
struct command_arg {
	const char *name;
	enum command_type type;
	bool optional;
	char flag; /* ARG_FLAG: the letter */
};

struct command {
	const char *hmp; /* "info registers", aliases behind |: "quit|q"; NULL = none */
	const char *qmp; /* "query-status"; NULL = none */
	const char *doc; /* one line, for help and the manual page */
	const struct command_arg *args; /* ends with {}; NULL = none */
	/* 0, or -errno with the sentence for the user in e; -ENODEV: what it speaks of is not there
	 * (QMP's class DeviceNotFound). Human output: command_print, and/or a result shown by
	 * `show`. */
	int (*run)(struct command_call *c, struct error *e);
	/* prints c->result for a human; NULL: run has printed all there is to see */
	void (*show)(struct command_call *c);
	bool any_time; /* also while the machine is frozen (migrate.h); queries are always */
	/* words that the argument being typed may become, for completion; may be NULL */
	void (*complete)(struct machine *m, void (*fn)(void *arg, const char *word), void *arg);
};
/* COMMAND(status, .hmp = "info status", .qmp = "query-status", ...) anywhere in a .c file. */
#define COMMAND(id, ...) \
	static const struct command command_##id = { __VA_ARGS__ }; \
	static const struct command *const command_##id##_p \
		__attribute__((section("quern_command"), used)) = &command_##id

/* Text for a human session; discarded in QMP. */
void command_print(struct command_call *c, const char *fmt, ...) printf_like(2, 3);
/* An argument by name: NULL, `def`, false when it was not given. Integers are 64 bits without sign
 * when their user takes them as such. */
const char *call_str(const struct command_call *c, const char *name);
s64 call_int(const struct command_call *c, const char *name, s64 def);
bool call_bool(const struct command_call *c, const char *name, bool def);
bool call_has(const struct command_call *c, const char *name);
/* /fmt: count, one of "xduoci", and the size of an item (0 with i when none was said). */
struct command_format {
	u32 count;
	char format;
	u8 size;
};
struct command_format call_format(const struct command_call *c, const char *name);

/* Runs a line as a human types it ("info registers -a"); output and errors go to s->out, errors
 * with the prefix "Error: ". 0, or -errno when it failed. */
int command_run_line(struct command_session *s, const char *line);
/* Runs a QMP command: *result is a new reference ({} when there is nothing to tell). -ENOENT:
 * no such command, and only then; -EINVAL: bad arguments; else what the command says. */
int must_check command_run_qmp(struct command_session *s, const char *name, json_t *args,
			       json_t **result, struct error *e);
/* Completions of the last word of a human's unfinished line, one call each. */
void command_complete(struct command_session *s, const char *line,
		      void (*fn)(void *arg, const char *word), void *arg);
void command_each(void (*fn)(void *arg, const struct command *c), void *arg);
const struct command *command_find_hmp(const char *line, const char **rest); /* longest match */
const struct command *command_find_qmp(const char *name);
/* "x /fmt addr": how a human calls it, from the table; the caller's to free. */
char *command_usage(const struct command *c);
/* The number that an expression yields: + - * / % & | ^ ~ ( ), 'c', 0x1f, $register of cpu (may be
 * NULL). *text is moved past it. */
int must_check command_expression(struct cpu *cpu, const char **text, u64 *val, struct error *e);
