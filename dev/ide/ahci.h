/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ahci.h - the inside of the AHCI controller: registers in ahci.c, commands in ahci_port.c. */
#pragma once
#include "ata.h"
#include <quern/pci.h>

enum { AHCI_PORTS = 6 };
enum { /* PxIS */
       IS_DHRS = BIT(0),
       IS_PSS = BIT(1),
       IS_DSS = BIT(2),
       IS_SDBS = BIT(3),
       IS_DPS = BIT(5),
       IS_PCS = BIT(6),
       IS_PRCS = BIT(22),
       IS_OFS = BIT(24),
       IS_HBFS = BIT(29),
       IS_TFES = BIT(30),
};

struct ahci;
struct ahci_port {
	struct ahci *d;
	unsigned number;
	bool stopping;
};
struct ahci {
	struct pci_device pci;
	u32 ghc, is, vs, ccc_ctl, ccc_ports, em_loc, em_ctl, cap2, bohc;
	u32 clb[AHCI_PORTS], clbu[AHCI_PORTS], fb[AHCI_PORTS], fbu[AHCI_PORTS], pis[AHCI_PORTS],
		pie[AHCI_PORTS], cmd[AHCI_PORTS], tfd[AHCI_PORTS], sig[AHCI_PORTS],
		ssts[AHCI_PORTS], sctl[AHCI_PORTS], serr[AHCI_PORTS], sact[AHCI_PORTS],
		ci[AHCI_PORTS], sntf[AHCI_PORTS], fbs[AHCI_PORTS];
	u32 started[AHCI_PORTS]; /* slots whose command has begun */
	u32 index;
	u8 det[AHCI_PORTS];
	bool fresh[AHCI_PORTS];	 /* the signature has not been received yet */
	bool halted[AHCI_PORTS]; /* after an error, until the port is stopped */
	bool srst[AHCI_PORTS];
	bool news; /* an interrupt that no message told yet */
	bool builtin;
	/* derived */
	struct ata_cmd slot[AHCI_PORTS][32];
	struct ahci_port port[AHCI_PORTS];
	struct dma_list pio[AHCI_PORTS];
	struct ata_drive *drive[AHCI_PORTS];
	struct slots *slots[AHCI_PORTS];
};

/* ahci.c */
void ahci_update_irq(struct ahci *d);
/* ahci_port.c */
void ahci_port_attach(struct ahci *d, unsigned p);
void ahci_port_run(struct ahci *d, unsigned p);
void ahci_port_stop(struct ahci *d, unsigned p);
void ahci_port_reset(struct ahci *d, unsigned p);
void ahci_port_signature(struct ahci *d, unsigned p);
