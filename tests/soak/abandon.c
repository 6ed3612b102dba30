/* SPDX-License-Identifier: Zlib */
/*
 * Streams in pools that are dropped in the middle of anything: nobody ends them, their memory is
 * another's or none the next moment. A copy in another pool goes on.
 */
#include "config.h"
#include "pool.h"
#include "soak.h"

enum { POOL_LEN = 400 << 10 };

struct job {
	const unsigned char *plain;
	size_t len, pos; /* inflate: pos of what is packed */
	int wbits;
	struct buf packed;
};

static int step(struct soak *s, struct job *j, z_stream *strm, int is_deflate, struct buf *out)
{
	size_t nr = 1 + soak_length(s, 17), end = is_deflate ? j->len : j->packed.len;
	int ret, is_last;

	nr = nr < end - j->pos ? nr : end - j->pos;
	is_last = j->pos + nr == end;
	if (is_deflate)
		ret = soak_feed(s, strm, j->plain + j->pos, nr,
				is_last		   ? Z_FINISH
				: soak_below(s, 3) ? Z_NO_FLUSH
						   : Z_SYNC_FLUSH,
				0, out);
	else
		ret = soak_take(s, strm, j->packed.data + j->pos, nr, Z_NO_FLUSH, 0, out, NULL);
	j->pos += nr;
	if (ret != (is_last ? Z_STREAM_END : Z_OK))
		return soak_failed(s, is_deflate ? "deflate" : "inflate", ret);
	return is_last;
}

static int check(struct soak *s, const struct job *j, int is_deflate, const struct buf *out)
{
	s->tally->bytes += j->len;
	if (is_deflate)
		return soak_unpacks(s, j->wbits, out->data, out->len, j->plain, j->len);
	return soak_is(s, "inflated bytes", out, j->plain, j->len);
}

/* Any number of steps. 0: in the middle, 1: at the end, which was checked. */
static int steps(struct soak *s, struct job *j, z_stream *strm, int is_deflate, unsigned int nr)
{
	int ret = 0;

	while (!ret && nr--)
		ret = step(s, j, strm, is_deflate, &s->back);
	if (ret == 1 && check(s, j, is_deflate, &s->back))
		return -1;
	return ret;
}

int soak_abandon(struct soak *s)
{
	static const int wbits[] = { 15, 31, -15 };
	int is_deflate = soak_below(s, 3) != 0, ret;
	struct job j = { .len = 1 + soak_length(s, 19), .wbits = wbits[soak_below(s, 3)] };
	struct pool *pool = pool_open(POOL_LEN, (int)soak_below(s, 2)), *other = NULL;
	z_stream strm = { 0 }, copy;

	j.plain = soak_text(s, j.len);
	soak_does(s, "%s of %zu bytes in a pool, window bits %d",
		  is_deflate ? "deflate" : "inflate", j.len, j.wbits);
	pool_lends(pool, &strm);
	if (is_deflate) {
		ret = soak_open_deflate(s, &strm, (int)soak_below(s, 8), j.wbits, 8,
					Z_DEFAULT_STRATEGY);
	} else {
		deflate_all(&ref, j.wbits, 6, Z_DEFAULT_STRATEGY, j.plain, j.len, &j.packed);
		ret = soak_open_inflate(s, &strm, j.wbits);
	}
	if (!ret)
		ret = steps(s, &j, &strm, is_deflate, soak_below(s, 12));
	if (!ret && soak_below(s, 2)) {
		/* The memory that copies come from is asked of the stream's own opaque. */
		other = pool_open(POOL_LEN, (int)soak_below(s, 2));
		strm.opaque = other;
		ret = is_deflate ? ours.deflateCopy(&copy, &strm) : ours.inflateCopy(&copy, &strm);
		strm.opaque = pool;
		/* What an inflate stream has on a device may be more than a pool: lease.h. */
		if (ret && (is_deflate || ret != Z_MEM_ERROR))
			ret = soak_failed(s, "copy", ret);
		pool_drop(pool);
		pool = NULL;
		if (!ret)
			ret = steps(s, &j, &copy, is_deflate,
				    soak_below(s, 4) ? 1000 : soak_below(s, 10));
	} else if (!ret && !soak_below(s, 4)) {
		ret = is_deflate ? ours.deflateReset(&strm) : ours.inflateReset(&strm);
		j.pos = s->back.len = 0;
		if (ret)
			soak_failed(s, "reset", ret);
		else
			ret = steps(s, &j, &strm, is_deflate, soak_below(s, 20));
	}
	pool_drop(pool);
	pool_drop(other);
	buf_free(&j.packed);
	return soak_failures ? -1 : 0;
}
