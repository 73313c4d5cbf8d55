/* SPDX-License-Identifier: GPL-2.0-or-later */
/* smbus_host.h - what the SMBus host controllers of PIIX4 and ICH have in common: status, control,
 * address, command and data registers, and a buffer for blocks. */
#pragma once
#include <quern/i2c.h>
#include <quern/pci.h>

enum {
	STS_BUSY = BIT(0),
	STS_INTR = BIT(1),
	STS_DEV_ERR = BIT(2),
	STS_BUS_ERR = BIT(3),
	STS_FAILED = BIT(4),
	STS_ENDS = STS_INTR | STS_DEV_ERR | STS_BUS_ERR | STS_FAILED,
	CNT_INTREN = BIT(0),
	CNT_KILL = BIT(1),
	CNT_PROTOCOL = GENMASK(4, 2),
	CNT_START = BIT(6),
	ADD_READ = BIT(0),
	ADD_ADDRESS = GENMASK(7, 1),
};

struct smbus_host {
	struct pci_device pci;
	struct i2c_bus *bus;
	/* the status changed: interrupts follow */
	void (*update)(struct smbus_host *h);
	struct timer timer;
	u8 hststs, hstcnt, hstcmd, hstadd, hstdat0, hstdat1;
	u8 index, block[SMBUS_BLOCK_MAX];
	/* what becomes visible when the transfer's time is over */
	u8 late_sts, late_n, late_recv, late_bad_pec, late[SMBUS_BLOCK_MAX];
	u8 pad[5];
};

/* Time on the wire of so many bytes: eight bits and an acknowledgement each at 100 kHz. */
static inline u64 smbus_ns(unsigned bytes) { return (bytes * 9ull + 2) * 10000; }
/* The status that tells of an error of the bus; a held clock shows after SMBus's time-out. */
u8 smbus_host_status(int err);
/* One whole transfer: protocol, command, pec and, of blocks, n are the caller's, the rest is in the
 * registers. What it brings shows when its time is over. */
void smbus_host_transfer(struct smbus_host *h, struct smbus *s);
/* The timer's end of that: registers get what came; true when the packet error code was wrong. */
bool smbus_host_done(struct smbus_host *h);
void smbus_host_kill(struct smbus_host *h);
void smbus_host_reset(struct smbus_host *h);
/* Block data, at the place where the index stands. */
u8 smbus_host_block_read(struct smbus_host *h);
void smbus_host_block_write(struct smbus_host *h, u8 val);

/* In the state table of a controller, whose timer does `fire`. */
#define SMBUS_HOST_STATE(fire) \
	DERIVED(struct smbus_host, bus), DERIVED(struct smbus_host, update), \
		TIMER(struct smbus_host, timer, fire), STATE(struct smbus_host, index), \
		STATE(struct smbus_host, block), STATE(struct smbus_host, late_sts), \
		STATE(struct smbus_host, late_n), STATE(struct smbus_host, late_recv), \
		STATE(struct smbus_host, late_bad_pec), STATE(struct smbus_host, late), \
		DERIVED(struct smbus_host, pad)
