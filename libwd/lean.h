/* SPDX-License-Identifier: Zlib */
/*
 * libc's younger names by older means, and without files: sysconf() would open one. Of each version of libc that a library asks for, the loader
 * makes sure in every process it comes into, and for most that is all they ever have of it.
 */
#ifndef WD_LEAN_H
#define WD_LEAN_H

#include <dlfcn.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* The kernel's structure is libc's on 64-bit machines. */
static inline int lean_stat(const char *path, struct stat *st)
{
	return (int)syscall(SYS_newfstatat, AT_FDCWD, path, st, 0);
}

static inline int lean_fstat(int fd, struct stat *st)
{
	return (int)syscall(SYS_fstat, fd, st);
}

static inline int lean_eventfd(int flags)
{
	return (int)syscall(SYS_eventfd2, 0, flags);
}

/* Linux' is the thread's. */
static inline int lean_sigmask(int how, const sigset_t *set, sigset_t *old)
{
	return sigprocmask(how, set, old);
}

/* secure_getenv(). */
static inline const char *lean_getenv(const char *name)
{
	static char *(*get)(const char *name);

	/* Any thread finds the same. */
	if (!get)
		*(void **)&get = dlsym(RTLD_DEFAULT, "secure_getenv");
	return get ? get(name) : NULL;
}

/* Processors this thread may run on; 1024: not known. Asked once: later a sandbox may not allow it. */
static inline unsigned int lean_cpus(void)
{
	static _Atomic unsigned int known;
	uint64_t mask[16] = { 0 };
	unsigned int nr = 0;

	if (known)
		return known;
	if (syscall(SYS_sched_getaffinity, 0, sizeof(mask), mask) < 0)
		nr = 1024;
	for (unsigned int i = 0; i < 16; i++)
		nr += (unsigned int)__builtin_popcountll(mask[i]);
	known = nr;
	return nr;
}

/* In ASCII, which all names and settings are. */
static inline int lean_is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static inline int lean_is_alnum(char c)
{
	return lean_is_digit(c) || ((c | 32) >= 'a' && (c | 32) <= 'z');
}

static inline int lean_is_space(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

#endif
