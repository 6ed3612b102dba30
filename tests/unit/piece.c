/* SPDX-License-Identifier: Zlib */
/*
 * What wd-gzip makes of members that it has not come to: where they begin and how long they are, by their headers;
 * and what a thread makes of them. A wrong guess costs time and nothing else, so no other test sees it.
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "../../libz-wd/tools/gzip/piece.h"
#include "unit.h"

enum { MEMBERS = 40, PLAIN_MAX = 5000, BIG_LEN = 7 << 20 };

static unsigned char plain[BIG_LEN];

/* A header with these flags and the fields behind it, all of them zero but for what is told. */
static void table_of_headers(void **state)
{
	static const struct {
		const char *what;
		unsigned char flags;
		size_t fields_len; /* and so many bytes of it: */
		struct {
			size_t at;
			unsigned char byte;
		} fields[8];
		size_t len, whole_len; /* as they are to be told */
	} rows[] = {
		{ "no fields", 0, 0, { { 0 } }, 10, 0 },
		{ "text", 1, 0, { { 0 } }, 10, 0 },
		{ "checksum", 2, 2, { { 0 } }, 12, 0 },
		{ "name", 8, 4, { { 0, 'a' }, { 1, 'b' }, { 2, 'c' } }, 14, 0 },
		{ "comment", 16, 2, { { 0, 'a' } }, 12, 0 },
		{ "all of them", 31, 10, { { 0, 2 }, { 4, 'n' }, { 6, 'c' } }, 20, 0 },
		{ "extra", 4, 5, { { 0, 3 } }, 15, 0 },
		{ "long extra", 4, 2 + 0x345, { { 0, 0x45 }, { 1, 3 } }, 12 + 0x345, 0 },
		{ "BGZF", 4, 8, { { 0, 6 }, { 2, 'B' }, { 3, 'C' }, { 4, 2 }, { 6, 0x34 }, { 7, 0x12 } }, 18, 0x1235 },
		{ "behind another", 4, 2 + 4 + 0x120 + 6,
		  { { 0, 0x2a }, { 1, 1 }, { 4, 0x20 }, { 5, 1 }, { 6 + 0x120, 'B' }, { 7 + 0x120, 'C' },
		    { 8 + 0x120, 2 }, { 10 + 0x120, 99 } }, 12 + 4 + 0x120 + 6, 100 },
		{ "of another length", 4, 9, { { 0, 7 }, { 2, 'B' }, { 3, 'C' }, { 4, 3 }, { 6, 9 } }, 19, 0 },
		{ "cut short", 4, 7, { { 0, 5 }, { 2, 'B' }, { 3, 'C' }, { 4, 2 }, { 6, 9 } }, 17, 0 },
		{ "unknown flag", 32, 0, { { 0 } }, 0, 0 },
		{ "another", 128, 0, { { 0 } }, 0, 0 },
	};

	for (size_t r = 0; r < ARRAY_NR(rows); r++) {
		unsigned char data[1024] = { 0x1f, 0x8b, 8, rows[r].flags };
		size_t len = 10 + rows[r].fields_len, whole_len, got;

		for (size_t i = 0; i < ARRAY_NR(rows[r].fields) && rows[r].fields[i].byte; i++)
			data[10 + rows[r].fields[i].at] = rows[r].fields[i].byte;
		got = piece_header(data, len + 20, &whole_len);
		if (got != rows[r].len || whole_len != rows[r].whole_len)
			fail_msg("%s: header of %zu, member of %zu", rows[r].what, got, whole_len);
		/* Not there as a whole, with a byte of what follows. */
		for (size_t cut = 0; cut <= len; cut++)
			assert_int_equal(piece_header(data, cut, &whole_len), 0);
		for (size_t i = 0; i < 3; i++) {
			data[i] ^= 0x40;
			assert_int_equal(piece_header(data, len + 20, &whole_len), 0);
			assert_int_equal(whole_len, 0);
			data[i] ^= 0x40;
		}
	}
}

static void found_wherever_it_begins(void **state)
{
	unsigned char data[400];

	for (size_t at = 0; at + 4 <= sizeof(data); at++) {
		memset(data, 0x1f, sizeof(data));
		memcpy(data + at, "\x1f\x8b\x08\x04", 4);
		for (size_t from = 0; from < sizeof(data); from += 1 + from / 8)
			assert_int_equal(piece_find(data, sizeof(data), from), from <= at ? at : sizeof(data));
		assert_int_equal(piece_find(data, at + 3, 0), at + 3);
		/* With flags that nobody knows. */
		data[at + 3] = 0x20;
		assert_int_equal(piece_find(data, sizeof(data), 0), sizeof(data));
	}
}

/* Of a dynamic block, HCLEN and the lengths of the code lengths that follow it. */
static size_t put_lengths(unsigned char *to, unsigned int nr, const unsigned char *lengths)
{
	uint64_t bits = 2 << 1 | (uint64_t)(nr - 4) << 13;
	size_t len;

	memset(to, 0, 16);
	for (unsigned int i = 0; i < nr && i < 15; i++)
		bits |= (uint64_t)lengths[i] << (17 + 3 * i);
	for (len = 0; len < 8; len++)
		to[len] = (unsigned char)(bits >> 8 * len);
	for (unsigned int i = 15; i < nr; i++) {
		unsigned int bit = 17 + 3 * i;

		to[bit / 8] |= (unsigned char)(lengths[i] << bit % 8);
		to[bit / 8 + 1] |= (unsigned char)(lengths[i] << bit % 8 >> 8);
	}
	return (17 + 3 * nr + 7) / 8;
}

