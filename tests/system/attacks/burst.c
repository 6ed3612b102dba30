/* SPDX-License-Identifier: Zlib */
/*
 * Guards: a process that is killed while the device works for it leaves nothing behind. burst GROUP
 * UUID MS puts 64 requests of 1 MiB, waits so many milliseconds, and kills itself.
 */
#include "queue.h"

#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#define LEN	  (1u << 20)
#define IN_FLIGHT 64

int main(int argc, char **argv)
{
	struct hisi_zip_sqe sqe;
	struct queue q;

	if (argc != 4)
		return 99;
	must(queue_open(&q, argv[1], argv[2]), "burst: open");
	must(queue_memory(&q, 3 * LEN), "burst: memory");
	must(queue_start(&q, HISI_ZIP_QUEUE_COMPRESS), "burst: start");
	sqe = queue_request(&q, q.dma, LEN, q.dma + LEN, 2 * LEN);
	for (int i = 0; i < IN_FLIGHT; i++)
		must(queue_put(&q, &sqe), "burst: put");
	usleep(1000 * strtoul(argv[3], NULL, 10));
	kill(getpid(), SIGKILL);
	return 1;
}
