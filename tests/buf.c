/* SPDX-License-Identifier: Zlib */
#include "buf.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

unsigned char *buf_room(struct buf *buf, size_t room)
{
	if (buf->size - buf->len < room) {
		buf->size = (buf->len + room) * 2;
		buf->data = realloc(buf->data, buf->size);
		if (!buf->data) {
			perror("buf_room");
			abort();
		}
	}
	return buf->data + buf->len;
}

void buf_add(struct buf *buf, const void *data, size_t len)
{
	unsigned char *dst = buf_room(buf, len + 1);

	if (len)
		memcpy(dst, data, len);
	buf->len += len;
}

void buf_free(struct buf *buf)
{
	free(buf->data);
	*buf = (struct buf){ 0 };
}
