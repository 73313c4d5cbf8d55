/* SPDX-License-Identifier: GPL-2.0-or-later */
/* packet.h - packets of the GDB Remote Serial Protocol (GDB manual, appendix E.1): framing,
 * checksums, hexadecimal and escaped binary data, numbers and thread ids in their arguments. */
#pragma once
#include <quern/types.h>
#include "lib/str.h"

enum {
	/* What we tell as PacketSize: 128 KiB of memory in hexadecimal and some words around. */
	GDB_PACKET_MAX = 0x40040
};

/* What arrives, cut into packets. `struct gdb_reader r = { .fn = ... }` starts empty. */
enum gdb_event {
	GDB_PACKET,  /* body[0..n) with a NUL behind */
	GDB_BAD_SUM, /* a packet with a wrong checksum */
	GDB_ACK,
	GDB_NAK,
	GDB_INTERRUPT /* Ctrl-C between packets */
};
struct gdb_reader {
	void (*event)(void *arg, enum gdb_event e, char *body, size_t n);
	void *arg;
	char *body;
	size_t n, cap;
	enum { READ_IDLE, READ_BODY, READ_SUM } state;
	bool too_long;
	u8 sum, digits;
	char digit[2];
};
void gdb_feed(struct gdb_reader *r, const u8 *buf, size_t n);
void gdb_reader_fini(struct gdb_reader *r);

/* Appends $body#sum to out. */
void gdb_frame(struct strbuf *out, char lead, const char *body, size_t n);

void gdb_put_hex(struct strbuf *b, const void *data, size_t n);
/* Characters that mean something in a packet are escaped. */
void gdb_put_binary(struct strbuf *b, const void *data, size_t n);
/* A part of a longer text, as qXfer and vFile:pread hand it out: m or l and the bytes from `at`. */
void gdb_put_part(struct strbuf *b, const char *text, size_t size, u64 at, u64 len);
/* 2 * n digits into n bytes; -EINVAL when some is no digit. */
int must_check gdb_get_hex(const char *digits, void *data, size_t n);
/* Unescapes in place; the new size. */
size_t gdb_unescape(char *data, size_t n);

/* Arguments: a cursor that moves on. False: there was none. */
bool must_check gdb_number(const char **p, u64 *v); /* hexadecimal */
bool must_check gdb_word(const char **p, const char *word);
/* A thread id, "p1.2", "p1", "2", "-1", "0". A process of 0 means it was not named. */
enum { GDB_ANY = 0, GDB_ALL = -1 };
struct gdb_tid {
	s64 pid, tid;
};
bool must_check gdb_thread_id(const char **p, struct gdb_tid *id);
