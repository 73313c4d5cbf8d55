/* SPDX-License-Identifier: MIT */
/*
 * block.h - what a disk model sees of what is behind it: requests with scatter lists that end
 * later, on the machine's thread. A property of kind PROP_DRIVE is a struct block * or NULL. Times
 * are the guest's: an end arrives like any other input, never from inside block_submit.
 */
#pragma once
#include "device.h"
#include "dma.h"

struct block;
struct block_node;
struct block_list {
	struct block_list *next, *prev;
};

enum block_op {
	BLOCK_READ,
	BLOCK_WRITE,
	BLOCK_FLUSH,   /* all writes that have ended are on stable storage */
	BLOCK_DISCARD, /* contents are of no use any more */
	BLOCK_ZEROES   /* reads as zeroes from now on */
};
enum {
	BLOCK_FUA = 1 << 0,   /* write, zeroes: ends when it is on stable storage */
	BLOCK_UNMAP = 1 << 1, /* zeroes: may free the space */
};

/* The caller's memory until `done`; zero what is not set. */
struct block_req {
	u8 op, flags;
	u32 nvec;
	const struct iovec *vec; /* read, write: bytes in all */
	u64 at, bytes;		 /* of the disk; any alignment */
	/* err: 0 or -errno: -EIO, -ENOSPC, -ENOMEDIUM, -EROFS, -EINVAL (beyond the end), -ENOTSUP,
	 * -ECANCELED (block_drain) */
	void (*done)(struct block_req *r, int err);
	void *arg;  /* the caller's */
	void *user; /* the device that block_attach named */
	/* the block layer's own */
	struct block *block;
	struct block_node *node;
	struct block_list link;
	u64 due, started;
	int err;
	u8 ended, op_asked;
};

struct block_user {
	/* after some done() calls in a row: the time to raise one interrupt for all */
	void (*batch)(void *dev);
	void (*resized)(void *dev); /* block_info tells the new size */
	/* Removable media only. The medium is another one, or there is none; */
	void (*media)(void *dev, bool inserted);
	/* the user wants the tray open (the device asks the guest, as hardware does); */
	void (*eject_request)(void *dev, bool force);
	bool (*tray_open)(void *dev);
	bool (*medium_locked)(void *dev);
};

struct block_info {
	u64 size; /* bytes; 0 without a medium */
	bool inserted, readonly;
	bool write_cache; /* what a disk says of its cache at power-on: cache= of the drive */
	bool discard;	  /* discards reach the storage */
	/* smallest unit without read-modify-write on the host, and its best one; at least 512 */
	u32 align, optimal;
};

/* Claims the drive; -EBUSY when another device has it, -EROFS when `writes` is asked for and it is
 * read-only. An empty drive is -ENOMEDIUM unless u has `media`. */
int must_check block_attach(struct block *b, void *dev, const struct block_user *u, bool writes,
			    struct error *e);
/* Ends what is under way (block_drain) and lets go. NULL b is allowed. */
void block_detach(struct block *b);
void block_info(const struct block *b, struct block_info *info);
void block_submit(struct block *b, struct block_req *r);
/* Requests between the two reach the host in one go; they nest. */
void block_plug(struct block *b);
void block_unplug(struct block *b);
/* Waits for all requests under way; their done() has been called when it returns. What was held
 * back after an error ends with -ECANCELED. For resets. */
void block_drain(struct block *b);
/* Without a cache every write is on stable storage before it ends. */
void block_set_write_cache(struct block *b, bool on);
/* Tells the user's side of a tray that the guest moved. */
void block_tray_moved(struct block *b, bool open);
/* "drive0", or the node's name: for messages. */
const char *block_name(const struct block *b);
/* Convenience: a buffer, now; only from init, where nothing runs yet. */
int must_check block_read_now(struct block *b, u64 at, void *buf, size_t n);
