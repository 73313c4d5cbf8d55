/* SPDX-License-Identifier: GPL-2.0-or-later */
/* memory.c - main memory as -machine memory-backend=, -mem-path and -numa want it: which back ends
 * it is made of, which CPUs and how much memory belong to which node. */
#include "cli/memory.h"
#include "cli/options.h"
#include "core/memory_backend.h"
#include "core/user_object.h"
#include "lib/str.h"
#include <errno.h>
#include <sys/mman.h>

/* ---- one back end */

/* -mem-path and -mem-prealloc are short for an object. */
static int implicit_backend(struct machine *m, const struct settings *s, u64 size, struct error *e)
{
	AUTO_FREE char *bytes = xasprintf("%llu", (unsigned long long)size);
	struct keyvals kv = { 0 };
	int err;

	keyvals_add(&kv, "qom-type", s->mem_path ? "memory-backend-file" : "memory-backend-ram");
	keyvals_add(&kv, "id", "pc.ram");
	keyvals_add(&kv, "size", bytes);
	if (s->mem_path)
		keyvals_add(&kv, "mem-path", s->mem_path);
	if (s->mem_prealloc)
		keyvals_add(&kv, "prealloc", "on");
	err = object_make(m, &kv, e);
	if (err)
		error_prefix(e, s->mem_path ? "-mem-path" : "-mem-prealloc");
	keyvals_fini(&kv);
	return err;
}

static int one_backend(struct memory *mem, struct machine *m, const char *id, bool size_given,
		       struct board_config *c, struct error *e)
{
	struct memory_backend *b = object_find(m, id, "memory-backend-", e);

	if (!b) {
		error_prefix(e, "-machine memory-backend=%s", id);
		return -ENOENT;
	}
	if (size_given && c->ram_size != b->size)
		return error_ret(e, -EINVAL,
				 "memory backend '%s' has %llu bytes, and -m asks for %llu: they "
				 "must be the same",
				 id, (unsigned long long)b->size, (unsigned long long)c->ram_size);
	c->ram_size = b->size;
	mem->part[0] = b;
	c->memory = mem->part;
	c->nmemory = 1;
	return 0;
}

/* ---- -numa */

enum { UNSET = 0xff };

struct numa {
	struct memory *mem;
	struct board_numa *to;
	struct machine *m;
	struct board_config *c;
	bool node[NUMA_NODES], sized, backed;
	bool some_cpu;
};

OPTION_HANDLER(opt_numa)
{
	struct keyvals kv = { 0 };
	const char *type;
	int err = keyvals_parse(&kv, arg, "type", e);

	type = keyvals_get(&kv, "type");
	if (!err && type && (str_eq(type, "hmat-lb") || str_eq(type, "hmat-cache")))
		err = error_ret(e, -ENOTSUP, "the table of memory speeds (HMAT) is not built yet");
	else if (!err && (!type || choice_find("node|dist|cpu", type) < 0))
		err = error_ret(e, -EINVAL, "'%s' is none of node, dist and cpu", type ? type : "");
	if (err)
		keyvals_fini(&kv);
	else
		vec_push(&s->numa, kv);
	return err;
}

static int give_cpu(struct numa *n, u32 cpu, unsigned node, struct error *e)
{
	if (cpu >= n->c->cpus)
		return error_ret(e, -EINVAL, "CPU %u: the machine has CPUs 0 to %u", cpu,
				 n->c->cpus - 1);
	if (n->to->cpu_node[cpu] != UNSET && n->to->cpu_node[cpu] != node)
		return error_ret(e, -EINVAL, "CPU %u is in node %u already", cpu,
				 n->to->cpu_node[cpu]);
	n->to->cpu_node[cpu] = node;
	n->some_cpu = true;
	return 0;
}

