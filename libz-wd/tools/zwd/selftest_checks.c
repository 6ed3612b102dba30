/* SPDX-License-Identifier: Zlib */
/* What zlib.h promises, a check each. Values are told where they are others than they should be. */
#include "config.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "tools/zwd/selftest_calls.h"
#include "tools/zwd/selftest_checks.h"

static void versions(const struct replay_lib *lib, char *words)
{
	uLong flags = lib->zlibCompileFlags ? lib->zlibCompileFlags() : 0;

	WANT(lib->zlibVersion()[0] == ZLIB_VERSION[0], "version %s", lib->zlibVersion());
	WANT((flags & 0xff) == (1 | 2 << 2 | 2 << 4 | 2 << 6), "sizes of types 0x%lx",
	     flags & 0xff);
}

static void round_trips(const struct replay_lib *lib, char *words)
{
	static const int formats[] = { 15, 31, -15, 9, 12, -10, 27 };
	static const uInt sizes[] = { 0, 1, 100, 32768, 65537, PLAIN_LEN };
	z_stream s;

	for (int level = -1; level <= 9; level++)
		for (size_t f = 0; f < sizeof(formats) / sizeof(formats[0]); f++) {
			uInt len = sizes[(f + (size_t)level + 1) % 6];

			SAYS(Z_OK, open_deflate(lib, &s, level, formats[f]));
			s.avail_in = len;
			SAYS(Z_STREAM_END, lib->deflate(&s, Z_FINISH));
			SAYS(Z_OK, lib->deflateEnd(&s));
			check_packed(lib, formats[f], s.total_out, len, words);
			if (*words)
				return;
		}
}

static void flushes(const struct replay_lib *lib, char *words)
{
	static const int kinds[] = { Z_SYNC_FLUSH, Z_FULL_FLUSH, Z_PARTIAL_FLUSH };
	z_stream s, d;

	SAYS(Z_OK, open_deflate(lib, &s, 6, -15));
	SAYS(Z_OK, open_inflate(lib, &d, -15, 0));
	for (uInt i = 0; i < 30; i++) {
		uInt len = 1 + i * 331;

		s.avail_in = len;
		SAYS(Z_OK, lib->deflate(&s, kinds[i % 3]));
		WANT(!s.avail_in && s.avail_out, "flush %d leaves %u bytes", kinds[i % 3],
		     s.avail_in);
		if (i % 3 != 2)
			WANT(!memcmp(s.next_out - 4, "\0\0\377\377", 4), "flush %d has no marker",
			     kinds[i % 3]);
		d.avail_in = (uInt)(s.total_out - d.total_in);
		SAYS(Z_OK, lib->inflate(&d, Z_SYNC_FLUSH));
		WANT(d.total_out == s.total_in, "after flush %d %lu of %lu bytes come back",
		     kinds[i % 3], d.total_out, s.total_in);
	}
	SAYS(Z_STREAM_END, lib->deflate(&s, Z_FINISH));
	SAYS(Z_OK, lib->deflateEnd(&s));
	SAYS(Z_OK, lib->inflateEnd(&d));
	check_packed(lib, -15, s.total_out, s.total_in, words);
}

/* Input and room in pieces of this size. */
static void in_pieces(const struct replay_lib *lib, uInt piece, uInt len, char *words)
{
	z_stream s;
	int ret = Z_OK;

	SAYS(Z_OK, open_deflate(lib, &s, 6, 31));
	s.avail_out = 0;
	for (unsigned int calls = 0; ret == Z_OK || ret == Z_BUF_ERROR; calls++) {
		WANT(calls < 4 * len + 100000, "deflate() comes to no end");
		if (!s.avail_out)
			s.avail_out = piece;
		if (!s.avail_in && s.total_in < len)
			s.avail_in =
				len - (uInt)s.total_in < piece ? len - (uInt)s.total_in : piece;
		ret = lib->deflate(&s, s.total_in + s.avail_in < len ? Z_NO_FLUSH : Z_FINISH);
	}
	WANT(ret == Z_STREAM_END, "deflate(): %d", ret);
	SAYS(Z_OK, lib->deflateEnd(&s));
	check_packed(lib, 47, s.total_out, len, words);
	if (*words)
		return;
	len = (uInt)s.total_out;
	SAYS(Z_OK, open_inflate(lib, &s, 47, 0));
	s.avail_out = 0;
	for (ret = Z_OK; ret == Z_OK || ret == Z_BUF_ERROR;) {
		if (!s.avail_out)
			s.avail_out = piece;
		if (!s.avail_in && s.total_in < len)
			s.avail_in =
				len - (uInt)s.total_in < piece ? len - (uInt)s.total_in : piece;
		WANT(s.avail_in || ret == Z_OK, "inflate() wants more than there is");
		ret = lib->inflate(&s, Z_NO_FLUSH);
	}
	WANT(ret == Z_STREAM_END && s.total_in == len, "inflate(): %d after %lu of %u bytes", ret,
	     s.total_in, len);
	SAYS(Z_OK, lib->inflateEnd(&s));
}

