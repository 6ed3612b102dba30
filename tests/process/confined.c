/* SPDX-License-Identifier: Zlib */
/* Another root, no descriptors or others' ones, limits, another user, other namespaces. */
#include "config.h"
#include "process.h"
#include "trip.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define NOBODY 65534

/* What has been done with zlib when the condition begins. */
enum before { NOTHING, USED, STREAMS };

static void before(long what)
{
	if (what >= USED)
		trip_all();
	if (what == STREAMS) {
		pairs_open();
		pairs_half();
	}
}

static void after(long what)
{
	if (what == STREAMS)
		pairs_finish();
	trip_streams();
	trip_calls();
}

static char folder[] = "/tmp/process.XXXXXX";

static void remove_folder(void)
{
	pid_t pid = fork();

	if (!pid) {
		unsetenv("LD_PRELOAD");
		execlp("rm", "rm", "-rf", folder, NULL);
		_exit(1);
	}
	waitpid(pid, NULL, 0);
}

static void put(const char *path, const void *data, size_t len)
{
	char name[4096];
	FILE *file;

	snprintf(name, sizeof(name), "%s/%s", folder, path);
	for (char *at = name + sizeof(folder); (at = strchr(at, '/')); at++) {
		*at = 0;
		mkdir(name, 0755);
		*at = '/';
	}
	file = fopen(name, "wb");
	check(file && fwrite(data, 1, len, file) == len && !fclose(file));
}

/* The places where this process's libraries and settings come from, all of them lies. */
static void set_trap(void)
{
	static const char settings[] = "ZWD_LOG = debug,file:/hostile-settings-read\n"
				       "ZWD_STATS = json:/hostile-settings-read\n"
				       "WD_DEVICE = none\n";
	static const char *const names[] = { "libz.so.1", "libisal.so.2", "libz-wd.so.1",
					     "libz-wd.so" };
	static const char *const folders[] = { "lib",
					       "lib64",
					       "usr/lib",
					       "usr/lib64",
					       "lib/x86_64-linux-gnu",
					       "usr/lib/x86_64-linux-gnu",
					       "lib/aarch64-linux-gnu",
					       "usr/lib/aarch64-linux-gnu",
					       "usr/local/lib" };
	static unsigned char code[1 << 20];
	FILE *file = fopen(built(".libs/hostile.so"), "rb");
	char path[4096];
	size_t len;

	check(file);
	len = fread(code, 1, sizeof(code), file);
	check(len && len < sizeof(code));
	fclose(file);
	for (size_t i = 0; i < sizeof(folders) / sizeof(*folders); i++)
		for (size_t j = 0; j < sizeof(names) / sizeof(*names); j++) {
			snprintf(path, sizeof(path), "%s/%s", folders[i], names[j]);
			put(path, code, len);
		}
	put(SOFT_ZLIB_PATH, code, len);
	put("etc/libz-wd.conf", settings, sizeof(settings) - 1);
	put(SYSCONFDIR "/libz-wd.conf", settings, sizeof(settings) - 1);
}

static void other_root(const struct row *row, int is_trap)
{
	const char *const traces[] = { "hostile-code-ran", "hostile-settings-read" };
	char path[4096];
	siginfo_t info;
	pid_t pid;

	check(mkdtemp(folder) && !chmod(folder, 0755));
	if (is_trap)
		set_trap();
	pid = fork();
	if (!pid) {
		before(row->arg);
		check(!chroot(folder) && !chdir("/"));
		after(row->arg);
		trip_gz();
		if (!is_stock() && row->arg != NOTHING && (row->flags & USES_DEVICE) &&
		    !is_soft() && !device_requests())
			fail("the device was not used");
		exit(0);
	}
	check(!waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT));
	for (size_t i = 0; i < 2; i++) {
		snprintf(path, sizeof(path), "%s/%s", folder, traces[i]);
		if (!access(path, F_OK))
			fail("%s", traces[i]);
	}
	remove_folder();
	child_is_right(pid, "in the other root");
}

static void empty_root(const struct row *row)
{
	other_root(row, 0);
}

static void hostile_root(const struct row *row)
{
	other_root(row, 1);
}

/* A mount namespace of its own, in which there is no zlib any more where it was. */
static void hidden_libraries(const struct row *row)
{
	if (unshare(CLONE_NEWNS) || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL))
		cannot("mounts: %s", strerror(errno));
	before(row->arg);
	if (mount("none", "/usr", "tmpfs", 0, NULL))
		cannot("mounts: %s", strerror(errno));
	mount("none", "/lib", "tmpfs", 0, NULL);
	mount("none", "/etc", "tmpfs", 0, NULL);
	mount("none", "/dev", "tmpfs", 0, NULL);
	mount("none", "/sys", "tmpfs", 0, NULL);
	mount("none", "/proc", "tmpfs", 0, NULL);
	after(row->arg);
	trip_gz();
}

