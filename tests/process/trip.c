/* SPDX-License-Identifier: Zlib */
/* The round trips that the rows make. */
#include "config.h"
#include "process.h"
#include "trip.h"

#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

unsigned char plain[PLAIN_LEN];
struct pair pairs[SHAPES];

const struct shape shapes[] = {
	{ "one call", 15, Z_NO_FLUSH, 100000, 100000 },
	{ "small", 31, Z_NO_FLUSH, 700, 700 },
	{ "raw in pieces", -15, Z_NO_FLUSH, 60000, 777 },
	{ "gzip in flushed pieces", 31, Z_SYNC_FLUSH, 200000, 9000 },
	{ "zlib in fully flushed pieces", 15, Z_FULL_FLUSH, 150000, 30000 },
	{ "bulk", 31, Z_NO_FLUSH, PLAIN_LEN, 1200000 },
};

/* Text that compresses well and quickly, ready before any row begins. */
__attribute__((constructor)) static void fill(void)
{
	static const char *const words[] = { "stream ", "of the ", "queue",   ", and\n",
					     "window ", "0x1f8b ", "block\n", "checksum ",
					     "a ",	"never " };
	uint32_t state = 1;
	size_t len = 0;

	while (len < PLAIN_LEN) {
		const char *word = words[(state = state * 1664525 + 1013904223) >> 16 & 7];
		size_t word_len = strlen(word);

		if (state >> 28 == 0)
			word = words[8 + (state >> 27 & 1)], word_len = strlen(word);
		if (word_len > PLAIN_LEN - len)
			word_len = PLAIN_LEN - len;
		memcpy(plain + len, word, word_len);
		len += word_len;
		if (state >> 24 == 0 && len < PLAIN_LEN)
			plain[len++] = (unsigned char)(state >> 8);
	}
}

void pair_open_with(struct pair *p, const struct shape *shape, alloc_func zalloc, free_func zfree,
		    voidpf opaque)
{
	int ret;

	memset(p, 0, sizeof(*p));
	p->shape = shape;
	p->deflate.zalloc = p->inflate.zalloc = zalloc;
	p->deflate.zfree = p->inflate.zfree = zfree;
	p->deflate.opaque = p->inflate.opaque = opaque;
	ret = deflateInit2(&p->deflate, 1, Z_DEFLATED, shape->window_bits, 8, Z_DEFAULT_STRATEGY);
	if (ret)
		fail("%s: deflateInit2 %d", shape->name, ret);
	ret = inflateInit2(&p->inflate, shape->window_bits);
	if (ret)
		fail("%s: inflateInit2 %d", shape->name, ret);
}

void pair_open(struct pair *p, const struct shape *shape)
{
	pair_open_with(p, shape, NULL, NULL, NULL);
}

static int cancel_state(void)
{
	int state;

	check(!pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &state));
	check(!pthread_setcancelstate(state, NULL));
	return state;
}

static void inflate_packed(struct pair *p, size_t len)
{
	z_stream *i = &p->inflate;
	int ret, state = cancel_state();

	i->next_in = p->packed;
	i->avail_in = len;
	do {
		i->next_out = p->back;
		i->avail_out = sizeof(p->back);
		ret = inflate(i, Z_SYNC_FLUSH);
		if (cancel_state() != state)
			fail("%s: whether the thread can be cancelled is not as it was before", p->shape->name);
		if (ret && ret != Z_STREAM_END && ret != Z_BUF_ERROR)
			fail("%s: inflate %d, %s", p->shape->name, ret, i->msg ? i->msg : "");
		len = sizeof(p->back) - i->avail_out;
		if (len > p->shape->len - p->checked || memcmp(p->back, plain + p->checked, len))
			fail("%s: wrong data at %zu", p->shape->name, p->checked);
		p->checked += len;
	} while (ret == Z_OK && (i->avail_in || !i->avail_out));
	if (i->avail_in)
		fail("%s: inflate leaves %u bytes, %d", p->shape->name, i->avail_in, ret);
}

static void deflate_piece(struct pair *p, size_t len, int flush)
{
	z_stream *d = &p->deflate;
	int ret, state = cancel_state();

	d->next_in = plain + p->fed;
	d->avail_in = len;
	do {
		d->next_out = p->packed;
		d->avail_out = sizeof(p->packed);
		ret = deflate(d, flush);
		if (cancel_state() != state)
			fail("%s: whether the thread can be cancelled is not as it was before", p->shape->name);
		if (ret && ret != Z_STREAM_END && ret != Z_BUF_ERROR)
			fail("%s: deflate %d", p->shape->name, ret);
		inflate_packed(p, sizeof(p->packed) - d->avail_out);
	} while (!d->avail_out);
	if (d->avail_in || (flush == Z_FINISH) != (ret == Z_STREAM_END))
		fail("%s: deflate %d, %u bytes left", p->shape->name, ret, d->avail_in);
	p->fed += len;
	/* What was flushed can be read. */
	if (flush != Z_NO_FLUSH && p->checked != p->fed)
		fail("%s: %zu bytes in, %zu back", p->shape->name, p->fed, p->checked);
}

void pair_step(struct pair *p)
{
	size_t left = p->shape->len - p->fed;

	if (left > p->shape->step)
		deflate_piece(p, p->shape->step, p->shape->flush);
	else
		deflate_piece(p, left, Z_FINISH);
}

