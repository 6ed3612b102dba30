/* SPDX-License-Identifier: Zlib */
/* gz* functions on two files in memory, in step. */
#include "config.h"
#include "api.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

enum { READ_MOST = 300000, DIRECT = 6 /* of the modes below */ };

static int file_new(void)
{
	int fd = memfd_create("fuzz_api", 0);

	check(fd >= 0, "broken test: no file in memory");
	return fd;
}

static gzFile open_on(const struct zlib_api *z, int fd, const char *mode)
{
	int own = dup(fd);
	gzFile file;

	check(own >= 0 && lseek(own, 0, SEEK_SET) == 0, "broken test");
	file = z->gzdopen(own, mode);
	check(file, "gzdopen(%s) fails", mode);
	return file;
}

static void whole(int fd, struct buf *buf)
{
	ssize_t nr;

	check(lseek(fd, 0, SEEK_SET) == 0, "broken test");
	while ((nr = read(fd, buf_room(buf, 65536), 65536)) > 0)
		buf->len += (size_t)nr;
}

static void same_long(const char *what, const long got[SIDES])
{
	check(got[OURS] == got[STOCK], "%s: %ld, zlib %ld", what, got[OURS], got[STOCK]);
}

static void write_steps(struct runner *r, gzFile file[SIDES], bool is_direct)
{
	unsigned int nr = 1 + in_below(&r->in, 12);
	bool has_written = false;

	while (nr--) {
		unsigned int what = in_below(&r->in, 10), value = in_byte(&r->in);
		size_t len = in_size(&r->in, 600000);
		const unsigned char *data = in_text(&r->in, len);
		long got[SIDES];

		r->work += len / 2 + 500;
		/* zlib 1.2.13's own reads what is not there, where nothing is compressed. */
		if (what == 4 && is_direct)
			continue;
		/* zlib's own zeros are whatever its memory holds where nothing was written before;
		 * and 1.3.2 asks its memory, never written, whether a seek counts in gztell(). */
		if (what == 5 && (!has_written || !strcmp(stock.zlibVersion(), "1.3.2")))
			continue;
		has_written |= what < 3 || (what > 6 && len);
		trace("  gz write %u: value %u, %zu bytes\n", what, value, len);
		for (int which = 0; which < SIDES; which++) {
			const struct zlib_api *z = zapi[which];

			switch (what) {
			case 0:
				got[which] = z->gzputc(file[which], (int)value);
				break;
			case 1:
				got[which] = z->gzputs(file[which], "some line\n");
				break;
			case 2:
				got[which] = z->gzprintf(file[which], "%u and %s\n", value, "more");
				break;
			case 3:
				got[which] =
					z->gzflush(file[which],
						   value % 8 < 6 ? (int)(value % 6) : Z_SYNC_FLUSH);
				break;
			case 4:
				got[which] = z->gzsetparams(file[which], (int)(value % 10),
							    value / 16 % 5 ? 0 : (int)(value % 5));
				break;
			case 5:
				got[which] = z->gzseek(file[which], value * 50, SEEK_CUR);
				break;
			case 6:
				got[which] = (long)z->gzfwrite(data, len % 100 + 1,
							       len / (len % 100 + 1), file[which]);
				break;
			default:
				got[which] = z->gzwrite(file[which], data, (unsigned int)len);
			}
		}
		same_long("a call that writes", got);
		for (int which = 0; which < SIDES; which++)
			got[which] = zapi[which]->gztell(file[which]);
		same_long("gztell", got);
	}
}

