/* SPDX-License-Identifier: Zlib */
/* A call that is recorded, from its beginning to its record. */
#ifndef ZWD_TRACED_CALLS_H
#define ZWD_TRACED_CALLS_H

#include <stdint.h>

#include "stream/trace_way.h"

struct zwd_traced_call {
	enum zwd_trace_function function;
	uintptr_t stream; /* the address of its z_stream, or of a file */
	z_streamp strm;	  /* of which it is recorded what the call did to it; or NULL */
	const Bytef *in;
	const Bytef *out;
	uInt in_len, out_len;
	uint64_t begin;
	bool has_input; /* its input is part of the contents */
	bool is_soft;
	bool is_device;
	/* Contents beside that, and output that is not in the stream. */
	struct iovec data[3];
	int data_nr;
	const void *made;
	size_t made_len;
};

/* Now the call is made; strm may be NULL. */
void zwd_traced_enter(struct zwd_traced_call *call, enum zwd_trace_function function,
		      const void *stream, z_streamp strm);
/* It has returned. Numbers are what it was given, and what it gave beside ret. */
void zwd_traced_leave(struct zwd_traced_call *call, int64_t ret, const int64_t *numbers, size_t nr);

void zwd_traced_add(struct zwd_traced_call *call, const void *data, size_t len);

#define ZWD_NUMBERS(...)                                                                           \
	(const int64_t[]){ __VA_ARGS__ }, sizeof((const int64_t[]){ __VA_ARGS__ }) / 8

/* A function that has no contents. stream: what it is about; strm: NULL, or that which it changes.
 */
#define ZWD_TRACED_CALL(type, name, params, args, stream_of_it, strm_of_it, ...)                   \
	static type traced_##name params                                                           \
	{                                                                                          \
		struct zwd_traced_call call;                                                       \
		type ret;                                                                          \
                                                                                                   \
		zwd_traced_enter(&call, ZWD_CALL_##name, (const void *)(stream_of_it),             \
				 strm_of_it);                                                      \
		ret = name args;                                                                   \
		zwd_traced_leave(&call, (int64_t)ret, ZWD_NUMBERS(__VA_ARGS__));                   \
		return ret;                                                                        \
	}

#endif
