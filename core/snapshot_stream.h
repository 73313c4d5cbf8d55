/* SPDX-License-Identifier: GPL-2.0-or-later */
/* snapshot_stream.h - a snapshot's bytes on their way through a descriptor, and what is too large
 * to be held: RAM and the temporary layers of disks. Any thread, while the machine stands still. */
#pragma once
#include "core/snapshot.h"

struct block;
struct block_node;
struct region;

struct stream {
	int fd;
	bool socket, fifo; /* asked for by stream_init */
	struct error *e;
	struct snapshot_progress *progress;
	size_t n, pos; /* bytes in buf; reading: of which consumed */
	u8 buf[64 << 10];
};
void stream_init(struct stream *s, int fd, struct snapshot_progress *p, struct error *e);
int must_check stream_put(struct stream *s, const void *p, size_t n);
int must_check stream_flush(struct stream *s);
int must_check stream_get(struct stream *s, void *p, size_t n);
/* The head of a section of n bytes. */
int must_check stream_head(struct stream *s, const char *name, u64 n);

/* RAM: {page number, bytes} of each page that is not zero, closed by ~0 */
enum { MAX_RAMS = 64 };
unsigned ram_find(struct machine *m, struct region *found[MAX_RAMS]);
int must_check ram_put(struct stream *s, const struct region *r);
int must_check ram_get(struct stream *s, struct machine *m, const char *name, u64 size);

/* Disks (snapshot_disk.c): what each device's drive stands for, and the layers' contents. */
void disk_save(struct block *b, struct blob *out);
int must_check disk_check(struct block *b, struct blob *in, struct error *e);
/* Every drive that a device has. */
struct block *disk_next(struct machine *m, struct block *b);
struct block *disk_named(struct machine *m, const char *name);
/* its temporary layer, or NULL */
struct block_node *disk_layer(const struct block *b);
u64 layer_bytes(struct block_node *n);
int must_check layer_put(struct stream *s, const char *disk, struct block_node *n);
int must_check layer_get(struct stream *s, struct machine *m, const char *disk, u64 size);
