/* SPDX-License-Identifier: GPL-2.0-or-later */
/* private.h - what the files of the debugger stub share. */
#pragma once
#include "gdb.h"
#include "packet.h"
#include "core/command.h"
#include "core/cpu.h"
#include "core/debug.h"
#include "core/machine.h"
#include "core/os.h"
#include "lib/alloc.h"

/* Signals by GDB's numbers, which are not the host's. */
enum { SIG_NONE = 0, SIG_INT = 2, SIG_QUIT = 3, SIG_TRAP = 5, SIG_ABRT = 6, SIG_ALRM = 14 };
/* CPU n is thread n + 1 of process 1; Linux's task with pid n is thread TASK_BASE + n. */
enum { GDB_PROCESS = 1, TASK_BASE = 10000000 };

/* Why one CPU stands, as a stop reply tells it. */
struct gdb_stop {
	u64 tid;
	u8 signal;
	const char *what; /* "watch", "swbreak", "library"..., or NULL */
	u64 addr;	  /* of a watch */
};

struct gdb {
	struct machine *m;
	struct debug_client client;
	struct list conns, ports;
	unsigned sstep;
	bool tasks;
	unsigned busy;		 /* inside of a packet's handling */
	struct gdb_conn *pauser; /* who makes the machine pause right now: nobody else is told */
	bool resume_posted;
	/* registers in the order of their numbers, and what tells a debugger so */
	const struct cpu_reg **regs;
	unsigned nregs, in_g;  /* the first ones make the g packet */
	const struct isa *isa; /* whose registers they are */
	const char *bfd_name;  /* its name, or NULL */
	char *target_xml;
	/* all tasks, as long as the machine stands */
	VEC(struct os_task) task;
	bool tasks_valid;
	/* modules.c */
	struct gdb_modules *modules;
	VEC(char *) dirs;
};

/* A range that a step does not leave unasked (vCont;r). */
struct gdb_range {
	u64 lo, hi;
};

struct gdb_conn {
	struct gdb *g;
	struct list link;
	struct chardev *c;
	bool peer; /* c is ours: freed when it is closed */
	bool connected;
	/* what was agreed upon */
	bool noack, multiprocess, swbreak, hwbreak, error_text, extended, nonstop, phys, libraries;
	bool library_owed; /* modules have changed where a breakpoint was met, which was told first
			    */
	bool moved;	   /* it has asked for qOffsets, as one with a file does */
	bool no_file;	   /* it has none, and there was none for it */
	bool told_slide;   /* how far the kernel was moved */
	u64 slide;
	bool waiting; /* all-stop: a stop reply is owed */
	u64 g_tid, c_tid;
	u8 *act; /* enum debug_resume of each CPU, while waiting or in non-stop mode */
	struct gdb_range *range;
	struct list points;
	VEC(struct gdb_stop) stops; /* non-stop: not yet acknowledged; [0] has been sent */
	VEC(struct gdb_stop) later; /* not yet among them */
	/* breakpoints are for these tasks only: a pid, a name */
	u32 only_pid;
	char only_comm[32];
	struct gdb_reader in;
	struct strbuf reply; /* the answer in the making */
	bool replied;	     /* the answer has gone, or none is due yet */
	struct strbuf out;   /* framed; what the peer did not take yet */
	struct strbuf last;  /* the last packet, for a NAK */
	size_t out_at;
	struct command_session session;
	struct gdb_file *files; /* vfile.c */
	char *text, *text_name; /* xfer.c: what is being read in parts */
};

/* ---- server.c */
void gdb_send(struct gdb_conn *c, const char *body, size_t n);
void gdb_notify(struct gdb_conn *c, const char *body, size_t n);
/* Output for the user: an O packet. */
void gdb_console(void *conn, const char *text, size_t n);
/* Answers: E and two digits (the protocol's own numbers, errno of old), or a sentence to a
 * debugger that shows it. */
enum { E_NONE = 1, E_MEM = 14, E_ARGS = 22 };
void gdb_error(struct gdb_conn *c, unsigned number);
void gdb_error_text(struct gdb_conn *c, unsigned number, const char *fmt, ...) printf_like(3, 4);
void gdb_ok(struct gdb_conn *c);
#define gdb_each_conn(c, g) \
	list_for_each (c, &(g)->conns, link) \
		if ((c)->connected)

/* One kind of packet: its first characters, and what answers. p is behind them; end is the
 * packet's end, where there is a NUL. An empty answer says that it is not known. */
struct gdb_packet {
	const char *name;
	void (*run)(struct gdb_conn *c, const char *p, const char *end);
};
extern const struct gdb_packet gdb_packets[]; /* ends with {} */
bool gdb_dispatch(const struct gdb_packet *table, struct gdb_conn *c, const char *p,
		  const char *end);
#define PACKET_HANDLER(name) void name(struct gdb_conn *c, const char *p, const char *end)

/* ---- run.c: stopping and going on */
void gdb_go(struct gdb *g);
void gdb_run_init(struct gdb *g);
void gdb_run_fini(struct gdb *g);
void gdb_put_id(struct gdb_conn *c, struct strbuf *b, u64 tid);
void gdb_tell_later(struct gdb_conn *c);
void gdb_interrupt(struct gdb_conn *c);
/* The connection lets go of what it asked for; resume: the machine goes on if nobody else holds
 * it. */
void gdb_leave(struct gdb_conn *c, bool resume);
PACKET_HANDLER(gdb_stop_reason);
PACKET_HANDLER(gdb_continue);
PACKET_HANDLER(gdb_step);
PACKET_HANDLER(gdb_continue_signal);
PACKET_HANDLER(gdb_step_signal);
PACKET_HANDLER(gdb_vcont);
PACKET_HANDLER(gdb_vcont_query);
PACKET_HANDLER(gdb_vstopped);
PACKET_HANDLER(gdb_vctrlc);
PACKET_HANDLER(gdb_vattach);
PACKET_HANDLER(gdb_set_nonstop);

