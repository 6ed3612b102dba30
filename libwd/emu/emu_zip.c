// SPDX-License-Identifier: Zlib
/* Executes one submission entry of the ZIP engine (hardware reference, 17 to 20 and 25). */
#include "emu.h"
#include "emu_codec.h"
#include "emu_priv.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define HIST_MAX    0x8000
#define STORED_MAX  0xffff
#define STORED_HEAD 5 /* bytes of a stored block's header that starts on a byte boundary */
#define CTX_LEN	    (HISI_ZIP_CTX_SIZE - HISI_ZIP_CTX_SW_SIZE)

/* A stream between two requests, as the device's part of the context has it. */
struct ctx {
	uint32_t used; /* bytes from here that are in use; software may ask for this */
	uint32_t magic;
	uint8_t alg_type;
	uint8_t format;
	uint8_t phase;
	uint8_t trailer_nr;
	uint8_t trailer[8]; /* its first trailer_nr bytes, where it came in parts */
	uint32_t body_len;  /* compression: history; decompression: the codec's state */
	uint8_t body[];
} __attribute__((packed));

#define CTX_MAGIC 0x305a4445
#define BODY_MAX  (CTX_LEN - sizeof(struct ctx))

enum phase { PHASE_BODY, PHASE_TRAILER, PHASE_END };

/* One request, its addresses translated. */
struct job {
	struct emu_zip *zip;
	struct hisi_zip_sqe *sqe;
	const uint8_t *src;
	uint8_t *dst;
	struct ctx *ctx; /* NULL in block mode */
	uint32_t src_len;
	uint32_t dst_len;
	unsigned int format;
	bool is_new;
	bool is_finish;
	uint32_t sum; /* Adler-32 or CRC-32 of the stream's plain bytes so far */
	uint32_t isize;
};

static unsigned int trailer_len(unsigned int format)
{
	static const uint8_t len[] = {
		[HISI_ZIP_FORMAT_DEFLATE] = 0,
		[HISI_ZIP_FORMAT_ZLIB] = 4,
		[HISI_ZIP_FORMAT_GZIP] = 8,
	};

	return len[format];
}

static uint32_t reverse_bits(uint32_t v)
{
	v = (v & 0x55555555) << 1 | (v >> 1 & 0x55555555);
	v = (v & 0x33333333) << 2 | (v >> 2 & 0x33333333);
	v = (v & 0x0f0f0f0f) << 4 | (v >> 4 & 0x0f0f0f0f);
	return __builtin_bswap32(v);
}

/* The checksum field from the checksum, and back: see HISI_ZIP_FORMAT_GZIP. */
static uint32_t sum_to_field(const struct job *job)
{
	return job->format == HISI_ZIP_FORMAT_GZIP ? ~reverse_bits(job->sum) : job->sum;
}

static void start_sum(struct job *job)
{
	if (!job->is_new) {
		const uint32_t field = job->sqe->checksum;

		job->isize = job->sqe->isize;
		job->sum = job->format == HISI_ZIP_FORMAT_GZIP ? reverse_bits(~field) : field;
		return;
	}
	job->isize = 0;
	job->sum = job->format == HISI_ZIP_FORMAT_ZLIB ? 1 : 0;
}

static void add_plain(struct job *job, const uint8_t *plain, uint32_t len)
{
	const struct emu_codec *codec = job->zip->codec;

	job->isize += len;
	if (job->format == HISI_ZIP_FORMAT_ZLIB)
		job->sum = codec->adler32(job->sum, plain, len);
	else if (job->format == HISI_ZIP_FORMAT_GZIP)
		job->sum = codec->crc32(job->sum, plain, len);
}

static void put_le32(uint8_t *p, uint32_t v)
{
	for (int i = 0; i < 4; i++)
		p[i] = v >> 8 * i;
}

/* RFC 1950, RFC 1952 */
static void put_trailer(uint8_t *p, const struct job *job)
{
	if (job->format == HISI_ZIP_FORMAT_ZLIB) {
		put_le32(p, __builtin_bswap32(job->sum));
	} else if (job->format == HISI_ZIP_FORMAT_GZIP) {
		put_le32(p, job->sum);
		put_le32(p + 4, job->isize);
	}
}