static void cuts(const struct replay_lib *lib, char *words)
{
	static const uInt pieces[] = { 7, 4096, 65536, 100001 };

	for (size_t i = 0; i < 4 && !*words; i++)
		in_pieces(lib, pieces[i], i ? PLAIN_LEN : 20000, words);
}

static void one_byte(const struct replay_lib *lib, char *words)
{
	in_pieces(lib, 1, 3000, words);
}

static void dictionaries(const struct replay_lib *lib, char *words)
{
	uLong id = lib->adler32(lib->adler32(0, NULL, 0), plain, 1000);
	uInt len = 0;
	z_stream s;

	SAYS(Z_OK, open_deflate(lib, &s, 6, 15));
	SAYS(Z_OK, lib->deflateSetDictionary(&s, plain, 1000));
	WANT(s.adler == id, "adler %08lx, not the dictionary's %08lx", s.adler, id);
	s.avail_in = 20000;
	SAYS(Z_STREAM_END, lib->deflate(&s, Z_FINISH));
	SAYS(Z_OK, lib->deflateEnd(&s));
	SAYS(Z_OK, open_inflate(lib, &s, 15, s.total_out));
	SAYS(Z_NEED_DICT, lib->inflate(&s, Z_NO_FLUSH));
	WANT(s.adler == id, "adler %08lx, not the dictionary's %08lx", s.adler, id);
	SAYS(Z_DATA_ERROR, lib->inflateSetDictionary(&s, plain + 1, 1000));
	SAYS(Z_OK, lib->inflateSetDictionary(&s, plain, 1000));
	SAYS(Z_OK, lib->inflateGetDictionary(&s, again, &len));
	WANT(len == 1000 && !memcmp(again, plain, 1000),
	     "inflateGetDictionary() has another one, of %u bytes", len);
	SAYS(Z_STREAM_END, lib->inflate(&s, Z_NO_FLUSH));
	WANT(s.total_out == 20000 && !memcmp(again, plain, 20000), "other bytes come back");
	SAYS(Z_OK, lib->inflateEnd(&s));
}

static void bounds(const struct replay_lib *lib, char *words)
{
	static const int formats[] = { 15, 31, -15 };
	z_stream s;

	for (uInt len = 0, i = 0; len < 40000; len += 1 + len / 3, i++) {
		uLong bound, made = lib->compressBound(len);

		WANT(made >= len, "compressBound(%u) is %lu", len, made);
		SAYS(Z_OK, lib->compress2(packed, &made, plain + 100000, len, 1 + (int)(i % 9)));
		SAYS(Z_OK, open_deflate(lib, &s, 1 + (int)(i % 9), formats[i % 3]));
		bound = lib->deflateBound(&s, len);
		s.next_in = plain + 100000;
		s.avail_in = len;
		s.avail_out = (uInt)bound;
		WANT(lib->deflate(&s, Z_FINISH) == Z_STREAM_END,
		     "deflateBound(%u) is %lu, which is too short", len, bound);
		SAYS(Z_OK, lib->deflateEnd(&s));
	}
}

