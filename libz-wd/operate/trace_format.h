/* SPDX-License-Identifier: Zlib */
/* What a file of ZWD_TRACE holds: for the library, which writes it, and for zwd replay. See zwd-trace(5). */
#ifndef ZWD_TRACE_FORMAT_H
#define ZWD_TRACE_FORMAT_H

#define ZWD_TRACE_MAGIC "ZWDTRACE"
#define ZWD_TRACE_VERSION 1
#define ZWD_TRACE_HEADER_LEN 16 /* magic, version, flags, 6 zero bytes */

enum zwd_trace_flags {
	ZWD_TRACE_HAS_DATA = 1, /* contents are recorded */
};

/* Records: a number of bytes, then a byte of these, then as many less one. */
enum zwd_trace_kind {
	ZWD_TRACE_INFO = 'I', /* texts, each ended by a zero byte: NAME=VALUE */
	ZWD_TRACE_CALL = 'C',
	ZWD_TRACE_PIECE = 'P', /* what inflateBack() was given by its caller: a stream, and contents */
};

/* What a call's record has behind its fixed fields. */
enum zwd_trace_parts {
	ZWD_TRACE_STREAM = 1, /* what the call did to a z_stream */
	ZWD_TRACE_OUTPUT = 2, /* CRC-32 of what it made */
	ZWD_TRACE_DATA = 4,   /* contents */
	ZWD_TRACE_SOFT = 8,   /* a stream that the real zlib has had from its beginning to here */
};

/* Contents of a stream go on for so many bytes behind what a call took; a device's for as many more as it made. */
#define ZWD_TRACE_AHEAD 16
/* Longer contents are left out. */
#define ZWD_TRACE_DATA_MAX (1u << 30)
#define ZWD_TRACE_NUMBERS 8
/* Of a record without contents. */
#define ZWD_TRACE_RECORD_MAX 256

/* Every function of zlib's interface, in an order that is the format's: new ones come last. */
#define ZWD_TRACE_FUNCTIONS(F)                                                                     \
	F(deflateInit_) F(deflateInit2_) F(deflate) F(deflateEnd) F(deflateReset)                  \
	F(deflateResetKeep) F(deflateSetDictionary) F(deflateGetDictionary) F(deflateCopy)         \
	F(deflateParams) F(deflateTune) F(deflateBound) F(deflatePending) F(deflatePrime)          \
	F(deflateSetHeader) F(deflateUsed) F(deflateBound_z)                                       \
	F(inflateInit_) F(inflateInit2_) F(inflate) F(inflateEnd) F(inflateReset)                  \
	F(inflateReset2) F(inflateResetKeep) F(inflateSetDictionary) F(inflateGetDictionary)       \
	F(inflateSync) F(inflateSyncPoint) F(inflateCopy) F(inflatePrime) F(inflateMark)           \
	F(inflateGetHeader) F(inflateUndermine) F(inflateValidate) F(inflateCodesUsed)             \
	F(inflateBackInit_) F(inflateBack) F(inflateBackEnd)                                       \
	F(compress) F(compress2) F(compress_z) F(compress2_z) F(uncompress) F(uncompress2)         \
	F(uncompress_z) F(uncompress2_z) F(compressBound) F(compressBound_z)                       \
	F(adler32) F(adler32_z) F(crc32) F(crc32_z) F(adler32_combine) F(adler32_combine64)        \
	F(crc32_combine) F(crc32_combine64) F(crc32_combine_gen) F(crc32_combine_gen64)            \
	F(crc32_combine_op) F(zlibVersion) F(zlibCompileFlags) F(zError)                           \
	F(gzopen) F(gzopen64) F(gzdopen) F(gzbuffer) F(gzsetparams) F(gzread) F(gzfread)           \
	F(gzwrite) F(gzfwrite) F(gzvprintf) F(gzprintf) F(gzputs) F(gzgets) F(gzputc) F(gzgetc)    \
	F(gzgetc_) F(gzungetc) F(gzflush) F(gzseek) F(gzseek64) F(gzrewind) F(gztell)              \
	F(gztell64) F(gzoffset) F(gzoffset64) F(gzeof) F(gzdirect) F(gzclose) F(gzclose_r)         \
	F(gzclose_w) F(gzerror) F(gzclearerr)

enum zwd_trace_function {
#define ZWD_TRACE_ID(name) ZWD_CALL_##name,
	ZWD_TRACE_FUNCTIONS(ZWD_TRACE_ID)
#undef ZWD_TRACE_ID
	ZWD_CALLS
};

#endif