static void finish(struct job *job, uint32_t consumed, uint32_t produced, uint32_t result)
{
	job->sqe->consumed = consumed;
	job->sqe->produced = produced;
	job->sqe->comp_data_len = 0;
	job->sqe->result = result;
	job->sqe->isize = job->isize;
	job->sqe->checksum = sum_to_field(job);
}

static void set_state(struct job *job, unsigned int state, bool is_final)
{
	if (job->ctx)
		job->sqe->ctx_w0 = state | (is_final ? HISI_ZIP_CTX_W0_FINAL : 0);
}

/* 0, or -ESTALE where the context is none of this kind of stream. */
static int load_ctx(struct job *job, unsigned int alg_type)
{
	struct ctx *ctx = job->ctx;

	if (!ctx || job->is_new)
		return 0;
	if (ctx->magic != CTX_MAGIC || ctx->alg_type != alg_type || ctx->format != job->format ||
	    ctx->trailer_nr > sizeof(ctx->trailer) || ctx->phase > PHASE_END ||
	    ctx->body_len > BODY_MAX)
		return -ESTALE;
	return 0;
}

/* Only now that the request has gone well: until here it can be repeated. */
static void save_ctx(struct job *job, unsigned int alg_type, enum phase phase, uint32_t body_len)
{
	struct ctx *ctx = job->ctx;

	if (!ctx)
		return;
	ctx->used = sizeof(*ctx) + body_len;
	ctx->magic = CTX_MAGIC;
	ctx->alg_type = alg_type;
	ctx->format = job->format;
	ctx->phase = phase;
	if (phase != PHASE_TRAILER)
		ctx->trailer_nr = 0;
	ctx->body_len = body_len;
	job->sqe->ctx_w1 = 0;
	job->sqe->ctx_w2 = body_len < HIST_MAX ? body_len : HIST_MAX;
}

/* What these bytes take as stored blocks; a piece that is not the last ends in an empty one. */
static uint64_t stored_len(uint32_t len, bool is_last)
{
	uint64_t blocks = (len + (uint64_t)STORED_MAX - 1) / STORED_MAX;

	if (!is_last || !len)
		blocks++;
	return len + blocks * STORED_HEAD;
}

/* The longest piece, not the last, that fits as stored blocks. */
static uint32_t stored_fit(uint32_t room)
{
	uint32_t blocks;

	if (room < 2 * STORED_HEAD)
		return 0;
	room -= STORED_HEAD;
	blocks = (room + STORED_MAX + STORED_HEAD - 1) / (STORED_MAX + STORED_HEAD);
	return room - blocks * STORED_HEAD;
}

static uint8_t *put_stored_head(uint8_t *p, uint32_t len, bool is_last)
{
	p[0] = is_last;
	p[1] = len;
	p[2] = len >> 8;
	p[3] = ~len;
	p[4] = ~len >> 8;
	return p + STORED_HEAD;
}

static uint32_t put_stored(uint8_t *dst, const uint8_t *src, uint32_t len, bool is_last)
{
	uint8_t *p = dst;
	bool is_ended = false;

	while (len) {
		uint32_t block = len < STORED_MAX ? len : STORED_MAX;

		is_ended = is_last && block == len;
		p = put_stored_head(p, block, is_ended);
		memcpy(p, src, block);
		p += block;
		src += block;
		len -= block;
	}
	if (!is_ended)
		p = put_stored_head(p, 0, is_last);
	return p - dst;
}

/* One byte-aligned piece, never longer than its stored form. Its length, or -ENOSPC. */
static int put_piece(struct job *job, uint32_t len, uint32_t room, bool is_last)
{
	static const uint8_t window_bits[] = {
		[HISI_ZIP_WINDOW_4K] = 12,  [HISI_ZIP_WINDOW_8K] = 13,	[HISI_ZIP_WINDOW_16K] = 14,
		[HISI_ZIP_WINDOW_24K] = 14, [HISI_ZIP_WINDOW_32K] = 15,
	};
	const uint64_t stored = stored_len(len, is_last);
	const unsigned int window = job->sqe->req_ctrl >> HISI_ZIP_REQ_WINDOW_SHIFT & 0xf;
	struct emu_deflate d = {
		.src = job->src,
		.dst = job->dst,
		.src_len = len,
		.dst_len = room < stored ? room : stored,
		.window_bits = window < sizeof(window_bits) ? window_bits[window] : 15,
		.is_last = is_last,
	};

	if (job->ctx && !job->is_new) {
		d.hist = job->ctx->body;
		d.hist_len = job->ctx->body_len;
	}
	if (len) {
		int ret = job->zip->codec->deflate(job->zip->work, &d);

		if (ret >= 0)
			return ret;
	}
	return stored <= room ? (int)put_stored(job->dst, job->src, len, is_last) : -ENOSPC;
}

