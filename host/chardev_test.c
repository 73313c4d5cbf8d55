/* SPDX-License-Identifier: GPL-2.0-or-later */
/* chardev_test.c - every character back end, both ways; slow readers lose nothing; short forms;
 * mistakes; terminals. */
#include "host/chardev.h"
#include "core/machine.h"
#include "host/terminal.h"
#include "host/telnet.h"
#include "lib/alloc.h"
#include "lib/test.h"
#include <errno.h>
#include <fcntl.h>
#include <pty.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

/* A front end that keeps what it gets and ends the machine's loop when it has `want` bytes, or sees
 * an event. */
struct guest {
	struct machine *m;
	struct chardev *c;
	u8 got[256];
	int n, want, limit, opened, closed, breaks;
};

static int guest_room(void *arg)
{
	struct guest *g = arg;

	return MIN(g->limit, (int)sizeof(g->got) - g->n);
}

static void guest_receive(void *arg, const u8 *buf, int n)
{
	struct guest *g = arg;

	CHECK(n <= guest_room(g));
	memcpy(g->got + g->n, buf, n);
	g->n += n;
	if (g->n >= g->want)
		machine_request_shutdown(g->m, CAUSE_HOST_QUIT);
}

static void guest_event(void *arg, int event)
{
	struct guest *g = arg;

	g->opened += event == CHARDEV_OPENED;
	g->closed += event == CHARDEV_CLOSED;
	g->breaks += event == CHARDEV_BREAK;
	if (event == CHARDEV_CLOSED)
		machine_request_shutdown(g->m, CAUSE_HOST_QUIT);
}

static const struct chardev_user guest_user = { guest_room, guest_receive, guest_event };

static struct chardev *open_text(struct machine *m, const char *text, struct error *e)
{
	struct keyvals kv = { 0 };
	struct chardev *c = NULL;

	if (!keyvals_parse(&kv, text, "backend", e))
		c = host_chardev_new(m, &kv, e);
	keyvals_fini(&kv);
	return c;
}

static struct guest *guest_new(const char *text)
{
	struct guest *g = NEW(struct guest);
	struct error e = { 0 };

	g->m = machine_new();
	g->limit = sizeof(g->got);
	g->c = open_text(g->m, text, &e);
	if (!g->c)
		test_fail(__FILE__, __LINE__, "%s: %s", text, e.text);
	chardev_attach(g->c, g, &guest_user);
	return g;
}

static void guest_free(struct guest *g)
{
	machine_free(g->m);
	free(g);
}

/* Until n bytes are there altogether. */
static void run_until(struct guest *g, int n)
{
	g->want = n;
	if (g->n < n)
		machine_run(g->m);
}

static void put(struct guest *g, const char *text)
{
	CHECK_EQ(chardev_write(g->c, (const u8 *)text, strlen(text)), strlen(text));
}

static void check_file(const char *path, const char *want)
{
	char got[256] = "";
	int fd = open(path, O_RDONLY);

	CHECK(fd >= 0);
	CHECK(read(fd, got, sizeof(got) - 1) >= 0);
	CHECK_STR(got, want);
	close(fd);
}

static char *in_tmp(const char *name)
{
	static char dir[64];

	if (!*dir) {
		snprintf(dir, sizeof(dir), "/tmp/quern-unit-XXXXXX");
		CHECK(mkdtemp(dir));
	}
	return xasprintf("%s/%s", dir, name);
}

static void remove_tmp(void)
{
	AUTO_FREE char *one = in_tmp("x");

	*strrchr(one, '/') = 0;
	AUTO_FREE char *command = xasprintf("rm -rf %s", one);

	CHECK_EQ(system(command), 0);
}

static void read_all(int fd, char *buf, size_t n)
{
	for (size_t at = 0; at < n;) {
		ssize_t r = read(fd, buf + at, n - at);

		CHECK(r > 0);
		at += r;
	}
	buf[n] = 0;
}

/* ---- files and pipes */

TEST(chardev_file)
{
	AUTO_FREE char *path = in_tmp("out"), *log = in_tmp("log");
	AUTO_FREE char *text = xasprintf("file,id=f,path=%s,logfile=%s", path, log);
	AUTO_FREE char *more =
		xasprintf("file,id=f,path=%s,append=on,logfile=%s,logappend", path, log);
	struct guest *g = guest_new(text);

	CHECK_EQ(g->opened, 1);
	put(g, "one ");
	check_file(path, "one "); /* at once */
	guest_free(g);
	g = guest_new(more);
	put(g, "two");
	guest_free(g);
	check_file(path, "one two");
	check_file(log, "one two");
	g = guest_new(text);
	guest_free(g);
	check_file(path, "");
	remove_tmp();
}

