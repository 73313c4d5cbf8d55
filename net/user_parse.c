/* SPDX-License-Identifier: GPL-2.0-or-later */
/* user_parse.c - forwards and networks as texts; see user_parse.h. */
#include "net/user_parse.h"
#include "lib/alloc.h"
#include "lib/str.h"
#include <errno.h>

/* The text up to a separator, which is taken too; NULL when it does not come. */
static char *token(const char **s, char sep)
{
	const char *end = strchr(*s, sep);
	char *t;

	if (!end)
		return NULL;
	t = xstrndup(*s, end - *s);
	*s = end + 1;
	return t;
}

static int address(const char *s, struct in_addr *a)
{
	return !*s || inet_pton(AF_INET, s, a) == 1 ? 0 : -EINVAL;
}

static int port(const char *s, int min, int *p)
{
	u32 v;

	if (str_to_u32(s, 10, &v) || v < (u32)min || v > 65535)
		return -EINVAL;
	*p = v;
	return 0;
}

static int protocol(const char **s, bool udp_too, bool *udp)
{
	AUTO_FREE char *p = token(s, ':');

	*udp = p && udp_too && str_eq(p, "udp");
	return p && (!*p || str_eq(p, "tcp") || *udp) ? 0 : -EINVAL;
}

int net_parse_hostfwd_host(const char *text, struct net_forward *f)
{
	AUTO_FREE char *host = NULL;

	*f = (struct net_forward){ .host.s_addr = htonl(INADDR_ANY) };
	if (protocol(&text, true, &f->udp))
		return -EINVAL;
	host = token(&text, ':');
	return host && !address(host, &f->host) ? port(text, 0, &f->host_port) : -EINVAL;
}

int net_parse_hostfwd(const char *text, struct in_addr guest, struct net_forward *f)
{
	const char *dash = strchr(text, '-');
	AUTO_FREE char *host = dash ? xstrndup(text, dash - text) : NULL, *to = NULL;

	if (!dash || net_parse_hostfwd_host(host, f))
		return -EINVAL;
	f->guest = guest;
	dash++;
	to = token(&dash, ':');
	return to && !address(to, &f->guest) ? port(dash, 1, &f->guest_port) : -EINVAL;
}

int net_parse_guestfwd(const char *text, struct in_addr *addr, int *p, const char **rest)
{
	AUTO_FREE char *to = NULL, *to_port = NULL;
	bool udp;

	if (protocol(&text, false, &udp))
		return -EINVAL;
	to = token(&text, ':');
	to_port = token(&text, '-');
	if (!to || !*to || !to_port || address(to, addr) || port(to_port, 1, p) || !*text)
		return -EINVAL;
	*rest = text;
	return 0;
}

int net_parse_network(const char *text, struct in_addr *net, struct in_addr *mask)
{
	const char *slash = strchr(text, '/');
	AUTO_FREE char *addr = slash ? xstrndup(text, slash - text) : xstrdup(text);
	u32 bits = 24, first;

	if (!*addr || address(addr, net))
		return -EINVAL;
	first = ntohl(net->s_addr);
	/* without a mask, the one of the address's class */
	if (!slash)
		bits = !(first & 0x80000000) ? 8 : !(first & 0x40000000) ? 16 : 24;
	if (slash && strchr(slash, '.'))
		return address(slash + 1, mask);
	if (slash && (str_to_u32(slash + 1, 10, &bits) || !bits || bits > 31))
		return -EINVAL;
	mask->s_addr = htonl(~0u << (32 - bits));
	return 0;
}
