/* SPDX-License-Identifier: GPL-2.0-or-later */
/* nvme-ns - a further name space of an NVMe controller, with a drive of its own. */
#include "nvme.h"
#include <errno.h>
#include <stdlib.h>

struct nvme_ns_dev {
	struct device dev;
	struct block *drive;
	u32 nsid, logical_block_size, physical_block_size;
	u32 pad;
	u64 eui64;
	char *uuid;
	struct nvme_ns ns;
};

static int shift_of(u32 size)
{
	for (int s = 9; s <= 12; s++) {
		if (size == 1u << s)
			return s;
	}
	return -EINVAL;
}

int nvme_ns_init(struct nvme *n, struct nvme_ns *ns, u32 nsid, struct block *drive, u32 logical,
		 u32 physical, struct error *e)
{
	struct block_info i;
	int shift = shift_of(logical), err;

	if (shift != 9 && shift != 12) {
		error_set(e, "logical_block_size %u is neither 512 nor 4096", logical);
		return -EINVAL;
	}
	block_info(drive, &i);
	err = block_attach(drive, n, &nvme_block_user, !i.readonly, e);
	if (err)
		return err;
	ns->nsid = nsid;
	ns->drive = drive;
	n->shift[nsid] = shift;
	ns->physical = MAX(shift_of(physical), shift);
	ns->readonly = i.readonly;
	ns->ctrl = n;
	n->ns[nsid] = ns;
	n->ns_changed[(nsid - 1) / 8] |= n->enabled ? BIT((nsid - 1) % 8) : 0;
	return 0;
}

void nvme_ns_fini(struct nvme_ns *ns)
{
	if (!ns->ctrl)
		return;
	block_detach(ns->drive);
	ns->ctrl->ns[ns->nsid] = NULL;
	ns->ctrl->ns_changed[(ns->nsid - 1) / 8] |= BIT((ns->nsid - 1) % 8);
	ns->ctrl = NULL;
	ns->drive = NULL;
}

static int ns_init(void *dev, struct error *e)
{
	struct nvme_ns_dev *d = dev;
	struct nvme *n = slots_owner(d);
	u32 nsid = d->nsid;
	int err;

	if (!d->drive) {
		error_set(e, "it needs a drive: drive=ID");
		return -EINVAL;
	}
	for (u32 i = 1; !nsid && i <= NVME_MAX_NS; i++)
		nsid = n->ns[i] ? 0 : i;
	if (!nsid || n->ns[nsid]) {
		error_set(e, "name space %u of controller '%s' is taken", nsid, n->pci.dev.id);
		return -EBUSY;
	}
	err = nvme_ns_init(n, &d->ns, nsid, d->drive, d->logical_block_size, d->physical_block_size,
			   e);
	d->nsid = nsid;
	d->ns.eui64 = d->eui64 ? d->eui64 : 0x5254000000000000ull + nsid;
	for (unsigned i = 0, k = 0; d->uuid && d->uuid[i] && k < 32; i++) {
		char c = d->uuid[i] | 0x20;
		u8 v = c >= 'a' ? c - 'a' + 10 : c & 15;

		if (d->uuid[i] == '-')
			continue;
		d->ns.uuid[k / 2] |= k % 2 ? v : v << 4;
		k++;
	}
	return err;
}

static void ns_fini(void *dev)
{
	struct nvme_ns_dev *d = dev;

	nvme_ns_fini(&d->ns);
}

static const struct prop ns_props[] = {
	PROP(struct nvme_ns_dev, drive, .kind = PROP_DRIVE, .doc = "The drive behind it."),
	PROP(struct nvme_ns_dev, nsid, .max = NVME_MAX_NS,
	     .doc = "Number of the name space; 0 is the first free one."),
	PROP(struct nvme_ns_dev, logical_block_size, .kind = PROP_SIZE, .def = 512, .min = 512,
	     .max = 4096, .doc = "Bytes of a block: 512 or 4096."),
	PROP(struct nvme_ns_dev, physical_block_size, .kind = PROP_SIZE, .def = 512, .min = 512,
	     .max = 4096, .doc = "Bytes that the disk writes at once."),
	PROP(struct nvme_ns_dev, eui64, .doc = "IEEE identifier; 0 makes one of the number."),
	PROP(struct nvme_ns_dev, uuid, .kind = PROP_STR, .doc = "Universally unique identifier."),
	{}
};
static const struct state ns_state[] = { DERIVED(struct nvme_ns_dev, ns),
					 DERIVED(struct nvme_ns_dev, pad),
					 {} };
static const struct device_class nvme_ns_class = { .api = QUERN_DEVICE_API,
						   .name = "nvme-ns",
						   .doc = "Name space of an NVMe controller",
						   .bus = "nvme-bus",
						   .size = sizeof(struct nvme_ns_dev),
						   .props = ns_props,
						   .state = ns_state,
						   .init = ns_init,
						   .fini = ns_fini };
QUERN_REGISTER(nvme_ns_class);
