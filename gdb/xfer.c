/* SPDX-License-Identifier: GPL-2.0-or-later */
/* xfer.c - texts that are read in parts (GDB manual, E.4 qXfer, E.14 to E.17). */
#include "private.h"

/* gdb reads nothing outside of the regions of a map; here every address may be memory: those of the
 * guest's address spaces are not known in advance. Two halves, since a length has 64 bits. */
static char *memory_map(struct gdb_conn *c)
{
	return xstrdup(
		"<?xml version=\"1.0\"?>\n<!DOCTYPE memory-map PUBLIC \"+//IDN gnu.org//DTD GDB "
		"Memory Map V1.0//EN\" \"http://sourceware.org/gdb/gdb-memory-map.dtd\">\n"
		"<memory-map>\n"
		"<memory type=\"ram\" start=\"0\" length=\"0x8000000000000000\"/>\n"
		"<memory type=\"ram\" start=\"0x8000000000000000\" "
		"length=\"0x8000000000000000\"/>\n"
		"</memory-map>\n");
}

static char *libraries(struct gdb_conn *c)
{
	c->libraries = true;
	gdb_modules_watch(c->g);
	return gdb_libraries_xml(c);
}

/* A debugger without a file asks for it. When there is none yet, the kernel becomes a library of
 * its own as soon as it is found. */
static char *exec_file(struct gdb_conn *c)
{
	c->no_file = !gdb_symfile_known(c->g) && !c->moved;
	if (!c->no_file)
		return gdb_symfile_known(c->g) ? xstrdup(GDB_SYMFILE) : NULL;
	gdb_modules_watch(c->g);
	return NULL;
}

/* The text, or NULL: there is no such thing. */
static char *text_of(struct gdb_conn *c, const char *object, const char *annex)
{
	if (str_eq(object, "features"))
		return str_eq(annex, "target.xml") ? xstrdup(c->g->target_xml) : NULL;
	if (str_eq(object, "osdata"))
		return gdb_osdata(c, annex);
	if (str_eq(object, "exec-file"))
		return exec_file(c);
	if (*annex)
		return NULL;
	if (str_eq(object, "threads"))
		return gdb_threads_xml(c);
	if (str_eq(object, "libraries"))
		return libraries(c);
	if (str_eq(object, "memory-map"))
		return memory_map(c);
	return NULL;
}

static bool known(const char *object)
{
	static const char *const all[] = { "features",	"osdata",    "threads",
					   "libraries", "exec-file", "memory-map" };

	for (size_t i = 0; i < ARRAY_SIZE(all); i++)
		if (str_eq(object, all[i]))
			return true;
	return false;
}

/* OBJECT:read:ANNEX:OFFSET,LENGTH. A text of several parts is made for the first one. */
PACKET_HANDLER(gdb_xfer)
{
	const char *colon = strchr(p, ':');
	u64 at, len;

	if (!colon)
		return;
	AUTO_FREE char *object = xstrndup(p, colon - p);

	p = colon + 1;
	if (!known(object) || !gdb_word(&p, "read:"))
		return;
	colon = strchr(p, ':');
	AUTO_FREE char *annex = colon ? xstrndup(p, colon - p) : NULL;

	p = colon ? colon + 1 : "";
	if (!gdb_number(&p, &at) || !gdb_word(&p, ",") || !gdb_number(&p, &len) || *p) {
		gdb_error(c, E_ARGS);
		return;
	}
	AUTO_FREE char *name = xasprintf("%s:%s", object, annex);

	if (!at || !c->text || !str_eq(c->text_name, name)) {
		free(c->text);
		free(c->text_name);
		c->text = text_of(c, object, annex);
		c->text_name = xstrdup(name);
	}
	if (c->text)
		gdb_put_part(&c->reply, c->text, strlen(c->text), at, len);
	else
		gdb_error(c, 0);
}
