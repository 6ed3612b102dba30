// SPDX-License-Identifier: Zlib
/* The system's zlib as the emulated device's compute engine, where ISA-L is absent. */
#include "config.h"
#include "emu_codec.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

/* Never linked: the global deflate may be the one that calls us. */
static struct {
	__typeof__(deflateInit2_) *deflate_init2;
	__typeof__(deflateReset) *deflate_reset;
	__typeof__(deflateSetDictionary) *deflate_set_dictionary;
	__typeof__(deflate) *deflate;
	__typeof__(deflateEnd) *deflate_end;
	__typeof__(inflateInit2_) *inflate_init2;
	__typeof__(inflateReset) *inflate_reset;
	__typeof__(inflate) *inflate;
	__typeof__(inflateEnd) *inflate_end;
	__typeof__(adler32) *adler32;
	__typeof__(crc32) *crc32;
} zlib;

/* By the order of the members. Not a table of pointers, which the loader would have to relocate. */
static const char symbols[][EMU_SYMBOL_LEN] = {
	"deflateInit2_", "deflateReset", "deflateSetDictionary", "deflate", "deflateEnd",
	"inflateInit2_", "inflateReset", "inflate", "inflateEnd", "adler32", "crc32",
};
_Static_assert(sizeof(zlib) == sizeof(symbols) / sizeof(symbols[0]) * sizeof(void *), "a name each");

/* devices_lock is held. A failure is none for ever. */
static int codec_open(void)
{
	/* Not static: the loader would have to relocate it. */
	const struct emu_library library = {
		.soname = "libz.so.1", .path = SOFT_ZLIB_PATH, .symbols = symbols,
		.symbols_nr = sizeof(symbols) / sizeof(symbols[0]),
	};
	static bool is_open;

	if (!is_open)
		is_open = !emu_library_open(&library, &zlib);
	return is_open ? 0 : -ENOENT;
}

/* zlib has no way to write down a decoder in the middle of a block, so the device keeps them. */
#define STREAMS_MAX 64

struct stream {
	z_stream z;
	uint64_t id; /* 0: free */
	uint64_t sequence;
	uint64_t used; /* when, to find the one longest unused */
	bool is_busy;
	bool is_made;
};

struct emu_streams {
	pthread_mutex_t lock; /* guards all but the z of busy streams */
	uint64_t last_id;
	uint64_t now;
	struct stream stream[STREAMS_MAX];
};

/* What the context has of it. */
struct saved {
	uint64_t id;
	uint64_t sequence;
} __attribute__((packed));

struct emu_streams *emu_streams_new(void)
{
	struct emu_streams *streams = calloc(1, sizeof(*streams));

	if (streams)
		pthread_mutex_init(&streams->lock, NULL);
	return streams;
}

void emu_streams_free(struct emu_streams *streams)
{
	if (!streams)
		return;
	for (size_t i = 0; i < STREAMS_MAX; i++)
		if (streams->stream[i].is_made)
			zlib.inflate_end(&streams->stream[i].z);
	pthread_mutex_destroy(&streams->lock);
	free(streams);
}

void emu_streams_lock(struct emu_streams *streams)
{
	if (streams)
		pthread_mutex_lock(&streams->lock);
}

void emu_streams_unlock(struct emu_streams *streams)
{
	if (streams)
		pthread_mutex_unlock(&streams->lock);
}

void emu_streams_forget(struct emu_streams *streams)
{
	bool is_sound;

	if (!streams)
		return;
	is_sound = !pthread_mutex_trylock(&streams->lock);
	if (is_sound)
		pthread_mutex_unlock(&streams->lock);
	else
		pthread_mutex_init(&streams->lock, NULL);
	for (size_t i = 0; i < STREAMS_MAX; i++)
		if (streams->stream[i].is_busy || !is_sound)
			memset(&streams->stream[i], 0, sizeof(streams->stream[i]));
}

/* A decoder for a new stream: a free one, or the one longest unused. */
static struct stream *stream_new(struct emu_streams *streams)
{
	struct stream *oldest = NULL;

	pthread_mutex_lock(&streams->lock);
	for (size_t i = 0; i < STREAMS_MAX; i++) {
		struct stream *s = &streams->stream[i];

		if (!s->is_busy && (!oldest || s->used < oldest->used))
			oldest = s;
	}
	if (oldest) {
		oldest->id = ++streams->last_id;
		oldest->sequence = 0;
		oldest->is_busy = true;
	}
	pthread_mutex_unlock(&streams->lock);
	return oldest;
}

static struct stream *stream_get(struct emu_streams *streams, const struct saved *saved)
{
	struct stream *found = NULL;

	pthread_mutex_lock(&streams->lock);
	for (size_t i = 0; saved->id && i < STREAMS_MAX; i++) {
		struct stream *s = &streams->stream[i];

		if (s->id == saved->id && s->sequence == saved->sequence && !s->is_busy) {
			s->is_busy = true;
			found = s;
			break;
		}
	}
	pthread_mutex_unlock(&streams->lock);
	return found;
}

static void stream_put(struct emu_streams *streams, struct stream *s, bool is_over)
{
	pthread_mutex_lock(&streams->lock);
	s->is_busy = false;
	s->sequence++;
	s->used = is_over ? 0 : ++streams->now;
	if (is_over)
		s->id = 0;
	pthread_mutex_unlock(&streams->lock);
}

