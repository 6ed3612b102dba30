/* SPDX-License-Identifier: Zlib */
/* ZWD_LOG: off unless asked for; never called on the data path of a healthy device. */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <syslog.h>
#include <unistd.h>

#include "log.h"

static const char names[][8] = { "off", "error", "warn", "info", "debug" };
static const int priorities[] = { LOG_DEBUG, LOG_ERR, LOG_WARNING, LOG_INFO, LOG_DEBUG };

static atomic_int max_level;
static int to_syslog;
static char to_file[256]; /* "": stderr */

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
	if (!strcmp(sink, "syslog"))
		to_syslog = 1;
	else if (!strncmp(sink, "file:/", 6) && strlen(sink) < sizeof(to_file))
		strcpy(to_file, sink + 5);
	else if (*sink)
		return 0;
	atomic_store(&max_level, level);
	return 1;
}

void zwd_log(enum zwd_log_level level, const char *format, ...)
{
	int saved_errno = errno;
	char line[512];
	va_list va;
	int fd = STDERR_FILENO, len;

	if ((int)level > atomic_load_explicit(&max_level, memory_order_relaxed))
		return;
	va_start(va, format);
	len = snprintf(line, sizeof(line), "libz-wd[%d]: %s: ", (int)getpid(), names[level]);
	vsnprintf(line + len, sizeof(line) - (size_t)len - 1, format, va);
	va_end(va);
	if (to_syslog) {
		syslog(priorities[level], "%s", line);
	} else {
		strcat(line, "\n");
		if (*to_file)
			fd = open(to_file, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
		if (fd >= 0 && write(fd, line, strlen(line)) < 0)
			errno = saved_errno; /* nobody to tell */
		if (*to_file && fd >= 0)
			close(fd);
	}
	errno = saved_errno;
}