static void errors(const struct replay_lib *lib, char *words)
{
	z_stream s = { 0 };
	uLong made = PACKED_LEN, len, back = AGAIN_LEN;

	SAYS(Z_VERSION_ERROR, lib->deflateInit_(&s, 6, "0", sizeof(s)));
	SAYS(Z_VERSION_ERROR, lib->inflateInit_(&s, ZLIB_VERSION, sizeof(s) - 1));
	SAYS(Z_STREAM_ERROR, lib->deflateInit_(&s, 10, ZLIB_VERSION, sizeof(s)));
	SAYS(Z_STREAM_ERROR, lib->inflateInit2_(&s, 99, ZLIB_VERSION, sizeof(s)));
	SAYS(Z_STREAM_ERROR, lib->deflate(NULL, Z_FINISH));
	SAYS(Z_STREAM_ERROR, lib->inflateEnd(NULL));
	SAYS(Z_OK, open_deflate(lib, &s, 6, 15));
	SAYS(Z_STREAM_ERROR, lib->deflate(&s, 77));
	SAYS(Z_OK, lib->deflate(&s, Z_SYNC_FLUSH));
	SAYS(Z_BUF_ERROR, lib->deflate(&s, Z_SYNC_FLUSH));
	s.avail_in = 10;
	SAYS(Z_OK, lib->deflate(&s, Z_NO_FLUSH));
	SAYS(Z_DATA_ERROR, lib->deflateEnd(&s));
	SAYS(Z_OK, lib->compress2(packed, &made, plain, PLAIN_LEN, 6));
	/* Each of these is found at its place. */
	len = made - 1;
	SAYS(Z_DATA_ERROR, lib->uncompress2(again, &back, packed, &len));
	back = PLAIN_LEN - 1;
	len = made;
	SAYS(Z_BUF_ERROR, lib->uncompress2(again, &back, packed, &len));
	packed[made - 1] ^= 1;
	SAYS(Z_OK, open_inflate(lib, &s, 15, made));
	SAYS(Z_DATA_ERROR, lib->inflate(&s, Z_NO_FLUSH));
	WANT(s.msg && !strcmp(s.msg, "incorrect data check"), "msg is %s", s.msg ? s.msg : "NULL");
	SAYS(Z_OK, lib->inflateEnd(&s));
	packed[made - 1] ^= 1;
	packed[0] = 0x79;
	SAYS(Z_OK, open_inflate(lib, &s, 15, made));
	SAYS(Z_DATA_ERROR, lib->inflate(&s, Z_NO_FLUSH));
	WANT(s.msg && !strcmp(s.msg, "incorrect header check"), "msg is %s",
	     s.msg ? s.msg : "NULL");
	SAYS(Z_OK, lib->inflateEnd(&s));
	SAYS(Z_OK, open_inflate(lib, &s, 15, 0));
	SAYS(Z_BUF_ERROR, lib->inflate(&s, Z_NO_FLUSH));
	SAYS(Z_OK, lib->inflateEnd(&s));
}

static void gz_headers(const struct replay_lib *lib, char *words)
{
	Bytef name[32] = "a name", comment[32] = "a comment", extra[4] = { 'x', 'y', 0, 0 };
	gz_header to = { .text = 1,
			 .time = 1234567890,
			 .os = 3,
			 .extra = extra,
			 .extra_len = 4,
			 .name = name,
			 .comment = comment,
			 .hcrc = 1 };
	Bytef got_name[32], got_comment[32], got_extra[8];
	gz_header from = { .extra = got_extra,
			   .extra_max = 8,
			   .name = got_name,
			   .name_max = 32,
			   .comment = got_comment,
			   .comm_max = 32 };
	z_stream s;

	SAYS(Z_OK, open_deflate(lib, &s, 6, 31));
	SAYS(Z_OK, lib->deflateSetHeader(&s, &to));
	s.avail_in = 5000;
	SAYS(Z_STREAM_END, lib->deflate(&s, Z_FINISH));
	SAYS(Z_OK, lib->deflateEnd(&s));
	SAYS(Z_OK, open_inflate(lib, &s, 31, s.total_out));
	SAYS(Z_OK, lib->inflateGetHeader(&s, &from));
	SAYS(Z_STREAM_END, lib->inflate(&s, Z_NO_FLUSH));
	SAYS(Z_OK, lib->inflateEnd(&s));
	WANT(from.done == 1 && from.text == 1 && from.time == 1234567890 && from.os == 3 &&
		     from.hcrc,
	     "done %d, text %d, time %lu, os %d, hcrc %d", from.done, from.text, from.time, from.os,
	     from.hcrc);
	WANT(!strcmp((char *)got_name, "a name") && !strcmp((char *)got_comment, "a comment") &&
		     from.extra_len == 4 && !memcmp(got_extra, extra, 4),
	     "other texts");
}

