/* SPDX-License-Identifier: GPL-2.0-or-later */
/* memory_test.c - main memory and its nodes, from command lines. */
#include "cli/memory.h"
#include "cli/devices.h"
#include "cli/options.h"
#include "core/memory_backend.h"
#include "lib/test.h"

struct made {
	struct settings s;
	struct machine *m;
	struct memory mem;
	struct board_config c;
	struct error e;
	int err;
};

static void make(struct made *t, const char *line)
{
	AUTO_FREE char *text = xstrdup(line);
	char *argv[64] = { (char *)"quern" }, *rest = text;
	int argc = 1;

	*t = (struct made){ 0 };
	for (char *w; (w = strsep(&rest, " "));)
		argv[argc++] = w;
	settings_init(&t->s, "quern");
	t->m = machine_new();
	t->err = options_parse(&t->s, argc, argv, &t->e);
	t->c.cpus = t->s.smp.cpus ? t->s.smp.cpus : 1;
	t->c.sockets = t->s.smp.sockets;
	t->c.cores = t->s.smp.cores;
	t->c.threads = t->s.smp.threads;
	t->c.ram_size = t->s.ram_size;
	if (!t->err)
		t->err = objects_make(t->m, &t->s, &t->e);
	if (!t->err)
		t->err = memory_make(&t->mem, t->m, &t->s,
				     keyvals_get(&t->s.machine, "memory-backend"),
				     board_default("x86_64"), &t->c, &t->e);
}

static void unmake(struct made *t)
{
	memory_fini(&t->mem);
	machine_free(t->m);
	settings_fini(&t->s);
	error_clear(&t->e);
}

static void refuses(const char *line, const char *why)
{
	struct made t;

	make(&t, line);
	if (!t.err || !strstr(t.e.text, why))
		test_fail(__FILE__, __LINE__, "%s: %s", line, t.e.text ? t.e.text : "accepted");
	unmake(&t);
}

TEST(memory_default)
{
	struct made t;

	make(&t, "-smp 2");
	CHECK_EQ(t.err, 0);
	CHECK_EQ(t.c.ram_size, 128 << 20);
	CHECK(!t.c.nmemory && !t.c.numa);
	unmake(&t);
}

TEST(memory_backend_of_machine)
{
	struct made t;

	make(&t, "-M pc,memory-backend=a -object memory-backend-memfd,id=a,size=192M");
	CHECK_EQ(t.err, 0);
	CHECK_EQ(t.c.ram_size, 192 << 20);
	CHECK_EQ(t.c.nmemory, 1);
	CHECK_STR(t.c.memory[0]->id, "a");
	unmake(&t);
	make(&t, "-mem-path /tmp -m 32");
	CHECK_EQ(t.err, 0);
	CHECK(t.c.nmemory == 1 && t.c.memory[0]->fd >= 0 && !t.c.memory[0]->share);
	unmake(&t);
	make(&t, "-mem-prealloc -m 32");
	CHECK_EQ(t.err, 0);
	CHECK(t.c.nmemory == 1 && t.c.memory[0]->fd < 0 && t.c.memory[0]->prealloc);
	unmake(&t);
	refuses("-M pc,memory-backend=a -m 64 -object memory-backend-ram,id=a,size=192M",
		"they must be the same");
	refuses("-M pc,memory-backend=a", "there is no object 'a'");
	refuses("-M pc,memory-backend=a -object rng-builtin,id=a", "one of type memory-backend-");
	refuses("-M pc,memory-backend=a -mem-prealloc -object memory-backend-ram,id=a,size=192M",
		"together");
}

