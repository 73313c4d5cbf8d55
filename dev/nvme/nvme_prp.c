/* SPDX-License-Identifier: GPL-2.0-or-later */
/* nvme_prp.c - a command's data as scatter lists: physical region pages (NVMe 1.4, 4.3). */
#include "nvme.h"
#include <errno.h>

static u16 add(struct nvme_req *r, u64 addr, size_t n)
{
	return dma_list_add(&r->list, nvme_bus_address(r->n, addr), n) ? SC_TRANSFER : SC_OK;
}

/* One page of a list in memory, or as much of it as is there. */
static int load_list(struct nvme *n, u64 addr, u64 *entries, unsigned count)
{
	u8 *raw = (u8 *)entries;

	if (dma_read(&n->pci, nvme_bus_address(n, addr), raw, count * 8ul))
		return -EFAULT;
	for (unsigned i = 0; i < count; i++)
		entries[i] = ld64le(raw + i * 8ul);
	return 0;
}

/* The last entry of a full page points to the next one. */
static u16 add_list(struct nvme_req *r, u64 list, u64 left)
{
	struct nvme *n = r->n;
	u64 entry[512]; /* of one host page at a time */

	if (list & 7)
		return SC_PRP_OFFSET | SC_DNR;
	while (left) {
		u64 in = list & (n->page - 1);
		u64 room = (n->page - in) / 8, need = (left + n->page - 1) / n->page;
		bool chained = need > room;
		unsigned count = MIN(MIN(need, room), (u64)ARRAY_SIZE(entry)), use;

		/* a page larger than the buffer is taken in parts */
		chained = chained && room <= ARRAY_SIZE(entry);
		if (load_list(n, list, entry, count))
			return SC_TRANSFER;
		use = chained ? count - 1 : count;
		for (unsigned i = 0; i < use && left; i++) {
			u64 part = MIN(left, (u64)n->page);
			u16 err;

			if (entry[i] & (n->page - 1))
				return SC_PRP_OFFSET | SC_DNR;
			err = add(r, entry[i], part);
			if (err)
				return err;
			left -= part;
		}
		if (!left)
			break;
		if (chained && (entry[use] & 7))
			return SC_PRP_OFFSET | SC_DNR;
		list = chained ? entry[use] : list + count * 8ul;
	}
	return SC_OK;
}

u16 nvme_map(struct nvme_req *r, u64 bytes, bool write)
{
	struct nvme *n = r->n;
	u64 first = n->page - (r->cmd.prp1 & (n->page - 1));
	u16 err;

	r->list.dev = n;
	r->list.write = write;
	if (r->cmd.flags >> 6)
		return SC_FIELD | SC_DNR; /* SGLs are not offered */
	if (r->cmd.prp1 & 3)
		return SC_PRP_OFFSET | SC_DNR;
	if (n->mdts && bytes > (u64)PAGE_MIN << n->mdts)
		return SC_FIELD | SC_DNR;
	first = MIN(first, bytes);
	err = add(r, r->cmd.prp1, first);
	bytes -= first;
	if (err || !bytes)
		return err;
	if (bytes > n->page)
		return add_list(r, r->cmd.prp2, bytes);
	if (r->cmd.prp2 & (n->page - 1))
		return SC_PRP_OFFSET | SC_DNR;
	return add(r, r->cmd.prp2, bytes);
}

u16 nvme_give(struct nvme_req *r, const void *buf, size_t n)
{
	u16 err = nvme_map(r, n, true);

	if (!err)
		dma_list_write(&r->list, 0, buf, n);
	if (dma_list_finish(&r->list, err ? 0 : n) && !err)
		err = SC_TRANSFER;
	return err;
}

u16 nvme_take(struct nvme_req *r, void *buf, size_t n)
{
	u16 err = nvme_map(r, n, false);

	if (!err)
		dma_list_read(&r->list, 0, buf, n);
	dma_list_finish(&r->list, 0);
	return err;
}