static void read_steps(struct runner *r, gzFile file[SIDES])
{
	static unsigned char room[SIDES][READ_MOST];
	unsigned int nr = 1 + in_below(&r->in, 16);
	bool has_read = false;

	while (nr--) {
		unsigned int what = in_below(&r->in, 10), value = in_byte(&r->in);
		size_t len = in_size(&r->in, READ_MOST - 1);
		long got[SIDES];
		int error[SIDES];
		size_t made;

		r->work += len / 2 + 500;
		/* zlib 1.2.13's own crashes in gzungetc() where nothing was read. */
		if (what == 2 && !has_read)
			continue;
		has_read = what == 0;
		trace("  gz read %u: value %u, %zu bytes\n", what, value, len);
		for (int which = 0; which < SIDES; which++) {
			const struct zlib_api *z = zapi[which];
			z_off_t at = (z_off_t)(value * len / 16);

			memset(room[which], 0, len + 1);
			switch (what) {
			case 0:
				got[which] = (z->gzgetc)(file[which]);
				break;
			case 1:
				got[which] = z->gzgets(file[which], (char *)room[which],
						       (int)len + 1) != NULL;
				break;
			case 2:
				got[which] = z->gzungetc((int)value, file[which]);
				break;
			case 3:
				got[which] =
					z->gzseek(file[which], at, value % 2 ? SEEK_CUR : SEEK_SET);
				break;
			case 4:
				got[which] = z->gzrewind(file[which]);
				break;
			case 5:
				got[which] = z->gzeof(file[which]) + 2 * z->gzdirect(file[which]);
				break;
			case 6:
				got[which] = (long)z->gzfread(room[which], len % 100 + 1,
							      len / (len % 100 + 1), file[which]);
				break;
			default:
				got[which] = z->gzread(file[which], room[which], (unsigned int)len);
			}
			z->gzerror(file[which], &error[which]);
			trace("  side %d: %ld, error %d, tell %ld\n", which, got[which],
			      error[which], (long)z->gztell(file[which]));
		}
		/*
		 * Where a file is cut a device may hold back the last symbols until more comes, and the
		 * gz functions do not ask again.
		 */
		if (!is_soft(r) && error[OURS] == Z_BUF_ERROR && error[STOCK] == Z_BUF_ERROR &&
		    stock.gztell(file[STOCK]) != gztell(file[OURS]) &&
		    stock.gztell(file[STOCK]) - gztell(file[OURS]) <= HELD_MOST)
			return;
		same_long("a call that reads", got);
		check(error[OURS] == error[STOCK], "gzerror: %d, zlib %d", error[OURS],
		      error[STOCK]);
		/* Behind what was read, and where the call failed, is anything. */
		made = what == 1   ? strlen((char *)room[STOCK]) + 1
		       : what == 6 ? (size_t)got[STOCK] * (len % 100 + 1)
				   : (size_t)got[STOCK];
		if ((what == 1 || what >= 6) && got[STOCK] > 0 && error[STOCK] >= 0)
			check(!memcmp(room[OURS], room[STOCK], made), "other bytes were read");
		for (int which = 0; which < SIDES; which++)
			got[which] = zapi[which]->gztell(file[which]);
		same_long("gztell", got);
	}
}

static void same_text(const struct buf packed[SIDES])
{
	struct buf plain[SIDES] = { { 0 } };

	for (int which = 0; which < SIDES; which++) {
		z_stream s = { 0 };
		int ret = Z_OK;

		check(!stock.inflateInit2_(&s, 31, ZLIB_VERSION, (int)sizeof(s)), "broken test");
		s.next_in = packed[which].data;
		s.avail_in = (uInt)packed[which].len;
		while (s.avail_in && ret == Z_OK) {
			s.next_out = buf_room(&plain[which], 65536);
			s.avail_out = 65536;
			ret = stock.inflate(&s, Z_NO_FLUSH);
			plain[which].len += 65536 - s.avail_out;
			if (ret == Z_STREAM_END)
				ret = stock.inflateReset(&s);
			else if (ret == Z_OK && !s.avail_in && !s.avail_out)
				s.avail_in = 0;
		}
		check(ret == Z_OK, "the file that was written is wrong: %d", ret);
		stock.inflateEnd(&s);
	}
	check(plain[OURS].len == plain[STOCK].len &&
		      (!plain[OURS].len ||
		       !memcmp(plain[OURS].data, plain[STOCK].data, plain[OURS].len)),
	      "another text, %zu and %zu bytes", plain[OURS].len, plain[STOCK].len);
	buf_free(&plain[OURS]);
	buf_free(&plain[STOCK]);
}

