/* SPDX-License-Identifier: Zlib */
/* deflateSetHeader() writes what inflateGetHeader() reads, whatever the room and the steps. */
#include "config.h"
#include "helpers.h"

#define NR(array) (sizeof(array) / sizeof((array)[0]))

struct row {
	int text, os, hcrc;
	uLong time;
	size_t extra_len, name_len, comment_len;
	int has_extra, has_name, has_comment;
};

static const struct row rows[] = {
	{ 0, 3, 0, 0, 0, 0, 0, 0, 0, 0 },
	{ 1, 255, 0, 1234567890, 0, 0, 0, 0, 0, 0 },
	{ 0, 0, 1, 0xffffffff, 0, 0, 0, 0, 0, 0 },
	{ 0, 3, 0, 1, 0, 10, 0, 0, 1, 0 },
	{ 0, 3, 0, 1, 0, 0, 10, 0, 0, 1 },
	{ 0, 3, 0, 1, 6, 0, 0, 1, 0, 0 },
	{ 0, 3, 1, 1, 0, 0, 0, 1, 1, 1 },
	{ 1, 11, 1, 77, 65535, 70000, 3000, 1, 1, 1 },
	{ 1, 11, 0, 77, 300, 1, 1, 1, 1, 1 },
};

static void fill_string(unsigned char *dst, size_t len)
{
	size_t i;

	for (i = 0; i < len; i++)
		dst[i] = 'a' + i % 26;
	dst[len] = 0;
}

static unsigned char extra[65536], name[80000], comment[80000], plain[5000];

static void header_of(const struct row *row, gz_header *head)
{
	memset(head, 0, sizeof(*head));
	head->text = row->text;
	head->os = row->os;
	head->hcrc = row->hcrc;
	head->time = row->time;
	gen_fill(GEN_RANDOM, extra, sizeof(extra));
	fill_string(name, row->name_len);
	fill_string(comment, row->comment_len);
	head->extra = row->has_extra ? extra : NULL;
	head->extra_len = row->extra_len;
	head->name = row->has_name ? name : NULL;
	head->comment = row->has_comment ? comment : NULL;
}

static void write_with(const struct zlib_api *z, gz_header *head, int level, size_t room,
		       struct buf *out)
{
	z_stream strm = { .next_in = plain, .avail_in = sizeof(plain) };
	int ret;

	assert_int_equal(z->deflateInit2_(&strm, level, Z_DEFLATED, 31, 8, 0, ZLIB_VERSION,
					  (int)sizeof(strm)),
			 Z_OK);
	if (head)
		assert_int_equal(z->deflateSetHeader(&strm, head), Z_OK);
	do {
		strm.next_out = buf_room(out, room);
		strm.avail_out = room;
		ret = z->deflate(&strm, Z_FINISH);
		out->len += room - strm.avail_out;
	} while (ret == Z_OK);
	assert_int_equal(ret, Z_STREAM_END);
	assert_int_equal(strm.adler, ref.crc32(0, plain, sizeof(plain)));
	assert_int_equal(z->deflateEnd(&strm), Z_OK);
}

/* Reads the header with the given zlib and compares it with the row. */
static void read_with(const struct zlib_api *z, const struct row *row, const struct buf *packed,
		      size_t in_step)
{
	static unsigned char got_extra[65536], got_name[80000], got_comment[80000], back[6000];
	gz_header head = { .extra = got_extra,
			   .extra_max = sizeof(got_extra),
			   .name = got_name,
			   .name_max = sizeof(got_name),
			   .comment = got_comment,
			   .comm_max = sizeof(got_comment) };
	z_stream strm = { .next_out = back, .avail_out = sizeof(back) };
	size_t pos = 0;
	int ret;

	assert_int_equal(z->inflateInit2_(&strm, 31, ZLIB_VERSION, (int)sizeof(strm)), Z_OK);
	assert_int_equal(z->inflateGetHeader(&strm, &head), Z_OK);
	assert_int_equal(head.done, 0);
	do {
		size_t nr = in_step && in_step < packed->len - pos ? in_step : packed->len - pos;

		strm.next_in = packed->data + pos;
		strm.avail_in = nr;
		pos += nr;
		ret = z->inflate(&strm, Z_NO_FLUSH);
		if (!head.done) /* not a byte of data before the header is read */
			assert_int_equal(strm.total_out, 0);
	} while (ret == Z_OK);
	assert_int_equal(ret, Z_STREAM_END);
	assert_int_equal(z->inflateEnd(&strm), Z_OK);
	assert_int_equal(strm.total_out, sizeof(plain));
	assert_memory_equal(back, plain, sizeof(plain));

	assert_int_equal(head.done, 1);
	assert_int_equal(head.text, row->text);
	assert_int_equal(head.time, row->time);
	assert_int_equal(head.os, row->os);
	assert_int_equal(head.hcrc, row->hcrc);
	if (row->has_extra) {
		assert_int_equal(head.extra_len, row->extra_len);
		assert_memory_equal(got_extra, extra, row->extra_len);
	} else {
		assert_null(head.extra);
	}
	if (row->has_name)
		assert_string_equal(got_name, name);
	else
		assert_null(head.name);
	if (row->has_comment)
		assert_string_equal(got_comment, comment);
	else
		assert_null(head.comment);
}

