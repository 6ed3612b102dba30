/* SPDX-License-Identifier: Zlib */
/* Files of wd-gzip: which are opened, what is left alone, and what is said of them. */
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
	if (errno != ENOENT || !opt.decompress || name_suffix(job->in_name))
		goto error;
	for (i = 0; i < sizeof(tried) / sizeof(*tried); i++) {
		char *name = name_join(job->in_name, strlen(job->in_name), tried[i]);

		job->in_fd = open(name, flags);
		if (job->in_fd >= 0 || errno != ENOENT) {
			name_set(&job->in_name, name);
			if (job->in_fd >= 0)
				return 0;
			goto error;
		}
		free(name);
	}
	name_set(&job->in_name, name_join(job->in_name, strlen(job->in_name), opt.suffix));
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
	if (!S_ISREG(job->st.st_mode) && (!opt.pigz || opt.no_time || time(&job->mtime.tv_sec) < 0))
		job->mtime.tv_nsec = -1; /* of a pipe, pigz stores the time it is read at */
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
	else if (output_create(job))
		return;
	if (opt.verbose && !opt.list)
		fprintf(stderr, "%s:\t", job->in_name);
	if (run(job))
		return;
	if (job->is_refused) {
		output_drop(job);
		return;
	}
	if (!opt.to_stdout)
		output_finish(job);
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
	pigz_treat(name);
	job.in_name = name_copy(name);
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
	job.in_name = name_copy("stdin");
	job.out_name = name_copy("stdout");
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
