/* SPDX-License-Identifier: Zlib */
/* ZWD_TRACE: records of calls, written to a file. What is in them is the caller's business. */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <lean.h>
#include <wd.h>

#include "operate/log.h"
#include "operate/root.h"
#include "operate/settings.h"
#include "operate/trace.h"
#include "operate/trace_format.h"
#include "stream/shield.h"

unsigned char zwd_trace_state = ZWD_TRACE_OFF;

/* Descriptors from here on are few programs' own. */
#define HIGH_FD 500

static char name[1024]; /* absolute, with %p where the number of the process goes */
static char zlib[32];
static bool has_data;

/* The file of one process. A forked child has a copy, and by the generation sees that it is not its
 * own. */
static struct {
	_Atomic unsigned int generation; /* who has it */
	_Atomic unsigned int opening;	 /* who is about to, or has it */
	atomic_bool is_ready;
	int fd;
	dev_t device; /* the number may be given to another file, once the program has closed ours
		       */
	ino_t inode;
	uint64_t begin_ns;
	char path[sizeof(name) + 16];
} file;

/* A reason why there is no more to be written: its number and one. */
static atomic_int failed;
static _Atomic uint64_t written_nr, lost_nr[ZWD_TRACE_LOSSES];

const char *zwd_trace_loss_name(enum zwd_trace_loss loss)
{
	static const char names[ZWD_TRACE_LOSSES][8] = { "full", "closed", "root", "error" };

	return names[loss];
}

bool zwd_trace_counts(uint64_t *written, uint64_t lost[ZWD_TRACE_LOSSES])
{
	*written = written_nr;
	for (int i = 0; i < ZWD_TRACE_LOSSES; i++)
		lost[i] = lost_nr[i];
	return name[0] != '\0';
}

bool zwd_trace_has_data(void)
{
	return has_data;
}

static uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

uint64_t zwd_trace_clock(void)
{
	return now_ns() - file.begin_ns;
}

unsigned int zwd_trace_thread(void)
{
	return (unsigned int)syscall(SYS_gettid);
}

static enum zwd_trace_loss loss_of(int err)
{
	switch (err) {
	case ENOSPC:
	case EDQUOT:
	case EFBIG:
		return ZWD_TRACE_FULL;
	case EBADF:
		return ZWD_TRACE_CLOSED;
	case EXDEV:
		return ZWD_TRACE_ROOT;
	}
	return ZWD_TRACE_ERROR;
}

/* The first time it is told, and always counted. */
static void lose(int err)
{
	enum zwd_trace_loss loss = loss_of(err);
	int none = 0;

	atomic_fetch_add(&lost_nr[loss], 1);
	if (atomic_compare_exchange_strong(&failed, &none, (int)loss + 1))
		zwd_log(ZWD_LOG_WARN, "the trace ends here, %s: %s",
			file.path[0] ? file.path : name, strerror(err));
}

/* Relative to the folder at this time. 0, or what is wrong. */
static int take_name(const char *setting)
{
	size_t len = strlen(setting), at = 0;

	if (len > 5 && !strcmp(setting + len - 5, ",data")) {
		has_data = true;
		len -= 5;
	}
	if (*setting != '/') {
		if (!getcwd(name, sizeof(name) - 1))
			return errno;
		at = strlen(name);
		name[at++] = '/';
	}
	if (at + len >= sizeof(name))
		return ENAMETOOLONG;
	memcpy(name + at, setting, len);
	name[at + len] = '\0';
	return 0;
}

/* The name with each %p replaced; is_own: with the number behind it, when it has none. */
static void make_path(bool is_own)
{
	size_t at = 0, room = sizeof(file.path) - 12;
	bool has_pid = false;

	for (const char *c = name; *c && at < room - 12; c++) {
		if (c[0] == '%' && c[1] == 'p') {
			at += (size_t)snprintf(file.path + at, 12, "%d", (int)getpid());
			has_pid = true;
			c++;
		} else {
			file.path[at++] = *c;
		}
	}
	file.path[at] = '\0';
	if (is_own && !has_pid)
		snprintf(file.path + at, 12, ".%d", (int)getpid());
}

/* What was there before is left as it is, links included. An -errno, or the descriptor. */
static int create(void)
{
	int fd = open(file.path, O_WRONLY | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC | O_NOFOLLOW,
		      0600),
	    high;

	if (fd < 0)
		return -errno;
	high = fcntl(fd, F_DUPFD_CLOEXEC, HIGH_FD);
	if (high < 0)
		return fd;
	close(fd);
	return high;
}

