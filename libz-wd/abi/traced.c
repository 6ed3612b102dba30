/* SPDX-License-Identifier: Zlib */
/*
 * ZWD_TRACE: each function of the interface, called and recorded. A function of that name asks for
 * the one here when a program calls it; the call that is made from here is this library's own, and
 * goes on.
 */
#include "config.h"

#include <string.h>

#include "abi/traced_calls.h"
#include "abi/traced_gz.h"
#include "operate/settings.h"
#include "stream/zstream.h"

#define CALL(type, name, params, args, ...)                                                        \
	ZWD_TRACED_CALL(type, name, params, args, strm, NULL, __VA_ARGS__)
#define STREAM_CALL(type, name, params, args, ...)                                                 \
	ZWD_TRACED_CALL(type, name, params, args, strm, strm, __VA_ARGS__)

CALL(int, deflateInit_, (z_streamp strm, int level, const char *version, int size),
     (strm, level, version, size), level, version ? version[0] : 0, size)
CALL(int, deflateInit2_,
     (z_streamp strm, int level, int method, int bits, int mem, int strategy, const char *version,
      int size),
     (strm, level, method, bits, mem, strategy, version, size), level, method, bits, mem, strategy,
     version ? version[0] : 0, size)
CALL(int, inflateInit_, (z_streamp strm, const char *version, int size), (strm, version, size),
     version ? version[0] : 0, size)
CALL(int, inflateInit2_, (z_streamp strm, int bits, const char *version, int size),
     (strm, bits, version, size), bits, version ? version[0] : 0, size)
CALL(int, inflateBackInit_,
     (z_streamp strm, int bits, unsigned char *window, const char *version, int size),
     (strm, bits, window, version, size), bits, version ? version[0] : 0, size)

STREAM_CALL(int, deflateEnd, (z_streamp strm), (strm), 0)
STREAM_CALL(int, deflateReset, (z_streamp strm), (strm), 0)
STREAM_CALL(int, deflateResetKeep, (z_streamp strm), (strm), 0)
CALL(int, deflateTune, (z_streamp strm, int good, int lazy, int nice, int chain),
     (strm, good, lazy, nice, chain), good, lazy, nice, chain)
CALL(uLong, deflateBound, (z_streamp strm, uLong len), (strm, len), (int64_t)len)
CALL(z_size_t, deflateBound_z, (z_streamp strm, z_size_t len), (strm, len), (int64_t)len)
CALL(int, deflatePending, (z_streamp strm, unsigned int *pending, int *bits), (strm, pending, bits),
     ret == Z_OK && pending ? (int64_t)*pending : -1, ret == Z_OK && bits ? *bits : -1)
CALL(int, deflateUsed, (z_streamp strm, int *bits), (strm, bits), ret == Z_OK && bits ? *bits : -1)
CALL(int, deflatePrime, (z_streamp strm, int bits, int value), (strm, bits, value), bits, value)

STREAM_CALL(int, inflateEnd, (z_streamp strm), (strm), 0)
STREAM_CALL(int, inflateReset, (z_streamp strm), (strm), 0)
STREAM_CALL(int, inflateReset2, (z_streamp strm, int bits), (strm, bits), bits)
STREAM_CALL(int, inflateResetKeep, (z_streamp strm), (strm), 0)
CALL(int, inflateSyncPoint, (z_streamp strm), (strm), 0)
CALL(int, inflatePrime, (z_streamp strm, int bits, int value), (strm, bits, value), bits, value)
CALL(long, inflateMark, (z_streamp strm), (strm), 0)
CALL(int, inflateGetHeader, (z_streamp strm, gz_headerp head), (strm, head), head != NULL)
CALL(int, inflateUndermine, (z_streamp strm, int subvert), (strm, subvert), subvert)
CALL(int, inflateValidate, (z_streamp strm, int check), (strm, check), check)
CALL(unsigned long, inflateCodesUsed, (z_streamp strm), (strm), 0)
CALL(int, inflateBackEnd, (z_streamp strm), (strm), 0)

ZWD_TRACED_CALL(int, deflateCopy, (z_streamp dest, z_streamp source), (dest, source), source, NULL,
		(int64_t)(uintptr_t)dest)