static unsigned int give(void *desc, z_const unsigned char **data)
{
	uLong *left = desc, len = *left < 1000 ? *left : 1000;

	*data = packed + (left[1] - *left);
	*left -= len;
	return (unsigned int)len;
}

static int take(void *desc, unsigned char *data, unsigned int len)
{
	uLong *made = desc;

	if (*made + len > PLAIN_LEN || memcmp(plain + *made, data, len))
		return 1;
	*made += len;
	return 0;
}

static void back(const struct replay_lib *lib, char *words)
{
	static unsigned char window[32768];
	uLong left[2], made = 0;
	z_stream s;

	SAYS(Z_OK, open_deflate(lib, &s, 6, -15));
	s.avail_in = PLAIN_LEN;
	SAYS(Z_STREAM_END, lib->deflate(&s, Z_FINISH));
	SAYS(Z_OK, lib->deflateEnd(&s));
	left[0] = left[1] = s.total_out;
	s = (z_stream){ 0 };
	SAYS(Z_OK, lib->inflateBackInit_(&s, 15, window, ZLIB_VERSION, sizeof(s)));
	SAYS(Z_STREAM_END, lib->inflateBack(&s, give, left, take, &made));
	SAYS(Z_OK, lib->inflateBackEnd(&s));
	WANT(made == PLAIN_LEN, "%lu bytes, not %u", made, PLAIN_LEN);
}

static void syncs(const struct replay_lib *lib, char *words)
{
	uLong middle;
	z_stream s;

	SAYS(Z_OK, open_deflate(lib, &s, 6, 15));
	s.avail_in = 50000;
	SAYS(Z_OK, lib->deflate(&s, Z_FULL_FLUSH));
	middle = s.total_out;
	s.avail_in = 20000;
	SAYS(Z_STREAM_END, lib->deflate(&s, Z_FINISH));
	SAYS(Z_OK, lib->deflateEnd(&s));
	memset(packed + 2, 0xff, 3);
	SAYS(Z_OK, open_inflate(lib, &s, 15, s.total_out));
	SAYS(Z_DATA_ERROR, lib->inflate(&s, Z_NO_FLUSH));
	SAYS(Z_OK, lib->inflateSync(&s));
	WANT(s.total_in <= middle, "inflateSync() stops after %lu bytes, the flush point is at %lu",
	     s.total_in, middle);
	s.next_out = again;
	s.avail_out = AGAIN_LEN;
	lib->inflate(&s, Z_NO_FLUSH);
	WANT(s.next_out - again == 20000 && !memcmp(again, plain + 50000, 20000),
	     "%ld bytes are recovered, not 20000", (long)(s.next_out - again));
	lib->inflateEnd(&s);
}

static void copies(const struct replay_lib *lib, char *words)
{
	z_stream s, copy;
	uLong len;

	SAYS(Z_OK, open_deflate(lib, &s, 6, 15));
	s.avail_in = 100000;
	SAYS(Z_OK, lib->deflate(&s, Z_NO_FLUSH));
	SAYS(Z_OK, lib->deflateCopy(&copy, &s));
	lib->deflateEnd(&s);
	copy.avail_in = PLAIN_LEN - 100000;
	SAYS(Z_STREAM_END, lib->deflate(&copy, Z_FINISH));
	SAYS(Z_OK, lib->deflateEnd(&copy));
	len = copy.total_out;
	check_packed(lib, 15, len, PLAIN_LEN, words);
	if (*words)
		return;
	SAYS(Z_OK, open_inflate(lib, &s, 15, len));
	s.avail_out = 70000;
	SAYS(Z_OK, lib->inflate(&s, Z_NO_FLUSH));
	SAYS(Z_OK, lib->inflateCopy(&copy, &s));
	SAYS(Z_OK, lib->inflateEnd(&s));
	copy.avail_out = AGAIN_LEN - 70000;
	SAYS(Z_STREAM_END, lib->inflate(&copy, Z_NO_FLUSH));
	SAYS(Z_OK, lib->inflateEnd(&copy));
	WANT(copy.total_out == PLAIN_LEN && !memcmp(again, plain, PLAIN_LEN),
	     "other bytes come back");
}

