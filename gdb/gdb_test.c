/* SPDX-License-Identifier: GPL-2.0-or-later */
/* gdb_test.c - the stub's answers, packet by packet, as a debugger sees them. */
#include "test_rig.h"
#include <stdio.h>

#define ASK(body, want) CHECK_STR(rig_ask(p, body), want)
#define RUN(body, want) CHECK_STR(rig_run(p, body), want)
#define SETUP(n) \
	struct rig *r = rig_new(n); \
	struct rig_peer *p = &r->peer[0]

TEST(gdb_stub_acknowledges)
{
	SETUP(1);
	rig_raw(p, "$!#21", 5);
	CHECK_MEM(p->got.at, "+$OK#9a", 7);
	p->got.n = 0;
	rig_raw(p, "-", 1);
	CHECK_MEM(p->got.at, "$OK#9a", 6);
	p->got.n = 0;
	rig_raw(p, "$!#22", 5);
	CHECK_MEM(p->got.at, "-", 1);
	p->got.n = 0;
	rig_raw(p, "+", 1);
	CHECK_EQ(p->got.n, 0);
	ASK("QStartNoAckMode", "OK");
	rig_raw(p, "$!#21", 5);
	CHECK_EQ(p->got.n, 6);
	p->got.n = 0;
	ASK("!", "OK");
	ASK("vMustReplyEmpty", "");
	ASK("qTStatus", "");
	rig_free(r);
}

TEST(gdb_stub_says_what_it_can)
{
	SETUP(1);
	const char *s = rig_ask(p, "qSupported:multiprocess+;swbreak+;hwbreak+;xmlRegisters=i386");

	CHECK(str_prefix(s, "PacketSize=40040;qXfer:features:read+;", NULL));
	CHECK(strstr(s, ";vContSupported+;multiprocess+;QStartNoAckMode+;QNonStop+;"));
	CHECK(strstr(s, "ConditionalBreakpoints+"));
	ASK("qC", "QCp01.01");
	ASK("vCont?", "vCont;c;C;s;S;t;r");
	ASK("qAttached", "1");
	ASK("qAttached:1", "1");
	ASK("qqemu.Supported", "sstepbits;sstep;PhyMemMode");
	ASK("qqemu.sstepbits", "ENABLE=1,NOIRQ=2,NOTIMER=4");
	ASK("qqemu.sstep", "0x7");
	ASK("Qqemu.sstep=0x5", "OK");
	ASK("qqemu.sstep", "0x5");
	ASK("Qqemu.sstep:3", "OK");
	ASK("Qqemu.sstep=8", "E22");
	ASK("Qqemu.sstep=", "E22");
	ASK("qqemu.sstep", "0x3");
	ASK("qGDBServerVersion", "name:quern;version:" QUERN_VERSION ";");
	ASK("qOffsets", "");
	ASK("QThreadEvents:1", "");
	rig_free(r);
}

TEST(gdb_stub_registers)
{
	SETUP(2);
	r->cpu[0]->r[0] = 0x1122334455667788;
	r->cpu[0]->ctl = 5;
	r->cpu[0]->cpu.pc = 0x42;
	r->cpu[1]->r[1] = 0x99;
	/* r0 r1 rsp pc; then ctl and v0, which are read one by one */
	ASK("g", "88776655443322110000000000000000"
		 "00000000000000004200000000000000");
	ASK("p3", "4200000000000000");
	ASK("p4", "0500000000000000");
	ASK("p6", "E14");
	ASK("p", "E22");
	ASK("Hg2", "OK");
	ASK("p1", "9900000000000000");
	ASK("P1=0102030405060708", "OK");
	CHECK_EQ(r->cpu[1]->r[1], 0x0807060504030201);
	ASK("P1=01", "E22");
	ASK("P9=01", "E14");
	ASK("Hg3", "E22");
	ASK("Hg1", "OK");
	ASK("G"
	    "0100000000000000"
	    "0200000000000000"
	    "xxxxxxxxxxxxxxxx"
	    "0400000000000000"
	    "0500000000000000"
	    "06000000000000000000000000000000",
	    "OK");
	CHECK_EQ(r->cpu[0]->r[0], 1);
	CHECK_EQ(r->cpu[0]->r[1], 2);
	CHECK_EQ(r->cpu[0]->cpu.pc, 4);
	CHECK_EQ(r->cpu[0]->vec[0], 6);
	/* it had that value already */
	CHECK_EQ(r->cpu[0]->ctl_writes, 0);
	ASK("P4=0600000000000000", "OK");
	CHECK_EQ(r->cpu[0]->ctl_writes, 1);
	ASK("Gzz", "E22");
	rig_free(r);
}

