/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_rig.h - for unit tests of the stub: a machine whose instructions do nothing but go on, a
 * debugger that is a character device, and a guest system with three tasks. */
#pragma once
#include "private.h"
#include "core/chardev.h"
#include "lib/test.h"

enum { RIG_RAM = 0x10000 };

struct rig {
	struct machine *m;
	struct gdb *g;
	struct rig_cpu {
		struct cpu cpu;
		u64 r[4], sp, ctl;
		u8 vec[16];
		unsigned ctl_writes;
	} * cpu[4];
	/* the debugger's side: what has arrived, and the last answer */
	struct rig_peer {
		struct rig *rig;
		struct chardev chr;
		struct strbuf got;
		char *answer;
		bool noack, wait, open;
		int takes; /* bytes at once; 0 = any */
	} peer[2];
};

struct rig *rig_new(unsigned ncpus);
void rig_free(struct rig *r);
/* Sends a packet and gives the answer's body; "" also when there is none. */
const char *rig_ask(struct rig_peer *p, const char *body);
const char *rig_ask_n(struct rig_peer *p, const char *body, size_t n);
/* The same, without escapes. */
const char *rig_text(struct rig_peer *p, const char *body);
/* Sends and lets the machine run until a stop reply or notification comes for it. */
const char *rig_run(struct rig_peer *p, const char *body);
void rig_raw(struct rig_peer *p, const char *bytes, size_t n);
/* The next packet that has arrived, or "". */
const char *rig_next(struct rig_peer *p);
void rig_open(struct rig_peer *p);
/* Linux is known from now on: pid 1 sleeps, 7 runs on CPU 1, kernel thread 2. */
void rig_know(struct rig *r);
/* What the user says is its vmlinux, or NULL. */
extern const char *rig_vmlinux;
