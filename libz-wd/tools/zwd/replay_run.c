/* SPDX-License-Identifier: Zlib */
/* The calls of a trace, made again: which stream each is of, and those that have none. */
#include "config.h"
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "tools/zwd/replay_input.h"
#include "tools/zwd/replay_stream.h"
#include "tools/zwd/replay_whole.h"

enum { ROWS = 1024, STREAMS_MAX = 4096, TOLD_MAX = 50 };
struct entry {
	struct entry *next;
	struct replay_stream s;
};

struct run {
	struct replay *replay;
	struct replay_inputs *inputs;
	struct entry *rows[ROWS];
	unsigned int open_nr;
	bool has_data;
};

const char *replay_skip_words(enum replay_skip skip)
{
	static const char *const words[REPLAY_SKIPS] = {
		[REPLAY_NO_DATA] = "what they worked on is not in the trace (ZWD_TRACE=FILE,data), "
				   "and nothing "
				   "made up would do",
		[REPLAY_NO_STREAM] = "their stream was opened before the trace began, or could not "
				     "be opened here",
		[REPLAY_GZ] = "the file that a gz function reads or writes is not in the trace",
		[REPLAY_LACKS] = "this library has no such function",
		[REPLAY_TOO_LARGE] = "they want more memory or streams than is allowed here",
		[REPLAY_OTHER] = "what they say differs from one sound zlib to the next",
	};

	return words[skip];
}

void replay_differs(struct replay *replay, const struct replay_stream *s,
		    const struct trace_call *call, const char *format, ...)
{
	va_list ap;

	if (++replay->differences_nr > TOLD_MAX || replay->is_quiet)
		return;
	printf("call %llu, %s", (unsigned long long)replay->calls_nr,
	       trace_function_name(call->function));
	if (s)
		printf(" on stream %u", s->nr);
	printf(": ");
	va_start(ap, format);
	vprintf(format, ap);
	va_end(ap);
	printf("\n");
}

static struct entry **row_of(struct run *run, uint64_t id)
{
	return &run->rows[id * 0x9e3779b97f4a7c15 >> 54];
}

static struct replay_stream *find(struct run *run, uint64_t id)
{
	for (struct entry *e = *row_of(run, id); e; e = e->next)
		if (e->s.id == id)
			return &e->s;
	return NULL;
}

/* What was there under its number is gone: the program forgot it. */
static void drop(struct run *run, uint64_t id, bool is_ended)
{
	const struct replay_lib *lib = run->replay->lib;

	for (struct entry **at = row_of(run, id), *e; (e = *at); at = &e->next) {
		if (e->s.id != id)
			continue;
		if (!is_ended && e->s.is_back && lib->inflateBackEnd)
			lib->inflateBackEnd(&e->s.strm);
		else if (!is_ended && !e->s.is_back)
			(e->s.is_deflate ? lib->deflateEnd : lib->inflateEnd)(&e->s.strm);
		*at = e->next;
		replay_stream_free(run->replay, &e->s);
		free(e);
		run->open_nr--;
		return;
	}
}

static struct replay_stream *add(struct run *run, uint64_t id)
{
	struct entry **row = row_of(run, id),
		     *e = run->open_nr < STREAMS_MAX ? calloc(1, sizeof(*e)) : NULL;

	if (!e)
		return NULL;
	e->next = *row;
	*row = e;
	e->s.id = id;
	e->s.nr = (unsigned int)++run->replay->streams_nr;
	run->open_nr++;
	return &e->s;
}

/* Begins a life. before: bytes that it was given already. */
static bool begin_life(struct run *run, struct replay_stream *s, uint64_t nr, size_t before)
{
	uint8_t *input;
	bool is_known;

	input = replay_inputs_of(run->inputs, nr, before, &s->input_len, &is_known);
	if (!input)
		return false;
	free(s->input);
	s->input = input;
	s->is_known = is_known;
	/* Where one stream ends, or how long it becomes, only its contents say. */
	s->is_silent = !s->is_deflate && !is_known;
	s->recorded_in = before;
	s->in = 0;
	s->recorded_out = s->out = 0;
	s->recorded_ended = s->ended = false;
	s->is_soft = true;
	s->in_check = s->recorded_check = s->out_check = 0;
	return !s->is_deflate || replay_decoder_begin(run->replay, s);
}

