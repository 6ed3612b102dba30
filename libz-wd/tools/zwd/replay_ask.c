/* SPDX-License-Identifier: Zlib */
/* zwd replay: calls that ask a stream, or tell it, something. */
#include "config.h"
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include "tools/zwd/replay_stream.h"

static void compare(struct replay *replay, const struct replay_stream *s,
		    const struct trace_call *call, int64_t ret)
{
	replay->made_nr++;
	if (ret != call->ret)
		replay_differs(replay, s, call, "recorded %s, now %s",
			       replay_return_name(call->ret), replay_return_name(ret));
}

static void set_dictionary(struct replay *replay, struct replay_stream *s,
			   const struct trace_call *call)
{
	uInt len = (uInt)call->data_len;
	uint8_t *dictionary;
	int ret;

	if (!call->data && call->numbers[0]) {
		replay->skipped_nr[REPLAY_NO_DATA]++;
		return;
	}
	dictionary = malloc(len + 1u);
	if (!dictionary)
		return;
	if (len)
		memcpy(dictionary, call->data, len);
	ret = s->is_deflate ? replay->lib->deflateSetDictionary(&s->strm, dictionary, len)
			    : replay->lib->inflateSetDictionary(&s->strm, dictionary, len);
	compare(replay, s, call, ret);
	/* A zlib stream's decoder would have to ask for it first: that is not decoded. */
	if (s->is_deflate && ret == Z_OK && s->has_decoder &&
	    (s->window_bits > 0 ||
	     replay->stock->inflateSetDictionary(&s->decoder, dictionary, len)))
		s->is_undecodable = true;
	free(dictionary);
}

static void get_dictionary(struct replay *replay, struct replay_stream *s,
			   const struct trace_call *call)
{
	static uint8_t dictionary[65536];
	uInt len = 0;
	int ret = s->is_deflate ? replay->lib->deflateGetDictionary(&s->strm, dictionary, &len)
				: replay->lib->inflateGetDictionary(&s->strm, dictionary, &len);

	compare(replay, s, call, ret);
	if (s->is_deflate || ret || s->out != s->recorded_out || call->numbers[1] < 0)
		return;
	if (len != call->numbers[1] || (call->parts & ZWD_TRACE_OUTPUT &&
					replay->stock->crc32(0, dictionary, len) != call->check))
		replay_differs(replay, s, call, "a dictionary of %u bytes, recorded %lld%s", len,
			       (long long)call->numbers[1],
			       len == call->numbers[1] ? ", and they are others" : "");
}

/* The text at *at that its own zero byte ends, or NULL. */
static Bytef *next_text(uint8_t **at, const uint8_t *end)
{
	uint8_t *text = *at, *zero = text < end ? memchr(text, 0, (size_t)(end - text)) : NULL;

	if (zero)
		*at = zero + 1;
	return zero ? text : NULL;
}

static void set_header(struct replay *replay, struct replay_stream *s,
		       const struct trace_call *call)
{
	uint8_t *data = malloc(call->data_len + 1), *at = data, *end = data + call->data_len;
	gz_header *h = &s->header;

	if (!data)
		return;
	if (call->data_len)
		memcpy(data, call->data, call->data_len);
	if (call->numbers[0] && !call->data &&
	    (call->numbers[5] > 0 || call->numbers[6] || call->numbers[7])) {
		replay->skipped_nr[REPLAY_NO_DATA]++;
		free(data);
		return;
	}
	*h = (gz_header){ .text = (int)call->numbers[1],
			  .time = (uLong)call->numbers[2],
			  .os = (int)call->numbers[3],
			  .hcrc = call->numbers[4] != 0 };
	if (call->numbers[5] >= 0 && call->numbers[5] <= end - at && call->numbers[5] <= 65535) {
		h->extra = at;
		h->extra_len = (uInt)call->numbers[5];
		at += h->extra_len;
	}
	h->name = call->numbers[6] ? next_text(&at, end) : NULL;
	h->comment = call->numbers[7] ? next_text(&at, end) : NULL;
	compare(replay, s, call,
		replay->lib->deflateSetHeader(&s->strm, call->numbers[0] ? h : NULL));
	free(s->header_data);
	s->header_data = data;
}

