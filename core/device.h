/* SPDX-License-Identifier: GPL-2.0-or-later */
/* device.h - the device framework's inside: creating, wiring and finding devices; boards and
 * monitors use it. The models' side is quern/device.h. */
#pragma once
#include <quern/device.h>
#include "../lib/list.h"
#include "space.h"

struct machine;
struct cpu;

struct device_core {
	struct machine *machine;
	struct device *dev;
	struct list link;    /* machine->devices */
	struct region *bank; /* one region per class bank, in order */
	unsigned nbanks;
	void *bus; /* the bus it sits on (struct pci_bus...), or NULL */
	/* inside a callback: accesses that come back are guest errors */
	bool busy;
	bool realized;
	u8 faulted; /* enum fault_kind: what is armed here */
	/* struct regbank (reg.h): of class banks and of what its bus made (PCI BARs) */
	struct list regbanks;
	const struct bus_type *bus_type;
	char *bus_name, *addr;	   /* the properties bus= and addr=, or NULL */
	struct irq_input *inputs;  /* what is connected to its inputs */
	struct irq_split *splits;  /* behind outputs that drive several inputs */
	struct irq_broken *broken; /* by output, while a fault may concern them */
	void (*input_watch)(void *arg, unsigned n, int level); /* irq_watch_inputs, or NULL */
	void *input_watch_arg;
	void *powerdown; /* device_on_powerdown's hook */
};

/* Classes by name or alias; NULL when there is none. Loading a shared object registers its classes
 * ("./crc.so" as a driver name does it). */
const struct device_class *device_class_find(const char *name);
/* As device_class_find, but of the classes that a name stands for ("virtio-rng") one that this
 * machine has a bus for. */
const struct device_class *device_class_for(struct machine *m, const char *name);
int must_check device_load_object(const char *path, const char **first_class, struct error *e);
void device_class_each(void (*fn)(void *arg, const struct device_class *c), void *arg);

/* Life: new (defaults set) -> set properties -> realize (init, banks made; NULL bus = a board's
 * own) -> ... -> free. id may be NULL (generated). */
struct device *device_new(struct machine *m, const char *class, const char *id, struct error *e);
int must_check device_set(struct device *d, const char *prop, const char *value, struct error *e);
int must_check device_set_u64(struct device *d, const char *prop, u64 value, struct error *e);
int must_check device_set_ptr(struct device *d, const char *prop, void *value, struct error *e);
int must_check device_realize(struct device *d, struct error *e);
void device_free(struct device *d);
/* new + realize for boards, properties as "a=1,b=x" or NULL. */
struct device *device_make(struct machine *m, const char *class, const char *id, const char *props,
			   struct error *e);
struct device *device_find(struct machine *m, const char *id);
/* By a path as `info qom-tree` shows it, or the end of one: an id, device[N] of those without a
 * bus, or the name of a class of which the machine has one device. NULL: none, or several. */
struct device *device_by_path(struct machine *m, const char *path);
void device_reset(struct device *d);
void device_reset_all(struct machine *m);

/* Where a device's bank shows: the region is the device's. */
struct region *device_bank(struct device *d, const char *name); /* NULL name = the first */
/* into machine->memory */
void device_map(struct device *d, const char *bank, u64 addr);
/* into machine->io */
void device_map_io(struct device *d, const char *bank, u16 port);

/* Lines: output `name`[n] of a drives the input. Asserts (our bug) when the output does not exist.
 */
void device_connect(struct device *a, const char *out, unsigned n, struct device *to,
		    unsigned input);
void irq_connect(struct device *a, const char *out, unsigned n,
		 void (*set)(void *to, unsigned n, int level), void *to, unsigned input);
struct irq *device_output(struct device *d, const char *out, unsigned n);
/* An input of a device as a line that code can drive. */
struct irq device_input(struct device *d, unsigned input);

/* Buses where -device places things: PCI is in bus/. A bus registers how a class with .bus = its
 * name is attached. */