static void empty_codes(void **state)
{
	for (unsigned int nr = 4; nr <= 19; nr++) {
		unsigned char lengths[19] = { 0 }, data[17];
		size_t len = put_lengths(data, nr, lengths);

		assert_true(piece_has_empty_code(data, len));
		/* What follows is no part of it, and what is cut off is not known. */
		data[len] = 0xff;
		assert_true(piece_has_empty_code(data, len + 1));
		assert_false(piece_has_empty_code(data, len - 1));
		for (unsigned int i = 0; i < nr; i++)
			for (unsigned int length = 1; length < 8; length++) {
				lengths[i] = (unsigned char)length;
				len = put_lengths(data, nr, lengths);
				assert_false(piece_has_empty_code(data, len));
				lengths[i] = 0;
			}
		/* Stored and fixed blocks have none. */
		for (unsigned char type = 0; type < 4; type++) {
			len = put_lengths(data, nr, lengths);
			data[0] = (unsigned char)(type << 1);
			assert_int_equal(piece_has_empty_code(data, len), type == 2);
		}
	}
}

static size_t pack(const unsigned char *from, size_t len, int level, unsigned char *to, size_t room)
{
	z_stream strm = { .next_in = (z_const Bytef *)from, .avail_in = (uInt)len, .next_out = to,
			  .avail_out = (uInt)room };

	assert_int_equal(deflateInit2(&strm, level, Z_DEFLATED, 31, 8, Z_DEFAULT_STRATEGY), Z_OK);
	assert_int_equal(deflate(&strm, Z_FINISH), Z_STREAM_END);
	assert_int_equal(deflateEnd(&strm), Z_OK);
	return strm.total_out;
}

static size_t plain_len(unsigned int member)
{
	return member * 977 % PLAIN_MAX;
}

/* MEMBERS of them from begin on. */
static struct piece *new_piece(size_t begin)
{
	struct piece *piece = piece_new();

	assert_non_null(piece);
	memset(piece->in, 0x1f, begin);
	piece->len = begin;
	for (unsigned int i = 0; i < MEMBERS; i++)
		piece->len += pack(plain + i, plain_len(i), i % 10, piece->in + piece->len, PIECE_LEN - piece->len);
	return piece;
}

static void run(struct piece *piece, ptrdiff_t begin)
{
	assert_true(piece_give(piece, begin));
	piece_wait(piece);
	assert_int_equal(piece->state, PIECE_DONE);
}

static void check_members(const struct piece *piece, unsigned int nr)
{
	assert_int_equal(piece->member_nr, nr);
	for (unsigned int i = 0; i < nr; i++) {
		const struct member *m = &piece->members[i];

		assert_int_equal(m->out_len, plain_len(i));
		assert_memory_equal(piece->out + m->out, plain + i, m->out_len);
		assert_int_equal(m->crc, crc32(0, plain + i, (uInt)m->out_len));
		if (i)
			assert_int_equal(m->body, piece->members[i - 1].end + 10);
	}
}

static void free_piece(struct piece *piece)
{
	free(piece->in - PIECE_BACK_LEN);
	free(piece->out);
	free(piece->members);
	free(piece);
}

static void a_thread_inflates_them(void **state)
{
	static const size_t begins[] = { 0, 1, 70000 };

	for (size_t b = 0; b < ARRAY_NR(begins); b++) {
		struct piece *piece = new_piece(begins[b]);

		run(piece, (ptrdiff_t)begins[b]);
		check_members(piece, MEMBERS);
		assert_int_equal(piece->members[MEMBERS - 1].end, piece->len);
		assert_false(piece->is_full);
		/* Up to what is no member, or a broken one. */
		piece->in[piece->members[7].body - 10] = 0;
		run(piece, (ptrdiff_t)begins[b]);
		check_members(piece, 7);
		piece->in[piece->members[5].end - 1] ^= 1;
		run(piece, (ptrdiff_t)begins[b]);
		check_members(piece, 5);
		assert_false(piece->is_full);
		run(piece, (ptrdiff_t)piece->len);
		assert_int_equal(piece->member_nr, 0);
		free_piece(piece);
	}
}

/* More than it has room for is done when that was taken, and a member that never fits is not its own. */
static void as_much_as_there_is_room_for(void **state)
{
	struct piece *piece = piece_new();

	assert_non_null(piece);
	for (unsigned int i = 0; i < 3; i++)
		piece->len += pack(plain, 1 << 20, 9, piece->in + piece->len, PIECE_LEN - piece->len);
	run(piece, 0);
	assert_true(piece->is_full);
	assert_int_equal(piece->member_nr, 2);
	run(piece, (ptrdiff_t)piece->members[1].end);
	assert_int_equal(piece->member_nr, 1);
	assert_false(piece->is_full);
	memset(plain + (1 << 20), 0, sizeof(plain) - (1 << 20));
	piece->len = pack(plain, BIG_LEN, 9, piece->in, PIECE_LEN);
	run(piece, 0);
	assert_int_equal(piece->member_nr, 0);
	assert_true(piece->is_full);
	free_piece(piece);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(table_of_headers),	  cmocka_unit_test(found_wherever_it_begins),
		cmocka_unit_test(empty_codes),		  cmocka_unit_test(a_thread_inflates_them),
		cmocka_unit_test(as_much_as_there_is_room_for),
	};
	uint32_t word = 1;
	int ret;

	for (size_t i = 0; i < sizeof(plain); i++) {
		word = word * 1664525u + 1013904223u;
		plain[i] = (unsigned char)("0123456789abcdef"[word >> 28]);
	}
	ret = cmocka_run_group_tests(tests, NULL, NULL);
	piece_end();
	return ret;
}
