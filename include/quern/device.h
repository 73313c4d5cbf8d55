/* SPDX-License-Identifier: MIT */
/* device.h - what a device model is made of: tables of what it has, functions for what it does.
 * Version QUERN_DEVICE_API. Callbacks of one device never run concurrently and time is virtual: a
 * device needs no lock, thread or host clock. */
#pragma once
#include "types.h"
#include "map.h"

#define QUERN_DEVICE_API 1

struct error;
struct device_core;
struct machine;
struct timer;
struct blob;
void error_set(struct error *e, const char *fmt, ...) printf_like(2, 3);

struct field {
	const char *name;
	u64 mask;
};
#define FIELD_(f) { #f, f },
#define FIELDS(...) \
	.fields = (const struct field[]) \
	{ \
		QUERN_MAP(FIELD_, __VA_ARGS__) { 0 } \
	}

/* One guest-visible register. The table is the register's only description: access, masking,
 * tracing, reset, snapshots, fault points, `info regs` and the manual page all read it. */
struct reg {
	const char *name, *doc;
	/* offset in the bank; offset of its value in the device struct */
	u32 at, off;
	/* array: count elements, stride bytes apart; 0 means a single one */
	u16 count, stride;
	u8 size; /* 1, 2, 4 or 8 bytes */
	/* no stored value: off is meaningless, get/set do everything */
	bool novalue;
	/* a 32-bit write to a 64-bit register is zero-extended, and its upper half is no place of
	 * its own; else the halves are */
	bool extend;
	/* value after reset; masks: read-only, write-1-clears, read-clears */
	u64 reset, ro, w1c, rclr;
	/* masks: write-1-sets; acts but is not stored; documented but not modelled (logged) */
	u64 w1s, pulse, unmodelled;
	const struct field *fields; /* if given, bits outside every field are reserved */
	u64 (*get)(void *dev, unsigned i, u64 val);  /* what a read returns; default: val */
	void (*set)(void *dev, unsigned i, u64 val); /* the side effect, after val is stored */
	bool (*locked)(void *dev, unsigned i);	     /* true: a write is refused at this time */
};
#define REG(off_, T, m, ...) \
	{ \
		.name = #m, .at = (off_), .off = offsetof(T, m), .size = sizeof(((T *)0)->m), \
		__VA_ARGS__ \
	}
#define REGS(off_, T, m, step, ...) \
	{ \
		.name = #m, .at = (off_), .off = offsetof(T, m), .stride = (step), \
		.size = sizeof(((T *)0)->m[0]), \
		.count = sizeof(((T *)0)->m) / sizeof(((T *)0)->m[0]), __VA_ARGS__ \
	}
#define RO .ro = ~0ull

/* A window of registers: memory or ports. Accesses that no reg answers go to read/write if given,
 * else are guest errors that read `float_value`. */
struct bank {
	const char *name;	/* "mmio", "data": how boards and traces name it */
	const struct reg *regs; /* ends with {}, or NULL */
	u64 size;
	/* bytes and halves of registers may be accessed (merged with the stored value) */
	bool narrow;
	/* .at of a register is its number, and the next number the next register, however wide they
	 * are: register files behind a pointer or a command byte. Accesses have a register's width
	 */
	bool numbered;
	/* access sizes that read/write take; 0 = 1..8; others are split or refused */
	u8 min, max;
	bool split; /* accesses wider than max are split into several */
	u64 (*read)(void *dev, u64 off, unsigned size);
	void (*write)(void *dev, u64 off, unsigned size, u64 val);
};

enum prop_kind {
	PROP_UINT,
	PROP_BOOL,
	PROP_SIZE,
	PROP_STR,
	PROP_CHARDEV,
	PROP_DRIVE,
	PROP_NETDEV,
	PROP_MAC,
	PROP_LINK,
	PROP_ONOFFAUTO, /* u8: enum on_off_auto */
	PROP_OBJECT,	/* what -object made; def_str: how the names of fitting kinds begin */
	PROP_LATENCY,	/* struct latency; def_str: "50us" */
	PROP_INT	/* signed: def, min and max are s64 */
};
enum on_off_auto { PROP_AUTO, PROP_ON, PROP_OFF };
/* How long something takes, as a property: latency=50us, latency=20us..80us, exp:MEAN,
 * normal:MEAN:DEVIATION, lognormal:MEDIAN:PERCENTILE99. What is in it is the core's. */
struct latency {
	u64 key, drawn, a, b;
	u8 kind;
};
/* One user-visible setting: -device crc,latency=50us. With `changed`, settable while running. */
struct prop {
	const char *name, *doc;
	u32 off;
	/* of a PROP_UINT or PROP_INT member: 1, 2, 4, 8; PROP_BOOL: 1; pointers otherwise */
	u8 size;
	u8 kind;	   /* enum prop_kind */
	u64 def, min, max; /* max 0 = whatever fits; PROP_INT: min 0, too */
	const char *def_str;
	void (*changed)(void *dev);
	/* taken without effect: the reason, which the user is told; there is no member then */
	const char *ignored;
};
#define PROP(T, m, ...) \
	{ \
		.name = #m, .off = offsetof(T, m), .size = sizeof(((T *)0)->m), __VA_ARGS__ \
	}

