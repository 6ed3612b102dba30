// SPDX-License-Identifier: Zlib
/* ISA-L as the emulated device's compute engine; opened when the first device is made. */
#include "config.h"
#include "emu_codec.h"

#include <errno.h>
#include <stddef.h>

#ifdef HAVE_ISAL

#include "emu_header.h"

#include <endian.h>
#include <isa-l/crc.h>
#include <isa-l/igzip_lib.h>
#include <stdbool.h>
#include <string.h>
#include <sys/mman.h>

static struct {
	__typeof__(isal_deflate_init) *deflate_init;
	__typeof__(isal_deflate_set_dict) *deflate_set_dict;
	__typeof__(isal_deflate) *deflate;
	__typeof__(isal_inflate_init) *inflate_init;
	__typeof__(isal_inflate) *inflate;
	/* Not in a header, but a name of the library's: one block, whose tables are made. */
	int (*decode_block)(struct inflate_state *state, uint8_t *start_out);
	__typeof__(isal_adler32) *adler32;
	__typeof__(crc32_gzip_refl) *crc32;
} isal;

/* By the order of the members. Not a table of pointers, which the loader would have to relocate. */
static const char symbols[][EMU_SYMBOL_LEN] = {
	"isal_deflate_init", "isal_deflate_set_dict", "isal_deflate", "isal_inflate_init",
	"isal_inflate", "decode_huffman_code_block_stateless", "isal_adler32", "crc32_gzip_refl",
};
_Static_assert(sizeof(isal) == sizeof(symbols) / sizeof(symbols[0]) * sizeof(void *), "a name each");

/* devices_lock is held. A failure is none for ever. */
static int codec_open(void)
{
	/* Not static: the loader would have to relocate it. */
	const struct emu_library library = {
		.soname = "libisal.so.2", .path = "libisal.so.2", .symbols = symbols,
		.symbols_nr = sizeof(symbols) / sizeof(symbols[0]),
	};
	static bool is_open;

	if (!is_open)
		is_open = !emu_library_open(&library, &isal);
	return is_open ? 0 : -ENOENT;
}

#define HIST_MAX ISAL_DEF_HIST_SIZE
/* Of tmp_out_buffer, which has room for one match more. */
#define TMP_LEN (2 * HIST_MAX)
/* struct inflate_state without the buffer at its end. */
#define STATE_LEN offsetof(struct inflate_state, tmp_out_buffer)
/* The rest of one match, or of the literals of one table entry. */
#define WAIT_MAX (ISAL_DEF_MAX_MATCH + 16)

/*
 * A stream's state as the context has it: this, the decoder up to tmp_out_buffer, hist_len bytes of
 * history, wait_len bytes of output that found no room.
 */
struct saved {
	uint32_t sum; /* CRC-32 of what is behind it up to the history */
	uint16_t hist_len;
	uint16_t wait_len;
	uint8_t decoder[STATE_LEN];
} __attribute__((packed));

struct work {
	struct isal_zstream deflate;
	struct inflate_state inflate;
	uint8_t level_buf[ISAL_DEF_LVL1_DEFAULT];
};

/*
 * Where ISA-L's work lies decides, once in some megabytes, which match it finds: its hash table of 2^13 places
 * loses what is in one of them at the beginning, and that is the CRC-32C of bits 16 to 47 of the address of
 * struct isal_zstream (2.30, x86-64). The same input has to give the same output on any engine of any
 * process, so it is the first place always.
 */
#define HASH_MASK 0x1fffu
#define CRC32C_POLYNOMIAL 0x82f63b78u
#define PLACES_MAX 65536 /* looked at; one in 8192 is such */

/* Of bits 16 to 47 of an address. That of a ^ b is that of a ^ that of b. */
static uint16_t place(uint32_t crc)
{
	for (int bit = 0; bit < 32; bit++)
		crc = crc >> 1 ^ (CRC32C_POLYNOMIAL & -(crc & 1));
	return crc & HASH_MASK;
}

static bool is_first_place(const void *mem)
{
	return !place((uint32_t)((uintptr_t)mem >> 16));
}

