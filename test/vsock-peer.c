/* SPDX-License-Identifier: GPL-2.0-or-later */
/* vsock-peer.c - for virtio.sh, in the guest: `connect PORT` sends standard input to that port of
 * the host and prints what comes; `echo PORT` sends back what its first caller sends. */
#include <linux/vm_sockets.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static int fail(const char *what)
{
	perror(what);
	return 1;
}

static int send_all(int fd, const char *buf, ssize_t n)
{
	while (n > 0) {
		ssize_t done = write(fd, buf, n);

		if (done < 0)
			return fail("write");
		buf += done;
		n -= done;
	}
	return 0;
}

int main(int argc, char **argv)
{
	struct sockaddr_vm a = { .svm_family = AF_VSOCK, .svm_cid = VMADDR_CID_HOST };
	int fd = socket(AF_VSOCK, SOCK_STREAM, 0), peer;
	static char buf[65536];
	ssize_t n;

	if (fd < 0 || argc != 3)
		return fail("socket");
	a.svm_port = atoi(argv[2]);
	if (!strcmp(argv[1], "connect")) {
		if (connect(fd, (struct sockaddr *)&a, sizeof(a)))
			return fail("connect");
		while ((n = read(0, buf, sizeof(buf))) > 0)
			if (send_all(fd, buf, n))
				return 1;
		shutdown(fd, SHUT_WR);
		while ((n = read(fd, buf, sizeof(buf))) > 0)
			if (send_all(1, buf, n))
				return 1;
		return n < 0 ? fail("read") : 0;
	}
	a.svm_cid = VMADDR_CID_ANY;
	if (bind(fd, (struct sockaddr *)&a, sizeof(a)) || listen(fd, 1))
		return fail("listen");
	printf("listening\n");
	fflush(stdout);
	peer = accept(fd, NULL, NULL);
	if (peer < 0)
		return fail("accept");
	while ((n = read(peer, buf, sizeof(buf))) > 0)
		if (send_all(peer, buf, n))
			return 1;
	return n < 0 ? fail("read") : 0;
}
