/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ns16550 - the 16550A UART, after the National Semiconductor PC16550D data sheet (June 1995);
 * section numbers are its own. Output leaves at the host's speed unless `paced` is set: the guest
 * finds the transmitter empty at once, and its characters go to the back end a line at a time or a
 * moment later. While the back end is slow, THR stays full and nothing is lost. */
#include <quern/device.h>
#include <quern/isa.h>

enum { FIFO_SIZE = 16, LINE_SIZE = 64 }; /* LINE_SIZE: what is gathered for the back end */
enum { IER_RX = BIT(0), IER_THR = BIT(1), IER_LINE = BIT(2), IER_MODEM = BIT(3), IER_ALL = 0x0f };
enum {
	IIR_MODEM = 0,
	IIR_NONE = 1,
	IIR_THR = 2,
	IIR_RX = 4,
	IIR_LINE = 6,
	IIR_TIMEOUT = 12,
	IIR_ID = 15,
	IIR_FIFO = 0xc0
};
enum {
	FCR_ENABLE = BIT(0),
	FCR_CLEAR_RX = BIT(1),
	FCR_CLEAR_TX = BIT(2),
	FCR_DMA = BIT(3),
	FCR_TRIGGER = 0xc0
};
enum {
	LCR_BITS = 3,
	LCR_STOP = BIT(2),
	LCR_PARITY = BIT(3),
	LCR_BREAK = BIT(6),
	LCR_DLAB = BIT(7)
};
enum {
	MCR_DTR = BIT(0),
	MCR_RTS = BIT(1),
	MCR_OUT1 = BIT(2),
	MCR_OUT2 = BIT(3),
	MCR_LOOP = BIT(4),
	MCR_ALL = 0x1f
};
enum {
	LSR_DR = BIT(0),
	LSR_OVERRUN = BIT(1),
	LSR_PARITY = BIT(2),
	LSR_FRAMING = BIT(3),
	LSR_BREAK = BIT(4),
	LSR_THRE = BIT(5),
	LSR_TEMT = BIT(6),
	LSR_FIFO_ERROR = BIT(7),
	LSR_CHAR = LSR_PARITY | LSR_FRAMING | LSR_BREAK,
	LSR_ERRORS = LSR_OVERRUN | LSR_CHAR
};
enum {
	MSR_DELTAS = 0x0f,
	MSR_RI_FELL = BIT(2),
	MSR_CTS = BIT(4),
	MSR_DSR = BIT(5),
	MSR_RI = BIT(6),
	MSR_DCD = BIT(7),
	MSR_LINES = 0xf0
};
#define RETRY_NS  1000000ull /* how often a slow back end is offered the rest */
#define GATHER_NS 200000ull  /* how long characters without a line's end wait for more */

struct ns16550 {
	struct device dev;
	struct irq irq;
	struct timer rx_timer, tx_timer, gap_timer;
	struct chardev *chardev;
	u32 baudbase, iobase, irqnum;
	u16 divisor;
	u8 ier, fcr, lcr, mcr, lsr, msr, scr;
	/* rx_lsr: the error bits of each character */
	u8 rx[FIFO_SIZE], rx_lsr[FIFO_SIZE], tx[LINE_SIZE];
	u8 rx_head, rx_n, tx_n;
	bool thr_pending, timeout_pending, paced;
	/* the guest has begun to empty the FIFO: nothing comes in before it has, and a gap has
	 * passed */
	bool draining;
	u8 index;
};

static bool fifo_on(const struct ns16550 *d) { return d->fcr & FCR_ENABLE; }

static unsigned rx_trigger(const struct ns16550 *d)
{
	static const u8 level[] = { 1, 4, 8, 14 };

	return fifo_on(d) ? level[FIELD_GET(FCR_TRIGGER, d->fcr)] : 1;
}

/* The time of one character: start bit, data, parity, stop bits. */
static u64 char_ns(const struct ns16550 *d)
{
	unsigned bits =
		1 + 5 + (d->lcr & LCR_BITS) + !!(d->lcr & LCR_PARITY) + (d->lcr & LCR_STOP ? 2 : 1);
	u64 div = d->divisor ? d->divisor : 1;

	return bits * div * 1000000000ull / (d->baudbase ? d->baudbase : 115200);
}

