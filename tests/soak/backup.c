/* SPDX-License-Identifier: Zlib */
/* Backups: as large as the round allows, more than 100 MiB at times; never in memory as a whole. */
#include "config.h"
#include "endless.h"
#include "soak.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PIECE_MAX = 1 << 20, LARGE_ROUND_S = 40, CALLS_MAX = 10000 };

extern char **environ;

static uint64_t draw_len(struct soak *s)
{
	if (s->round_s >= LARGE_ROUND_S && !soak_below(s, 12))
		return (100u << 20) + soak_below(s, 64u << 20);
	return (s->round_s >= 10 ? 1u << 20 : 1u << 16) + soak_below(s, 4u << 20);
}

static int is_plain(struct soak *s, enum endless_kind kind, uint64_t pos, const unsigned char *data,
		    size_t len)
{
	while (len) {
		size_t nr;
		const unsigned char *want = endless_plain(kind, pos, &nr);

		nr = nr < len ? nr : len;
		if (memcmp(want, data, nr))
			return soak_failed(s, "bytes of a backup", (long long)pos);
		pos += nr;
		data += nr;
		len -= nr;
	}
	return 0;
}

static int write_gz(struct soak *s, gzFile file, enum endless_kind kind, uint64_t len)
{
	for (uint64_t pos = 0; pos < len;) {
		size_t nr;
		const unsigned char *plain = endless_plain(kind, pos, &nr);

		nr = nr < len - pos ? nr : (size_t)(len - pos);
		if (ours.gzwrite(file, plain, (unsigned int)nr) != (int)nr)
			return soak_failed(s, "gzwrite", (long long)pos);
		s->tally->calls++;
		pos += nr;
	}
	return 0;
}

static int read_gz(struct soak *s, const struct zlib_api *z, int fd, enum endless_kind kind,
		   uint64_t len)
{
	size_t piece = 1 + soak_below(s, PIECE_MAX);
	unsigned char *back = buf_room(&s->back, piece);
	gzFile file = lseek(fd, 0, SEEK_SET) ? NULL : z->gzdopen(dup(fd), "rb");
	uint64_t pos = 0;
	int nr, ret = 0;

	if (!file)
		return soak_failed(s, "gzdopen", fd);
	do {
		nr = z->gzread(file, back, (unsigned int)piece);
		if (nr > 0)
			ret = is_plain(s, kind, pos, back, (size_t)nr);
		pos += nr > 0 ? (uint64_t)nr : 0;
		s->tally->calls++;
	} while (nr > 0 && !ret && !soak_failures);
	if (!ret && !soak_failures && (nr < 0 || pos != len))
		ret = soak_failed(s, "gzread", (long long)pos);
	if (z->gzclose(file) && !ret && !soak_failures)
		ret = soak_failed(s, "gzclose", 0);
	return ret;
}

/* gzopen(), gzwrite() and all that follows, into a file without a name. */
int soak_backup(struct soak *s)
{
	enum endless_kind kind = (enum endless_kind)soak_below(s, ENDLESS_KINDS);
	uint64_t len = draw_len(s);
	int fd = memfd_create("soak", MFD_CLOEXEC), ret;
	gzFile file = fd < 0 ? NULL : ours.gzdopen(dup(fd), soak_below(s, 2) ? "wb1" : "wb6");

	soak_does(s, "a backup of %llu bytes", (unsigned long long)len);
	if (!file)
		return soak_failed(s, "gzdopen", fd);
	if (soak_below(s, 2))
		ours.gzbuffer(file, 128 << 10);
	ret = write_gz(s, file, kind, len);
	if (ours.gzclose(file) && !ret)
		ret = soak_failed(s, "gzclose", 0);
	if (!ret)
		ret = read_gz(s, &ref, fd, kind, len);
	if (!ret && soak_below(s, 2))
		ret = read_gz(s, &ours, fd, kind, len);
	close(fd);
	s->tally->bytes += len;
	return ret;
}