static void put_header(void)
{
	unsigned char header[ZWD_TRACE_HEADER_LEN] = ZWD_TRACE_MAGIC;
	char text[2048], program[256];
	struct iovec iov[2] = { { header, sizeof(header) } };
	struct timespec now;
	int len;

	header[8] = ZWD_TRACE_VERSION;
	header[9] = has_data ? ZWD_TRACE_HAS_DATA : 0;
	if (zwd_log_put_fd(file.fd, iov, 1)) {
		lose(errno ? errno : EIO);
		return;
	}
	clock_gettime(CLOCK_REALTIME, &now);
	zwd_settings_program(program, sizeof(program));
	len = snprintf(text, sizeof(text),
		       "Iversion=%s%czlib=%s%cprogram=%s%cpid=%d%ctime=%lld%cdevice=%s",
		       PACKAGE_VERSION, 0, zlib, 0, program, 0, (int)getpid(), 0,
		       (long long)now.tv_sec, 0, zwd_settings_load()->device);
	iov[1] = (struct iovec){ text, (size_t)len + 1 };
	zwd_trace_put(iov, 2);
}

/* 0 or what is wrong. */
static int open_file(bool is_child)
{
	struct stat st;
	int fd;

	if (is_child && zwd_root_is_changed())
		return EXDEV;
	make_path(is_child);
	fd = create();
	if (fd == -EEXIST && !is_child) {
		make_path(true);
		fd = create();
	}
	if (fd < 0)
		return -fd;
	if (lean_fstat(fd, &st)) {
		close(fd);
		return EBADF;
	}
	file.fd = fd;
	file.device = st.st_dev;
	file.inode = st.st_ino;
	file.begin_ns = now_ns();
	atomic_store(&file.is_ready, true);
	atomic_store(&file.generation, wd_generation());
	put_header();
	return 0;
}

/* Whether the file is this process's and can be written. */
static bool is_ours(void)
{
	unsigned int own = wd_generation(), was = file.generation;
	struct stat st;
	int ret;

	if (was != own) { /* this is a child: one of its threads opens it a file of its own */
		was = atomic_load(&file.opening);
		if (was == own || !atomic_compare_exchange_strong(&file.opening, &was, own)) {
			atomic_fetch_add(&lost_nr[loss_of(EBADF)], 1); /* until then, others' are lost */
			return false;
		}
		atomic_store(&file.is_ready, false);
		if (!lean_fstat(file.fd, &st) && st.st_dev == file.device &&
		    st.st_ino == file.inode)
			close(file.fd);
		written_nr = 0;
		memset((void *)lost_nr, 0, sizeof(lost_nr));
		failed = 0;
		ret = open_file(true);
		if (ret)
			lose(ret);
		atomic_store(&file.generation, own);
	}
	ret = failed;
	if (ret) {
		atomic_fetch_add(&lost_nr[ret - 1], 1);
		return false;
	}
	if (file.is_ready && !lean_fstat(file.fd, &st) && st.st_dev == file.device &&
	    st.st_ino == file.inode)
		return true;
	lose(EBADF);
	return false;
}

void zwd_trace_put(struct iovec *iov, int nr)
{
	int saved_errno = errno, cancel_state, ret;
	unsigned char head[10], *end;
	uint64_t len = 0;

	cancel_state = zwd_shield_up();
	if (is_ours()) {
		for (int i = 1; i < nr; i++)
			len += iov[i].iov_len;
		end = zwd_trace_number(head, len);
		iov[0] = (struct iovec){ head, (size_t)(end - head) };
		ret = zwd_log_put_fd(file.fd, iov, nr);
		if (ret)
			lose(-ret);
		else
			atomic_fetch_add(&written_nr, 1);
	}
	zwd_shield_down(cancel_state);
	errno = saved_errno;
}

void zwd_trace_begin(const char *setting, const char *underneath)
{
	int saved_errno = errno, cancel_state, ret;

	zwd_trace_state = ZWD_TRACE_OFF;
	/* Its files would be of whoever it works for, named by whoever started it. */
	if (!*setting || zwd_auxval(AT_SECURE))
		return;
	cancel_state = zwd_shield_up();
	file.generation = wd_generation();
	strncpy(zlib, underneath, sizeof(zlib) - 1);
	ret = take_name(setting);
	if (!ret)
		ret = open_file(false);
	if (ret)
		lose(ret);
	else
		zwd_trace_state = ZWD_TRACE_ON;
	zwd_shield_down(cancel_state);
	errno = saved_errno;
}
