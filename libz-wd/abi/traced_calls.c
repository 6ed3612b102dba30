/* SPDX-License-Identifier: Zlib */
/* A call that is recorded, from its beginning to its record. */
#include "config.h"

#include <string.h>

#include "abi/traced_calls.h"
#include "stream/checksum.h"

void zwd_traced_enter(struct zwd_traced_call *call, enum zwd_trace_function function,
		      const void *stream, z_streamp strm)
{
	*call = (struct zwd_traced_call){ .function = function,
					  .stream = (uintptr_t)stream,
					  .strm = strm };
	if (strm) {
		call->in = strm->next_in;
		call->in_len = strm->avail_in;
		call->out = strm->next_out;
		call->out_len = strm->avail_out;
	}
	call->begin = zwd_trace_clock();
}

void zwd_traced_add(struct zwd_traced_call *call, const void *data, size_t len)
{
	if (data && len && zwd_trace_has_data())
		call->data[call->data_nr++] = (struct iovec){ (void *)data, len };
}

/*
 * Input that follows what was taken, for an engine that takes a little more. Nobody reads behind
 * what the stream needs, so it may not be there: no further than the page of the last byte that was
 * taken.
 */
static size_t input_ahead(const struct zwd_traced_call *call, uInt taken)
{
	size_t left = call->in_len - taken, in_page = -(uintptr_t)(call->in + taken) & 4095;
	size_t wanted = ZWD_TRACE_AHEAD;

	if (!taken && !call->made_len)
		return 0;
	/* A device has read more than it says before what it made was delivered. */
	if (call->is_device)
		wanted += call->made_len;
	if (left > wanted)
		left = wanted;
	return left < in_page ? left : in_page;
}

/* What was taken of a length; one that grew instead is no stream's, but what a program has where it
 * opens one. */
static uInt used(uInt before, uInt after)
{
	return after <= before ? before - after : 0;
}

static unsigned char *put_stream(unsigned char *at, const struct zwd_traced_call *call, uInt taken,
				 uInt made)
{
	const uint64_t fields[] = {
		call->in_len,	       call->out_len,	 taken, made, call->strm->total_in,
		call->strm->total_out, call->strm->adler
	};

	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
		at = zwd_trace_number(at, fields[i]);
	return at;
}

/* Contents: bytes of them. */
static size_t measure(const struct zwd_traced_call *call)
{
	size_t len = 0;

	for (int i = 0; i < call->data_nr; i++)
		len += call->data[i].iov_len;
	return len <= ZWD_TRACE_DATA_MAX ? len : 0;
}

void zwd_traced_leave(struct zwd_traced_call *call, int64_t ret, const int64_t *numbers, size_t nr)
{
	const uint64_t now = zwd_trace_clock();
	unsigned char record[ZWD_TRACE_RECORD_MAX], *at = record,
						    parts = call->is_soft ? ZWD_TRACE_SOFT : 0;
	struct iovec iov[ZWD_TRACE_IOV];
	size_t data_len, ahead = 0;
	int iov_nr = 2;
	uInt taken = 0;

	if (call->strm) {
		parts |= ZWD_TRACE_STREAM;
		taken = used(call->in_len, call->strm->avail_in);
		call->made = call->out;
		call->made_len = used(call->out_len, call->strm->avail_out);
		if (call->has_input && call->in && zwd_trace_has_data()) {
			ahead = input_ahead(call, taken);
			zwd_traced_add(call, call->in, taken + ahead);
		}
	}
	if (call->made_len && call->made)
		parts |= ZWD_TRACE_OUTPUT;
	data_len = measure(call);
	if (data_len)
		parts |= ZWD_TRACE_DATA;

	*at++ = ZWD_TRACE_CALL;
	*at++ = (unsigned char)call->function;
	*at++ = parts;
	at = zwd_trace_number(at, zwd_trace_thread());
	at = zwd_trace_number(at, call->begin);
	at = zwd_trace_number(at, now - call->begin);
	at = zwd_trace_number(at, call->stream);
	*at++ = (unsigned char)nr;
	for (size_t i = 0; i < nr; i++)
		at = zwd_trace_signed(at, numbers[i]);
	at = zwd_trace_signed(at, ret);
	if (call->strm)
		at = put_stream(at, call, taken, (uInt)call->made_len);
	if (parts & ZWD_TRACE_OUTPUT)
		at = zwd_trace_number(at, zwd_crc32(0, call->made, call->made_len));
	if (data_len) {
		at = zwd_trace_number(at, data_len);
		at = zwd_trace_number(at, ahead);
		for (int i = 0; i < call->data_nr; i++)
			iov[iov_nr++] = call->data[i];
	}
	iov[1] = (struct iovec){ record, (size_t)(at - record) };
	zwd_trace_put(iov, iov_nr);
}
