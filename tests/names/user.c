/* SPDX-License-Identifier: Zlib */
/* A program of such a library and of zlib: uses both, and says what went wrong. */
#include <stdio.h>
#include <string.h>
#include <zlib.h>
#include "uadk.h"

#define LEN (1u << 20)

static unsigned char plain[LEN], packed[LEN + LEN / 8], back[LEN];

static int uadk_outside(void)
{
	return (wd_request_queue(3, 1.5) == 4.5) + (wd_release_queue() == 1001) +
	       (wd_send(1, 2, 3, 4, 5, 6, 7) == 28) + (wd_recv('a') == 'b') +
	       (wd_recv_sync(9, 4) == 5) + (wd_call(5) == 15) + (wd_flush() == 1002) +
	       (wd_alloc(8) == 4) + (wd_free(8) == 7) + (wd_mem_share() == 1003) +
	       (wd_mem_unshare() == 1004);
}

static int round_trip(void)
{
	uLongf packed_len = sizeof(packed), back_len = sizeof(back);

	for (unsigned int i = 0; i < LEN; i++)
		plain[i] = i * 7 + (i >> 6) % 13;
	return compress2(packed, &packed_len, plain, LEN, 1) == Z_OK && packed_len < LEN &&
	       uncompress(back, &back_len, packed, packed_len) == Z_OK && back_len == LEN &&
	       !memcmp(plain, back, LEN);
}

int main(void)
{
	for (int i = 0; i < 2; i++) {
		if (uadk_outside() != UADK_NR || uadk_inside() != UADK_NR) {
			fprintf(stderr, "user: a function of its library is somebody else's\n");
			return 1;
		}
		if (!round_trip()) {
			fprintf(stderr, "user: zlib does not restore what it compressed\n");
			return 1;
		}
	}
	return 0;
}
