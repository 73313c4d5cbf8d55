/* SPDX-License-Identifier: GPL-2.0-or-later */
/* commands.c - monitor commands about drives and block nodes; names and results are QEMU's. */
#include "block/drive.h"
#include "block/overlay.h"
#include "core/command.h"
#include "core/device.h"
#include "core/machine.h"
#include "lib/alloc.h"
#include "lib/error.h"
#include "lib/str.h"
#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>

static struct device *device_of(const struct block *b) { return b->dev; }

/* By the drive's name, or by the device that uses it. */
static struct block *find(struct machine *m, const char *name)
{
	for (struct block *b = block_next(m, NULL); b; b = block_next(m, b)) {
		if (b->id && str_eq(b->id, name))
			return b;
		if (b->dev && str_eq(device_of(b)->id, name))
			return b;
	}
	return NULL;
}

static struct block *find_arg(struct command_call *c, struct error *e)
{
	const char *name = call_has(c, "device") ? call_str(c, "device") : call_str(c, "id");
	struct block *b = name ? find(c->m, name) : NULL;

	if (!name)
		error_set(e, "Need exactly one of 'device' and 'id'");
	else if (!b)
		error_set(e, "Device '%s' not found", name);
	return b;
}

static void complete_drives(struct machine *m, void (*fn)(void *arg, const char *word), void *arg)
{
	for (struct block *b = block_next(m, NULL); b; b = block_next(m, b)) {
		if (b->id)
			fn(arg, b->id);
	}
}

/* ---- query-block */

static json_t *image_of(struct block_node *n)
{
	const char *file = block_filename(n);
	struct stat st;
	u64 actual = stat(file, &st) ? 0 : (u64)st.st_blocks * 512;

	return json_pack("{s:I, s:s, s:s, s:I, s:b}", "virtual-size", (json_int_t)n->size,
			 "filename", file, "format", n->driver->name, "actual-size",
			 (json_int_t)actual, "dirty-flag", 0);
}

static json_t *node_of(struct block_node *n, bool write_cache)
{
	static const char *const zeroes[] = { "off", "on", "unmap" };
	unsigned depth = 0;
	json_t *o;

	for (struct block_node *b = n->backing; b; b = b->backing)
		depth++;
	o = json_pack("{s:s, s:s, s:s, s:b, s:b, s:i, s:s, s:o, s:{s:b, s:b, s:b}}", "node-name",
		      n->name, "drv", n->driver->name, "file", block_filename(n), "ro", n->readonly,
		      "encrypted", 0, "backing_file_depth", (int)depth, "detect_zeroes",
		      zeroes[n->detect_zeroes], "image", image_of(n), "cache", "writeback",
		      write_cache, "direct", n->cache.direct, "no-flush", n->cache.no_flush);
	for (const char *const *k =
		     (const char *const[]){ "bps", "bps_rd", "bps_wr", "iops", "iops_rd", "iops_wr",
					    "write_threshold", NULL };
	     *k; k++)
		json_object_set_new(o, *k, json_integer(0));
	return o;
}

static json_t *drive_of(struct block *b)
{
	bool locked = b->use && b->use->medium_locked && b->use->medium_locked(b->dev),
	     open = b->use && b->use->tray_open && b->use->tray_open(b->dev);
	json_t *o = json_pack("{s:s, s:s, s:b, s:b}", "device", b->id ? b->id : "", "type",
			      "unknown", "locked", locked, "removable", b->removable);

	if (b->dev)
		json_object_set_new(o, "qdev", json_string(device_of(b)->id));
	if (b->use && b->use->tray_open)
		json_object_set_new(o, "tray_open", json_boolean(open));
	if (b->node) {
		json_object_set_new(o, "io-status",
				    json_string(b->nospace ? "nospace" :
						b->failed  ? "failed" :
							     "ok"));
		json_object_set_new(o, "inserted", node_of(b->node, b->write_cache));
	}
	return o;
}

static int query_block(struct command_call *c, struct error *e)
{
	const char *only = call_has(c, "device") ? call_str(c, "device") : NULL;

	c->result = json_array();
	for (struct block *b = block_next(c->m, NULL); b; b = block_next(c->m, b)) {
		if (!only || find(c->m, only) == b)
			json_array_append_new(c->result, drive_of(b));
	}
	return 0;
}