static const char *version_of(const struct replay_lib *lib, int64_t first)
{
	static char other[2];

	if (first == lib->zlibVersion()[0])
		return lib->zlibVersion();
	other[0] = (char)first;
	return first ? other : NULL;
}

static int64_t init(const struct replay_lib *lib, struct replay_stream *s,
		    const struct trace_call *call)
{
	const int64_t *n = call->numbers;

	s->window_bits = 15;
	switch (call->function) {
	case ZWD_CALL_deflateInit_:
		s->is_deflate = true;
		return lib->deflateInit_(&s->strm, (int)n[0], version_of(lib, n[1]), (int)n[2]);
	case ZWD_CALL_deflateInit2_:
		s->is_deflate = true;
		s->window_bits = (int)n[2];
		return lib->deflateInit2_(&s->strm, (int)n[0], (int)n[1], (int)n[2], (int)n[3],
					  (int)n[4], version_of(lib, n[5]), (int)n[6]);
	case ZWD_CALL_inflateInit_:
		return lib->inflateInit_(&s->strm, version_of(lib, n[0]), (int)n[1]);
	case ZWD_CALL_inflateInit2_:
		s->window_bits = (int)n[0];
		return lib->inflateInit2_(&s->strm, (int)n[0], version_of(lib, n[1]), (int)n[2]);
	default:
		s->is_back = true;
		s->window_bits = (int)n[0];
		s->window = malloc(32768);
		if (!lib->inflateBackInit_ || !s->window)
			return call->ret;
		return lib->inflateBackInit_(&s->strm, (int)n[0], s->window, version_of(lib, n[1]),
					     (int)n[2]);
	}
}

static void open_stream(struct run *run, const struct trace_call *call, uint64_t nr)
{
	struct replay *replay = run->replay;
	struct replay_stream *s;
	int64_t ret;

	drop(run, call->stream, false);
	s = call->stream ? add(run, call->stream) : NULL;
	if (!s) {
		replay->skipped_nr[call->stream ? REPLAY_TOO_LARGE : REPLAY_OTHER]++;
		return;
	}
	ret = init(replay->lib, s, call);
	replay->made_nr++;
	if (ret != call->ret)
		replay_differs(replay, s, call, "recorded %s, now %s",
			       replay_return_name(call->ret), replay_return_name(ret));
	if (ret || !s->strm.state || !begin_life(run, s, nr, 0))
		drop(run, call->stream, ret || !s->strm.state);
}

static void reset(struct run *run, struct replay_stream *s, const struct trace_call *call,
		  uint64_t nr)
{
	const struct replay_lib *lib = run->replay->lib;
	int ret = Z_OK;

	replay_settle(run->replay, s, call);
	run->replay->made_nr++;
	switch (call->function) {
	case ZWD_CALL_deflateReset:
		ret = lib->deflateReset ? lib->deflateReset(&s->strm) : Z_OK;
		break;
	case ZWD_CALL_deflateResetKeep:
		ret = lib->deflateResetKeep ? lib->deflateResetKeep(&s->strm) : Z_OK;
		s->is_undecodable = true;
		break;
	case ZWD_CALL_inflateReset:
		ret = lib->inflateReset ? lib->inflateReset(&s->strm) : Z_OK;
		break;
	case ZWD_CALL_inflateReset2:
		ret = lib->inflateReset2 ? lib->inflateReset2(&s->strm, (int)call->numbers[0])
					 : Z_OK;
		s->window_bits = (int)call->numbers[0];
		break;
	default:
		ret = lib->inflateResetKeep ? lib->inflateResetKeep(&s->strm) : Z_OK;
	}
	if (ret != call->ret)
		replay_differs(run->replay, s, call, "recorded %s, now %s",
			       replay_return_name(call->ret), replay_return_name(ret));
	if (!begin_life(run, s, nr, 0))
		drop(run, call->stream, false);
}

