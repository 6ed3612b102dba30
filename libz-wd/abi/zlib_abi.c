/* SPDX-License-Identifier: Zlib */
/*
 * The stream functions of zlib.h. A stream that is not ours (opened by another zlib, or by the real
 * one for itself) is forwarded untouched; so are arguments that no stream function accepts.
 */
#include "config.h"

#include "stream/inner.h"
#include "stream/trace_way.h"
#include "deflate/life.h"
#include "engine/policy.h"
#include "stream/zstream.h"

#define likely(x) __builtin_expect(!!(x), 1)

/* May the call be the real zlib's own, though nothing tells it from a program's? See inner.c. */
#define IS_INNER_CALL(what)                                                                        \
	(!likely(atomic_load_explicit(&zwd_soft_zlib_is_open, memory_order_acquire)) &&            \
	 (zwd_soft(), zwd_inner_is_first(what, __builtin_return_address(0))))

/* Forwards when strm is not ours, else sets s. */
#define OURS_OR_FORWARD(s, strm, kind, call)                                                       \
	struct zwd_stream *s = zwd_stream_of(strm, ZWD_MAGIC_##kind);                              \
	if (!s)                                                                                    \
	return zwd_soft()->call

int ZEXPORT deflateInit_(z_streamp strm, int level, const char *version, int stream_size)
{
	ZWD_TRACED_FIRST(deflateInit_, (strm, level, version, stream_size));
	return zwd_deflate_init(strm, level, Z_DEFLATED, 15, 8, Z_DEFAULT_STRATEGY, version,
				stream_size);
}

int ZEXPORT deflateInit2_(z_streamp strm, int level, int method, int window_bits, int mem_level,
			  int strategy, const char *version, int stream_size)
{
	if (IS_INNER_CALL(ZWD_INNER_DEFLATE))
		return zwd_soft()->deflateInit2_(strm, level, method, window_bits, mem_level,
						 strategy, version, stream_size);
	ZWD_TRACED_FIRST(deflateInit2_, (strm, level, method, window_bits, mem_level, strategy,
					 version, stream_size));
	return zwd_deflate_init(strm, level, method, window_bits, mem_level, strategy, version,
				stream_size);
}

/* Calls of these are the most: the way to the real zlib is as short as can be, all else is apart. */
#define STREAM_FUNCTION(name, kind)                                                                \
	static __attribute__((noinline)) int other_##name(z_streamp strm, int flush)               \
	{                                                                                          \
		return zwd_soft()->name(strm, flush);                                              \
	}                                                                                          \
                                                                                                   \
	static inline int run_##name(z_streamp strm, int flush)                                    \
	{                                                                                          \
		/* The real zlib looks itself whether the state is this stream's. */                 \
		struct zwd_stream *s = strm && strm->zalloc ? (struct zwd_stream *)strm->state : NULL; \
		uint64_t kind_and_mode = s ? zwd_stream_kind_and_mode(s) : 0;                      \
		int ret;                                                                           \
                                                                                                   \
		if (likely(kind_and_mode == ZWD_MAGIC_##kind)) {                                   \
			ZWD_SOFT_CALL(ret, strm, s, name(strm, flush));                            \
			return ret;                                                                \
		}                                                                                  \
		if ((uint32_t)kind_and_mode == ZWD_MAGIC_##kind && s->strm == strm && strm->zfree) \
			return name##_of_device(strm, s, flush);                                   \
		return other_##name(strm, flush);                                                  \
	}                                                                                          \
                                                                                                   \
	static __attribute__((noinline)) int record_##name(z_streamp strm, int flush,              \
							   const void *return_address)             \
	{                                                                                          \
		return zwd_traced_is_program(return_address) ? zwd_traced.name(strm, flush) :      \
							       run_##name(strm, flush);            \
	}                                                                                          \
                                                                                                   \
	int ZEXPORT name(z_streamp strm, int flush)                                                \
	{                                                                                          \
		if (!likely(zwd_trace_state != ZWD_TRACE_ON))                                      \
			return record_##name(strm, flush, __builtin_return_address(0));            \
		return run_##name(strm, flush);                                                    \
	}

static __attribute__((noinline)) int deflate_of_device(z_streamp strm, struct zwd_stream *s,
						    int flush)
{
	int ret;

	s->d.trial.begin_ns = 0;
	ret = zwd_deflate(strm, s, flush);
	if (s->d.trial.begin_ns)
		zwd_policy_deflate_end(strm, s, ret);
	return ret;
}

STREAM_FUNCTION(deflate, DEFLATE)

int ZEXPORT deflateEnd(z_streamp strm)
{
	ZWD_TRACED(deflateEnd, (strm));
	OURS_OR_FORWARD(s, strm, DEFLATE, deflateEnd(strm));
	return zwd_deflate_end(strm, s);
}

int ZEXPORT deflateReset(z_streamp strm)
{
	ZWD_TRACED(deflateReset, (strm));
	OURS_OR_FORWARD(s, strm, DEFLATE, deflateReset(strm));
	return zwd_deflate_reset(strm, s, 0);
}

int ZEXPORT deflateResetKeep(z_streamp strm)
{
	ZWD_TRACED(deflateResetKeep, (strm));
	OURS_OR_FORWARD(s, strm, DEFLATE, deflateResetKeep(strm));
	return zwd_deflate_reset(strm, s, 1);
}

int ZEXPORT deflateCopy(z_streamp dest, z_streamp source)
{
	ZWD_TRACED(deflateCopy, (dest, source));
	OURS_OR_FORWARD(s, source, DEFLATE, deflateCopy(dest, source));
	if (!dest || !source->zalloc || !source->zfree)
		return Z_STREAM_ERROR;
	return zwd_deflate_copy(dest, source, s);
}

int ZEXPORT deflateParams(z_streamp strm, int level, int strategy)
{
	ZWD_TRACED(deflateParams, (strm, level, strategy));
	OURS_OR_FORWARD(s, strm, DEFLATE, deflateParams(strm, level, strategy));
	int ret;

	if (s->mode != ZWD_MODE_SOFT)
		return zwd_deflate_params(strm, s, level, strategy);
	ZWD_SOFT_CALL(ret, strm, s, deflateParams(strm, level, strategy));
	if (ret == Z_OK)
		zwd_deflate_take_over(strm, s, level == Z_DEFAULT_COMPRESSION ? 6 : level, strategy);
	return ret;
}

int ZEXPORT deflateSetHeader(z_streamp strm, gz_headerp head)
{
	ZWD_TRACED(deflateSetHeader, (strm, head));
	OURS_OR_FORWARD(s, strm, DEFLATE, deflateSetHeader(strm, head));
	int ret = zwd_deflate_set_header(strm, s, head);

	if (ret == Z_OK && s->mode == ZWD_MODE_SOFT)
		ZWD_SOFT_CALL(ret, strm, s, deflateSetHeader(strm, head));
	return ret;
}

uLong ZEXPORT deflateBound(z_streamp strm, uLong len)
{
	ZWD_TRACED(deflateBound, (strm, len));
	OURS_OR_FORWARD(s, strm, DEFLATE, deflateBound(strm, len));
	uLong ret;

	if (s->mode != ZWD_MODE_SOFT)
		return zwd_deflate_bound(s, len);
	ZWD_SOFT_CALL(ret, strm, s, deflateBound(strm, len));
	return ret;
}

z_size_t ZEXPORT deflateBound_z(z_streamp strm, z_size_t len)
{
	ZWD_TRACED(deflateBound_z, (strm, len));
	z_size_t bound;

	/* The real zlib's deflateBound() asks for this one, through the dynamic linker. */
	if (!zwd_stream_of(strm, ZWD_MAGIC_DEFLATE) && zwd_soft_zlib_has(zwd_soft()->deflateBound_z))
		return zwd_soft()->deflateBound_z(strm, len);
	bound = deflateBound(strm, len);
	return bound < len ? (z_size_t)-1 : bound;
}

/*
 * A deflate function that mode SOFT leaves to the real zlib and the other modes do themselves.
 * reason: after it the stream is software's, for that.
 */
#define DEFLATE_FUNCTION(name, params, soft_args, reason, ours)                                      \
	int ZEXPORT name params                                                                    \
	{                                                                                          \
		ZWD_TRACED(name, soft_args);                                                       \
		OURS_OR_FORWARD(s, strm, DEFLATE, name soft_args);                                 \
		int ret;                                                                           \
                                                                                                   \
		if (s->mode != ZWD_MODE_SOFT) {                                                    \
			if (reason != ZWD_COUNTERS && !s->d.is_raw)                                \
				zwd_count(ZWD_DEFLATE, reason, 1);                                 \
			return ours;                                                               \
		}                                                                                  \
		ZWD_SOFT_CALL(ret, strm, s, name soft_args);                                       \
		return ret;                                                                        \
	}

DEFLATE_FUNCTION(deflateSetDictionary, (z_streamp strm, const Bytef *dict, uInt len),
		 (strm, dict, len), ZWD_COUNTERS,
		 zwd_deflate_set_dictionary(strm, s, dict, len))
DEFLATE_FUNCTION(deflateGetDictionary, (z_streamp strm, Bytef *dict, uInt *len), (strm, dict, len),
		 ZWD_COUNTERS, zwd_deflate_get_dictionary(strm, s, dict, len))
DEFLATE_FUNCTION(deflatePending, (z_streamp strm, unsigned int *pending, int *bits),
		 (strm, pending, bits), ZWD_COUNTERS, zwd_deflate_pending(s, pending, bits))
DEFLATE_FUNCTION(deflateUsed, (z_streamp strm, int *bits), (strm, bits), ZWD_COUNTERS,
		 zwd_deflate_used(s, bits))
DEFLATE_FUNCTION(deflatePrime, (z_streamp strm, int bits, int value), (strm, bits, value),
		 ZWD_SOFT_TUNED, zwd_deflate_prime(strm, s, bits, value))
DEFLATE_FUNCTION(deflateTune, (z_streamp strm, int good, int lazy, int nice, int chain),
		 (strm, good, lazy, nice, chain), ZWD_SOFT_TUNED,
		 zwd_deflate_tune(strm, s, good, lazy, nice, chain))

int ZEXPORT inflateInit_(z_streamp strm, const char *version, int stream_size)
{
	ZWD_TRACED_FIRST(inflateInit_, (strm, version, stream_size));
	return zwd_inflate_init(strm, 15, version, stream_size);
}

int ZEXPORT inflateInit2_(z_streamp strm, int window_bits, const char *version, int stream_size)
{
	if (IS_INNER_CALL(ZWD_INNER_INFLATE))
		return zwd_soft()->inflateInit2_(strm, window_bits, version, stream_size);
	ZWD_TRACED_FIRST(inflateInit2_, (strm, window_bits, version, stream_size));
	return zwd_inflate_init(strm, window_bits, version, stream_size);
}

static __attribute__((noinline)) int inflate_of_device(z_streamp strm, struct zwd_stream *s,
						    int flush)
{
	uLong before = strm->total_in;
	int ret;

	s->i.trial.begin_ns = 0;
	ret = zwd_inflate(strm, s, flush);
	if (s->i.trial.begin_ns)
		zwd_policy_inflate_end(s, strm->total_in - before, ret);
	return ret;
}

STREAM_FUNCTION(inflate, INFLATE)

int ZEXPORT inflateEnd(z_streamp strm)
{
	ZWD_TRACED(inflateEnd, (strm));
	OURS_OR_FORWARD(s, strm, INFLATE, inflateEnd(strm));
	return zwd_inflate_end(strm, s);
}

int ZEXPORT inflateCopy(z_streamp dest, z_streamp source)
{
	ZWD_TRACED(inflateCopy, (dest, source));
	OURS_OR_FORWARD(s, source, INFLATE, inflateCopy(dest, source));
	if (!dest || !source->zalloc || !source->zfree)
		return Z_STREAM_ERROR;
	return zwd_inflate_copy(dest, source, s);
}

int ZEXPORT inflateReset(z_streamp strm)
{
	ZWD_TRACED(inflateReset, (strm));
	OURS_OR_FORWARD(s, strm, INFLATE, inflateReset(strm));
	z_stream before = *strm;
	int ret = Z_OK;

	if (!s->soft)
		zwd_inflate_clear(strm, s->i.window_bits);
	else if (zwd_inflate_is_framed(s))
		ret = zwd_inflate_unframe(strm, s);
	else
		ZWD_SOFT_CALL(ret, strm, s, inflateReset(strm));
	zwd_inflate_restart(&before, s, s->i.window_bits);
	return ret;
}

/* The window stays, and only software has one that a new stream can begin with. */
int ZEXPORT inflateResetKeep(z_streamp strm)
{
	ZWD_TRACED(inflateResetKeep, (strm));
	OURS_OR_FORWARD(s, strm, INFLATE, inflateResetKeep(strm));
	int ret = Z_OK;

	if (s->mode != ZWD_MODE_NEW) {
		if (zwd_inflate_go_soft(strm, s) != Z_OK)
			return Z_STREAM_ERROR;
		return zwd_inflate_reset_keep(strm, s);
	}
	zwd_inflate_restart(strm, s, s->i.window_bits);
	ret = zwd_inflate_open(strm, s);
	if (ret == Z_OK)
		ZWD_SOFT_CALL(ret, strm, s, inflateResetKeep(strm));
	return ret;
}

int ZEXPORT inflateReset2(z_streamp strm, int window_bits)
{
	ZWD_TRACED(inflateReset2, (strm, window_bits));
	OURS_OR_FORWARD(s, strm, INFLATE, inflateReset2(strm, window_bits));
	z_stream before = *strm;
	int ret = zwd_inflate_is_usual(window_bits) ? Z_OK : zwd_inflate_open(strm, s);

	if (ret != Z_OK)
		return ret;
	if (s->soft)
		ZWD_SOFT_CALL(ret, strm, s, inflateReset2(strm, window_bits));
	else
		zwd_inflate_clear(strm, window_bits);
	if (ret != Z_OK)
		return ret;
	s->i.is_odd = 0;
	zwd_inflate_restart(&before, s, window_bits);
	return Z_OK;
}

/* Before the header it is the real zlib's to fill in, and after it nobody's. */
int ZEXPORT inflateGetHeader(z_streamp strm, gz_headerp head)
{
	ZWD_TRACED(inflateGetHeader, (strm, head));
	OURS_OR_FORWARD(s, strm, INFLATE, inflateGetHeader(strm, head));
	int ret;

	if (s->mode == ZWD_MODE_NEW && zwd_inflate_open(strm, s) != Z_OK)
		return Z_STREAM_ERROR;
	if (zwd_inflate_is_framed(s)) {
		if (s->i.window_bits < 16)
			return Z_STREAM_ERROR;
		head->done = 0;
		return Z_OK;
	}
	ZWD_SOFT_CALL(ret, strm, s, inflateGetHeader(strm, head));
	return ret;
}

/* Makes the stream software's first, for what only that can do; else returns on_error. */
#define GO_SOFT(strm, s, reason, on_error)                                                         \
	do {                                                                                       \
		if ((s)->mode == ZWD_MODE_SOFT)                                                    \
			break;                                                                     \
		zwd_count(ZWD_INFLATE, reason,                                                     \
			  (s)->i.is_candidate && (s)->i.body == ZWD_BODY_SERIAL);                  \
		if (zwd_inflate_go_soft(strm, s) != Z_OK)                                          \
			return on_error;                                                           \
	} while (0)

#define INFLATE_FUNCTION(type, name, params, args, reason, on_error, call)                         \
	type ZEXPORT name params                                                                   \
	{                                                                                          \
		ZWD_TRACED(name, args);                                                            \
		OURS_OR_FORWARD(s, strm, INFLATE, name args);                                      \
		type ret;                                                                          \
                                                                                                   \
		GO_SOFT(strm, s, reason, on_error);                                                \
		call;                                                                              \
		return ret;                                                                        \
	}

INFLATE_FUNCTION(int, inflateSetDictionary, (z_streamp strm, const Bytef *dict, uInt len),
		 (strm, dict, len), ZWD_SOFT_DICTIONARY, Z_STREAM_ERROR,
		 ret = zwd_inflate_set_dictionary(strm, s, dict, len))
INFLATE_FUNCTION(int, inflateSync, (z_streamp strm), (strm), ZWD_SOFT_TUNED, Z_STREAM_ERROR,
		 ret = zwd_inflate_sync(strm, s))
INFLATE_FUNCTION(int, inflateValidate, (z_streamp strm, int check), (strm, check), ZWD_SOFT_TUNED,
		 Z_STREAM_ERROR, ret = zwd_inflate_validate(strm, s, check))
INFLATE_FUNCTION(int, inflateSyncPoint, (z_streamp strm), (strm), ZWD_SOFT_TUNED, Z_STREAM_ERROR,
		 ZWD_SOFT_CALL(ret, strm, s, inflateSyncPoint(strm)))
INFLATE_FUNCTION(int, inflatePrime, (z_streamp strm, int bits, int value), (strm, bits, value),
		 ZWD_SOFT_TUNED, Z_STREAM_ERROR,
		 ZWD_SOFT_CALL(ret, strm, s, inflatePrime(strm, bits, value)))
INFLATE_FUNCTION(long, inflateMark, (z_streamp strm), (strm), ZWD_SOFT_TUNED, -(1L << 16),
		 ZWD_SOFT_CALL(ret, strm, s, inflateMark(strm)))
INFLATE_FUNCTION(int, inflateUndermine, (z_streamp strm, int subvert), (strm, subvert),
		 ZWD_SOFT_TUNED, Z_STREAM_ERROR,
		 ZWD_SOFT_CALL(ret, strm, s, inflateUndermine(strm, subvert)))
INFLATE_FUNCTION(unsigned long, inflateCodesUsed, (z_streamp strm), (strm), ZWD_SOFT_TUNED,
		 (unsigned long)-1, ZWD_SOFT_CALL(ret, strm, s, inflateCodesUsed(strm)))

int ZEXPORT inflateGetDictionary(z_streamp strm, Bytef *dict, uInt *len)
{
	ZWD_TRACED(inflateGetDictionary, (strm, dict, len));
	OURS_OR_FORWARD(s, strm, INFLATE, inflateGetDictionary(strm, dict, len));
	int ret;

	if (s->mode == ZWD_MODE_OURS)
		return zwd_inflate_get_dictionary(strm, s, dict, len);
	ret = zwd_inflate_open(strm, s);
	if (ret == Z_OK)
		ZWD_SOFT_CALL(ret, strm, s, inflateGetDictionary(strm, dict, len));
	return ret;
}
