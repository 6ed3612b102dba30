// SPDX-License-Identifier: Zlib
/* Bytes of a hostile client through the vfio-user server: any outcome is fine that is not a crash.
 */
#include "config.h"
#include "../system/vfu.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#define RUNS_MAX 64

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static const char hello[] = "\0\0\1\0\x16\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0{}";
	static struct vfu vfu;
	int fds[2];

	if (!vfu.qm && vfu_init(&vfu, "qm=3,queues=4,engine=zlib", EMU_QM_ISOLATED))
		exit(77);
	/* The socket takes this much without a reader. */
	if (len > 65536 || socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds))
		return 0;
	fcntl(fds[0], F_SETFL, O_NONBLOCK);
	vfu.fd = fds[0];
	if (send(fds[1], hello, 22, 0) == 22 && send(fds[1], data, len, 0) >= 0) {
		/* Whoever waits for an answer of ours sees the end. */
		shutdown(fds[1], SHUT_WR);
		vfu_serve(&vfu);
		for (int i = 0; i < RUNS_MAX && emu_qm_run(vfu.qm) == 0; i++)
			;
	}
	close(fds[1]);
	vfu_disconnect(&vfu);
	return 0;
}