ZWD_TRACED_CALL(int, inflateCopy, (z_streamp dest, z_streamp source), (dest, source), source, NULL,
		(int64_t)(uintptr_t)dest)

/* The same bytes come of it as of the real zlib on its own. */
static bool is_soft(z_streamp strm)
{
	const struct zwd_stream *s = zwd_stream_of(strm, ZWD_MAGIC_DEFLATE);

	return !s || s->mode == ZWD_MODE_SOFT;
}

static bool is_soft_inflate(z_streamp strm)
{
	const struct zwd_stream *s = zwd_stream_of(strm, ZWD_MAGIC_INFLATE);

	return !s || s->mode == ZWD_MODE_SOFT;
}

/* Those that take a stream's input. */
#define FEEDING_CALL(name, params, args, soft, ...)                                                \
	static int traced_##name params                                                            \
	{                                                                                          \
		struct zwd_traced_call call;                                                       \
		int ret;                                                                           \
                                                                                                   \
		zwd_traced_enter(&call, ZWD_CALL_##name, strm, strm);                              \
		call.has_input = true;                                                             \
		ret = name args;                                                                   \
		call.is_soft = soft;                                                               \
		call.is_device = !is_soft_inflate(strm);                                           \
		zwd_traced_leave(&call, ret, ZWD_NUMBERS(__VA_ARGS__));                            \
		return ret;                                                                        \
	}

FEEDING_CALL(deflate, (z_streamp strm, int flush), (strm, flush), is_soft(strm), flush)
FEEDING_CALL(deflateParams, (z_streamp strm, int level, int strategy), (strm, level, strategy),
	     is_soft(strm), level, strategy)
FEEDING_CALL(inflate, (z_streamp strm, int flush), (strm, flush), false, flush)
FEEDING_CALL(inflateSync, (z_streamp strm), (strm), false, 0)

#define SET_DICTIONARY(name)                                                                       \
	static int traced_##name(z_streamp strm, const Bytef *dict, uInt len)                      \
	{                                                                                          \
		struct zwd_traced_call call;                                                       \
		int ret;                                                                           \
                                                                                                   \
		zwd_traced_enter(&call, ZWD_CALL_##name, strm, NULL);                              \
		zwd_traced_add(&call, dict, len);                                                  \
		ret = name(strm, dict, len);                                                       \
		zwd_traced_leave(&call, ret, ZWD_NUMBERS(len));                                    \
		return ret;                                                                        \
	}

SET_DICTIONARY(deflateSetDictionary)
SET_DICTIONARY(inflateSetDictionary)

#define GET_DICTIONARY(name)                                                                       \
	static int traced_##name(z_streamp strm, Bytef *dict, uInt *len)                           \
	{                                                                                          \
		struct zwd_traced_call call;                                                       \
		int ret;                                                                           \
                                                                                                   \
		zwd_traced_enter(&call, ZWD_CALL_##name, strm, NULL);                              \
		ret = name(strm, dict, len);                                                       \
		call.made = dict;                                                                  \
		call.made_len = ret == Z_OK && dict && len ? *len : 0;                             \
		zwd_traced_leave(                                                                  \
			&call, ret,                                                                \
			ZWD_NUMBERS(dict != NULL, ret == Z_OK && len ? (int64_t)*len : -1));       \
		return ret;                                                                        \
	}

GET_DICTIONARY(deflateGetDictionary)
GET_DICTIONARY(inflateGetDictionary)

/* Contents are the extra field, then the name and the comment, each with its zero byte. */
static int traced_deflateSetHeader(z_streamp strm, gz_headerp head)
{
	const gz_header none = { 0 }, *h = head ? head : &none;
	struct zwd_traced_call call;
	int ret;

	zwd_traced_enter(&call, ZWD_CALL_deflateSetHeader, strm, NULL);
	/* They have to be there when deflate() writes them: without need, nobody looks before. */
	if (zwd_trace_has_data()) {
		zwd_traced_add(&call, h->extra, h->extra_len);
		zwd_traced_add(&call, h->name, h->name ? strlen((char *)h->name) + 1 : 0);
		zwd_traced_add(&call, h->comment, h->comment ? strlen((char *)h->comment) + 1 : 0);
	}
	ret = deflateSetHeader(strm, head);
	zwd_traced_leave(&call, ret,
			 ZWD_NUMBERS(head != NULL, h->text, (int64_t)h->time, h->os, h->hcrc,
				     h->extra ? (int64_t)h->extra_len : -1, h->name != NULL,
				     h->comment != NULL));
	return ret;
}

/* The caller's functions of inflateBack(), and what went through them. */
struct back {
	z_streamp strm;
	in_func in;
	out_func out;
	void *in_desc, *out_desc;
	uint64_t in_len, out_len;
	uint32_t check;
};

static void put_piece(const struct back *back, const unsigned char *piece, unsigned int len)
{
	unsigned char record[16] = { ZWD_TRACE_PIECE }, *at;
	struct iovec iov[3];

	if (!len || !zwd_trace_has_data())
		return;
	at = zwd_trace_number(record + 1, (uintptr_t)back->strm);
	iov[1] = (struct iovec){ record, (size_t)(at - record) };
	iov[2] = (struct iovec){ (void *)piece, len };
	zwd_trace_put(iov, 3);
}

static unsigned int take_piece(void *desc, z_const unsigned char **piece)
{
	struct back *back = desc;
	unsigned int len = back->in(back->in_desc, piece);

	back->in_len += len;
	put_piece(back, *piece, len);
	return len;
}

static int give_piece(void *desc, unsigned char *piece, unsigned int len)
{
	struct back *back = desc;

	back->out_len += len;
	back->check = (uint32_t)crc32(back->check, piece, len);
	return back->out(back->out_desc, piece, len);
}

static int traced_inflateBack(z_streamp strm, in_func in, void *in_desc, out_func out,
			      void *out_desc)
{
	struct back back = { strm, in, out, in_desc, out_desc, 0, 0, 0 };
	struct zwd_traced_call call;
	int ret;

	zwd_traced_enter(&call, ZWD_CALL_inflateBack, strm, NULL);
	if (strm && strm->next_in)
		put_piece(&back, strm->next_in, strm->avail_in);
	back.in_len = strm && strm->next_in ? strm->avail_in : 0;
	ret = in && out ? inflateBack(strm, take_piece, &back, give_piece, &back)
			: inflateBack(strm, in, in_desc, out, out_desc);
	zwd_traced_leave(&call, ret,
			 ZWD_NUMBERS((int64_t)back.in_len, (int64_t)back.out_len, back.check,
				     strm && strm->next_in ? strm->avail_in : 0));
	return ret;
}

void zwd_traced_begin(void)
{
	const char *setting = zwd_settings_load()->trace;

	if (!*setting) {
		zwd_trace_state = ZWD_TRACE_OFF;
		return;
	}
#define PUT(name) zwd_traced.name = traced_##name
	PUT(deflateInit_);
	PUT(deflateInit2_);
	PUT(deflate);
	PUT(deflateEnd);
	PUT(deflateReset);
	PUT(deflateResetKeep);
	PUT(deflateSetDictionary);
	PUT(deflateGetDictionary);
	PUT(deflateCopy);
	PUT(deflateParams);
	PUT(deflateTune);
	PUT(deflateBound);
	PUT(deflateBound_z);
	PUT(deflatePending);
	PUT(deflatePrime);
	PUT(deflateSetHeader);
	PUT(deflateUsed);
	PUT(inflateInit_);
	PUT(inflateInit2_);
	PUT(inflate);
	PUT(inflateEnd);
	PUT(inflateReset);
	PUT(inflateReset2);
	PUT(inflateResetKeep);
	PUT(inflateSetDictionary);
	PUT(inflateGetDictionary);
	PUT(inflateSync);
	PUT(inflateSyncPoint);
	PUT(inflateCopy);
	PUT(inflatePrime);
	PUT(inflateMark);
	PUT(inflateGetHeader);
	PUT(inflateUndermine);
	PUT(inflateValidate);
	PUT(inflateCodesUsed);
	PUT(inflateBackInit_);
	PUT(inflateBack);
	PUT(inflateBackEnd);
	zwd_traced_gz_fill();
	zwd_trace_begin(setting, zlibVersion());
}
