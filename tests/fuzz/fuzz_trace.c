/* SPDX-License-Identifier: Zlib */
/*
 * zwd replay on files that somebody made: none does harm, whatever its records say, and a sound
 * one, of calls as a program might make them, is read to its end.
 */
#include "config.h"
#include "driver.h"

#include <string.h>

#include "libz-wd/operate/trace.h"
#include "libz-wd/tools/zwd/replay_run.h"

static struct replay_lib stock;

static void setup(void)
{
	check(replay_lib_open_stock(&stock), "no zlib");
}

/* A file under construction. */
struct file {
	uint8_t *data;
	size_t len, room;
};

static void put(struct file *file, const unsigned char *record, size_t len, const uint8_t *more,
		size_t more_len)
{
	unsigned char head[10];
	size_t head_len = (size_t)(zwd_trace_number(head, len + more_len) - head);

	if (file->len + head_len + len + more_len > file->room)
		return;
	memcpy(file->data + file->len, head, head_len);
	memcpy(file->data + file->len + head_len, record, len);
	if (more_len)
		memcpy(file->data + file->len + head_len + len, more, more_len);
	file->len += head_len + len + more_len;
}

static int64_t number(struct random *r)
{
	static const int64_t usual[] = {
		0, 0, 0, 1, 2, 3, 4, 5, 6, 8, 9, 15, 31, -15, '1', 112, -1
	};

	if (!random_below(r, 20))
		return (int64_t)(random_next(r) >> random_below(r, 64));
	return usual[random_below(r, sizeof(usual) / sizeof(usual[0]))];
}

static void put_call(struct random *r, struct file *file)
{
	static const unsigned char often[] = {
		ZWD_CALL_deflate,	   ZWD_CALL_inflate,	   ZWD_CALL_inflate,
		ZWD_CALL_deflateInit_,	   ZWD_CALL_inflateInit2_, ZWD_CALL_inflateBack,
		ZWD_CALL_inflateBackInit_, ZWD_CALL_deflateInit2_, ZWD_CALL_deflateEnd,
		ZWD_CALL_inflateCopy,	   ZWD_CALL_uncompress,
	};
	unsigned char record[ZWD_TRACE_RECORD_MAX], *at = record, parts;
	uint8_t data[600];
	size_t data_len = random_below(r, 3) ? random_below(r, sizeof(data)) : 0, ahead;

	*at++ = random_below(r, 12) ? ZWD_TRACE_CALL : ZWD_TRACE_PIECE;
	for (size_t i = 0; i < data_len; i++)
		data[i] = random_below(r, 3) ? (uint8_t)random_next(r) : 0;
	/* The beginning of a block, often. */
	if (data_len > 2) {
		data[0] = 0x78;
		data[1] = 0x9c;
		data[2] = (uint8_t)(3 + random_below(r, 3));
	}
	if (record[0] == ZWD_TRACE_PIECE) {
		at = zwd_trace_number(at, 1 + random_below(r, 4));
		put(file, record, (size_t)(at - record), data, data_len);
		return;
	}
	*at++ = random_below(r, 3) ? often[random_below(r, sizeof(often))]
				   : (unsigned char)random_below(r, ZWD_CALLS);
	parts = ZWD_TRACE_STREAM | (random_below(r, 2) ? ZWD_TRACE_OUTPUT : 0) |
		(random_below(r, 2) ? ZWD_TRACE_SOFT : 0) | (data_len ? ZWD_TRACE_DATA : 0);
	*at++ = parts;
	for (int i = 0; i < 3; i++)
		at = zwd_trace_number(at, random_below(r, 1000));
	at = zwd_trace_number(at, 1 + random_below(r, 4));
	*at++ = ZWD_TRACE_NUMBERS;
	for (int i = 0; i < ZWD_TRACE_NUMBERS; i++)
		at = zwd_trace_signed(at, number(r));
	at = zwd_trace_signed(at, random_below(r, 4) ? 0 : (int64_t)random_below(r, 9) - 6);
	ahead = random_below(r, data_len + 1);
	at = zwd_trace_number(at, data_len + random_below(r, 100)); /* avail_in */
	at = zwd_trace_number(at, 5000);			    /* avail_out */
	at = zwd_trace_number(at, data_len - ahead);
	at = zwd_trace_number(at, random_below(r, 5000));
	for (int i = 0; i < 3; i++)
		at = zwd_trace_number(at, random_next(r) >> random_below(r, 64));
	if (parts & ZWD_TRACE_OUTPUT)
		at = zwd_trace_number(at, (uint32_t)random_next(r));
	if (data_len) {
		at = zwd_trace_number(at, data_len);
		at = zwd_trace_number(at, ahead);
	}
	put(file, record, (size_t)(at - record), data, data_len);
}

static size_t make(struct random *r, uint8_t *data, size_t room)
{
	struct file file = { data, ZWD_TRACE_HEADER_LEN, room };

	memset(data, 0, ZWD_TRACE_HEADER_LEN);
	memcpy(data, ZWD_TRACE_MAGIC, 8);
	data[8] = ZWD_TRACE_VERSION;
	data[9] = (uint8_t)random_below(r, 2);
	for (size_t nr = random_below(r, 60); nr; nr--)
		put_call(r, &file);
	return file.len;
}

static void run(const uint8_t *data, size_t len)
{
	struct replay replay = {
		.lib = &stock, .stock = &stock, .is_quiet = true, .budget = 64 << 20
	};
	uint64_t skipped = 0;
	struct trace_file file;

	if (!trace_file_begin(&file, data, len))
		return;
	check(replay_run(&replay, &file), "no memory");
	check(file.wrong || file.is_cut || file.at == len, "it ends before the end");
	for (int i = 0; i < REPLAY_SKIPS; i++)
		skipped += replay.skipped_nr[i];
	check(replay.made_nr + skipped <= 2 * replay.calls_nr, "%llu calls became more",
	      (unsigned long long)replay.calls_nr);
}

const struct fuzzer fuzzer = {
	.name = "fuzz_trace",
	.len_max = 1 << 15,
	.limit_s = 10,
	.setup = setup,
	.make = make,
	.run = run,
};
