/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ns16550_test.c - the UART against its data sheet, and against what drivers look for. */
#include "core/chardev.h"
#include "dev/test_ports.h"
#include "lib/alloc.h"

enum { RBR, IER, IIR, LCR, MCR, LSR, MSR, SCR, THR = RBR, FCR = IIR };

struct line {
	struct tdev *t;
	struct device *d;
	struct chardev chr;
	char out[64];
	int n, limit; /* limit: how much the back end takes now */
	unsigned room, breaks;
};

static int line_write(struct chardev *c, const u8 *buf, int n)
{
	struct line *l = c->impl;

	n = MIN(n, l->limit - l->n);
	memcpy(l->out + l->n, buf, n);
	l->n += n;
	return n;
}

static void line_room(struct chardev *c) { ((struct line *)c->impl)->room++; }
static void line_break(struct chardev *c) { ((struct line *)c->impl)->breaks++; }
static void line_fini(struct chardev *c) {}
static const struct chardev_ops line_ops = { "test", line_write, line_room, line_fini, line_break };

static struct line *line_new(void)
{
	struct line *l = NEW(struct line);

	l->t = tdev_new("ns16550");
	l->limit = 60;
	chardev_init(&l->chr, tdev_machine(l->t), &line_ops, "chr", l);
	l->d = device_new(tdev_machine(l->t), "ns16550", "uart", NULL);
	CHECK(l->d);
	CHECK_EQ(device_set_ptr(l->d, "chardev", &l->chr, NULL), 0);
	CHECK_EQ(device_realize(l->d, NULL), 0);
	return l;
}

static void line_free(struct line *l)
{
	tdev_free(l->t);
	free(l);
}

static u8 rd(struct line *l, unsigned reg) { return in8(l->d, "regs", reg); }
static void wr(struct line *l, unsigned reg, u8 v) { out8(l->d, "regs", reg, v); }
static int irq(struct line *l) { return device_output(l->d, "irq", 0)->level; }
static void receive(struct line *l, const char *s)
{
	chardev_receive(&l->chr, (const u8 *)s, strlen(s));
}

TEST(uart_looks_like_a_16550a)
{
	struct line *l = line_new();

	wr(l, IER, 0xff);
	CHECK_EQ(rd(l, IER), 0x0f);
	wr(l, IER, 0);
	wr(l, SCR, 0xa5);
	CHECK_EQ(rd(l, SCR), 0xa5);
	CHECK_EQ(rd(l, IIR), 0x01);
	wr(l, FCR, 0x01);
	CHECK_EQ(rd(l, IIR), 0xc1);
	wr(l, FCR, 0x21); /* no 64-byte FIFO */
	CHECK_EQ(rd(l, IIR), 0xc1);
	wr(l, MCR, 0x1a); /* loopback: OUT2 and RTS come back as DCD and CTS */
	CHECK_EQ(rd(l, MSR) & 0xf0, 0x90);
	wr(l, MCR, 0);
	CHECK_EQ(rd(l, MSR) & 0xf0, 0xb0);
	wr(l, LCR, 0x83);
	wr(l, 0, 0x34);
	wr(l, 1, 0x12);
	CHECK_EQ(rd(l, 0), 0x34);
	CHECK_EQ(rd(l, 1), 0x12);
	wr(l, LCR, 0x03);
	CHECK_EQ(rd(l, LSR), 0x60);
	line_free(l);
}

TEST(uart_transmits_at_once)
{
	struct line *l = line_new();

	for (const char *s = "hello\nworld"; *s; s++) {
		CHECK_EQ(rd(l, LSR) & 0x60, 0x60);
		wr(l, THR, *s);
	}
	CHECK_EQ(l->n, 6);	/* a line goes at its end */
	tdev_run_us(l->t, 210); /* the rest a moment later */
	CHECK_EQ(l->n, 11);
	CHECK_MEM(l->out, "hello\nworld", 11);
	wr(l, THR, '!');
	wr(l, FCR, 0x07); /* clearing the FIFO takes nothing back that was sent */
	CHECK_EQ(l->n, 12);
	wr(l, THR, '!');
	device_reset(l->d);
	CHECK_EQ(l->n, 13);
	line_free(l);
}

TEST(uart_raises_empty_transmitter_again)
{
	struct line *l = line_new();

	wr(l, IER, 0x02);
	CHECK_EQ(irq(l), 1);
	CHECK_EQ(rd(l, IIR), 0x02);
	CHECK_EQ(irq(l), 0); /* reading the source clears it */
	CHECK_EQ(rd(l, IIR), 0x01);
	wr(l, IER, 0);
	wr(l, IER, 0x02); /* enabling raises it again */
	CHECK_EQ(rd(l, IIR), 0x02);
	wr(l, THR, 'x'); /* and so does an emptied transmitter */
	CHECK_EQ(irq(l), 1);
	line_free(l);
}

