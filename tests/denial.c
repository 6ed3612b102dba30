/* SPDX-License-Identifier: Zlib */
/*
 * The library's calls are turned over to functions here, in its own table of them: so it does not matter what else
 * the process does, nor which of several allocators it has.
 */
#include "config.h"
#include "denial.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <poll.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

static atomic_uint kinds, first, denied_nr, calls;
static const char *_Atomic last = "";

static int is_denied(unsigned int kind, const char *what)
{
	unsigned int from = atomic_load(&first), call;

	if (!(atomic_load(&kinds) & kind))
		return 0;
	call = atomic_fetch_add(&calls, 1) + 1;
	if (!from || call < from || call - from >= atomic_load(&denied_nr))
		return 0;
	atomic_store(&last, what);
	return 1;
}

/* A function in the place of libc's: its type, name, arguments; what it is, answers and says when it is denied. */
#define DENIED(type, name, params, args, kind, answer, error) \
	static type deny_##name params \
	{ \
		if (!is_denied(kind, #name)) \
			return name args; \
		errno = error; \
		return answer; \
	}
DENIED(void *, malloc, (size_t len), (len), DENY_MEMORY, NULL, ENOMEM)
DENIED(void *, calloc, (size_t nr, size_t len), (nr, len), DENY_MEMORY, NULL, ENOMEM)
DENIED(void *, realloc, (void *mem, size_t len), (mem, len), DENY_MEMORY, NULL, ENOMEM)
DENIED(int, posix_memalign, (void **mem, size_t align, size_t len), (mem, align, len), DENY_MEMORY, ENOMEM, errno)
DENIED(char *, strdup, (const char *text), (text), DENY_MEMORY, NULL, ENOMEM)
DENIED(void *, mmap, (void *at, size_t len, int prot, int flags, int fd, off_t off), (at, len, prot, flags, fd, off),
       DENY_PAGES, MAP_FAILED, ENOMEM)
DENIED(int, madvise, (void *at, size_t len, int advice), (at, len, advice), DENY_PAGES, -1, EINVAL)
DENIED(int, mprotect, (void *at, size_t len, int prot), (at, len, prot), DENY_PAGES, -1, ENOMEM)
DENIED(int, mincore, (void *at, size_t len, unsigned char *pages), (at, len, pages), DENY_PAGES, -1, ENOMEM)
DENIED(FILE *, fopen, (const char *path, const char *mode), (path, mode), DENY_FILES, NULL, EMFILE)
DENIED(ssize_t, read, (int fd, void *mem, size_t len), (fd, mem, len), DENY_FILES, -1, EIO)
DENIED(ssize_t, readlink, (const char *path, char *text, size_t len), (path, text, len), DENY_FILES, -1, ENOENT)
DENIED(int, access, (const char *path, int mode), (path, mode), DENY_FILES, -1, EACCES)
DENIED(int, poll, (struct pollfd *fds, nfds_t nr, int timeout_ms), (fds, nr, timeout_ms), DENY_FILES, -1, ENOMEM)
DENIED(int, pthread_attr_init, (pthread_attr_t *attr), (attr), DENY_THREADS, ENOMEM, errno)
DENIED(int, pthread_create, (pthread_t *thread, const pthread_attr_t *attr, void *(*f)(void *), void *arg),
       (thread, attr, f, arg), DENY_THREADS, EAGAIN, errno)
DENIED(int, pthread_getcpuclockid, (pthread_t thread, clockid_t *id), (thread, id), DENY_THREADS, ENOENT, errno)
DENIED(void *, dlopen, (const char *path, int flags), (path, flags), DENY_LOADER, NULL, errno)
DENIED(int, dlinfo, (void *lib, int what, void *arg), (lib, what, arg), DENY_LOADER, -1, errno)

static int deny_open(const char *path, int flags, ...)
{
	va_list args;
	int mode;

	va_start(args, flags);
	mode = va_arg(args, int);
	va_end(args);
	if (!is_denied(DENY_FILES, "open"))
		return open(path, flags, mode);
	errno = EMFILE;
	return -1;
}

/* What comes by no other name. To wait for a word in memory never fails, nor to ask what a file is. */
static long deny_syscall(long nr, ...)
{
	long arg[6];
	va_list args;

	va_start(args, nr);
	for (int i = 0; i < 6; i++)
		arg[i] = va_arg(args, long);
	va_end(args);
	if ((nr != SYS_eventfd2 && nr != SYS_sched_getaffinity) ||
	    !is_denied(DENY_FILES, nr == SYS_eventfd2 ? "eventfd" : "sched_getaffinity"))
		return syscall(nr, arg[0], arg[1], arg[2], arg[3], arg[4], arg[5]);
	errno = EMFILE;
	return -1;
}

/* pthread_atfork() by the name that it has in libraries. */
static int (*register_atfork)(void (*)(void), void (*)(void), void (*)(void), void *);

static int deny_atfork(void (*prepare)(void), void (*parent)(void), void (*child)(void), void *library)
{
	return is_denied(DENY_THREADS, "atfork") ? ENOMEM : register_atfork(prepare, parent, child, library);
}

static const struct {
	const char *name;
	void *function;
} functions[] = {
#define FUNCTION(name) { #name, (void *)deny_##name },
	FUNCTION(malloc) FUNCTION(calloc) FUNCTION(realloc) FUNCTION(posix_memalign) FUNCTION(strdup)
	FUNCTION(mmap) FUNCTION(madvise) FUNCTION(mprotect) FUNCTION(mincore)
	FUNCTION(fopen) FUNCTION(read) FUNCTION(readlink) FUNCTION(access) FUNCTION(poll) FUNCTION(open)
	FUNCTION(syscall)
	FUNCTION(pthread_attr_init) FUNCTION(pthread_create) FUNCTION(pthread_getcpuclockid)
	FUNCTION(dlopen) FUNCTION(dlinfo)
	{ "__register_atfork", (void *)deny_atfork },
};

static void turn_over(uintptr_t *slot, const char *name)
{
	size_t page_len = sysconf(_SC_PAGESIZE);
	void *page = (void *)((uintptr_t)slot & ~(page_len - 1));

	for (size_t i = 0; i < sizeof(functions) / sizeof(*functions); i++) {
		if (strcmp(functions[i].name, name))
			continue;
		/* The loader makes it read-only; that it was is nothing that anybody needs. */
		if (mprotect(page, page_len, PROT_READ | PROT_WRITE))
			abort();
		*slot = (uintptr_t)functions[i].function;
	}
}

int denial_begin(const char *library)
{
	const ElfW(Sym) *symbols = NULL;
	const ElfW(Rela) *rela[2] = { NULL, NULL };
	size_t len[2] = { 0, 0 };
	const char *strings = NULL;
	struct link_map *map;
	void *lib = dlopen(library, RTLD_NOW | RTLD_NOLOAD);

	*(void **)&register_atfork = dlsym(RTLD_DEFAULT, "__register_atfork");
	if (!lib || dlinfo(lib, RTLD_DI_LINKMAP, &map) || !register_atfork)
		return -ENOENT;
	for (const ElfW(Dyn) *d = map->l_ld; d->d_tag != DT_NULL; d++) {
		const void *address = (const void *)d->d_un.d_ptr;

		if (d->d_tag == DT_SYMTAB)
			symbols = address;
		else if (d->d_tag == DT_STRTAB)
			strings = address;
		else if (d->d_tag == DT_JMPREL)
			rela[0] = address;
		else if (d->d_tag == DT_PLTRELSZ)
			len[0] = d->d_un.d_val / sizeof(**rela);
		else if (d->d_tag == DT_RELA)
			rela[1] = address;
		else if (d->d_tag == DT_RELASZ)
			len[1] = d->d_un.d_val / sizeof(**rela);
	}
	for (int table = 0; table < 2; table++)
		for (size_t i = 0; rela[table] && i < len[table]; i++) {
			size_t symbol = ELF64_R_SYM(rela[table][i].r_info);

			if (symbol)
				turn_over((uintptr_t *)(map->l_addr + rela[table][i].r_offset),
					  strings + symbols[symbol].st_name);
		}
	return 0;
}

void denial_set(unsigned int which, unsigned int from, unsigned int nr)
{
	atomic_store(&kinds, 0);
	atomic_store(&calls, 0);
	atomic_store(&first, from);
	atomic_store(&denied_nr, nr);
	atomic_store(&last, "");
	atomic_store(&kinds, which);
}

unsigned int denial_calls(void)
{
	return atomic_load(&calls);
}

const char *denial_last(void)
{
	return atomic_load(&last);
}
