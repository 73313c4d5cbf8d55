/* SPDX-License-Identifier: GPL-2.0-or-later */
/* classes - runs in a guest as a static program: one kind of work after another, each for a fixed number of
 * rounds, and prints nanoseconds per round by the guest's clock. tools/bench-classes compares emulators by it. */
#include <fcntl.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define noinline __attribute__((noinline))
static volatile uint64_t sink;
static volatile double fsink;

static void alu(long n)
{
	uint64_t a = 1, b = 2;

	for (long i = 0; i < n; i++) {
		a = a * 6364136223846793005ull + b;
		b ^= a >> 17 | i;
		b += (a << 3) - (b >> 5);
	}
	sink = a + b;
}

static void chase(long n)
{
	enum { N = 1 << 15 };
	static uint32_t next[N];
	uint32_t at = 0;

	for (uint32_t i = 0; i < N; i++)
		next[i] = (i * 40503u + 12345u) & (N - 1);
	for (long i = 0; i < n; i++)
		at = next[at];
	sink = at;
}

static noinline unsigned fib(unsigned n) { return n < 2 ? n : fib(n - 1) + fib(n - 2); }
static void calls(long n)
{
	for (long i = 0; i < n; i++)
		sink = fib(15);
}

static int compare(const void *a, const void *b)
{
	int x = *(const int *)a, y = *(const int *)b;

	return x < y ? -1 : x > y;
}
static void sort(long n)
{
	static int v[4096];

	for (long i = 0; i < n; i++) {
		unsigned s = 1;

		for (int k = 0; k < 4096; k++)
			v[k] = (int)(s = s * 1103515245u + 12345u);
		qsort(v, 4096, sizeof(int), compare);
	}
}

static void sieve(long n)
{
	static uint8_t c[1 << 16];

	for (long r = 0; r < n; r++) {
		memset(c, 0, sizeof(c));
		for (unsigned i = 2; i < 256; i++)
			for (unsigned k = i * i; !c[i] && k < sizeof(c); k += i)
				c[k] = 1;
	}
	sink = c[65521];
}

static void copy(long n)
{
	static char a[1 << 20], b[1 << 20];

	for (long i = 0; i < n; i++) {
		memcpy(a, b, sizeof(a));
		__asm__ volatile("" ::"r"(a), "r"(b) : "memory");
	}
}

static void text(long n)
{
	char buf[128];

	for (long i = 0; i < n; i++)
		sink += (uint64_t)snprintf(buf, sizeof(buf), "%ld %s %08lx %d", i, "hello", i * 77, (int)i % 13);
}

static void matrix(long n)
{
	static double a[48][48], b[48][48], c[48][48];

	for (int i = 0; i < 48; i++)
		for (int k = 0; k < 48; k++) {
			a[i][k] = i + k * 0.5;
			b[i][k] = i * 0.25 - k;
		}
	for (long r = 0; r < n; r++)
		for (int i = 0; i < 48; i++)
			for (int k = 0; k < 48; k++) {
				double s = 0;

				for (int j = 0; j < 48; j++)
					s += a[i][j] * b[j][k];
				c[i][k] = s;
			}
	fsink = c[7][9];
}

static void scalar(long n)
{
	double x = 1.5, v = 0;

	for (long i = 0; i < n; i++) {
		v += x / (x * x + 0.5) - sqrt(x);
		x += 0.0001;
	}
	fsink = v;
}

static void x87(long n)
{
	long double x = 1.5L, v = 0;

	for (long i = 0; i < n; i++) {
		v += x / (x * x + 0.5L) - x;
		x += 0.0001L;
	}
	fsink = (double)v;
}

static noinline int op0(int a) { return a + 1; }
static noinline int op1(int a) { return a ^ 3; }
static noinline int op2(int a) { return a * 3; }
static noinline int op3(int a) { return a - 7; }
static void indirect(long n)
{
	static int (*const volatile ops[])(int) = { op0, op1, op2, op3 };
	int a = 1;

	for (long i = 0; i < n; i++)
		a = ops[i * 7 >> 1 & 3](a);
	sink = (uint64_t)a;
}

static void syscalls(long n)
{
	for (long i = 0; i < n; i++)
		syscall(SYS_getppid);
}

static void pipes(long n)
{
	int a[2], b[2];
	char c = 0;

	if (pipe(a) || pipe(b))
		exit(1);
	if (!fork()) {
		for (long i = 0; i < n; i++)
			if (read(a[0], &c, 1) != 1 || write(b[1], &c, 1) != 1)
				_exit(1);
		_exit(0);
	}
	for (long i = 0; i < n; i++)
		if (write(a[1], &c, 1) != 1 || read(b[0], &c, 1) != 1)
			exit(1);
	wait(NULL);
	close(a[0]), close(a[1]), close(b[0]), close(b[1]);
}

static void forks(long n)
{
	for (long i = 0; i < n; i++) {
		if (!fork())
			_exit(0);
		wait(NULL);
	}
}

static void faults(long n)
{
	enum { SIZE = 1 << 20 };

	for (long i = 0; i < n; i++) {
		char *p = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

		for (int k = 0; k < SIZE; k += 4096)
			p[k] = 1;
		munmap(p, SIZE);
	}
}

static char *self;
static void execs(long n)
{
	for (long i = 0; i < n; i++) {
		if (!fork()) {
			execl(self, self, "nothing", (char *)NULL);
			_exit(1);
		}
		wait(NULL);
	}
}

static const struct class {
	const char *name;
	void (*run)(long n);
	long n;
} classes[] = {
	{ "alu", alu, 40000000 },    { "chase", chase, 30000000 },    { "calls", calls, 3000 },
	{ "sort", sort, 60 },	     { "sieve", sieve, 200 },	      { "copy", copy, 600 },
	{ "text", text, 200000 },    { "matrix", matrix, 60 },	      { "scalar-fp", scalar, 1500000 },
	{ "x87", x87, 400000 },	     { "indirect", indirect, 6000000 }, { "syscall", syscalls, 300000 },
	{ "pipe", pipes, 15000 },    { "fork", forks, 400 },	      { "faults", faults, 20 },
	{ "exec", execs, 150 },
};

int main(int argc, char **argv)
{
	self = argv[0];
	if (argc > 1 && !strcmp(argv[1], "nothing"))
		return 0;
	for (unsigned i = 0; i < sizeof(classes) / sizeof(*classes); i++) {
		struct timespec a, b;
		const struct class *c = &classes[i];

		if (argc > 1 && strcmp(argv[1], c->name))
			continue;
		clock_gettime(CLOCK_MONOTONIC, &a);
		c->run(c->n);
		clock_gettime(CLOCK_MONOTONIC, &b);
		printf("CLASS %s %.1f\n", c->name,
		       ((double)(b.tv_sec - a.tv_sec) * 1e9 + (double)(b.tv_nsec - a.tv_nsec)) / (double)c->n);
		fflush(stdout);
	}
	return 0;
}
