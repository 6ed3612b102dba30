/* SPDX-License-Identifier: Zlib */
/*
 * Browsers: bodies that come in pieces as the network cuts them, "deflate" that may be zlib's or
 * raw, what is cut short and what is damaged; there both zlibs say the same.
 */
#include "config.h"
#include "soak.h"

enum { ROOM = 65536, PIECES_MAX = 1500 };

struct reply {
	const unsigned char *plain;
	size_t len, piece;
	int wbits, is_damaged;
};

/* What a zlib makes of the body, in pieces of the same lengths for both. */
struct outcome {
	struct buf out;
	size_t pos;
	int ret;
	const char *msg;
};

static int make_body(struct soak *s, const struct reply *r)
{
	z_stream strm = { 0 };
	size_t pos = 0;
	int ret = Z_OK;

	if (soak_below(s, 2)) { /* another's server */
		deflate_all(&ref, r->wbits, 1 + (int)soak_below(s, 9), Z_DEFAULT_STRATEGY, r->plain,
			    r->len, &s->packed);
		return 0;
	}
	if (soak_open_deflate(s, &strm, 6, r->wbits, 8, Z_DEFAULT_STRATEGY))
		return -1;
	while (!ret) {
		size_t nr = 1 + soak_length(s, 17);
		int is_last = nr >= r->len - pos;

		nr = is_last ? r->len - pos : nr;
		ret = soak_feed(s, &strm, r->plain + pos, nr, is_last ? Z_FINISH : Z_SYNC_FLUSH, 0,
				&s->packed);
		pos += nr;
	}
	if (ret != Z_STREAM_END)
		return soak_failed(s, "deflate", ret);
	ours.deflateEnd(&strm);
	return soak_unpacks(s, r->wbits, s->packed.data, s->packed.len, r->plain, r->len);
}

static int read_body(struct soak *s, const struct zlib_api *z, const struct reply *r, uint64_t cuts,
		     size_t len, struct outcome *o)
{
	/* "deflate" is tried as zlib's first. */
	int wbits = r->wbits == 31 ? 47 : 15;
	z_stream strm = { 0 };

again:
	if (z->inflateInit2_(&strm, wbits, ZLIB_VERSION, (int)sizeof(strm)))
		return soak_failed(s, "inflateInit2", 0);
	o->pos = o->out.len = 0;
	do {
		size_t nr = 1 + (size_t)(test_random_of(&cuts) % r->piece);

		nr = nr < len - o->pos ? nr : len - o->pos;
		strm.next_in = s->packed.data + o->pos;
		strm.avail_in = (uInt)nr;
		do {
			strm.next_out = buf_room(&o->out, ROOM);
			strm.avail_out = ROOM;
			o->ret = z == &ours ? soak_inflate(s, &strm, Z_NO_FLUSH)
					    : ref.inflate(&strm, Z_NO_FLUSH);
			o->out.len += ROOM - strm.avail_out;
			/* At the end of a body that was cut all must be out when there is no more:
			 * not before. */
		} while (o->ret == Z_OK &&
			 (strm.avail_in || !strm.avail_out || o->pos + nr == len));
		o->pos += nr - strm.avail_in;
	} while ((o->ret == Z_OK || o->ret == Z_BUF_ERROR) && o->pos < len);
	o->msg = strm.msg;
	z->inflateEnd(&strm);
	if (o->ret == Z_DATA_ERROR && wbits == 15 && !o->out.len && r->wbits < 0) {
		wbits = -15;
		goto again;
	}
	return 0;
}

static int compare(struct soak *s, const struct outcome *got, const struct outcome *want)
{
	if (got->ret != want->ret)
		return soak_failed(s, "another verdict than zlib's", got->ret);
	if (got->pos != want->pos)
		return soak_failed(s, "another place than zlib's", (long long)got->pos);
	if (strcmp(got->msg ? got->msg : "", want->msg ? want->msg : ""))
		return soak_failed(s, got->msg ? got->msg : "no message", want->ret);
	if (got->out.len != want->out.len)
		return soak_failed(s, "more or less bytes than zlib's",
				   (long long)(got->out.len - want->out.len));
	return soak_is(s, "bytes that zlib has", &got->out, want->out.data, want->out.len);
}

int soak_browser(struct soak *s)
{
	static const int wbits[] = { 31, 31, 15, -15 };
	size_t len = soak_length(s, 19), packed_len;
	struct reply r = { .plain = soak_text(s, len),
			   .len = len,
			   .piece = soak_below(s, 3) ? 1460 : 1 + soak_length(s, 15),
			   .wbits = wbits[soak_below(s, 4)],
			   .is_damaged = !soak_below(s, 10) };
	struct outcome got = { 0 }, want = { 0 };
	uint64_t cuts = test_random_of(&s->rng);
	int ret;

	r.piece += len / PIECES_MAX;
	soak_does(s, "a body of %zu bytes in pieces of %zu, window bits %d%s", len, r.piece,
		  r.wbits, r.is_damaged ? ", damaged" : "");
	ret = make_body(s, &r);
	packed_len = s->packed.len;
	if (!soak_below(s, 8)) /* the connection breaks */
		packed_len = soak_below(s, (unsigned int)packed_len + 1);
	else if (soak_below(s, 2)) /* something of the server's follows */
		buf_add(&s->packed, "\r\n0\r\n\r\n", 7), packed_len += 7;
	if (r.is_damaged && packed_len)
		s->packed.data[soak_below(s, (unsigned int)packed_len)] ^=
			(unsigned char)(1 + soak_below(s, 255));
	if (!ret)
		ret = read_body(s, &ours, &r, cuts, packed_len, &got);
	if (!ret)
		ret = read_body(s, &ref, &r, cuts, packed_len, &want);
	if (!ret)
		ret = compare(s, &got, &want);
	s->tally->bytes += len;
	buf_free(&got.out);
	buf_free(&want.out);
	return ret;
}
