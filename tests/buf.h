/* SPDX-License-Identifier: Zlib */
/* A growing buffer. */
#ifndef BUF_H
#define BUF_H

#include <stddef.h>

struct buf {
	unsigned char *data;
	size_t len, size;
};

/* Where room bytes may be written behind what is there. Without memory the program ends. */
unsigned char *buf_room(struct buf *buf, size_t room);
void buf_add(struct buf *buf, const void *data, size_t len);
void buf_free(struct buf *buf);

#endif
