/* SPDX-License-Identifier: Zlib */
/*
 * GNU gzip carries its own deflate and links no zlib, so preloading a zlib cannot reach it. At load,
 * a program of that name is handed over to wd-gzip, which has its options and messages. So is pigz,
 * which asks zlib for what no device has, where wd-gzip does the same: see pigz.c.
 */
#include "config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "abi/pigz.h"
#include "abi/preload.h"
#include "operate/root.h"
#include "operate/settings.h"

#define GUARD "ZWD_GZIP_TAKEN"

enum program { OTHER, GZIP, PIGZ };

/* Calls no function of libc, for each first call costs every preloaded program its binding. */
static enum program program_of(const char *argv0)
{
	static const struct {
		char name[8];
		enum program program;
	} names[] = {
		{ "gzip", GZIP }, { "gunzip", GZIP }, { "zcat", GZIP }, { "pigz", PIGZ }, { "unpigz", PIGZ },
	};
	const char *name = argv0;

	for (const char *c = argv0; *c; c++)
		if (*c == '/')
			name = c + 1;
	for (unsigned int i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		for (int at = 0; name[at] == names[i].name[at]; at++)
			if (!name[at])
				return names[i].program;
	return OTHER;
}

/* The command finds out that it stands for pigz, and where that is, by the value of GUARD. */
static bool set_guard(enum program program)
{
	char self[4096];
	ssize_t len;

	if (program == GZIP)
		return !setenv(GUARD, "1", 1);
	len = readlink("/proc/self/exe", self, sizeof(self));
	if (len <= 0 || len == (ssize_t)sizeof(self))
		return false;
	self[len] = '\0';
	return !setenv(GUARD, self, 1);
}

void zwd_preload_take_over(int argc, char **argv, bool has_zlib)
{
	enum program program;
	const char *command;
	int saved_errno;

	if (argc < 1 || !argv || !argv[0])
		return;
	program = program_of(argv[0]);
	if (program == OTHER || has_zlib != (program == PIGZ) || zwd_auxval(AT_SECURE))
		return;
	saved_errno = errno;
	command = zwd_settings_load()->gzip;
	if (getenv(GUARD) || !strcmp(command, "0"))
		return;
	if (command[0] != '/')
		command = BINDIR "/wd-gzip";
	if (!access(command, X_OK) && (program == GZIP || zwd_pigz_is_for_device(argc, argv)) &&
	    set_guard(program)) {
		execv(command, argv);
		unsetenv(GUARD);
	}
	errno = saved_errno;
}
