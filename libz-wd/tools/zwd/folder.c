/* SPDX-License-Identifier: Zlib */
/*
 * The files of ZWD_STATS=dir:PATH, by program. Everybody may write into such a folder: a file is opened only if
 * it is a regular one, read and not mapped, and believed no length.
 */
#include "config.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tools/zwd/live.h"

#define FILE_MAX (1 << 20)
#define SUFFIX ".zwd"

static struct live *find_program(struct lives *lives, const char *program)
{
	struct live *live;

	for (size_t i = 0; i < lives->nr; i++)
		if (!strcmp(lives->live[i].program, program))
			return &lives->live[i];
	live = lives_add(lives);
	strcpy(live->program, program);
	return live;
}

static void add_page(struct lives *lives, const struct zwd_live *page)
{
	struct live one = { .nr = 1 }, *sum;

	snprintf(one.program, sizeof(one.program), "%.*s", (int)sizeof(page->program) - 1, page->program);
	live_make_printable(one.program);
	live_take(&one, page);
	sum = find_program(lives, one.program);
	live_add(sum, &one);
	memcpy(sum->library, one.library, sizeof(sum->library));
}

/* What is wrong with it, or NULL. */
static const char *read_pages(struct lives *lives, const char *text, size_t len)
{
	const size_t head = offsetof(struct zwd_live, dir);
	struct zwd_live page;
	size_t page_len = 0;

	if (len < sizeof(page))
		return "is none of libz-wd's";
	for (size_t at = 0; at + head <= len; at += page_len) {
		size_t room = len - at;

		memset(&page, 0, sizeof(page));
		memcpy(&page, text + at, room < sizeof(page) ? room : sizeof(page));
		if (!at)
			page_len = page.page_len;
		if (page_len < sizeof(page) || page_len > len)
			return "is none of libz-wd's";
		if (!page.magic[0])
			continue; /* nobody's yet */
		if (memcmp(page.magic, ZWD_LIVE_MAGIC, sizeof(page.magic)))
			return "is none of libz-wd's";
		if (page.version != ZWD_LIVE_VERSION)
			return "has counters of another version's layout";
		add_page(lives, &page);
	}
	return NULL;
}

static const char *read_file(struct lives *lives, int folder, const char *name)
{
	static char text[FILE_MAX];
	size_t len = 0;
	ssize_t n;
	struct stat st;
	int fd = openat(folder, name, O_RDONLY | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC | O_NOCTTY);

	if (fd < 0)
		return errno == ENOENT ? NULL : strerror(errno); /* it went meanwhile */
	if (fstat(fd, &st) || !S_ISREG(st.st_mode) || st.st_size > FILE_MAX) {
		close(fd);
		return "is none of libz-wd's";
	}
	while (len < sizeof(text) && (n = read(fd, text + len, sizeof(text) - len)) > 0)
		len += (size_t)n;
	close(fd);
	return read_pages(lives, text, len);
}

int live_of_folder(struct lives *lives, const char *path)
{
	struct dirent *entry;
	DIR *dir = opendir(path);
	int ret = 0;

	if (!dir) {
		fprintf(stderr, "zwd: %s: %s\n", path, strerror(errno));
		return -1;
	}
	while ((entry = readdir(dir))) {
		size_t len = strlen(entry->d_name);
		const char *wrong;

		if (len < strlen(SUFFIX) || strcmp(entry->d_name + len - strlen(SUFFIX), SUFFIX))
			continue;
		wrong = read_file(lives, dirfd(dir), entry->d_name);
		if (wrong) {
			fprintf(stderr, "zwd: %s/%s: %s\n", path, entry->d_name, wrong);
			ret = -1;
		}
	}
	closedir(dir);
	return ret;
}
