/* SPDX-License-Identifier: Zlib */
/* ZWD_LOG: off unless asked for; never called on the data path of a healthy device. */
#ifndef ZWD_LOG_H
#define ZWD_LOG_H

enum zwd_log_level { ZWD_LOG_OFF, ZWD_LOG_ERROR, ZWD_LOG_WARN, ZWD_LOG_INFO, ZWD_LOG_DEBUG };

void zwd_log(enum zwd_log_level level, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* "warn", "debug,file:PATH", "info,syslog"; false: not understood. */
int zwd_log_configure(const char *value);

#endif
