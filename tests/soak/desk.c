/* SPDX-License-Identifier: Zlib */
/* What turns are made of: draws, calls that are looked at, what the reference says, children. */
#include "config.h"
#include "soak.h"

#include <sys/wait.h>
#include <unistd.h>

enum { TEXT_MORE = 100000 };

static const unsigned char *text;
atomic_int soak_failures;

unsigned int soak_below(struct soak *s, unsigned int limit)
{
	return (unsigned int)(test_random_of(&s->rng) % limit);
}

size_t soak_length(struct soak *s, unsigned int bits)
{
	size_t top = (size_t)1 << soak_below(s, bits + 1);

	return (size_t)(test_random_of(&s->rng) % (2 * top));
}

void soak_text_make(void)
{
	text = gen_alloc(GEN_MIXED, SOAK_TEXT_LEN + TEXT_MORE);
}

const unsigned char *soak_text(struct soak *s, size_t len)
{
	return text + soak_below(s, (unsigned int)(SOAK_TEXT_LEN + TEXT_MORE - len));
}

void soak_does(struct soak *s, const char *format, ...)
{
	va_list va;

	va_start(va, format);
	vsnprintf(s->what, sizeof(s->what), format, va);
	va_end(va);
}

int soak_failed(struct soak *s, const char *where, long long value)
{
	if (!atomic_fetch_add(&soak_failures, 1))
		fprintf(stderr, "soak: %s, thread %d: %s; wrong: %s (%lld)\n", s->pattern->name,
			s->number, s->what, where, value);
	return -1;
}

struct place {
	const unsigned char *in_end, *out_end;
	uLong in_total, out_total; /* less what has passed since */
};

static struct place place_of(const z_stream *strm)
{
	return (struct place){
		.in_end = strm->next_in + strm->avail_in,
		.out_end = strm->next_out + strm->avail_out,
		.in_total = strm->total_in + strm->avail_in,
		.out_total = strm->total_out + strm->avail_out,
	};
}

static int looked_at(struct soak *s, const char *what, const struct place *before,
		     const z_stream *strm, int ret)
{
	struct place after = place_of(strm);

	s->tally->calls++;
	/* Where zlib asks for a dictionary, it leaves the totals as they were. */
	if (ret == Z_NEED_DICT ||
	    (before->in_end == after.in_end && before->out_end == after.out_end &&
	     before->in_total == after.in_total && before->out_total == after.out_total))
		return ret;
	soak_failed(s, what, ret);
	return Z_ERRNO;
}

int soak_deflate(struct soak *s, z_stream *strm, int flush)
{
	struct place before = place_of(strm);
	int ret = ours.deflate(strm, flush);

	return looked_at(s, "deflate's pointers and totals", &before, strm, ret);
}

int soak_inflate(struct soak *s, z_stream *strm, int flush)
{
	struct place before = place_of(strm);
	int ret = ours.inflate(strm, flush);

	return looked_at(s, "inflate's pointers and totals", &before, strm, ret);
}

int soak_feed(struct soak *s, z_stream *strm, const void *src, size_t len, int flush, size_t room,
	      struct buf *out)
{
	int ret;

	strm->next_in = (z_const Bytef *)src;
	strm->avail_in = (uInt)len;
	do {
		size_t nr = room;

		if (!nr)
			nr = soak_below(s, 50) ? 64 + soak_length(s, 17) : 1 + soak_below(s, 20);
		strm->next_out = buf_room(out, nr);
		strm->avail_out = (uInt)nr;
		ret = soak_deflate(s, strm, flush);
		out->len += nr - strm->avail_out;
		if (ret == Z_BUF_ERROR && strm->avail_out && !strm->avail_in && flush != Z_FINISH)
			return Z_OK; /* there was nothing to do */
	} while (ret == Z_OK && (strm->avail_in || !strm->avail_out || flush == Z_FINISH));
	return ret;
}

int soak_take(struct soak *s, z_stream *strm, const void *src, size_t len, int flush, size_t room,
	      struct buf *out, size_t *rest)
{
	int ret;

	strm->next_in = (z_const Bytef *)src;
	strm->avail_in = (uInt)len;
	do {
		size_t nr = room ? room : 1 + soak_length(s, 17);

		strm->next_out = buf_room(out, nr);
		strm->avail_out = (uInt)nr;
		ret = soak_inflate(s, strm, flush);
		out->len += nr - strm->avail_out;
		if (ret == Z_BUF_ERROR && strm->avail_out && !strm->avail_in)
			ret = Z_OK; /* there was nothing to do */
	} while (ret == Z_OK && (strm->avail_in || !strm->avail_out));
	if (rest)
		*rest = strm->avail_in;
	return ret;
}

int soak_open_deflate(struct soak *s, z_stream *strm, int level, int wbits, int mem_level,
		      int strategy)
{
	int ret = ours.deflateInit2_(strm, level, Z_DEFLATED, wbits, mem_level, strategy,
				     ZLIB_VERSION, (int)sizeof(*strm));

	return ret ? soak_failed(s, "deflateInit2", ret) : 0;
}

int soak_open_inflate(struct soak *s, z_stream *strm, int wbits)
{
	int ret = ours.inflateInit2_(strm, wbits, ZLIB_VERSION, (int)sizeof(*strm));

	return ret ? soak_failed(s, "inflateInit2", ret) : 0;
}

int soak_is(struct soak *s, const char *where, const struct buf *got, const void *want, size_t len)
{
	if (got->len == len && (!len || !memcmp(got->data, want, len)))
		return 0;
	return soak_failed(s, where, (long long)got->len);
}

int soak_unpacks(struct soak *s, int wbits, const void *packed, size_t packed_len,
		 const void *plain, size_t len)
{
	struct buf back = { 0 };
	size_t rest;
	int ret = inflate_steps(&ref, wbits, packed, packed_len, 0, len + 1, &back, &rest);

	if (ret != Z_STREAM_END || rest)
		ret = soak_failed(s, "output, zlib says", ret);
	else
		ret = soak_is(s, "output, bytes", &back, plain, len);
	buf_free(&back);
	return ret;
}

int soak_in_child(struct soak *s, int (*work)(struct soak *s, void *arg, struct buf *out),
		  void *arg, struct buf *out)
{
	struct buf made = { 0 };
	size_t len;
	int status;
	pid_t pid = fork();

	if (pid < 0)
		return soak_failed(s, "fork", pid);
	if (!pid) {
		alarm(60);
		/* The parent's failures are not the child's. */
		soak_failures = 0;
		if (work(s, arg, &made) || made.len + sizeof(made.len) > 2 * (size_t)SOAK_TEXT_LEN)
			_exit(1);
		memcpy(s->shared, &made.len, sizeof(made.len));
		if (made.len)
			memcpy(s->shared + sizeof(made.len), made.data, made.len);
		_exit(0);
	}
	if (waitpid(pid, &status, 0) != pid || status)
		return soak_failed(s, "in a forked child", status);
	memcpy(&len, s->shared, sizeof(len));
	buf_add(out, s->shared + sizeof(len), len);
	return 0;
}