static u8 iir_id(const struct ns16550 *d)
{
	/* 8.6.3 table IV: the order of priority */
	if ((d->ier & IER_LINE) && (d->lsr & LSR_ERRORS))
		return IIR_LINE;
	if ((d->ier & IER_RX) && d->rx_n >= rx_trigger(d))
		return IIR_RX;
	if ((d->ier & IER_RX) && d->timeout_pending)
		return IIR_TIMEOUT;
	if ((d->ier & IER_THR) && d->thr_pending)
		return IIR_THR;
	if ((d->ier & IER_MODEM) && (d->msr & MSR_DELTAS))
		return IIR_MODEM;
	return IIR_NONE;
}

static void update(struct ns16550 *d) { irq_set(&d->irq, iir_id(d) != IIR_NONE); }

/* The error bits of the character at the head show in LSR when it gets there (8.6.2). */
static void show_head(struct ns16550 *d)
{
	bool error = false;

	d->lsr &= ~(LSR_DR | LSR_FIFO_ERROR);
	if (!d->rx_n)
		return;
	d->lsr |= LSR_DR | d->rx_lsr[d->rx_head];
	for (unsigned i = 0; i < d->rx_n; i++)
		error |= d->rx_lsr[(d->rx_head + i) % FIFO_SIZE] != 0;
	if (fifo_on(d) && error)
		d->lsr |= LSR_FIFO_ERROR;
}

static void rx_push(struct ns16550 *d, u8 c, u8 errors)
{
	if (d->rx_n >= (fifo_on(d) ? FIFO_SIZE : 1)) {
		d->lsr |= LSR_OVERRUN;
		if (!fifo_on(d))
			d->rx[d->rx_head] =
				c; /* without FIFOs the new character destroys the old */
		return;
	}
	d->rx[(d->rx_head + d->rx_n) % FIFO_SIZE] = c;
	d->rx_lsr[(d->rx_head + d->rx_n) % FIFO_SIZE] = errors;
	d->rx_n++;
	d->timeout_pending = false;
	if (fifo_on(d))
		timer_start(&d->rx_timer, 4 * char_ns(d));
	show_head(d);
}

static void rx_clear(struct ns16550 *d)
{
	d->rx_n = d->rx_head = 0;
	d->timeout_pending = false;
	d->lsr &= ~(LSR_DR | LSR_FIFO_ERROR);
	timer_stop(&d->rx_timer);
	timer_stop(&d->gap_timer);
	d->draining = false;
}

static u8 rx_pop(struct ns16550 *d)
{
	u8 c = d->rx[d->rx_head];

	if (!d->rx_n)
		return 0;
	d->rx_head = (d->rx_head + 1) % FIFO_SIZE;
	d->rx_n--;
	d->timeout_pending = false;
	if (d->rx_n && fifo_on(d))
		timer_start(&d->rx_timer, 4 * char_ns(d));
	else
		timer_stop(&d->rx_timer);
	show_head(d);
	update(d);
	/* A handler that reads until the FIFO is empty must see it empty, as on a line, however
	 * fast a pipe brings the next ones. */
	d->draining = true;
	if (!d->rx_n)
		timer_start(&d->gap_timer, char_ns(d));
	return c;
}

static void gap_over(void *dev)
{
	struct ns16550 *d = dev;

	d->draining = false;
	if (d->chardev && !(d->mcr & MCR_LOOP))
		chardev_room(d->chardev);
}

/* 8.6.3: characters lie in the FIFO below its trigger level and none came or went for four
 * character times. */
static void rx_timeout(void *dev)
{
	struct ns16550 *d = dev;

	d->timeout_pending = d->rx_n > 0 && fifo_on(d);
	update(d);
}

static void tx_state(struct ns16550 *d)
{
	if (d->tx_n) {
		d->lsr &= ~(LSR_THRE | LSR_TEMT);
		return;
	}
	if (!(d->lsr & LSR_THRE))
		d->thr_pending = true;
	d->lsr |= LSR_THRE | LSR_TEMT;
}