static void op_gz(struct runner *r)
{
	static const char *const modes[] = { "wb",   "wb1", "wb6f", "wb9",
					     "wb6h", "wb0", "wbT",  "wb3R" };
	int fd[SIDES];
	gzFile file[SIDES];
	struct buf packed[SIDES] = { { 0 } };
	unsigned int how = in_byte(&r->in), harm = in_byte(&r->in);
	long got[SIDES];

	/* Of a child of threads, the stock zlib's own memory may be locked. One thread alone has
	 * the rooms. */
	if (r->has_no_second_libc || r->settings->threads > 1)
		return;
	for (int which = 0; which < SIDES; which++) {
		fd[which] = file_new();
		file[which] = open_on(zapi[which], fd[which], modes[how % 8]);
		if (how / 8 % 4 == 0)
			zapi[which]->gzbuffer(file[which], 8 + how * 16u);
	}
	trace("  gzdopen %s, gzbuffer %u\n", modes[how % 8], how / 8 % 4 ? 0 : 8 + how * 16u);
	write_steps(r, file, how % 8 == DIRECT);
	for (int which = 0; which < SIDES; which++) {
		got[which] = how & 32 ? zapi[which]->gzclose(file[which])
				      : zapi[which]->gzclose_w(file[which]);
		whole(fd[which], &packed[which]);
	}
	same_long("gzclose", got);
	if (how % 8 != DIRECT)
		same_text(packed);
	if (r->settings->mode == MODE_SOFT || how % 8 == DIRECT)
		check(packed[OURS].len == packed[STOCK].len &&
			      (!packed[OURS].len ||
			       !memcmp(packed[OURS].data, packed[STOCK].data, packed[OURS].len)),
		      "other bytes than zlib's in the file");
	/* Both read the same file, which may be damaged. */
	if (harm % 4 == 0 && packed[STOCK].len)
		packed[STOCK].data[(size_t)harm * packed[STOCK].len / 256] ^= 4;
	/* Of a file that was cut, a device holds back the last symbols until it is asked again,
	 * which gz* does not. */
	else if (harm % 4 == 1 && packed[STOCK].len && r->settings->mode == MODE_SOFT)
		packed[STOCK].len -= packed[STOCK].len > 8 ? 1 + harm / 32u : 0;
	else if (harm % 4 == 2 && buf_room(&packed[STOCK], packed[STOCK].len + 1))
		buf_add(&packed[STOCK], packed[STOCK].data,
			packed[STOCK].len < 200000 ? packed[STOCK].len : 0);
	trace("  gz file of %zu bytes, damage %u\n", packed[STOCK].len, harm);
	for (int which = 0; which < SIDES; which++) {
		check(!ftruncate(fd[which], 0) &&
			      pwrite(fd[which], packed[STOCK].data, packed[STOCK].len, 0) ==
				      (ssize_t)packed[STOCK].len,
		      "broken test");
		file[which] = open_on(zapi[which], fd[which], "rb");
		if (how / 64 % 2)
			zapi[which]->gzbuffer(file[which], 8 + harm * 300u);
	}
	read_steps(r, file);
	for (int which = 0; which < SIDES; which++) {
		got[which] = how & 32 ? zapi[which]->gzclose(file[which])
				      : zapi[which]->gzclose_r(file[which]);
		close(fd[which]);
		buf_free(&packed[which]);
	}
	same_long("gzclose", got);
}

const struct op gz_ops[] = {
	{ "gz*", op_gz },
};
const unsigned int gz_ops_nr = sizeof(gz_ops) / sizeof(gz_ops[0]);
