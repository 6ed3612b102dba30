/* SPDX-License-Identifier: Zlib */
/*
 * One stream of a trace, run again and compared. Another engine may take and make other amounts in
 * a call, so a call is given what of the recorded input is left to it, and called once more where
 * the recorded one had ended something and this one has not for want of room. What zlib promises is
 * the same in each case: errors, the end, totals there, and the data.
 */
#include "config.h"
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include "tools/zwd/replay_stream.h"

#define ROOM_MAX  (1u << 20) /* of one call; a larger room is given in parts */
#define EXTRA_MAX 4096	     /* calls more than were recorded */

static uint8_t room[ROOM_MAX], decoded[65536];

const char *replay_return_name(int64_t ret)
{
	static const char *const names[] = {
		"Z_VERSION_ERROR", "Z_BUF_ERROR", "Z_MEM_ERROR",  "Z_DATA_ERROR", "Z_STREAM_ERROR",
		"Z_ERRNO",	   "Z_OK",	  "Z_STREAM_END", "Z_NEED_DICT",
	};

	return ret < -6 || ret > 2 ? "no return of zlib's" : names[ret + 6];
}

static bool is_error(int64_t ret)
{
	return ret < 0 && ret != Z_BUF_ERROR;
}

bool replay_decoder_begin(struct replay *replay, struct replay_stream *s)
{
	if (s->has_decoder)
		replay->stock->inflateEnd(&s->decoder);
	s->decoder = (z_stream){ 0 };
	s->has_decoder = replay->stock->inflateInit2_(&s->decoder, s->window_bits, ZLIB_VERSION,
						      sizeof(z_stream)) == Z_OK;
	s->decoder_ended = s->is_undecodable = false;
	s->decoded_len = 0;
	s->decoded_check = 0;
	return s->has_decoder;
}

void replay_stream_free(struct replay *replay, struct replay_stream *s)
{
	if (s->has_decoder)
		replay->stock->inflateEnd(&s->decoder);
	free(s->input);
	free(s->window);
	free(s->header_data);
	*s = (struct replay_stream){ 0 };
}

static void decode(struct replay *replay, struct replay_stream *s, const struct trace_call *call,
		   size_t len)
{
	int ret = Z_OK;

	if (!s->has_decoder || s->is_undecodable)
		return;
	s->decoder.next_in = room;
	s->decoder.avail_in = (uInt)len;
	do {
		s->decoder.next_out = decoded;
		s->decoder.avail_out = sizeof(decoded);
		ret = replay->stock->inflate(&s->decoder, Z_NO_FLUSH);
		s->decoded_len += sizeof(decoded) - s->decoder.avail_out;
		s->decoded_check = (uint32_t)replay->stock->crc32(
			s->decoded_check, decoded, (uInt)(sizeof(decoded) - s->decoder.avail_out));
	} while (ret == Z_OK && !s->decoder.avail_out);
	if (ret == Z_STREAM_END)
		s->decoder_ended = true;
	if ((ret != Z_OK && ret != Z_STREAM_END && ret != Z_BUF_ERROR) ||
	    (s->decoder.avail_in && ret == Z_STREAM_END)) {
		replay_differs(replay, s, call, "what was made cannot be decoded: %s",
			       s->decoder.msg ? s->decoder.msg : replay_return_name(ret));
		s->is_undecodable = true;
	}
}

/* What one call did. */
struct done {
	int ret;
	uint64_t taken, made;
	uint32_t check; /* of what it made */
};

static int make_call(struct replay *replay, struct replay_stream *s, const struct trace_call *call)
{
	const struct replay_lib *lib = replay->lib;
	int flush = call->numbers[0] < INT_MIN || call->numbers[0] > INT_MAX
			    ? -1
			    : (int)call->numbers[0];

	switch (call->function) {
	case ZWD_CALL_deflate:
		return lib->deflate(&s->strm, flush);
	case ZWD_CALL_deflateParams:
		return lib->deflateParams(&s->strm, flush, (int)call->numbers[1]);
	case ZWD_CALL_inflate:
		return lib->inflate(&s->strm, flush);
	default:
		return lib->inflateSync(&s->strm);
	}
}

