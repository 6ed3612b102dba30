/* SPDX-License-Identifier: Zlib */
/* See uadk.h. */
#include "uadk.h"

double wd_request_queue(int node, double weight)
{
	return node * weight;
}

long wd_release_queue(void)
{
	return 1001;
}

long wd_send(int first, int second, int third, int fourth, int fifth, int sixth, long seventh)
{
	return first + second + third + fourth + fifth + sixth + seventh;
}

long wd_recv(char letter)
{
	return letter + 1;
}

long wd_recv_sync(double a, double b)
{
	return (long)(a - b);
}

long wd_call(long n)
{
	return n * 3;
}

long wd_flush(void)
{
	return 1002;
}

double wd_alloc(double size)
{
	return size / 2;
}

long wd_free(int n)
{
	return n - 1;
}

long wd_mem_share(void)
{
	return 1003;
}

long wd_mem_unshare(void)
{
	return 1004;
}

/* Through the table of the loader, since others may take the place of these functions. */
int uadk_inside(void)
{
	return (wd_request_queue(3, 1.5) == 4.5) + (wd_release_queue() == 1001) +
	       (wd_send(1, 2, 3, 4, 5, 6, 7) == 28) + (wd_recv('a') == 'b') +
	       (wd_recv_sync(9, 4) == 5) + (wd_call(5) == 15) + (wd_flush() == 1002) +
	       (wd_alloc(8) == 4) + (wd_free(8) == 7) + (wd_mem_share() == 1003) +
	       (wd_mem_unshare() == 1004);
}
