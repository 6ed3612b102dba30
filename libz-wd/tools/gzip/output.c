/* SPDX-License-Identifier: Zlib */
/* Output files of wd-gzip: not there until they are whole; modes, owners and times. */
#include "config.h"
#include "gzip.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Name of the unfinished output, for signals too. */
static char *volatile partial;

void output_remove_partial(void)
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

int output_create(struct job *job)
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
			name_shorten(job);
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
	size_t len = name_base(job->out_name) - job->out_name;
	char *name = len ? name_join(job->out_name, len, "") : name_copy(".");
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

void output_finish(struct job *job)
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

void output_drop(struct job *job)
{
	if (opt.to_stdout)
		return;
	close(job->out_fd);
	block_signals(true);
	output_remove_partial();
	block_signals(false);
}
