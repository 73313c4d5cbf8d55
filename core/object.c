/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * object.c - device classes: those in the binary's quern_device section and those of shared objects
 * (-device ./crc.so). A shared object's sections are found through its ELF section headers (System
 * V ABI, "Sections") and the address it was loaded at.
 */
#include "core/object.h"
#include "core/fault.h"
#include "core/trace.h"
#include "lib/alloc.h"
#include "lib/bytes.h"
#include "lib/error.h"
#include "lib/str.h"
#include <dlfcn.h>
#include <elf.h>
#include <errno.h>
#include <link.h>

extern const struct device_class *const __start_quern_device[] __attribute__((weak));
extern const struct device_class *const __stop_quern_device[] __attribute__((weak));

/* Code is the process's, not a machine's: a loaded object stays. */
static VEC(const struct device_class *) loaded;
/* Made of classes that only describe devices (bus_type.derive), with the name of the description.
 */
struct made {
	const struct device_class *class;
	const char *of;
};
static VEC(struct made) made;
static bool made_builtin;

static bool class_name_eq(const char *a, const char *b) { return prop_name_eq(a, b); }

static bool describes(const struct device_class *c)
{
	const struct bus_type *t = c->bus ? bus_find(c->bus) : NULL;

	return t && t->derive;
}

static void add_made(void *arg, const struct device_class *c)
{
	vec_push(&made, ((struct made){ c, arg }));
}

static void derive(const struct device_class *c)
{
	if (describes(c))
		bus_find(c->bus)->derive(c, add_made, (void *)c->name);
}

static void derive_builtin(void)
{
	if (made_builtin)
		return;
	made_builtin = true;
	for (const struct device_class *const *c = __start_quern_device; c < __stop_quern_device;
	     c++)
		derive(*c);
}

const struct device_class *device_class_find(const char *name)
{
	derive_builtin();
	for (const struct device_class *const *c = __start_quern_device; c < __stop_quern_device;
	     c++) {
		if (class_name_eq((*c)->name, name) && !describes(*c))
			return *c;
	}
	for (size_t i = 0; i < loaded.n; i++) {
		if (class_name_eq(loaded.at[i]->name, name) && !describes(loaded.at[i]))
			return loaded.at[i];
	}
	for (size_t i = 0; i < made.n; i++) {
		if (class_name_eq(made.at[i].class->name, name))
			return made.at[i].class;
	}
	for (size_t i = 0; i < made.n; i++) {
		if (class_name_eq(made.at[i].of, name))
			return made.at[i].class;
	}
	return NULL;
}

const struct device_class *device_class_for(struct machine *m, const char *name)
{
	const struct device_class *c = device_class_find(name);

	if (!c || class_name_eq(c->name, name))
		return c;
	for (size_t i = 0; i < made.n; i++) {
		const struct bus_type *t = bus_find(made.at[i].class->bus);

		if (class_name_eq(made.at[i].of, name) && t && bus_of(m, t, NULL))
			return made.at[i].class;
	}
	return c;
}

void device_class_each(void (*fn)(void *arg, const struct device_class *c), void *arg)
{
	derive_builtin();
	for (const struct device_class *const *c = __start_quern_device; c < __stop_quern_device;
	     c++) {
		if (!describes(*c))
			fn(arg, *c);
	}
	for (size_t i = 0; i < loaded.n; i++) {
		if (!describes(loaded.at[i]))
			fn(arg, loaded.at[i]);
	}
	for (size_t i = 0; i < made.n; i++)
		fn(arg, made.at[i].class);
}

struct sections {
	void *at[4];
	size_t size[4];
};
enum { SEC_DEVICE, SEC_TRACE, SEC_FAULT, SEC_API, SECTIONS };
static const char *const section_names[SECTIONS] = { "quern_device", "quern_trace", "quern_fault",
						     "quern_api" };

