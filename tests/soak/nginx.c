/* SPDX-License-Identifier: Zlib */
/*
 * nginx: many connections at once, small bodies, memory from the request's pool, a flush where the
 * upstream flushed; a client that goes away takes the pool with it and nobody ends the stream.
 */
#include "config.h"
#include "pool.h"
#include "soak.h"

enum {
	CONNECTIONS = 24,
	UPSTREAM_LEN = 8192, /* what an upstream brings at once, at most */
	ROOM_LEN = 4096,     /* gzip_buffers */
};

struct connection {
	z_stream strm;
	struct pool *pool; /* NULL: there is no request */
	int is_gunzip, wbits, flush;
	const unsigned char *body;
	size_t len, pos; /* of the body; gunzip: pos of what is packed */
	struct buf packed, out;
};

static int open_request(struct soak *s, struct connection *c)
{
	size_t len = 100 + soak_length(s, 16);
	int wbits = 15, mem_level = 8;

	*c = (struct connection){
		.is_gunzip = !soak_below(s, 4),
		.len = len,
		.body = soak_text(s, len),
		.flush = soak_below(s, 4) ? Z_NO_FLUSH : Z_SYNC_FLUSH,
	};
	/* Where the length is known, no more memory than that length needs. */
	while (!soak_below(s, 3) && wbits > 9 && len < ((size_t)1 << (wbits - 1)) - 262) {
		wbits--;
		mem_level -= mem_level > 1;
	}
	c->wbits = wbits + 16;
	c->pool = pool_open(300 << 10, (int)soak_below(s, 2));
	pool_lends(c->pool, &c->strm);
	if (!c->is_gunzip)
		return soak_open_deflate(s, &c->strm, 1 + (int)soak_below(s, 9), c->wbits,
					 mem_level, Z_DEFAULT_STRATEGY);
	deflate_all(&ref, c->wbits, 6, Z_DEFAULT_STRATEGY, c->body, len, &c->packed);
	return soak_open_inflate(s, &c->strm, 31);
}

static void close_request(struct connection *c)
{
	pool_drop(c->pool);
	c->pool = NULL;
	buf_free(&c->packed);
	buf_free(&c->out);
}

static int gzip_piece(struct soak *s, struct connection *c, size_t nr)
{
	int is_last = c->pos + nr == c->len, ret;

	ret = soak_feed(s, &c->strm, c->body + c->pos, nr, is_last ? Z_FINISH : c->flush, ROOM_LEN,
			&c->out);
	c->pos += nr;
	if (ret != (is_last ? Z_STREAM_END : Z_OK))
		return soak_failed(s, "deflate", ret);
	if (!is_last)
		return 0;
	ret = ours.deflateEnd(&c->strm);
	if (ret)
		return soak_failed(s, "deflateEnd", ret);
	s->tally->bytes += c->len;
	ret = soak_unpacks(s, c->wbits, c->out.data, c->out.len, c->body, c->len);
	close_request(c);
	return ret;
}

static int gunzip_piece(struct soak *s, struct connection *c, size_t nr)
{
	int ret = soak_take(s, &c->strm, c->packed.data + c->pos, nr, c->flush, ROOM_LEN, &c->out,
			    NULL);

	c->pos += nr;
	if (ret != (c->pos == c->packed.len ? Z_STREAM_END : Z_OK))
		return soak_failed(s, "inflate", ret);
	if (ret == Z_OK)
		return 0;
	ret = ours.inflateEnd(&c->strm);
	if (ret)
		return soak_failed(s, "inflateEnd", ret);
	s->tally->bytes += c->len;
	ret = soak_is(s, "inflated bytes", &c->out, c->body, c->len);
	close_request(c);
	return ret;
}

int soak_nginx(struct soak *s)
{
	struct connection *c;
	size_t left, nr;

	if (!*s->kept)
		*s->kept = calloc(CONNECTIONS, sizeof(*c));
	c = (struct connection *)*s->kept + soak_below(s, CONNECTIONS);
	soak_does(s, "%s of a body of %zu bytes, window bits %d, flush %d",
		  c->is_gunzip ? "gunzip" : "gzip", c->len, c->wbits, c->flush);
	if (!c->pool)
		return open_request(s, c);
	if (!soak_below(s, 60)) {
		close_request(c);
		return 0;
	}
	left = (c->is_gunzip ? c->packed.len : c->len) - c->pos;
	nr = 1 + soak_below(s, UPSTREAM_LEN);
	nr = nr < left ? nr : left;
	return c->is_gunzip ? gunzip_piece(s, c, nr) : gzip_piece(s, c, nr);
}

void soak_nginx_end(struct soak *s)
{
	struct connection *c = *s->kept;

	for (int i = 0; c && i < CONNECTIONS; i++)
		close_request(&c[i]);
	free(c);
}