static void written_and_read_back(void **state)
{
	static const size_t rooms[] = { 200000, 1, 13, 4096 }, steps[] = { 0, 1, 7, 5000 };
	size_t r, i;

	gen_fill(GEN_TEXT, plain, sizeof(plain));
	for (r = 0; r < NR(rows); r++)
		for (i = 0; i < NR(rooms); i++) {
			struct buf out = { 0 }, want = { 0 };
			gz_header head;

			header_of(&rows[r], &head);
			write_with(&ours, &head, 6, rooms[i], &out);
			read_with(&ref, &rows[r], &out, 0);
			write_with(&ref, &head, 6, rooms[i], &want);
			read_with(&ours, &rows[r], &want, steps[i]);
			if (test_mode == MODE_SOFT) {
				assert_int_equal(out.len, want.len);
				assert_memory_equal(out.data, want.data, out.len);
			}
			/* The header itself is the same in every mode, with all its ten bytes. */
			assert_memory_equal(out.data, want.data, 10);
			buf_free(&out);
			buf_free(&want);
		}
}

/* Nobody asked for a header: zlib's default one, level mark and system included. */
static void default_headers(void **state)
{
	static const int wbits[] = { 31, 25, 15, 9, 12 };
	size_t w;
	int level, strategy;

	gen_fill(GEN_TEXT, plain, sizeof(plain));
	for (w = 0; w < NR(wbits); w++)
		for (level = -1; level <= 9; level++)
			for (strategy = 0; strategy <= Z_FIXED; strategy++) {
				struct buf out = { 0 }, want = { 0 };

				deflate_all(&ours, wbits[w], level, strategy, plain, sizeof(plain),
					    &out);
				deflate_all(&ref, wbits[w], level, strategy, plain, sizeof(plain),
					    &want);
				assert_memory_equal(out.data, want.data, wbits[w] > 15 ? 10 : 2);
				buf_free(&out);
				buf_free(&want);
			}
}

static void refused_where_zlib_refuses(void **state)
{
	gz_header head = { 0 };
	z_stream strm = { 0 };

	assert_int_equal(deflateInit2(&strm, 6, Z_DEFLATED, 15, 8, 0), Z_OK);
	assert_int_equal(ours.deflateSetHeader(&strm, &head), Z_STREAM_ERROR);
	assert_int_equal(ours.deflateEnd(&strm), Z_OK);
	assert_int_equal(deflateInit2(&strm, 6, Z_DEFLATED, -15, 8, 0), Z_OK);
	assert_int_equal(ours.deflateSetHeader(&strm, &head), Z_STREAM_ERROR);
	assert_int_equal(ours.deflateEnd(&strm), Z_OK);
	assert_int_equal(inflateInit2(&strm, -15), Z_OK);
	assert_int_equal(ours.inflateGetHeader(&strm, &head), Z_STREAM_ERROR);
	assert_int_equal(ours.inflateEnd(&strm), Z_OK);
	/* zlib reads no gzip here, so there is no header to wait for. */
	assert_int_equal(inflateInit2(&strm, 15), Z_OK);
	assert_int_equal(ours.inflateGetHeader(&strm, &head), Z_STREAM_ERROR);
	assert_int_equal(ours.inflateEnd(&strm), Z_OK);
}

/* Room for less than what the file has: the beginning, not a byte beyond, and the true length. */
static void short_space_when_reading(void **state)
{
	unsigned char got_extra[12], got_name[12], got_comment[12], back[6000];
	gz_header head, got = { .extra = got_extra,
				.extra_max = 10,
				.name = got_name,
				.name_max = 10,
				.comment = got_comment,
				.comm_max = 10 };
	struct buf packed = { 0 };
	z_stream strm = { 0 };

	gen_fill(GEN_TEXT, plain, sizeof(plain));
	memset(got_extra, '#', sizeof(got_extra));
	memset(got_name, '#', sizeof(got_name));
	memset(got_comment, '#', sizeof(got_comment));
	header_of(&rows[7], &head);
	write_with(&ref, &head, 6, 200000, &packed);
	assert_int_equal(inflateInit2(&strm, 47), Z_OK);
	assert_int_equal(ours.inflateGetHeader(&strm, &got), Z_OK);
	strm.next_in = packed.data;
	strm.avail_in = packed.len;
	strm.next_out = back;
	strm.avail_out = sizeof(back);
	assert_int_equal(ours.inflate(&strm, Z_FINISH), Z_STREAM_END);
	assert_int_equal(got.done, 1);
	assert_int_equal(got.extra_len, 65535);
	assert_memory_equal(got_extra, extra, 10);
	assert_memory_equal(got_name, name, 10);
	assert_memory_equal(got_comment, comment, 10);
	assert_memory_equal(got_extra + 10, "##", 2);
	assert_memory_equal(got_name + 10, "##", 2);
	assert_memory_equal(got_comment + 10, "##", 2);
	assert_int_equal(ours.inflateEnd(&strm), Z_OK);
	buf_free(&packed);
}