TEST(gdb_stub_describes_the_target)
{
	SETUP(1);
	struct strbuf xml = { 0 };
	const char *s;
	char ask[64];

	do {
		snprintf(ask, sizeof(ask), "qXfer:features:read:target.xml:%zx,40", xml.n);
		s = rig_ask(p, ask);
		strbuf_add(&xml, s + 1);
	} while (*s == 'm');
	CHECK_EQ(*s, 'l');
	CHECK(strstr(strbuf_str(&xml), "<reg name=\"pc\" bitsize=\"64\" type=\"code_ptr\" "
				       "regnum=\"3\" group=\"general\"/>"));
	CHECK(strstr(strbuf_str(&xml), "<reg name=\"ctl\" bitsize=\"64\" type=\"int\" "
				       "regnum=\"4\" group=\"system\"/>"));
	CHECK(strstr(strbuf_str(&xml), "<union id=\"vec128\">"));
	strbuf_fini(&xml);
	ASK("qXfer:features:read:other.xml:0,40", "E00");
	ASK("qXfer:features:read:target.xml:zz", "E22");
	ASK("qXfer:features:read:target.xml", "E22");
	ASK("qXfer:features:write:target.xml:0,1", "");
	ASK("qXfer:auxv:read::0,100", "");
	CHECK_STR(rig_text(p, "qXfer:threads:read::0,fff"),
		  "l<threads>\n<thread id=\"01\" core=\"0\">CPU#0 "
		  "[running]</thread>\n</threads>\n");
	CHECK(strstr(rig_ask(p, "qXfer:memory-map:read::0,1000"), "0x8000000000000000"));
	CHECK(strstr(rig_ask(p, "qXfer:osdata:read::0,1000"), "cpus"));
	CHECK(strstr(rig_ask(p, "qXfer:osdata:read:cpus:0,1000"), "running"));
	ASK("qXfer:osdata:read:processes:0,1000", "E00");
	ASK("qXfer:libraries:read::0,1000", "l<library-list>\n</library-list>\n");
	rig_free(r);
}

TEST(gdb_stub_memory)
{
	SETUP(1);
	ASK("M100,4:deadbeef", "OK");
	ASK("m100,4", "deadbeef");
	ASK("m102,1", "be");
	ASK("m0100,4", "deadbeef");
	ASK("mfffe,4", "0000");
	ASK("m10000,4", "E14");
	ASK("mffffffffffffffff,4", "E14");
	ASK("M10000,1:00", "E14");
	ASK("Mffff,2:0000", "E14");
	ASK("M100,4:dead", "E22");
	ASK("M100,1:zz", "E22");
	ASK("m100", "E22");
	ASK("m100,0", "");
	CHECK_STR(rig_ask_n(p, "X200,4:}\3}\4}]*", 14), "OK");
	ASK("m200,4", "23247d2a");
	ASK("X200,0:", "OK");
	ASK("X200,9:ab", "E22");
	ASK("x200,4", "b}\3}\4}]}\n");
	CHECK_STR(rig_ask_n(p, "qSearch:memory:0;10000;}\3}\4", 27), "1,200");
	CHECK_STR(rig_ask_n(p, "qSearch:memory:201;100000;}\3}\4", 29), "0");
	ASK("M8ffe,4:61626364", "OK");
	ASK("qSearch:memory:0;100000;abcd", "1,8ffe");
	ASK("qSearch:memory:0;9001;abcd", "0");
	ASK("qSearch:memory:0", "E22");
	/* CRC-32/MPEG-2 of "123456789", by its catalogue */
	ASK("M300,9:313233343536373839", "OK");
	ASK("qCRC:300,9", "C376e6e7");
	ASK("qqemu.PhyMemMode", "0");
	ASK("Qqemu.PhyMemMode:1", "OK");
	ASK("qqemu.PhyMemMode", "1");
	ASK("m100,4", "deadbeef");
	ASK("Qqemu.PhyMemMode:0", "OK");
	rig_free(r);
}

