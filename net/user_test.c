/* SPDX-License-Identifier: GPL-2.0-or-later */
/* user_test.c - forwards and networks as users write them. */
#include "lib/test.h"
#include "net/user_parse.h"

static u32 ip(struct in_addr a) { return ntohl(a.s_addr); }

TEST(net_hostfwd_texts)
{
	struct in_addr guest = { htonl(0x0a00020f) };
	struct net_forward f;

	CHECK_EQ(net_parse_hostfwd("tcp::2222-:22", guest, &f), 0);
	CHECK(!f.udp);
	CHECK_EQ(ip(f.host), 0);
	CHECK_EQ(ip(f.guest), 0x0a00020f);
	CHECK_EQ(f.host_port, 2222);
	CHECK_EQ(f.guest_port, 22);
	CHECK_EQ(net_parse_hostfwd("udp:127.0.0.1:0-10.0.2.20:53", guest, &f), 0);
	CHECK(f.udp);
	CHECK_EQ(ip(f.host), 0x7f000001);
	CHECK_EQ(ip(f.guest), 0x0a000214);
	CHECK_EQ(net_parse_hostfwd(":127.0.0.1:1-:1", guest, &f), 0);
	for (const char *const *s =
		     (const char *const[]){ "", "tcp", "tcp:", "tcp::22", "tcp::22-22",
					    "tcp::22-:0", "tcp::65536-:1", "icmp::1-:1",
					    "tcp:x:1-:1", "tcp::1-:1x", "tcp::-:1", NULL };
	     *s; s++)
		if (!net_parse_hostfwd(*s, guest, &f))
			test_fail(__FILE__, __LINE__, "'%s' is taken", *s);
	CHECK_EQ(net_parse_hostfwd_host("tcp::2222", &f), 0);
	CHECK_EQ(f.host_port, 2222);
	CHECK(net_parse_hostfwd_host("2222", &f) < 0);
}

TEST(net_guestfwd_texts)
{
	struct in_addr addr = { 0 };
	const char *rest;
	int port;

	CHECK_EQ(net_parse_guestfwd("tcp:10.0.2.100:1234-cmd:cat -n", &addr, &port, &rest), 0);
	CHECK_EQ(ip(addr), 0x0a000264);
	CHECK_EQ(port, 1234);
	CHECK_STR(rest, "cmd:cat -n");
	CHECK_EQ(net_parse_guestfwd(":10.0.2.100:1-chardev:x", &addr, &port, &rest), 0);
	CHECK(net_parse_guestfwd("udp:10.0.2.100:1-x", &addr, &port, &rest) < 0);
	CHECK(net_parse_guestfwd("tcp::1-x", &addr, &port, &rest) < 0);
	CHECK(net_parse_guestfwd("tcp:10.0.2.100:1-", &addr, &port, &rest) < 0);
}

TEST(net_network_texts)
{
	struct in_addr net, mask;

	CHECK_EQ(net_parse_network("192.168.76.0/24", &net, &mask), 0);
	CHECK_EQ(ip(net), 0xc0a84c00);
	CHECK_EQ(ip(mask), 0xffffff00);
	CHECK_EQ(net_parse_network("10.1.0.0/255.255.0.0", &net, &mask), 0);
	CHECK_EQ(ip(mask), 0xffff0000);
	CHECK_EQ(net_parse_network("10.0.0.0", &net, &mask), 0);
	CHECK_EQ(ip(mask), 0xff000000);
	CHECK(net_parse_network("10.0.0.0/33", &net, &mask) < 0);
	CHECK(net_parse_network("nonsense", &net, &mask) < 0);
	CHECK(net_parse_network("", &net, &mask) < 0);
}
