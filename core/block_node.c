/* SPDX-License-Identifier: GPL-2.0-or-later */
/* block_node.c - the stack of block nodes: opening one with its children from keys and values,
 * names, references, and handing requests on. */
#include "core/block_private.h"
#include "core/machine.h"
#include "core/private.h"
#include "lib/alloc.h"
#include "lib/error.h"
#include "lib/str.h"
#include <errno.h>
#include <stdio.h>

extern const struct block_driver *const __start_quern_block[] __attribute__((weak));
extern const struct block_driver *const __stop_quern_block[] __attribute__((weak));

const struct block_driver *block_driver_find(const char *name)
{
	const struct block_driver *const *d;

	for (d = __start_quern_block; d != __stop_quern_block; d++) {
		if (str_eq((*d)->name, name))
			return *d;
	}
	return NULL;
}

void block_driver_each(void (*fn)(void *arg, const struct block_driver *d), void *arg)
{
	const struct block_driver *const *d;

	for (d = __start_quern_block; d != __stop_quern_block; d++)
		fn(arg, *d);
}

/* ---- nodes */

struct block_node *block_node_find(struct machine *m, const char *name)
{
	struct block_node *n;

	if (!m->priv->block)
		return NULL;
	list_for_each (n, &m->priv->block->nodes, link) {
		if (str_eq(n->name, name))
			return n;
	}
	return NULL;
}

void block_node_each(struct machine *m, void (*fn)(void *arg, struct block_node *n), void *arg)
{
	struct block_node *n;

	if (!m->priv->block)
		return;
	list_for_each (n, &m->priv->block->nodes, link)
		fn(arg, n);
}

struct block_node *block_node_new(struct machine *m, const struct block_driver *d, const char *name)
{
	struct block_state *bs = block_state(m);
	struct block_node *n = NEW(struct block_node);

	n->driver = d;
	n->machine = m;
	n->refs = 1;
	n->align = n->mem_align = 1;
	n->optimal = 4096;
	n->discard = true;
	if (name)
		snprintf(n->name, sizeof(n->name), "%s", name);
	else
		snprintf(n->name, sizeof(n->name), "#block%03llu",
			 (unsigned long long)bs->next_name++);
	list_add_tail(&bs->nodes, &n->link);
	return n;
}

static void close_node(struct block_node *n, bool opened)
{
	if (opened && n->driver->close)
		n->driver->close(n);
	block_unref(n->file);
	block_unref(n->backing);
	list_del(&n->link);
	free(n);
}

void block_unref(struct block_node *n)
{
	if (n && --n->refs == 0)
		close_node(n, true);
}

const char *block_filename(struct block_node *n)
{
	for (; n; n = n->file) {
		const char *s = n->driver->filename ? n->driver->filename(n) : NULL;

		if (s)
			return s;
	}
	return "";
}

/* ---- images in turn */

void block_set_inactive(struct machine *m) { block_state(m)->inactive = true; }

bool block_inactive(const struct machine *m) { return m->priv->block && m->priv->block->inactive; }

int block_activate_all(struct machine *m, bool on, struct error *e)
{
	struct block_node *n;
	int err = 0;

	if (!m->priv->block || m->priv->block->inactive == !on)
		return 0;
	list_for_each (n, &m->priv->block->nodes, link) {
		if (n->driver->activate)
			err = n->driver->activate(n, on, e);
		if (err)
			break;
	}
	if (err && on)
		list_for_each (n, &m->priv->block->nodes, link)
			if (n->driver->activate && n->driver->activate(n, false, NULL))
				warn("the image of block node '%s' stays locked", n->name);
	if (!err)
		m->priv->block->inactive = !on;
	return err;
}

/* ---- opening */

static bool name_ok(const char *s)
{
	size_t n = strlen(s);

	if (!n || n > NODE_NAME_MAX || !((*s >= 'a' && *s <= 'z') || (*s >= 'A' && *s <= 'Z')))
		return false;
	for (; *s; s++) {
		if (!strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._",
			    *s))
			return false;
	}
	return true;
}

static int check_name(struct machine *m, const char *name, struct error *e)
{
	if (!name_ok(name))
		return error_ret(e, -EINVAL,
				 "'%s' is no name for a block node: a letter, then letters, "
				 "digits, '-', '.' and '_', %d in all at most",
				 name, NODE_NAME_MAX);
	if (block_node_find(m, name) || block_find(m, name))
		return error_ret(e, -EEXIST, "there is a block node or drive '%s' already", name);
	return 0;
}

static int common_keys(struct block_node *n, struct keyvals *kv, struct error *e)
{
	unsigned discard = n->discard, zeroes = 0;
	bool auto_read_only = false;
	int err = keyvals_bool(kv, "read-only", &n->readonly, e);

	if (!err)
		err = keyvals_bool(kv, "auto-read-only", &auto_read_only, e);
	if (!err)
		err = keyvals_bool(kv, "cache.direct", &n->cache.direct, e);
	if (!err)
		err = keyvals_bool(kv, "cache.no-flush", &n->cache.no_flush, e);
	if (!err)
		err = keyvals_choice(kv, "discard", "ignore|unmap|off|on", &discard, e);
	if (!err)
		err = keyvals_choice(kv, "detect-zeroes", "off|on|unmap", &zeroes, e);
	if (err)
		return err;
	n->discard = discard & 1;
	n->detect_zeroes = zeroes;
	if (zeroes == 2 && !n->discard)
		return error_ret(e, -EINVAL,
				 "detect-zeroes=unmap is only allowed together with discard=unmap");
	return 0;
}

