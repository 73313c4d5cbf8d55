/* SPDX-License-Identifier: GPL-2.0-or-later */
/* log.c - the kernel's log, a ring of descriptors and one of text since 5.10 (kernel/printk/
 * printk_ringbuffer.c, its opening comment), read without asking the kernel; and the texts by which
 * a kernel tells what it is. */
#include "guest/linux.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

enum { DESC_COMMITTED = 1, DESC_FINALIZED = 2 };
enum { RECORDS = 1 << 22, RECORD_MAX = 1 << 16 };

struct ring {
	u64 descs, infos, desc_size, info_size, mask;
	u64 data, data_size;
	u64 head, tail;
};

static int open_ring(struct linux_os *l, struct ring *r)
{
	u64 prb, bits, size_bits;
	int err = linux_sym_get(l, "prb", 8, &prb);

	if (!err)
		err = linux_get(l, prb, "printk_ringbuffer.desc_ring.count_bits", &bits);
	if (!err)
		err = linux_get(l, prb, "printk_ringbuffer.desc_ring.descs", &r->descs);
	if (!err)
		err = linux_get(l, prb, "printk_ringbuffer.desc_ring.infos", &r->infos);
	if (!err)
		err = linux_get(l, prb, "printk_ringbuffer.desc_ring.head_id", &r->head);
	if (!err)
		err = linux_get(l, prb, "printk_ringbuffer.desc_ring.tail_id", &r->tail);
	if (!err)
		err = linux_get(l, prb, "printk_ringbuffer.text_data_ring.size_bits", &size_bits);
	if (!err)
		err = linux_get(l, prb, "printk_ringbuffer.text_data_ring.data", &r->data);
	if (!err)
		err = linux_sizeof(l, "prb_desc", &r->desc_size);
	if (!err)
		err = linux_sizeof(l, "printk_info", &r->info_size);
	if (!err && (bits > 30 || size_bits > 40))
		err = -EFAULT;
	if (!err) {
		r->mask = BIT64(bits) - 1;
		r->data_size = BIT64(size_bits);
	}
	return err;
}

/* The text of the record between two logical positions: an id, then characters; a block that would
 * cross the ring's end begins again at its start. */
static int read_text(struct linux_os *l, const struct ring *r, u64 begin, u64 next, char *buf,
		     size_t n)
{
	u64 at = begin & (r->data_size - 1);

	if ((begin & 1) || !n)
		return -ENODATA;
	if (begin / r->data_size != next / r->data_size && (next & (r->data_size - 1)))
		at = 0;
	if (!range_fits(at, 8 + n, r->data_size))
		return -EFAULT;
	return kmem_read(&l->mem, 0, r->data + at + 8, buf, n);
}

int linux_log(struct linux_os *l,
	      void (*fn)(void *arg, u64 ns, unsigned level, const char *text, size_t n), void *arg)
{
	const u64 id_mask = ~(3ull << 62);
	struct ring r = { 0 };
	u64 n, id;
	char *buf;
	int err = open_ring(l, &r);

	if (err)
		return err;
	buf = malloc(RECORD_MAX);
	if (!buf)
		return -ENOMEM;
	id = r.tail & id_mask;
	for (n = 0; n <= r.mask && n < RECORDS; n++, id = (id + 1) & id_mask) {
		u64 desc = r.descs + (id & r.mask) * r.desc_size;
		u64 info = r.infos + (id & r.mask) * r.info_size;
		u64 state, begin, next, ns, len, level;

		if (linux_get(l, desc, "prb_desc.state_var", &state) ||
		    linux_get(l, desc, "prb_desc.text_blk_lpos.begin", &begin) ||
		    linux_get(l, desc, "prb_desc.text_blk_lpos.next", &next) ||
		    linux_get(l, info, "printk_info.ts_nsec", &ns) ||
		    linux_get(l, info, "printk_info.text_len", &len) ||
		    linux_get(l, info, "printk_info.level", &level))
			break;
		if ((state & id_mask) == id &&
		    (state >> 62 == DESC_COMMITTED || state >> 62 == DESC_FINALIZED) &&
		    !read_text(l, &r, begin, next, buf, len))
			fn(arg, ns, level, buf, len);
		if (id == (r.head & id_mask))
			break;
	}
	free(buf);
	return 0;
}

int linux_log_last(struct linux_os *l, u64 *seq)
{
	struct ring r = { 0 };
	int err = open_ring(l, &r);

	return err ? err :
		     linux_get(l, r.infos + (r.head & r.mask) * r.info_size, "printk_info.seq",
			       seq);
}

int linux_banner(struct linux_os *l, char *buf, size_t size)
{
	u64 at;
	int err = linux_sym(l, "linux_banner", &at);

	if (!err)
		err = kmem_text(&l->mem, at, buf, size);
	if (!err)
		buf[strcspn(buf, "\n")] = 0;
	return err;
}

int linux_vmcoreinfo(struct linux_os *l, char **text, size_t *n)
{
	u64 at, size;
	int err = linux_sym_get(l, "vmcoreinfo_data", 8, &at);

	if (!err)
		err = linux_sym_get(l, "vmcoreinfo_size", 8, &size);
	if (err)
		return err;
	if (!at || !size)
		return -EAGAIN; /* not written yet */
	if (size > 1 << 16)
		return -EFAULT;
	*text = malloc(size + 1);
	if (!*text)
		return -ENOMEM;
	err = kmem_read(&l->mem, 0, at, *text, size);
	if (err) {
		free(*text);
		*text = NULL;
		return err;
	}
	(*text)[size] = 0;
	*n = size;
	return 0;
}

/* VMCOREINFO says it; else it follows from where x86-64 kernels are linked by default
 * (CONFIG_PHYSICAL_START). */
int linux_slide(struct linux_os *l, u64 *slide)
{
	unsigned long long v;
	char *text = NULL, *line;
	size_t n;

	*slide = l->lo - 0xffffffff81000000ull;
	if (linux_vmcoreinfo(l, &text, &n))
		return 0;
	line = strstr(text, "\nKERNELOFFSET=");
	if (line && sscanf(line + 14, "%llx", &v) == 1)
		*slide = v;
	free(text);
	return 0;
}
