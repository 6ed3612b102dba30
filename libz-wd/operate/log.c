/* SPDX-License-Identifier: Zlib */
/* ZWD_LOG: off unless asked for; never called on the data path of a healthy device. */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/uio.h>
#include <syslog.h>
#include <unistd.h>

#include "operate/log.h"
#include "stream/shield.h"

static const char names[][8] = { "off", "error", "warn", "info", "debug" };
static const int priorities[] = { LOG_DEBUG, LOG_ERR, LOG_WARNING, LOG_INFO, LOG_DEBUG };

static atomic_int max_level;
static int to_syslog;
static char to_file[1024]; /* "": stderr */

int zwd_log_configure(const char *value)
{
	size_t len = strcspn(value, ",");
	const char *sink = value[len] ? value + len + 1 : "";
	int level = -1;

	for (int i = 0; i <= ZWD_LOG_DEBUG; i++)
		if (strlen(names[i]) == len && !memcmp(value, names[i], len))
			level = i;
	if (level < 0)
		return 0;
	if (*sink && strcmp(sink, "syslog") &&
	    (strncmp(sink, "file:/", 6) || strlen(sink + 5) >= sizeof(to_file)))
		return 0;
	to_syslog = !strcmp(sink, "syslog");
	strcpy(to_file, *sink && !to_syslog ? sink + 5 : "");
	atomic_store(&max_level, level);
	return 1;
}

bool zwd_log_is_on(enum zwd_log_level level)
{
	return (int)level <= atomic_load_explicit(&max_level, memory_order_relaxed);
}

/*
 * A file that is there is not opened with O_CREAT: in a folder like /tmp the kernel refuses that for
 * what another user made. A link there may be a trap; those of the system lead to open files.
 */
static int open_sink(const char *path)
{
	const int flags = O_WRONLY | O_APPEND | O_CLOEXEC | O_NOCTTY | O_NONBLOCK;
	bool is_system = !strncmp(path, "/dev/", 5) || !strncmp(path, "/proc/", 6);
	int fd;

	for (int i = 0; i < 2; i++) {
		fd = open(path, flags | (is_system ? 0 : O_NOFOLLOW));
		if (fd >= 0 || errno != ENOENT)
			break;
		fd = open(path, flags | O_CREAT | O_EXCL, 0666);
		if (fd >= 0 || errno != EEXIST)
			break;
	}
	return fd;
}

/* A reader that went and a limit of file size are errors here, not signals to the program. */
int zwd_log_put_fd(int fd, const struct iovec *iov, int nr)
{
	const struct timespec at_once = { 0 };
	sigset_t ours, pending, before;
	size_t len = 0;
	ssize_t n;
	int ret;

	for (int i = 0; i < nr; i++)
		len += iov[i].iov_len;

	sigemptyset(&ours);
	sigaddset(&ours, SIGPIPE);
	sigaddset(&ours, SIGXFSZ);
	sigpending(&pending);
	if (sigismember(&pending, SIGPIPE))
		sigdelset(&ours, SIGPIPE);
	if (sigismember(&pending, SIGXFSZ))
		sigdelset(&ours, SIGXFSZ);
	sigprocmask(SIG_BLOCK, &ours, &before);
	do
		n = writev(fd, iov, nr);
	while (n < 0 && errno == EINTR);
	ret = n < 0 ? -errno : (size_t)n < len ? -ENOSPC : 0;
	if (ret)
		while (sigtimedwait(&ours, NULL, &at_once) < 0 && errno == EINTR)
			;
	sigprocmask(SIG_SETMASK, &before, NULL);
	return ret;
}

int zwd_log_put(const char *path, const char *line, size_t len)
{
	const struct iovec iov = { (char *)line, len };
	int fd = path ? open_sink(path) : STDERR_FILENO, flags, ret;

	if (fd < 0)
		return -errno;
	flags = fcntl(fd, F_GETFL);
	ret = flags < 0 || (flags & O_ACCMODE) == O_RDONLY ? -EBADF : zwd_log_put_fd(fd, &iov, 1);
	if (path)
		close(fd);
	return ret;
}

/* Apart from zwd_log(), which takes no stack while the log is off. */
__attribute__((noinline, format(printf, 2, 0))) static void
put(enum zwd_log_level level, const char *format, va_list va)
{
	char line[512];
	int cancel_state, len;

	cancel_state = zwd_shield_up();
	len = snprintf(line, sizeof(line), "libz-wd[%d]: %s: ", (int)getpid(), names[level]);
	vsnprintf(line + len, sizeof(line) - (size_t)len - 1, format, va);
	if (to_syslog) {
		syslog(priorities[level], "%s", line);
	} else {
		strcat(line, "\n");
		zwd_log_put(*to_file ? to_file : NULL, line, strlen(line)); /* nobody to tell */
	}
	zwd_shield_down(cancel_state);
}

void zwd_log_write(enum zwd_log_level level, const char *format, ...)
{
	int saved_errno = errno;
	va_list va;

	va_start(va, format);
	put(level, format, va);
	va_end(va);
	errno = saved_errno;
}