/* Keeps the last 32 KiB of what was there and of src. */
static uint32_t keep_history(struct job *job, uint32_t len)
{
	uint8_t *hist = job->ctx->body;
	uint32_t old_len = job->is_new ? 0 : job->ctx->body_len;
	uint32_t new_len = len < HIST_MAX ? len : HIST_MAX;
	uint32_t keep_len = HIST_MAX - new_len < old_len ? HIST_MAX - new_len : old_len;

	memmove(hist, hist + old_len - keep_len, keep_len);
	memcpy(hist + keep_len, job->src + len - new_len, new_len);
	return keep_len + new_len;
}

static uint32_t compress(struct job *job)
{
	const unsigned int tail_len = trailer_len(job->format);
	uint32_t len = job->src_len;
	bool is_last = job->is_finish;
	int produced;

	if (job->ctx && !job->is_new &&
	    (job->ctx->phase != PHASE_BODY || job->ctx->body_len > HIST_MAX))
		return HISI_ZIP_BAD_DATA;
	for (;;) {
		uint32_t room = job->dst_len, fit;

		produced = -ENOSPC;
		if (!is_last)
			produced = put_piece(job, len, room, false);
		else if (room > tail_len)
			produced = put_piece(job, len, room - tail_len, true);
		if (produced >= 0)
			break;
		if (!job->ctx || !len)
			return HISI_ZIP_DST_FULL;
		/*
		 * Less input then: half of it again and again, but never below what is sure to fit.
		 * Without its end the piece is not the last one; software sees that in consumed.
		 */
		fit = stored_fit(room);
		if (fit > len - 1)
			fit = len - 1;
		len = len / 2 > fit ? len / 2 : fit;
		is_last = false;
	}
	add_plain(job, job->src, len);
	if (is_last) {
		put_trailer(job->dst + produced, job);
		produced += tail_len;
	}
	set_state(job, HISI_ZIP_CTX_NORMAL, is_last);
	if (job->ctx)
		save_ctx(job, HISI_ZIP_QUEUE_COMPRESS, is_last ? PHASE_END : PHASE_BODY,
			 is_last ? 0 : keep_history(job, len));
	finish(job, len, produced,
	       !job->ctx && (uint32_t)produced >= len ? HISI_ZIP_NEGATIVE : HISI_ZIP_OK);
	return HISI_ZIP_OK;
}

/* Takes what is there of the trailer, which is complete when *nr is its length. Bytes taken. */
static uint32_t take_trailer(struct job *job, uint8_t *trailer, uint8_t *nr, uint32_t consumed)
{
	uint32_t take = trailer_len(job->format) - *nr;

	if (take > job->src_len - consumed)
		take = job->src_len - consumed;
	memcpy(trailer + *nr, job->src + consumed, take);
	*nr += take;
	return take;
}

