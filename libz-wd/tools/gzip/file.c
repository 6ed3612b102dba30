/* SPDX-License-Identifier: Zlib */
/* Files of wd-gzip: names and suffixes, what is left alone, links, modes, owners and times. */
#include "config.h"
#include "gzip.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Name of the unfinished output, for signals too. */
static char *volatile partial;

void file_remove_partial(void)
{
	char *name = partial;

	partial = NULL;
	if (name)
		unlink(name);
}

/* While files and the name above disagree, no signal may look. */
static void block_signals(bool is_blocked)
{
	static sigset_t before;
	sigset_t all;

	sigfillset(&all);
	sigprocmask(SIG_SETMASK, is_blocked ? &all : &before, is_blocked ? &before : NULL);
}

static char *join(const char *start, size_t start_len, const char *end)
{
	char *name;

	if (asprintf(&name, "%.*s%s", (int)start_len, start, end) < 0)
		gzip_die_errno("");
	return name;
}

static char *copy_name(const char *name)
{
	return join(name, strlen(name), "");
}

static const char *base_of(const char *name)
{
	const char *slash = strrchr(name, '/');

	return slash ? slash + 1 : name;
}

static void set_name(char **name, char *value)
{
	free(*name);
	*name = value;
}

/* As base_of(), but that slashes at the end belong to what they are behind: a folder's name is no file's. */
static const char *last_part(const char *name)
{
	const char *part = name + strspn(name, "/");

	for (const char *at = part; (at = strchr(at, '/')); part = *at ? at : part)
		at += strspn(at, "/");
	return part;
}

void file_restore_name(struct job *job, const char *name)
{
	set_name(&job->out_name,
		 join(job->in_name, base_of(job->in_name) - job->in_name, last_part(name)));
}

static const char *match_suffix(const char *name, const char *suffix)
{
	size_t len = strlen(name), suffix_len = strlen(suffix);
	const char *at;

	/* Something must be left of the name. */
	if (len <= suffix_len)
		return NULL;
	at = name + len - suffix_len;
	return at[-1] == '/' || strcasecmp(at, suffix) ? NULL : at;
}

/* The part of name that says it is compressed, or NULL. */
static const char *find_suffix(const char *name)
{
	static const char *const known[] = { ".gz", ".z", ".taz", ".tgz", "-gz", "-z", "_z" };
	bool is_short = !strcmp(opt.suffix, "z"); /* the end of others */
	const char *at = is_short ? NULL : match_suffix(name, opt.suffix);
	size_t i;

	for (i = 0; !at && i < sizeof(known) / sizeof(*known); i++)
		at = match_suffix(name, known[i]);
	return at || !is_short ? at : match_suffix(name, opt.suffix);
}

/* A compressed file may be named without its suffix. */
static int open_input(struct job *job)
{
	const char *const tried[] = { opt.suffix, ".gz", ".z", "-z", ".Z" };
	int flags = O_RDONLY | O_CLOEXEC | O_NOCTTY;
	size_t i;

	if (!opt.to_stdout)
		flags |= O_NONBLOCK | (opt.force ? 0 : O_NOFOLLOW);
	job->in_fd = open(job->in_name, flags);
	if (job->in_fd >= 0)
		return 0;
	if (errno != ENOENT || !opt.decompress || find_suffix(job->in_name))
		goto error;
	for (i = 0; i < sizeof(tried) / sizeof(*tried); i++) {
		char *name = join(job->in_name, strlen(job->in_name), tried[i]);

		job->in_fd = open(name, flags);
		if (job->in_fd >= 0 || errno != ENOENT) {
			set_name(&job->in_name, name);
			if (job->in_fd >= 0)
				return 0;
			goto error;
		}
		free(name);
	}
	set_name(&job->in_name, join(job->in_name, strlen(job->in_name), opt.suffix));
error:
	gzip_error_errno(job->in_name);
	return -1;
}

