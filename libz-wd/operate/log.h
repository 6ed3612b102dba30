/* SPDX-License-Identifier: Zlib */
/* ZWD_LOG: off unless asked for; never called on the data path of a healthy device. */
#ifndef ZWD_LOG_H
#define ZWD_LOG_H

#include <stdbool.h>
#include <stddef.h>

enum zwd_log_level { ZWD_LOG_OFF, ZWD_LOG_ERROR, ZWD_LOG_WARN, ZWD_LOG_INFO, ZWD_LOG_DEBUG };

bool zwd_log_is_on(enum zwd_log_level level);

void zwd_log_write(enum zwd_log_level level, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* What is said is only put together where it is heard: strerror() alone takes a KiB of stack. */
#define zwd_log(level, ...)                                                                        \
	do {                                                                                       \
		if (zwd_log_is_on(level))                                                          \
			zwd_log_write(level, __VA_ARGS__);                                         \
	} while (0)

/*
 * Put one line into the file, made if need be, or with NULL on stderr where that is open for writing.
 * Never waits for a reader, and no signal comes of it. 0 or -errno.
 */
int zwd_log_put(const char *path, const char *line, size_t len);

/* The same into an open file: all of it with one write, or an error. */
struct iovec;
int zwd_log_put_fd(int fd, const struct iovec *iov, int nr);

/* "warn", "debug,file:PATH", "info,syslog"; false: not understood. */
int zwd_log_configure(const char *value);

#endif
