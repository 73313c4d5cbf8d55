/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ata.h - what ATA controllers and the drives on them say to each other. A controller collects a
 * command's registers and moves its data; a drive executes it. ATA8-ACS, SFF-8020i and MMC-5. */
#pragma once
#include <quern/block.h>
#include <quern/dma.h>
#include <quern/slots.h>

enum {
	ST_ERR = 0x01,
	ST_DRQ = 0x08,
	ST_DSC = 0x10,
	ST_DF = 0x20,
	ST_DRDY = 0x40,
	ST_BSY = 0x80,
	ER_ABRT = 0x04,
	ER_IDNF = 0x10,
	ER_UNC = 0x40,
	DEV_LBA = 0x40,
	DEV_SLAVE = 0x10,
	/* ATAPI: the sector count is the interrupt reason */
	REASON_CD = 0x01,
	REASON_IO = 0x02,
	SECTOR = 512,
	CD_SECTOR = 2048,
	PIO_BYTES = 64 << 10,
};

/* The registers, and how far the command is: plain data. */
struct ata_tf {
	u64 lba;	    /* 48 bits: the registers and, above, what was in them before */
	u16 feature, count; /* likewise */
	u8 device, command, status, error;
	u8 cdb[16];
	bool have_cdb, ncq;
	u8 tag, phase;
	u64 at, left, moved; /* bytes of the disk; bytes of the transfer so far */
	u32 chunk;
	bool dma, out, irq, fua;
};
struct ata_drive;
struct ata_host;
struct ata_cmd {
	struct block_req b;
	struct ata_tf tf;
	struct ata_drive *drive;
	const struct ata_host *host;
	void *port; /* the controller's */
	struct dma_list list;
	struct iovec vec;
	u8 *trim; /* ranges of a data set management command */
	u32 trims, trim_at;
	bool busy; /* from ata_start to host->done */
};

/* What a controller does for a command. */
struct ata_host {
	/* c->list = the guest's memory for the next `bytes`; -EAGAIN: not yet, ata_dma_ready will
	 * follow; -EFAULT: there is none */
	int (*dma)(struct ata_cmd *c, u64 bytes, bool to_guest);
	/* Moves n bytes between buf and the guest, then calls ata_pio_done. irq: the guest waits
	 * for an interrupt before it moves them. */
	void (*pio)(struct ata_cmd *c, u8 *buf, u32 n, bool out, bool irq);
	void (*done)(struct ata_cmd *c); /* status and error are in c->tf */
	void (*batch)(void *port);
};

struct ata_drive {
	struct device dev;
	struct block *drive;
	char *serial, *model, *ver;
	u64 wwn;
	u32 logical_block_size, physical_block_size, cyls, heads, secs, rotation_rate;
	bool write_cache_on;
	/* state */
	bool cdrom, write_cache, look_ahead, smart, locked, tray_open, media_changed, new_media;
	u8 multi, udma, mwdma, pio_mode, sense, asc, ascq;
	u8 power, unit; /* unit: its number among all, for names */
	bool sata;
	u8 pad[6];
	u32 cur_heads, cur_secs;
	u8 buf[PIO_BYTES]; /* of the one command that is no queued one */
	u8 ncq_error[16];  /* of the last queued command that failed */
	/* derived */
	void *port; /* of the controller: for events */
	const struct ata_host *host;
};

/* ata.c */
void ata_start(struct ata_cmd *c);
void ata_pio_done(struct ata_cmd *c);
void ata_dma_ready(struct ata_cmd *c);
void ata_done(struct ata_cmd *c, u8 error);
/* After a reset: registers that say what is there, and a diagnostic code. */
void ata_signature(const struct ata_drive *d, struct ata_tf *tf);
void ata_drive_reset(struct ata_drive *d);
/* Calls a command off; block_drain comes first. */
void ata_forget(struct ata_cmd *c);
void ata_submit(struct ata_cmd *c, u8 op, u64 at, u64 bytes,
		void (*done)(struct block_req *b, int err));
static inline struct ata_cmd *ata_cmd_of(struct block_req *b)
{
	return container_of(b, struct ata_cmd, b);
}
/* data from the drive's buffer, without more work on either side */
void ata_give(struct ata_cmd *c, u32 n);
/* ata_identify.c */
void ata_identify(struct ata_drive *d, u8 *buf);
void ata_text(u8 *at, unsigned n, const char *s); /* two letters of a word are swapped */
/* ata_disk.c, atapi.c: start and the steps after data has moved */
void ata_disk_start(struct ata_cmd *c);
void ata_disk_pio_done(struct ata_cmd *c);
void ata_disk_dma_ready(struct ata_cmd *c);
void atapi_start(struct ata_cmd *c);
void atapi_pio_done(struct ata_cmd *c);
void atapi_dma_ready(struct ata_cmd *c);
/* atapi_cmds.c: fills d->buf; bytes to send, or -1 with the sense set, or -2: a read, see c->tf */
int atapi_execute(struct ata_cmd *c);
void atapi_sense(struct ata_drive *d, u8 sense, u8 asc, u8 ascq);
extern const struct block_user ata_disk_user, atapi_user;
