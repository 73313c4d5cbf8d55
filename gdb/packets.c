/* SPDX-License-Identifier: GPL-2.0-or-later */
/* packets.c - which packet is answered by whom (GDB manual, E.2 Packets, E.4 General Query
 * Packets), and the small answers. Queries of our own kind are QEMU's, whose names scripts use. */
#include "private.h"
#include "lib/error.h"

/* Where x86-64's vmlinux begins as linked, with the usual CONFIG_PHYSICAL_START. */
#define KERNEL_LINKED 0xffffffff81000000ull

/* ---- what both sides can do */

static bool offers(const char *list, const char *feature)
{
	size_t n = strlen(feature);

	for (const char *p = list; (p = strstr(p, feature)); p += n)
		if ((p == list || p[-1] == ';' || p[-1] == ':') && (!p[n] || p[n] == ';'))
			return true;
	return false;
}

static PACKET_HANDLER(supported)
{
	c->multiprocess = offers(p, "multiprocess+");
	c->swbreak = offers(p, "swbreak+");
	c->hwbreak = offers(p, "hwbreak+");
	c->error_text = offers(p, "error-message+");
	strbuf_printf(&c->reply,
		      "PacketSize=%x;qXfer:features:read+;vContSupported+;multiprocess+;"
		      "QStartNoAckMode+;QNonStop+;swbreak+;hwbreak+;ConditionalBreakpoints+;"
		      "BreakpointCommands+;binary-upload+;error-message+;"
		      "qXfer:threads:read+;qXfer:libraries:read+;qXfer:memory-map:read+;"
		      "qXfer:osdata:read+;qXfer:exec-file:read+",
		      GDB_PACKET_MAX);
}

static PACKET_HANDLER(no_ack)
{
	gdb_ok(c);
	gdb_send(c, c->reply.at, c->reply.n);
	c->replied = c->noack = true;
}

static PACKET_HANDLER(extended)
{
	c->extended = true;
	gdb_ok(c);
}

static PACKET_HANDLER(server_version)
{
	strbuf_printf(&c->reply, "name:quern;version:%s;", QUERN_VERSION);
}

/* Whatever is attached was there before. */
static PACKET_HANDLER(attached) { strbuf_addc(&c->reply, '1'); }

/* How far the kernel lies from where it was linked to. Its first address moves all segments of the
 * debugger's file; Text, Data and Bss are the sections of those names alone, without .rodata and
 * .init.text. Nothing is moved by nothing: the file may be another program's. */
static PACKET_HANDLER(offsets)
{
	u64 base;

	c->moved = true;
	c->no_file = false;
	c->told_slide = os_slide(c->g->m, &c->slide);
	gdb_modules_watch(c->g);
	if (!c->told_slide)
		return;
	if (!c->slide) {
		strbuf_add(&c->reply, "Text=0;Data=0;Bss=0");
		return;
	}
	base = gdb_kernel_base(c->g);
	strbuf_printf(&c->reply, "TextSeg=%llx",
		      (unsigned long long)(base ? base : KERNEL_LINKED + c->slide));
}

/* ---- the end */

static PACKET_HANDLER(detach)
{
	u64 pid;

	if (*p && (!gdb_word(&p, ";") || !gdb_number(&p, &pid) || *p || pid != GDB_PROCESS)) {
		gdb_error(c, E_ARGS);
		return;
	}
	gdb_leave(c, true);
	gdb_ok(c);
}

static void terminate(struct gdb_conn *c)
{
	warn("terminated by a debugger");
	machine_request_shutdown(c->g->m, CAUSE_HOST_QUIT);
}

static PACKET_HANDLER(kill_now)
{
	c->replied = true;
	terminate(c);
}

static PACKET_HANDLER(kill_process)
{
	u64 pid;

	if (!gdb_number(&p, &pid) || *p || pid != GDB_PROCESS) {
		gdb_error(c, E_ARGS);
		return;
	}
	gdb_ok(c);
	terminate(c);
}

/* ---- how to step */