static void namespaces(const struct row *row)
{
	static const int kinds[] = { CLONE_NEWNS,  CLONE_NEWUSER, CLONE_NEWPID,
				     CLONE_NEWNET, CLONE_NEWIPC,  CLONE_NEWUTS };
	int nr = 0;

	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++) {
		pid_t pid = fork();

		if (!pid) {
			before(row->arg);
			/* A process with threads has no second namespace of users, and an
			 * emulated device is threads. */
			if (unshare(kinds[i]) && (kinds[i] != CLONE_NEWUSER || errno != EINVAL ||
						  is_stock() || is_soft()))
				cannot("unshare %#x: %s", kinds[i], strerror(errno));
			after(row->arg);
			trip_gz();
			/* In a new namespace of processes this is number 1. */
			pid = fork();
			if (!pid) {
				trip_all();
				exit(0);
			}
			child_is_right(pid, "child");
			exit(0);
		}
		nr += pid > 0;
		child_is_right(pid, "namespace");
	}
	check(nr == 6);
}

/* For a limit that root does not have: be nobody first. */
static void become_nobody(void)
{
	check(!setgid(NOBODY) && !setuid(NOBODY));
}

static void other_user(const struct row *row)
{
	before(row->arg);
	become_nobody();
	after(row->arg);
	trip_gz();
}

/* seteuid() and back, as servers do for each request. */
static void user_and_back(const struct row *row)
{
	before(row->arg);
	check(!seteuid(NOBODY));
	after(row->arg);
	check(!seteuid(0));
	trip_all();
}

static void limit(int resource, rlim_t value)
{
	struct rlimit limit;

	check(!getrlimit(resource, &limit));
	limit.rlim_cur = value;
	check(!setrlimit(resource, &limit));
}

static void no_descriptors(const struct row *row)
{
	struct rlimit all;

	check(!getrlimit(RLIMIT_NOFILE, &all));
	for (rlim_t nr = 0; nr <= 3; nr++) {
		pid_t pid = fork();

		if (!pid) {
			before(row->arg);
			limit(RLIMIT_NOFILE, nr);
			after(row->arg);
			check(!setrlimit(RLIMIT_NOFILE, &all));
			trip_all();
			exit(0);
		}
		child_is_right(pid, "limit of descriptors");
	}
}

static void taken_descriptors(const struct row *row)
{
	int fds[1000], nr = 0;

	before(row->arg);
	limit(RLIMIT_NOFILE, 200);
	while (nr < 1000 && (fds[nr] = open("/dev/null", O_RDWR)) >= 0)
		nr++;
	check(nr < 1000 && errno == EMFILE);
	after(row->arg);
	check(open("/dev/null", O_RDWR) < 0);
	while (nr)
		check(!close(fds[--nr]));
	trip_all();
}

static void closed_stdio(const struct row *row)
{
	before(row->arg);
	close(0);
	close(1);
	close(2);
	after(row->arg);
	trip_gz();
	/* The lowest numbers are the program's. */
	check(open("/dev/null", O_RDWR) == 0 && open("/dev/null", O_RDWR) == 1);
	trip_all();
}

#define FILES 64

/* After closefrom(3) files of the program lie at the numbers that a library had. */
static void own_descriptors(const struct row *row)
{
	static const char text[] = "0123456789abcdef";
	struct stat at_first[FILES], now;
	int fd[FILES];

	before(row->arg);
	closefrom(3);
	for (int i = 0; i < FILES; i++) {
		fd[i] = open("/tmp", O_TMPFILE | O_RDWR, 0600);
		check(fd[i] == i + 3);
		check(write(fd[i], text, 16) == 16 && !lseek(fd[i], 0, SEEK_SET));
		check(!fstat(fd[i], &at_first[i]));
	}
	for (int round = 0; round < 3; round++) {
		after(round ? USED : row->arg);
		trip_gz();
	}
	for (int i = 0; i < FILES; i++) {
		char back[64];

		if (fstat(fd[i], &now))
			fail("descriptor %d was closed", fd[i]);
		if (now.st_ino != at_first[i].st_ino)
			fail("descriptor %d is another file", fd[i]);
		if (pread(fd[i], back, sizeof(back), 0) != 16 || memcmp(back, text, 16))
			fail("descriptor %d was written to", fd[i]);
		if (lseek(fd[i], 0, SEEK_CUR))
			fail("descriptor %d was read or written", fd[i]);
	}
}

/* A library that wakes somebody through a pipe or an event at its old number would be noticed. */
static void own_pipes(const struct row *row)
{
	int fd[FILES];
	char byte;

	before(row->arg);
	closefrom(3);
	for (int i = 0; i < FILES; i += 2)
		check(!pipe2(&fd[i], O_NONBLOCK));
	after(row->arg);
	trip_gz();
	for (int i = 0; i < FILES; i += 2) {
		if (read(fd[i], &byte, 1) >= 0 || errno != EAGAIN)
			fail("descriptor %d: somebody wrote or closed, %s", fd[i + 1],
			     strerror(errno));
		check(write(fd[i + 1], "x", 1) == 1 && read(fd[i], &byte, 1) == 1);
	}
}

