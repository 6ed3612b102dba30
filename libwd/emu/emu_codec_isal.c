// SPDX-License-Identifier: Zlib
/* ISA-L as the emulated device's compute engine; opened when the first device is made. */
#include "config.h"
#include "emu_codec.h"

#include <errno.h>
#include <stddef.h>

#ifdef HAVE_ISAL

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
	__typeof__(isal_adler32) *adler32;
	__typeof__(crc32_gzip_refl) *crc32;
} isal;

/* By the order of the members. Not a table of pointers, which the loader would have to relocate. */
static const char symbols[][24] = {
	"isal_deflate_init", "isal_deflate_set_dict", "isal_deflate", "isal_inflate_init",
	"isal_inflate", "isal_adler32", "crc32_gzip_refl",
};
_Static_assert(sizeof(isal) == sizeof(symbols) / sizeof(symbols[0]) * sizeof(void *), "a name each");

/* devices_lock is held. A failure is none for ever. */
static int codec_open(void)
{
	static const struct emu_library library = {
		.soname = "libisal.so.2", .path = "libisal.so.2", .symbols = symbols,
		.symbols_nr = sizeof(symbols) / sizeof(symbols[0]),
	};
	static bool is_open;

	if (!is_open)
		is_open = !emu_library_open(&library, &isal);
	return is_open ? 0 : -ENOENT;
}

#define HIST_MAX ISAL_DEF_HIST_SIZE
/* ISA-L decodes into this much of tmp_out_buffer before it writes to its caller's buffer. */
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
	uint8_t again[TMP_LEN + WAIT_MAX];
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

/*
 * Where to lay history into tmp_out_buffer. isal_inflate() decodes into the rest of that buffer
 * first and gives its caller what fits; leaving it one byte more than there is room for keeps what
 * is left over below one match. It must not go on to the caller's buffer while history is missing
 * there, which that one byte also sees to: see decode().
 */
static uint32_t place_history(uint32_t hist_len, uint32_t room)
{
	uint32_t at = room < TMP_LEN - 1 ? TMP_LEN - 1 - room : 0;

	return at > hist_len ? at : hist_len;
}

/*
 * At the start of a stream nothing of that is needed, and ISA-L decodes to the caller's buffer at once; but for want
 * of room it goes on in tmp_out_buffer, where it has the history by itself only behind so much output.
 */
static bool is_start(const struct emu_inflate *s)
{
	return !s->state_len && s->dst_len >= HIST_MAX;
}

/* Loads the stream and decodes; filler is what lies where history would be, were there more. */
static int decode(struct work *w, const struct emu_inflate *s, uint8_t *dst, uint8_t filler)
{
	struct inflate_state *state = &w->inflate;
	const struct saved *saved = (const void *)s->state;
	uint32_t hist_len = 0, wait_len = 0, at;

	if (s->state_len) {
		hist_len = saved->hist_len;
		wait_len = saved->wait_len;
		memcpy(state, saved->decoder, STATE_LEN);
	} else {
		isal.inflate_init(state);
		state->hist_bits = 0;
	}
	at = is_start(s) ? TMP_LEN : place_history(hist_len, s->dst_len);
	if (!is_start(s))
		memset(state->tmp_out_buffer, filler, at - hist_len);
	if (s->state_len)
		memcpy(state->tmp_out_buffer + at - hist_len, saved + 1, hist_len + wait_len);
	state->tmp_out_processed = at;
	state->tmp_out_valid = at + wait_len;
	state->total_out = at;
	state->next_in = (uint8_t *)s->src;
	state->avail_in = s->src_len;
	state->next_out = dst;
	state->avail_out = s->dst_len;
	return isal.inflate(state) < 0 ? -EBADMSG : 0;
}

/*
 * A distance that reaches behind the start of the stream is an error, but where history was not
 * laid at the very start of tmp_out_buffer, ISA-L finds filler there instead. Whatever it copies
 * from there begins with the filler, so output that has none is fine; else a second run with other
 * filler must give the same.
 */
