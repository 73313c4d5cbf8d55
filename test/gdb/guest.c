/* SPDX-License-Identifier: GPL-2.0-or-later */
/* guest.c - the only program of a guest under a debugger: counts, tells now and then how far it came, and calls rare() when a
 * debugger wants it. Without a C library, at fixed addresses. */
static long sys(long n, long a, long b, long c)
{
	long r;

	__asm__ volatile("syscall" : "=a"(r) : "a"(n), "D"(a), "S"(b), "d"(c) : "rcx", "r11", "memory");
	return r;
}

volatile long counter, want, spins, pid;

__attribute__((noinline)) long square(long x) { return x * x; }

__attribute__((noinline)) void rare(long n)
{
	want = 0;
	sys(1, 1, (long)"rare\n", 5);
}

/* Where no system call leads out of. */
__attribute__((noinline)) void spin(void)
{
	while (spins)
		spins--;
}

__attribute__((noinline)) void tick(void)
{
	counter = counter + 1;
	if (counter % 20000 == 0)
		sys(1, 1, (long)"tick\n", 5);
	if (want)
		rare(square(want));
	if (spins)
		spin();
	pid = sys(39, 0, 0, 0);
}

void _start(void)
{
	for (;;)
		tick();
}
