/* SPDX-License-Identifier: GPL-2.0-or-later */
/* drive.c - runs in the guest: reads and writes the educational device through resource0 and prints
 * all that it answers, to be compared between emulators. Argument: the device's directory in
 * /sys/bus/pci/devices. */
#include <fcntl.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum {
	ALIVE = 0x04,
	FACTORIAL = 0x08,
	STATUS = 0x20,
	IRQ_STATUS = 0x24,
	IRQ_RAISE = 0x60,
	IRQ_ACK = 0x64
};
enum { SRC = 0x80, DST = 0x88, COUNT = 0x90, CMD = 0x98, BUFFER = 0x40000 };

static const char *dir;
static volatile uint8_t *bar;

static int open_in(const char *name, int flags)
{
	char path[256];
	int fd;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	fd = open(path, flags);
	if (fd < 0) {
		perror(path);
		exit(1);
	}
	return fd;
}

static uint32_t r32(unsigned at) { return *(volatile uint32_t *)(bar + at); }
static void w32(unsigned at, uint32_t v) { *(volatile uint32_t *)(bar + at) = v; }
static uint64_t r64(unsigned at) { return *(volatile uint64_t *)(bar + at); }
static void w64(unsigned at, uint64_t v) { *(volatile uint64_t *)(bar + at) = v; }

static uint64_t physical(const void *at)
{
	int fd = open("/proc/self/pagemap", O_RDONLY);
	uint64_t entry = 0;

	if (fd < 0 || pread(fd, &entry, 8, (uintptr_t)at / 4096 * 8) != 8)
		perror("pagemap");
	close(fd);
	return (entry & ((1ull << 55) - 1)) * 4096 + (uintptr_t)at % 4096;
}

static void config(void)
{
	static const int shown[] = { 0x00, 0x04, 0x08, 0x2c, 0x34, 0x3c, 0x40 };
	int fd = open_in("config", O_RDONLY);

	for (unsigned i = 0; i < sizeof(shown) / sizeof(*shown); i++) {
		uint32_t v = 0;

		if (pread(fd, &v, 4, shown[i]) != 4)
			perror("config");
		/* command and line are the firmware's choice; vectors of MSI that can be masked are
		 * ours */
		v &= shown[i] == 0x04 ? 0xffff0000 :
		     shown[i] == 0x3c ? 0xffff00 :
		     shown[i] == 0x40 ? ~0x01000000 :
					~0;
		printf("config %02x: %08x\n", shown[i], v);
	}
	close(fd);
}

/* Does the function hold its pin? PCI status, bit 3. */
static int pin(void)
{
	uint16_t v = 0;
	int fd = open_in("config", O_RDONLY);

	if (pread(fd, &v, 2, 6) != 2)
		perror("config");
	close(fd);
	return v >> 3 & 1;
}

static void all(const char *when)
{
	printf("%s:", when);
	for (unsigned at = 0; at < 0xa8; at += 4)
		printf("%s%08x", at % 32 ? " " : "\n  ", r32(at));
	printf("\n");
	for (unsigned at = 0; at < 0xb0; at += 8)
		printf(" %016llx%s", (unsigned long long)r64(at), at % 64 == 56 ? "\n" : "");
	printf("\n pin %d\n", pin());
}

static void factorial(uint32_t n)
{
	w32(FACTORIAL, n);
	while (r32(STATUS) & 1)
		sched_yield();
	printf("%u! = %08x, interrupts %x, pin %d\n", n, r32(FACTORIAL), r32(IRQ_STATUS), pin());
	w32(IRQ_ACK, 1);
}

static void transfer(uint64_t src, uint64_t dst, uint32_t count, uint32_t cmd)
{
	w64(SRC, src);
	w64(DST, dst);
	w64(COUNT, count);
	w64(CMD, cmd | 1);
	/* locked now */
	w32(SRC, 0x123);
	w32(COUNT, 1);
	w32(CMD, 0);
	printf("running: %08x %08x %08x\n", r32(SRC) == (uint32_t)src, r32(COUNT), r32(CMD));
	while (r32(CMD) & 1)
		sched_yield();
	printf("done: cmd %x, interrupts %x, pin %d\n", r32(CMD), r32(IRQ_STATUS), pin());
	w32(IRQ_ACK, 0x100);
}

static void dma(void)
{
	uint8_t *mem = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS | MAP_LOCKED, -1, 0);
	uint64_t at;

	if (mem == MAP_FAILED) {
		perror("mmap");
		exit(1);
	}
	for (int i = 0; i < 2048; i++)
		mem[i] = i * 3 + (i >> 8);
	at = physical(mem);
	transfer(at, BUFFER, 2048, 0);
	transfer(BUFFER, at + 2048, 2048, 6);
	printf("half a page came back: %d\n", !memcmp(mem, mem + 2048, 2048));
	/* address bits over the mask are cut */
	transfer(BUFFER + 1000, at + 2048 + 0x70000000, 10, 2);
	printf("over the mask: %d\n", !memcmp(mem + 1000, mem + 2048, 10));
	w64(SRC, 0);
	w64(DST, 0);
}

int main(int argc, char **argv)
{
	int enable, resource;
	uint16_t bits = 0x406;

	if (argc != 2)
		return 1;
	dir = argv[1];
	enable = open_in("enable", O_WRONLY);
	if (write(enable, "1", 1) != 1)
		perror("enable");
	config();
	resource = open_in("config", O_RDWR);
	if (pwrite(resource, &bits, 2, 4) != 2)
		perror("command");
	resource = open_in("resource0", O_RDWR);
	bar = mmap(NULL, 1 << 20, PROT_READ | PROT_WRITE, MAP_SHARED, resource, 0);
	if (bar == MAP_FAILED) {
		perror("mmap");
		return 1;
	}
	all("at first");
	w32(0, 1);
	w32(ALIVE, 0x12345678);
	w64(ALIVE + 4, ~0ull); /* too wide for this place */
	w32(STATUS, 0xffffffff);
	w32(IRQ_RAISE, 0xf0000001);
	w32(IRQ_RAISE, 0x6);
	all("written");
	w32(IRQ_ACK, 0x70000005);
	printf("acknowledged: %08x pin %d\n", r32(IRQ_STATUS), pin());
	w32(IRQ_ACK, ~0u);
	printf("acknowledged: %08x pin %d\n", r32(IRQ_STATUS), pin());
	for (unsigned n = 0; n < 40; n++)
		factorial(n);
	w32(STATUS, 0);
	factorial(7);
	for (unsigned at = SRC; at <= COUNT; at += 8) {
		w64(at, 0x1122334455667788);
		w32(at + 4, 0x99);
		printf("%016llx %08x\n", (unsigned long long)r64(at), r32(at));
		w32(at, 0xabcdef01);
		printf("%016llx %08x\n", (unsigned long long)r64(at), r32(at));
	}
	dma();
	all("at last");
	/* a driver may enable it anew */
	if (write(enable, "0", 1) != 1)
		perror("enable");
	return 0;
}
