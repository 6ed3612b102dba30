/* SPDX-License-Identifier: Zlib */
/* Formats that wd-gzip only reads: compress (.Z), pack (.z) and the first entry of a zip file. */
#include "config.h"
#include "gzip.h"

#include <stdio.h>
#include <string.h>
#include <zlib.h>

/* compress: LZW with codes of 9 to 16 bits, least significant bit first. Codes come in groups of
 * eight of one width; a change of width or a CLEAR leaves the rest of its group unused. */
enum {
	LZW_MIN_BITS = 9,
	LZW_MAX_BITS = 16,
	LZW_BITS_MASK = 0x1f,
	LZW_BLOCK_MODE = 0x80,
	LZW_UNKNOWN = 0x60,
	LZW_CLEAR = 256,
	LZW_GROUP = 8,
};

struct lzw_reader {
	unsigned char group[LZW_MAX_BITS + 2];
	unsigned int bits;
	unsigned int at;
	unsigned int nr; /* codes in the group */
};

/* -1: end of file. Bits left over at the end are padding. */
static int lzw_code(struct job *job, struct lzw_reader *r)
{
	unsigned int bit, len;
	uint32_t word;
	int c;

	if (r->at == r->nr) {
		for (len = 0; len < r->bits && (c = io_byte(job)) >= 0; len++)
			r->group[len] = c;
		r->nr = len * 8 / r->bits;
		r->at = 0;
		if (!r->nr)
			return -1;
	}
	bit = r->at++ * r->bits;
	word = r->group[bit / 8] | r->group[bit / 8 + 1] << 8 | r->group[bit / 8 + 2] << 16;
	return word >> bit % 8 & ((1u << r->bits) - 1);
}

static void lzw_set_bits(struct lzw_reader *r, unsigned int bits)
{
	r->bits = bits;
	r->at = r->nr = 0;
}

int old_lzw(struct job *job)
{
	static uint16_t prefix[1 << LZW_MAX_BITS];
	static unsigned char last[1 << LZW_MAX_BITS], stack[1 << LZW_MAX_BITS];
	struct lzw_reader reader = { .bits = LZW_MIN_BITS };
	unsigned int flags, max_bits, first_free, free_code, code, depth;
	int before = -1, next;
	bool is_first = true;

	io_need_le(job, 2);
	flags = io_need(job);
	max_bits = flags & LZW_BITS_MASK;
	if (flags & LZW_UNKNOWN)
		gzip_warn("\n%s: warning, unknown flags 0x%x", job->in_name, flags & LZW_UNKNOWN);
	if (max_bits > LZW_MAX_BITS) {
		gzip_error("\n%s: compressed with %u bits, can only handle %u bits", job->in_name,
			   max_bits, LZW_MAX_BITS);
		return -1;
	}
	first_free = free_code = flags & LZW_BLOCK_MODE ? LZW_CLEAR + 1 : LZW_CLEAR;

	while ((next = lzw_code(job, &reader)) >= 0) {
		code = next;
		/* The first code is a byte. */
		if (code == LZW_CLEAR && flags & LZW_BLOCK_MODE && !is_first) {
			free_code = first_free;
			before = -1;
			lzw_set_bits(&reader, LZW_MIN_BITS);
			continue;
		}
		if (before < 0 ? code >= LZW_CLEAR : code > free_code) {
			io_flush(job);
			gzip_die(job, is_first || opt.to_stdout ?
					      "corrupt input." :
					      "corrupt input. Use zcat to recover some data.");
		}
		is_first = false;
		depth = 0;
		/* A code that is about to be made is the string before and its first byte. */
		if (code == free_code && before >= 0) {
			depth = 1;
			code = before;
		}
		for (; code >= LZW_CLEAR; code = prefix[code])
			stack[sizeof(stack) - ++depth] = last[code];
		stack[sizeof(stack) - ++depth] = code;
		if ((unsigned int)next == free_code && before >= 0)
			stack[sizeof(stack) - 1] = code;
		for (; depth; depth--)
			io_put_byte(job, stack[sizeof(stack) - depth]);
		if (before >= 0 && free_code < 1u << max_bits) {
			prefix[free_code] = before;
			last[free_code++] = code;
			if (free_code == 1u << reader.bits && reader.bits < max_bits)
				lzw_set_bits(&reader, reader.bits + 1);
		}
		before = next;
	}
	return 0;
}

/* pack: one canonical Huffman code for the whole file. At each level of the tree the inner nodes
 * have the smaller codes; the last leaf ends the data. */
enum { PACK_LEVELS = 25, PACK_LEAVES = 256 };

struct pack_tree {
	unsigned int levels;
	unsigned int leaves[PACK_LEVELS + 1];
	unsigned int inner[PACK_LEVELS + 1];
	unsigned int first[PACK_LEVELS + 1]; /* in bytes[], of the level's leaves */
	unsigned int nr;
	unsigned char bytes[PACK_LEAVES];
};