/* The file was accepted by the dynamic linker, but its section headers were not looked at by it. */
static int find_sections(struct sections *s, const struct bytes *file, u8 *base)
{
	const u8 *data = file->data;
	Elf64_Ehdr eh;
	Elf64_Shdr names, sh;

	if (file->size < sizeof(eh))
		return -ENOEXEC;
	memcpy(&eh, data, sizeof(eh));
	if (eh.e_shentsize != sizeof(sh) ||
	    !range_fits(eh.e_shoff, (u64)eh.e_shnum * sizeof(sh), file->size) ||
	    eh.e_shstrndx >= eh.e_shnum)
		return -ENOEXEC;
	memcpy(&names, data + eh.e_shoff + (u64)eh.e_shstrndx * sizeof(sh), sizeof(names));
	if (!range_fits(names.sh_offset, names.sh_size, file->size) || !names.sh_size ||
	    data[names.sh_offset + names.sh_size - 1])
		return -ENOEXEC;
	for (unsigned i = 0; i < eh.e_shnum; i++) {
		memcpy(&sh, data + eh.e_shoff + (u64)i * sizeof(sh), sizeof(sh));
		if (sh.sh_name >= names.sh_size || !(sh.sh_flags & SHF_ALLOC))
			continue;
		for (unsigned k = 0; k < SECTIONS; k++) {
			if (!str_eq((const char *)data + names.sh_offset + sh.sh_name,
				    section_names[k]))
				continue;
			s->at[k] = base + sh.sh_addr;
			s->size[k] = sh.sh_size;
		}
	}
	return 0;
}

static int check_api(const struct sections *s, const char *path, struct error *e)
{
	for (size_t i = 0; i < s->size[SEC_API] / sizeof(u32); i++) {
		u32 api = ((const u32 *)s->at[SEC_API])[i];

		if (api != QUERN_DEVICE_API)
			return error_ret(e, -ENOEXEC,
					 "'%s' was compiled for version %u of the device "
					 "interface; this is version %u",
					 path, api, QUERN_DEVICE_API);
	}
	return 0;
}

static int check_class(const struct device_class *c, const char *path, struct error *e)
{
	if (device_class_find(c->name))
		return error_ret(e, -EEXIST, "'%s' brings a device '%s', which exists already",
				 path, c->name);
	return 0;
}

static int add_classes(void *handle, const char *path, const char **first_class, struct error *e)
{
	struct bytes file = { 0 };
	struct sections s = { 0 };
	const struct device_class *const *classes;
	struct link_map *map;
	size_t n;
	int err;

	if (dlinfo(handle, RTLD_DI_LINKMAP, &map))
		return error_ret(e, -ENOEXEC, "could not load '%s': %s", path, dlerror());
	err = bytes_read_file(&file, map->l_name, 1u << 30, e);
	if (err)
		return err;
	err = find_sections(&s, &file, (u8 *)map->l_addr);
	bytes_fini(&file);
	n = s.size[SEC_DEVICE] / sizeof(void *);
	if (err || !n)
		return error_ret(e, -ENOEXEC,
				 "'%s' contains no device: DEVICE(), PCI_DEVICE() or "
				 "VIRTIO_DEVICE() "
				 "makes one",
				 path);
	err = check_api(&s, path, e);
	classes = s.at[SEC_DEVICE];
	for (size_t i = 0; !err && i < n; i++)
		err = check_class(classes[i], path, e);
	if (err)
		return err;
	for (size_t i = 0; i < n; i++) {
		vec_push(&loaded, classes[i]);
		derive(classes[i]);
	}
	if (s.at[SEC_TRACE])
		trace_add_points(s.at[SEC_TRACE], (struct point *const *)s.at[SEC_TRACE] +
							  s.size[SEC_TRACE] / sizeof(void *));
	if (s.at[SEC_FAULT])
		fault_add_points(s.at[SEC_FAULT], (struct point *const *)s.at[SEC_FAULT] +
							  s.size[SEC_FAULT] / sizeof(void *));
	*first_class = classes[0]->name;
	return 0;
}

/* Is this file loaded already? Then its class is the answer: -device ./crc.so may be given twice.
 */
static const char *class_of_object(void *handle)
{
	struct link_map *map, *other;
	Dl_info info;

	if (dlinfo(handle, RTLD_DI_LINKMAP, &map))
		return NULL;
	for (size_t i = 0; i < loaded.n; i++) {
		if (dladdr1(loaded.at[i], &info, (void **)&other, RTLD_DL_LINKMAP) && other == map)
			return loaded.at[i]->name;
	}
	return NULL;
}

int device_load_object(const char *path, const char **first_class, struct error *e)
{
	void *handle = dlopen(path, RTLD_NOW | RTLD_LOCAL);
	int err;

	if (!handle)
		return error_ret(e, -ENOENT, "could not load '%s': %s", path, dlerror());
	*first_class = class_of_object(handle);
	if (*first_class) {
		dlclose(handle);
		return 0;
	}
	err = add_classes(handle, path, first_class, e);
	if (err)
		dlclose(handle);
	return err;
}