TEST(numa_plain)
{
	struct made t;

	make(&t, "-m 101 -smp 4 -numa node -numa node");
	CHECK_EQ(t.err, 0);
	CHECK_EQ(t.c.numa->nodes, 2);
	CHECK_EQ(t.c.numa->size[0], 50 << 20);
	CHECK_EQ(t.c.numa->size[1], 51 << 20);
	CHECK_MEM(t.c.numa->cpu_node, "\0\0\1\1", 4);
	CHECK(!t.c.numa->distances);
	unmake(&t);
	make(&t, "-m 96 -smp 4 -numa node,mem=64,cpus=0,cpus=2-3 -numa node,nodeid=1,mem=32,cpus=1 "
		 "-numa dist,src=1,dst=0,val=42");
	CHECK_EQ(t.err, 0);
	CHECK_EQ(t.c.numa->size[1], 32 << 20);
	CHECK_MEM(t.c.numa->cpu_node, "\0\1\0\0", 4);
	CHECK(t.c.numa->distances);
	CHECK_EQ(t.c.numa->distance[0][1], 42);
	CHECK_EQ(t.c.numa->distance[1][0], 42);
	CHECK_EQ(t.c.numa->distance[1][1], 10);
	unmake(&t);
}

TEST(numa_backends)
{
	struct made t;

	make(&t,
	     "-object memory-backend-ram,id=a,size=16M -object memory-backend-ram,id=b,size=32M "
	     "-smp 8,sockets=2,cores=2,threads=2 -numa node,memdev=b -numa node "
	     "-numa node,memdev=a -numa cpu,node-id=2,socket-id=1 -numa cpu,node-id=1,core-id=1 "
	     "-numa cpu,node-id=0,socket-id=0,core-id=0,thread-id=0");
	CHECK(t.err < 0); /* both of socket 1 and core 1 */
	CHECK(strstr(t.e.text, "CPU 6 is in node 2 already") != NULL);
	unmake(&t);
	make(&t,
	     "-object memory-backend-ram,id=a,size=16M -object memory-backend-ram,id=b,size=32M "
	     "-smp 8,sockets=2,cores=2,threads=2 -numa node,memdev=b -numa node "
	     "-numa node,memdev=a -numa cpu,node-id=2,socket-id=1 "
	     "-numa cpu,node-id=1,socket-id=0,core-id=1 -numa cpu,node-id=0,socket-id=0,core-id=0");
	CHECK_STR(t.e.text ? t.e.text : "", "");
	CHECK_EQ(t.c.ram_size, 48 << 20);
	CHECK_EQ(t.c.nmemory, 2);
	CHECK_STR(t.c.memory[0]->id, "b");
	CHECK_STR(t.c.memory[1]->id, "a");
	CHECK_EQ(t.c.numa->size[1], 0);
	CHECK_MEM(t.c.numa->cpu_node, "\0\0\1\1\2\2\2\2", 8);
	unmake(&t);
}

TEST(numa_mistakes)
{
	refuses("-numa node,cpus=1", "the machine has CPUs 0 to 0");
	refuses("-smp 4 -numa node,cpus=3-1", "neither a CPU nor FIRST-LAST");
	refuses("-smp 4 -numa node,cpus=0-1 -numa node,cpus=1", "CPU 1 is in node 0 already");
	refuses("-m 128 -numa node,mem=64 -numa node,mem=32", "they must be the same");
	refuses("-numa node,nodeid=1", "node 0 is missing");
	refuses("-numa node,nodeid=0 -numa node,nodeid=0", "exists already");
	refuses("-numa node,nodeid=128", "nodeid");
	refuses("-numa node -numa node -numa dist,src=0,dst=0,val=11", "to itself is 10");
	refuses("-numa node -numa node -numa dist,src=0,dst=7,val=11", "there is no node 7");
	refuses("-numa node -numa node -numa node -numa dist,src=0,dst=1,val=20",
		"between the nodes 0 and 2 is missing");
	refuses("-numa dist,src=0,dst=1,val=20", "there is no node 0");
	refuses("-numa cpu,node-id=0,socket-id=0", "there is no node 0");
	refuses("-numa node -numa cpu,node-id=0,socket-id=3", "socket-id");
	refuses("-numa nonsense", "none of node, dist and cpu");
	refuses("-numa hmat-lb,x=y", "HMAT");
	refuses("-numa node,memdev=a", "there is no object 'a'");
	refuses("-numa node,colour=red", "'colour'");
	refuses("-m 32 -object memory-backend-ram,id=a,size=16M -numa node,memdev=a", "the same");
	refuses("-M pc,memory-backend=a -object memory-backend-ram,id=a,size=16M "
		"-object memory-backend-ram,id=b,size=16M -numa node,memdev=b",
		"another origin");
}
