/* SPDX-License-Identifier: Zlib */
/* The gz functions, as scripts and tools use them: written by one zlib, read by the other and by
 * itself. */
#include "config.h"
#include "soak.h"

#include <sys/mman.h>
#include <unistd.h>

/* A gz file on a file without a name. */
static gzFile gz_open(struct soak *s, const struct zlib_api *z, int fd, const char *mode)
{
	int own = dup(fd);
	gzFile file;

	if (own < 0 || lseek(own, 0, SEEK_SET))
		return NULL;
	file = z->gzdopen(own, mode);
	if (!file)
		close(own);
	else if (!soak_below(s, 3))
		z->gzbuffer(file, 64u << soak_below(s, 12));
	return file;
}

static int gz_write(struct soak *s, const struct zlib_api *z, gzFile file, int is_gzip,
		    const unsigned char *plain, size_t len)
{
	for (size_t pos = 0, nr; pos < len; pos += nr) {
		unsigned int what = soak_below(s, 30);

		nr = 1 + soak_length(s, 16);
		nr = nr < len - pos ? nr : len - pos;
		if (what == 0) {
			nr = 1;
			if (z->gzputc(file, plain[pos]) != plain[pos])
				return soak_failed(s, "gzputc", (long long)pos);
		} else if (what == 1) {
			if (z->gzfwrite(plain + pos, 1, nr, file) != nr)
				return soak_failed(s, "gzfwrite", (long long)pos);
		} else if (z->gzwrite(file, plain + pos, (unsigned int)nr) != (int)nr) {
			return soak_failed(s, "gzwrite", (long long)pos);
		}
		if (what == 2 && z->gzflush(file, soak_below(s, 2) ? Z_SYNC_FLUSH : Z_FINISH))
			return soak_failed(s, "gzflush", (long long)pos);
		/* zlib 1.2.13's writes to no stream where nothing is compressed. */
		if (what == 3 && is_gzip &&
		    z->gzsetparams(file, (int)soak_below(s, 10), Z_DEFAULT_STRATEGY))
			return soak_failed(s, "gzsetparams", (long long)pos);
	}
	return 0;
}

/* All of it, with some ways back and forth. */
static int gz_read(struct soak *s, const struct zlib_api *z, gzFile file,
		   const unsigned char *plain, size_t len)
{
	unsigned char *back = buf_room(&s->back, 200000);
	unsigned int seeks = soak_below(s, 4);
	size_t pos = 0;

	for (;;) {
		size_t room = 1 + soak_length(s, 16);
		int nr = z->gzread(file, back, (unsigned int)room);

		if (nr < 0 || (size_t)nr > len - pos || (!nr && pos < len))
			return soak_failed(s, "gzread", nr);
		if (!nr)
			break;
		if (memcmp(back, plain + pos, (size_t)nr))
			return soak_failed(s, "bytes read", (long long)pos);
		pos += (size_t)nr;
		if (z->gztell(file) != (z_off_t)pos)
			return soak_failed(s, "gztell", (long long)pos);
		if (seeks && !soak_below(s, 4)) {
			seeks--;
			pos = soak_below(s, 3) ? soak_below(s, (unsigned int)len + 1) : 0;
			if (z->gzseek(file, (z_off_t)pos, SEEK_SET) != (z_off_t)pos)
				return soak_failed(s, "gzseek", (long long)pos);
		} else if (!soak_below(s, 8) && pos < len) {
			if ((z->gzgetc)(file) != plain[pos] ||
			    z->gzungetc(plain[pos], file) != plain[pos])
				return soak_failed(s, "gzgetc, gzungetc", (long long)pos);
		}
	}
	return z->gzeof(file) ? 0 : soak_failed(s, "gzeof", (long long)pos);
}

static int gz_check(struct soak *s, const struct zlib_api *z, int fd, const unsigned char *plain,
		    size_t len)
{
	gzFile file = gz_open(s, z, fd, "rb");
	int ret;

	if (!file)
		return soak_failed(s, "opening it to read", 0);
	ret = gz_read(s, z, file, plain, len);
	if (z->gzclose(file) != Z_OK && !ret)
		ret = soak_failed(s, "gzclose", 0);
	return ret;
}

int soak_gz(struct soak *s)
{
	static const char *const modes[] = { "wb", "wb1", "wb9", "wb6f", "wb6h", "wbT" };
	const char *mode = modes[soak_below(s, 6)];
	const struct zlib_api *z = soak_below(s, 3) ? &ours : &ref;
	size_t len = soak_length(s, 19);
	const unsigned char *plain = soak_text(s, len);
	int fd = memfd_create("soak", MFD_CLOEXEC), ret = -1;
	gzFile file;

	soak_does(s, "gz of %zu bytes, mode %s, by %s", len, mode, z == &ours ? "us" : "zlib");
	file = fd < 0 ? NULL : gz_open(s, z, fd, mode);
	if (!file) {
		soak_failed(s, "opening it to write", 0);
	} else {
		ret = gz_write(s, z, file, !strchr(mode, 'T'), plain, len);
		if (z->gzclose(file) != Z_OK && !ret)
			ret = soak_failed(s, "gzclose", 0);
	}
	s->tally->bytes += len;
	s->tally->calls += 4;
	if (!ret)
		ret = gz_check(s, &ours, fd, plain, len);
	if (!ret && z == &ours)
		ret = gz_check(s, &ref, fd, plain, len);
	if (fd >= 0)
		close(fd);
	return ret;
}
