/* SPDX-License-Identifier: Zlib */
/* A libz.so.1 that somebody has put where libz-wd might look for one: that it ran can be seen. */
#include <fcntl.h>
#include <unistd.h>

__attribute__((visibility("default"))) int deflate(void);

__attribute__((constructor)) static void ran(void)
{
	close(open("/ran", O_CREAT | O_WRONLY, 0600));
}

int deflate(void)
{
	return 0;
}
