/* SPDX-License-Identifier: Zlib */
/* Has static memory, hold GROUP UUID MIB, until it is killed: for whoever looks what that is
 * charged to. */
#include "queue.h"

#include <stdlib.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	struct queue q;

	if (argc != 4)
		return 99;
	must(queue_open(&q, argv[1], argv[2]), "hold: open");
	if (queue_is_direct(&q))
		return NOT_HERE;
	must(queue_memory(&q, strtoul(argv[3], NULL, 10) << 20), "hold: memory");
	say("hold: has it");
	pause();
	return 1;
}
