/* SPDX-License-Identifier: Zlib */
/* Reads what ZWD_TRACE wrote, or somebody else: whatever is in it, nothing outside it is read. */
#include "config.h"
#include <limits.h>
#include <string.h>
#include "tools/zwd/trace_file.h"

static const char *const names[] = {
#define NAME(name) #name,
	ZWD_TRACE_FUNCTIONS(NAME)
#undef NAME
};

const char *trace_function_name(enum zwd_trace_function function)
{
	return names[function];
}

bool trace_file_begin(struct trace_file *file, const uint8_t *data, size_t len)
{
	*file = (struct trace_file){ .data = data, .len = len, .at = ZWD_TRACE_HEADER_LEN };
	if (len < ZWD_TRACE_HEADER_LEN || memcmp(data, ZWD_TRACE_MAGIC, 8))
		file->wrong = "it is no trace";
	else if (data[8] != ZWD_TRACE_VERSION)
		file->wrong = "it is a trace of another version";
	else
		file->has_data = data[9] & ZWD_TRACE_HAS_DATA;
	return !file->wrong;
}

/* What is left of a record. */
struct rest {
	const uint8_t *at, *end;
	bool is_short;
};

static uint64_t take(struct rest *rest)
{
	uint64_t value = 0;

	for (unsigned int shift = 0; shift < 64; shift += 7) {
		uint8_t byte;

		if (rest->at == rest->end)
			break;
		byte = *rest->at++;
		value |= (uint64_t)(byte & 127) << shift;
		if (byte < 128)
			return value;
	}
	rest->is_short = true;
	return 0;
}

static int64_t take_signed(struct rest *rest)
{
	uint64_t value = take(rest);

	return (int64_t)(value >> 1 ^ -(value & 1));
}

static const char *read_stream(struct rest *rest, struct trace_call *call)
{
	call->in_len = take(rest);
	call->out_len = take(rest);
	call->taken = take(rest);
	call->made = take(rest);
	call->total_in = take(rest);
	call->total_out = take(rest);
	call->adler = take(rest);
	if (call->in_len > UINT_MAX || call->out_len > UINT_MAX || call->taken > call->in_len ||
	    call->made > call->out_len)
		return "a call took or made more than it was given";
	return NULL;
}

static const char *read_call(struct rest *rest, struct trace_call *call)
{
	const char *wrong = NULL;
	uint64_t function = rest->at < rest->end ? *rest->at++ : ZWD_CALLS;

	if (function >= ZWD_CALLS)
		return "a function of a later version";
	call->function = (enum zwd_trace_function)function;
	call->parts = rest->at < rest->end ? *rest->at++ : 0;
	call->thread = take(rest);
	call->begin_ns = take(rest);
	call->took_ns = take(rest);
	call->stream = take(rest);
	call->numbers_nr = rest->at < rest->end ? *rest->at++ : 0;
	if (call->numbers_nr > ZWD_TRACE_NUMBERS)
		return "too many numbers";
	for (unsigned int i = 0; i < call->numbers_nr; i++)
		call->numbers[i] = take_signed(rest);
	call->ret = take_signed(rest);
	if (call->parts & ZWD_TRACE_STREAM)
		wrong = read_stream(rest, call);
	if (call->parts & ZWD_TRACE_OUTPUT)
		call->check = take(rest);
	if (call->parts & ZWD_TRACE_DATA) {
		call->data_len = take(rest);
		call->ahead = take(rest);
		call->data = rest->at;
		if (call->data_len != (size_t)(rest->end - rest->at) ||
		    call->ahead > call->data_len)
			return "contents of another length";
		if (call->parts & ZWD_TRACE_STREAM && call->data_len - call->ahead != call->taken)
			return "contents of another length than was taken";
	}
	return wrong;
}

bool trace_file_next(struct trace_file *file, struct trace_call *call)
{
	struct rest rest = { file->data + file->at, file->data + file->len, false };
	uint64_t len;

	*call = (struct trace_call){ .kind = 0 };
	if (file->wrong || rest.at == rest.end)
		return false;
	len = take(&rest);
	if (rest.is_short || len > (uint64_t)(rest.end - rest.at)) {
		file->is_cut = true;
		return false;
	}
	rest.end = rest.at + len;
	file->at = (size_t)(rest.end - file->data);
	if (!len) {
		file->wrong = "an empty record";
		return false;
	}
	call->kind = *rest.at++;
	switch (call->kind) {
	case ZWD_TRACE_CALL:
		file->wrong = read_call(&rest, call);
		break;
	case ZWD_TRACE_PIECE:
		call->stream = take(&rest);
		call->data = rest.at;
		call->data_len = (size_t)(rest.end - rest.at);
		break;
	case ZWD_TRACE_INFO:
		call->data = rest.at;
		call->data_len = (size_t)(rest.end - rest.at);
		if (!call->data_len || call->data[call->data_len - 1])
			file->wrong = "a text without an end";
		break;
	default:
		file->wrong = "a record of an unknown kind";
	}
	if (rest.is_short && !file->wrong)
		file->wrong = "a record that is too short";
	return !file->wrong;
}
