/* SPDX-License-Identifier: Zlib */
/* Guards: whose device a process is given: near NR opens so many queues, works on each, and prints
 * the device's name. */
#include "call.h"

#include <stdio.h>
#include <stdlib.h>

#define LEN 100000u

int main(int argc, char **argv)
{
	const int nr = argc > 1 ? atoi(argv[1]) : 1;
	char *src = malloc(LEN), *dst = untouched(LEN);

	fill(src, LEN, 1);
	for (int i = 0; i < nr; i++) {
		struct wd_queue *q = queue_open("auto");
		struct wd_device_info info;

		wd_queue_info(q, &info);
		printf("%s\n", info.name);
		if (!is_right(q, src, LEN, dst, LEN))
			return 1;
	}
	return 0;
}