static const char *str(const json_t *o, const char *key)
{
	const char *s = json_string_value(json_object_get(o, key));

	return s ? s : "";
}

static bool is(const json_t *o, const char *key) { return json_is_true(json_object_get(o, key)); }

static void show_drive(struct command_call *c, const json_t *o)
{
	const json_t *in = json_object_get(o, "inserted"), *cache = json_object_get(in, "cache");
	const char *name = *str(o, "device") ? str(o, "device") : str(o, "qdev");

	if (in)
		command_print(c, "%s (%s): %s (%s%s)\n", name, str(in, "node-name"),
			      str(in, "file"), str(in, "drv"), is(in, "ro") ? ", read-only" : "");
	else
		command_print(c, "%s: [not inserted]\n", name);
	if (*str(o, "qdev"))
		command_print(c, "    Attached to:      %s\n", str(o, "qdev"));
	if (in && !str_eq(str(o, "io-status"), "ok"))
		command_print(c, "    I/O status:       %s\n", str(o, "io-status"));
	if (is(o, "removable"))
		command_print(c, "    Removable device: %slocked, tray %s\n",
			      is(o, "locked") ? "" : "not ",
			      is(o, "tray_open") ? "open" : "closed");
	if (in)
		command_print(c, "    Cache mode:       %s%s%s\n",
			      is(cache, "writeback") ? "writeback" : "writethrough",
			      is(cache, "direct") ? ", direct" : "",
			      is(cache, "no-flush") ? ", ignore flushes" : "");
}

static void show_block(struct command_call *c)
{
	size_t i;
	json_t *o;

	json_array_foreach(c->result, i, o)
	{
		command_print(c, "%s", i ? "\n" : "");
		show_drive(c, o);
	}
}

static const struct command_arg block_args[] = { { "device", ARG_STRING, true }, {} };
COMMAND(query_block_human, .hmp = "info block", .args = block_args, .run = query_block,
	.show = show_block, .complete = complete_drives,
	.doc = "drives, their images, and what uses them");
COMMAND(query_block, .qmp = "query-block", .run = query_block,
	.doc = "drives, their images, and what uses them");

static void add_node(void *arg, struct block_node *n)
{
	json_array_append_new(arg, node_of(n, true));
}

static int query_nodes(struct command_call *c, struct error *e)
{
	c->result = json_array();
	block_node_each(c->m, add_node, c->result);
	return 0;
}
COMMAND(query_nodes, .qmp = "query-named-block-nodes", .run = query_nodes, .doc = "block nodes");

/* ---- statistics */

static const struct {
	const char *name;
	u8 op;
} stat_ops[] = { { "rd", BLOCK_READ },
		 { "wr", BLOCK_WRITE },
		 { "flush", BLOCK_FLUSH },
		 { "unmap", BLOCK_DISCARD } };

static json_t *stats_of(const struct block *b)
{
	const struct block_stats *s = &b->stats;
	json_t *o = json_object();

	for (unsigned i = 0; i < ARRAY_SIZE(stat_ops); i++) {
		const struct {
			const char *key;
			u64 v;
		} values[] = { { "bytes", s->bytes[stat_ops[i].op] },
			       { "operations", s->ops[stat_ops[i].op] },
			       { "total_time_ns", s->ns[stat_ops[i].op] },
			       { "merged", 0 } };

		for (unsigned k = 0; k < ARRAY_SIZE(values); k++) {
			AUTO_FREE char *key = xasprintf("%s_%s", stat_ops[i].name, values[k].key);

			if (stat_ops[i].op != BLOCK_FLUSH || k == 1 || k == 2)
				json_object_set_new(o, key, json_integer((json_int_t)values[k].v));
		}
		AUTO_FREE char *failed = xasprintf("failed_%s_operations", stat_ops[i].name);

		json_object_set_new(o, failed, json_integer((json_int_t)s->failed[stat_ops[i].op]));
	}
	json_object_set_new(o, "wr_highest_offset", json_integer((json_int_t)s->highest));
	return o;
}

