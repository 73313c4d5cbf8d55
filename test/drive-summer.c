/* SPDX-License-Identifier: GPL-2.0-or-later */
/* drive-summer - runs in the guest: drives the device of doc/first-device.md through /sys as a
 * driver would, and prints what it answers. Argument: the device's directory in
 * /sys/bus/pci/devices. */
#include <fcntl.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { ID, CTL, STATUS, LEN, SRC_LOW, SRC_HIGH, SUM };

static volatile uint32_t *reg;

static int open_in(const char *dir, const char *name, int flags)
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

/* What PCI command register bits the device has: memory, and mastering when asked for. */
static void command(const char *dir, uint16_t bits)
{
	int fd = open_in(dir, "config", O_RDWR);

	if (pwrite(fd, &bits, 2, 4) != 2)
		perror("config");
	close(fd);
}

static uint64_t physical(const void *at)
{
	int fd = open("/proc/self/pagemap", O_RDONLY);
	uint64_t entry = 0;

	if (fd < 0 || pread(fd, &entry, 8, (uintptr_t)at / 4096 * 8) != 8)
		perror("pagemap");
	close(fd);
	return (entry & ((1ull << 55) - 1)) * 4096 + (uintptr_t)at % 4096;
}

static void run(const char *what, uint64_t src, uint32_t len, uint32_t keep)
{
	reg[SRC_LOW] = src;
	reg[SRC_HIGH] = src >> 32;
	reg[LEN] = len;
	reg[CTL] = 1 | keep;
	while (reg[STATUS] & 1)
		sched_yield();
	printf("%s: status %u sum %08x\n", what, reg[STATUS], reg[SUM]);
	reg[STATUS] = 6;
}

int main(int argc, char **argv)
{
	const char *dir = argc == 2 ? argv[1] : "/";
	int enable = open_in(dir, "enable", O_WRONLY), bar;
	unsigned char *page;

	if (write(enable, "1", 1) != 1)
		perror("enable");
	command(dir, 6);
	bar = open_in(dir, "resource0", O_RDWR);
	reg = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, bar, 0);
	page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_LOCKED,
		    -1, 0);
	if (reg == MAP_FAILED || page == MAP_FAILED) {
		perror("mmap");
		return 1;
	}
	printf("id %08x\n", reg[ID]);
	memcpy(page, "123456789", 9);
	run("check value", physical(page), 9, 0);
	run("first half", physical(page), 4, 0);
	run("second half", physical(page) + 4, 5, 2);
	for (int i = 0; i < 4096; i++)
		page[i] = i * 7 + (i >> 8);
	run("page", physical(page), 4096, 0);
	run("nowhere", 1ull << 44, 16, 0);
	command(dir, 2);
	run("no mastering", physical(page), 9, 0);
	return 0;
}