/* One member that is neither register nor property. Every byte of a device struct after its bus
 * head is claimed by exactly one table entry; `make check` fails on a byte that is not. */
struct state {
	const char *name;
	u32 off, size;
	enum { STATE_SAVED, STATE_TIMER, STATE_DERIVED, STATE_IRQ, STATE_CUSTOM } kind;
	void (*fire)(void *dev);
	void (*save)(void *dev, struct blob *b); /* STATE_CUSTOM: what is not plain bytes */
	int (*load)(void *dev, struct blob *b);
};
#define STATE(T, m) \
	{ \
#m, offsetof(T, m), sizeof(((T *)0)->m), STATE_SAVED \
	}
#define TIMER(T, m, fn) \
	{ \
#m, offsetof(T, m), sizeof(((T *)0)->m), STATE_TIMER, fn \
	}
#define DERIVED(T, m) \
	{ \
#m, offsetof(T, m), sizeof(((T *)0)->m), STATE_DERIVED \
	}
#define IRQ_OUT(T, m) \
	{ \
#m, offsetof(T, m), sizeof(((T *)0)->m), STATE_IRQ \
	} /* struct irq or an array of them: named outputs */

struct device_class {
	/* QUERN_DEVICE_API, filled by DEVICE(); of a shared object, the loader checks what
	 * QUERN_REGISTER left */
	u32 api;
	const char *name, *doc;
	/* what it plugs into: NULL = a board's own (memory/port) device, "isa", "pci", "i2c", ...
	 */
	const char *bus;
	u32 size;		  /* of the device struct; the core allocates it zeroed */
	const struct bank *banks; /* each table ends with {} */
	const struct prop *props;
	const struct state *state;
	unsigned inputs; /* number of interrupt/GPIO inputs */
	void (*input)(void *dev, unsigned n, int level);
	/* all optional. properties are set; wire things up. 0 or -errno */
	int (*init)(void *dev, struct error *e);
	void (*reset)(void *dev);  /* after the tables have reset every register */
	void (*loaded)(void *dev); /* after a snapshot: recompute DERIVED members */
	/* the machine pauses, time stands still: hand out what waits for more */
	void (*stopped)(void *dev);
	/* seldom needed: what was acquired through dev is released with it */
	void (*fini)(void *dev);
	/* an interface by agreement of bus or board (e.g. struct cpu_intc), or NULL */
	const void *iface;
	/* tells people what no register does, line by line, and the subject under which the monitor
	 * shows it among others ("pic"); info without a topic is shown by name only */
	void (*info)(void *dev, void (*line)(void *arg, const char *text), void *arg);
	const char *info_topic;
	/* accesses that arrive while a callback of it runs are allowed (interrupt controllers) */
	bool reentrant;
};
struct device {
	const struct device_class *class;
	const char *id;
	struct device_core *core;
};

/* Registers a class: DEVICE(pit, .name = "pit", ...) for struct pit, whose first member is struct
 * device dev. Buses have their own macro. */
