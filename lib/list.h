/* SPDX-License-Identifier: GPL-2.0-or-later */
/* list.h - circular doubly linked lists with the link inside the element, as kernel people know
 * them. */
#pragma once
#include <quern/types.h>

struct list {
	struct list *next, *prev;
};

static inline void list_init(struct list *l) { l->next = l->prev = l; }
static inline bool list_empty(const struct list *l) { return l->next == l; }
static inline void list_insert_(struct list *n, struct list *prev, struct list *next)
{
	next->prev = n;
	n->next = next;
	n->prev = prev;
	prev->next = n;
}
static inline void list_add(struct list *head, struct list *n)
{
	list_insert_(n, head, head->next);
}
static inline void list_add_tail(struct list *head, struct list *n)
{
	list_insert_(n, head->prev, head);
}
static inline void list_del(struct list *n)
{
	n->prev->next = n->next;
	n->next->prev = n->prev;
	list_init(n);
}
#define list_entry(p, T, m) container_of(p, T, m)
#define list_for_each(pos, head, m) \
	for (pos = list_entry((head)->next, __typeof__(*pos), m); &pos->m != (head); \
	     pos = list_entry(pos->m.next, __typeof__(*pos), m))
/* The safe form allows removal of pos. */
#define list_for_each_safe(pos, tmp, head, m) \
	for (pos = list_entry((head)->next, __typeof__(*pos), m), \
	    tmp = list_entry(pos->m.next, __typeof__(*pos), m); \
	     &pos->m != (head); pos = tmp, tmp = list_entry(pos->m.next, __typeof__(*pos), m))
