/* SPDX-License-Identifier: Zlib */
/* ZWD_VERIFY: a device's output is inflated and compared before anybody sees it. */
#include "config.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "operate/settings.h"
#include "stream/soft_zlib.h"
#include "engine/verify.h"

#define PIECE_LEN 65536u

/* Counted by process: most streams are shorter than N units. */
int zwd_verify_is_due(void)
{
	static _Atomic unsigned int units_nr;
	unsigned int every = zwd_settings()->verify;

	if (!every)
		return 0;
	return atomic_fetch_add_explicit(&units_nr, 1, memory_order_relaxed) % every == every - 1;
}

/* What inflate() says in data_type: the last block was begun; between two blocks; bits not used. */
#define IN_LAST_BLOCK 64
#define BETWEEN_BLOCKS 128
#define BITS_LEFT 7

static int is_at_end(const z_stream *strm, int z, int is_last)
{
	if (strm->avail_in)
		return 0;
	if (is_last)
		return z == Z_STREAM_END;
	return (strm->data_type & (IN_LAST_BLOCK | BETWEEN_BLOCKS | BITS_LEFT)) == BETWEEN_BLOCKS;
}

int zwd_verify_unit(const unsigned char *out, size_t out_len, const unsigned char *plain,
		    size_t plain_len, int is_last, const unsigned char *history, size_t history_len)
{
	z_stream strm = { .next_in = (unsigned char *)out, .avail_in = (uInt)out_len };
	unsigned char *piece = malloc(PIECE_LEN);
	size_t done = 0, len;
	int ret = -EBADMSG, z;

	if (!piece || zwd_soft_zlib.inflateInit2_(&strm, -15, ZLIB_VERSION, sizeof(strm)) != Z_OK) {
		free(piece);
		return -ENOMEM;
	}
	if (history_len)
		zwd_soft_zlib.inflateSetDictionary(&strm, history, (uInt)history_len);
	do {
		strm.next_out = piece;
		strm.avail_out = PIECE_LEN;
		z = zwd_soft_zlib.inflate(&strm, Z_SYNC_FLUSH);
		len = PIECE_LEN - strm.avail_out;
		if (len > plain_len - done || memcmp(piece, plain + done, len)) {
			z = Z_DATA_ERROR;
			break;
		}
		done += len;
		/* With all of both, another call would only forget that it stands between two blocks. */
	} while (z == Z_OK && (strm.avail_in || (!strm.avail_out && done < plain_len)));
	if ((z == Z_OK || z == Z_BUF_ERROR || z == Z_STREAM_END) && done == plain_len &&
	    is_at_end(&strm, z, is_last))
		ret = 0;
	zwd_soft_zlib.inflateEnd(&strm);
	free(piece);
	return ret;
}