static int query_stats(struct command_call *c, struct error *e)
{
	c->result = json_array();
	for (struct block *b = block_next(c->m, NULL); b; b = block_next(c->m, b)) {
		json_t *o =
			json_pack("{s:s, s:o}", "device", b->id ? b->id : "", "stats", stats_of(b));

		if (b->dev)
			json_object_set_new(o, "qdev", json_string(device_of(b)->id));
		if (b->node)
			json_object_set_new(o, "node-name", json_string(b->node->name));
		json_array_append_new(c->result, o);
	}
	return 0;
}

static void show_stats(struct command_call *c)
{
	size_t i;
	json_t *o, *v;
	const char *key;

	json_array_foreach(c->result, i, o)
	{
		command_print(c, "%s:", *str(o, "device") ? str(o, "device") : str(o, "node-name"));
		json_object_foreach(json_object_get(o, "stats"), key, v)
			command_print(c, " %s=%lld", key, (long long)json_integer_value(v));
		command_print(c, "\n");
	}
}
COMMAND(query_blockstats, .hmp = "info blockstats", .qmp = "query-blockstats", .run = query_stats,
	.show = show_stats, .doc = "requests, bytes and times of drives");

/* ---- nodes */

static const struct command_arg add_args[] = { { "driver", ARG_KEYVALS }, {} };
static int add(struct command_call *c, struct error *e)
{
	struct keyvals kv = { 0 };
	char *text = json_dumps(c->args, JSON_COMPACT);
	int err = text ? keyvals_parse(&kv, text, NULL, e) : -ENOMEM;

	free(text);
	if (!err)
		err = blockdev_add(c->m, &kv, e);
	keyvals_fini(&kv);
	return err;
}
COMMAND(blockdev_add, .qmp = "blockdev-add", .args = add_args, .run = add,
	.doc = "add a block node, as -blockdev");

static const struct command_arg node_args[] = { { "node-name", ARG_STRING }, {} };
static int del(struct command_call *c, struct error *e)
{
	return blockdev_del(c->m, call_str(c, "node-name"), e);
}
COMMAND(blockdev_del, .qmp = "blockdev-del", .args = node_args, .run = del,
	.doc = "delete a block node");

static const struct command_arg resize_args[] = { { "device", ARG_STRING },
						  { "size", ARG_SIZE },
						  {} };
static const struct command_arg resize_qmp_args[] = {
	{ "device", ARG_STRING, true }, { "node-name", ARG_STRING, true }, { "size", ARG_INT }, {}
};
static int resize(struct command_call *c, struct error *e)
{
	struct block *b = call_has(c, "device") ? find_arg(c, e) : NULL;

	for (struct block *o = block_next(c->m, NULL); !b && call_has(c, "node-name") && o;
	     o = block_next(c->m, o)) {
		if (o->node && str_eq(o->node->name, call_str(c, "node-name")))
			b = o;
	}
	if (!b)
		return error_ret(e, -ENODEV, "there is no such drive");
	if (call_int(c, "size", 0) < 0)
		return error_ret(e, -EINVAL, "Parameter 'size' expects a >0 size");
	return block_resize(b, call_int(c, "size", 0), e);
}
COMMAND(block_resize_human, .hmp = "block_resize", .args = resize_args, .run = resize,
	.complete = complete_drives, .doc = "change the size of an image");
COMMAND(block_resize, .qmp = "block_resize", .args = resize_qmp_args, .run = resize,
	.doc = "change the size of an image");

/* ---- media */

/* Takes the medium out; what the guest has locked it must give back first. */
static int take_out(struct block *b, bool force, struct error *e)
{
	bool locked = b->use && b->use->medium_locked && b->use->medium_locked(b->dev),
	     open = b->use && b->use->tray_open && b->use->tray_open(b->dev);

	if (!b->removable)
		return error_ret(e, -EPERM, "Device '%s' is not removable", block_name(b));
	if (locked && !open && !force) {
		b->use->eject_request(b->dev, false);
		return error_ret(e, -EBUSY,
				 "Device '%s' is locked and force was not specified, wait for tray "
				 "to open and try again",
				 block_name(b));
	}
	if (locked && b->use->eject_request)
		b->use->eject_request(b->dev, true);
	if (b->node)
		block_remove(b);
	return 0;
}