TEST(chardev_file_input)
{
	AUTO_FREE char *in = in_tmp("in"),
		       *text = xasprintf("file,id=f,path=/dev/null,input-path=%s", in);
	int fd = open(in, O_WRONLY | O_CREAT, 0600);
	struct guest *g;

	CHECK_EQ(write(fd, "abcdef", 6), 6);
	close(fd);
	g = guest_new(text);
	g->limit = 2;
	run_until(g, 6);
	CHECK_MEM(g->got, "abcdef", 6);
	guest_free(g);
	remove_tmp();
}

/* The description is common: what was there stays, what others write comes after. */
TEST(chardev_file_own_descriptor)
{
	AUTO_FREE char *path = in_tmp("out");
	int fd = open(path, O_RDWR | O_CREAT, 0600);
	AUTO_FREE char *text = xasprintf("file,id=f,path=/proc/self/fd/%d", fd);
	struct guest *g;

	CHECK_EQ(write(fd, "before ", 7), 7);
	g = guest_new(text);
	put(g, "guest ");
	CHECK_EQ(write(fd, "after", 5), 5);
	guest_free(g);
	check_file(path, "before guest after");
	close(fd);
	remove_tmp();
}

TEST(chardev_named_pipes)
{
	AUTO_FREE char *base = in_tmp("p"), *in = in_tmp("p.in"), *out = in_tmp("p.out"),
		       *text = xasprintf("pipe,id=p,path=%s", base);
	struct guest *g;
	char buf[8];
	int to, from;

	CHECK_EQ(mkfifo(in, 0600), 0);
	CHECK_EQ(mkfifo(out, 0600), 0);
	g = guest_new(text);
	to = open(in, O_WRONLY);
	from = open(out, O_RDONLY);
	put(g, "hello");
	read_all(from, buf, 5);
	CHECK_STR(buf, "hello");
	CHECK_EQ(write(to, "back", 4), 4);
	run_until(g, 4);
	CHECK_MEM(g->got, "back", 4);
	guest_free(g);
	close(to);
	close(from);
	remove_tmp();
}

/* ---- standard streams */

TEST(chardev_stdio_shares_nothing)
{
	int in[2], out[2], flags_in, flags_out;
	struct error e = { 0 };
	struct guest *g;
	char buf[8];

	CHECK(!pipe(in) && !pipe(out));
	dup2(in[0], 0);
	dup2(out[1], 1);
	flags_in = fcntl(0, F_GETFL);
	flags_out = fcntl(1, F_GETFL);
	g = guest_new("stdio,id=s,signal=off");
	CHECK_EQ(fcntl(0, F_GETFL), flags_in);
	CHECK_EQ(fcntl(1, F_GETFL), flags_out);
	CHECK(!open_text(g->m, "stdio,id=t", &e));
	CHECK(strstr(e.text, "in use by another back end"));
	error_clear(&e);
	put(g, "out");
	read_all(out[0], buf, 3);
	CHECK_STR(buf, "out");
	CHECK_EQ(write(in[1], "in", 2), 2);
	run_until(g, 2);
	CHECK_MEM(g->got, "in", 2);
	guest_free(g);
	CHECK_EQ(fcntl(0, F_GETFL), flags_in);
	g = guest_new("stdio,id=s"); /* free again */
	guest_free(g);
}

struct slow {
	int fd;
	u64 sum;
	size_t n;
};

static u8 pattern(size_t i) { return i * 7 + (i >> 8); }

/* A reader that comes late: nothing is lost, and a full queue is told by a short count. */
TEST(chardev_slow_reader_loses_nothing)
{
	enum { ALL = 3 << 20 };
	int sv[2];
	u8 *data = xalloc(ALL), *back = xalloc(ALL);
	size_t sent = 0, got = 0;
	bool was_short = false;
	int status = -1;
	pid_t reader;
	ssize_t n;
	AUTO_FREE char *text = NULL;
	struct guest *g;

	CHECK(!socketpair(AF_UNIX, SOCK_STREAM, 0, sv));
	text = xasprintf("socket,id=s,fd=%d", sv[1]);
	g = guest_new(text);
	for (size_t i = 0; i < ALL; i++)
		data[i] = pattern(i);
	while (got < ALL) {
		ssize_t r;

		n = sent < ALL ? chardev_write(g->c, data + sent, MIN(ALL - sent, (size_t)100000)) :
				 0;
		CHECK(n >= 0);
		was_short |= sent + n < ALL && n < 100000;
		sent += n;
		/* With everything handed over, what is queued flows by the machine's loop, or when
		 * it ends. */
		if (n > 0)
			continue;
		if (sent == ALL)
			break;
		r = read(sv[0], back + got, 65536);
		CHECK(r > 0);
		got += r;
	}
	CHECK(was_short);
	reader = fork();
	if (!reader) {
		for (; got < ALL; got += n) {
			n = read(sv[0], back + got, ALL - got);
			if (n <= 0)
				break;
		}
		_exit(got != ALL || memcmp(back, data, ALL));
	}
	close(sv[0]);
	guest_free(g); /* hands over what is queued */
	CHECK_EQ(waitpid(reader, &status, 0), reader);
	CHECK_EQ(status, 0);
	free(data);
	free(back);
}