/* What belongs to a child: the keys behind "file." */
static void child_keys(struct keyvals *kv, const char *child, struct keyvals *out)
{
	AUTO_FREE char *prefix = xasprintf("%s.", child);
	const char *rest;

	for (size_t i = 0; i < kv->n; i++) {
		if (!str_prefix(kv->at[i].key, prefix, &rest))
			continue;
		kv->at[i].used = true;
		keyvals_add(out, rest, kv->at[i].value);
	}
}

static void inherit(struct keyvals *kv, const struct block_node *n)
{
	if (!keyvals_get(kv, "read-only"))
		keyvals_add(kv, "read-only", n->readonly ? "on" : "off");
	if (!keyvals_get(kv, "cache.direct"))
		keyvals_add(kv, "cache.direct", n->cache.direct ? "on" : "off");
	if (!keyvals_get(kv, "cache.no-flush"))
		keyvals_add(kv, "cache.no-flush", n->cache.no_flush ? "on" : "off");
}

static int open_child(struct block_node *n, struct keyvals *kv, struct error *e)
{
	const char *name = keyvals_get(kv, "file");
	struct keyvals sub = { 0 };
	int err = 0;

	if (name) {
		struct block_node *c = block_node_find(n->machine, name);

		if (!c)
			return error_ret(e, -ENOENT, "there is no block node '%s'", name);
		n->file = block_ref(c);
		return 0;
	}
	child_keys(kv, "file", &sub);
	if (!sub.n)
		err = error_ret(e, -EINVAL,
				"block driver '%s' needs file=NODE, or file.driver=... to open one",
				n->driver->name);
	inherit(&sub, n);
	if (!err)
		n->file = block_open(n->machine, &sub, e);
	keyvals_fini(&sub);
	return err || n->file ? err : -EINVAL;
}

static const struct block_driver *choose_driver(struct keyvals *kv, struct error *e)
{
	const char *name = keyvals_get(kv, "driver");
	const struct block_driver *d = name ? block_driver_find(name) : NULL;

	if (!name)
		error_set(e, "a block node needs driver=");
	else if (!d)
		error_set(e,
			  "block driver '%s' is not built; there are raw, file, host_device, "
			  "host_cdrom and null-co",
			  name);
	return d;
}

static int open_node(struct block_node *n, struct keyvals *kv, struct error *e)
{
	AUTO_FREE char *known = xasprintf("driver|node-name|read-only|auto-read-only|cache.direct|"
					  "cache.no-flush|discard|detect-zeroes|file|%s",
					  n->driver->keys ? n->driver->keys : "");
	int err = common_keys(n, kv, e);

	if (!err && !n->driver->protocol)
		err = open_child(n, kv, e);
	if (err)
		return err;
	err = n->driver->open(n, kv, e);
	if (err)
		return err;
	err = keyvals_all_used(kv, known, e);
	if (err && n->driver->close)
		n->driver->close(n);
	return err;
}

struct block_node *block_open(struct machine *m, struct keyvals *kv, struct error *e)
{
	const struct block_driver *d = choose_driver(kv, e);
	const char *name = keyvals_get(kv, "node-name");
	struct block_node *n;

	if (!d || (name && check_name(m, name, e)))
		return NULL;
	n = block_node_new(m, d, name);
	if (open_node(n, kv, e)) {
		close_node(n, false);
		return NULL;
	}
	return n;
}

/* ---- requests */

static bool all_zero(const struct block_req *r)
{
	for (u32 i = 0; i < r->nvec; i++) {
		const u8 *p = r->vec[i].iov_base;
		size_t n = r->vec[i].iov_len;

		if (n && (p[0] || memcmp(p, p + 1, n - 1)))
			return false;
	}
	return true;
}

void block_node_submit(struct block_node *n, struct block_req *r)
{
	r->node = n;
	if (!range_fits(r->at, r->bytes, n->size) && r->op != BLOCK_FLUSH) {
		block_done(r, -EINVAL);
		return;
	}
	if (r->op == BLOCK_DISCARD && (!n->discard || !n->can_discard)) {
		block_done(r, 0);
		return;
	}
	if (r->op == BLOCK_WRITE && n->detect_zeroes && all_zero(r)) {
		r->op = BLOCK_ZEROES;
		r->flags |= n->detect_zeroes == 2 ? BLOCK_UNMAP : 0;
	}
	if (r->op == BLOCK_ZEROES && !n->discard)
		r->flags &= ~BLOCK_UNMAP;
	n->driver->submit(n, r);
}

void block_node_plug(struct block_node *n, bool on)
{
	if (n && n->driver->plug)
		n->driver->plug(n, on);
	else if (n && n->file)
		block_node_plug(n->file, on);
}