struct bus_type {
	const char *name;
	/* plug a new device before realize: parse addr/bus properties; 0 or -errno */
	int (*plug)(struct device *d, const char *bus, const char *addr, struct error *e);
	void (*unplug)(struct device *d);
	/* All optional. unplug_request: press the slot's button, or whatever the bus has; when the
	 * guest has agreed, device_deleted (device_add.h). NULL: it stays until the end. created: a
	 * property that only this bus has needs a place. set: such a property; -ENOENT = not one of
	 * the bus's. */
	int (*unplug_request)(struct device *d, struct error *e);
	void (*created)(struct device *d);
	int (*set)(struct device *d, const char *prop, const char *value, struct error *e);
	/* after the class's init: map banks, connect lines. reset: before the device's registers.
	 * freed: after unplug, also without plug. */
	int (*realized)(struct device *d, struct error *e);
	void (*reset)(struct device *d);
	void (*freed)(struct device *d);
	/* Snapshots: what the bus keeps of a device, as keyed values (snapshot.h). */
	void (*save)(struct device *d, struct blob *b);
	int (*load)(struct device *d, struct blob *b, struct error *e);
	/* may it access memory now? what: "read" or "write", for the report; NULL: do not report.
	 * NULL = always */
	bool (*may_master)(struct device *d, const char *what, u64 addr);
	const struct prop *props; /* for help: the bus's own properties, ends with {} */
	/* Optional (fault.h): the points that a class has by this bus; what was delayed happens. */
	void (*fault_points)(const struct device_class *c,
			     void (*fn)(void *arg, const char *name, unsigned kind), void *arg);
	void (*late)(struct device *d, u32 what);
	/* Classes of this bus are no devices but descriptions of some: gives the classes made of
	 * one, each named "<its name>-something"; the name alone means the first. */
	void (*derive)(const struct device_class *c,
		       void (*add)(void *arg, const struct device_class *made), void *arg);
};
void bus_register(const struct bus_type *t);
const struct bus_type *bus_find(const char *name);
/* A bus of a machine: the head of the type's own structure, which must stay. */
struct bus {
	const struct bus_type *type;
	const char *name; /* "pci.0" */
	struct list link;
};
void bus_add(struct machine *m, struct bus *b, const struct bus_type *t, const char *name);
/* As bus_add, before those of the machine that there are: it is tried first. */
void bus_add_first(struct machine *m, struct bus *b, const struct bus_type *t, const char *name);
/* The next of b's type, or NULL. */
struct bus *bus_next(struct machine *m, const struct bus *b);
void bus_each(struct machine *m, void (*fn)(void *arg, struct bus *b), void *arg);
/* NULL name = the first of that type */
struct bus *bus_of(struct machine *m, const struct bus_type *t, const char *name);
#define BUS_TYPE(var) \
	static void __attribute__((constructor)) bus_reg_##var(void) { bus_register(&var); }

/* Tracing: names are `ID.point`, `ID.register`; globs; see row T2. Output lines go to the trace
 * sink (stderr or -D/-trace file). */
int must_check trace_enable(const char *glob, bool on, struct error *e);
void trace_set_file(const char *path, struct error *e);
void trace_list(void (*fn)(void *arg, const char *name, bool on), void *arg);
void trace_line(const char *fmt, ...) printf_like(1, 2);
/* Lint: report guest errors (-d guest_errors, --lint). */
enum lint_level { LINT_OFF, LINT_REPORT, LINT_STOP };
void lint_set(enum lint_level l);
enum lint_level lint_get(void);

/* Property names that mean the same: '-' and '_' are equal. */
bool prop_name_eq(const char *a, const char *b);
/* Who finds drives and network back ends by id for PROP_DRIVE and PROP_NETDEV: their rooms
 * register. NULL = no such thing (sentence set). */
void prop_resolver(enum prop_kind kind,
		   void *(*find)(struct machine *m, const char *id, struct error *e));
/* -device X,help: one call for each property: its name, its type ("uint32", "size", "on|off"...),
 * its default and its one sentence. */
void device_help(const struct device_class *c,
		 void (*line)(void *arg, const char *name, const char *type, const char *def,
			      const char *doc),
		 void *arg);
