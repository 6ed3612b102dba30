/* SPDX-License-Identifier: Zlib */
/* zwd queues: makes the queues of sdmdev's devices and hands them to a group of users. */
#include "config.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include "tools/zwd/queues.h"

#define CLASS_PATH "/sys/class/sdmdev"
#define PAUSES_MAX 500 /* of 10 ms */
#define PATH_LEN 1024

static int write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	int r = 0;

	if (fd < 0)
		return -errno;
	if (write(fd, text, strlen(text)) < 0)
		r = -errno;
	close(fd);
	return r;
}

static void pause_ms(void)
{
	const struct timespec ts = { .tv_nsec = 10 * 1000 * 1000 };

	nanosleep(&ts, NULL);
}

struct queues_system queues_system = { "", (gid_t)-1, write_file, pause_ms };

void queues_uuid(const char *parent, unsigned int index, char uuid[QUEUES_UUID_LEN + 1])
{
	uint64_t hash = UINT64_C(0xcbf29ce484222325);

	for (; *parent; parent++)
		hash = (hash ^ (unsigned char)*parent) * UINT64_C(0x100000001b3);
	snprintf(uuid, QUEUES_UUID_LEN + 1, "%08x-%04x-8%03x-8000-%012x", (uint32_t)(hash >> 32),
		 (uint32_t)(hash >> 16 & 0xffff), (uint32_t)(hash >> 4 & 0xfff), index);
}

/* Its index, if the name is one that queues_uuid() gives; else -1. */
static int index_of(const char *parent, const char *name)
{
	char uuid[QUEUES_UUID_LEN + 1];
	unsigned int index;

	if (strlen(name) != QUEUES_UUID_LEN || sscanf(name + 24, "%12x", &index) != 1 ||
	    index > INT_MAX)
		return -1;
	queues_uuid(parent, index, uuid);
	return strcmp(uuid, name) ? -1 : (int)index;
}

static int is_uuid(const char *name)
{
	return strlen(name) == QUEUES_UUID_LEN && name[8] == '-' && name[13] == '-' &&
	       name[18] == '-' && name[23] == '-';
}

static int is_visible(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
}

static int is_queue(const struct dirent *entry)
{
	return is_uuid(entry->d_name);
}

static void free_entries(struct dirent **entries, int nr)
{
	for (int i = 0; i < nr; i++)
		free(entries[i]);
	free(entries);
}

/* The node of a queue's VFIO group. 0, -ENOENT while there is none, or -errno. */
static int node_of(const char *parent, const char *uuid, char node[PATH_LEN])
{
	char path[PATH_LEN], link[PATH_LEN];
	const char *number;
	ssize_t len;

	snprintf(path, sizeof(path), "%s" CLASS_PATH "/%s/device/%s/iommu_group",
		 queues_system.root, parent, uuid);
	len = readlink(path, link, sizeof(link) - 1);
	if (len < 0)
		return -errno;
	link[len] = 0;
	number = strrchr(link, '/');
	number = number ? number + 1 : link;
	if (!*number || strspn(number, "0123456789") != strlen(number) || strlen(number) > 9)
		return -EINVAL;
	snprintf(node, PATH_LEN, "%s/dev/vfio/%.9s", queues_system.root, number);
	return access(node, F_OK) ? -errno : 0;
}

/* The file that makes queues: a device offers one type of them. */
static int create_path(const char *parent, char path[PATH_LEN])
{
	struct dirent **types;
	int nr;

	snprintf(path, PATH_LEN, "%s" CLASS_PATH "/%.255s/device/mdev_supported_types",
		 queues_system.root, parent);
	nr = scandir(path, &types, is_visible, alphasort);
	if (nr < 0)
		return -errno;
	if (nr) {
		size_t len = strlen(path);

		snprintf(path + len, PATH_LEN - len, "/%.255s/create", types[0]->d_name);
	}
	free_entries(types, nr);
	return nr ? 0 : -ENOENT;
}

/* Makes it if it is not there, and hands it over if that was not done: the same any number of times. */
static int create_one(const char *parent, const char *create, unsigned int index)
{
	char uuid[QUEUES_UUID_LEN + 1], path[PATH_LEN], node[PATH_LEN];
	int r = 0;

	queues_uuid(parent, index, uuid);
	snprintf(path, sizeof(path), "%s" CLASS_PATH "/%s/device/%s", queues_system.root, parent,
		 uuid);
	if (access(path, F_OK))
		r = queues_system.write(create, uuid);
	if (r && r != -EEXIST) {
		fprintf(stderr, "zwd: %s: queue %u is not made: %s\n", parent, index,
			strerror(-r));
		return r;
	}
	for (unsigned int i = 0; i < PAUSES_MAX; i++) {
		r = node_of(parent, uuid, node);
		if (r != -ENOENT)
			break;
		queues_system.pause();
	}
	/* Its group first: the mode is what lets somebody in. */
	if (!r && (chown(node, -1, queues_system.gid) || chmod(node, 0660)))
		r = -errno;
	if (r)
		fprintf(stderr, "zwd: %s: queue %u is not handed over: %s\n", parent, index,
			r == -ENOENT ? "it gets no VFIO group" : strerror(-r));
	return r;
}