static void copy_stream(struct run *run, struct replay_stream *s, const struct trace_call *call,
			uint64_t nr)
{
	const struct replay_lib *lib = run->replay->lib;
	uint64_t id = (uint64_t)call->numbers[0];
	size_t behind = s->recorded_in > s->in ? s->recorded_in - s->in : 0;
	struct replay_stream *to, was;
	int ret;

	if (id == call->stream || call->ret ||
	    !(s->is_deflate ? lib->deflateCopy : lib->inflateCopy)) {
		run->replay->skipped_nr[REPLAY_OTHER]++;
		return;
	}
	drop(run, id, false);
	to = id ? add(run, id) : NULL;
	if (!to) {
		run->replay->skipped_nr[REPLAY_TOO_LARGE]++;
		return;
	}
	ret = (s->is_deflate ? lib->deflateCopy : lib->inflateCopy)(&to->strm, &s->strm);
	run->replay->made_nr++;
	if (ret != call->ret)
		replay_differs(run->replay, s, call, "recorded %s, now %s",
			       replay_return_name(call->ret), replay_return_name(ret));
	if (ret) {
		drop(run, id, true);
		return;
	}
	to->is_deflate = s->is_deflate;
	to->window_bits = s->window_bits;
	was = *s;
	if (!begin_life(run, to, nr, behind)) {
		drop(run, id, false);
		return;
	}
	if (behind)
		memcpy(to->input, was.input + was.in, behind);
	if (was.in > was.recorded_in)
		to->in = was.in - was.recorded_in < to->input_len ? was.in - was.recorded_in
								  : to->input_len;
	/* What has come of it up to here is not decoded again, nor is where it was compared. */
	to->is_undecodable = true;
	to->recorded_out = was.recorded_out;
	to->out = was.out;
	to->recorded_check = was.recorded_check;
	to->out_check = was.out_check;
	to->is_soft = false;
	to->is_known &= was.is_known;
	to->ended = was.ended;
	to->recorded_ended = was.recorded_ended;
}

static void end_stream(struct run *run, struct replay_stream *s, const struct trace_call *call)
{
	bool is_level = !s->is_silent && s->ended == s->recorded_ended && s->in == s->recorded_in;
	int ret;

	replay_settle(run->replay, s, call);
	ret = (s->is_deflate ? run->replay->lib->deflateEnd
			     : run->replay->lib->inflateEnd)(&s->strm);
	run->replay->made_nr++;
	/* Z_DATA_ERROR: there was output that nobody had; whether there is depends on the engine.
	 */
	if (ret != call->ret && (!s->is_deflate || is_level) && (ret != Z_DATA_ERROR || s->ended) &&
	    (call->ret != Z_DATA_ERROR || s->ended))
		replay_differs(run->replay, s, call, "recorded %s, now %s",
			       replay_return_name(call->ret), replay_return_name(ret));
	drop(run, call->stream, true);
}

struct back {
	const uint8_t *data;
	size_t len;
	uint64_t made;
	uint32_t check;
	struct replay *replay;
};

static unsigned int back_in(void *desc, z_const unsigned char **data)
{
	struct back *back = desc;
	unsigned int len = back->len > 65536 ? 65536 : (unsigned int)back->len;

	*data = (z_const unsigned char *)back->data;
	back->data += len;
	back->len -= len;
	return len;
}

static int back_out(void *desc, unsigned char *data, unsigned int len)
{
	struct back *back = desc;

	back->made += len;
	back->check = (uint32_t)back->replay->stock->crc32(back->check, data, len);
	back->replay->budget -= len < back->replay->budget ? len : back->replay->budget;
	return !back->replay->budget;
}

static void run_back(struct run *run, struct replay_stream *s, const struct trace_call *call)
{
	struct back back = { s->input + s->in, s->input_len - s->in, 0, 0, run->replay };
	int ret;

	if (!s->is_back || !run->replay->lib->inflateBack) {
		run->replay->skipped_nr[REPLAY_OTHER]++;
		return;
	}
	s->strm.next_in = Z_NULL;
	ret = run->replay->lib->inflateBack(&s->strm, back_in, &back, back_out, &back);
	run->replay->made_nr++;
	if (ret != call->ret)
		replay_differs(run->replay, s, call, "recorded %s, now %s",
			       replay_return_name(call->ret), replay_return_name(ret));
	else if (back.made != (uint64_t)call->numbers[1] ||
		 back.check != (uint32_t)call->numbers[2])
		replay_differs(run->replay, s, call, "%llu bytes, recorded %lld%s",
			       (unsigned long long)back.made, (long long)call->numbers[1],
			       back.made == (uint64_t)call->numbers[1] ? ", and they are others"
								       : "");
}

