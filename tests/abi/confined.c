/* SPDX-License-Identifier: Zlib */
/*
 * A process that uses zlib for the first time when it can open no more files:
 * confined free|files|chroot FOLDER [PLUGIN]. With a plug-in, that is what has the zlib.
 */
#include <dlfcn.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

int round_trip(void);

int main(int argc, char **argv)
{
	struct rlimit none = { 0, 0 };
	int (*function)(void) = NULL;
	void *plugin;
	int ret;

	if (argc < 3)
		return 99;
#ifdef PLUGIN
	plugin = dlopen(argv[3], RTLD_NOW | RTLD_LOCAL);
	if (plugin)
		*(void **)&function = dlsym(plugin, "round_trip");
#else
	(void)plugin;
	function = round_trip;
#endif
	if (!function)
		return 99;
	if (!strcmp(argv[1], "files") && setrlimit(RLIMIT_NOFILE, &none))
		return 99;
	if (!strcmp(argv[1], "chroot") && (chroot(argv[2]) || chdir("/")))
		return 77;
	ret = function();
	if (ret)
		fprintf(stderr, "confined %s: round trip says %d\n", argv[1], ret);
	return ret ? 1 : 0;
}