static int create(const char *parent, unsigned int count)
{
	char path[PATH_LEN];
	int r = create_path(parent, path);

	if (r) {
		fprintf(stderr, "zwd: %s: makes no queues: %s\n", parent, strerror(-r));
		return 1;
	}
	for (unsigned int i = 0; i < count; i++)
		if (create_one(parent, path, i))
			return 1;
	return 0;
}

static int list_one(const char *parent, const char *uuid)
{
	char node[PATH_LEN], index[16] = "-";
	struct group *group;
	struct stat st;
	int r = node_of(parent, uuid, node);

	if (index_of(parent, uuid) >= 0)
		snprintf(index, sizeof(index), "%d", index_of(parent, uuid));
	if (r || stat(node, &st)) {
		printf("%-20s %5s %s -\n", parent, index, uuid);
		return 0;
	}
	group = getgrgid(st.st_gid);
	printf("%-20s %5s %s %s %s %04o\n", parent, index, uuid,
	       node + strlen(queues_system.root), group ? group->gr_name : "-",
	       (unsigned int)st.st_mode & 07777);
	return 0;
}

/* Returns when nobody has the queue open any more: the kernel waits. */
static int remove_one(const char *parent, const char *uuid)
{
	char path[PATH_LEN];
	int r;

	if (index_of(parent, uuid) < 0)
		return 0; /* somebody else made it */
	snprintf(path, sizeof(path), "%s" CLASS_PATH "/%s/device/%s/remove", queues_system.root,
		 parent, uuid);
	r = queues_system.write(path, "1");
	if (!r || r == -ENOENT || r == -ENODEV)
		return 0;
	fprintf(stderr, "zwd: %s: queue %d is not removed: %s\n", parent,
		index_of(parent, uuid), strerror(-r));
	return 1;
}

static int each_queue(const char *parent, int (*call)(const char *parent, const char *uuid))
{
	char path[PATH_LEN];
	struct dirent **entries;
	int nr, r = 0;

	snprintf(path, sizeof(path), "%s" CLASS_PATH "/%s/device", queues_system.root, parent);
	nr = scandir(path, &entries, is_queue, alphasort);
	if (nr < 0) {
		fprintf(stderr, "zwd: %s: %s\n", parent, strerror(errno));
		return 1;
	}
	for (int i = 0; i < nr; i++)
		r |= call(parent, entries[i]->d_name);
	free_entries(entries, nr);
	return r;
}

static int run_on(const char *command, const char *parent, unsigned int count)
{
	if (!strcmp(command, "create"))
		return create(parent, count);
	if (!strcmp(command, "list"))
		return each_queue(parent, list_one);
	return each_queue(parent, remove_one);
}

int queues_run(const char *command, const char *parent, unsigned int count)
{
	struct dirent **parents;
	char path[PATH_LEN];
	int nr, r = 0;

	if (!strcmp(command, "create") && queues_system.gid == (gid_t)-1) {
		struct group *group = getgrnam(QUEUES_GROUP);

		if (!group) {
			fprintf(stderr, "zwd: there is no group " QUEUES_GROUP "\n");
			return 1;
		}
		queues_system.gid = group->gr_gid;
	}
	snprintf(path, sizeof(path), "%s" CLASS_PATH "%s%s", queues_system.root,
		 parent ? "/" : "", parent ? parent : "");
	if (parent && (strchr(parent, '/') || access(path, F_OK))) {
		fprintf(stderr, "zwd: %s: no such device of sdmdev\n", parent);
		return 1;
	}
	if (parent)
		return run_on(command, parent, count);
	nr = scandir(path, &parents, is_visible, alphasort);
	if (nr <= 0) {
		fprintf(stderr, "zwd: there is no device of sdmdev\n");
		return strcmp(command, "create") ? 0 : 1;
	}
	for (int i = 0; i < nr; i++)
		r |= run_on(command, parents[i]->d_name, count);
	free_entries(parents, nr);
	return r;
}
