/* SPDX-License-Identifier: Zlib */
/*
 * Conditions that a process may be in, a row each. A row does with zlib what can be done there. It
 * runs with the system's zlib alone first, which proves that it can be done; then with the library
 * loaded before it, on the engine of the test's mode: the same must come out.
 */
#ifndef PROCESS_H
#define PROCESS_H

#include <stddef.h>

enum row_flags {
	NEEDS_ROOT = 1,
	USES_DEVICE = 2, /* in mode emu a row that does not get there has failed */
	IN_SOFT = 4,	 /* in these modes only; none of them: in all */
	IN_EMU = 8,
	IN_FAULT = 16,
	NOT_PRELOADED = 32, /* the row loads the library itself */
	NOT_COUNTED = 64,   /* it ends where no file may be written, as "make coverage" has it */
};

struct row {
	const char *name;
	void (*run)(const struct row *row);
	long arg;
	unsigned int flags;
	unsigned int limit_s; /* 0: 30 */
	const char *env;      /* "NAME=value NAME=value", beside what the mode sets */
};

/* Each program's own, ended by a row without a name. */
extern const struct row rows[];

/* End the row. From any thread and any child, without a system call but that of exit. */
_Noreturn void fail(const char *format, ...) __attribute__((format(printf, 1, 2)));
_Noreturn void cannot(const char *format, ...) __attribute__((format(printf, 1, 2)));
#define check(condition)                                                                           \
	do {                                                                                       \
		if (!(condition))                                                                  \
			fail("%s:%d: %s", __FILE__, __LINE__, #condition);                         \
	} while (0)

int is_stock(void);
int is_soft(void);
/* The first run's values in their order: there it is value that comes back, later the first's. */
long stock_value(long value);
/* Requests that the device has finished for this process. */
unsigned long device_requests(void);
/* Waits for a child, which must have ended with exit status 0. */
void child_is_right(int pid, const char *what);
double now_s(void);
long resident_len(void);
/* Leads to what was built beside this program: NAME in tests/process. */
const char *built(const char *name);
const char *library(void);

#endif