TEST(gdb_stub_memory_in_large_packets)
{
	SETUP(1);
	struct strbuf b = { 0 };
	const char *s;

	strbuf_add(&b, "X0,10000:");
	for (unsigned i = 0; i < RIG_RAM; i++)
		strbuf_addc(&b, 'a' + i % 23);
	CHECK_STR(rig_ask_n(p, b.at, b.n), "OK");
	s = rig_ask(p, "m0,10000");
	CHECK_EQ(strlen(s), 2 * RIG_RAM);
	s = rig_ask(p, "x0,10000");
	CHECK_EQ(strlen(s), RIG_RAM + 1);
	CHECK_MEM(s + 1, b.at + 9, RIG_RAM);
	strbuf_fini(&b);
	/* a slow peer gets it all the same */
	p->takes = 1000;
	CHECK_EQ(strlen(rig_ask(p, "m0,10000")), 2 * RIG_RAM);
	rig_free(r);
}

TEST(gdb_stub_steps_and_breaks)
{
	SETUP(2);
	r->cpu[1]->cpu.halted = true;
	ASK("?", "T05thread:01;02:0000000000000000;03:0000000000000000;");
	RUN("s", "T05thread:01;02:0000000000000000;03:0100000000000000;");
	CHECK_EQ(r->cpu[0]->cpu.pc, 1);
	ASK("Z0,100,1", "OK");
	ASK("Z0,100,1", "OK");
	RUN("c", "T05thread:01;02:0000000000000000;03:0001000000000000;");
	/* it is not met again where it is */
	ASK("z0,100,1", "OK");
	ASK("z0,100,1", "E22");
	ASK("Z1,200,1", "OK");
	RUN("vCont;c", "T05thread:01;02:0000000000000000;03:0002000000000000;");
	ASK("z1,200,1", "OK");
	/* the other stands still while one steps alone */
	r->cpu[1]->cpu.pc = 0x50;
	r->cpu[1]->cpu.halted = false;
	RUN("vCont;s:2", "T05thread:02;02:0000000000000000;03:5100000000000000;");
	CHECK_EQ(r->cpu[0]->cpu.pc, 0x200);
	ASK("vCont;x", "E22");
	ASK("vCont;s:zz", "E22");
	ASK("Z5,0,0", "");
	ASK("Z0,xx", "E22");
	ASK("Z2,0,0", "E22");
	ASK("Z2,ffffffffffffffff,2", "E22");
	RUN("S05;300", "T05thread:02;02:0000000000000000;03:0103000000000000;");
	rig_free(r);
}

TEST(gdb_stub_watches)
{
	SETUP(1);
	ASK("Z2,802,1", "OK");
	RUN("c", "T05thread:01;watch:802;02:0000000000000000;03:0140000000000000;");
	ASK("z2,802,1", "OK");
	ASK("Z4,800,8", "OK");
	RUN("c", "T05thread:01;awatch:800;02:0000000000000000;03:0140000000000000;");
	rig_free(r);
}

TEST(gdb_stub_steps_through_a_range)
{
	SETUP(1);
	r->cpu[0]->cpu.pc = 0x100;
	RUN("vCont;r100,110:1", "T05thread:01;02:0000000000000000;03:1001000000000000;");
	/* a breakpoint in the range */
	ASK("Z0,118,1", "OK");
	RUN("vCont;r110,120:1", "T05thread:01;02:0000000000000000;03:1801000000000000;");
	ASK("vCont;r110:1", "E22");
	rig_free(r);
}

TEST(gdb_stub_conditions)
{
	SETUP(1);
	/* [0x900] == 3: const16 0x900, ref32, const8 3, equal, end */
	const char *z = "Z0,100,1;X8,23090019220313"
			"27";

	ASK(z, "OK");
	ASK("Z0,200,1", "OK");
	RUN("c", "T05thread:01;02:0000000000000000;03:0002000000000000;");
	ASK("M900,4:03000000", "OK");
	RUN("c", "T05thread:01;02:0000000000000000;03:0001000000000000;");
	/* either of two */
	ASK("M900,4:05000000", "OK");
	ASK("Z0,100,1;X8,2309001922031327X8,2309001922051327", "OK");
	ASK("z0,200,1", "OK");
	RUN("c", "T05thread:01;02:0000000000000000;03:0001000000000000;");
	/* one that cannot be evaluated stops */
	ASK("Z0,100,1;X7,24000a00001727", "OK");
	RUN("c", "T05thread:01;02:0000000000000000;03:0001000000000000;");
	ASK("Z0,100,1;X8,2309", "E22");
	ASK("Z0,100,1;X2,zzzz", "E22");
	rig_free(r);
}

