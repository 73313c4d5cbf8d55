/* SPDX-License-Identifier: MIT */
/* i2c.h - I2C and SMBus (NXP UM10204, SMBus 3.1): targets, and what masters do on a bus. A target
 * is a table of registers behind a pointer, or functions for each byte. Every target has the fault
 * points "nack" (it does not answer) and "corrupt" (one bit of a byte is wrong), every master
 * "stuck" (something holds the clock) and "lost" (another master wins). */
#pragma once
#include "device.h"

/* How the registers of the class's first bank are reached: the first bytes of a message are the
 * pointer, what follows are registers. Registers of a bank that is .narrow go byte by byte; others
 * are read and written as a whole. */
struct i2c_pointer {
	u8 bytes;	 /* of the pointer, high byte first: 1 or 2; 0 = no such thing */
	bool big_endian; /* registers of several bytes: high byte first */
	bool stays;	 /* does not go on behind a register: its bytes come again */
	bool pec;	 /* one register a message, and a packet error code may follow it */
};
struct i2c_class {
	struct device_class dev; /* .bus = "i2c-bus" */
	u8 address;		 /* 7 bits, where address= says no other; 0: it must */
	struct i2c_pointer pointer;
	/* All optional; without send and recv, the pointer answers. start: 0, or -errno: the
	 * address is not acknowledged. It comes again when the direction changes, with no stop
	 * between. */
	int (*start)(void *dev, bool recv);
	int (*send)(void *dev, u8 byte); /* 0, or -errno: the byte is not acknowledged */
	u8 (*recv)(void *dev);
	void (*stop)(void *dev);
};
#define I2C_DEVICE(T, ...) \
	_Static_assert(offsetof(struct T, dev) == 0, "struct device comes first"); \
	static const struct i2c_class T##_class = { __VA_ARGS__ }; \
	QUERN_REGISTER(T##_class)

/* In init: another pointer than the class's. */
void i2c_set_pointer(void *dev, const struct i2c_pointer *p);
u8 i2c_address(const void *dev);
/* The packet error code of all bytes since the message's first start. */
u8 i2c_pec(const void *dev);

/* --- masters: a bus of this device, in init. name is copied. NULL with a sentence */
struct i2c_bus;
struct i2c_bus *i2c_bus_new(void *owner, const char *name, struct error *e);
void i2c_bus_free(struct i2c_bus *b); /* and what is on it. In fini; NULL is allowed */
/* A start or, in a message, a repeated one, and the address. 0, -ENXIO: nobody answers, -EAGAIN:
 * arbitration is lost, -ETIMEDOUT: the clock is held. After an error the bus is free again. */
int must_check i2c_start(struct i2c_bus *b, u8 address, bool recv);
int must_check i2c_send(struct i2c_bus *b, u8 byte); /* 0, or -EIO: not acknowledged */
u8 i2c_recv(struct i2c_bus *b);
void i2c_stop(struct i2c_bus *b);

/* --- the protocols of SMBus */
enum smbus_protocol {
	SMBUS_QUICK,
	SMBUS_BYTE, /* sends `command`, or receives data[0] */
	SMBUS_BYTE_DATA,
	SMBUS_WORD_DATA, /* low byte first */
	SMBUS_PROC_CALL,
	SMBUS_BLOCK,
	SMBUS_BLOCK_PROC_CALL
};
enum { SMBUS_BLOCK_MAX = 32 };
struct smbus {
	u8 protocol, address, command;
	bool recv, pec;
	u8 n; /* of a block; in and out */
	u8 data[SMBUS_BLOCK_MAX];
	unsigned bytes; /* out: how many were on the wire, addresses too */
};
/* 0, or -errno of the above; -EBADMSG: the packet error code is wrong, -EPROTO: no block has so
 * many bytes. */
int must_check smbus_transfer(struct i2c_bus *b, struct smbus *s);
u8 smbus_pec(u8 pec, u8 byte);