TEST(uart_loses_nothing_to_a_slow_back_end)
{
	struct line *l = line_new();

	wr(l, FCR, 0x01);
	l->limit = 2;
	for (unsigned i = 0; i < 5; i++)
		wr(l, THR, 'a' + i);
	wr(l, THR, '\n');
	CHECK_EQ(l->n, 2);
	CHECK_EQ(rd(l, LSR) & 0x60, 0); /* the guest sees that it must wait */
	l->limit = 60;
	tdev_run_us(l->t, 2000);
	CHECK_EQ(l->n, 6);
	CHECK_MEM(l->out, "abcde\n", 6);
	CHECK_EQ(rd(l, LSR) & 0x60, 0x60);
	l->limit = l->n;
	for (unsigned i = 0; i < 64; i++) /* a long line fills up what is gathered */
		wr(l, THR, 'x');
	CHECK_EQ(rd(l, LSR) & 0x60, 0);
	l->limit = 1000;
	l->n = 0;
	tdev_run_us(l->t, 2000);
	CHECK_EQ(l->n, 64);
	line_free(l);
}

TEST(uart_receives_by_trigger_and_timeout)
{
	struct line *l = line_new();
	unsigned room;

	wr(l, LCR, 0x03);
	wr(l, FCR, 0x81); /* trigger at 8 */
	wr(l, IER, 0x01);
	CHECK_EQ(chardev_can_receive(&l->chr), 16);
	receive(l, "abc");
	CHECK_EQ(irq(l), 0);
	tdev_run_us(l->t, 100000); /* four characters at 9600 baud are 4.2 ms */
	CHECK_EQ(rd(l, IIR), 0xcc);
	CHECK_EQ(rd(l, RBR), 'a');
	CHECK_EQ(irq(l), 0); /* a read takes the timeout back */
	receive(l, "defghi");
	CHECK_EQ(rd(l, IIR), 0xc4);
	for (const char *s = "bcdefghi"; *s; s++) {
		CHECK_EQ(rd(l, LSR) & 1, 1);
		CHECK_EQ(rd(l, RBR), *s);
	}
	CHECK_EQ(rd(l, LSR) & 1, 0);
	CHECK_EQ(irq(l), 0);
	/* The next ones come after a gap: a handler that reads until nothing is left comes to its
	 * end. */
	CHECK_EQ(chardev_can_receive(&l->chr), 0);
	room = l->room;
	tdev_run_us(l->t, 2000);
	CHECK(l->room > room);
	CHECK_EQ(chardev_can_receive(&l->chr), 16);
	receive(l, "0123456789abcdef");
	CHECK_EQ(chardev_can_receive(&l->chr), 0);
	line_free(l);
}

TEST(uart_interrupt_priorities)
{
	struct line *l = line_new();

	wr(l, FCR, 0x01);
	wr(l, IER, 0x0f);
	wr(l, MCR, 0x10); /* loopback drops the modem lines: deltas */
	wr(l, MCR, 0x00);
	chardev_event(&l->chr, CHARDEV_BREAK);
	CHECK_EQ(rd(l, IIR) & 0xf, 0x06);
	CHECK_EQ(rd(l, LSR), 0xf9); /* FIFO error, empty transmitter, break, framing, data */
	CHECK_EQ(rd(l, IIR) & 0xf, 0x04);
	CHECK_EQ(rd(l, RBR), 0);
	CHECK_EQ(rd(l, IIR) & 0xf, 0x02);
	CHECK_EQ(rd(l, IIR) & 0xf, 0x00);
	CHECK(rd(l, MSR) & 0x0f);
	CHECK_EQ(rd(l, IIR) & 0xf, 0x01);
	line_free(l);
}

TEST(uart_overrun_and_break)
{
	struct line *l = line_new();

	wr(l, MCR, 0x10);
	wr(l, THR, 'a');
	wr(l, THR, 'b'); /* no FIFO: the new one destroys the old */
	CHECK_EQ(rd(l, LSR) & 0x03, 0x03);
	CHECK_EQ(rd(l, RBR), 'b');
	CHECK_EQ(l->n, 0);
	wr(l, MCR, 0);
	wr(l, LCR, 0x43);
	wr(l, LCR, 0x03);
	CHECK_EQ(l->breaks, 1);
	line_free(l);
}

TEST(uart_paced)
{
	struct tdev *t = tdev_new_props("ns16550", "paced=on");
	struct device *d = tdev_device(t);

	out8(d, "regs", LCR, 0x83);
	out8(d, "regs", 0, 1); /* 115200 baud: a character of 10 bits takes 86.8 us */
	out8(d, "regs", 1, 0);
	out8(d, "regs", LCR, 0x03);
	out8(d, "regs", THR, 'x');
	CHECK_EQ(in8(d, "regs", LSR) & 0x60, 0);
	tdev_run_us(t, 80);
	CHECK_EQ(in8(d, "regs", LSR) & 0x60, 0);
	tdev_run_us(t, 10);
	CHECK_EQ(in8(d, "regs", LSR) & 0x60, 0x60);
	tdev_free(t);
}