/* Only what can be replaced by another file without harm is. */
static bool is_left_alone(const struct job *job)
{
	static const struct {
		mode_t bit;
		bool is_forced;
		const char *why;
	} bits[] = {
		{ S_ISUID, false, "is set-user-ID on execution - ignored" },
		{ S_ISGID, false, "is set-group-ID on execution - ignored" },
		{ S_ISVTX, true, "has the sticky bit set - file ignored" },
	};
	unsigned long others = job->st.st_nlink - 1;
	size_t i;

	if (opt.to_stdout)
		return false;
	if (!S_ISREG(job->st.st_mode)) {
		gzip_warn("%s is not a directory or a regular file - ignored", job->in_name);
		return true;
	}
	for (i = 0; i < sizeof(bits) / sizeof(*bits); i++) {
		if (job->st.st_mode & bits[i].bit && !(bits[i].is_forced && opt.force)) {
			gzip_warn("%s %s", job->in_name, bits[i].why);
			return true;
		}
	}
	if (opt.force)
		return false;
	if (others)
		gzip_warn("%s has %lu other link%s -- file ignored", job->in_name, others,
			  others > 1 ? "s" : "");
	return others;
}

/* False: the file's name says that there is nothing to do. */
static bool name_output(struct job *job)
{
	const char *suffix = find_suffix(job->in_name);
	bool is_told = opt.verbose || (!opt.recursive && !opt.quiet);
	size_t len = strlen(job->in_name);

	if (opt.to_stdout && !opt.list && !opt.test) {
		job->out_name = copy_name("stdout");
	} else if (!opt.decompress) {
		if (suffix && !opt.force) {
			if (is_told)
				gzip_say("%s already has %s suffix -- unchanged", job->in_name,
					 suffix);
			return false;
		}
		job->out_name = join(job->in_name, len, opt.suffix);
	} else if (suffix) {
		bool is_tar = !strcasecmp(suffix, ".tgz") || !strcasecmp(suffix, ".taz");

		job->out_name = join(job->in_name, suffix - job->in_name, is_tar ? ".tar" : "");
	} else if ((opt.list || opt.test) && !opt.recursive) {
		job->out_name = copy_name(job->in_name);
	} else {
		if (is_told)
			gzip_warn("%s: unknown suffix -- ignored", job->in_name);
		return false;
	}
	return true;
}

/* Shorten a name by one byte, where it can spare one: a part between dots keeps three bytes. */
static void shorten(struct job *job)
{
	char *base = (char *)base_of(job->out_name), *end = base + strlen(base), *part, *dot;
	size_t keep;

	if (!opt.decompress) {
		end -= strlen(opt.suffix);
		if (end - base > 4 && !strncmp(end - 4, ".tar", 4)) {
			strcpy(end - 4, ".tgz");
			return;
		}
	}
	for (keep = 3; keep; keep--) {
		for (part = end; part > base; part = dot) {
			for (dot = part - 1; dot > base && *dot != '.'; dot--)
				;
			if ((size_t)(part - dot) - (*dot == '.') > keep) {
				memmove(part - 1, part, strlen(part) + 1);
				return;
			}
		}
	}
	gzip_die(job, "name too short");
}

static bool may_overwrite(struct job *job)
{
	bool is_asked = opt.presume_tty || isatty(STDIN_FILENO);
	struct sigaction interrupt;
	char line[128] = "";

	if (opt.force)
		return true;
	fprintf(stderr, "%s: %s already exists;", opt.prog, job->out_name);
	/* Whoever runs us in the background ignores SIGINT, and is not there to answer. */
	if (is_asked && !sigaction(SIGINT, NULL, &interrupt) && interrupt.sa_handler != SIG_IGN) {
		fprintf(stderr, " do you wish to overwrite (y or n)? ");
		fflush(stderr);
		if (fgets(line, sizeof(line), stdin) && (*line == 'y' || *line == 'Y'))
			return true;
	}
	fprintf(stderr, "\tnot overwritten\n");
	return false;
}

