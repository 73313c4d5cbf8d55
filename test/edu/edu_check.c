// SPDX-License-Identifier: GPL-2.0-or-later
/* edu_check.c - a Linux driver of the educational device that checks at probe what the device's
 * specification says, as drivers of courses use it: with msi=1 by message, else by pin. */
#include <linux/completion.h>
#include <linux/dma-mapping.h>
#include <linux/interrupt.h>
#include <linux/io-64-nonatomic-lo-hi.h>
#include <linux/iopoll.h>
#include <linux/module.h>
#include <linux/pci.h>

enum {
	ID = 0x00,
	ALIVE = 0x04,
	FACTORIAL = 0x08,
	STATUS = 0x20,
	IRQ_STATUS = 0x24,
	IRQ_RAISE = 0x60,
	IRQ_ACK = 0x64
};
enum { DMA_SRC = 0x80, DMA_DST = 0x88, DMA_COUNT = 0x90, DMA_CMD = 0x98 };
enum {
	COMPUTING = 0x01,
	STATUS_IRQ = 0x80,
	START = 1,
	FROM_EDU = 2,
	CMD_IRQ = 4,
	BUFFER = 0x40000
};

static bool msi = true;
module_param(msi, bool, 0444);
static uint bytes = 4096; /* the size of the buffer, or less */
module_param(bytes, uint, 0444);

struct edu {
	struct pci_dev *pci;
	void __iomem *regs;
	struct completion irq;
	u32 why;
	int irqs, checks, bad;
};

static void check(struct edu *e, const char *what, u64 got, u64 want)
{
	e->checks++;
	if (got == want)
		return;
	e->bad++;
	pci_err(e->pci, "%s is %#llx, not %#llx\n", what, got, want);
}

static irqreturn_t edu_irq(int irq, void *arg)
{
	struct edu *e = arg;
	u32 why = readl(e->regs + IRQ_STATUS);

	if (!why)
		return IRQ_NONE;
	writel(why, e->regs + IRQ_ACK);
	e->why = why;
	e->irqs++;
	complete(&e->irq);
	return IRQ_HANDLED;
}

static u32 wait_irq(struct edu *e) { return wait_for_completion_timeout(&e->irq, HZ) ? e->why : 0; }

static void numbers(struct edu *e)
{
	u32 status;

	check(e, "id", readl(e->regs + ID), 0x010000ed);
	writel(0xdeadbeef, e->regs + ALIVE);
	check(e, "inverse", readl(e->regs + ALIVE), (u32)~0xdeadbeef);
	writel(10, e->regs + FACTORIAL);
	check(e, "polling",
	      readl_poll_timeout(e->regs + STATUS, status, !(status & COMPUTING), 10, 1000000), 0);
	check(e, "10!", readl(e->regs + FACTORIAL), 3628800);
	writel(STATUS_IRQ, e->regs + STATUS);
	writel(12, e->regs + FACTORIAL);
	check(e, "interrupt of the factorial", wait_irq(e), 1);
	check(e, "12!", readl(e->regs + FACTORIAL), 479001600);
	writel(0, e->regs + STATUS);
}

static void interrupts(struct edu *e)
{
	int before = e->irqs;

	for (u32 i = 0; i < 32; i++) {
		writel(BIT(i), e->regs + IRQ_RAISE);
		check(e, "raised interrupt", wait_irq(e), BIT(i));
	}
	check(e, "number of interrupts", e->irqs - before, 32);
	check(e, "status when all are acknowledged", readl(e->regs + IRQ_STATUS), 0);
}

static void transfer(struct edu *e, u64 src, u64 dst, u32 count, u32 cmd)
{
	u32 left;

	writeq(src, e->regs + DMA_SRC);
	writel(dst, e->regs + DMA_DST);
	writel(count, e->regs + DMA_COUNT);
	writel(START | cmd, e->regs + DMA_CMD);
	if (cmd & CMD_IRQ)
		check(e, "interrupt of the transfer", wait_irq(e), 0x100);
	check(e, "end of the transfer",
	      readl_poll_timeout(e->regs + DMA_CMD, left, !(left & START), 1000, 1000000), 0);
}

static void dma(struct edu *e)
{
	dma_addr_t at;
	u8 *mem;

	check(e, "28 bits of DMA", dma_set_mask_and_coherent(&e->pci->dev, DMA_BIT_MASK(28)), 0);
	mem = dma_alloc_coherent(&e->pci->dev, 8192, &at, GFP_KERNEL);
	check(e, "memory for DMA", !mem, 0);
	if (!mem)
		return;
	check(e, "its address", at + 8191 <= DMA_BIT_MASK(28), 1);
	for (uint i = 0; i < bytes; i++)
		mem[i] = i * 5 + (i >> 8);
	transfer(e, at, BUFFER, bytes, CMD_IRQ);
	transfer(e, BUFFER, at + 4096, bytes, FROM_EDU);
	check(e, "all that came back", memcmp(mem, mem + 4096, bytes), 0);
	transfer(e, BUFFER + 7, at + 4096, 100, FROM_EDU | CMD_IRQ);
	check(e, "part that came back", memcmp(mem + 4096, mem + 7, 100), 0);
	check(e, "byte behind it", mem[4096 + 100], mem[100]);
	dma_free_coherent(&e->pci->dev, 8192, mem, at);
}

static int edu_probe(struct pci_dev *pci, const struct pci_device_id *id)
{
	struct edu *e = devm_kzalloc(&pci->dev, sizeof(*e), GFP_KERNEL);
	int err;

	if (!e)
		return -ENOMEM;
	e->pci = pci;
	init_completion(&e->irq);
	err = pcim_enable_device(pci) ?: pcim_iomap_regions(pci, BIT(0), "edu");
	if (err)
		return err;
	e->regs = pcim_iomap_table(pci)[0];
	pci_set_master(pci);
	err = pci_alloc_irq_vectors(pci, 1, 1, msi ? PCI_IRQ_MSI : PCI_IRQ_LEGACY);
	if (err < 0)
		return err;
	err = request_irq(pci_irq_vector(pci, 0), edu_irq, IRQF_SHARED, "edu", e);
	if (!err) {
		check(e, "message interrupts", pci->msi_enabled, msi);
		numbers(e);
		interrupts(e);
		dma(e);
		free_irq(pci_irq_vector(pci, 0), e);
	}
	pci_free_irq_vectors(pci);
	pci_info(pci, "%d checks, %d wrong\n", e->checks, e->bad);
	return err;
}

static const struct pci_device_id edu_ids[] = { { PCI_DEVICE(0x1234, 0x11e8) }, {} };
MODULE_DEVICE_TABLE(pci, edu_ids);
static struct pci_driver edu_driver = { .name = "edu_check",
					.id_table = edu_ids,
					.probe = edu_probe };
module_pci_driver(edu_driver);
MODULE_DESCRIPTION("Checks of the educational PCI device");
MODULE_LICENSE("GPL");
