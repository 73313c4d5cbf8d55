/* SPDX-License-Identifier: GPL-2.0-or-later */
/* nvme_feature.c - features (NVMe 1.4, 5.9 and 5.21): one table says which there are and how they
 * change. */
#include "nvme.h"

enum { CAN_SAVE = BIT(0), PER_NS = BIT(1), CAN_CHANGE = BIT(2) };
enum {
	F_ARBITRATION = 1,
	F_POWER = 2,
	F_TEMPERATURE = 4,
	F_ERROR_RECOVERY = 5,
	F_WRITE_CACHE = 6,
	F_QUEUES = 7,
	F_COALESCING = 8,
	F_VECTOR = 9,
	F_ATOMICITY = 10,
	F_EVENTS = 11,
	F_TIMESTAMP = 14,
	FEATURES,
};
static const struct {
	u8 can;
	u32 mask, def;
} features[FEATURES] = {
	[F_ARBITRATION] = { CAN_CHANGE, 0xffffff07, 7 },
	[F_POWER] = { CAN_CHANGE, 0, 0 },
	[F_TEMPERATURE] = { CAN_CHANGE, 0x003fffff, 343 },
	[F_ERROR_RECOVERY] = { CAN_CHANGE | PER_NS, 0x0000ffff, 0 },
	[F_WRITE_CACHE] = { CAN_CHANGE, 1, 1 },
	[F_QUEUES] = { CAN_CHANGE, 0, 0 },
	[F_COALESCING] = { CAN_CHANGE, 0xffff, 0 },
	[F_VECTOR] = { CAN_CHANGE, 0x1ffff, 0 },
	[F_ATOMICITY] = { CAN_CHANGE, 1, 0 },
	[F_EVENTS] = { CAN_CHANGE, 0x1ff, 0 },
	[F_TIMESTAMP] = { CAN_CHANGE, 0, 0 },
};

static void set_cache(struct nvme *n, bool on)
{
	n->write_cache = on;
	for (u32 i = 1; i <= NVME_MAX_NS; i++) {
		if (n->ns[i])
			block_set_write_cache(n->ns[i]->drive, on);
	}
}

static bool default_cache(const struct nvme *n)
{
	struct block_info i;

	for (u32 k = 1; k <= NVME_MAX_NS; k++) {
		if (!n->ns[k])
			continue;
		block_info(n->ns[k]->drive, &i);
		return i.write_cache;
	}
	return true;
}

void nvme_reset_features(struct nvme *n)
{
	n->arbitration = features[F_ARBITRATION].def;
	n->temp_over = features[F_TEMPERATURE].def;
	n->temp_under = 0;
	n->error_recovery = n->coalescing = n->vector_config = n->aen_config = n->power_state = 0;
	set_cache(n, default_cache(n));
}

void nvme_features_loaded(struct nvme *n) { set_cache(n, n->write_cache); }

static u16 check(const struct nvme_req *r, u8 id)
{
	if (id >= FEATURES || !features[id].can)
		return SC_FIELD | SC_DNR;
	if ((features[id].can & PER_NS) && r->cmd.nsid != ~0u &&
	    (!r->cmd.nsid || r->cmd.nsid > NVME_MAX_NS))
		return SC_NAMESPACE | SC_DNR;
	if ((features[id].can & PER_NS) && r->cmd.nsid != ~0u && !r->n->ns[r->cmd.nsid])
		return SC_FIELD | SC_DNR;
	return SC_OK;
}

/* Milliseconds since 1970, as far as the host has told; 48 bits (5.21.1.14). */
static u16 give_timestamp(struct nvme_req *r)
{
	struct nvme *n = r->n;
	u64 ms = n->timestamp + (clock_ns(n) - n->timestamp_at) / 1000000;
	u8 d[8];

	st64le(d, (ms & 0xffffffffffffull) | (n->timestamp ? BIT64(49) : 0));
	return nvme_give(r, d, 8);
}

