/* SPDX-License-Identifier: GPL-2.0-or-later */
/* nvme.h - the inside of the NVMe controller, shared by its files. NVM Express Base 1.4. */
#pragma once
#include <quern/block.h>
#include <quern/dma.h>
#include <quern/pci.h>
#include <quern/slots.h>

enum {
	NVME_QUEUES = 65, /* the admin queue and 64 others */
	NVME_VECTORS = 65,
	NVME_MAX_NS = 256,
	NVME_AERS = 16,
	NVME_EVENTS = 64,
	NVME_ERRORS = 64,
	PAGE_MIN = 4096,
};

/* Status field without the phase bit: code, type << 8, and the bits at its end. */
enum {
	SC_OK = 0x00,
	SC_OPCODE = 0x01,
	SC_FIELD = 0x02,
	SC_TRANSFER = 0x04,
	SC_INTERNAL = 0x06,
	SC_ABORTED = 0x07,
	SC_NAMESPACE = 0x0b,
	SC_SEQUENCE = 0x0c,
	SC_PRP_OFFSET = 0x13,
	SC_RANGE = 0x80,
	SC_NOT_READY = 0x82,
	SC_CQ_INVALID = 0x100,
	SC_QID = 0x101,
	SC_QUEUE_SIZE = 0x102,
	SC_AER_LIMIT = 0x105,
	SC_VECTOR = 0x108,
	SC_LOG_PAGE = 0x109,
	SC_FORMAT = 0x10a,
	SC_QUEUE_DELETION = 0x10c,
	SC_NOT_SAVEABLE = 0x10d,
	SC_NOT_CHANGEABLE = 0x10e,
	SC_READ_ONLY = 0x182,
	SC_WRITE_FAULT = 0x280,
	SC_READ_ERROR = 0x281,
	SC_COMPARE = 0x285,
	SC_MORE = 0x2000,
	SC_DNR = 0x4000,
	SC_LATER = 0xffff, /* our own: the command ends by itself */
};

struct nvme_sq {
	u64 base;
	u32 size, head, tail;
	u16 cqid;
	bool on;
	u8 pad;
	u32 outstanding;
};
struct nvme_req;
struct nvme_cq {
	u64 base;
	u32 size, head, tail;
	u16 vector;
	bool on, phase, irq;
	bool raise; /* something was posted since the last interrupt */
	u8 pad[2];
	u32 users;
};
/* A submission queue entry, taken apart. */
struct nvme_cmd {
	u8 opcode, flags;
	u16 cid;
	u32 nsid;
	u64 mptr, prp1, prp2;
	u32 dw10, dw11, dw12, dw13, dw14, dw15;
};
struct nvme_ns {
	u32 nsid;
	struct block *drive;
	u8 physical; /* shift of its blocks */
	bool readonly;
	u8 uuid[16];
	u64 eui64;
	struct nvme *ctrl;
};
struct nvme_req {
	struct block_req b;
	struct nvme *n;
	struct nvme_ns *ns;
	struct nvme_cmd cmd;
	u16 sqid, status;
	u32 result;
	struct dma_list list;
	struct nvme_req *next; /* free, or waiting for room in the completion queue */
	/* data set management, compare: */
	u8 *buf;
	struct iovec vec;
	u32 ranges, range;
};
struct nvme_event {
	u8 type, info, page;
};
struct nvme_error {
	u64 count, lba;
	u16 sqid, cid, status, where;
	u32 nsid;
};

struct nvme {
	struct pci_device pci;
	u64 cap, asq, acq, cmbmsc, bpmbl;
	u32 vs, masked, cc, csts, nssr, aqa, cmbloc, cmbsz, bpinfo, bprsel, cmbsts;
	/* properties */
	char *serial;
	struct block *drive;
	u32 max_ioqpairs, num_queues, cmb_size_mb, aer_max_queued, logical_block_size,
		physical_block_size;
	u16 mqes, msix_qsize;
	u8 mdts, aerl;
	bool use_intel_id;
	u8 pad0;
	/* state */
	struct nvme_sq sq[NVME_QUEUES];
	struct nvme_cq cq[NVME_QUEUES];
	u32 page; /* bytes, as CC says */
	u32 naers, nevents;
	u16 aer_cid[NVME_AERS];
	struct nvme_event event[NVME_EVENTS];
	u8 event_masked[8]; /* by type: waits for its log page to be read */
	u32 temp_over, temp_under, aen_config, power_state, arbitration, coalescing, vector_config,
		error_recovery;
	bool write_cache, enabled;
	u8 ns_changed[32];
	u8 shift[NVME_MAX_NS + 1]; /* of blocks, by name space: a format changes it */
	u8 pad1[5];
	u64 timestamp, timestamp_at;
	u64 error_count, units_read, units_written, reads, writes, started;
	struct nvme_error error[NVME_ERRORS];
	/* derived */
	struct nvme_ns *ns[NVME_MAX_NS + 1];
	struct nvme_ns own; /* of drive= */
	struct nvme_req *free;
	struct nvme_req *full[NVME_QUEUES]; /* by completion queue: without room in it */
	struct slots *slots;
	u8 *cmb;
	struct block_req shutdown;
	u32 shutdown_at; /* the name space that is being flushed */
	bool resume;	 /* a submission queue stopped for want of requests */
	u8 pad2[3];
};

static inline u8 nvme_shift(const struct nvme_ns *ns) { return ns->ctrl->shift[ns->nsid]; }
/* nvme.c */
void nvme_done(struct nvme_req *r, u16 status);
/* Interrupts for what was posted, and submission queues that had to stop. */
void nvme_after(struct nvme *n);
void nvme_event(struct nvme *n, u8 type, u8 info, u8 page);
void nvme_log_error(struct nvme *n, const struct nvme_req *r, u16 status);
u64 nvme_bus_address(struct nvme *n, u64 addr);
/* Requests that wait for room in this completion queue are dropped; sqid 0xffff: all. */
void nvme_forget(struct nvme *n, u16 cqid, u16 sqid);
void nvme_drain(struct nvme *n);
struct nvme_req *nvme_req_get(struct nvme *n);
void nvme_req_put(struct nvme *n, struct nvme_req *r);
/* nvme_prp.c: the command's data in r->list; SC_OK or why not. write: to the guest. */
u16 nvme_map(struct nvme_req *r, u64 bytes, bool write);
/* Data of an admin command, at once. */
u16 nvme_give(struct nvme_req *r, const void *buf, size_t n);
u16 nvme_take(struct nvme_req *r, void *buf, size_t n);
/* nvme_admin.c, nvme_feature.c, nvme_log.c, nvme_identify.c, nvme_io.c: run a command: a status,
 * or SC_LATER */
u16 nvme_admin(struct nvme_req *r);
u16 nvme_identify(struct nvme_req *r);
u16 nvme_get_log(struct nvme_req *r);
u16 nvme_get_feature(struct nvme_req *r);
u16 nvme_set_feature(struct nvme_req *r);
void nvme_reset_features(struct nvme *n);
/* After a snapshot: what the drives must know. */
void nvme_features_loaded(struct nvme *n);
u16 nvme_io(struct nvme_req *r);
/* Data that has come and gone: what block_user wants. */
extern const struct block_user nvme_block_user;
u64 nvme_ns_blocks(const struct nvme_ns *ns);
/* nvme_ns.c */
int must_check nvme_ns_init(struct nvme *n, struct nvme_ns *ns, u32 nsid, struct block *drive,
			    u32 logical, u32 physical, struct error *e);
void nvme_ns_fini(struct nvme_ns *ns);