static void run_stream(struct run *run, const struct trace_call *call, uint64_t nr)
{
	struct replay_stream *s = find(run, call->stream);
	bool is_deflate = call->function <= ZWD_CALL_deflateBound_z;

	if (call->function == ZWD_CALL_deflateBound && !call->stream) {
		run->replay->skipped_nr[REPLAY_OTHER]++;
		return;
	}
	if (!s || s->is_deflate != is_deflate ||
	    s->is_back != (call->function == ZWD_CALL_inflateBack ||
			   call->function == ZWD_CALL_inflateBackEnd)) {
		run->replay->skipped_nr[REPLAY_NO_STREAM]++;
		return;
	}
	if (s->is_silent && !replay_is_begin(call) && call->function != ZWD_CALL_inflateEnd &&
	    call->function != ZWD_CALL_inflateBackEnd) {
		run->replay->skipped_nr[REPLAY_NO_DATA]++;
		return;
	}
	switch (call->function) {
	case ZWD_CALL_deflateCopy:
	case ZWD_CALL_inflateCopy:
		copy_stream(run, s, call, nr);
		return;
	case ZWD_CALL_deflateEnd:
	case ZWD_CALL_inflateEnd:
		end_stream(run, s, call);
		return;
	case ZWD_CALL_inflateBack:
		run_back(run, s, call);
		return;
	case ZWD_CALL_inflateBackEnd:
		run->replay->made_nr++;
		drop(run, call->stream, false);
		return;
	case ZWD_CALL_deflate:
	case ZWD_CALL_deflateParams:
	case ZWD_CALL_inflate:
	case ZWD_CALL_inflateSync:
		if (call->parts & ZWD_TRACE_STREAM &&
		    (call->function != ZWD_CALL_deflateParams || run->replay->lib->deflateParams) &&
		    (call->function != ZWD_CALL_inflateSync || run->replay->lib->inflateSync))
			replay_feed(run->replay, s, call);
		else
			run->replay->skipped_nr[REPLAY_LACKS]++;
		return;
	default:
		if (replay_is_begin(call))
			reset(run, s, call, nr);
		else
			replay_ask(run->replay, s, call);
	}
}

static void run_call(struct run *run, const struct trace_call *call, uint64_t nr)
{
	switch (call->function) {
	case ZWD_CALL_deflateInit_:
	case ZWD_CALL_deflateInit2_:
	case ZWD_CALL_inflateInit_:
	case ZWD_CALL_inflateInit2_:
	case ZWD_CALL_inflateBackInit_:
		open_stream(run, call, nr);
		return;
	case ZWD_CALL_compress:
	case ZWD_CALL_compress2:
	case ZWD_CALL_compress_z:
	case ZWD_CALL_compress2_z:
		replay_compress(run->replay, call);
		return;
	case ZWD_CALL_uncompress:
	case ZWD_CALL_uncompress2:
	case ZWD_CALL_uncompress_z:
	case ZWD_CALL_uncompress2_z:
		replay_uncompress(run->replay, call);
		return;
	case ZWD_CALL_adler32:
	case ZWD_CALL_adler32_z:
	case ZWD_CALL_crc32:
	case ZWD_CALL_crc32_z:
		replay_checksum(run->replay, call);
		return;
	case ZWD_CALL_adler32_combine:
	case ZWD_CALL_adler32_combine64:
	case ZWD_CALL_crc32_combine:
	case ZWD_CALL_crc32_combine64:
		replay_combine(run->replay, call);
		return;
	default:
		if (call->function <= ZWD_CALL_inflateBackEnd)
			run_stream(run, call, nr);
		else
			run->replay->skipped_nr[call->function >= ZWD_CALL_gzopen ? REPLAY_GZ
										  : REPLAY_OTHER]++;
	}
}

bool replay_run(struct replay *replay, struct trace_file *file)
{
	struct run run = { .replay = replay, .has_data = file->has_data };
	struct trace_call call;

	run.inputs = replay_inputs_gather(file);
	if (!run.inputs)
		return false;
	for (uint64_t nr = 0; trace_file_next(file, &call); nr++) {
		if (call.kind != ZWD_TRACE_CALL)
			continue;
		replay->calls_nr++;
		replay->recorded_ns += call.took_ns;
		run_call(&run, &call, nr);
	}
	for (size_t i = 0; i < ROWS; i++)
		while (run.rows[i])
			drop(&run, run.rows[i]->s.id, false);
	replay_inputs_free(run.inputs);
	return true;
}
