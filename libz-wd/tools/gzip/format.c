/* SPDX-License-Identifier: Zlib */
/* What comes next in the input of wd-gzip, and the header of a gzip member (RFC 1952). */
#include "config.h"
#include "gzip.h"

#include <stdlib.h>
#include <string.h>
#include <zlib.h>

enum { TRAILER_LEN = 8, PATH_LEN = 1024 };

enum {
	FLAG_CRC = 0x02,
	FLAG_EXTRA = 0x04,
	FLAG_NAME = 0x08,
	FLAG_COMMENT = 0x10,
	FLAG_ENCRYPTED = 0x20, /* of gzip before RFC 1952 */
	FLAG_RESERVED = 0xc0,
};

/* Header bytes, and their checksum for FLAG_CRC. */
struct header {
	struct job *job;
	unsigned long crc;
	size_t len;
	size_t member_len; /* by the extra field of BGZF, else 0 */
};

static unsigned int header_byte(struct header *h)
{
	unsigned char c = io_need(h->job);

	h->crc = crc32(h->crc, &c, 1);
	h->len++;
	return c;
}

static uint32_t header_le(struct header *h, unsigned int bytes)
{
	uint32_t value = 0;
	unsigned int i;

	for (i = 0; i < bytes; i++)
		value |= (uint32_t)header_byte(h) << 8 * i;
	return value;
}

static void read_extra(struct header *h)
{
	unsigned int len = header_le(h, 2), i;
	unsigned char start[6];

	if (opt.verbose)
		gzip_say("%s: extra field of %u bytes ignored", h->job->in_name, len);
	for (i = 0; i < len; i++) {
		unsigned int c = header_byte(h);

		if (i < sizeof(start))
			start[i] = c;
	}
	/* A field "BC" of two bytes: one less than the length of the member. */
	if (len >= sizeof(start) && !memcmp(start, "BC\2", 4))
		h->member_len = (start[4] | start[5] << 8) + 1;
}

static void read_name(struct header *h)
{
	bool is_wanted = !opt.no_name && (!opt.to_stdout || opt.list) && h->job->member_nr == 1;
	const char *slash = strrchr(h->job->in_name, '/');
	size_t folder_len = slash ? slash + 1 - h->job->in_name : 0;
	char *name = NULL;
	size_t len = 0, room = 0;
	char c;

	do {
		c = header_byte(h);
		if (!is_wanted)
			continue;
		if (len == room) {
			room = room ? 2 * room : 64;
			name = realloc(name, room);
			if (!name)
				gzip_die(h->job, "memory exhausted");
		}
		name[len++] = c;
		/* As in GNU gzip; and no name takes all the memory there is. */
		if (c && folder_len + len >= PATH_LEN)
			gzip_die(h->job, "corrupted input -- file name too large");
	} while (c);
	if (name)
		name_restore(h->job, name);
	free(name);
}

static enum method read_gzip(struct job *job)
{
	struct header h = { .job = job };
	unsigned int method, flags, crc;
	uint32_t mtime;

	header_le(&h, 2); /* magic */
	method = header_byte(&h);
	if (method != METHOD_DEFLATE) {
		gzip_error("%s: unknown method %u -- not supported", job->in_name, method);
		return METHOD_NONE;
	}
	flags = header_byte(&h);
	if (flags & FLAG_ENCRYPTED) {
		gzip_error("%s is encrypted -- not supported", job->in_name);
		return METHOD_NONE;
	}
	if (flags & FLAG_RESERVED) {
		gzip_error("%s has flags 0x%x -- not supported", job->in_name, flags);
		return METHOD_NONE;
	}
	mtime = header_le(&h, 4);
	if (mtime && !opt.no_time)
		job->mtime = (struct timespec){ .tv_sec = mtime };
	header_le(&h, 2); /* the level and the system */
	if (flags & FLAG_EXTRA)
		read_extra(&h);
	if (flags & FLAG_NAME)
		read_name(&h);
	while (flags & FLAG_COMMENT && header_byte(&h))
		;
	if (flags & FLAG_CRC) {
		crc = io_need_le(job, 2);
		if (crc != (h.crc & 0xffff)) {
			gzip_error("%s: header checksum 0x%04x != computed checksum 0x%04lx",
				   job->in_name, crc, h.crc & 0xffff);
			return METHOD_NONE;
		}
	}
	if (job->member_nr == 1)
		job->header_len = job->in_len - job->avail + TRAILER_LEN;
	if (h.member_len > h.len)
		job->body_len = h.member_len - h.len;
	return METHOD_DEFLATE;
}

/* Nothing that we know. Zero bytes behind a member are tape padding. */
static enum method read_unknown(struct job *job)
{
	int c;

	if (job->member_nr == 1) {
		gzip_error("\n%s: not in gzip format", job->in_name);
		return METHOD_NONE;
	}
	do
		c = io_byte(job);
	while (!c);
	if (c > 0)
		gzip_warn("\n%s: decompression OK, trailing garbage ignored", job->in_name);
	else if (opt.verbose)
		gzip_warn("\n%s: decompression OK, trailing zero bytes ignored", job->in_name);
	return METHOD_NONE;
}

static enum method read_zip(struct job *job)
{
	job->is_last = true;
	return old_zip_header(job);
}

static enum method read_lzw(struct job *job)
{
	job->is_last = true;
	return METHOD_LZW;
}

static enum method read_pack(struct job *job)
{
	return METHOD_PACK;
}

static enum method read_lzh(struct job *job)
{
	gzip_error("%s: compressed with the lzh method -- not supported", job->in_name);
	return METHOD_NONE;
}

static const struct magic {
	unsigned int len;
	unsigned char bytes[4];
	enum method (*read)(struct job *job);
} magics[] = {
	{ 2, { 0x1f, 0x8b }, read_gzip },
	{ 2, { 0x1f, 0x9e }, read_gzip }, /* gzip before 0.6 */
	{ 2, { 0x1f, 0x9d }, read_lzw },
	{ 2, { 0x1f, 0x1e }, read_pack },
	{ 2, { 0x1f, 0xa0 }, read_lzh },
	{ 4, { 'P', 'K', 3, 4 }, read_zip },
};

enum method format_read(struct job *job)
{
	const struct magic *magic;
	unsigned char bytes[4] = { 0 };
	enum method method;
	size_t len, i;

	job->member_nr++;
	job->header_len = 0;
	job->is_last = false;
	job->crc = ~0ul;
	job->body_len = 0;
	len = io_peek(job, bytes, sizeof(bytes));
	for (i = 0; i < sizeof(magics) / sizeof(*magics); i++) {
		magic = &magics[i];
		if (len < magic->len || memcmp(bytes, magic->bytes, magic->len))
			continue;
		if (magic->read == read_zip && job->member_nr > 1)
			continue;
		method = magic->read(job);
		job->is_refused = method == METHOD_NONE;
		return method;
	}
	if (opt.force && opt.to_stdout && !opt.list) {
		job->is_last = true;
		return METHOD_STORED;
	}
	/* A single zero byte is padding, any other lone byte half a magic number. */
	if (len < 2 && (job->member_nr == 1 || bytes[0])) {
		io_flush(job);
		gzip_die(job, "unexpected end of file");
	}
	return read_unknown(job);
}
