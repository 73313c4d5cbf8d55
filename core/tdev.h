/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * tdev.h - drives one device without a guest: registers by name through its real banks, virtual
 * time by hand, interrupts counted. The machine has 1 MiB of RAM at 0, a PCI bus, and a counted
 * clock that stands still between tdev_run_us calls; a virtio-mmio slot whose line is output 0. A
 * mistake of the test (no such register) ends it with a message.
 */
#pragma once
#include "core/device.h"
#include "core/machine.h"
#include "core/reg.h"

struct tdev;
struct i2c_bus;

struct tdev *tdev_new(const char *class);
/* properties as "a=1,b=2". */
struct tdev *tdev_new_props(const char *class, const char *props);
/* The machine alone, and later the device for it. */
struct tdev *tdev_empty(void);
struct device *tdev_plug(struct tdev *t, const char *class, const char *props);
void tdev_free(struct tdev *t);
struct device *tdev_device(struct tdev *t);
struct machine *tdev_machine(struct tdev *t);
/* its PCI bus; the device is 0:0.0 */
struct pci_bus *tdev_pci(struct tdev *t);
/* its I2C bus "ti2c", which "lines" owns */
struct i2c_bus *tdev_i2c(struct tdev *t);
/* A register by name, or an element as "name[3]", in the register's own width or another one. */
u64 tdev_read(struct tdev *t, const char *reg, unsigned size);
void tdev_write(struct tdev *t, const char *reg, unsigned size, u64 val);
static inline u8 tdev_r8(struct tdev *t, const char *reg) { return tdev_read(t, reg, 1); }
static inline u16 tdev_r16(struct tdev *t, const char *reg) { return tdev_read(t, reg, 2); }
static inline u32 tdev_r32(struct tdev *t, const char *reg) { return tdev_read(t, reg, 4); }
static inline u64 tdev_r64(struct tdev *t, const char *reg) { return tdev_read(t, reg, 8); }
static inline void tdev_w8(struct tdev *t, const char *reg, u8 v) { tdev_write(t, reg, 1, v); }
static inline void tdev_w16(struct tdev *t, const char *reg, u16 v) { tdev_write(t, reg, 2, v); }
static inline void tdev_w32(struct tdev *t, const char *reg, u32 v) { tdev_write(t, reg, 4, v); }
static inline void tdev_w64(struct tdev *t, const char *reg, u64 v) { tdev_write(t, reg, 8, v); }
/* By bank (number in order of the class, PCI: of the BARs) and offset, for what has no register
 * name. */
u64 tdev_read_at(struct tdev *t, unsigned bank, u64 off, unsigned size);
void tdev_write_at(struct tdev *t, unsigned bank, u64 off, unsigned size, u64 val);
/* Lets virtual time pass; timers fire at their deadlines. */
void tdev_run_us(struct tdev *t, u64 us);
void tdev_run_ns(struct tdev *t, u64 ns);
/* How often vector n was signalled: PCI: MSI-X or MSI messages of vector n (enabled for the test),
 * others: rising edges of output n. */
unsigned tdev_irqs(struct tdev *t, unsigned n);
/* The level of an output by name and number; PCI: "intx". */
int tdev_level(struct tdev *t, const char *out, unsigned n);
/* RAM at a bus address. */
void *tdev_ram(struct tdev *t, u64 addr);