/* "3" or "0-3" */
static int give_cpus(struct numa *n, const char *range, unsigned node, struct error *e)
{
	const char *dash = strchr(range, '-');
	AUTO_FREE char *first = xstrndup(range, dash ? (size_t)(dash - range) : strlen(range));
	u32 lo, hi;
	int err = 0;

	if (str_to_u32(first, 10, &lo) || str_to_u32(dash ? dash + 1 : first, 10, &hi) || hi < lo)
		return error_ret(e, -EINVAL, "cpus=%s is neither a CPU nor FIRST-LAST", range);
	for (u32 i = lo; i <= hi && !err; i++)
		err = give_cpu(n, i, node, e);
	return err;
}

static int node_memory(struct numa *n, struct keyvals *kv, unsigned node, struct error *e)
{
	const char *memdev = keyvals_get(kv, "memdev"), *mem = keyvals_get(kv, "mem");
	struct memory_backend *b;

	if (memdev && mem)
		return error_ret(e, -EINVAL, "give either mem= or memdev=");
	n->sized |= mem != NULL;
	n->backed |= memdev != NULL;
	if (n->sized && n->backed)
		return error_ret(e, -EINVAL, "all nodes take memdev=, or all take mem=");
	if (!memdev)
		return keyvals_size(kv, "mem", 1 << 20, &n->to->size[node], e);
	b = object_find(n->m, memdev, "memory-backend-", e);
	if (!b)
		return -ENOENT;
	n->mem->part[node] = b;
	n->to->size[node] = b->size;
	return 0;
}

static int add_node(struct numa *n, struct keyvals *kv, struct error *e)
{
	u64 node = n->to->nodes;
	int err = keyvals_u64(kv, "nodeid", 0, NUMA_NODES - 1, &node, e);

	if (!err && node >= NUMA_NODES)
		err = error_ret(e, -ERANGE, "there can be %d nodes", NUMA_NODES);
	if (!err && n->node[node])
		err = error_ret(e, -EEXIST, "node %u exists already", (unsigned)node);
	if (!err && keyvals_get(kv, "initiator"))
		err = error_ret(e, -ENOTSUP,
				"initiator=: the table of memory speeds (HMAT) is not built yet");
	if (!err)
		err = node_memory(n, kv, node, e);
	for (size_t i = 0; i < kv->n && !err; i++) {
		if (!str_eq(kv->at[i].key, "cpus"))
			continue;
		kv->at[i].used = true;
		err = give_cpus(n, kv->at[i].value, node, e);
	}
	if (err)
		return err;
	n->node[node] = true;
	n->to->nodes = MAX(n->to->nodes, (unsigned)node + 1);
	return keyvals_all_used(kv, "type|nodeid|mem|memdev|cpus|initiator", e);
}

static int known_node(const struct numa *n, u64 node, struct error *e)
{
	if (node < NUMA_NODES && n->node[node])
		return 0;
	return error_ret(e, -EINVAL, "there is no node %llu: -numa node makes it",
			 (unsigned long long)node);
}

static int add_distance(struct numa *n, struct keyvals *kv, struct error *e)
{
	u64 src = ~0ull, dst = ~0ull, val = 0;
	int err = keyvals_u64(kv, "src", 0, NUMA_NODES - 1, &src, e);

	if (!err)
		err = keyvals_u64(kv, "dst", 0, NUMA_NODES - 1, &dst, e);
	if (!err)
		err = keyvals_u64(kv, "val", 10, 255, &val, e);
	if (!err)
		err = keyvals_all_used(kv, "type|src|dst|val", e);
	if (!err && (src == ~0ull || dst == ~0ull || !val))
		err = error_ret(e, -EINVAL, "the form is dist,src=NODE,dst=NODE,val=10..255");
	if (!err)
		err = known_node(n, src, e);
	if (!err)
		err = known_node(n, dst, e);
	if (!err && src == dst && val != 10)
		err = error_ret(e, -EINVAL, "a node's distance to itself is 10");
	if (err)
		return err;
	n->to->distances = true;
	n->to->distance[src][dst] = val;
	return 0;
}