static void pack_read_tree(struct job *job, struct pack_tree *tree)
{
	unsigned int level, nodes = 0, i;

	tree->levels = io_need(job);
	if (!tree->levels || tree->levels > PACK_LEVELS)
		gzip_die(job, "invalid compressed data -- tree of a wrong depth");
	for (level = 1; level <= tree->levels; level++) {
		tree->first[level] = tree->nr;
		tree->leaves[level] = io_need(job);
		/* The last level's number leaves out the end mark and one byte more. */
		if (level == tree->levels)
			tree->leaves[level] += 2;
		tree->nr += tree->leaves[level];
	}
	if (tree->nr > PACK_LEAVES + 1)
		gzip_die(job, "invalid compressed data -- tree with too many leaves");
	for (i = 0; i < tree->nr - 1; i++)
		tree->bytes[i] = io_need(job);
	for (level = tree->levels; level; level--) {
		tree->inner[level] = nodes / 2;
		nodes = tree->inner[level] + tree->leaves[level];
	}
	if (nodes / 2 != 1)
		gzip_die(job, "invalid compressed data -- tree with too few leaves");
}

int old_pack(struct job *job)
{
	struct pack_tree tree = { 0 };
	unsigned int bits = 0, bits_nr = 0, level, code, leaf;
	uint32_t len;

	io_need_le(job, 2);
	len = io_need(job) << 24;
	len |= io_need(job) << 16;
	len |= io_need(job) << 8;
	len |= io_need(job);
	pack_read_tree(job, &tree);
	for (;;) {
		code = level = 0;
		do {
			if (level++ == tree.levels)
				gzip_die(job, "invalid compressed data--format violated");
			if (!bits_nr) {
				bits = io_need(job);
				bits_nr = 8;
			}
			code = code << 1 | (bits >> --bits_nr & 1);
		} while (code < tree.inner[level]);
		leaf = code - tree.inner[level];
		if (leaf >= tree.leaves[level])
			gzip_die(job, "invalid compressed data--format violated");
		leaf += tree.first[level];
		if (leaf == tree.nr - 1)
			break;
		io_put_byte(job, tree.bytes[leaf]);
	}
	if ((uint32_t)job->out_len != len)
		gzip_die(job, "invalid compressed data--length error");
	return 0;
}

/* zip: what the local header of the first entry says (APPNOTE, 4.3.7). */
enum { ZIP_ENCRYPTED = 1, ZIP_DESCRIPTOR = 8, ZIP_STORED = 0 };

static struct {
	unsigned int flags;
	uint32_t crc;
	uint32_t packed_len;
	uint32_t len;
} entry;

enum method old_zip_header(struct job *job)
{
	unsigned char header[30];
	unsigned int method, skip;
	size_t len;

	for (len = 0; len < sizeof(header) && io_fill(job); len++)
		header[len] = io_byte(job);
	if (len < sizeof(header))
		goto bad;
	entry.flags = header[6];
	method = header[8] | header[9] << 8;
	entry.crc = header[14] | header[15] << 8 | header[16] << 16 | (uint32_t)header[17] << 24;
	entry.packed_len =
		header[18] | header[19] << 8 | header[20] << 16 | (uint32_t)header[21] << 24;
	entry.len = header[22] | header[23] << 8 | header[24] << 16 | (uint32_t)header[25] << 24;
	for (skip = (header[26] | header[27] << 8) + (header[28] | header[29] << 8); skip; skip--)
		if (io_byte(job) < 0)
			goto bad;
	if (method != ZIP_STORED && method != METHOD_DEFLATE) {
		gzip_error("\n%s: first entry not deflated or stored -- use unzip", job->in_name);
		return METHOD_NONE;
	}
	if (entry.flags & ZIP_ENCRYPTED) {
		gzip_error("\n%s: encrypted file -- use unzip", job->in_name);
		return METHOD_NONE;
	}
	return method == ZIP_STORED ? METHOD_ZIP_STORED : METHOD_ZIP;
bad:
	gzip_error("\n%s: not a valid zip file", job->in_name);
	return METHOD_NONE;
}

static void zip_copy(struct job *job)
{
	uint32_t left;
	unsigned char c;

	if (entry.len != entry.packed_len) {
		fprintf(stderr, "len %u, siz %u\n", entry.len, entry.packed_len);
		gzip_die(job, "invalid compressed data--length mismatch");
	}
	for (left = entry.len; left; left--) {
		c = io_need(job);
		job->crc = crc32(job->crc, &c, 1);
		io_put_byte(job, c);
	}
}

int old_zip(struct job *job)
{
	static const unsigned char entry_magic[4] = { 'P', 'K', 3, 4 };
	unsigned char next[5];
	int rc = 0;

	job->crc = 0;
	if (job->method == METHOD_ZIP_STORED)
		zip_copy(job);
	else
		rc = codec_inflate(job, -15);
	if (rc)
		return rc;
	io_flush(job);
	if (entry.flags & ZIP_DESCRIPTOR) {
		io_need_le(job, 4);
		entry.crc = io_need_le(job, 4);
		io_need_le(job, 4);
		entry.len = io_need_le(job, 4);
	}
	if (job->crc != entry.crc) {
		gzip_error("\n%s: invalid compressed data--crc error", job->in_name);
		rc = -1;
	}
	if ((uint32_t)job->out_len != entry.len) {
		gzip_error("\n%s: invalid compressed data--length error", job->in_name);
		rc = -1;
	}
	job->crc = ~0ul;
	/* The four bytes alone are no entry. */
	if (rc || io_peek(job, next, sizeof(next)) != sizeof(next) ||
	    memcmp(next, entry_magic, sizeof(entry_magic)))
		return rc;
	if (opt.to_stdout) {
		gzip_warn("%s has more than one entry--rest ignored", job->in_name);
		return 0;
	}
	gzip_error("%s has more than one entry -- unchanged", job->in_name);
	return -1;
}
