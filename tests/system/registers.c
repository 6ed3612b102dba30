/* SPDX-License-Identifier: Zlib */
/*
 * Reads and writes registers of a PCI function as busybox's devmem does, by the function's own file in sysfs: a
 * debug kernel has no /dev/mem. registers FUNCTION OFFSET WIDTH [VALUE], the folder in sysfs and its second BAR.
 */
#include "config.h"

#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	char path[4096];
	unsigned long at, width;
	volatile unsigned char *bar;
	struct stat st;
	int fd;

	if (argc != 4 && argc != 5) {
		fprintf(stderr, "registers: FUNCTION OFFSET WIDTH [VALUE]\n");
		return 2;
	}
	at = strtoul(argv[2], NULL, 0);
	width = strtoul(argv[3], NULL, 0) / 8;
	snprintf(path, sizeof(path), "%s/resource2", argv[1]);
	fd = open(path, O_RDWR | O_SYNC);
	if (fd < 0 || fstat(fd, &st)) {
		perror(path);
		return 1;
	}
	if ((width != 4 && width != 8) || at % width || at + width > (uint64_t)st.st_size) {
		fprintf(stderr, "registers: no such register\n");
		return 2;
	}
	bar = mmap(NULL, (size_t)st.st_size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (bar == MAP_FAILED) {
		perror(path);
		return 1;
	}
	if (argc == 5 && width == 8)
		*(volatile uint64_t *)(bar + at) = strtoull(argv[4], NULL, 0);
	else if (argc == 5)
		*(volatile uint32_t *)(bar + at) = (uint32_t)strtoul(argv[4], NULL, 0);
	else if (width == 8)
		printf("0x%016llX\n", (unsigned long long)*(volatile uint64_t *)(bar + at));
	else
		printf("0x%08X\n", (unsigned int)*(volatile uint32_t *)(bar + at));
	return 0;
}
