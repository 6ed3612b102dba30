/* SPDX-License-Identifier: Zlib */
/* libpng: a stream kept from image to image, a row a call, parameters that change, a window that
 * fits. */
#include "config.h"
#include "soak.h"

enum { CHUNK_LEN = 8192 };

struct image {
	size_t row_len, rows_nr;
	const unsigned char *plain;
	int level, strategy, wbits;
};

static void draw_image(struct soak *s, struct image *i)
{
	size_t len;

	i->row_len = 1 + (1 + soak_below(s, 1200)) * (3 + soak_below(s, 2));
	i->rows_nr = 1 + soak_below(s, soak_below(s, 4) ? 40 : 400);
	len = i->row_len * i->rows_nr;
	i->plain = soak_text(s, len);
	i->level = soak_below(s, 3) ? 6 : 1 + (int)soak_below(s, 9);
	i->strategy = soak_below(s, 2) ? Z_FILTERED : Z_DEFAULT_STRATEGY;
	i->wbits = 15;
	while (i->wbits > 9 && len <= 16384 && len + 262 <= (size_t)1 << (i->wbits - 1))
		i->wbits--;
}

static int write_rows(struct soak *s, z_stream *strm, const struct image *i)
{
	int ret = Z_OK, params = !soak_below(s, 6), every = (int)soak_below(s, 30) - 20;

	for (size_t row = 0; row < i->rows_nr && !ret; row++) {
		int flush = row + 1 == i->rows_nr ? Z_FINISH : Z_NO_FLUSH;

		if (every > 0 && !(row % (size_t)every) && flush == Z_NO_FLUSH)
			flush = Z_SYNC_FLUSH;
		if (params && row == i->rows_nr / 2) {
			strm->avail_in = 0;
			do {
				strm->next_out = buf_room(&s->packed, CHUNK_LEN);
				strm->avail_out = CHUNK_LEN;
				ret = ours.deflateParams(strm, i->level % 9 + 1,
							 Z_DEFAULT_STRATEGY);
				s->packed.len += CHUNK_LEN - strm->avail_out;
			} while (ret == Z_BUF_ERROR && !strm->avail_out);
			if (ret && ret != Z_BUF_ERROR)
				return soak_failed(s, "deflateParams", ret);
		}
		ret = soak_feed(s, strm, i->plain + row * i->row_len, i->row_len, flush, CHUNK_LEN,
				&s->packed);
	}
	return ret == Z_STREAM_END ? 0 : soak_failed(s, "deflate", ret);
}

static int read_rows(struct soak *s, z_stream *strm, const struct image *i)
{
	unsigned char *row = buf_room(&s->back, i->row_len);
	size_t pos = 0, chunk = 1 + soak_below(s, CHUNK_LEN);
	int ret = Z_OK;

	for (size_t nr = 0; nr < i->rows_nr; nr++) {
		strm->next_out = row;
		strm->avail_out = (uInt)i->row_len;
		do {
			if (!strm->avail_in) {
				size_t left = s->packed.len - pos;

				strm->next_in = s->packed.data + pos;
				strm->avail_in = (uInt)(left < chunk ? left : chunk);
				pos += strm->avail_in;
			}
			ret = soak_inflate(s, strm, Z_NO_FLUSH);
		} while ((ret == Z_OK || (ret == Z_BUF_ERROR && pos < s->packed.len)) &&
			 strm->avail_out);
		if (strm->avail_out || memcmp(row, i->plain + nr * i->row_len, i->row_len))
			return soak_failed(s, "a row", ret);
	}
	/* The end may come with the last row or after it. */
	while (ret == Z_OK || (ret == Z_BUF_ERROR && pos < s->packed.len)) {
		strm->next_out = row;
		strm->avail_out = 1;
		if (!strm->avail_in) {
			strm->next_in = s->packed.data + pos;
			strm->avail_in = (uInt)(s->packed.len - pos);
			pos = s->packed.len;
		}
		ret = soak_inflate(s, strm, Z_NO_FLUSH);
	}
	return ret == Z_STREAM_END && !strm->avail_in
		       ? 0
		       : soak_failed(s, "inflate after the rows", ret);
}

int soak_png(struct soak *s)
{
	struct image image, last = { 0 };
	z_stream strm = { 0 }, back = { 0 };
	unsigned int images_nr = 1 + soak_below(s, 4);
	int ret = soak_open_inflate(s, &back, 15);

	for (unsigned int i = 0; i < images_nr && !ret; i++) {
		draw_image(s, &image);
		soak_does(s,
			  "an image of %zu rows of %zu bytes, level %d strategy %d window bits %d",
			  image.rows_nr, image.row_len, image.level, image.strategy, image.wbits);
		if (i && (soak_below(s, 2) || last.wbits == image.wbits)) {
			ret = ours.deflateReset(&strm);
			image.wbits = last.wbits;
		} else {
			if (i)
				ours.deflateEnd(&strm);
			ret = soak_open_deflate(s, &strm, image.level, image.wbits,
						8 + (int)soak_below(s, 2), image.strategy);
		}
		last = image;
		s->packed.len = 0;
		back.avail_in = 0;
		if (!ret)
			ret = write_rows(s, &strm, &image);
		if (!ret)
			ret = soak_unpacks(s, 15, s->packed.data, s->packed.len, image.plain,
					   image.row_len * image.rows_nr);
		if (!ret)
			ret = ours.inflateReset2(&back, soak_below(s, 2) ? 0 : 15);
		if (!ret)
			ret = read_rows(s, &back, &image);
		s->tally->bytes += image.row_len * image.rows_nr;
	}
	if (!ret)
		ret = ours.deflateEnd(&strm) | ours.inflateEnd(&back);
	return ret ? soak_failed(s, "reset or end", ret) : 0;
}