static bool is_reaching_back(struct work *w, const struct emu_inflate *s, uint8_t *dst,
			     uint8_t filler)
{
	const struct inflate_state *state = &w->inflate;
	uint32_t produced = state->next_out - dst;
	uint32_t wait_len = state->tmp_out_valid - state->tmp_out_processed;
	uint8_t wait[WAIT_MAX];

	if (wait_len > WAIT_MAX)
		return true;
	memcpy(wait, state->tmp_out_buffer + state->tmp_out_processed, wait_len);
	if (!memchr(dst, filler, produced) && !memchr(wait, filler, wait_len))
		return false;
	return decode(w, s, w->again, ~filler) || memcmp(w->again, dst, produced) ||
	       memcmp(state->tmp_out_buffer + state->tmp_out_processed, wait, wait_len);
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
	uint32_t wait_len = state->tmp_out_valid - state->tmp_out_processed;
	uint32_t old_len = s->state_len ? saved->hist_len : 0;
	uint32_t keep_len, new_len;

	if (wait_len > WAIT_MAX || s->state_max < sizeof(*saved) + HIST_MAX + WAIT_MAX)
		return -EBADMSG;
	new_len = s->produced < HIST_MAX ? s->produced : HIST_MAX;
	keep_len = HIST_MAX - new_len < old_len ? HIST_MAX - new_len : old_len;
	memmove(hist, hist + old_len - keep_len, keep_len);
	memcpy(hist + keep_len, s->dst + s->produced - new_len, new_len);
	saved->hist_len = keep_len + new_len;
	memcpy(hist + saved->hist_len, state->tmp_out_buffer + state->tmp_out_processed, wait_len);
	saved->wait_len = wait_len;
	/* Addresses say nothing to whoever loads this. */
	state->next_in = NULL;
	state->next_out = NULL;
	state->avail_in = 0;
	state->avail_out = 0;
	memcpy(saved->decoder, state, STATE_LEN);
	saved->sum = saved_sum(saved);
	s->state_len = sizeof(*saved) + saved->hist_len + wait_len;
	return 0;
}

/* The whole stream is here: straight into the caller's buffer, nothing to be kept. */
static int inflate_whole(struct work *w, struct emu_inflate *s)
{
	struct inflate_state *state = &w->inflate;

	isal.inflate_init(state);
	state->hist_bits = 0;
	state->tmp_out_processed = TMP_LEN;
	state->tmp_out_valid = TMP_LEN;
	state->next_in = (uint8_t *)s->src;
	state->avail_in = s->src_len;
	state->next_out = s->dst;
	state->avail_out = s->dst_len;
	if (isal.inflate(state) < 0)
		return -EBADMSG;
	s->produced = state->next_out - s->dst;
	s->consumed = state->next_in - s->src - state->read_in_length / 8;
	s->is_final = state->bfinal;
	s->is_waiting = !state->avail_out;
	return state->block_state == ISAL_BLOCK_FINISH ? EMU_INFLATE_END : EMU_INFLATE_MORE;
}

static int codec_inflate(void *work, struct emu_inflate *s)
{
	const uint8_t filler = 0xfb;
	struct work *w = work;
	struct inflate_state *state = &w->inflate;
	const struct saved *saved = (const void *)s->state;
	uint32_t hist_len = 0;
	int ret;

	if (!s->state)
		return inflate_whole(w, s);
	if (s->state_len) {
		ret = check_state(s);
		if (ret)
			return ret;
		hist_len = saved->hist_len;
	}
	ret = decode(w, s, s->dst, filler);
	if (ret)
		return ret;
	if (!is_start(s) && place_history(hist_len, s->dst_len) > hist_len &&
	    is_reaching_back(w, s, s->dst, filler))
		return -EBADMSG;
	s->produced = s->dst_len - state->avail_out;
	s->consumed = s->src_len - state->avail_in;
	s->is_final = state->bfinal;
	s->is_waiting = state->tmp_out_valid != state->tmp_out_processed;
	/*
	 * Up to 8 bytes of input are in the bit buffer. Unless a symbol or header waits for the
	 * rest of its bits, whole bytes go back: they may be behind the end of the stream.
	 */
	if (s->is_waiting || !state->avail_out || state->block_state == ISAL_BLOCK_FINISH) {
		uint32_t bytes = state->tmp_in_size ? 0 : state->read_in_length / 8;

		if (bytes > s->consumed)
			return -EBADMSG;
		if (bytes) {
			s->consumed -= bytes;
			state->read_in_length -= 8 * bytes;
			state->read_in &= (1u << state->read_in_length) - 1;
		}
	}
	if (state->block_state == ISAL_BLOCK_FINISH) {
		s->state_len = 0;
		return EMU_INFLATE_END;
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