static int create_output(struct job *job)
{
	bool is_shortened = false;

	for (;;) {
		block_signals(true);
		job->out_fd = open(job->out_name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
		if (job->out_fd >= 0)
			partial = job->out_name;
		block_signals(false);
		if (job->out_fd >= 0)
			break;
		if (errno == ENAMETOOLONG) {
			shorten(job);
			is_shortened = true;
		} else if (errno != EEXIST) {
			goto error;
		} else if (!may_overwrite(job)) {
			gzip_warned();
			return -1;
		} else if (unlink(job->out_name) && errno != ENOENT) {
			goto error;
		}
	}
	if (is_shortened && opt.decompress)
		gzip_warn("%s: warning, name truncated", job->out_name);
	else if (is_shortened && !opt.quiet && !opt.verbose)
		gzip_say("%s compressed to %s", job->in_name, job->out_name);
	return 0;
error:
	gzip_error_errno(job->out_name);
	return -1;
}

/* A group that we cannot give must not gain what it is not owed. */
static void copy_owner_and_times(const struct job *job)
{
	const struct timespec times[2] = { job->st.st_atim, job->mtime };
	mode_t mode = job->st.st_mode & 0777;

	if (job->mtime.tv_nsec >= 0 && !futimens(job->out_fd, times) && opt.verbose > 1 &&
	    memcmp(&job->mtime, &job->st.st_mtim, sizeof(job->mtime)))
		fprintf(stderr, "%s: timestamp restored\n", job->out_name);
	if (job->st.st_gid != getegid() && fchown(job->out_fd, -1, job->st.st_gid))
		mode &= ~070 | (mode & 07) << 3;
	if (fchmod(job->out_fd, mode)) {
		int err = errno;

		gzip_warn("%s: %s", job->out_name, strerror(err));
	}
	if (job->st.st_uid != geteuid() && fchown(job->out_fd, job->st.st_uid, -1))
		return;
}

static int sync_output(const struct job *job)
{
	size_t len = base_of(job->out_name) - job->out_name;
	char *name = len ? join(job->out_name, len, "") : copy_name(".");
	int fd, rc;

	rc = fsync(job->out_fd);
	fd = open(name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	free(name);
	/* Some file systems cannot sync a folder, which is no reason to fail. */
	if (!rc && fd >= 0 && fsync(fd) && errno != EINVAL)
		rc = -1;
	if (fd >= 0)
		close(fd);
	return rc;
}

/* The output is complete and safe before the input goes. */
static void finish_output(struct job *job)
{
	copy_owner_and_times(job);
	if (opt.synchronous && sync_output(job))
		gzip_die_errno(job->out_name);
	if (close(job->out_fd))
		gzip_die_errno(job->out_name);
	block_signals(true);
	partial = NULL;
	if (!opt.keep && unlink(job->in_name))
		gzip_error_errno(job->in_name);
	block_signals(false);
}

/* It is not all of the input, which stays. GNU gzip removes that, and keeps this. */
static void drop_output(struct job *job)
{
	if (opt.to_stdout)
		return;
	close(job->out_fd);
	block_signals(true);
	file_remove_partial();
	block_signals(false);
}

static void tell_result(const struct job *job, bool is_named)
{
	char ratio[32];

	if (opt.test) {
		fprintf(stderr, " OK\n");
		return;
	}
	if (opt.decompress)
		list_ratio(ratio, sizeof(ratio),
			   (int64_t)(job->out_len - (job->in_len - job->header_len)), job->out_len);
	else
		list_ratio(ratio, sizeof(ratio),
			   (int64_t)(job->in_len - (job->out_len - job->header_len)), job->in_len);
	fputs(ratio, stderr);
	if (is_named)
		fprintf(stderr, " -- %s %s", opt.keep ? "created" : "replaced with", job->out_name);
	putc('\n', stderr);
}

/* From here on a file and standard input are the same. */
static int run(struct job *job)
{
	if (!opt.decompress) {
		codec_compress(job);
		if (S_ISREG(job->st.st_mode) && job->in_len != (uint64_t)job->st.st_size)
			gzip_say("%s: file size changed while zipping", job->in_name);
	} else if (codec_decompress(job)) {
		/* A check of several files goes on with the next one. */
		if (!opt.test && !opt.list)
			gzip_exit(GZIP_ERROR);
		return -1;
	}
	return 0;
}

static void prepare(struct job *job)
{
	job->mtime = job->st.st_mtim;
	if (!S_ISREG(job->st.st_mode))
		job->mtime.tv_nsec = -1;
	io_start(job);
}

/*
 * The folder that was opened, not what its name has come to stand for since. It is closed before its
 * files are treated, so that a deep tree takes no more descriptors than a flat one.
 */
static void treat_folder(const char *name, int fd)
{
	size_t len = strlen(name), nr = 0, i;
	char **names = NULL;
	struct dirent *entry;
	DIR *dir = fdopendir(fd);

	if (!dir) {
		gzip_error_errno(name);
		close(fd);
		return;
	}
	/* All names first: files come and go while we work. */
	while ((errno = 0, entry = readdir(dir))) {
		const char *slash = len && name[len - 1] != '/' ? "/" : "";
		char *path;

		if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, ".."))
			continue;
		names = realloc(names, (nr + 1) * sizeof(*names));
		if (!names || asprintf(&path, "%s%s%s", name, slash, entry->d_name) < 0)
			gzip_die_errno("");
		names[nr++] = path;
	}
	if (errno)
		gzip_error_errno(name);
	closedir(dir);
	for (i = 0; i < nr; i++) {
		file_treat(names[i]);
		free(names[i]);
	}
	free(names);
}