static uint32_t decompress(struct job *job)
{
	const bool is_known = job->ctx && !job->is_new;
	struct emu_inflate s = {
		.src = job->src,
		.dst = job->dst,
		.src_len = job->src_len,
		.dst_len = job->dst_len,
	};
	enum phase phase = is_known ? job->ctx->phase : PHASE_BODY;
	uint8_t trailer[8], expected[8], nr = 0;
	unsigned int state;
	uint32_t result = HISI_ZIP_OK;

	if (is_known && phase == PHASE_TRAILER) {
		nr = job->ctx->trailer_nr;
		memcpy(trailer, job->ctx->trailer, sizeof(trailer));
	}
	if (nr > trailer_len(job->format))
		return HISI_ZIP_BAD_DATA;
	if (phase == PHASE_BODY) {
		int ret;

		if (job->ctx) {
			s.state = job->ctx->body;
			s.state_max = BODY_MAX;
			s.state_len = is_known ? job->ctx->body_len : 0;
			if (is_known && !s.state_len)
				return HISI_ZIP_BAD_DATA;
		}
		ret = job->zip->codec->inflate(job->zip->work, &s);
		if (ret < 0)
			return HISI_ZIP_BAD_DATA;
		add_plain(job, job->dst, s.produced);
		if (ret == EMU_INFLATE_END)
			phase = PHASE_TRAILER;
	}
	if (phase == PHASE_TRAILER) {
		s.consumed += take_trailer(job, trailer, &nr, s.consumed);
		if (nr == trailer_len(job->format)) {
			put_trailer(expected, job);
			if (memcmp(trailer, expected, nr))
				result = HISI_ZIP_BAD_CHECKSUM;
			phase = PHASE_END;
		}
	}
	if (!job->ctx) {
		if (phase != PHASE_END)
			return s.is_waiting ? HISI_ZIP_DST_FULL : HISI_ZIP_BAD_DATA;
		finish(job, s.consumed, s.produced, result | HISI_ZIP_RESULT_LAST_BLOCK);
		return HISI_ZIP_OK;
	}

	state = s.is_waiting ? (s.is_final ? HISI_ZIP_CTX_END_NO_ROOM : HISI_ZIP_CTX_NO_ROOM)
			     : HISI_ZIP_CTX_NORMAL;
	if (phase == PHASE_END) {
		state = job->format == HISI_ZIP_FORMAT_DEFLATE ? HISI_ZIP_CTX_END_NO_SUM
							       : HISI_ZIP_CTX_NORMAL;
		result = (result ? result : HISI_ZIP_STREAM_END) | HISI_ZIP_RESULT_LAST_BLOCK;
	}
	if (phase == PHASE_TRAILER) {
		state = HISI_ZIP_CTX_BLOCK_DONE;
		job->ctx->trailer_nr = nr;
		memcpy(job->ctx->trailer, trailer, sizeof(trailer));
	}
	save_ctx(job, HISI_ZIP_QUEUE_DECOMPRESS, phase, s.state_len);
	set_state(job, state, phase != PHASE_BODY || s.is_final);
	finish(job, s.consumed, s.produced, result);
	return HISI_ZIP_OK;
}

static bool is_valid(const struct emu_zip *zip, unsigned int alg_type,
		     const struct hisi_zip_sqe *sqe)
{
	const unsigned int format = sqe->req_ctrl & HISI_ZIP_REQ_FORMAT;

	if (sqe->src_ctrl >> HISI_ZIP_SRC_TYPE_SHIFT !=
	    (zip->qm < 3 ? HISI_ZIP_SQE_TYPE0 : HISI_ZIP_SQE_TYPE3))
		return false;
	if (format != HISI_ZIP_FORMAT_ZLIB && format != HISI_ZIP_FORMAT_GZIP &&
	    (format != HISI_ZIP_FORMAT_DEFLATE || zip->qm < 3))
		return false;
	return alg_type <= HISI_ZIP_QUEUE_DECOMPRESS && sqe->src_len <= HISI_ZIP_MAX_LEN &&
	       sqe->dst_len <= HISI_ZIP_MAX_LEN;
}

/* Memory of a request: a flat piece, or so many bytes of a scatter list. */
struct area {
	uint64_t addr;
	uint32_t len;
	uint32_t skip; /* bytes of the list */
	bool is_list;
	bool is_apart; /* a copy always */
};

static struct area src_area(const struct hisi_zip_sqe *sqe)
{
	return (struct area){ emu_addr(sqe->src_l, sqe->src_h), sqe->src_len,
			      sqe->src_ctrl & HISI_ZIP_SRC_OFFSET, sqe->req_ctrl & HISI_ZIP_REQ_SGL,
			      false };
}

static struct area dst_area(const struct hisi_zip_sqe *sqe)
{
	return (struct area){ emu_addr(sqe->dst_l, sqe->dst_h), sqe->dst_len,
			      sqe->dst_ctrl & HISI_ZIP_SRC_OFFSET, sqe->req_ctrl & HISI_ZIP_REQ_SGL,
			      false };
}