/* Gives n bytes of the transmit FIFO to the back end; what it does not take stays. */
static void tx_send(struct ns16550 *d, unsigned n)
{
	int done = n;

	if (fault(d, "tx_stuck"))
		return;
	if (d->chardev)
		done = chardev_write(d->chardev, d->tx, n);
	if (done < 0)
		done = 0;
	memmove(d->tx, d->tx + done, d->tx_n - done);
	d->tx_n -= done;
}

static void tx_run(struct ns16550 *d)
{
	if (d->paced) {
		if (d->tx_n && !d->tx_timer.deadline)
			timer_start(&d->tx_timer, char_ns(d));
	} else if (d->tx_n) {
		tx_send(d, d->tx_n);
		if (d->tx_n)
			timer_start(&d->tx_timer, RETRY_NS);
	}
	tx_state(d);
}

static void tx_fire(void *dev)
{
	struct ns16550 *d = dev;
	unsigned before = d->tx_n;

	if (d->paced && d->tx_n) {
		tx_send(d, 1);
		if (d->tx_n)
			timer_start(&d->tx_timer, d->tx_n == before ? RETRY_NS : char_ns(d));
		tx_state(d);
	} else {
		tx_run(d);
	}
	update(d);
}

/* Characters that the guest takes for sent, but that still wait for more, go now. */
static void tx_flush(struct ns16550 *d)
{
	if (!d->tx_n || !(d->lsr & LSR_THRE))
		return;
	timer_stop(&d->tx_timer);
	tx_run(d);
}

static void thr_write(struct ns16550 *d, u8 c)
{
	bool empty = d->lsr & LSR_THRE;

	d->thr_pending = false;
	if (d->mcr & MCR_LOOP) {
		rx_push(d, c, 0);
		d->thr_pending = true;
	} else if (empty && !d->paced && c != '\n' && d->tx_n < LINE_SIZE - 1) {
		d->tx[d->tx_n++] = c;
		d->thr_pending = true;
		if (d->tx_n == 1)
			timer_start(&d->tx_timer, GATHER_NS);
	} else if (empty || d->tx_n < (fifo_on(d) ? FIFO_SIZE : 1)) {
		d->tx[d->tx_n++] = c;
		d->lsr &= ~(LSR_THRE | LSR_TEMT);
		timer_stop(&d->tx_timer);
		tx_run(d);
	} else {
		guest_error(d, "thr: written while full, %#x is lost", c);
	}
	update(d);
}

static void set_modem_lines(struct ns16550 *d, u8 lines)
{
	u8 changed = (d->msr ^ lines) & MSR_LINES;

	/* RI counts only when it goes off */
	d->msr |= (changed & ~MSR_RI) >> 4 | (changed & d->msr & MSR_RI ? MSR_RI_FELL : 0);
	d->msr = (d->msr & MSR_DELTAS) | lines;
}

static void modem_update(struct ns16550 *d)
{
	if (d->mcr & MCR_LOOP)
		set_modem_lines(d, (d->mcr & MCR_RTS ? MSR_CTS : 0) |
					   (d->mcr & MCR_DTR ? MSR_DSR : 0) |
					   (d->mcr & MCR_OUT1 ? MSR_RI : 0) |
					   (d->mcr & MCR_OUT2 ? MSR_DCD : 0));
	else
		set_modem_lines(d, d->chardev ? MSR_CTS | MSR_DSR | MSR_DCD : 0);
}

static void fcr_write(struct ns16550 *d, u8 v)
{
	bool toggled = (v ^ d->fcr) & FCR_ENABLE;

	tx_flush(d);
	if (toggled || (v & FCR_CLEAR_RX))
		rx_clear(d);
	if (toggled || (v & FCR_CLEAR_TX)) {
		d->tx_n = 0;
		timer_stop(&d->tx_timer);
		tx_state(d);
	}
	d->fcr = v & FCR_ENABLE ? v & (FCR_ENABLE | FCR_DMA | FCR_TRIGGER) : 0;
	update(d);
	if (d->chardev && !(d->mcr & MCR_LOOP))
		chardev_room(d->chardev);
}