/* ---- sockets */

static int connect_unix(const char *path)
{
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	strcpy(un.sun_path, path);
	CHECK_EQ(connect(fd, (struct sockaddr *)&un, sizeof(un)), 0);
	return fd;
}

TEST(chardev_unix_server)
{
	AUTO_FREE char *path = in_tmp("s"),
		       *text = xasprintf("socket,id=s,path=%s,server=on,wait=off", path);
	struct guest *g = guest_new(text);
	char buf[8];
	int fd;

	CHECK_EQ(g->opened, 0);
	put(g, "nobody listens");
	for (int round = 1; round <= 2; round++) {
		fd = connect_unix(path);
		CHECK_EQ(write(fd, "ping", 4), 4);
		run_until(g, 4);
		CHECK_EQ(g->opened, round);
		CHECK_MEM(g->got, "ping", 4);
		put(g, "pong");
		read_all(fd, buf, 4);
		CHECK_STR(buf, "pong");
		close(fd);
		g->n = 0;
		machine_run(g->m); /* ends with the hang-up */
		CHECK_EQ(g->closed, round);
	}
	guest_free(g);
	CHECK(access(path, F_OK) < 0);
	remove_tmp();
}

/* The second client of a server becomes a character device of its own. */
static void take_peer(void *arg, struct chardev *peer)
{
	struct guest *g = arg;

	g->c = peer;
	g->want = 3;
	chardev_attach(peer, g, &guest_user);
}

TEST(chardev_server_with_peers)
{
	AUTO_FREE char *path = in_tmp("s"),
		       *text = xasprintf("socket,id=s,path=%s,server=on,wait=off", path);
	struct guest *first = guest_new(text), second = { .m = first->m, .limit = 256 };
	char buf[8];
	int a, b;

	CHECK(chardev_peers(first->c, take_peer, &second));
	a = connect_unix(path);
	CHECK_EQ(write(a, "one", 3), 3);
	run_until(first, 3);
	b = connect_unix(path);
	CHECK_EQ(write(b, "two", 3), 3);
	machine_run(first->m);
	CHECK_EQ(second.opened, 1);
	CHECK_MEM(second.got, "two", 3);
	CHECK_MEM(first->got, "one", 3);
	put(&second, "to b");
	read_all(b, buf, 4);
	CHECK_MEM(buf, "to b", 4);
	put(first, "to a");
	read_all(a, buf, 4);
	CHECK_MEM(buf, "to a", 4);
	close(b);
	machine_run(first->m);
	CHECK_EQ(second.closed, 1);
	CHECK_EQ(first->closed, 0);
	chardev_free(second.c);
	close(a);
	guest_free(first);
	remove_tmp();
}

TEST(chardev_unix_client)
{
	AUTO_FREE char *path = in_tmp("s"), *text = xasprintf("socket,id=s,path=%s", path);
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	int l = socket(AF_UNIX, SOCK_STREAM, 0), fd;
	struct error e = { 0 };
	struct machine *m = machine_new();
	struct guest *g;

	CHECK(!open_text(m, text, &e));
	CHECK(strstr(e.text, "could not connect to unix:"));
	error_clear(&e);
	machine_free(m);
	strcpy(un.sun_path, path);
	CHECK(!bind(l, (struct sockaddr *)&un, sizeof(un)) && !listen(l, 1));
	g = guest_new(text);
	CHECK_EQ(g->opened, 1);
	fd = accept(l, NULL, NULL);
	CHECK_EQ(write(fd, "x", 1), 1);
	run_until(g, 1);
	guest_free(g);
	close(fd);
	close(l);
	remove_tmp();
}