/* As emu_dma_copy(), and it is remembered what was denied. */
static int copy(struct emu_zip *zip, uint64_t iova, void *buf, uint64_t len, int flag)
{
	int ret = emu_dma_copy(zip->dma.dma, iova, buf, len, flag);

	if (ret)
		zip->denied |= flag;
	return ret;
}

/* The first len bytes of the area, as copy() does. 0 or -EFAULT. */
static int area_copy(struct emu_zip *zip, const struct area *area, uint8_t *buf, uint32_t len,
		     int flag)
{
	uint32_t skip = area->skip, done = 0;
	uint64_t addr = area->addr;

	if (!area->is_list)
		return copy(zip, addr, buf, len, flag);
	for (unsigned int lists = 0; done < len && addr && lists < HISI_SGL_CHAIN_MAX; lists++) {
		struct hisi_sgl sgl;

		if (addr % HISI_SGL_ALIGN || copy(zip, addr, &sgl, sizeof(sgl), EMU_DMA_READ) ||
		    sgl.entries_nr > HISI_SGL_ENTRIES_MAX)
			return -EFAULT;
		for (unsigned int i = 0; done < len && i < sgl.entries_nr; i++) {
			struct hisi_sge sge;
			uint32_t piece;

			if (copy(zip, addr + sizeof(sgl) + i * sizeof(sge), &sge, sizeof(sge),
				 EMU_DMA_READ) ||
			    !sge.len || sge.len > HISI_ZIP_MAX_LEN)
				return -EFAULT;
			if (skip >= sge.len) {
				skip -= sge.len;
				continue;
			}
			piece = sge.len - skip < len - done ? sge.len - skip : len - done;
			if (copy(zip, sge.addr + skip, buf ? buf + done : NULL, piece, flag))
				return -EFAULT;
			skip = 0;
			done += piece;
		}
		addr = sgl.next;
	}
	return done < len ? -EFAULT : 0;
}

/* Room for a copy of so many bytes, or NULL. */
static uint8_t *copy_room(struct emu_zip *zip, enum emu_copy which, uint32_t len)
{
	if (zip->copy[which].room < len) {
		free(zip->copy[which].mem);
		zip->copy[which].mem = malloc(len);
		zip->copy[which].room = zip->copy[which].mem ? len : 0;
	}
	return zip->copy[which].mem;
}

/*
 * The area as one piece: where it lies, or else a copy. flags: EMU_DMA_READ to have its content in
 * the copy, EMU_DMA_WRITE to be sure that it can be written back. NULL: denied.
 */
static void *area_get(struct emu_zip *zip, const struct area *area, enum emu_copy which, int flags)
{
	void *mem = NULL;

	if (!area->is_list && !area->is_apart)
		mem = emu_dma_get(&zip->dma, area->addr, area->len, flags);
	if (mem)
		return mem;
	mem = copy_room(zip, which, area->len);
	if (!mem ||
	    (flags & EMU_DMA_WRITE && area_copy(zip, area, NULL, area->len, EMU_DMA_WRITE)) ||
	    (flags & EMU_DMA_READ && area_copy(zip, area, mem, area->len, EMU_DMA_READ)))
		return NULL;
	return mem;
}

/*
 * Nothing of a context may change between what is checked in it and what is done with it: it lies
 * elsewhere than the request's other memory, or a copy of it is worked on.
 */
static struct area ctx_area(const struct emu_zip *zip, const struct hisi_zip_sqe *sqe,
			    const struct area *src, const struct area *dst)
{
	struct area ctx = { emu_addr(sqe->ctx_l, sqe->ctx_h), CTX_LEN, 0, false, zip->is_wary };

	if (src->addr < ctx.addr + ctx.len && ctx.addr < src->addr + src->len)
		ctx.is_apart = true;
	if (dst->addr < ctx.addr + ctx.len && ctx.addr < dst->addr + dst->len)
		ctx.is_apart = true;
	return ctx;
}