void pair_half(struct pair *p)
{
	while (p->fed < p->shape->len / 2 && p->fed + p->shape->step < p->shape->len)
		pair_step(p);
	/* A shape of one step: part of it. */
	if (!p->fed)
		deflate_piece(p, p->shape->len / 3, Z_NO_FLUSH);
}

void pair_end(struct pair *p)
{
	int ret = deflateEnd(&p->deflate);

	if (ret)
		fail("%s: deflateEnd %d", p->shape->name, ret);
	ret = inflateEnd(&p->inflate);
	if (ret)
		fail("%s: inflateEnd %d", p->shape->name, ret);
}

void pair_finish(struct pair *p)
{
	do
		pair_step(p);
	while (p->fed < p->shape->len);
	if (p->checked != p->shape->len || p->deflate.total_in != p->shape->len ||
	    p->inflate.total_out != p->shape->len || p->inflate.total_in != p->deflate.total_out)
		fail("%s: %zu bytes back, %lu in", p->shape->name, p->checked, p->deflate.total_in);
	pair_end(p);
}

void pairs_open(void)
{
	for (int i = 0; i < SHAPES; i++)
		pair_open(&pairs[i], &shapes[i]);
}

void pairs_half(void)
{
	for (int i = 0; i < SHAPES; i++)
		pair_half(&pairs[i]);
}

void pairs_finish(void)
{
	for (int i = 0; i < SHAPES; i++)
		pair_finish(&pairs[i]);
}

void trip_streams(void)
{
	struct pair *p = malloc(sizeof(*p));

	check(p);
	for (int i = 0; i < SHAPES; i++) {
		pair_open(p, &shapes[i]);
		pair_finish(p);
	}
	free(p);
}

void trip_calls(void)
{
	static const unsigned char digits[] = "123456789";
	uLong len = 50000, bound = compressBound(len), crc, adler;
	unsigned char *packed, *back;
	uLongf packed_len = bound, back_len = len;
	int ret;

	check(zlibVersion() && zlibVersion()[0] == '1');
	check(bound > len && bound < len + 1000);
	packed = malloc(bound);
	back = malloc(len);
	check(packed && back);
	ret = compress(packed, &packed_len, plain, len);
	if (ret)
		fail("compress %d", ret);
	ret = uncompress(back, &back_len, packed, packed_len);
	if (ret || back_len != len || memcmp(plain, back, len))
		fail("uncompress %d, %lu bytes", ret, back_len);
	check(crc32(0, digits, 9) == 0xcbf43926);
	crc = crc32(0, plain, len);
	check(crc32_combine(crc32(0, plain, 1234), crc32(0, plain + 1234, len - 1234),
			    (z_off_t)len - 1234) == crc);
	adler = adler32(1, plain, len);
	check(adler32_combine(adler32(1, plain, 1234), adler32(1, plain + 1234, len - 1234),
			      (z_off_t)len - 1234) == adler);
	check(zError(Z_DATA_ERROR) && !strcmp(zError(Z_DATA_ERROR), "data error"));
	free(packed);
	free(back);
}

void trip_gz(void)
{
	/* Of its own: several threads do this at once, and a device writes where it will. */
	size_t len = 300000;
	unsigned char *back = malloc(len);
	int fd = memfd_create("gz", 0);
	gzFile file;

	check(back);
	if (fd < 0)
		fail("no file: %s", strerror(errno));
	file = gzdopen(dup(fd), "wb1");
	check(file);
	check(gzwrite(file, plain, 200000) == 200000);
	check(gzflush(file, Z_SYNC_FLUSH) == Z_OK);
	check(gzwrite(file, plain + 200000, 100000) == 100000);
	check(gzclose(file) == Z_OK);
	check(!lseek(fd, 0, SEEK_SET));
	file = gzdopen(dup(fd), "rb");
	check(file);
	check(gzread(file, back, (unsigned int)len) == (int)len);
	check(!memcmp(back, plain, len));
	check(gzseek(file, 1000, SEEK_SET) == 1000 && gzgetc(file) == plain[1000]);
	check(gzclose(file) == Z_OK);
	check(!close(fd));
	free(back);
}

void trip_quick(void)
{
	struct pair *p = malloc(sizeof(*p));

	check(p);
	pair_open(p, &shapes[0]);
	pair_finish(p);
	free(p);
	trip_calls();
}

void trip_all(void)
{
	trip_streams();
	trip_calls();
	trip_gz();
}

void pool_open(struct pool *pool, size_t size)
{
	*pool = (struct pool){ .size = size, .left = LONG_MAX };
	pool->mem = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	check(pool->mem != MAP_FAILED);
}

voidpf pool_alloc(voidpf opaque, uInt items, uInt size)
{
	struct pool *pool = opaque;
	size_t len = (size_t)items * size;
	unsigned char *mem = pool->mem + pool->used + 8;

	pool->nr++;
	if (pool->left-- <= 0 || len + 32 > pool->size - pool->used)
		return NULL;
	pool->used += 8 + (len + 15) / 16 * 16 + 8;
	memset(mem, 0xa5, len);
	return mem;
}

void pool_free(voidpf opaque, voidpf mem)
{
	(void)opaque;
	(void)mem;
}