static void primes(const struct replay_lib *lib, char *words)
{
	z_stream s;
	uLong len;

	/* An empty stored block, but for its last bytes, then the stream. */
	SAYS(Z_OK, open_deflate(lib, &s, 6, -15));
	SAYS(Z_OK, lib->deflatePrime(&s, 10, 2)); /* an empty fixed block */
	s.avail_in = 1000;
	SAYS(Z_STREAM_END, lib->deflate(&s, Z_FINISH));
	SAYS(Z_OK, lib->deflateEnd(&s));
	len = s.total_out;
	check_packed(lib, -15, len, 1000, words);
	if (*words)
		return;
	SAYS(Z_OK, open_inflate(lib, &s, -15, len));
	SAYS(Z_OK, lib->inflatePrime(&s, 8, packed[0]));
	s.next_in++;
	s.avail_in--;
	SAYS(Z_STREAM_END, lib->inflate(&s, Z_NO_FLUSH));
	WANT(s.total_out == 1000 && !memcmp(again, plain, 1000), "other bytes come back");
	SAYS(Z_OK, lib->inflateEnd(&s));
}

static void params(const struct replay_lib *lib, char *words)
{
	static const int levels[] = { 1, 9, 0, 6, 3 },
			 strategies[] = { 0, Z_FILTERED, 0, Z_HUFFMAN_ONLY, Z_RLE };
	z_stream s;

	SAYS(Z_OK, open_deflate(lib, &s, 6, 15));
	for (int i = 0; i < 5; i++) {
		s.avail_in = 40000;
		SAYS(Z_OK, lib->deflate(&s, Z_NO_FLUSH));
		SAYS(Z_OK, lib->deflateParams(&s, levels[i], strategies[i]));
	}
	SAYS(Z_STREAM_END, lib->deflate(&s, Z_FINISH));
	SAYS(Z_OK, lib->deflateEnd(&s));
	check_packed(lib, 15, s.total_out, 200000, words);
}

static void resets(const struct replay_lib *lib, char *words)
{
	z_stream s;

	SAYS(Z_OK, open_deflate(lib, &s, 6, 15));
	for (uInt i = 0; i < 4; i++) {
		s.next_in = plain;
		s.next_out = packed;
		s.avail_out = PACKED_LEN;
		s.avail_in = 100000 >> 3 * i;
		SAYS(Z_STREAM_END, lib->deflate(&s, Z_FINISH));
		check_packed(lib, 15, s.total_out, s.total_in, words);
		if (*words)
			return;
		SAYS(Z_OK, lib->deflateReset(&s));
		WANT(!s.total_in && !s.total_out, "totals %lu and %lu after a reset", s.total_in,
		     s.total_out);
	}
	SAYS(Z_OK, lib->deflateEnd(&s));
}

static void checksums(const struct replay_lib *lib, char *words)
{
	uLong a = lib->crc32(0, (const Bytef *)"123456789", 9),
	      b = lib->adler32(1, (const Bytef *)"123456789", 9), whole, joined;

	WANT(a == 0xcbf43926, "CRC-32 of 123456789 is %08lx", a);
	WANT(b == 0x091e01de, "Adler-32 of 123456789 is %08lx", b);
	for (uInt at = 0; at < PLAIN_LEN; at += 33333) {
		whole = lib->crc32(0, plain, PLAIN_LEN);
		joined = lib->crc32_combine(lib->crc32(0, plain, at),
					    lib->crc32(0, plain + at, PLAIN_LEN - at),
					    (z_off_t)(PLAIN_LEN - at));
		WANT(whole == joined, "crc32_combine() after %u bytes: %08lx, not %08lx", at,
		     joined, whole);
		whole = lib->adler32(1, plain, PLAIN_LEN);
		joined = lib->adler32_combine(lib->adler32(1, plain, at),
					      lib->adler32(1, plain + at, PLAIN_LEN - at),
					      (z_off_t)(PLAIN_LEN - at));
		WANT(whole == joined, "adler32_combine() after %u bytes: %08lx, not %08lx", at,
		     joined, whole);
	}
}