static void *map_at(uintptr_t address)
{
	void *mem = mmap((void *)address, sizeof(struct work), PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return mem == MAP_FAILED ? NULL : mem;
}

/* Zero: ISA-L leaves some of its state as it finds it, and a sum is made of all of it. */
static void *work_new(struct emu_streams *streams)
{
	void *mem = map_at(0), *better;
	uintptr_t at = (uintptr_t)mem >> 16;
	bool is_first = !mem || is_first_place(mem);
	uint16_t low[256] = { 0 }, high = 0;

	for (unsigned int n = 1; n < 256; n++)
		low[n] = n & (n - 1) ? low[n & (n - 1)] ^ low[n & -n] : place(n);
	for (int n = 0; !is_first && n < PLACES_MAX && --at; n++) {
		if (!n || at % 256 == 255)
			high = place((uint32_t)(at & ~UINT64_C(255)));
		if (high != low[at % 256])
			continue;
		better = map_at(at << 16);
		if (!better)
			break;
		/* Where the system does not give this one, it is taken. */
		is_first = is_first_place(better);
		munmap(is_first ? mem : better, sizeof(struct work));
		if (is_first)
			mem = better;
	}
	return mem;
}

static void work_free(void *work)
{
	if (work)
		munmap(work, sizeof(struct work));
}

static int codec_deflate(void *work, const struct emu_deflate *d)
{
	struct isal_zstream *z = &((struct work *)work)->deflate;
	const uint32_t reach = 1u << d->window_bits;

	isal.deflate_init(z);
	z->level = 1;
	z->level_buf = ((struct work *)work)->level_buf;
	z->level_buf_size = ISAL_DEF_LVL1_DEFAULT;
	z->hist_bits = d->window_bits;
	z->flush = d->is_last ? NO_FLUSH : SYNC_FLUSH;
	z->end_of_stream = d->is_last;
	if (d->hist_len) {
		uint32_t len = d->hist_len < reach ? d->hist_len : reach;

		if (isal.deflate_set_dict(z, (uint8_t *)d->hist + d->hist_len - len, len))
			return -ENOSPC;
	}
	z->next_in = (uint8_t *)d->src;
	z->avail_in = d->src_len;
	z->next_out = d->dst;
	z->avail_out = d->dst_len;
	if (isal.deflate(z) || z->avail_in)
		return -ENOSPC;
	if (z->internal_state.state != (d->is_last ? ZSTATE_END : ZSTATE_NEW_HDR))
		return -ENOSPC;
	return d->dst_len - z->avail_out;
}

static uint32_t wait_len(const struct inflate_state *state)
{
	return state->tmp_out_valid - state->tmp_out_processed;
}

/* Gives what is in tmp_out_buffer, as far as there is room. */
static void give(struct inflate_state *state)
{
	uint32_t len = wait_len(state) < state->avail_out ? wait_len(state) : state->avail_out;

	memcpy(state->next_out, state->tmp_out_buffer + state->tmp_out_processed, len);
	state->tmp_out_processed += len;
	state->next_out += len;
	state->avail_out -= len;
}

/* Whole bytes of the bit buffer go back to the input, as far as they came from there. */
static void return_bytes(struct inflate_state *state, const uint8_t *src)
{
	const uint32_t bytes = state->read_in_length / 8;

	if (!bytes || bytes > state->next_in - src)
		return;
	state->next_in -= bytes;
	state->avail_in += bytes;
	state->read_in_length -= 8 * bytes;
	state->read_in &= (1u << state->read_in_length) - 1;
}

/* Longer than any header that zlib takes, and than what the bit buffer has. */
#define HEADER_LEN (sizeof(uint64_t) + ISAL_DEF_MAX_HDR_SIZE)

/* A header, or as much of it as there is, from bit pos on. */
struct bits {
	const uint8_t *in;
	uint32_t pos;
	uint32_t len; /* bytes of in */
	uint8_t copy[HEADER_LEN + ISAL_DEF_MAX_HDR_SIZE + EMU_HEADER_SLOP];
};

/* What comes next: bits in the bit buffer, what waits in tmp_in_buffer, and input. */
static void look(const struct inflate_state *state, const uint8_t *src, struct bits *bits)
{
	const uint32_t held = (state->read_in_length + 7) / 8;
	uint32_t nr = state->avail_in;
	uint64_t first;

	bits->pos = -state->read_in_length & 7;
	if (!state->tmp_in_size && held <= state->next_in - src &&
	    nr >= HEADER_LEN + EMU_HEADER_SLOP) {
		bits->in = state->next_in - held;
		bits->len = held + HEADER_LEN;
		return;
	}
	first = htole64(state->read_in << bits->pos);
	memcpy(bits->copy, &first, sizeof(first));
	bits->len = held + state->tmp_in_size;
	memcpy(bits->copy + held, state->tmp_in_buffer, state->tmp_in_size);
	nr = nr < ISAL_DEF_MAX_HDR_SIZE ? nr : ISAL_DEF_MAX_HDR_SIZE;
	memcpy(bits->copy + bits->len, state->next_in, nr);
	bits->len += nr;
	memset(bits->copy + bits->len, 0, EMU_HEADER_SLOP);
	bits->in = bits->copy;
}

/* For a last block of no more input than this, ISA-L makes tables that are sooner made. */
#define SHORT_LEN 2048

/* Makes the tables of a block. 0 or an error of ISA-L. */
static int make_tables(struct inflate_state *state, const struct bits *bits,
		       const struct emu_header *header)
{
	uint8_t *const next_in = state->next_in, *const next_out = state->next_out;
	const uint32_t avail_in = state->avail_in, avail_out = state->avail_out;
	const int32_t valid = state->tmp_out_valid, processed = state->tmp_out_processed;
	const uint32_t odd = header->bits_nr % 8, bytes = header->bits_nr / 8;
	uint8_t shifted[HEADER_LEN];
	int ret;

	/* Input that ends with the header, so that nothing is decoded. */
	for (uint32_t i = 0; i < bytes; i += 7) {
		const uint64_t next = htole64(emu_header_bits(bits->in, bits->pos + odd + 8 * i));

		memcpy(shifted + i, &next, sizeof(next));
	}
	state->read_in = emu_header_bits(bits->in, bits->pos) & ((1u << odd) - 1);
	state->read_in_length = odd;
	if (header->is_last && avail_in > SHORT_LEN) {
		if (odd)
			state->read_in &= ~(uint64_t)1;
		else
			shifted[0] &= ~1;
	}
	state->next_in = shifted;
	state->avail_in = bytes;
	state->avail_out = 0;
	state->tmp_out_valid = 0;
	state->tmp_out_processed = 0;
	ret = isal.inflate(state);
	if (!ret &&
	    (state->block_state != ISAL_BLOCK_CODED || state->read_in_length || state->avail_in))
		ret = ISAL_INVALID_BLOCK;
	state->next_in = next_in;
	state->avail_in = avail_in;
	state->next_out = next_out;
	state->avail_out = avail_out;
	state->tmp_out_valid = valid;
	state->tmp_out_processed = processed;
	return ret;
}

/* All of a header that is cut off waits for the rest. */
static int keep_header(struct inflate_state *state)
{
	if (state->avail_in > sizeof(state->tmp_in_buffer) - state->tmp_in_size)
		return ISAL_INVALID_BLOCK;
	memcpy(state->tmp_in_buffer + state->tmp_in_size, state->next_in, state->avail_in);
	state->tmp_in_size += state->avail_in;
	state->next_in += state->avail_in;
	state->avail_in = 0;
	return ISAL_END_INPUT;
}

/* Takes the header that comes next. is_fixed: the tables of fixed codes are there already. */
static int take_header(struct inflate_state *state, const uint8_t *src, bool *is_fixed)
{
	const uint32_t held = state->read_in_length + 8 * state->tmp_in_size;
	struct emu_header header;
	struct bits bits;
	uint32_t nr;
	int ret = 0;

	look(state, src, &bits);
	header = emu_header_read(bits.in, 8 * bits.len, bits.pos);
	state->bfinal = header.is_last;
	if (header.block == EMU_BLOCK_CUT_OFF)
		return keep_header(state);
	if (header.block == EMU_BLOCK_BAD || held >= header.bits_nr + 8 ||
	    header.bits_nr > 8 * ISAL_DEF_MAX_HDR_SIZE)
		return ISAL_INVALID_BLOCK;
	nr = (header.bits_nr + 7 - held) / 8;
	state->next_in += nr;
	state->avail_in -= nr;
	state->tmp_in_size = 0;
	if (header.block == EMU_BLOCK_STORED) {
		state->type0_block_len = header.stored_len;
		state->block_state = ISAL_BLOCK_TYPE0;
	} else if (header.block == EMU_BLOCK_FIXED && *is_fixed) {
		state->block_state = ISAL_BLOCK_CODED;
	} else {
		ret = make_tables(state, &bits, &header);
		state->bfinal = header.is_last;
		*is_fixed = header.block == EMU_BLOCK_FIXED;
	}
	state->read_in_length = held + 8 * nr - header.bits_nr;
	state->read_in = emu_header_bits(bits.in, bits.pos + header.bits_nr) &
			 ((1u << state->read_in_length) - 1);
	return ret;
}

static int copy_stored(struct inflate_state *state)
{
	uint32_t len = state->type0_block_len;

	len = len < state->avail_in ? len : state->avail_in;
	len = len < state->avail_out ? len : state->avail_out;
	memcpy(state->next_out, state->next_in, len);
	state->next_in += len;
	state->avail_in -= len;
	state->next_out += len;
	state->avail_out -= len;
	state->type0_block_len -= len;
	if (state->type0_block_len)
		return state->avail_out ? ISAL_END_INPUT : ISAL_OUT_OVERFLOW;
	state->block_state = state->bfinal ? ISAL_BLOCK_INPUT_DONE : ISAL_BLOCK_NEW_HDR;
	return 0;
}

/*
 * ISA-L's own loop from block to block takes headers that silicon and zlib refuse, with codes that
 * are not complete, so this is one that does not. start is as far as matches may reach back. 0: all
 * is decoded, or what ISA-L says.
 */
static int decode_blocks(struct inflate_state *state, const uint8_t *src, uint8_t *start)
{
	bool is_fixed = false;
	int ret = 0;

	while (!ret && state->block_state != ISAL_BLOCK_INPUT_DONE) {
		switch (state->block_state) {
		case ISAL_BLOCK_NEW_HDR:
			return_bytes(state, src);
			ret = take_header(state, src, &is_fixed);
			break;
		case ISAL_BLOCK_TYPE0:
			ret = copy_stored(state);
			break;
		case ISAL_BLOCK_CODED:
			ret = isal.decode_block(state, start);
			break;
		default:
			ret = ISAL_INVALID_BLOCK;
		}
	}
	return ret;
}

/* What found no room, behind the rest of the output in tmp_out_buffer. */
static void keep_overflow(struct inflate_state *state)
{
	uint8_t *end = state->tmp_out_buffer + state->tmp_out_valid;
	const uint32_t lits = htole32(state->write_overflow_lits);

	memcpy(end, &lits, sizeof(lits));
	end += state->write_overflow_len;
	for (int32_t i = 0; i < state->copy_overflow_length; i++)
		end[i] = end[i - state->copy_overflow_distance];
	state->tmp_out_valid += state->write_overflow_len + state->copy_overflow_length;
	state->write_overflow_lits = 0;
	state->write_overflow_len = 0;
	state->copy_overflow_length = 0;
	state->copy_overflow_distance = 0;
}

/*
 * Where there is history it is in tmp_out_buffer, and so is the output until there is as much of it
 * as matches can reach back.
 */
static int decode_behind(struct inflate_state *state, const struct emu_inflate *s)
{
	const struct saved *saved = (const void *)s->state;
	uint8_t *next_out, *const tmp = state->tmp_out_buffer;
	uint32_t avail_out, room;
	int ret;

	memcpy(tmp, saved + 1, saved->hist_len + saved->wait_len);
	state->tmp_out_processed = saved->hist_len;
	state->tmp_out_valid = saved->hist_len + saved->wait_len;
	give(state);
	if (wait_len(state))
		return ISAL_OUT_OVERFLOW;
	next_out = state->next_out;
	avail_out = state->avail_out;
	room = TMP_LEN - state->tmp_out_valid;
	state->next_out = tmp + state->tmp_out_valid;
	state->avail_out = avail_out < room ? avail_out : room;
	ret = decode_blocks(state, s->src, tmp);
	state->tmp_out_valid = state->next_out - tmp;
	keep_overflow(state);
	state->next_out = next_out;
	state->avail_out = avail_out;
	give(state);
	return ret;
}

/* Straight into dst, where all is that matches can reach. */
static int decode_here(struct inflate_state *state, const struct emu_inflate *s)
{
	uint32_t distance;
	int ret = decode_blocks(state, s->src, s->dst);

	distance = state->next_out - s->dst;
	if (distance > (uint32_t)state->copy_overflow_distance)
		distance = state->copy_overflow_distance;
	memcpy(state->tmp_out_buffer, state->next_out - distance, distance);
	state->tmp_out_processed = distance;
	state->tmp_out_valid = distance;
	keep_overflow(state);
	return ret;
}

static int decode(struct inflate_state *state, const struct emu_inflate *s)
{
	const struct saved *saved = (const void *)s->state;
	int ret = ISAL_OUT_OVERFLOW;

	if (s->state_len) {
		memcpy(state, saved->decoder, STATE_LEN);
		/* Whoever makes a state up can make its sum. */
		if (state->read_in_length < 0 || state->read_in_length > 64 ||
		    state->tmp_in_size < 0 || state->tmp_in_size > ISAL_DEF_MAX_HDR_SIZE ||
		    state->type0_block_len < 0 || state->write_overflow_len ||
		    state->copy_overflow_length)
			return -EBADMSG;
	} else {
		isal.inflate_init(state);
		state->hist_bits = 0;
	}
	state->total_out = 0;
	state->next_in = (uint8_t *)s->src;
	state->avail_in = s->src_len;
	state->next_out = s->dst;
	state->avail_out = s->dst_len;
	if (s->state_len)
		ret = decode_behind(state, s);
	if (!s->state_len || (ret == ISAL_OUT_OVERFLOW && state->avail_out))
		ret = decode_here(state, s);
	if (ret < 0)
		return -EBADMSG;
	if (!ret && !wait_len(state))
		state->block_state = ISAL_BLOCK_FINISH;
	return 0;
}

static uint32_t saved_sum(const struct saved *saved)
{
	return isal.crc32(0, (const uint8_t *)&saved->hist_len,
			  sizeof(*saved) - offsetof(struct saved, hist_len));
}

static int check_state(const struct emu_inflate *s)
{
	const struct saved *saved = (const void *)s->state;

	if (s->state_len < sizeof(*saved) || saved->hist_len > HIST_MAX ||
	    saved->wait_len > WAIT_MAX ||
	    s->state_len != sizeof(*saved) + saved->hist_len + saved->wait_len)
		return -ESTALE;
	return saved->sum == saved_sum(saved) ? 0 : -ESTALE;
}

static int save_state(struct work *w, struct emu_inflate *s)
{
	struct inflate_state *state = &w->inflate;
	struct saved *saved = (void *)s->state;
	uint8_t *hist = (uint8_t *)(saved + 1);
	const uint32_t nr = wait_len(state);
	uint32_t old_len = s->state_len ? saved->hist_len : 0;
	uint32_t keep_len, new_len;

	if (nr > WAIT_MAX || s->state_max < sizeof(*saved) + HIST_MAX + WAIT_MAX)
		return -EBADMSG;
	new_len = s->produced < HIST_MAX ? s->produced : HIST_MAX;
	keep_len = HIST_MAX - new_len < old_len ? HIST_MAX - new_len : old_len;
	memmove(hist, hist + old_len - keep_len, keep_len);
	memcpy(hist + keep_len, s->dst + s->produced - new_len, new_len);
	saved->hist_len = keep_len + new_len;
	memcpy(hist + saved->hist_len, state->tmp_out_buffer + state->tmp_out_processed, nr);
	saved->wait_len = nr;
	/* Addresses say nothing to whoever loads this. */
	state->next_in = NULL;
	state->next_out = NULL;
	state->avail_in = 0;
	state->avail_out = 0;
	memcpy(saved->decoder, state, STATE_LEN);
	saved->sum = saved_sum(saved);
	s->state_len = sizeof(*saved) + saved->hist_len + nr;
	return 0;
}

static int codec_inflate(void *work, struct emu_inflate *s)
{
	struct work *w = work;
	struct inflate_state *state = &w->inflate;
	int ret;

	if (s->state_len) {
		ret = check_state(s);
		if (ret)
			return ret;
	}
	ret = decode(state, s);
	if (ret)
		return ret;
	s->produced = s->dst_len - state->avail_out;
	s->is_final = state->bfinal;
	s->is_waiting = wait_len(state);
	/*
	 * Up to 8 bytes of input are in the bit buffer. Unless a symbol or header waits for the
	 * rest of its bits, whole bytes go back: they may be behind the end of the stream.
	 */
	if ((s->is_waiting || !state->avail_out || state->block_state == ISAL_BLOCK_FINISH) &&
	    !state->tmp_in_size) {
		return_bytes(state, s->src);
		if (state->read_in_length >= 8)
			return -EBADMSG;
	}
	s->consumed = s->src_len - state->avail_in;
	if (state->block_state == ISAL_BLOCK_FINISH) {
		s->state_len = 0;
		return EMU_INFLATE_END;
	}
	/* What will not be gone on with is no more than room that was too small. */
	if (!s->state) {
		s->is_waiting = !state->avail_out;
		return EMU_INFLATE_MORE;
	}
	ret = save_state(w, s);
	return ret ? ret : EMU_INFLATE_MORE;
}

static uint32_t codec_adler32(uint32_t adler, const uint8_t *buf, uint32_t len)
{
	return isal.adler32(adler, buf, len);
}

static uint32_t codec_crc32(uint32_t crc, const uint8_t *buf, uint32_t len)
{
	return isal.crc32(crc, buf, len);
}

const struct emu_codec emu_codec_isal = {
	.name = "isal",
	.open = codec_open,
	.work_new = work_new,
	.work_free = work_free,
	.deflate = codec_deflate,
	.inflate = codec_inflate,
	.adler32 = codec_adler32,
	.crc32 = codec_crc32,
};

#else

static int codec_open(void)
{
	return -ENOENT;
}

const struct emu_codec emu_codec_isal = { .name = "isal", .open = codec_open };

#endif
