/* SPDX-License-Identifier: Zlib */
/* Thousands of streams alive at once, each of which gets a little at times. One crowd at a time. */
#include "config.h"
#include "soak.h"

#include <pthread.h>

enum {
	CROWD = 2000,
	CROWD_SHORT = 300, /* in a round of seconds */
	DEFLATE_EVERY = 8, /* the others inflate, which takes less memory */
	MEMBER_LEN = 8192,
};

struct member {
	z_stream strm;
	const unsigned char *plain, *packed; /* packed: what it inflates */
	size_t len, packed_len, pos;
	struct buf out;
};

/* A few streams that all who inflate share. */
static struct shared {
	const unsigned char *plain;
	size_t len;
	struct buf packed;
} shared[16];
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* of the crowd */

static int member_step(struct soak *s, struct member *m)
{
	size_t end = m->packed ? m->packed_len : m->len, nr = 1 + soak_below(s, MEMBER_LEN / 4);
	int ret, is_last;

	nr = nr < end - m->pos ? nr : end - m->pos;
	is_last = m->pos + nr == end;
	if (m->packed)
		ret = soak_take(s, &m->strm, m->packed + m->pos, nr, Z_NO_FLUSH, 2048, &m->out,
				NULL);
	else
		ret = soak_feed(s, &m->strm, m->plain + m->pos, nr,
				is_last ? Z_FINISH : Z_SYNC_FLUSH, 2048, &m->out);
	m->pos += nr;
	if (ret != (is_last ? Z_STREAM_END : Z_OK))
		return soak_failed(s, m->packed ? "inflate" : "deflate", ret);
	if (!is_last)
		return 0;
	s->tally->bytes += m->len;
	ret = m->packed ? soak_is(s, "inflated bytes", &m->out, m->plain, m->len)
			: soak_unpacks(s, 15, m->out.data, m->out.len, m->plain, m->len);
	m->pos = m->out.len = 0;
	if (!ret)
		ret = m->packed ? ours.inflateReset(&m->strm) : ours.deflateReset(&m->strm);
	return ret ? soak_failed(s, "reset", ret) : 0;
}

static int member_open(struct soak *s, struct member *m, int is_deflate)
{
	const struct shared *from = &shared[soak_below(s, sizeof(shared) / sizeof(shared[0]))];

	m->plain = from->plain;
	m->len = from->len;
	if (is_deflate)
		return soak_open_deflate(s, &m->strm, 1 + (int)soak_below(s, 6), 15, 8,
					 Z_DEFAULT_STRATEGY);
	m->packed = from->packed.data;
	m->packed_len = from->packed.len;
	return soak_open_inflate(s, &m->strm, 15);
}

static void share(struct soak *s)
{
	for (size_t i = 0; i < sizeof(shared) / sizeof(shared[0]); i++) {
		if (shared[i].plain)
			continue;
		shared[i].len = 1 + soak_below(s, MEMBER_LEN);
		shared[i].plain = soak_text(s, shared[i].len);
		deflate_all(&ref, 15, 6, Z_DEFAULT_STRATEGY, shared[i].plain, shared[i].len,
			    &shared[i].packed);
	}
}

int soak_crowd(struct soak *s)
{
	unsigned int nr = s->round_s < 10 ? CROWD_SHORT : CROWD, steps = 2 * nr;
	struct member *crowd;
	int ret = 0;

	if (pthread_mutex_trylock(&lock))
		return 0;
	share(s);
	crowd = calloc(nr, sizeof(*crowd));
	soak_does(s, "%u streams at once", nr);
	for (unsigned int i = 0; i < nr && !ret; i++)
		ret = member_open(s, &crowd[i], i % DEFLATE_EVERY == 0);
	while (steps-- && !ret && !soak_failures)
		ret = member_step(s, &crowd[soak_below(s, nr)]);
	for (unsigned int i = 0; i < nr; i++) {
		if (crowd[i].packed)
			ours.inflateEnd(&crowd[i].strm);
		else
			ours.deflateEnd(&crowd[i].strm);
		buf_free(&crowd[i].out);
	}
	free(crowd);
	pthread_mutex_unlock(&lock);
	return ret;
}