/* With so much room. A call that was made with less has said something else: that is kept. */
static void run(struct replay *replay, struct replay_stream *s, const struct trace_call *call,
		uint64_t room_len, size_t in_end, struct done *done)
{
	*done = (struct done){ 0 };
	do {
		uInt len =
			room_len - done->made < ROOM_MAX ? (uInt)(room_len - done->made) : ROOM_MAX;
		size_t in_len = in_end > s->in ? in_end - s->in : 0;
		uInt taken, made;

		if (in_len > UINT_MAX)
			in_len = UINT_MAX;
		s->strm.next_in = s->input + s->in;
		s->strm.avail_in = (uInt)in_len;
		s->strm.next_out = room;
		s->strm.avail_out = len;
		done->ret = make_call(replay, s, call);
		taken = (uInt)in_len - s->strm.avail_in;
		made = len - s->strm.avail_out;
		if (taken > in_len || made > len) {
			replay_differs(replay, s, call, "it takes or makes more than it was given");
			taken = made = 0;
		}
		s->in_check = (uint32_t)replay->stock->crc32(s->in_check, s->input + s->in, taken);
		s->in += taken;
		s->out += made;
		done->taken += taken;
		done->made += made;
		done->check = (uint32_t)replay->stock->crc32(done->check, room, made);
		s->out_check = (uint32_t)replay->stock->crc32(s->out_check, room, made);
		replay->bytes_in += taken;
		replay->bytes_out += made;
		replay->budget -= made < replay->budget ? made : replay->budget;
		if (s->is_deflate)
			decode(replay, s, call, made);
		if (made < len || !len || !replay->budget)
			return;
	} while (done->ret == Z_OK && done->made < room_len);
}

static void check_deflate(struct replay *replay, struct replay_stream *s,
			  const struct trace_call *call, struct done *done)
{
	int64_t flush = call->function == ZWD_CALL_deflate ? call->numbers[0] : Z_BLOCK;
	bool was_done = call->ret == Z_STREAM_END ||
			(flush != Z_NO_FLUSH && call->ret == Z_OK && call->made < call->out_len);
	struct done more;

	if (done->ret == Z_BUF_ERROR && (done->taken || done->made) &&
	    call->function == ZWD_CALL_deflate)
		replay_differs(replay, s, call, "Z_BUF_ERROR, but it took %llu bytes and made %llu",
			       (unsigned long long)done->taken, (unsigned long long)done->made);
	for (int i = 0;
	     was_done && i < EXTRA_MAX && done->ret == Z_OK && !s->strm.avail_out && replay->budget;
	     i++) {
		run(replay, s, call, ROOM_MAX, s->recorded_in, &more);
		/* There was no more to be done. */
		if (more.ret == Z_BUF_ERROR && !more.made && !more.taken)
			break;
		done->ret = more.ret;
	}
	if (call->ret == Z_STREAM_END ? done->ret != Z_STREAM_END
				      : is_error(call->ret) != is_error(done->ret) ||
						(is_error(call->ret) && call->ret != done->ret))
		replay_differs(replay, s, call, "recorded %s, now %s",
			       replay_return_name(call->ret), replay_return_name(done->ret));
	else if (done->ret == Z_STREAM_END &&
		 (flush != Z_FINISH || (s->has_decoder && !s->is_undecodable && !s->decoder_ended)))
		replay_differs(replay, s, call, "Z_STREAM_END, but the stream does not end");
	else if (done->ret == Z_OK && call->function == ZWD_CALL_deflate && s->strm.avail_in &&
		 s->strm.avail_out)
		replay_differs(replay, s, call, "it leaves %u bytes of input, and %u of room",
			       s->strm.avail_in, s->strm.avail_out);
	else if (was_done && flush != Z_BLOCK && flush != Z_PARTIAL_FLUSH && s->has_decoder &&
		 !s->is_undecodable && (s->decoded_len != s->in || s->decoded_check != s->in_check))
		replay_differs(replay, s, call,
			       "after this flush %llu bytes can be decoded, %zu were given%s",
			       (unsigned long long)s->decoded_len, s->in,
			       s->decoded_len == s->in ? ", and they are others" : "");
	if (done->ret == Z_STREAM_END)
		s->ended = true;
}

/* Of inflate: the same bytes, where as many were made. */
static void compare_output(struct replay *replay, struct replay_stream *s,
			   const struct trace_call *call)
{
	if (s->is_deflate || s->out != s->recorded_out || s->out_check == s->recorded_check)
		return;
	replay_differs(replay, s, call,
		       "what was made up to here is something else, by the %llu bytes' checksum",
		       (unsigned long long)s->out);
	s->out_check = s->recorded_check; /* told once */
}