/* ---- points.c */
void gdb_drop_points(struct gdb_conn *c);
/* Did one of its points stop the machine just now? Forgets it. */
bool gdb_point_met(struct gdb_conn *c, struct gdb_stop *stop, u64 va);
bool gdb_point_mine(const struct debug_point *p);
bool gdb_point_at(struct gdb_conn *c, u64 va);
PACKET_HANDLER(gdb_insert_point);
PACKET_HANDLER(gdb_remove_point);

/* ---- memory.c */
/* As thread tid sees it: how many of the n bytes there are, 0 = none. */
size_t gdb_read(struct gdb_conn *c, u64 tid, u64 addr, void *buf, size_t n);
PACKET_HANDLER(gdb_read_hex);
PACKET_HANDLER(gdb_read_binary);
PACKET_HANDLER(gdb_write_hex);
PACKET_HANDLER(gdb_write_binary);
PACKET_HANDLER(gdb_search);
PACKET_HANDLER(gdb_crc);
PACKET_HANDLER(gdb_phys_query);
PACKET_HANDLER(gdb_phys_set);

/* ---- regs.c, target.c */
void gdb_regs_init(struct gdb *g);
void gdb_regs_fini(struct gdb *g);
/* A register of a thread as hexadecimal digits, x where it is not known. */
void gdb_put_reg(struct gdb_conn *c, struct strbuf *b, u64 tid, unsigned number);
int must_check gdb_reg_u64(struct gdb *g, struct cpu *cpu, unsigned number, u64 *val);
/* What a debugger wants to see first at each stop: pc, stack and frame pointer. */
void gdb_put_expedited(struct gdb_conn *c, struct strbuf *b, u64 tid);
char *gdb_target_xml(const struct isa *isa, const char *bfd_name, const struct cpu_reg *const *regs,
		     unsigned n);
PACKET_HANDLER(gdb_read_regs);
PACKET_HANDLER(gdb_write_regs);
PACKET_HANDLER(gdb_read_reg);
PACKET_HANDLER(gdb_write_reg);

/* ---- threads.c */
/* The CPU that thread tid is, or that executes the task that it is; else NULL. */
struct cpu *gdb_cpu(struct gdb *g, u64 tid);
/* The same for memory and registers: some CPU, whatever tid is. */
struct cpu *gdb_any_cpu(struct gdb *g, u64 tid);
/* The task that it is, or NULL; good until the machine goes on. */
const struct os_task *gdb_task(struct gdb *g, u64 tid);
bool gdb_alive(struct gdb *g, u64 tid);
const struct os *gdb_os(struct gdb *g); /* NULL unless ready */
/* All tasks: fills g->task. */
void gdb_list_tasks(struct gdb *g);
char *gdb_threads_xml(struct gdb_conn *c);
/* The thread that an id of a packet means; false: there is none. GDB_ANY is the one of before. */
bool must_check gdb_pick(struct gdb_conn *c, const struct gdb_tid *id, u64 *tid);
PACKET_HANDLER(gdb_set_thread);
PACKET_HANDLER(gdb_thread_alive);
PACKET_HANDLER(gdb_current_thread);
PACKET_HANDLER(gdb_first_threads);
PACKET_HANDLER(gdb_more_threads);
PACKET_HANDLER(gdb_thread_info);

/* ---- xfer.c, osdata.c */
PACKET_HANDLER(gdb_xfer);
/* NULL: there is no such table. */
char *gdb_osdata(struct gdb_conn *c, const char *table);

/* ---- modules.c: kernel modules as libraries */
void gdb_modules_init(struct gdb *g);
void gdb_modules_fini(struct gdb *g);
/* Some debugger wants to know: watches the guest load and unload modules. */
void gdb_modules_watch(struct gdb *g);
/* Other directories are to be looked through. */
void gdb_files_changed(struct gdb *g);
/* The guest's kernel was found. */
void gdb_modules_known(struct gdb *g);
/* The guest has begun anew. */
void gdb_modules_reset(struct gdb *g);
/* Have some come or gone since the last call? */
bool gdb_modules_take(struct gdb *g);
bool gdb_modules_changed(const struct debug_point *p);
char *gdb_libraries_xml(struct gdb_conn *c);
/* The host's file of a module or NULL; only such files are given out by vFile. */
bool gdb_file_known(struct gdb *g, const char *path);

/* ---- symfile.c: the kernel's symbols as a file, which debuggers know under this name */
#define GDB_SYMFILE "/guest/vmlinux"
/* the same for one that takes it for a library */
#define GDB_LIBFILE "/guest/kernel"
bool gdb_symfile_known(struct gdb *g);
/* Where the kernel begins; 0 when it is not known. */
u64 gdb_kernel_base(struct gdb *g);
/* What was made; or a descriptor of the user's file, in which some bytes are to be others. */
struct gdb_symfile {
	struct strbuf made;
	int fd; /* or -1 */
	struct gdb_patch {
		u64 at;
		u32 value; /* little-endian */
	} patch[8];
	unsigned npatches;
};
bool must_check gdb_symfile_open(struct gdb_conn *c, struct gdb_symfile *f, bool library);
/* frames.c: its .debug_frame section; nothing when the kernel has no table */
void gdb_put_frames(struct gdb *g, struct strbuf *out, u64 slide);

/* ---- vfile.c */
void gdb_files_close(struct gdb_conn *c);
PACKET_HANDLER(gdb_vfile);
