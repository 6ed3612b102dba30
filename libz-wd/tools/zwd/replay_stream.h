/* SPDX-License-Identifier: Zlib */
/* One stream of a trace, run again and compared. */
#ifndef ZWD_REPLAY_STREAM_H
#define ZWD_REPLAY_STREAM_H

#include "tools/zwd/replay_run.h"

struct replay_stream {
	uint64_t id;	 /* 0: there is none */
	unsigned int nr; /* as it is named to the user */
	bool is_deflate, is_back;
	bool is_silent; /* nothing is made again until it begins anew */
	bool is_known;	/* its input is in the trace, not made up */
	int window_bits;
	z_stream strm;
	uint8_t *window; /* inflateBack()'s */

	/* Since it began, or began anew: input, and how far the recorded stream was in it and this
	 * one is. */
	uint8_t *input;
	size_t input_len, recorded_in, in;
	uint64_t recorded_out, out;
	uint32_t recorded_check, out_check; /* of all output */
	bool recorded_ended, ended;
	bool is_soft; /* as recorded: all of it was the real zlib's */
	uint32_t in_check;

	/* deflate: what comes out is decoded, unless bits were put into it that nobody can decode.
	 */
	z_stream decoder;
	bool has_decoder, decoder_ended, is_undecodable;
	uint64_t decoded_len;
	uint32_t decoded_check;

	gz_header header; /* the caller's, which has to last */
	uint8_t *header_data;
	Bytef header_extra[64], header_name[64];
};

/* A sentence for the user: this call was another. */
void replay_differs(struct replay *replay, const struct replay_stream *s,
		    const struct trace_call *call, const char *format, ...)
	__attribute__((format(printf, 4, 5)));

const char *replay_return_name(int64_t ret);

/* deflate(), deflateParams(), inflate(), inflateSync(). */
void replay_feed(struct replay *replay, struct replay_stream *s, const struct trace_call *call);
/* All other calls of an open stream but those that begin and end one. */
void replay_ask(struct replay *replay, struct replay_stream *s, const struct trace_call *call);
/* A life is over: what came of it is compared. */
void replay_settle(struct replay *replay, struct replay_stream *s, const struct trace_call *call);

/* The decoder's memory and all else but the stream itself. */
void replay_stream_free(struct replay *replay, struct replay_stream *s);
bool replay_decoder_begin(struct replay *replay, struct replay_stream *s);

#endif
