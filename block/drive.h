/* SPDX-License-Identifier: GPL-2.0-or-later */
/* drive.h - -drive: one line of keys that makes a stack of nodes, and says where the disk goes. */
#pragma once
#include "core/block.h"

enum drive_if {
	DRIVE_IDE,
	DRIVE_SCSI,
	DRIVE_SD,
	DRIVE_MTD,
	DRIVE_FLOPPY,
	DRIVE_PFLASH,
	DRIVE_VIRTIO,
	DRIVE_NONE
};
struct drive_defaults {
	enum drive_if interface; /* without if= */
	unsigned ide_units;	 /* disks on one IDE bus */
	bool snapshot;		 /* -snapshot */
};
/* NULL with a sentence. What the options say of the disk's place is in the drive. */
struct block *drive_new(struct machine *m, struct keyvals *kv, const struct drive_defaults *d,
			struct error *e);
/* -blockdev: a node that stays until it is deleted. */
int must_check blockdev_add(struct machine *m, struct keyvals *kv, struct error *e);
int must_check blockdev_del(struct machine *m, const char *name, struct error *e);
/* Opens an image for a drive that is there (change, -drive): format NULL = find out. */
struct block_node *drive_open_image(struct machine *m, const char *path, const char *format,
				    bool readonly, struct error *e);
/* What -snapshot kept apart goes into the images (`commit all`). */
int must_check drive_commit_all(struct machine *m, struct error *e);
