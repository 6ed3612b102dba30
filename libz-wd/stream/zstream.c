/* SPDX-License-Identifier: Zlib */
/* Memory of a stream: our state, zlib's behind it, and the blocks both use in turn. */
#include "config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "stream/cache.h"
#include "stream/zstream.h"

static voidpf plain_alloc(voidpf opaque, uInt items, uInt size)
{
	return malloc((size_t)items * size);
}

static void plain_free(voidpf opaque, voidpf mem)
{
	free(mem);
}

/* What zlib asks for after its state, at 32 KiB windows: window, chains, hash heads, symbols. */
static const struct {
	uInt items[2], size; /* items at memLevel 8 and 9 */
} zlib_blocks[ZWD_BLOCKS] = {
	{ { 32768, 32768 }, 2 },
	{ { 32768, 32768 }, 2 },
	{ { 32768, 65536 }, 2 },
	{ { 16384, 32768 }, 4 },
};

static unsigned char *slot(struct zwd_stream *s)
{
	return (unsigned char *)(s + 1);
}

/*
 * opaque is the stream: its slot first, then what a device stream has left, then the caller. What can be a block
 * stays one (a copy of a stream that the real zlib has gets its blocks here): a caller's pool is not asked twice.
 */
static voidpf lent_alloc(voidpf opaque, uInt items, uInt size)
{
	struct zwd_stream *s = opaque;
	size_t len = (size_t)items * size;
	voidpf mem;

	if (items == 1 && size <= ZWD_SLOT_LEN && !s->soft && s->magic == ZWD_MAGIC_DEFLATE)
		return slot(s);
	for (int i = 0; i < ZWD_BLOCKS; i++)
		if (s->d.block[i] && !s->d.is_block_lent[i] && len <= s->d.block_len[i]) {
			s->d.is_block_lent[i] = 1;
			return s->d.block[i];
		}
	mem = s->zalloc(s->opaque, items, size);
	for (int i = 0; i < ZWD_BLOCKS && mem && len >= ZWD_BLOCK_LEN; i++)
		if (!s->d.block[i]) {
			s->d.block[i] = mem;
			s->d.block_len[i] = len;
			s->d.is_block_lent[i] = 1;
			break;
		}
	return mem;
}

static void lent_free(voidpf opaque, voidpf mem)
{
	struct zwd_stream *s = opaque;

	if (mem == slot(s))
		return;
	for (int i = 0; i < ZWD_BLOCKS; i++)
		if (mem == s->d.block[i]) {
			s->d.is_block_lent[i] = 0;
			return;
		}
	s->zfree(s->opaque, mem);
}

void zwd_stream_lend(z_streamp strm, struct zwd_stream *s)
{
	if (!s->is_custom || s->magic != ZWD_MAGIC_DEFLATE)
		return;
	strm->zalloc = lent_alloc;
	strm->zfree = lent_free;
	strm->opaque = s;
}

void zwd_stream_unlend(z_streamp strm, struct zwd_stream *s)
{
	if (!s->is_custom || s->magic != ZWD_MAGIC_DEFLATE)
		return;
	strm->zalloc = s->zalloc;
	strm->zfree = s->zfree;
	strm->opaque = s->opaque;
}

struct zwd_stream *zwd_stream_new(z_streamp strm, uint32_t magic)
{
	struct zwd_stream *s;
	size_t len = magic == ZWD_MAGIC_INFLATE ? offsetof(struct zwd_stream, i) + sizeof(s->i) :
						  sizeof(*s);

	/* As zlib does it. Whoever brings one of the two means malloc() or free() by the other. */
	if (!strm->zalloc) {
		strm->zalloc = strm->zfree ? plain_alloc : zwd_cache_alloc;
		strm->opaque = NULL;
	}
	if (!strm->zfree)
		strm->zfree = strm->zalloc == zwd_cache_alloc ? zwd_cache_free : plain_free;
	if (strm->zalloc != zwd_cache_alloc && magic == ZWD_MAGIC_DEFLATE)
		len += ZWD_SLOT_LEN;
	s = strm->zalloc(strm->opaque, 1, (uInt)len);
	if (!s)
		return NULL;
	memset(s, 0, len);
	s->strm = strm;
	s->magic = magic;
	s->zalloc = strm->zalloc;
	s->zfree = strm->zfree;
	s->opaque = strm->opaque;
	s->is_custom = strm->zalloc != zwd_cache_alloc;
	return s;
}

void zwd_stream_free(z_streamp strm, struct zwd_stream *s)
{
	if (s->magic == ZWD_MAGIC_DEFLATE) {
		for (int i = 0; i < ZWD_BLOCKS; i++)
			zwd_stream_unalloc(s, s->d.block[i]);
		zwd_cache_free(NULL, s->d.scratch);
	}
	s->magic = 0;
	s->zfree(s->opaque, s);
	strm->state = NULL;
}

void *zwd_stream_alloc(struct zwd_stream *s, size_t len)
{
	return s->zalloc(s->opaque, 1, (uInt)len);
}

void zwd_stream_unalloc(struct zwd_stream *s, void *mem)
{
	if (mem)
		s->zfree(s->opaque, mem);
}

int zwd_stream_blocks(struct zwd_stream *s, int mem_level, unsigned char *blocks[ZWD_BLOCKS])
{
	if (!s->is_custom && !s->d.scratch)
		s->d.scratch = zwd_cache_alloc(NULL, ZWD_BLOCKS, ZWD_BLOCK_LEN);
	if (!s->is_custom && !s->d.scratch)
		return -ENOMEM;
	for (int i = 0; i < ZWD_BLOCKS; i++) {
		if (s->is_custom && !s->d.block[i]) {
			uInt items = zlib_blocks[i].items[mem_level > 8], size = zlib_blocks[i].size;

			s->d.block[i] = s->zalloc(s->opaque, items, size);
			if (!s->d.block[i])
				return -ENOMEM;
			s->d.block_len[i] = (size_t)items * size;
		}
		blocks[i] = s->is_custom ? s->d.block[i] : s->d.scratch + i * ZWD_BLOCK_LEN;
	}
	return 0;
}
