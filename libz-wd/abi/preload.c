/* SPDX-License-Identifier: Zlib */
/*
 * GNU gzip carries its own deflate and links no zlib, so preloading a zlib cannot reach it. At load,
 * a program of that name is handed over to wd-gzip, which has its options and messages.
 */
#include "config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "abi/preload.h"
#include "operate/root.h"
#include "operate/settings.h"

#define GUARD "ZWD_GZIP_TAKEN"

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

void zwd_preload_take_over(int argc, char **argv, bool has_zlib)
{
	const char *command;
	int saved_errno;

	if (argc < 1 || !argv || !argv[0] || has_zlib || !is_gzip(argv[0]) ||
	    zwd_auxval(AT_SECURE))
		return;
	saved_errno = errno;
	command = zwd_settings_load()->gzip;
	if (getenv(GUARD) || !strcmp(command, "0"))
		return;
	if (command[0] != '/')
		command = BINDIR "/wd-gzip";
	if (!access(command, X_OK) && !setenv(GUARD, "1", 1)) {
		execv(command, argv);
		unsetenv(GUARD);
	}
	errno = saved_errno;
}