TEST(gdb_stub_dynamic_printf)
{
	SETUP(1);
	/* r0 by its number, channel, function, printf("%d\n"), end */
	ASK("Z0,100,1;cmds:1,X12,260000220022003401000425640a0027", "E22");
	ASK("Z0,100,1;cmds:1,Xf,260000220022003401000425640a0027", "E22");
	ASK("Z0,100,1;cmds:1,X10,260000220022003401000425640a0027", "OK");
	ASK("Z0,200,1", "OK");
	r->cpu[0]->r[0] = 42;
	RUN("c", "O34320a");
	CHECK_STR(rig_next(p), "T05thread:01;02:0000000000000000;03:0002000000000000;");
	rig_free(r);
}

TEST(gdb_stub_tells_of_the_machine)
{
	SETUP(1);
	ASK("QStartNoAckMode", "OK");
	ASK("c", "");
	CHECK_EQ(r->m->state, RUN_RUNNING);
	rig_raw(p, "\3", 1);
	CHECK_STR(rig_next(p), "T02thread:01;02:0000000000000000;03:0000000000000000;");
	CHECK_EQ(r->m->state, RUN_PAUSED);
	rig_raw(p, "\3", 1);
	CHECK_STR(rig_next(p), "");
	ASK("c", "");
	machine_stop(r->m, RUN_SHUTDOWN);
	CHECK(str_prefix(rig_next(p), "T03thread:01;", NULL));
	/* gone on with, it would be another start */
	ASK("c", "");
	CHECK_EQ(r->m->state, RUN_SHUTDOWN);
	rig_raw(p, "\3", 1);
	CHECK(str_prefix(rig_next(p), "T02thread:01;", NULL));
	ASK("vKill;2", "E22");
	ASK("vKill;1", "OK");
	CHECK(r->m->shutdown_requested);
	rig_free(r);
}

TEST(gdb_stub_points_survive_reset)
{
	SETUP(1);
	ASK("Z0,100,1", "OK");
	machine_reset(r->m);
	RUN("c", "T05thread:01;02:0000000000000000;03:0001000000000000;");
	/* and go with who asked for them */
	ASK("D", "OK");
	CHECK_EQ(r->m->state, RUN_RUNNING);
	CHECK_EQ(debug_of(r->m)->nexec, 0);
	rig_free(r);
}

TEST(gdb_stub_serves_several)
{
	SETUP(1);
	struct rig_peer *q = &r->peer[1];

	ASK("Z0,100,1", "OK");
	ASK("c", "");
	/* who comes holds the machine, and the other goes on waiting */
	rig_open(q);
	CHECK_EQ(r->m->state, RUN_PAUSED);
	CHECK_STR(rig_next(p), "");
	CHECK_STR(rig_ask(q, "Z0,80,1"), "OK");
	CHECK_STR(rig_run(q, "c"), "T05thread:01;02:0000000000000000;03:8000000000000000;");
	CHECK_STR(rig_next(p), "");
	CHECK_STR(rig_run(q, "s"), "T05thread:01;02:0000000000000000;03:8100000000000000;");
	CHECK_STR(rig_next(p), "");
	/* the first one's own breakpoint, while the second waits */
	CHECK_STR(rig_ask(q, "c"), "");
	p->wait = true;
	machine_run(r->m);
	CHECK_STR(rig_next(p), "T05thread:01;02:0000000000000000;03:0001000000000000;");
	CHECK_STR(rig_next(q), "");
	/* a debugger that goes takes its breakpoints along; the machine stays with the other */
	chardev_event(&q->chr, CHARDEV_CLOSED);
	CHECK_EQ(debug_of(r->m)->nexec, 1);
	CHECK_EQ(r->m->state, RUN_DEBUG);
	rig_free(r);
}

TEST(gdb_stub_non_stop)
{
	SETUP(2);
	ASK("QNonStop:2", "E22");
	ASK("QNonStop:1", "OK");
	ASK("?", "T00thread:01;02:0000000000000000;03:0000000000000000;");
	ASK("vStopped", "OK");
	ASK("Z0,100,1", "Stop:T00thread:02;02:0000000000000000;03:0000000000000000;");
	CHECK_STR(rig_next(p), "OK");
	ASK("vStopped", "OK");
	/* CPU 1 runs, CPU 0 is held */
	ASK("vCont;c:2", "OK");
	p->wait = true;
	machine_run(r->m);
	CHECK_STR(rig_next(p), "Stop:T05thread:02;02:0000000000000000;03:0001000000000000;");
	ASK("vStopped", "OK");
	CHECK_EQ(r->cpu[0]->cpu.pc, 0);
	ASK("z0,100,1", "OK");
	ASK("vCont;c", "OK");
	CHECK_EQ(r->m->state, RUN_RUNNING);
	CHECK_STR(rig_ask(p, "vCont;t:1"),
		  "Stop:T00thread:01;02:0000000000000000;03:0000000000000000;");
	CHECK_STR(rig_next(p), "OK");
	ASK("vStopped", "OK");
	CHECK_STR(rig_ask(p, "vCtrlC"),
		  "Stop:T02thread:02;02:0000000000000000;03:0001000000000000;");
	CHECK_STR(rig_next(p), "OK");
	CHECK_EQ(r->m->state, RUN_PAUSED);
	ASK("vStopped", "OK");
	ASK("?", "T00thread:01;02:0000000000000000;03:0000000000000000;");
	rig_free(r);
}