static void check_inflate(struct replay *replay, struct replay_stream *s,
			  const struct trace_call *call, struct done *done, bool was_level)
{
	bool is_level = was_level && s->in == s->recorded_in && s->out == s->recorded_out;
	struct done more;

	if (is_level && done->ret != call->ret)
		goto differs;
	/* After Z_FINISH it says that there is more, whatever it did. */
	if (done->ret == Z_BUF_ERROR && (done->taken || done->made) && call->numbers[0] != Z_FINISH)
		goto differs;
	/* It is behind: the recorded call came to an end that this one has still to come to. */
	for (int i = 0;
	     call->ret == Z_STREAM_END && i < EXTRA_MAX && done->ret == Z_OK && replay->budget;
	     i++) {
		run(replay, s, call, ROOM_MAX, s->input_len, &more);
		/* It was there, and has not said so. */
		if (more.ret == Z_BUF_ERROR ||
		    (more.ret == Z_STREAM_END && !more.taken && !more.made))
			break;
		done->ret = more.ret;
	}
	if (done->ret == Z_STREAM_END)
		s->ended = true;
	if ((call->ret == Z_STREAM_END || is_error(call->ret) || is_error(done->ret)) &&
	    call->ret != done->ret)
		goto differs;
	if (call->ret == Z_STREAM_END && (s->out != s->recorded_out || s->in != s->recorded_in))
		replay_differs(
			replay, s, call,
			"at the end %zu bytes were read and %llu made; recorded: %zu and %llu",
			s->in, (unsigned long long)s->out, s->recorded_in,
			(unsigned long long)s->recorded_out);
	return;
differs:
	replay_differs(replay, s, call, "recorded %s, now %s", replay_return_name(call->ret),
		       replay_return_name(done->ret));
	s->ended = true;
}

void replay_feed(struct replay *replay, struct replay_stream *s, const struct trace_call *call)
{
	bool was_level = s->in == s->recorded_in && s->out == s->recorded_out;
	struct done done;
	size_t in_end;

	if (call->out_len > replay->budget) {
		replay->skipped_nr[REPLAY_TOO_LARGE]++;
		return;
	}
	in_end = s->recorded_in + call->in_len < s->input_len ? s->recorded_in + call->in_len
							      : s->input_len;
	s->recorded_in += call->taken;
	s->recorded_out += call->made;
	if (!s->is_deflate && call->made)
		s->recorded_check = (uint32_t)replay->stock->crc32_combine(
			s->recorded_check, (uLong)call->check, (z_off_t)call->made);
	if (s->ended && !s->recorded_ended) {
		/* This one was there before; where it went further than the recorded one, that is
		 * told at the end. */
		replay->made_nr++;
		if (call->ret == Z_STREAM_END)
			s->recorded_ended = true;
		compare_output(replay, s, call);
		return;
	}
	if (s->is_deflate && call->function == ZWD_CALL_deflate)
		s->is_soft &= (call->parts & ZWD_TRACE_SOFT) != 0;
	replay->made_nr++;
	run(replay, s, call, call->out_len, in_end, &done);
	if (call->ret == Z_STREAM_END)
		s->recorded_ended = true;
	if (s->is_deflate && s->is_known && was_level &&
	    (replay->is_exact || (s->is_soft && replay->is_same)) &&
	    (done.made != call->made || done.check != call->check))
		replay_differs(replay, s, call, "%llu bytes of output, recorded %llu%s",
			       (unsigned long long)done.made, (unsigned long long)call->made,
			       done.made == call->made ? ", and they are others" : "");
	if (s->is_deflate)
		check_deflate(replay, s, call, &done);
	else
		check_inflate(replay, s, call, &done, was_level);
	compare_output(replay, s, call);
	if (s->ended && s->recorded_ended && s->is_deflate) {
		if (s->in != s->recorded_in)
			replay_differs(replay, s, call,
				       "it ends after %zu bytes of input, recorded %zu", s->in,
				       s->recorded_in);
		else if (s->is_known && s->window_bits > 0 && s->strm.adler != call->adler)
			replay_differs(replay, s, call, "checksum %08lx, recorded %08llx",
				       s->strm.adler, (unsigned long long)call->adler);
	}
}

void replay_settle(struct replay *replay, struct replay_stream *s, const struct trace_call *call)
{
	struct trace_call feed = { .kind = ZWD_TRACE_CALL, .function = ZWD_CALL_inflate };
	struct done more;

	if (s->is_silent || s->is_deflate || s->is_back || s->ended || s->recorded_ended ||
	    !replay->lib->inflate)
		return;
	/* What it is behind by, it can still deliver. */
	for (int i = 0; i < EXTRA_MAX && s->out < s->recorded_out && replay->budget; i++) {
		run(replay, s, &feed, s->recorded_out - s->out, s->input_len, &more);
		if (more.ret != Z_OK)
			break;
	}
	compare_output(replay, s, call);
	/* A device had read further than the recorded stream said, and that is not in the trace. */
	if (s->out < s->recorded_out && s->in < s->input_len)
		replay_differs(replay, s, call, "until here %llu bytes were made, recorded %llu",
			       (unsigned long long)s->out, (unsigned long long)s->recorded_out);
}