/* The guest has no room: bytes wait in the socket, and come when it asks. */
TEST(chardev_input_waits_for_room)
{
	int sv[2];
	struct guest *g;
	AUTO_FREE char *text = NULL;

	CHECK(!socketpair(AF_UNIX, SOCK_STREAM, 0, sv));
	text = xasprintf("socket,id=s,fd=%d", sv[1]);
	g = guest_new(text);
	g->limit = 3;
	CHECK_EQ(write(sv[0], "abcdefgh", 8), 8);
	run_until(g, 3);
	g->limit = 0;
	shutdown(sv[0], SHUT_WR);
	machine_post(g->m, (void (*)(void *))chardev_room, g->c);
	g->limit = 5;
	run_until(g, 8);
	CHECK_MEM(g->got, "abcdefgh", 8);
	guest_free(g);
	close(sv[0]);
}

TEST(chardev_telnet)
{
	struct telnet t = { 0 };
	u8 in[] = { 'a', 255, 251,  1, 'b', 255, 255, 255,  250,  31, 'x',
		    255, 240, '\r', 0, 'c', 255, 243, '\r', '\n', 'd' },
	   out[8];

	CHECK_EQ(telnet_in(&t, in, sizeof(in)), 7);
	CHECK_MEM(in, "ab\377\rc\rd", 7);
	CHECK(t.got_break);
	CHECK_EQ(telnet_out(out, (const u8 *)"a\377b", 3), 4);
	CHECK_MEM(out, "a\377\377b", 4);
}

/* ---- terminals */

TEST(chardev_pty)
{
	AUTO_FREE char *link = in_tmp("tty"), *text = xasprintf("pty,id=p,path=%s", link);
	struct guest *g = guest_new(text);
	char buf[8], name[64];
	int fd;

	CHECK(readlink(link, name, sizeof(name)) > 0);
	put(g, "lost");
	fd = open(link, O_RDWR | O_NOCTTY);
	CHECK(fd >= 0);
	put(g, "kept");
	read_all(fd, buf, 4);
	CHECK_STR(buf, "kept");
	CHECK_EQ(write(fd, "a\x03\r", 3), 3);
	run_until(g, 3);
	CHECK_MEM(g->got, "a\x03\r", 3);
	close(fd);
	machine_run(g->m);
	CHECK_EQ(g->closed, 1);
	guest_free(g);
	CHECK(access(link, F_OK) < 0);
	remove_tmp();
}

TEST(chardev_tty)
{
	struct termios before, raw, after;
	char name[64], buf[8];
	struct guest *g;
	int master, slave;

	CHECK_EQ(openpty(&master, &slave, name, NULL, NULL), 0);
	tcgetattr(slave, &before);
	AUTO_FREE char *text = xasprintf("serial,id=t,path=%s", name);

	g = guest_new(text);
	tcgetattr(slave, &raw);
	CHECK(!(raw.c_lflag & (ICANON | ECHO | ISIG)));
	CHECK_EQ(write(master, "\x03q", 2), 2);
	run_until(g, 2);
	CHECK_MEM(g->got, "\x03q", 2);
	put(g, "r\n");
	read_all(master, buf, 2);
	CHECK_STR(buf, "r\n");
	guest_free(g);
	tcgetattr(slave, &after);
	CHECK_EQ(after.c_lflag, before.c_lflag);
	CHECK_EQ(after.c_oflag, before.c_oflag);
}

/* -serial /dev/null */
TEST(chardev_serial_without_terminal)
{
	struct guest *g = guest_new("serial,id=t,path=/dev/null");

	put(g, "lost\n");
	guest_free(g);
}

TEST(terminal_modes_come_back)
{
	struct termios before, now;
	int master, slave, slot;

	CHECK_EQ(openpty(&master, &slave, NULL, NULL, NULL), 0);
	tcgetattr(slave, &before);
	slot = terminal_raw(slave, true);
	CHECK(slot >= 0);
	tcgetattr(slave, &now);
	CHECK((now.c_lflag & ISIG) && !(now.c_lflag & (ICANON | ECHO)));
	terminal_restore_all();
	tcgetattr(slave, &now);
	CHECK_EQ(now.c_lflag, before.c_lflag);
	CHECK_EQ(now.c_iflag, before.c_iflag);
	terminal_resume_all();
	tcgetattr(slave, &now);
	CHECK(!(now.c_lflag & ICANON));
	terminal_release(slot);
	tcgetattr(slave, &now);
	CHECK_EQ(now.c_lflag, before.c_lflag);
	terminal_resume_all();
	tcgetattr(slave, &now);
	CHECK_EQ(now.c_lflag, before.c_lflag);
	slot = terminal_raw(slave, false);
	tcgetattr(slave, &now);
	CHECK(!(now.c_lflag & ISIG));
	terminal_release(slot);
	CHECK_EQ(terminal_raw(open("/dev/null", O_RDWR), false), -1);
}

