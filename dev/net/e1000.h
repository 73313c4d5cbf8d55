/* SPDX-License-Identifier: GPL-2.0-or-later */
/* e1000.h - the inside of the Intel gigabit cards, shared by their files. 82574 datasheet (317694)
 * and 8254x software developer's manual (317453); section numbers are of the former. */
#pragma once
#include <quern/net.h>
#include <quern/pci.h>

enum {
	E1000_QUEUES = 2,
	E1000_VECTORS = 5,
	E1000_WORDS = 64,	 /* of the NVM */
	E1000_TX_MAX = 68 << 10, /* a frame, or what is to be cut into frames */
	E1000_FRAME_MAX = 16384,
	E1000_FCS = 4,
	E1000_MIN_FRAME = 60,
};

/* Device control and status (10.2.2) */
enum {
	CTRL_FD = BIT(0),
	CTRL_GIO_MASTER_DISABLE = BIT(2),
	CTRL_SLU = BIT(6),
	CTRL_FRCSPD = BIT(11),
	CTRL_FRCDPLX = BIT(12),
	CTRL_RST = BIT(26),
	CTRL_VME = BIT(30),
	CTRL_PHY_RST = BIT(31),
	STATUS_FD = BIT(0),
	STATUS_LU = BIT(1),
	STATUS_LAN_INIT_DONE = BIT(9),
	STATUS_PHYRA = BIT(10),
	STATUS_GIO_MASTER_ENABLE = BIT(19),
	CTRL_EXT_EE_RST = BIT(13),
	CTRL_EXT_EIAME = BIT(24),
	CTRL_EXT_IAME = BIT(27),
	CTRL_EXT_PBA_CLR = BIT(31),
};
#define CTRL_SPEED   GENMASK(9, 8)
#define STATUS_SPEED GENMASK(7, 6)

/* Interrupt causes (10.2.4) */
enum {
	ICR_TXDW = BIT(0),
	ICR_TXQE = BIT(1),
	ICR_LSC = BIT(2),
	ICR_RXSEQ = BIT(3),
	ICR_RXDMT0 = BIT(4),
	ICR_RXO = BIT(6),
	ICR_RXT0 = BIT(7),
	ICR_MDAC = BIT(9),
	ICR_TXD_LOW = BIT(15),
	ICR_SRPD = BIT(16),
	ICR_ACK = BIT(17),
	ICR_MNG = BIT(18),
	ICR_RXQ0 = BIT(20),
	ICR_RXQ1 = BIT(21),
	ICR_TXQ0 = BIT(22),
	ICR_TXQ1 = BIT(23),
	ICR_OTHER = BIT(24),
	ICR_INT_ASSERTED = BIT(31),
};

/* Receiving (10.2.5) */
enum {
	RCTL_EN = BIT(1),
	RCTL_SBP = BIT(2),
	RCTL_UPE = BIT(3),
	RCTL_MPE = BIT(4),
	RCTL_LPE = BIT(5),
	RCTL_BAM = BIT(15),
	RCTL_VFE = BIT(18),
	RCTL_CFIEN = BIT(19),
	RCTL_CFI = BIT(20),
	RCTL_BSEX = BIT(25),
	RCTL_SECRC = BIT(26),
	RXCSUM_IPOFL = BIT(8),
	RXCSUM_TUOFL = BIT(9),
	RXCSUM_PCSD = BIT(13),
	RFCTL_EXTEN = BIT(15),
	RAH_AV = BIT(31),
	MRQC_TCP_IPV4 = BIT(16),
	MRQC_IPV4 = BIT(17),
	MRQC_TCP_IPV6_EX = BIT(18),
	MRQC_IPV6_EX = BIT(19),
	MRQC_IPV6 = BIT(20),
	MRQC_TCP_IPV6 = BIT(21),
};
#define RCTL_LBM    GENMASK(7, 6)
#define RCTL_RDMTS  GENMASK(9, 8)
#define RCTL_DTYP   GENMASK(11, 10)
#define RCTL_MO	    GENMASK(13, 12)
#define RCTL_BSIZE  GENMASK(17, 16)
#define MRQC_MODE   GENMASK(1, 0)
#define RXCSUM_PCSS GENMASK(7, 0)

/* Sending (10.2.6) */
enum {
	TCTL_EN = BIT(1),
	TCTL_PSP = BIT(3),
	DELAY_FLUSH = BIT(31), /* RDTR, TIDV: what waits goes now */
};
#define TXDCTL_LWTHRESH GENMASK(31, 25)

