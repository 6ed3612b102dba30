/* SPDX-License-Identifier: Zlib */
/* A client of the vfio-user server that a script drives: what it sends, and its memory. */
#ifndef FUZZ_VFU_CLIENT_H
#define FUZZ_VFU_CLIENT_H

#include "../driver.h"
#include "../../system/vfu.h"

#define IOVA UINT64_C(0x40000000)
enum { MEM_LEN = 1 << 18 };

/* Contexts, rings, then data. */
extern struct memory {
	uint8_t *at;
	int fd;
	int loose_fd;	   /* of memory that must not be mapped */
	bool is_v1, is_v3; /* the device */
} memory;

struct client {
	int fd;
	size_t sent; /* no more than the socket takes without a reader */
	uint16_t id;
	const uint8_t *answers; /* how the server's own requests are answered, by turns */
	size_t answers_nr;
};

void client_bytes(struct client *c, const void *data, size_t len, const int *fds, size_t fds_nr);
/* how: what is wrong with the message, mostly nothing. */
void client_message(struct client *c, unsigned int how, unsigned int command, const void *data,
		    size_t len, const int *fds, size_t fds_nr);
/* All that is left of the input. */
void client_script(struct client *c, struct taker *t, int event);

#endif
