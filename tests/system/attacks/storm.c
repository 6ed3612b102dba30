/* SPDX-License-Identifier: Zlib */
/*
 * Guards: doorbells alone reset nothing. storm GROUP UUID NUMBER, in single mode: one result is
 * left where it lies, and the completion queue is armed again so many times, each of which makes an
 * event.
 */
#include "queue.h"

#include <stdlib.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	struct hisi_zip_sqe sqe;
	unsigned int generation;
	struct queue q;

	if (argc != 4)
		return 99;
	must(queue_open(&q, argv[1], argv[2]), "storm: open");
	if (!queue_is_direct(&q))
		return NOT_HERE;
	must(queue_memory(&q, 65536), "storm: memory");
	must(queue_start(&q, HISI_ZIP_QUEUE_COMPRESS), "storm: start");
	generation = q.status->generation;
	sqe = queue_request(&q, q.dma, PAGE, q.dma + 8192, 8192);
	must(queue_put(&q, &sqe), "storm: request");
	must(queue_wait(&q, 10000), "storm: result");
	for (unsigned long i = strtoul(argv[3], NULL, 10); i; i--)
		queue_ring(&q, HISI_QM_DB_CMD_CQ, 0, 1);
	sleep(2);
	say("storm: state %u generation %u to %u", q.status->state, generation,
	    q.status->generation);
	return 0;
}