static void lcr_write(struct ns16550 *d, u8 v)
{
	if (v & ~d->lcr & LCR_BREAK) {
		tx_flush(d);
		if (d->mcr & MCR_LOOP)
			rx_push(d, 0, LSR_BREAK | LSR_FRAMING);
		else if (d->chardev)
			chardev_send_break(d->chardev);
	}
	d->lcr = v;
	update(d);
}

static void ns16550_write(void *dev, u64 off, unsigned size, u64 val)
{
	struct ns16550 *d = dev;
	u8 v = val;

	switch (off) {
	case 0:
		if (d->lcr & LCR_DLAB)
			d->divisor = (d->divisor & 0xff00) | v;
		else
			thr_write(d, v);
		break;
	case 1:
		if (d->lcr & LCR_DLAB) {
			d->divisor = (d->divisor & 0xff) | v << 8;
			break;
		}
		/* enabling the interrupt while the transmitter is empty raises it at once */
		if ((v & ~d->ier & IER_THR) && (d->lsr & LSR_THRE))
			d->thr_pending = true;
		d->ier = v & IER_ALL;
		update(d);
		break;
	case 2:
		fcr_write(d, v);
		break;
	case 3:
		lcr_write(d, v);
		break;
	case 4:
		tx_flush(d);
		d->mcr = v & MCR_ALL;
		modem_update(d);
		update(d);
		break;
	case 5:
	case 6:
		guest_error(d, "%s is read-only", off == 5 ? "lsr" : "msr");
		break;
	case 7:
		d->scr = v;
		break;
	}
}

static u64 ns16550_read(void *dev, u64 off, unsigned size)
{
	struct ns16550 *d = dev;
	u8 v = 0;

	switch (off) {
	case 0:
		return d->lcr & LCR_DLAB ? d->divisor & 0xff : rx_pop(d);
	case 1:
		return d->lcr & LCR_DLAB ? d->divisor >> 8 : d->ier;
	case 2:
		v = iir_id(d);
		if (v == IIR_THR) {
			d->thr_pending = false;
			update(d);
		}
		return v | (fifo_on(d) ? IIR_FIFO : 0);
	case 3:
		return d->lcr;
	case 4:
		return d->mcr;
	case 5:
		v = d->lsr;
		d->lsr &= ~LSR_ERRORS;
		if (d->rx_n)
			d->rx_lsr[d->rx_head] = 0;
		show_head(d);
		update(d);
		return v;
	case 6:
		v = d->msr;
		d->msr &= ~MSR_DELTAS;
		update(d);
		return v;
	case 7:
		return d->scr;
	}
	return 0xff;
}

static int uart_room(void *dev)
{
	struct ns16550 *d = dev;

	if ((d->mcr & MCR_LOOP) || d->draining)
		return 0;
	return (fifo_on(d) ? FIFO_SIZE : 1) - d->rx_n;
}

static void uart_receive(void *dev, const u8 *buf, int n)
{
	struct ns16550 *d = dev;

	for (int i = 0; i < n; i++)
		rx_push(d, buf[i], 0);
	update(d);
}

static void uart_event(void *dev, int event)
{
	struct ns16550 *d = dev;

	if (event == CHARDEV_BREAK && !(d->mcr & MCR_LOOP)) {
		rx_push(d, 0, LSR_BREAK | LSR_FRAMING);
		update(d);
	}
}

static const struct chardev_user uart_user = { uart_room, uart_receive, uart_event };

static int ns16550_init(void *dev, struct error *e)
{
	struct ns16550 *d = dev;

	if (d->chardev)
		chardev_attach(d->chardev, d, &uart_user);
	return 0;
}

static void ns16550_reset(void *dev)
{
	struct ns16550 *d = dev;

	tx_flush(d);
	d->ier = d->fcr = d->lcr = d->mcr = 0;
	d->divisor = 12; /* 9600: what firmware leaves */
	d->lsr = LSR_THRE | LSR_TEMT;
	d->msr = 0;
	d->tx_n = 0;
	d->thr_pending = false;
	timer_stop(&d->tx_timer);
	rx_clear(d);
	modem_update(d);
	d->msr &= ~MSR_DELTAS;
	update(d);
}

