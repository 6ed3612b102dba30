/* SPDX-License-Identifier: Zlib */
/* Reads what ZWD_TRACE wrote, or somebody else: whatever is in it, nothing outside it is read. */
#ifndef ZWD_TRACE_FILE_H
#define ZWD_TRACE_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "operate/trace_format.h"

struct trace_file {
	const uint8_t *data;
	size_t len, at;
	bool has_data;
	bool is_cut; /* the last record is not all there: the disk was full, or the process killed
		      */
	const char *wrong; /* why reading ended before the end, or NULL */
};

struct trace_call {
	enum zwd_trace_kind kind;
	enum zwd_trace_function function;
	unsigned int parts;
	uint64_t thread, begin_ns, took_ns, stream;
	unsigned int numbers_nr;
	int64_t numbers[ZWD_TRACE_NUMBERS]; /* those that are not there are 0 */
	int64_t ret;
	uint64_t in_len, out_len, taken, made, total_in, total_out, adler, check;
	const uint8_t *data;
	size_t data_len, ahead; /* ahead: so much of it was not taken by this call */
};

/* False: it is no trace of a version known here; wrong says so. */
bool trace_file_begin(struct trace_file *file, const uint8_t *data, size_t len);
/* The next record; false at the end, where wrong may be set. */
bool trace_file_next(struct trace_file *file, struct trace_call *call);
/* "deflate" */
const char *trace_function_name(enum zwd_trace_function function);

#endif
