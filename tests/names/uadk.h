/* SPDX-License-Identifier: Zlib */
/* A library that has names of libwd with arguments of its own, as UADK and KAE have. */
#ifndef NAMES_UADK_H
#define NAMES_UADK_H

/* Each says by its value that it was called, and how. */
double wd_request_queue(int node, double weight);
long wd_release_queue(void);
long wd_send(int first, int second, int third, int fourth, int fifth, int sixth, long seventh);
long wd_recv(char letter);
long wd_recv_sync(double a, double b);
long wd_call(long n);
long wd_flush(void);
double wd_alloc(double size);
long wd_free(int n);
long wd_mem_share(void);
long wd_mem_unshare(void);

/* How many of these did the right thing, called from inside the library. */
int uadk_inside(void);

#define UADK_NR 11

#endif