/* Work on an open input. */
static void treat_open(struct job *job)
{
	if (is_left_alone(job) || !name_output(job))
		return;
	prepare(job);
	if (opt.decompress) {
		job->method = format_read(job);
		if (job->method == METHOD_NONE)
			return;
	}
	if (opt.test || opt.list)
		job->out_fd = -1;
	else if (opt.to_stdout)
		job->out_fd = STDOUT_FILENO;
	else if (create_output(job))
		return;
	if (opt.verbose && !opt.list)
		fprintf(stderr, "%s:\t", job->in_name);
	if (run(job))
		return;
	if (job->is_refused) {
		drop_output(job);
		return;
	}
	if (!opt.to_stdout)
		finish_output(job);
	if (opt.list)
		list_job(job);
	else if (opt.verbose)
		tell_result(job, true);
}

static int take_fd(struct job *job)
{
	int fd = job->in_fd;

	job->in_fd = -1;
	return fd;
}

void file_treat(const char *name)
{
	struct job job = { .in_fd = -1, .out_fd = -1 };

	if (!strcmp(name, "-")) {
		file_treat_stdin();
		return;
	}
	job.in_name = copy_name(name);
	if (open_input(&job))
		goto out;
	if (fstat(job.in_fd, &job.st))
		gzip_error_errno(job.in_name);
	else if (!S_ISDIR(job.st.st_mode))
		treat_open(&job);
	else if (opt.recursive)
		treat_folder(job.in_name, take_fd(&job));
	else
		gzip_warn("%s is a directory -- ignored", job.in_name);
	if (job.in_fd >= 0)
		close(job.in_fd);
out:
	free(job.in_name);
	free(job.out_name);
}

void file_treat_stdin(void)
{
	struct job job = { .in_fd = STDIN_FILENO, .out_fd = STDOUT_FILENO };
	bool to_stdout = opt.to_stdout;

	if (!opt.force && !opt.list &&
	    (opt.presume_tty || isatty(opt.decompress ? STDIN_FILENO : STDOUT_FILENO))) {
		if (!opt.quiet) {
			gzip_say("compressed data not %s a terminal. Use -f to force %scompression.",
				 opt.decompress ? "read from" : "written to",
				 opt.decompress ? "de" : "");
			fprintf(stderr, "For help, type: %s -h\n", opt.prog);
		}
		gzip_exit(GZIP_ERROR);
	}
	job.in_name = copy_name("stdin");
	job.out_name = copy_name("stdout");
	/* It was closed: see main.c. */
	if ((fcntl(STDIN_FILENO, F_GETFL) & O_ACCMODE) == O_WRONLY) {
		errno = EBADF;
		gzip_error_errno("standard input");
		gzip_exit(GZIP_ERROR);
	}
	if (fstat(STDIN_FILENO, &job.st))
		gzip_die_errno("standard input");
	opt.to_stdout = true;
	prepare(&job);
	if (opt.decompress) {
		job.method = format_read(&job);
		if (job.method == METHOD_NONE)
			goto out;
	}
	if (opt.test || opt.list)
		job.out_fd = -1;
	if (run(&job) || job.is_refused)
		goto out;
	if (opt.list)
		list_job(&job);
	else if (opt.verbose && (opt.test || !opt.decompress))
		tell_result(&job, false);
out:
	opt.to_stdout = to_stdout;
	free(job.in_name);
	free(job.out_name);
}