static u32 current(struct nvme *n, u8 id, u32 dw11)
{
	switch (id) {
	case F_ARBITRATION:
		return n->arbitration;
	case F_POWER:
		return n->power_state;
	case F_TEMPERATURE:
		if (dw11 >> 16 & 15) /* only the composite temperature has a sensor */
			return 0;
		return dw11 >> 20 & 3 ? n->temp_under : n->temp_over;
	case F_ERROR_RECOVERY:
		return n->error_recovery;
	case F_WRITE_CACHE:
		return n->write_cache;
	case F_QUEUES:
		return (n->max_ioqpairs - 1) * 0x10001;
	case F_COALESCING:
		return n->coalescing;
	case F_VECTOR:
		return (dw11 & 0xffff) | (n->vector_config == (dw11 & 0xffff) + 1 ? 0x10000 : 0);
	case F_EVENTS:
		return n->aen_config;
	default:
		return 0;
	}
}

u16 nvme_get_feature(struct nvme_req *r)
{
	struct nvme *n = r->n;
	u8 id = r->cmd.dw10, select = r->cmd.dw10 >> 8 & 7;
	u16 err = check(r, id);

	if (err || select > 3)
		return err ? err : SC_FIELD | SC_DNR;
	if (id == F_VECTOR && (r->cmd.dw11 & 0xffff) >= n->msix_qsize)
		return SC_FIELD | SC_DNR;
	if (select == 3)
		r->result = features[id].can;
	else if (id == F_QUEUES)
		r->result = current(n, id, 0);
	else if (select)
		/* nothing is saved: what would be is the default */
		r->result = id == F_TEMPERATURE && (r->cmd.dw11 >> 20 & 3) ? 0 : features[id].def;
	else if (id == F_TIMESTAMP)
		return give_timestamp(r);
	else
		r->result = current(n, id, r->cmd.dw11);
	return SC_OK;
}

static u16 set_temperature(struct nvme *n, u32 dw11)
{
	if (dw11 >> 16 & 15)
		return SC_OK;
	if ((dw11 >> 20 & 3) > 1)
		return SC_FIELD | SC_DNR;
	if (dw11 >> 20 & 1)
		n->temp_under = dw11 & 0xffff;
	else
		n->temp_over = dw11 & 0xffff;
	if ((n->aen_config & BIT(1)) && (323 >= n->temp_over || 323 <= n->temp_under))
		nvme_event(n, 1, 1, 2);
	return SC_OK;
}

static u16 set_timestamp(struct nvme_req *r)
{
	u8 d[8];
	u16 err = nvme_take(r, d, 8);

	if (err)
		return err;
	r->n->timestamp = ld64le(d) & 0xffffffffffffull;
	r->n->timestamp_at = clock_ns(r->n);
	return SC_OK;
}

u16 nvme_set_feature(struct nvme_req *r)
{
	struct nvme *n = r->n;
	u8 id = r->cmd.dw10;
	u32 v = r->cmd.dw11;
	u16 err = check(r, id);

	if (err)
		return err;
	if (r->cmd.dw10 >> 31)
		return SC_NOT_SAVEABLE | SC_DNR;
	switch (id) {
	case F_ARBITRATION:
		n->arbitration = v & features[id].mask;
		return SC_OK;
	case F_POWER:
		if (v & 0x1f) /* one state is there */
			return SC_FIELD | SC_DNR;
		n->power_state = v & 0xe0;
		return SC_OK;
	case F_TEMPERATURE:
		return set_temperature(n, v);
	case F_ERROR_RECOVERY:
		n->error_recovery = v & 0xffff;
		return SC_OK;
	case F_WRITE_CACHE:
		set_cache(n, v & 1);
		return SC_OK;
	case F_QUEUES:
		if ((v & 0xffff) == 0xffff || v >> 16 == 0xffff)
			return SC_FIELD | SC_DNR;
		for (unsigned i = 1; i < NVME_QUEUES; i++) {
			if (n->sq[i].on || n->cq[i].on)
				return SC_SEQUENCE | SC_DNR;
		}
		r->result = current(n, id, 0);
		return SC_OK;
	case F_COALESCING:
		n->coalescing = v & 0xffff;
		return SC_OK;
	case F_VECTOR:
		if ((v & 0xffff) >= n->msix_qsize)
			return SC_FIELD | SC_DNR;
		n->vector_config = v & 0x10000 ? (v & 0xffff) + 1 : 0;
		return SC_OK;
	case F_EVENTS:
		n->aen_config = v & features[id].mask;
		return SC_OK;
	case F_TIMESTAMP:
		return set_timestamp(r);
	default:
		return SC_NOT_CHANGEABLE | SC_DNR;
	}
}
