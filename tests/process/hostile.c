/* SPDX-License-Identifier: Zlib */
/* A library that somebody put where others lie: it must not be loaded. */
#include <fcntl.h>
#include <unistd.h>

__attribute__((constructor)) static void begin(void)
{
	close(open("/hostile-code-ran", O_CREAT | O_WRONLY, 0600));
}

__attribute__((visibility("default"))) int deflate(void);
int deflate(void)
{
	return 0;
}