/* Progress is seen while it is read: done is 0, then 1; -1 for a zlib stream. */
static void done_says_how_far(void **state)
{
	unsigned char back[6000], got_name[80000];
	gz_header head, got = { .name = got_name, .name_max = sizeof(got_name) };
	struct buf packed = { 0 };
	z_stream strm = { 0 };
	size_t i;

	gen_fill(GEN_TEXT, plain, sizeof(plain));
	header_of(&rows[3], &head);
	write_with(&ref, &head, 6, 200000, &packed);
	assert_int_equal(inflateInit2(&strm, 47), Z_OK);
	assert_int_equal(ours.inflateGetHeader(&strm, &got), Z_OK);
	strm.next_out = back;
	strm.avail_out = sizeof(back);
	strm.next_in = packed.data;
	for (i = 0; i < 10 + rows[3].name_len + 1; i++) {
		assert_int_equal(got.done, 0);
		strm.avail_in = 1;
		assert_int_equal(ours.inflate(&strm, Z_NO_FLUSH), Z_OK);
	}
	strm.avail_in = 1; /* the first byte behind it at the latest */
	assert_int_equal(ours.inflate(&strm, Z_NO_FLUSH), Z_OK);
	assert_int_equal(got.done, 1);
	assert_string_equal(got_name, name);
	assert_int_equal(ours.inflateEnd(&strm), Z_OK);

	packed.len = 0;
	deflate_all(&ref, 15, 6, 0, plain, sizeof(plain), &packed);
	assert_int_equal(inflateInit2(&strm, 47), Z_OK);
	assert_int_equal(ours.inflateGetHeader(&strm, &got), Z_OK);
	strm.next_in = packed.data;
	strm.avail_in = packed.len;
	strm.next_out = back;
	strm.avail_out = sizeof(back);
	assert_int_equal(ours.inflate(&strm, Z_FINISH), Z_STREAM_END);
	assert_int_equal(got.done, -1);
	assert_int_equal(ours.inflateEnd(&strm), Z_OK);
	buf_free(&packed);
}

/* Behind the header there is none to come, whoever has the body; and a zlib stream has none. */
static void asked_for_too_late(void **state)
{
	static const int wbits[] = { 31, 15 };

	gen_fill(GEN_TEXT, plain, sizeof(plain));
	for (size_t w = 0; w < 2; w++) {
		const struct zlib_api *const apis[] = { &ours, &ref };
		struct buf packed = { 0 };
		int ret[2], done[2];

		deflate_all(&ref, wbits[w], 6, 0, plain, sizeof(plain), &packed);
		for (size_t i = 0; i < 2; i++) {
			unsigned char back[6000];
			gz_header head = { .done = 7 };
			z_stream strm = { .next_in = packed.data, .avail_in = packed.len / 2 };

			assert_int_equal(apis[i]->inflateInit2_(&strm, wbits[w], ZLIB_VERSION, (int)sizeof(strm)),
					 Z_OK);
			strm.next_out = back;
			strm.avail_out = sizeof(back);
			assert_int_equal(apis[i]->inflate(&strm, Z_NO_FLUSH), Z_OK);
			ret[i] = apis[i]->inflateGetHeader(&strm, &head);
			done[i] = head.done;
			strm.avail_in += packed.len - packed.len / 2;
			assert_int_equal(apis[i]->inflate(&strm, Z_NO_FLUSH), Z_STREAM_END);
			assert_int_equal(head.done, done[i]);
			assert_int_equal(apis[i]->inflateEnd(&strm), Z_OK);
		}
		assert_int_equal(ret[0], ret[1]);
		assert_int_equal(done[0], done[1]);
		buf_free(&packed);
	}
}

TEST_MAIN(60, cmocka_unit_test(written_and_read_back), cmocka_unit_test(default_headers),
	  cmocka_unit_test(refused_where_zlib_refuses), cmocka_unit_test(short_space_when_reading),
	  cmocka_unit_test(done_says_how_far), cmocka_unit_test(asked_for_too_late))
