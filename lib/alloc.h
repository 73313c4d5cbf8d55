/* SPDX-License-Identifier: GPL-2.0-or-later */
/* alloc.h - allocation of small objects that cannot fail, growable arrays and scope-bound release.
 */
#pragma once
#include <quern/types.h>
#include <stdlib.h>

/* These print a sentence and abort when memory is out. Sizes that a guest or a file controls use
 * plain calloc and fail politely. */
void *xalloc(size_t n);		      /* zeroed */
void *xcalloc(size_t n, size_t size); /* zeroed, overflow-checked */
void *xrealloc(void *p, size_t n);    /* the new part is not zeroed */
char *xstrdup(const char *s);
char *xstrndup(const char *s, size_t n);
char *xasprintf(const char *fmt, ...) printf_like(1, 2);
void *xmemdup(const void *p, size_t n);
#define NEW(T) ((T *)xalloc(sizeof(T)))

static inline void auto_free_(void *p) { free(*(void **)p); }
#define AUTO_FREE __attribute__((cleanup(auto_free_)))

/* A growable array: VEC(struct foo) v = {0}; vec_push(&v, x); v.at[i]; v.n; vec_free(&v). */
#define VEC(T) \
	struct { \
		T *at; \
		size_t n, cap; \
	}
#define vec_push(v, x) \
	(*({ \
		__typeof__(v) v_ = (v); \
		if (v_->n == v_->cap) { \
			v_->cap = v_->cap ? v_->cap * 2 : 8; \
			v_->at = xrealloc(v_->at, v_->cap * sizeof(*v_->at)); \
		} \
		&v_->at[v_->n++]; \
	}) = (x))
#define vec_free(v) \
	do { \
		free((v)->at); \
		(v)->at = NULL; \
		(v)->n = (v)->cap = 0; \
	} while (0)
