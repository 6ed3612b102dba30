/* SPDX-License-Identifier: Zlib */
/*
 * GNU gzip carries its own deflate and links no zlib, so preloading a zlib cannot reach it. This
 * constructor, in a program of that name, hands over to wd-gzip, which has its options and messages.
 * It is all the library does at load time.
 */
#include "config.h"

#include <errno.h>
#include <link.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <unistd.h>

#define GUARD "ZWD_GZIP_TAKEN"

/*
 * The library is linked without the compiler's start files: what they do at load and exit is nothing
 * to a library that is never unloaded, and costs a preloaded program more than all the rest here.
 * This is the one thing of theirs that libc asks for.
 */
__attribute__((weak, visibility("hidden"))) void *__dso_handle;

/* Calls no function of libc, for each first call costs every preloaded program its binding. */
static int is_gzip(const char *argv0)
{
	static const char names[3][8] = { "gzip", "gunzip", "zcat" };
	const char *name = argv0;

	for (const char *c = argv0; *c; c++)
		if (*c == '/')
			name = c + 1;
	for (int i = 0; i < 3; i++)
		for (int at = 0; name[at] == names[i][at]; at++)
			if (!name[at])
				return 1;
	return 0;
}

/* The first object is the program. Has it a zlib, or this library, among the ones it needs? */
static int needs_zlib(struct dl_phdr_info *info, size_t size, void *data)
{
	const ElfW(Dyn) *dyn = NULL;
	const char *strings = NULL;

	for (int i = 0; i < info->dlpi_phnum; i++)
		if (info->dlpi_phdr[i].p_type == PT_DYNAMIC)
			dyn = (const ElfW(Dyn) *)(info->dlpi_addr + info->dlpi_phdr[i].p_vaddr);
	for (const ElfW(Dyn) *d = dyn; d && d->d_tag != DT_NULL; d++)
		if (d->d_tag == DT_STRTAB)
			strings = (const char *)d->d_un.d_ptr;
	for (const ElfW(Dyn) *d = dyn; strings && d->d_tag != DT_NULL; d++)
		if (d->d_tag == DT_NEEDED && !strncmp(strings + d->d_un.d_val, "libz", 4))
			return 1;
	return -1;
}

/* glibc hands a constructor the program's arguments. */
__attribute__((constructor)) static void take_over(int argc, char **argv, char **envp)
{
	const char *command;
	int saved_errno;

	if (argc < 1 || !argv || !argv[0] || !is_gzip(argv[0]) || getauxval(AT_SECURE))
		return;
	saved_errno = errno;
	command = getenv("ZWD_GZIP");
	if (getenv(GUARD) || (command && !strcmp(command, "0")) ||
	    dl_iterate_phdr(needs_zlib, NULL) == 1)
		return;
	if (!command || command[0] != '/')
		command = BINDIR "/wd-gzip";
	if (!access(command, X_OK) && !setenv(GUARD, "1", 1)) {
		execv(command, argv);
		unsetenv(GUARD);
	}
	errno = saved_errno;
}