/* PHY registers that more than one file knows (10.3) */
enum { PHY_CONTROL = 0, PHY_LOOPBACK = BIT(14), PHY_POWER_DOWN = BIT(11) };

/* Offsets and lengths that a context descriptor left (7.2.5) */
struct e1000_context {
	u8 ipcss, ipcso, tucss, tucso;
	u16 ipcse, tucse, mss;
	u8 hdrlen, tucmd;
};

struct e1000_tx {
	struct e1000_context context[2]; /* of plain frames; of frames to be cut */
	u32 have;			 /* bytes of the frame so far */
	u16 vlan;
	u8 popts, tse;
	u8 started, tagged, bad, pad;
	u8 frame[E1000_TX_MAX];
};

struct e1000 {
	struct pci_device pci;
	/* properties */
	struct netdev *netdev;
	u8 mac[6];
	u16 subsys_ven, subsys;
	/* what both kinds have */
	u32 ctrl, status, eecd, eerd, ctrl_ext, fla, mdic, fcal, fcah, fct, vet;
	u32 icr, itr, ims;
	u32 rctl, fcttv, txcw, rxcw, tctl, tipg, ait, ledctl, pba, fcrtl, fcrth;
	u32 rdbal[E1000_QUEUES], rdbah[E1000_QUEUES], rdlen[E1000_QUEUES], rdh[E1000_QUEUES],
		rdt[E1000_QUEUES], rxdctl[E1000_QUEUES];
	u32 tdbal[E1000_QUEUES], tdbah[E1000_QUEUES], tdlen[E1000_QUEUES], tdh[E1000_QUEUES],
		tdt[E1000_QUEUES], txdctl[E1000_QUEUES], tarc[E1000_QUEUES];
	u32 rdtr, radv, rsrpd, tidv, tadv;
	u32 fifo_rx[5], fifo_tx[5];
	u32 rxcsum, mta[128], ra[32], vfta[128];
	u32 wuc, wufc, wus, manc, ipav, ip4at[8], wupl, ffvt[32], fflt[8], ffmt[256];
	u32 swsm;
	/* statistics (10.2.7) */
	u32 crcerrs, algnerrc, symerrs, rxerrc, mpc, scc, ecol, mcc, latecol, colc, dc, tncrs, sec,
		cexterr, rlec, xonrxc, xontxc, xoffrxc, xofftxc, fcruc;
	u32 prc[6], gprc, bprc, mprc, gptc;
	u64 gorc, gotc;
	u32 rnbc, ruc, rfc, roc, rjc, mgtprc, mgtpdc, mgtptc;
	u64 tor, tot;
	u32 tpr, tpt, ptc[6], mptc, bptc, tsctc, tsctfc, iac;
	/* what the 82574 alone has: from here to last_82574 */
	u32 sctl, iam, ivar, eiac, eitr[E1000_VECTORS], tctl_ext, extcnf_ctrl, extcnf_size,
		phy_ctrl, pbs, eemngctl, eewr, flop, pba_ecc, ert, psrctl, rfctl, raid;
	u32 icrxptc, icrxatc, ictxptc, ictxatc, ictxqec, ictxqmtc, icrxdmtc, icrxoc;
	u32 mrqc, rssim, rssir, reta[32], rssrk[10], manc2h, mfutp[4], mdef[8], ip6at[4];
	u32 gcr, gcr2, funcs, factps, fwsm, gscl[4], gscn[4];
	u32 tsyncrxctl, tsynctxctl, timinca, rxmtrl, rxudp;
	u64 systim, txstmp, rxstmp;
	u32 last_82574;
	/* the port window */
	u32 ioaddr;
	/* NVM and PHY */
	u16 nvm[E1000_WORDS];
	u16 phy[32], phy_paged[3][16];
	u8 link_lost;	/* the PHY's link bit stays clear until it is read */
	u8 negotiating; /* the link is not up yet */
	/* the bus to a serial NVM of the 82540 (Microwire) */
	u8 ee_bits, ee_writable, ee_out_bits, ee_clocked;
	u32 ee_shift;
	u16 ee_out, ee_pad;
	/* interrupts */
	u32 told; /* causes that a message has been sent for */
	u32 rx_due, tx_due;
	u64 systim_at;
	u32 timinca_was, pad_timinca;
	struct timer itr_timer, eitr_timer[E1000_VECTORS], rx_timer, rx_abs_timer, tx_timer,
		tx_abs_timer, link_timer, work_timer;
	/* what can be found again */
	bool old; /* an 82540 */
	u8 msix_at;
	u8 out[E1000_FRAME_MAX + 32]; /* scratch: one frame on its way out */
	struct e1000_tx tx[E1000_QUEUES];
};

