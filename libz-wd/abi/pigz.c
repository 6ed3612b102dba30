/* SPDX-License-Identifier: Zlib */
/*
 * Which calls of pigz wd-gzip can do in its place: those with options that both have, on files of
 * which there is nothing to say, and only where a device does the work: in software pigz has its
 * threads.
 */
#include "config.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <termios.h>
#include <unistd.h>

#include "abi/pigz.h"
#include "engine/qpool.h"
#include "operate/settings.h"

struct call {
	int level;
	bool decompress, test, to_stdout, force, has_file;
};

/* What is not here, such as -p, -b, -i, -R, -Y, -m, -M, -T, -z and -K, or speaks, is pigz's. */
static const struct {
	char name[12]; /* no pointers: each would be relocated in every process */
	char letter;
} names[] = {
	{ "best", '9' },   { "decompress", 'd' }, { "fast", '1' },   { "force", 'f' }, { "keep", 'k' },
	{ "no-name", 'n' }, { "quiet", 'q' },	  { "silent", 'q' }, { "stdout", 'c' }, { "test", 't' },
	{ "to-stdout", 'c' }, { "uncompress", 'd' },
};

static bool take_letter(struct call *call, char letter)
{
	switch (letter) {
	case 'c':
		call->to_stdout = true;
		return true;
	case 'd':
		call->decompress = true;
		return true;
	case 'f':
		call->force = true;
		return true;
	case 't':
		call->decompress = call->test = true;
		return true;
	case 'k':
	case 'n':
	case 'q':
		return true;
	case '1' ... '9':
		call->level = letter - '0';
		return true;
	}
	return false;
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool take_word(struct call *call, const char *word)
{
	if (word[1] != '-') {
		/* Digits in a row are one number to pigz, such as 11, which is zopfli. */
		while (*++word)
			if (!take_letter(call, *word) || (is_digit(word[0]) && is_digit(word[1])))
				return false;
		return true;
	}
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (!strcmp(names[i].name, word + 2))
			return take_letter(call, names[i].letter);
	return false;
}

/* The beginning of a member, of deflate and with none of the flags that only a warning is for. */
static bool is_member(const unsigned char *head, ssize_t len)
{
	return len >= 4 && head[0] == 0x1f && head[1] == 0x8b && head[2] == 8 && !(head[3] & 0xe2);
}

static bool has_suffix(const char *name)
{
	static const char suffixes[][5] = { ".gz", "-gz", ".z",   "-z",   "_z",
						".Z",  ".zz", ".zip", ".tgz", ".taz" };
	size_t len = strlen(name);

	for (size_t i = 0; i < sizeof(suffixes) / sizeof(suffixes[0]); i++) {
		size_t end = strlen(suffixes[i]);

		if (len >= end && !strcmp(name + len - end, suffixes[i]))
			return true;
	}
	return false;
}

/* No file yet where the result goes. */
static bool is_output_free(const char *name, size_t len, const char *end)
{
	char output[4096];

	if (len + strlen(end) >= sizeof(output))
		return false;
	memcpy(output, name, len);
	strcpy(output + len, end);
	return access(output, F_OK);
}

/* Not by libc's functions: each that nothing else here calls costs every program at its load. */
static bool is_terminal(int fd)
{
	struct termios termios; /* more than the kernel's own, which it fills in */

	return !syscall(SYS_ioctl, fd, TCGETS, &termios);
}

static int status_of(int dir, const char *name, int flags, struct stat *st)
{
	return (int)syscall(SYS_newfstatat, dir, name, st, flags);
}

/* A file of which neither command has anything to say. */
static bool is_plain_file(const struct call *call, const char *name)
{
	size_t len = strlen(name);
	unsigned char head[4];
	struct stat st;
	ssize_t got;
	int fd;

	if (status_of(AT_FDCWD, name, AT_SYMLINK_NOFOLLOW, &st) || !S_ISREG(st.st_mode) || st.st_nlink != 1 ||
	    st.st_mode & (S_ISUID | S_ISGID | S_ISVTX) || access(name, R_OK))
		return false;
	if (!call->decompress)
		return !has_suffix(name) &&
		       (call->to_stdout || call->force || is_output_free(name, len, ".gz"));
	if (len <= 3 || strcmp(name + len - 3, ".gz") || name[len - 4] == '/')
		return false;
	fd = open(name, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	if (fd < 0)
		return false;
	got = read(fd, head, sizeof(head));
	close(fd);
	return is_member(head, got) && (call->to_stdout || call->test || call->force ||
					is_output_free(name, len - 3, ""));
}

/* What standard input begins with is looked at and left there. */
static bool is_plain_stdin(const struct call *call)
{
	unsigned char head[4];
	ssize_t got = -1;
	struct stat st;
	off_t at;
	int ends[2];

	if (status_of(STDIN_FILENO, "", AT_EMPTY_PATH, &st) || (!call->test && is_terminal(STDOUT_FILENO)))
		return false;
	if (S_ISREG(st.st_mode)) {
		at = syscall(SYS_lseek, STDIN_FILENO, 0, SEEK_CUR);
		if (at >= 0)
			got = syscall(SYS_pread64, STDIN_FILENO, head, sizeof(head), at);
		return at >= 0 && (!call->decompress || is_member(head, got));
	}
	if (!S_ISFIFO(st.st_mode))
		return false;
	if (!call->decompress)
		return true;
	if (syscall(SYS_pipe2, ends, O_CLOEXEC))
		return false;
	if (syscall(SYS_tee, STDIN_FILENO, ends[1], sizeof(head), 0) == sizeof(head))
		got = read(ends[0], head, sizeof(head));
	close(ends[0]);
	close(ends[1]);
	return is_member(head, got);
}

static bool is_set(const char *name)
{
	const char *value = getenv(name);

	return value && *value;
}

bool zwd_pigz_is_for_device(int argc, char **argv)
{
	const struct zwd_settings *settings;
	const char *name = strrchr(argv[0], '/');
	struct call call = { .level = 6 };

	name = name ? name + 1 : argv[0];
	call.decompress = name[0] == 'u';
	if (is_set("PIGZ") || is_set("GZIP") || getenv("POSIXLY_CORRECT"))
		return false;
	for (int i = 1; i < argc; i++) {
		if (argv[i][0] != '-')
			call.has_file = true;
		else if (!argv[i][1] || !take_word(&call, argv[i]))
			return false;
	}
	if (call.force && call.decompress && call.to_stdout)
		return false; /* what is not compressed passes */
	settings = zwd_settings();
	if (settings->engine == ZWD_ENGINE_SOFT ||
	    (!call.decompress && !(settings->levels & 1u << call.level)))
		return false;
	if (!zwd_qpool_may_have_device(call.decompress ? ZWD_INFLATE : ZWD_DEFLATE))
		return false;
	if (!call.has_file)
		return is_plain_stdin(&call);
	if (call.to_stdout && !call.test && is_terminal(STDOUT_FILENO))
		return false;
	for (int i = 1; i < argc; i++)
		if (argv[i][0] != '-' && !is_plain_file(&call, argv[i]))
			return false;
	return true;
}