TEST(gdb_stub_threads)
{
	SETUP(2);
	r->cpu[1]->cpu.halted = true;
	ASK("qfThreadInfo", "m01,02");
	ASK("qsThreadInfo", "l");
	ASK("T1", "OK");
	ASK("T3", "E22");
	ASK("Tzz", "E22");
	ASK("qThreadExtraInfo,1", "435055233020"
				  "5b72756e6e696e675d");
	ASK("qThreadExtraInfo,2", "435055233120"
				  "5b68616c746564205d");
	ASK("vAttach;2", "E22");
	CHECK(str_prefix(rig_ask(p, "vAttach;1"), "T05thread:01;", NULL));
	ASK("D;2", "E22");
	rig_free(r);
}

TEST(gdb_stub_tasks_are_threads)
{
	SETUP(2);
	rig_know(r);
	ASK("qfThreadInfo", "m01,02,989681,989682,989687");
	CHECK_STR(rig_text(p, "qXfer:threads:read::0,fff"),
		  "l<threads>\n<thread id=\"01\" core=\"0\" name=\"swapper\">CPU#0 "
		  "[running]</thread>\n"
		  "<thread id=\"02\" core=\"1\" name=\"busy\">CPU#1 [running]</thread>\n"
		  "<thread id=\"989681\" name=\"in&#60;it&#62;\">pid 1 S last CPU#0</thread>\n"
		  "<thread id=\"989682\" name=\"kthreadd\">pid 2 S last CPU#0</thread>\n"
		  "<thread id=\"989687\" core=\"1\" name=\"busy\">pid 7 R on CPU#1</thread>\n"
		  "</threads>\n");
	/* what its kernel saved, and nothing else */
	ASK("Hg989681", "OK");
	ASK("p3", "c1ab000000000000");
	ASK("p0", "xxxxxxxxxxxxxxxx");
	ASK("P0=0000000000000000", "E14");
	/* its own memory */
	ASK("M2010,2:1111", "E14");
	ASK("M10,2:2222", "OK");
	ASK("m10,2", "2222");
	ASK("m1000,2", "E14");
	ASK("Hg1", "OK");
	ASK("m2010,2", "2222");
	/* one that runs is a CPU */
	r->cpu[1]->r[0] = 0x77;
	ASK("Hg989687", "OK");
	ASK("p0", "7700000000000000");
	RUN("vCont;s:989687", "T05thread:02;02:0000000000000000;03:0100000000000000;");
	ASK("vCont;s:989681;c", "E22");
	ASK("qOffsets", "TextSeg=ffffffff82000000");
	CHECK(strstr(rig_ask(p, "qXfer:osdata:read:processes:0,fff"), "kthreadd"));
	CHECK(strstr(rig_ask(p, "qXfer:osdata:read:modules:0,fff"), "a_b"));
	/* a debugger that shows sentences gets one */
	ASK("Hg989681", "OK");
	CHECK(str_prefix(rig_ask(p, "qSupported:error-message+"), "PacketSize", NULL));
	ASK("m1000,2", "E.swapped out");
	rig_free(r);
}

TEST(gdb_stub_monitor)
{
	SETUP(2);
	rig_know(r);
	/* monitor tasks */
	CHECK(str_prefix(rig_ask(p, "qRcmd,7461736b73"), "O7461736b7320617265", NULL));
	CHECK_STR(rig_next(p), "OK");
	ASK("qRcmd,7z", "E22");
	/* only busy: a breakpoint on CPU 0 is not for it */
	CHECK(str_prefix(rig_ask(p, "qRcmd,6f6e6c792062757379"), "O", NULL));
	CHECK_STR(rig_next(p), "OK");
	ASK("Z0,100,1", "OK");
	RUN("c", "T05thread:02;02:0000000000000000;03:0001000000000000;");
	rig_free(r);
}
