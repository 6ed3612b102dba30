/* SPDX-License-Identifier: Zlib */
/*
 * Connections that live as long as the process: sshd's, of tiny packets both ways with
 * Z_PARTIAL_FLUSH, and websockets, raw with Z_SYNC_FLUSH whose last four bytes do not travel.
 */
#include "config.h"
#include "soak.h"

enum { SSH_ROOM = 4096, TAIL_LEN = 4 };

/* One direction; either end is ours or the reference's. */
struct way {
	const struct zlib_api *from, *to;
	z_stream deflate, inflate;
};

static int open_way(struct soak *s, struct way *way, int level, int wbits, int mem_level)
{
	unsigned int who = soak_below(s, 4);

	*way = (struct way){ .from = who == 1 ? &ref : &ours, .to = who == 2 ? &ref : &ours };
	if (way->from->deflateInit2_(&way->deflate, level, Z_DEFLATED, wbits, mem_level,
				     Z_DEFAULT_STRATEGY, ZLIB_VERSION, (int)sizeof(z_stream)) ||
	    way->to->inflateInit2_(&way->inflate, wbits, ZLIB_VERSION, (int)sizeof(z_stream)))
		return soak_failed(s, "opening a connection", 0);
	return 0;
}

static void close_way(struct way *way)
{
	way->from->deflateEnd(&way->deflate);
	way->to->inflateEnd(&way->inflate);
}

static int pack(struct soak *s, struct way *way, const unsigned char *plain, size_t len, int flush,
		size_t room)
{
	z_stream *strm = &way->deflate;
	int ret;

	s->packed.len = 0;
	strm->next_in = (z_const Bytef *)plain;
	strm->avail_in = (uInt)len;
	do {
		strm->next_out = buf_room(&s->packed, room);
		strm->avail_out = (uInt)room;
		ret = way->from == &ours ? soak_deflate(s, strm, flush) : ref.deflate(strm, flush);
		s->packed.len += room - strm->avail_out;
	} while (ret == Z_OK && !strm->avail_out);
	return (ret && ret != Z_BUF_ERROR) || strm->avail_in ? soak_failed(s, "deflate", ret) : 0;
}

/* Until there is no more, which Z_BUF_ERROR says. */
static int unpack(struct soak *s, struct way *way, const unsigned char *packed, size_t len,
		  size_t room)
{
	z_stream *strm = &way->inflate;
	int ret;

	strm->next_in = (z_const Bytef *)packed;
	strm->avail_in = (uInt)len;
	do {
		strm->next_out = buf_room(&s->back, room);
		strm->avail_out = (uInt)room;
		ret = way->to == &ours ? soak_inflate(s, strm, Z_SYNC_FLUSH)
				       : ref.inflate(strm, Z_SYNC_FLUSH);
		s->back.len += room - strm->avail_out;
	} while (ret == Z_OK);
	return ret != Z_BUF_ERROR || strm->avail_in ? soak_failed(s, "inflate", ret) : 0;
}

/* Mostly keys that are pressed and what they show, at times a file. */
int soak_ssh(struct soak *s)
{
	struct way *ways = *s->kept;
	unsigned int packets_nr = 1 + soak_below(s, 40), bits = soak_below(s, 10) ? 7 : 14;

	soak_does(s, "packets of up to %u bytes", 2u << bits);
	if (!ways) {
		*s->kept = ways = calloc(2, sizeof(*ways));
		for (int w = 0; w < 2; w++)
			if (open_way(s, &ways[w], 6, 15, 8))
				return -1;
	}
	while (packets_nr--) {
		size_t len = 1 + soak_length(s, bits);
		const unsigned char *plain = soak_text(s, len);
		struct way *way = &ways[soak_below(s, 2)];

		s->back.len = 0;
		if (pack(s, way, plain, len, Z_PARTIAL_FLUSH, SSH_ROOM) ||
		    unpack(s, way, s->packed.data, s->packed.len, SSH_ROOM) ||
		    soak_is(s, "a packet", &s->back, plain, len))
			return -1;
		s->tally->bytes += len;
	}
	return 0;
}

void soak_ssh_end(struct soak *s)
{
	struct way *ways = *s->kept;

	for (int w = 0; ways && w < 2; w++)
		close_way(&ways[w]);
	free(ways);
}

struct socket {
	struct way way;
	int has_takeover;
};

static int message(struct soak *s, struct socket *socket, const unsigned char *plain, size_t len)
{
	struct way *way = &socket->way;

	s->back.len = 0;
	/* With less than six bytes of room, each call would flush anew: zlib.h. */
	if (pack(s, way, plain, len, Z_SYNC_FLUSH, 64 + soak_length(s, 15)))
		return -1;
	if (s->packed.len < TAIL_LEN ||
	    memcmp(s->packed.data + s->packed.len - TAIL_LEN, "\0\0\377\377", TAIL_LEN))
		return soak_failed(s, "the end of a flush", (long long)s->packed.len);
	if (unpack(s, way, s->packed.data, s->packed.len - TAIL_LEN, 16384) ||
	    unpack(s, way, (const unsigned char *)"\0\0\377\377", TAIL_LEN, 16384))
		return -1;
	if (!socket->has_takeover &&
	    (way->from->deflateReset(&way->deflate) || way->to->inflateReset(&way->inflate)))
		return soak_failed(s, "reset", 0);
	return soak_is(s, "a message", &s->back, plain, len);
}

int soak_websocket(struct soak *s)
{
	struct socket *socket = *s->kept;
	unsigned int messages_nr = 1 + soak_below(s, 10);
	int wbits = soak_below(s, 3) ? 15 : 9 + (int)soak_below(s, 6);

	if (!socket) {
		*s->kept = socket = calloc(1, sizeof(*socket));
		socket->has_takeover = soak_below(s, 3) != 0;
		if (open_way(s, &socket->way, 1 + (int)soak_below(s, 6), -wbits, 8))
			return -1;
	}
	while (messages_nr--) {
		size_t len = 1 + soak_length(s, soak_below(s, 10) ? 9 : 16);

		soak_does(s, "a message of %zu bytes, %s takeover", len,
			  socket->has_takeover ? "with" : "no");
		if (message(s, socket, soak_text(s, len), len))
			return -1;
		s->tally->bytes += len;
	}
	/* Some hang up. */
	if (!soak_below(s, 30)) {
		soak_websocket_end(s);
		*s->kept = NULL;
	}
	return 0;
}

void soak_websocket_end(struct soak *s)
{
	struct socket *socket = *s->kept;

	if (socket)
		close_way(&socket->way);
	free(socket);
}
