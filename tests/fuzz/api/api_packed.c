/* SPDX-License-Identifier: Zlib */
/* Streams to decompress, and what may have happened to them. */
#include "config.h"
#include "api.h"

/* A stream of the stock zlib's: segments, each with parameters of its own. */
void packed_make(struct runner *r, struct buf *out, int *wbits)
{
	static const int kinds[] = { 15, 31, -15, 15, 31, -15, 15, 31, 12, 9, -12, 28 };
	static const int flushes[] = { Z_NO_FLUSH, Z_SYNC_FLUSH,    Z_FULL_FLUSH,
				       Z_BLOCK,	   Z_PARTIAL_FLUSH, Z_FULL_FLUSH };
	unsigned int how = in_byte(&r->in), nr = 1 + in_below(&r->in, 12);
	struct alloc *alloc;
	z_stream s = { 0 };
	size_t len;

	*wbits = kinds[how % 12];
	alloc = alloc_new(&s, false, 0);
	check(!stock.deflateInit2_(&s, how / 12 % 2 ? 6 : 1, Z_DEFLATED, *wbits, 8,
				   how / 24 % 8 ? 0 : 1 + how % 4, ZLIB_VERSION, (int)sizeof(s)),
	      "broken test");
	for (unsigned int n = 0; n < nr; n++) {
		bool is_last = n + 1 == nr;

		len = in_size(&r->in, 700000);
		if (len > r->settings->work_most / 2)
			len = r->settings->work_most / 2;
		r->work += len / 4;
		s.next_in = (z_const Bytef *)in_text(&r->in, len);
		s.avail_in = (uInt)len;
		s.avail_out = (uInt)(len + len / 8 + 200000);
		s.next_out = buf_room(out, s.avail_out);
		len = s.avail_out;
		stock.deflate(&s, is_last ? Z_FINISH : flushes[in_below(&r->in, 6)]);
		out->len += len - s.avail_out;
		check(!s.avail_in, "broken test: no room");
		if (!is_last && in_byte(&r->in) % 8 == 0) {
			s.avail_out = 2000;
			s.next_out = buf_room(out, s.avail_out);
			stock.deflateParams(&s, (int)in_below(&r->in, 10), 0);
			out->len += 2000 - s.avail_out;
		}
	}
	stock.deflateEnd(&s);
	alloc_put(alloc);
}

void packed_damage(struct runner *r, struct buf *b)
{
	unsigned int kind = in_byte(&r->in);
	size_t at, nr = 1 + in_byte(&r->in) % 32u;

	if (!b->len)
		return;
	at = in_byte(&r->in) % 4 == 0 ? in_size(&r->in, b->len - 1)
				      : (size_t)in_byte(&r->in) * b->len / 256;
	if (kind % 8 == 7)
		at = b->len - 1 - (nr < b->len - 1 ? nr : b->len - 1);
	switch (kind / 8 % 6) {
	case 0:
		b->data[at] ^= (unsigned char)(1u << nr % 8);
		break;
	case 1:
		b->data[at] = (unsigned char)in_byte(&r->in);
		break;
	case 2:
		b->len = at;
		break;
	case 3:
		nr = nr < b->len - at ? nr : b->len - at;
		memmove(b->data + at, b->data + at + nr, b->len - at - nr);
		b->len -= nr;
		break;
	case 4:
		for (size_t n = 0; n < nr; n++)
			b->data[(at + n * 7919) % b->len] ^= (unsigned char)(1u << n % 8);
		break;
	default:
		memset(b->data + at, 0, nr < b->len - at ? nr : b->len - at);
	}
}