/* ---- names and mistakes */

TEST(chardev_short_forms)
{
	static const struct {
		const char *spec, *want;
	} good[] = {
		{ "stdio", "backend=stdio" },
		{ "stdio,signal=off", "backend=stdio,signal=off" },
		{ "pty", "backend=pty" },
		{ "pty:/tmp/x", "backend=pty,path=/tmp/x" },
		{ "file:a,b", "backend=file,path=a,,b" },
		{ "pipe:p", "backend=pipe,path=p" },
		{ "unix:/s,server=on,wait=off", "backend=socket,path=/s,server=on,wait=off" },
		{ "unix:P,server,nowait", "backend=socket,path=P,server,nowait" },
		{ "tcp:h:5555,server,nodelay", "backend=socket,host=h,port=5555,server,nodelay" },
		{ "tcp::5555", "backend=socket,port=5555" },
		{ "tcp:[::1]:1", "backend=socket,host=::1,port=1" },
		{ "telnet:localhost:4444,server=on",
		  "backend=socket,telnet=on,host=localhost,port=4444,server=on" },
		{ "udp::99", "backend=udp,port=99" },
		{ "udp:a:1@b:2", "backend=udp,host=a,port=1,localaddr=b,localport=2" },
		{ "udp::4555@:4556", "backend=udp,port=4555,localport=4556" },
		{ "/dev/ttyS0", "backend=serial,path=/dev/ttyS0" },
		{ "null", "backend=null" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
		struct keyvals kv = { 0 };
		struct error e = { 0 };

		if (host_chardev_spec(&kv, good[i].spec, &e))
			test_fail(__FILE__, __LINE__, "'%s': %s", good[i].spec, e.text);
		AUTO_FREE char *text = keyvals_text(&kv);

		CHECK_STR(text, good[i].want);
		keyvals_fini(&kv);
	}
}

TEST(chardev_mistakes)
{
	static const struct {
		const char *text, *want;
	} bad[] = {
		{ "nosuch,id=a", "'nosuch' is not a character back end" },
		{ "null", "id=... is missing" },
		{ "file,id=a", "character back end 'a': path=... is missing" },
		{ "file,id=a,path=/nonexistent/x",
		  "could not open '/nonexistent/x': No such file" },
		{ "file,id=a,path=/tmp/x,apend=on", "'apend' is not known here, 'append' is" },
		{ "file,id=a,path=/tmp/quern-unit-none,append=maybe",
		  "append='maybe': 'on' or 'off'" },
		{ "null,id=a,logfile=/nonexistent/x", "could not open log file '/nonexistent/x'" },
		{ "pipe,id=a,path=/nonexistent/x", "could not open pipes" },
		{ "serial,id=a,path=/proc/self/comm", "'/proc/self/comm' is no terminal" },
		{ "socket,id=a", "path=... or port=... is missing" },
		{ "socket,id=a,fd=999", "fd=999 is no open descriptor" },
		{ "socket,id=a,path=", "is empty" },
		{ "socket,id=a,host=localhost,port=70000000,server=on,wait=off",
		  "port 70000000 is above 65535" },
		{ "socket,id=a,path=/nonexistent/s,server=on,wait=off",
		  "could not listen at unix:/nonexistent/s" },
		{ "socket,id=a,path=/x,server=on,reconnect=1", "reconnect is of clients" },
		{ "socket,id=a,path=/x,websocket=on", "websocket is not built yet" },
		{ "udp,id=a", "port=... is missing" },
		{ "ringbuf,id=a,size=1000", "" },
	};
	struct machine *m = machine_new();

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct error e = { 0 };

		if (open_text(m, bad[i].text, &e) || !e.text || !strstr(e.text, bad[i].want))
			test_fail(__FILE__, __LINE__, "'%s': '%s', expected '%s'", bad[i].text,
				  e.text ? e.text : "(none)", bad[i].want);
		error_clear(&e);
	}
	CHECK(open_text(m, "null,id=a", NULL));
	CHECK(!open_text(m, "null,id=a", NULL));
	machine_free(m);
}

TEST(chardev_testdev_ends_with_a_status)
{
	struct guest *g = guest_new("testdev,id=t");

	put(g, "12q");
	CHECK_EQ(machine_run(g->m), 25);
	guest_free(g);
}