static void gz_files(const struct replay_lib *lib, char *words)
{
	FILE *file = tmpfile();
	char line[16];
	gzFile gz;

	WANT(file, "no temporary file");
	gz = lib->gzdopen(dup(fileno(file)), "wb6");
	WANT(gz, "gzdopen() for writing");
	SAYS((int)PLAIN_LEN, lib->gzwrite(gz, plain, PLAIN_LEN));
	SAYS(Z_OK, lib->gzclose(gz));
	lseek(fileno(file), 0, SEEK_SET);
	gz = lib->gzdopen(dup(fileno(file)), "rb");
	WANT(gz, "gzdopen() for reading");
	SAYS(plain[0], lib->gzgetc(gz));
	SAYS('x', lib->gzungetc('x', gz));
	WANT(lib->gzgets(gz, line, 4) && line[0] == 'x' && !memcmp(line + 1, plain + 1, 2),
	     "gzgets() after gzungetc()");
	WANT(lib->gzseek(gz, 123456, SEEK_SET) == 123456, "gzseek()");
	SAYS(1000, lib->gzread(gz, again, 1000));
	WANT(!memcmp(again, plain + 123456, 1000), "other bytes are read behind gzseek()");
	WANT(lib->gzread(gz, again, PLAIN_LEN) == (int)(PLAIN_LEN - 124456) && lib->gzeof(gz),
	     "no end of the file");
	SAYS(Z_OK, lib->gzclose(gz));
	fclose(file);
}

#define CHECK(name)                                                                                \
	static void check_##name(const struct replay_lib *lib, char words[SELFTEST_WORDS])         \
	{                                                                                          \
		selftest_fill();                                                                   \
		name(lib, words);                                                                  \
	}
CHECK(versions)
CHECK(round_trips)
CHECK(flushes)
CHECK(cuts)
CHECK(one_byte)
CHECK(dictionaries)
CHECK(bounds)
CHECK(errors)
CHECK(gz_headers)
CHECK(back)
CHECK(syncs)
CHECK(copies)
CHECK(primes)
CHECK(params)
CHECK(resets)
CHECK(checksums)
CHECK(gz_files)

const struct selftest_check selftest_checks[] = {
	{ "version", "the interface is the one of zlib.h, with types of its sizes",
	  check_versions },
	{ "round-trip", "each level, format and window, sizes of 0 to 300,000 bytes",
	  check_round_trips },
	{ "flush",
	  "all that was given can be decoded after Z_SYNC_FLUSH, Z_FULL_FLUSH, Z_PARTIAL_FLUSH",
	  check_flushes },
	{ "cuts", "input and room in pieces of 7 to 100,001 bytes", check_cuts },
	{ "one-byte", "input and room byte by byte", check_one_byte },
	{ "dictionary", "a preset dictionary, asked for and set", check_dictionaries },
	{ "bound", "compressBound() and deflateBound() are enough for data that does not pack",
	  check_bounds },
	{ "errors", "wrong arguments, damaged and cut data, no progress", check_errors },
	{ "gz-header", "deflateSetHeader() and inflateGetHeader()", check_gz_headers },
	{ "inflate-back", "inflateBack()", check_back },
	{ "sync", "inflateSync() goes on behind damage", check_syncs },
	{ "copy", "deflateCopy() and inflateCopy() in the middle", check_copies },
	{ "prime", "deflatePrime() and inflatePrime()", check_primes },
	{ "params", "deflateParams() in the middle", check_params },
	{ "reset", "deflateReset(), streams one after the other", check_resets },
	{ "checksum", "CRC-32 and Adler-32, whole and combined", check_checksums },
	{ "gz-file", "writing, reading, seeking in a file", check_gz_files },
	{ NULL, NULL, NULL },
};
