/* SPDX-License-Identifier: Zlib */
/* A page that never comes: of a file system in user space, in a namespace of the user's own. */
#define _GNU_SOURCE
#include "never.h"
#include "queue.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <linux/fuse.h>

#define FILE_INO 2

struct answer {
	struct fuse_out_header head;
	union {
		struct fuse_init_out init;
		struct fuse_attr_out attr;
		struct fuse_entry_out entry;
		struct fuse_open_out open;
	};
};

static struct fuse_attr attr_of(uint64_t ino)
{
	return (struct fuse_attr){
		.ino = ino,
		.mode = ino == FILE_INO ? S_IFREG | 0644 : S_IFDIR | 0755,
		.size = PAGE,
		.nlink = 1,
		.uid = getuid(),
		.gid = getgid(),
	};
}

/* The length of what is behind the answer's head, or -1: there is no answer. */
static int answer_to(const struct fuse_in_header *in, struct answer *out)
{
	switch (in->opcode) {
	case FUSE_INIT:
		out->init = (struct fuse_init_out){ .major = 7, .minor = 31, .max_write = PAGE };
		return sizeof(out->init);
	case FUSE_GETATTR:
		out->attr =
			(struct fuse_attr_out){ .attr_valid = 100, .attr = attr_of(in->nodeid) };
		return sizeof(out->attr);
	case FUSE_LOOKUP:
		out->entry = (struct fuse_entry_out){ .nodeid = FILE_INO,
						      .generation = 1,
						      .entry_valid = 100,
						      .attr_valid = 100,
						      .attr = attr_of(FILE_INO) };
		return sizeof(out->entry);
	case FUSE_OPEN:
		out->open = (struct fuse_open_out){ .fh = 1 };
		return sizeof(out->open);
	case FUSE_FLUSH:
	case FUSE_RELEASE:
		return 0;
	case FUSE_READ:
	case FUSE_FORGET:
	case FUSE_BATCH_FORGET:
	case FUSE_INTERRUPT:
		return -1;
	default:
		out->head.error = -ENOSYS;
		return 0;
	}
}

static void serve(int fd)
{
	static union {
		struct fuse_in_header head;
		char room[1 << 17];
	} in;

	while (read(fd, &in, sizeof(in)) > 0) {
		struct answer out = { .head.unique = in.head.unique };
		int len = answer_to(&in.head, &out);

		if (len < 0)
			continue;
		out.head.len = sizeof(out.head) + len;
		if (write(fd, &out, out.head.len) < 0 && errno != ENOENT)
			break;
	}
}

static int write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	int ret = fd < 0 || write(fd, text, strlen(text)) < 0 ? -errno : 0;

	if (fd >= 0)
		close(fd);
	return ret;
}

/* In it the user may mount. What he is to others does not change. */
static int own_namespace(void)
{
	const unsigned int uid = getuid(), gid = getgid();
	char map[64];
	int ret;

	if (unshare(CLONE_NEWUSER | CLONE_NEWNS))
		return -errno;
	ret = write_file("/proc/self/setgroups", "deny");
	snprintf(map, sizeof(map), "%u %u 1\n", uid, uid);
	if (!ret)
		ret = write_file("/proc/self/uid_map", map);
	snprintf(map, sizeof(map), "%u %u 1\n", gid, gid);
	return ret ? ret : write_file("/proc/self/gid_map", map);
}

static void cannot(const char *what, int ret)
{
	say("never: %s: %s", what, strerror(-ret));
	_exit(NOT_HERE);
}

char *never_page(void)
{
	char options[128], folder[] = "/tmp/never-XXXXXX", path[64];
	int fd, file, ret;
	char *mem;

	if (!mkdtemp(folder))
		cannot("folder", -errno);
	ret = own_namespace();
	if (ret)
		cannot("namespace", ret);
	fd = open("/dev/fuse", O_RDWR | O_CLOEXEC);
	snprintf(options, sizeof(options), "fd=%d,rootmode=40000,user_id=%u,group_id=%u", fd,
		 getuid(), getgid());
	if (fd < 0 || mount("never", folder, "fuse", MS_NOSUID | MS_NODEV, options))
		cannot("mount", -errno);
	if (!fork()) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		serve(fd);
		_exit(0);
	}
	close(fd);
	snprintf(path, sizeof(path), "%s/page", folder);
	file = open(path, O_RDONLY | O_CLOEXEC);
	if (file < 0)
		cannot("file", -errno);
	mem = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, file, 0);
	if (mem == MAP_FAILED)
		cannot("mapping", -errno);
	close(file);
	return mem;
}