/* e1000.c: by CTRL.RST; the registers have been reset */
void e1000_reset(void *dev);

/* e1000_regs.c: what reading and writing registers does */
u64 e1000_systim(const struct e1000 *d);
u64 e1000_no_reg_read(void *dev, u64 off, unsigned size);
void e1000_no_reg_write(void *dev, u64 off, unsigned size, u64 val);
u64 e1000_io_read(void *dev, u64 off, unsigned size);
void e1000_io_write(void *dev, u64 off, unsigned size, u64 val);
u64 e1000_flash_read(void *dev, u64 off, unsigned size);
void e1000_flash_write(void *dev, u64 off, unsigned size, u64 val);
extern const struct reg e1000_regs[], e1000e_regs[];

/* e1000_irq.c */
void e1000_cause(struct e1000 *d, u32 causes);
void e1000_rx_cause(struct e1000 *d, unsigned queue, bool low);
void e1000_tx_cause(struct e1000 *d, unsigned queue, bool delayed);
void e1000_irq_update(struct e1000 *d);
void e1000_irq_reset(struct e1000 *d);
u64 e1000_icr_get(void *dev, unsigned i, u64 val);
void e1000_icr_set(void *dev, unsigned i, u64 val);
void e1000_ics_set(void *dev, unsigned i, u64 val);
void e1000_ims_set(void *dev, unsigned i, u64 val);
void e1000_imc_set(void *dev, unsigned i, u64 val);
void e1000_rdtr_set(void *dev, unsigned i, u64 val);
void e1000_tidv_set(void *dev, unsigned i, u64 val);
void e1000_itr_timer(void *dev);
void e1000_rx_timer(void *dev);
void e1000_tx_timer(void *dev);

/* e1000_phy.c: PHY and NVM */
void e1000_nvm_init(struct e1000 *d);
void e1000_nvm_load_address(struct e1000 *d);
void e1000_phy_reset(struct e1000 *d);
void e1000_link_changed(void *dev, bool up);
void e1000_link_update(struct e1000 *d);
void e1000_negotiate(struct e1000 *d);
void e1000_link_timer(void *dev);
void e1000_mdic_set(void *dev, unsigned i, u64 val);
void e1000_eerd_set(void *dev, unsigned i, u64 val);
void e1000_eewr_set(void *dev, unsigned i, u64 val);
u64 e1000_eecd_get(void *dev, unsigned i, u64 val);
void e1000_eecd_set(void *dev, unsigned i, u64 val);

/* e1000_rx.c */
bool e1000_receive(void *dev, const u8 *frame, size_t n);
bool e1000_take(struct e1000 *d, const u8 *frame, size_t n);
/* e1000_rss.c: the hash of a frame, 0 in *type when it has none (7.1.8) */
u32 e1000_rss(const struct e1000 *d, const u8 *frame, size_t n, u32 *type);

/* e1000_tx.c */
void e1000_transmit(struct e1000 *d, unsigned queue);
void e1000_work(void *dev);
bool e1000_loopback(const struct e1000 *d);

/* e1000_sum.c: checksums and what a frame consists of */
struct e1000_parts {
	u16 l3, l4, payload; /* offsets; 0 = no such thing */
	u16 end;	     /* of the IP packet, without padding */
	u8 version, proto;   /* of IP; 0 = not IP */
	bool fragment, extensions;
};
void e1000_parse(const u8 *frame, size_t n, struct e1000_parts *p);
/* The ones' complement sum of big-endian words, not folded. */
u64 e1000_sum(const u8 *p, size_t n);
u16 e1000_fold(u64 sum);
/* The sum of the pseudo header. */
u64 e1000_pseudo(const u8 *frame, const struct e1000_parts *p);
u32 e1000_fcs(const u8 *frame, size_t n);
/* Adds to a counter that stops at its end. */
static inline void e1000_count(u32 *counter, u32 n)
{
	if (add_overflow(*counter, n, counter))
		*counter = ~0u;
}
/* Into the six size classes, which count with the checksum. */
static inline void e1000_count_size(u32 *classes, size_t n)
{
	n += E1000_FCS;
	e1000_count(&classes[n <= 64  ? 0 :
			     n < 128  ? 1 :
			     n < 256  ? 2 :
			     n < 512  ? 3 :
			     n < 1024 ? 4 :
					5],
		    1);
}