#define DEVICE(T, ...) \
	_Static_assert(offsetof(struct T, dev) == 0, "struct device comes first"); \
	static const struct device_class T##_class = { .api = QUERN_DEVICE_API, \
						       .size = sizeof(struct T), \
						       __VA_ARGS__ }; \
	QUERN_REGISTER(T##_class)
/* A pointer in the quern_device section; of a shared object, the loader finds the section. */
#define QUERN_REGISTER(class_) \
	static const u32 class_##_api __attribute__((section("quern_api"), used)) = \
		QUERN_DEVICE_API; \
	static const struct device_class *const class_##_p \
		__attribute__((section("quern_device"), used)) = \
			(const struct device_class *)&class_

/* --- time: virtual nanoseconds since the machine started */
/* deadline 0: stopped */
struct timer {
	u64 deadline;
	struct device *dev;
	void (*fire)(void *dev);
	u32 slot, late; /* the core's */
};
void timer_start(struct timer *t, u64 ns); /* fires ns from now (at least 1) */
/* fires at an absolute time, at once when that is past */
void timer_at(struct timer *t, u64 deadline);
void timer_stop(struct timer *t);
u64 clock_ns(const void *dev);
/* ns that a latency property says this time: a fixed time, or the next draw of its distribution,
 * which the machine's seed decides */
u64 latency_ns(void *dev, struct latency *l);
/* guest wall clock, ns since the Unix epoch */
u64 clock_wall(const void *dev);

/* --- interrupt and GPIO lines: an output is a struct irq in the device, listed by IRQ_OUT; boards
 * connect it to an input */
struct irq {
	void (*set)(void *to, unsigned n, int level);
	void *to;
	unsigned n;
	u8 level;
	struct irq_broken *broken; /* the core's: NULL, or a fault may concern it */
};
/* 0 or 1; forwards changes of level only; unconnected is allowed */
void irq_set(struct irq *irq, int level);
void irq_pulse(struct irq *irq); /* 1 then 0 */

/* --- memory as the device's bus sees it */
/* 0 or -EFAULT (reported as a guest error) */
int must_check dev_dma_read(void *dev, u64 addr, void *buf, size_t n);
int must_check dev_dma_write(void *dev, u64 addr, const void *buf, size_t n);

/* --- character back ends (console, file, socket); a PROP_CHARDEV member is a struct chardev * or
 * NULL */
struct chardev;
struct chardev_user {
	int (*room)(void *dev); /* how many bytes can be received now */
	void (*receive)(void *dev, const u8 *buf, int n);
	void (*event)(void *dev, int event); /* enum chardev_event */
};
/* FOCUS: of several front ends that share a back end, this one gets the input from now on.
 * WRITABLE: after a write that took less than all, there is room again. Unknown events are to be
 * ignored. */
enum chardev_event {
	CHARDEV_OPENED,
	CHARDEV_CLOSED,
	CHARDEV_BREAK,
	CHARDEV_FOCUS,
	CHARDEV_WRITABLE
};
/* NULL u detaches */
void chardev_attach(struct chardev *c, void *dev, const struct chardev_user *u);
/* bytes taken: all of them unless the peer is slow */
int chardev_write(struct chardev *c, const u8 *buf, int n);
void chardev_room(struct chardev *c); /* receiving is possible again */
/* a break condition on the line, where the back end has such a thing */
void chardev_send_break(struct chardev *c);

/* A reset bit of the device's own: every register to its reset value, then the class's reset. Its
 * bus (configuration space, interrupt vectors) stays as it is. */
void device_reset_registers(void *dev);

/* --- the machine, as far as devices may act on it */
void device_request_reset(void *dev);	 /* guest-caused system reset */
void device_request_shutdown(void *dev); /* guest-caused power-off */
/* end the emulator with this exit status (isa-debug-exit) */
void device_exit(void *dev, int code);
void device_guest_panicked(void *dev);
void device_watchdog_expired(void *dev); /* -action watchdog= says what follows */
/* tells whoever watches the machine (QMP): data is a JSON object */
void device_event(void *dev, const char *name, const char *data);
/* fn when the user presses the power button */
void device_on_powerdown(void *dev, void (*fn)(void *dev));
/* every register as after a reset, for a reset that a register asks for */
void device_reset_regs(void *dev);
void device_random(void *dev, void *buf, size_t n); /* guest-visible randomness */
void *device_peer(void *dev, const char *id);	    /* another device's struct by id, or NULL */

/* --- snapshots of what is not plain bytes */
void blob_put(struct blob *b, const void *p, size_t n);
/* 0 or -EINVAL when the data is short */
int must_check blob_get(struct blob *b, void *p, size_t n);

/* --- in init: what no table can say */
/* A bank of registers that are known only now. It, its table and its names stay the device's, in
 * memory of its own. 0, or -errno with a sentence. */
int must_check device_add_bank(void *dev, const struct bank *bank, struct error *e);
/* The contents of a host file that a setting names, of at most max bytes and a NUL behind them: the
 * caller's to free. 0, or -errno with a sentence. */
int must_check device_file(void *dev, const char *path, size_t max, char **data, size_t *n,
			   struct error *e);

/* --- seeing and breaking */
struct point {
	const char *name, *file;
	int line;
	u8 on;
};
#define POINT_(sec, n_) \
	({ \
		static struct point p_ = { n_, __FILE__, __LINE__, 0 }; \
		static struct point *const pp_ __attribute__((section(sec), used)) = &p_; \
		pp_; \
	})
/* trace(d, "dma", "src=%#lx", src): off, it costs one predictable branch. Enable: -trace crc0.dma
 */
#define trace(d, nm, ...) \
	do { \
		struct point *q_ = POINT_("quern_trace", nm); \
		if (__builtin_expect(q_->on, 0)) \
			trace_emit(q_, d, __VA_ARGS__); \
	} while (0)
/* if (fault(d, "stuck")) return;  Arm: -fault crc0.stuck,probability=10,interval=5,times=3 (as in
 * Linux) */
#define fault(d, nm) \
	({ \
		struct point *q_ = POINT_("quern_fault", nm); \
		__builtin_expect(q_->on, 0) && fault_fires(q_, d); \
	})
void trace_emit(const struct point *p, const void *dev, const char *fmt, ...) printf_like(3, 4);
bool fault_fires(struct point *p, const void *dev);
void guest_error(const void *dev, const char *fmt, ...) printf_like(2, 3);
/* Documented behaviour that the model lacks: reported once per text, always. */
void unimplemented(const void *dev, const char *fmt, ...) printf_like(2, 3);