static void ns16550_stopped(void *dev) { tx_flush(dev); }

static void ns16550_fini(void *dev)
{
	struct ns16550 *d = dev;

	tx_flush(d);
	if (d->chardev)
		chardev_attach(d->chardev, d, NULL);
}

static const struct bank ns16550_banks[] = { { .name = "regs",
					       .size = 8,
					       .min = 1,
					       .max = 1,
					       .split = true,
					       .read = ns16550_read,
					       .write = ns16550_write },
					     {} };
#define UART_PROPS \
	PROP(struct ns16550, chardev, .kind = PROP_CHARDEV, \
	     .doc = "Where the characters go and come from."), \
		PROP(struct ns16550, baudbase, .def = 115200, .min = 1, \
		     .doc = "Clock divided by 16, in Hz."), \
		PROP(struct ns16550, paced, .kind = PROP_BOOL, \
		     .doc = "Send at the programmed rate instead of at once.")
static const struct prop ns16550_props[] = { UART_PROPS, {} };
static const struct prop isa_serial_props[] = {
	UART_PROPS,
	PROP(struct ns16550, iobase, .max = 0xfff8, .doc = "First port; 0 = by index."),
	{ .name = "irq",
	  .off = offsetof(struct ns16550, irqnum),
	  .size = 4,
	  .max = 15,
	  .doc = "ISA interrupt; 0 = by index." },
	PROP(struct ns16550, index, .max = 3,
	     .doc = "COM port: 0x3f8 irq 4, 0x2f8 irq 3, 0x3e8 irq 4, 0x2e8 irq 3."),
	{}
};
#define UART_STATE \
	IRQ_OUT(struct ns16550, irq), TIMER(struct ns16550, rx_timer, rx_timeout), \
		TIMER(struct ns16550, tx_timer, tx_fire), \
		TIMER(struct ns16550, gap_timer, gap_over), STATE(struct ns16550, divisor), \
		STATE(struct ns16550, ier), STATE(struct ns16550, fcr), \
		STATE(struct ns16550, lcr), STATE(struct ns16550, mcr), \
		STATE(struct ns16550, lsr), STATE(struct ns16550, msr), \
		STATE(struct ns16550, scr), STATE(struct ns16550, rx), \
		STATE(struct ns16550, rx_lsr), STATE(struct ns16550, tx), \
		STATE(struct ns16550, rx_head), STATE(struct ns16550, rx_n), \
		STATE(struct ns16550, tx_n), STATE(struct ns16550, thr_pending), \
		STATE(struct ns16550, timeout_pending), STATE(struct ns16550, draining)
static const struct state ns16550_state[] = { UART_STATE,
					      DERIVED(struct ns16550, iobase),
					      DERIVED(struct ns16550, irqnum),
					      DERIVED(struct ns16550, index),
					      {} };
static const struct state isa_serial_state[] = { UART_STATE, {} };

DEVICE(ns16550, .name = "ns16550", .doc = "16550A serial port", .banks = ns16550_banks,
       .props = ns16550_props, .state = ns16550_state, .init = ns16550_init, .reset = ns16550_reset,
       .stopped = ns16550_stopped, .fini = ns16550_fini);

static int isa_serial_init(void *dev, struct error *e)
{
	static const u16 port[] = { 0x3f8, 0x2f8, 0x3e8, 0x2e8 };
	struct ns16550 *d = dev;

	if (!d->iobase)
		d->iobase = port[d->index];
	if (!d->irqnum)
		d->irqnum = d->index & 1 ? 3 : 4;
	return ns16550_init(dev, e);
}

static const struct device_class isa_serial_class = {
	.api = QUERN_DEVICE_API,
	.size = sizeof(struct ns16550),
	.bus = "isa",
	.iface = ISA_PLACE(struct ns16550, iobase, irqnum),
	.name = "isa-serial",
	.doc = "16550A serial port on the ISA bus",
	.banks = ns16550_banks,
	.props = isa_serial_props,
	.state = isa_serial_state,
	.init = isa_serial_init,
	.reset = ns16550_reset,
	.stopped = ns16550_stopped,
	.fini = ns16550_fini,
};
QUERN_REGISTER(isa_serial_class);
