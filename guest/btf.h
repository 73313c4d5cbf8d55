/* SPDX-License-Identifier: GPL-2.0-or-later */
/* btf.h - types of a kernel from its BTF (Documentation/bpf/btf.rst): where a member of a structure
 * lies. */
#pragma once
#include <quern/types.h>

struct btf {
	const u8 *data; /* the whole blob, owned */
	size_t size;
	const u8 *types;
	u32 types_size;
	const char *strings;
	u32 strings_size;
	u32 *at; /* where type i + 1 begins in types */
	u32 n;
	/* ids of structures and unions by the hash of their names, with linear probing */
	u32 *record;
	u32 record_mask;
};
/* A member found: of a path like "task_struct.thread.sp". */
struct btf_member {
	u32 bit;   /* from the start of the outermost structure */
	u32 bits;  /* of a bit field; 0 = an ordinary one */
	u32 size;  /* in bytes, of all elements of an array */
	u32 type;  /* id, without typedefs and qualifiers */
	u32 count; /* elements of an array, else 1 */
};

/* Takes over data (malloc'ed), also when it fails. Any bytes may be given; what is not BTF is
 * -EINVAL. */
int must_check btf_init(struct btf *b, u8 *data, size_t size);
void btf_fini(struct btf *b);
/* "struct.member.member": anonymous structures and unions need no mention. -ENOENT. */
int must_check btf_find(const struct btf *b, const char *path, struct btf_member *m);
/* Size of "task_struct" in bytes; -ENOENT. */
int must_check btf_size(const struct btf *b, const char *name, u32 *size);
/* The value of an enumerator of any enum, -ENOENT. */
int must_check btf_enumerator(const struct btf *b, const char *name, s64 *v);