/* By place in the topology: what is not said is any. */
static int place_cpus(struct numa *n, struct keyvals *kv, struct error *e)
{
	const struct board_config *c = n->c;
	u32 threads = c->threads ? c->threads : 1, dies = c->dies ? c->dies : 1,
	    sockets = c->sockets ? c->sockets : 1,
	    cores = c->cores ? c->cores : MAX(c->cpus / (threads * dies * sockets), 1u);
	const char *const keys[] = { "thread-id", "core-id", "die-id", "socket-id" };
	const u32 count[] = { threads, cores, dies, sockets };
	u64 want[] = { ~0ull, ~0ull, ~0ull, ~0ull }, node = ~0ull;
	int err = keyvals_u64(kv, "node-id", 0, NUMA_NODES - 1, &node, e);
	bool any = false;

	for (size_t i = 0; i < ARRAY_SIZE(keys) && !err; i++)
		err = keyvals_u64(kv, keys[i], 0, count[i] - 1, &want[i], e);
	if (!err)
		err = keyvals_all_used(kv, "type|node-id|thread-id|core-id|die-id|socket-id", e);
	if (!err)
		err = known_node(n, node, e);
	for (u32 cpu = 0; cpu < c->cpus && !err; cpu++) {
		bool here = true;
		u32 rest = cpu;

		for (size_t i = 0; i < ARRAY_SIZE(keys); rest /= count[i++])
			here &= want[i] == ~0ull || want[i] == rest % count[i];
		if (here)
			err = give_cpu(n, cpu, node, e);
		any |= here;
	}
	if (!err && !any)
		err = error_ret(e, -EINVAL, "there is no such CPU");
	return err;
}

/* Whole MiB each, the rest to the last. */
static void share_out(struct numa *n)
{
	u64 each = ALIGN_DOWN(n->c->ram_size / n->to->nodes, 1ull << 20), left = n->c->ram_size;

	for (unsigned i = 0; i < n->to->nodes; i++) {
		n->to->size[i] = i + 1 < n->to->nodes ? each : left;
		left -= n->to->size[i];
	}
}

static int check_sizes(struct numa *n, bool size_given, struct error *e)
{
	u64 sum = 0;

	for (unsigned i = 0; i < n->to->nodes; i++) {
		if (!n->node[i])
			return error_ret(e, -EINVAL, "node %u is missing: they are numbered from 0",
					 i);
		if (n->to->size[i] % 4096 || add_overflow(sum, n->to->size[i], &sum))
			return error_ret(e, -EINVAL, "the size of node %u is not whole pages", i);
	}
	if (n->backed && !size_given)
		n->c->ram_size = sum;
	if (!n->backed && !n->sized)
		share_out(n);
	else if (sum != n->c->ram_size)
		return error_ret(e, -EINVAL,
				 "the nodes have %llu bytes of memory together, the machine %llu: "
				 "they must be the same",
				 (unsigned long long)sum, (unsigned long long)n->c->ram_size);
	return 0;
}

/* Those of nodes without memory leave no gap. */
static void use_backends(struct numa *n)
{
	if (!n->backed)
		return;
	for (unsigned i = 0; i < n->to->nodes; i++)
		if (n->mem->part[i])
			n->mem->part[n->c->nmemory++] = n->mem->part[i];
	n->c->memory = n->mem->part;
}

static int check_distances(struct board_numa *to, struct error *e)
{
	for (unsigned i = 0; i < to->nodes; i++)
		for (unsigned j = 0; j < to->nodes; j++) {
			u8 *d = &to->distance[i][j];

			/* one direction may stand for both */
			if (i == j)
				*d = 10;
			else if (!*d)
				*d = to->distance[j][i];
			if (!*d && to->distances)
				return error_ret(e, -EINVAL,
						 "the distance between the nodes %u and %u is "
						 "missing",
						 i, j);
		}
	return 0;
}