static int stream_reset(struct stream *s)
{
	if (s->is_made)
		return zlib.inflate_reset(&s->z) == Z_OK ? 0 : -ESTALE;
	memset(&s->z, 0, sizeof(s->z));
	if (zlib.inflate_init2(&s->z, -MAX_WBITS, ZLIB_VERSION, sizeof(s->z)) != Z_OK)
		return -ESTALE;
	s->is_made = true;
	return 0;
}

#define WINDOW_MIN 12

struct work {
	struct emu_streams *streams;
	struct stream whole;
	z_stream deflate[MAX_WBITS - WINDOW_MIN + 1];
	bool is_made[MAX_WBITS - WINDOW_MIN + 1];
};

static void *work_new(struct emu_streams *streams)
{
	struct work *w = calloc(1, sizeof(*w));

	if (w)
		w->streams = streams;
	return w;
}

static void work_free(void *work)
{
	struct work *w = work;

	if (!w)
		return;
	for (size_t i = 0; i < sizeof(w->deflate) / sizeof(w->deflate[0]); i++)
		if (w->is_made[i])
			zlib.deflate_end(&w->deflate[i]);
	if (w->whole.is_made)
		zlib.inflate_end(&w->whole.z);
	free(w);
}

static int codec_deflate(void *work, const struct emu_deflate *d)
{
	struct work *w = work;
	const unsigned int i = d->window_bits - WINDOW_MIN;
	z_stream *z = &w->deflate[i];
	int ret;

	if (!w->is_made[i]) {
		if (zlib.deflate_init2(z, 1, Z_DEFLATED, -(int)d->window_bits, 8,
				       Z_DEFAULT_STRATEGY, ZLIB_VERSION, sizeof(*z)) != Z_OK)
			return -ENOSPC;
		w->is_made[i] = true;
	} else if (zlib.deflate_reset(z) != Z_OK) {
		return -ENOSPC;
	}
	if (d->hist_len && zlib.deflate_set_dictionary(z, d->hist, d->hist_len) != Z_OK)
		return -ENOSPC;
	z->next_in = (Bytef *)d->src;
	z->avail_in = d->src_len;
	z->next_out = d->dst;
	z->avail_out = d->dst_len;
	ret = zlib.deflate(z, d->is_last ? Z_FINISH : Z_SYNC_FLUSH);
	/* A full buffer does not tell whether the empty block at the end is complete. */
	if (d->is_last ? ret != Z_STREAM_END : ret != Z_OK || z->avail_in || !z->avail_out)
		return -ENOSPC;
	return d->dst_len - z->avail_out;
}

static int run_inflate(z_stream *z, struct emu_inflate *s)
{
	int ret;

	z->next_in = (Bytef *)s->src;
	z->avail_in = s->src_len;
	z->next_out = s->dst;
	z->avail_out = s->dst_len;
	ret = zlib.inflate(z, Z_SYNC_FLUSH);
	if (ret != Z_OK && ret != Z_STREAM_END && ret != Z_BUF_ERROR)
		return -EBADMSG;
	s->consumed = s->src_len - z->avail_in;
	s->produced = s->dst_len - z->avail_out;
	s->is_final = z->data_type & 64;
	s->is_waiting = !z->avail_out;
	return ret == Z_STREAM_END ? EMU_INFLATE_END : EMU_INFLATE_MORE;
}

static int codec_inflate(void *work, struct emu_inflate *s)
{
	struct work *w = work;
	struct saved *saved = (void *)s->state;
	struct stream *stream;
	int ret;

	if (!s->state) {
		ret = stream_reset(&w->whole);
		return ret ? ret : run_inflate(&w->whole.z, s);
	}
	if (s->state_len) {
		stream = s->state_len == sizeof(*saved) ? stream_get(w->streams, saved) : NULL;
		ret = 0;
	} else {
		stream = stream_new(w->streams);
		ret = stream ? stream_reset(stream) : 0;
	}
	if (!stream)
		return -ESTALE;
	if (!ret)
		ret = run_inflate(&stream->z, s);
	const uint64_t id = stream->id, sequence = stream->sequence + 1;
	stream_put(w->streams, stream, ret < 0 || ret == EMU_INFLATE_END);
	s->state_len = 0;
	if (ret != EMU_INFLATE_MORE)
		return ret;
	*saved = (struct saved){ id, sequence };
	s->state_len = sizeof(*saved);
	return ret;
}

static uint32_t codec_adler32(uint32_t adler, const uint8_t *buf, uint32_t len)
{
	return zlib.adler32(adler, buf, len);
}

static uint32_t codec_crc32(uint32_t crc, const uint8_t *buf, uint32_t len)
{
	return zlib.crc32(crc, buf, len);
}

const struct emu_codec emu_codec_zlib = {
	.name = "zlib",
	.is_shallow = true,
	.open = codec_open,
	.work_new = work_new,
	.work_free = work_free,
	.deflate = codec_deflate,
	.inflate = codec_inflate,
	.adler32 = codec_adler32,
	.crc32 = codec_crc32,
};