/* Memory that the program has already, and so much more. */
static void little_memory(const struct row *row)
{
	FILE *file = fopen("/proc/self/statm", "r");
	long pages;

	before(row->arg);
	check(file && fscanf(file, "%ld", &pages) == 1 && !fclose(file));
	/* Both runs have 3 MiB to go, whatever the library mapped when it was loaded. */
	limit(RLIMIT_AS, (rlim_t)pages * 4096 + (3 << 20));
	after(row->arg);
	limit(RLIMIT_AS, RLIM_INFINITY);
	trip_all();
}

static void little_data(const struct row *row)
{
	FILE *file = fopen("/proc/self/statm", "r");
	long pages;

	before(row->arg);
	check(file && fscanf(file, "%*d %*d %*d %*d %*d %ld", &pages) == 1 && !fclose(file));
	limit(RLIMIT_DATA, (rlim_t)pages * 4096 + (3 << 20));
	after(row->arg);
	limit(RLIMIT_DATA, RLIM_INFINITY);
	trip_all();
}

static void no_processes(const struct row *row)
{
	before(row->arg);
	limit(RLIMIT_NPROC, 0);
	become_nobody();
	check(fork() < 0);
	after(row->arg);
	trip_gz();
}

static void no_file_size(const struct row *row)
{
	before(row->arg);
	limit(RLIMIT_FSIZE, 0);
	after(row->arg);
}

static void no_locked_memory(const struct row *row)
{
	limit(RLIMIT_MEMLOCK, 0);
	before(row->arg);
	after(row->arg);
	trip_gz();
}

/* Threads of a library get stacks of this size unless it says otherwise. */
static void stack_limit(const struct row *row)
{
	struct rlimit limit;

	check(!getrlimit(RLIMIT_STACK, &limit));
	limit.rlim_cur = (rlim_t)row->arg;
	if (setrlimit(RLIMIT_STACK, &limit))
		cannot("stack limit: %s", strerror(errno));
	trip_all();
	pairs_open();
	pairs_half();
	pairs_finish();
}

static void no_realtime(const struct row *row)
{
	before(row->arg);
	limit(RLIMIT_SIGPENDING, 0);
	limit(RLIMIT_RTPRIO, 0);
	limit(RLIMIT_NICE, 0);
	limit(RLIMIT_LOCKS, 0);
	limit(RLIMIT_MSGQUEUE, 0);
	after(row->arg);
}

#define EACH(title, function, flag)                                                                \
	{ title ", first use", function, NOTHING, .flags = (flag) },                               \
		{ title ", used before", function, USED, .flags = (flag) },                        \
	{                                                                                          \
		title ", streams of before", function, STREAMS, .flags = (flag)                    \
	}

const struct row rows[] = {
	EACH("empty root", empty_root, NEEDS_ROOT),
	EACH("root with other libraries and settings", hostile_root, NEEDS_ROOT),
	{ "root with other libraries, any device", hostile_root, NOTHING,
	  .flags = NEEDS_ROOT | IN_SOFT, .env = "WD_DEVICE=auto" },
	EACH("libraries hidden by mounts", hidden_libraries, NEEDS_ROOT),
	EACH("namespaces", namespaces, NEEDS_ROOT),
	EACH("setuid", other_user, NEEDS_ROOT),
	EACH("seteuid", user_and_back, NEEDS_ROOT),
	EACH("limit of descriptors 0 to 3", no_descriptors, 0),
	EACH("descriptors all taken", taken_descriptors, 0),
	EACH("stdin, stdout and stderr closed", closed_stdio, 0),
	EACH("closefrom, files at their numbers", own_descriptors, USES_DEVICE),
	EACH("closefrom, pipes at their numbers", own_pipes, USES_DEVICE),
	EACH("3 MiB of address space", little_memory, 0),
	EACH("3 MiB of data", little_data, 0),
	EACH("no process more", no_processes, NEEDS_ROOT),
	EACH("no file size", no_file_size, USES_DEVICE | NOT_COUNTED),
	EACH("no locked memory", no_locked_memory, USES_DEVICE),
	EACH("limits of signals, priorities and locks", no_realtime, USES_DEVICE),
	{ "stack limit 128 KiB", stack_limit, 128 << 10, .flags = USES_DEVICE },
	{ "stack limit 1 GiB", stack_limit, 1 << 30, .flags = USES_DEVICE },
	{ "stack without limit", stack_limit, -1, .flags = USES_DEVICE },
	{ .name = NULL },
};