/* Writes back what area_get() made a copy of. 0 or -EFAULT. */
static int area_put(struct emu_zip *zip, const struct area *area, enum emu_copy which,
		    const void *mem, uint32_t len)
{
	if (!len || !mem || mem != zip->copy[which].mem)
		return 0;
	return area_copy(zip, area, zip->copy[which].mem, len, EMU_DMA_WRITE);
}

void emu_zip_damage(struct emu_zip *zip, const struct hisi_zip_sqe *sqe)
{
	struct area area = dst_area(sqe);
	uint8_t *mem = sqe->produced
			       ? area_get(zip, &area, EMU_COPY_DST, EMU_DMA_READ | EMU_DMA_WRITE)
			       : NULL;

	if (mem) {
		mem[sqe->produced / 2] ^= 0x10;
		area_put(zip, &area, EMU_COPY_DST, mem, sqe->produced);
	}
	emu_dma_release(&zip->dma);
}

void emu_zip_fini(struct emu_zip *zip)
{
	/* One that is given up before it begins has no codec either. */
	if (zip->work)
		zip->codec->work_free(zip->work);
	for (int i = 0; i < EMU_COPIES; i++)
		free(zip->copy[i].mem);
}

/* HISI_ZIP_OK: the output fields are filled; else the status the request fails with. */
static uint32_t execute(struct emu_zip *zip, unsigned int alg_type, struct hisi_zip_sqe *sqe)
{
	const bool is_stream = sqe->src_ctrl & HISI_ZIP_SRC_STREAM;
	struct job job = {
		.zip = zip,
		.sqe = sqe,
		.src_len = sqe->src_len,
		.dst_len = sqe->dst_len,
		.format = sqe->req_ctrl & HISI_ZIP_REQ_FORMAT,
		.is_new = !is_stream || sqe->src_ctrl & HISI_ZIP_SRC_NEW,
		.is_finish = !is_stream || sqe->src_ctrl & HISI_ZIP_SRC_FINISH,
	};
	struct area src = src_area(sqe), dst = dst_area(sqe);
	struct area ctx = ctx_area(zip, sqe, &src, &dst);
	uint32_t status;

	if (!is_valid(zip, alg_type, sqe))
		return HISI_ZIP_BAD_DATA;
	/* Software's way to ask for nothing (hardware reference, 18.3). */
	if (!job.src_len && job.dst_len <= HISI_ZIP_BYPASS_DST) {
		emu_zip_fail(sqe, HISI_ZIP_OK);
		return HISI_ZIP_OK;
	}
	if (!is_stream && !job.src_len)
		return HISI_ZIP_BAD_DATA;
	if (job.dst_len < (is_stream ? HISI_ZIP_STREAM_MIN_DST : 1))
		return HISI_ZIP_DST_FULL;
	/* No input still has an address. */
	if (!src.len)
		src.len = 1;
	job.src = area_get(zip, &src, EMU_COPY_SRC, EMU_DMA_READ);
	if (!job.src_len)
		zip->denied = 0;
	job.dst = area_get(zip, &dst, EMU_COPY_DST, EMU_DMA_WRITE);
	if (!job.src || !job.dst)
		return HISI_ZIP_BAD_DATA;
	if (is_stream) {
		job.ctx = area_get(zip, &ctx, EMU_COPY_CTX, EMU_DMA_READ | EMU_DMA_WRITE);
		if (!job.ctx || load_ctx(&job, alg_type))
			return HISI_ZIP_BAD_DATA;
	}
	start_sum(&job);
	status = alg_type == HISI_ZIP_QUEUE_COMPRESS ? compress(&job) : decompress(&job);
	if (status == HISI_ZIP_OK && (area_put(zip, &dst, EMU_COPY_DST, job.dst, sqe->produced) ||
				      area_put(zip, &ctx, EMU_COPY_CTX, job.ctx, CTX_LEN)))
		status = HISI_ZIP_BAD_DATA;
	return status;
}

void emu_zip_exec(struct emu_zip *zip, unsigned int alg_type, struct hisi_zip_sqe *sqe)
{
	uint32_t status;

	zip->denied = 0;
	status = execute(zip, alg_type, sqe);
	if (status != HISI_ZIP_OK)
		emu_zip_fail(sqe, status);
	emu_dma_release(&zip->dma);
}