static void give_other_cpus(struct numa *n)
{
	bool told = false;

	for (u32 i = 0; i < n->c->cpus; i++) {
		u8 *node = &n->to->cpu_node[i];

		if (*node != UNSET)
			continue;
		*node = n->some_cpu ? 0 : (u64)i * n->to->nodes / n->c->cpus;
		if (n->some_cpu && !told)
			warn("-numa: CPU %u and others that no node has named are in node 0", i);
		told = true;
	}
}

static int nodes_make(struct numa *n, struct settings *s, bool size_given, struct error *e)
{
	static int (*const add[])(struct numa * n, struct keyvals * kv,
				  struct error * e) = { add_node, add_distance, place_cpus };
	int err = 0;

	n->to->cpu_node = xalloc(n->c->cpus);
	memset(n->to->cpu_node, UNSET, n->c->cpus);
	/* nodes first: the others speak of them */
	for (int pass = 0; pass < 2; pass++)
		for (size_t i = 0; i < s->numa.n && !err; i++) {
			struct keyvals *kv = &s->numa.at[i];
			int kind = choice_find("node|dist|cpu", keyvals_get(kv, "type"));

			if (!kind == !pass)
				err = add[kind](n, kv, e);
		}
	if (!err && !n->to->nodes)
		err = error_ret(e, -EINVAL, "there is no -numa node");
	if (!err)
		err = check_sizes(n, size_given, e);
	if (!err)
		err = check_distances(n->to, e);
	if (err)
		return err;
	give_other_cpus(n);
	use_backends(n);
	n->c->numa = n->to;
	return 0;
}

/* ---- all of it */

int memory_make(struct memory *mem, struct machine *m, struct settings *s, const char *backend,
		const struct board *b, struct board_config *c, struct error *e)
{
	bool given = c->ram_size != 0;
	int err = 0;

	if (!given)
		c->ram_size = b->default_ram;
	if (backend && (s->mem_path || s->mem_prealloc))
		return error_ret(e, -EINVAL,
				 "-machine memory-backend= and -mem-path or -mem-prealloc cannot "
				 "be "
				 "given together");
	if (backend)
		err = one_backend(mem, m, backend, given, c, e);
	if (!err && s->numa.n) {
		struct numa n = { .mem = mem, .to = &mem->numa, .m = m, .c = c };
		bool single = c->nmemory;

		c->nmemory = 0;
		err = nodes_make(&n, s, given || single, e);
		if (err)
			error_prefix(e, "-numa");
		else if (n.backed && (single || s->mem_path || s->mem_prealloc))
			err = error_ret(e, -EINVAL,
					"-numa node,memdev= and another origin of the memory "
					"cannot "
					"be given together");
		else if (single)
			c->nmemory = 1;
	}
	if (!err && (s->mem_path || s->mem_prealloc)) {
		err = implicit_backend(m, s, c->ram_size, e);
		if (!err)
			err = one_backend(mem, m, "pc.ram", true, c, e);
	}
	return err;
}

int memory_advise(struct machine *m, struct keyvals *keys, struct error *e)
{
	const struct ram *ram = m->ram.ram;
	bool merge = false, dump = true;
	int err = keyvals_bool(keys, "mem-merge", &merge, e);

	if (!err)
		err = keyvals_bool(keys, "dump-guest-core", &dump, e);
	if (err || !ram)
		return err;
	if (merge && madvise(ram->host, ram->size, MADV_MERGEABLE))
		warn("-machine mem-merge=on: %s", strerror(errno));
	if (!dump && madvise(ram->host, ram->size, MADV_DONTDUMP))
		warn("-machine dump-guest-core=off: %s", strerror(errno));
	return 0;
}

void memory_fini(struct memory *mem) { free(mem->numa.cpu_node); }