static void get_header(struct replay *replay, struct replay_stream *s,
		       const struct trace_call *call)
{
	s->header = (gz_header){ .extra = s->header_extra,
				 .extra_max = sizeof(s->header_extra),
				 .name = s->header_name,
				 .name_max = sizeof(s->header_name) };
	if (call->numbers[0])
		compare(replay, s, call, replay->lib->inflateGetHeader(&s->strm, &s->header));
}

static void prime(struct replay *replay, struct replay_stream *s, const struct trace_call *call)
{
	int bits = (int)call->numbers[0], value = (int)call->numbers[1];

	if (!s->is_deflate) {
		compare(replay, s, call, replay->lib->inflatePrime(&s->strm, bits, value));
		return;
	}
	s->is_undecodable = true;
	compare(replay, s, call, replay->lib->deflatePrime(&s->strm, bits, value));
}

/* Figures that nothing checks, and that are distances of an algorithm: what makes sense of them is
 * run. */
static void tune(struct replay *replay, struct replay_stream *s, const struct trace_call *call)
{
	for (int i = 0; i < 4; i++)
		if (call->numbers[i] < 1 || call->numbers[i] > 32768) {
			replay->skipped_nr[REPLAY_OTHER]++;
			return;
		}
	compare(replay, s, call,
		replay->lib->deflateTune(&s->strm, (int)call->numbers[0], (int)call->numbers[1],
					 (int)call->numbers[2], (int)call->numbers[3]));
}

static void bound(struct replay *replay, struct replay_stream *s, const struct trace_call *call)
{
	uLong len = (uLong)call->numbers[0], now = replay->lib->deflateBound(&s->strm, len);

	replay->made_nr++;
	if (now < len)
		replay_differs(replay, s, call, "a bound of %lu bytes for %lu", now, len);
}

#define NEEDS(name)                                                                                \
	if (!replay->lib->name) {                                                                  \
		replay->skipped_nr[REPLAY_LACKS]++;                                                \
		return;                                                                            \
	}

void replay_ask(struct replay *replay, struct replay_stream *s, const struct trace_call *call)
{
	const struct replay_lib *lib = replay->lib;
	bool is_level = s->in == s->recorded_in && s->out == s->recorded_out;
	unsigned int pending;
	int bits;

	switch (call->function) {
	case ZWD_CALL_deflateSetDictionary:
		NEEDS(deflateSetDictionary)
		set_dictionary(replay, s, call);
		return;
	case ZWD_CALL_inflateSetDictionary:
		NEEDS(inflateSetDictionary)
		set_dictionary(replay, s, call);
		return;
	case ZWD_CALL_deflateGetDictionary:
		NEEDS(deflateGetDictionary)
		get_dictionary(replay, s, call);
		return;
	case ZWD_CALL_inflateGetDictionary:
		NEEDS(inflateGetDictionary)
		get_dictionary(replay, s, call);
		return;
	case ZWD_CALL_deflateSetHeader:
		NEEDS(deflateSetHeader)
		set_header(replay, s, call);
		return;
	case ZWD_CALL_inflateGetHeader:
		NEEDS(inflateGetHeader)
		get_header(replay, s, call);
		return;
	case ZWD_CALL_deflatePrime:
		NEEDS(deflatePrime)
		prime(replay, s, call);
		return;
	case ZWD_CALL_inflatePrime:
		NEEDS(inflatePrime)
		prime(replay, s, call);
		return;
	case ZWD_CALL_deflateTune:
		NEEDS(deflateTune)
		tune(replay, s, call);
		return;
	case ZWD_CALL_deflateBound:
		NEEDS(deflateBound)
		bound(replay, s, call);
		return;
	case ZWD_CALL_deflatePending:
		NEEDS(deflatePending)
		compare(replay, s, call, lib->deflatePending(&s->strm, &pending, &bits));
		return;
	case ZWD_CALL_inflateValidate:
		NEEDS(inflateValidate)
		compare(replay, s, call, lib->inflateValidate(&s->strm, (int)call->numbers[0]));
		return;
	case ZWD_CALL_inflateSyncPoint:
		NEEDS(inflateSyncPoint)
		if (is_level)
			compare(replay, s, call, lib->inflateSyncPoint(&s->strm));
		return;
	case ZWD_CALL_inflateMark:
		NEEDS(inflateMark)
		if (is_level)
			compare(replay, s, call, lib->inflateMark(&s->strm));
		return;
	default:
		replay->skipped_nr[REPLAY_OTHER]++;
	}
}