/* One long stream of another's making, inflated in pieces and rooms of any length. */
int soak_restore(struct soak *s)
{
	static const int wbits[] = { 15, 31, -15 };
	enum endless_kind kind = (enum endless_kind)soak_below(s, ENDLESS_KINDS);
	uint64_t len = draw_len(s), pos = 0;
	int w = wbits[soak_below(s, 3)], ret = Z_OK, has_points = (int)soak_below(s, 2);
	size_t piece = 1 + soak_length(s, 18), room = 1024 + soak_length(s, 18);
	struct endless e;
	z_stream strm = { 0 };

	/* A call for each byte of all that would take longer than a round. */
	piece += len / CALLS_MAX;
	room += len / CALLS_MAX;
	soak_does(s, "a restore of %llu bytes, window bits %d, pieces of %zu, room %zu",
		  (unsigned long long)len, w, piece, room);
	if (soak_open_inflate(s, &strm, w))
		return -1;
	endless_begin(&e, kind, w, has_points);
	while (!ret && e.plain_len < len) {
		if (e.plain_len + ENDLESS_TILE < len)
			endless_more(&e);
		else
			endless_end(&e), len = e.plain_len;
		for (size_t at = 0, nr; !ret && at < e.packed.len; at += nr) {
			nr = piece < e.packed.len - at ? piece : e.packed.len - at;
			s->back.len = 0;
			ret = soak_take(s, &strm, e.packed.data + at, nr, Z_NO_FLUSH, room,
					&s->back, NULL);
			if (is_plain(s, kind, pos, s->back.data, s->back.len))
				ret = Z_ERRNO;
			pos += s->back.len;
		}
	}
	if (ret != Z_STREAM_END || pos != e.plain_len || strm.avail_in)
		ret = soak_failed(s, "inflate", ret);
	else if ((ret = ours.inflateEnd(&strm)) != Z_OK)
		ret = soak_failed(s, "inflateEnd", ret);
	endless_free(&e);
	s->tally->bytes += pos;
	return ret;
}

static int run_gzip(struct soak *s, const char *program, const char *option, int in, int out)
{
	const char *const argv[] = { "gzip", option, "-c", NULL };
	posix_spawn_file_actions_t actions;
	int status = -1, ret;
	pid_t pid;

	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, in, STDIN_FILENO);
	posix_spawn_file_actions_adddup2(&actions, out, STDOUT_FILENO);
	ret = lseek(in, 0, SEEK_SET)
		      ? -1
		      : posix_spawn(&pid, program, &actions, NULL, (char *const *)argv, environ);
	posix_spawn_file_actions_destroy(&actions);
	if (ret || waitpid(pid, &status, 0) != pid || status)
		return soak_failed(s, program, status);
	return 0;
}

/* wd-gzip, packing and unpacking, where it was built. */
int soak_gzip(struct soak *s)
{
	static const char options[][3] = { "-1", "-6", "-9", "-4" };
	const char *program = getenv("WD_GZIP"), *option = options[soak_below(s, 4)];
	int plain = memfd_create("soak", MFD_CLOEXEC), packed = memfd_create("soak", MFD_CLOEXEC);
	int back = memfd_create("soak", MFD_CLOEXEC), ret = 0;
	enum endless_kind kind = (enum endless_kind)soak_below(s, ENDLESS_KINDS);
	uint64_t len = draw_len(s), pos = 0;

	soak_does(s, "wd-gzip %s of %llu bytes", option, (unsigned long long)len);
	while (program && pos < len && ret >= 0) {
		size_t nr;
		const unsigned char *from = endless_plain(kind, pos, &nr);

		ret = (int)write(plain, from, nr < len - pos ? nr : (size_t)(len - pos));
		pos += ret > 0 ? (uint64_t)ret : 0;
	}
	ret = plain < 0 || packed < 0 || back < 0 || ret < 0 ? soak_failed(s, "files", ret) : 0;
	if (program && !ret)
		ret = run_gzip(s, program, option, plain, packed);
	if (program && !ret)
		ret = read_gz(s, &ref, packed, kind, len);
	if (program && !ret)
		ret = run_gzip(s, program, "-d", packed, back);
	/* What is no gzip file is read as it is. */
	if (program && !ret)
		ret = read_gz(s, &ref, back, kind, len);
	s->tally->bytes += program ? len : 0;
	close(plain);
	close(packed);
	close(back);
	return ret;
}
