// SPDX-License-Identifier: Zlib
/*
 * Serves modelled ZIP devices to QEMU: vfu-server [-f] [-i] SOCKET OPTIONS [SOCKET OPTIONS...]
 * -f: all capabilities of version 3, -i: its doorbell pages. OPTIONS "vf": a VF of the device
 * before it that is none, "vf:OPTIONS": a VF alone. Ends by SIGTERM and prints its counts.
 */
#include "config.h"
#include "vfu.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define DEVICES_MAX 8

static volatile sig_atomic_t is_ending;

static void on_signal(int nr)
{
	is_ending = 1;
}

static void fail(const char *what, int error)
{
	fprintf(stderr, "vfu-server: %s: %s\n", what, strerror(error));
	exit(99);
}

static void listen_at(struct vfu *vfu, const char *path)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };

	vfu->path = path;
	if (strlen(path) >= sizeof(addr.sun_path))
		fail(path, ENAMETOOLONG);
	strcpy(addr.sun_path, path);
	unlink(path);
	vfu->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (vfu->listener < 0 || bind(vfu->listener, (struct sockaddr *)&addr, sizeof(addr)) ||
	    listen(vfu->listener, 1))
		fail(path, errno);
}

/* Messages, then one request. What emu_qm_run() says. */
static int serve(struct vfu *vfu)
{
	if (vfu->fd < 0)
		vfu->fd = accept4(vfu->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	if (vfu->fd < 0)
		return -1;
	if (!vfu_serve(vfu)) {
		vfu_disconnect(vfu);
		return -1;
	}
	return emu_qm_run(vfu->qm);
}

static void print_counts(const struct vfu *vfu)
{
	struct emu_qm_stats s;

	emu_qm_stats(vfu->qm, &s);
	printf("%s: requests %llu errors %llu bytes_in %llu bytes_out %llu interrupts %llu "
	       "mailboxes %llu doorbells %llu resets %llu faults %llu messages %llu refused %llu "
	       "maps %llu dma_messages %llu\n",
	       vfu->path, (unsigned long long)s.requests, (unsigned long long)s.errors,
	       (unsigned long long)s.bytes_in, (unsigned long long)s.bytes_out,
	       (unsigned long long)s.interrupts, (unsigned long long)s.mailboxes,
	       (unsigned long long)s.doorbells, (unsigned long long)s.resets,
	       (unsigned long long)s.faults, (unsigned long long)vfu->messages,
	       (unsigned long long)vfu->refused, (unsigned long long)vfu->maps,
	       (unsigned long long)vfu->dma_messages);
}

int main(int argc, char **argv)
{
	static struct vfu device[DEVICES_MAX];
	struct pollfd p[DEVICES_MAX];
	struct sigaction action = { .sa_handler = on_signal };
	const struct vfu *pf = NULL;
	unsigned int flags = 0, nr = 0;
	sigset_t ending, waiting;
	int opt;

	while ((opt = getopt(argc, argv, "fi")) != -1) {
		if (opt == '?')
			return 99;
		flags |= opt == 'f' ? EMU_QM_FULL : EMU_QM_ISOLATED;
	}
	/* They come while it waits, or wait until it does. */
	sigemptyset(&ending);
	sigaddset(&ending, SIGTERM);
	sigaddset(&ending, SIGINT);
	sigprocmask(SIG_BLOCK, &ending, &waiting);
	sigaction(SIGTERM, &action, NULL);
	sigaction(SIGINT, &action, NULL);
	for (; optind + 1 < argc && nr < DEVICES_MAX; optind += 2, nr++) {
		const char *options = argv[optind + 1];
		int ret = vfu_init(&device[nr], options, flags, pf);

		if (ret)
			fail(options, -ret);
		if (strncmp(options, "vf", 2))
			pf = &device[nr];
		listen_at(&device[nr], argv[optind]);
	}
	if (!nr || optind != argc) {
		fprintf(stderr, "usage: vfu-server [-f] [-i] SOCKET OPTIONS...\n");
		return 99;
	}
	/* For whoever waits until it can connect. */
	printf("vfu-server: %u devices\n", nr);
	fflush(stdout);
	while (!is_ending) {
		struct timespec ts;
		int timeout = -1;

		for (unsigned int i = 0; i < nr; i++) {
			int next = serve(&device[i]);

			if (next >= 0 && (timeout < 0 || next < timeout))
				timeout = next;
			p[i].fd = device[i].fd < 0 ? device[i].listener : device[i].fd;
			p[i].events = POLLIN;
		}
		ts = (struct timespec){ timeout / 1000, timeout % 1000 * 1000000L };
		ppoll(p, nr, timeout < 0 ? NULL : &ts, &waiting);
	}
	for (unsigned int i = 0; i < nr; i++)
		print_counts(&device[i]);
	/* VFs are behind their PF. */
	while (nr--) {
		unlink(device[nr].path);
		vfu_fini(&device[nr]);
	}
	return 0;
}