static PACKET_HANDLER(own_packets) { strbuf_add(&c->reply, "sstepbits;sstep;PhyMemMode"); }

static PACKET_HANDLER(sstep_bits)
{
	strbuf_printf(&c->reply, "ENABLE=%x,NOIRQ=%x,NOTIMER=%x", DEBUG_SSTEP_ENABLE,
		      DEBUG_SSTEP_NOIRQ, DEBUG_SSTEP_NOTIMER);
}

static PACKET_HANDLER(sstep) { strbuf_printf(&c->reply, "0x%x", c->g->sstep); }

static PACKET_HANDLER(set_sstep)
{
	const unsigned known = DEBUG_SSTEP_ENABLE | DEBUG_SSTEP_NOIRQ | DEBUG_SSTEP_NOTIMER;
	u64 bits;

	/* a prefix is understood, as by strtoul */
	(void)(gdb_word(&p, "0x") || gdb_word(&p, "0X"));
	if (!gdb_number(&p, &bits) || *p || bits & ~(u64)known) {
		gdb_error(c, E_ARGS);
		return;
	}
	c->g->sstep = bits;
	gdb_ok(c);
}

/* ---- monitor */

static PACKET_HANDLER(monitor)
{
	size_t n = (end - p) / 2;
	AUTO_FREE char *line = xalloc(n + 1);
	struct cpu *cpu = gdb_any_cpu(c->g, c->g_tid);

	if ((end - p) % 2 || gdb_get_hex(p, line, n)) {
		gdb_error(c, E_ARGS);
		return;
	}
	c->session.cpu = cpu->index;
	/* an error was shown as text, which is all that a user sees */
	(void)command_run_line(&c->session, line);
	gdb_ok(c);
}

/* An unknown packet has an empty answer, which is also all that this one wants. */
static PACKET_HANDLER(empty) {}

const struct gdb_packet gdb_packets[] = { { "!", extended },
					  { "?", gdb_stop_reason },
					  { "C", gdb_continue_signal },
					  { "D", detach },
					  { "G", gdb_write_regs },
					  { "H", gdb_set_thread },
					  { "M", gdb_write_hex },
					  { "P", gdb_write_reg },
					  { "QNonStop:", gdb_set_nonstop },
					  { "QStartNoAckMode", no_ack },
					  { "Qqemu.PhyMemMode:", gdb_phys_set },
					  { "Qqemu.sstep:", set_sstep },
					  { "Qqemu.sstep=", set_sstep },
					  { "S", gdb_step_signal },
					  { "T", gdb_thread_alive },
					  { "X", gdb_write_binary },
					  { "Z", gdb_insert_point },
					  { "c", gdb_continue },
					  { "g", gdb_read_regs },
					  { "k", kill_now },
					  { "m", gdb_read_hex },
					  { "p", gdb_read_reg },
					  { "qAttached", attached },
					  { "qCRC:", gdb_crc },
					  { "qGDBServerVersion", server_version },
					  { "qOffsets", offsets },
					  { "qRcmd,", monitor },
					  { "qSearch:memory:", gdb_search },
					  { "qSupported", supported },
					  { "qThreadExtraInfo,", gdb_thread_info },
					  { "qXfer:", gdb_xfer },
					  { "qfThreadInfo", gdb_first_threads },
					  { "qsThreadInfo", gdb_more_threads },
					  { "qqemu.PhyMemMode", gdb_phys_query },
					  { "qqemu.Supported", own_packets },
					  { "qqemu.sstepbits", sstep_bits },
					  { "qqemu.sstep", sstep },
					  { "qC", gdb_current_thread },
					  { "s", gdb_step },
					  { "vAttach;", gdb_vattach },
					  { "vCont?", gdb_vcont_query },
					  { "vCont", gdb_vcont },
					  { "vCtrlC", gdb_vctrlc },
					  { "vFile:", gdb_vfile },
					  { "vKill;", kill_process },
					  { "vStopped", gdb_vstopped },
					  { "x", gdb_read_binary },
					  { "z", gdb_remove_point },
					  { "", empty },
					  {} };