static const struct command_arg eject_args[] = { { "force", ARG_FLAG, true, 'f' },
						 { "device", ARG_STRING },
						 {} };
static const struct command_arg eject_qmp_args[] = {
	{ "device", ARG_STRING, true }, { "id", ARG_STRING, true }, { "force", ARG_BOOL, true }, {}
};
static int eject(struct command_call *c, struct error *e)
{
	struct block *b = find_arg(c, e);

	return b ? take_out(b, call_bool(c, "force", false), e) : -ENODEV;
}
COMMAND(eject_human, .hmp = "eject", .args = eject_args, .run = eject, .complete = complete_drives,
	.doc = "take the medium out of a drive");
COMMAND(eject, .qmp = "eject", .args = eject_qmp_args, .run = eject,
	.doc = "take the medium out of a drive");
COMMAND(remove_medium, .qmp = "blockdev-remove-medium", .args = eject_qmp_args, .run = eject,
	.doc = "take the medium out of a drive");

static const struct command_arg change_args[] = {
	{ "device", ARG_STRING }, { "filename", ARG_STRING }, { "format", ARG_STRING, true }, {}
};
static const struct command_arg change_qmp_args[] = {
	{ "device", ARG_STRING, true }, { "id", ARG_STRING, true },  { "filename", ARG_STRING },
	{ "format", ARG_STRING, true }, { "force", ARG_BOOL, true }, {}
};
static int change(struct command_call *c, struct error *e)
{
	struct block *b = find_arg(c, e);
	struct block_node *n;
	int err;

	if (!b)
		return -ENODEV;
	n = drive_open_image(c->m, call_str(c, "filename"),
			     call_has(c, "format") ? call_str(c, "format") : NULL, b->readonly, e);
	if (!n)
		return -EINVAL;
	err = take_out(b, call_bool(c, "force", false), e);
	if (err)
		block_unref(n);
	else
		block_insert(b, n);
	return err;
}
COMMAND(change, .hmp = "change", .args = change_args, .run = change, .complete = complete_drives,
	.doc = "put another medium into a drive");
COMMAND(change_medium, .qmp = "blockdev-change-medium", .args = change_qmp_args, .run = change,
	.doc = "put another medium into a drive");

static const struct command_arg insert_args[] = { { "id", ARG_STRING },
						  { "node-name", ARG_STRING },
						  {} };
static int insert(struct command_call *c, struct error *e)
{
	struct block *b = find_arg(c, e);
	struct block_node *n = b ? block_node_find(c->m, call_str(c, "node-name")) : NULL;

	if (!b)
		return -ENODEV;
	if (!n)
		return error_ret(e, -EINVAL, "Node '%s' not found", call_str(c, "node-name"));
	if (b->node || !b->removable)
		return error_ret(e, -EBUSY,
				 b->node ? "There already is a medium in device '%s'" :
					   "Device '%s' is not removable",
				 block_name(b));
	block_insert(b, block_ref(n));
	return 0;
}
COMMAND(insert_medium, .qmp = "blockdev-insert-medium", .args = insert_args, .run = insert,
	.doc = "put a node into a drive as its medium");

/* ---- commit */

static int commit_one(struct block *b, struct error *e)
{
	if (!b->node || !overlay_is(b->node))
		return error_ret(e, -EINVAL, "Device '%s' has no temporary layer", block_name(b));
	block_drain(b);
	return overlay_commit(b->node, e);
}

int drive_commit_all(struct machine *m, struct error *e)
{
	int err = 0;

	for (struct block *b = block_next(m, NULL); b && !err; b = block_next(m, b)) {
		if (b->node && overlay_is(b->node))
			err = commit_one(b, e);
	}
	return err;
}

static const struct command_arg commit_args[] = { { "device", ARG_STRING }, {} };
static int commit(struct command_call *c, struct error *e)
{
	struct block *b;

	if (str_eq(call_str(c, "device"), "all"))
		return drive_commit_all(c->m, e);
	b = find_arg(c, e);
	return b ? commit_one(b, e) : -ENODEV;
}
COMMAND(commit, .hmp = "commit", .args = commit_args, .run = commit, .complete = complete_drives,
	.doc = "write what -snapshot kept apart into the image (all, or one drive)");
