/* SPDX-License-Identifier: Zlib */
/*
 * wd-gzip beside the gzip that this system has: the same exit code, output and files, whatever lies
 * in the compressed file. An input is the options and the names, then the file's recipe
 * (gzip/cook.c).
 */
#include "config.h"
#include "driver.h"
#include "stock.h"
#include "gzip/cook.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { OURS, THEIRS, SIDES, MTIME = 1234567890, GZIP_BUFFER_MIN = 32768 };

static const char *gzip_path;

/* What a side is called with and what came of it. */
struct side {
	char folder[96]; /* "in" is the one it works in, beside it nothing may change */
	struct buf before, files;
	int out_fd, err_fd;
	int status;
};
static struct side sides[SIDES] = { { .out_fd = -1 }, { .out_fd = -1 } };

struct call {
	const char *options;
	char name[32];
	bool is_stdin, is_compressing, has_device, has_output;
	bool is_len_read; /* gzip lists what it has read by then, not the file's length */
};

static void setup(void)
{
	static const char *const paths[] = { "/usr/bin/gzip", "/bin/gzip" };

	for (int i = 0; i < 2 && !gzip_path; i++)
		if (!access(paths[i], X_OK))
			gzip_path = paths[i];
	if (!gzip_path)
		exit(77);
	stock_open();
	unsetenv("GZIP");
	setenv("LC_ALL", "C", 1);
	setenv("TZ", "UTC", 1);
	signal(SIGPIPE, SIG_DFL);
}

static void put_file(const char *folder, const char *name, const void *data, size_t len)
{
	const struct timespec times[2] = { { MTIME, 0 }, { MTIME, 0 } };
	char path[160];
	int fd;

	snprintf(path, sizeof(path), "%s/in/%s", folder, name);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0640);
	check(fd >= 0 && write(fd, data, len) == (ssize_t)len && !futimens(fd, times), "%s", path);
	close(fd);
}

/* What lies in a folder, as text: names, modes, times, contents. */
static void list(int at_fd, const char *name, struct buf *out)
{
	int fd = openat(at_fd, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	struct dirent **entries;
	struct stat st;
	char line[512];
	int nr, len;

	check(fd >= 0 && !fstat(fd, &st), "%s", name);
	if (S_ISREG(st.st_mode)) {
		void *data = mmap(NULL, (size_t)st.st_size + 1, PROT_READ, MAP_PRIVATE, fd, 0);

		check(data != MAP_FAILED, "mmap");
		/* What has no time of its own has that of the file it was made from. */
		len = snprintf(line, sizeof(line),
			       "%.255s: mode %o, time %lld, %lld bytes, crc %08lx\n", name,
			       st.st_mode & 07777, (long long)st.st_mtim.tv_sec,
			       (long long)st.st_size, stock.crc32_z(0, data, (size_t)st.st_size));
		munmap(data, (size_t)st.st_size + 1);
	} else {
		len = snprintf(line, sizeof(line), "%.255s/\n", name);
	}
	buf_add(out, line, (size_t)len);
	if (S_ISDIR(st.st_mode)) {
		nr = scandirat(fd, ".", &entries, NULL, alphasort);
		for (int i = 0; i < nr; i++) {
			if (strcmp(entries[i]->d_name, ".") && strcmp(entries[i]->d_name, ".."))
				list(fd, entries[i]->d_name, out);
			free(entries[i]);
		}
		free(entries);
	}
	close(fd);
}

static void list_all(const struct side *side, struct buf *out)
{
	out->len = 0;
	list(AT_FDCWD, side->folder, out);
	buf_add(out, "", 1);
	/* But for the folder's own name. */
	memset(out->data, '.', strlen(side->folder));
}

static void prepare(struct side *side, int nr, const struct call *call, const struct buf *file)
{
	char path[128];

	snprintf(side->folder, sizeof(side->folder), "%s/%d", fuzz_folder, nr);
	fuzz_remove(side->folder);
	snprintf(path, sizeof(path), "%s/in", side->folder);
	check(!mkdir(side->folder, 0700) && !mkdir(path, 0700), "mkdir %s", path);
	put_file(side->folder, call->name, file->data, file->len);
	if (call->has_output && strcmp(call->name, "f"))
		put_file(side->folder, "f", "old", 3);
	if (side->out_fd < 0) {
		side->out_fd = memfd_create("out", MFD_CLOEXEC);
		side->err_fd = memfd_create("err", MFD_CLOEXEC);
	}
	for (int i = 0; i < 2; i++) {
		int fd = i ? side->err_fd : side->out_fd;

		check(!ftruncate(fd, 0) && !lseek(fd, 0, SEEK_SET), "memfd");
	}
	list_all(side, &side->before);
}

static const char *input_of(const struct call *call)
{
	return call->is_stdin ? call->name : "/dev/null";
}

void gzip_end(int code)
{
	fuzz_exit(code);
}

static _Noreturn void ours(const struct side *side, const struct call *call)
{
	char *argv[4] = { (char *)"gzip", (char *)call->options, (char *)call->name };
	char path[128];

	setenv("WD_DEVICE", call->has_device ? "emu" : "none", 1);
	setenv("ZWD_ENGINE", call->has_device ? "hw" : "auto", 1);
	snprintf(path, sizeof(path), "%s/in", side->folder);
	if (chdir(path) || dup2(open(input_of(call), O_RDONLY), 0) || dup2(side->out_fd, 1) != 1 ||
	    dup2(side->err_fd, 2) != 2)
		_exit(99);
	if (call->is_stdin)
		argv[2] = NULL;
	gzip_end(gzip_main(call->is_stdin ? 2 : 3, argv));
}

static void run_ours(struct side *side, const struct call *call)
{
	pid_t pid = fuzz_fork();

	if (!pid)
		ours(side, call);
	side->status = fuzz_wait(pid);
}

static void run_theirs(struct side *side, const struct call *call, const char *options)
{
	char *argv[4] = { (char *)"gzip", (char *)options, (char *)call->name };
	posix_spawn_file_actions_t actions;
	char path[128];
	pid_t pid;

	snprintf(path, sizeof(path), "%s/in", side->folder);
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_addchdir_np(&actions, path);
	posix_spawn_file_actions_addopen(&actions, 0, input_of(call), O_RDONLY, 0);
	posix_spawn_file_actions_adddup2(&actions, side->out_fd, 1);
	posix_spawn_file_actions_adddup2(&actions, side->err_fd, 2);
	if (call->is_stdin)
		argv[2] = NULL;
	check(!posix_spawn(&pid, gzip_path, &actions, NULL, argv, environ), "%s", gzip_path);
	posix_spawn_file_actions_destroy(&actions);
	check(waitpid(pid, &side->status, 0) == pid, "waitpid");
}

static void read_all(int fd, struct buf *buf)
{
	off_t len = lseek(fd, 0, SEEK_END);

	buf->len = 0;
	check(pread(fd, buf_room(buf, (size_t)len + 1), (size_t)len, 0) == len, "pread");
	buf->len = (size_t)len;
	buf->data[len] = 0;
}

/* Of what is wrong, one may notice more of the damage than the other before it gives up. */
static void compare_outputs(const struct buf *out, bool is_failure)
{
	size_t common = out[OURS].len < out[THEIRS].len ? out[OURS].len : out[THEIRS].len;

	check(!memcmp(out[OURS].data, out[THEIRS].data, common) &&
		      (is_failure || out[OURS].len == out[THEIRS].len),
	      "output: %zu bytes, gzip's %zu", out[OURS].len, out[THEIRS].len);
}

/* Nothing was added or changed, and the input is there. */
static bool is_kept(const struct side *side, const struct call *call)
{
	char *lines = strdup((char *)side->files.data), *rest = NULL, start[40];
	bool has_input = false, is_kept = true;

	snprintf(start, sizeof(start), "%s: ", call->name);
	for (char *line = strtok_r(lines, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
		is_kept = is_kept && strstr((char *)side->before.data, line);
		has_input = has_input || !strncmp(line, start, strlen(start));
	}
	free(lines);
	return is_kept && has_input;
}

static void compare(const struct call *call)
{
	static struct buf out[SIDES], err[SIDES];
	const struct side *mine = &sides[OURS];
	bool is_failure = WIFEXITED(mine->status) && WEXITSTATUS(mine->status) == 1;

	for (int i = 0; i < SIDES; i++) {
		read_all(sides[i].out_fd, &out[i]);
		read_all(sides[i].err_fd, &err[i]);
		list_all(&sides[i], &sides[i].files);
	}
	if (!WIFEXITED(mine->status))
		fwrite(err[OURS].data, 1, err[OURS].len, stderr);
	check(WIFEXITED(mine->status), "gzip %s %s: signal %d: %.300s", call->options, call->name,
	      WTERMSIG(mine->status), (char *)err[OURS].data);
	check(mine->status == sides[THEIRS].status,
	      "gzip %s %s: exit code %d, gzip's %d: %.200s, %.200s", call->options, call->name,
	      WEXITSTATUS(mine->status), WEXITSTATUS(sides[THEIRS].status), (char *)err[OURS].data,
	      (char *)err[THEIRS].data);
	if (!call->is_len_read)
		compare_outputs(out, is_failure);
	check(access(COOK_OUTSIDE, F_OK), "gzip %s %s: a file outside", call->options, call->name);
	/* gzip may remove its input though it could not read all of it: then ours lies there still.
	 */
	check(!strcmp((char *)mine->files.data, (char *)sides[THEIRS].files.data) ||
		      (is_failure && is_kept(mine, call)),
	      "gzip %s %s: files: %.400s\ngzip's: %.400s", call->options, call->name,
	      (char *)mine->files.data, (char *)sides[THEIRS].files.data);
}

/* What ours makes of a plain file is that file for gzip. */
static void check_there_and_back(const struct call *call, const struct buf *plain)
{
	struct call back = *call;
	struct buf out = { 0 };
	struct side *side = &sides[OURS];

	prepare(side, OURS, call, plain);
	run_ours(side, call);
	read_all(side->out_fd, &out);
	check(WIFEXITED(side->status) && !WEXITSTATUS(side->status), "gzip %s: status 0x%x",
	      call->options, side->status);
	back.is_stdin = true;
	prepare(side, OURS, &back, &out);
	run_theirs(side, &back, "-dc");
	read_all(side->out_fd, &out);
	check(!side->status && out.len == plain->len && !memcmp(out.data, plain->data, out.len),
	      "gzip %s: its output is not the input for gzip -d", call->options);
	buf_free(&out);
}

static void run(const uint8_t *data, size_t len)
{
	static const char *const options[] = { "-t",  "-l",   "-lv",  "-dc", "-d",   "-dN",
					       "-dk", "-dkN", "-dcf", "-lN", "-dNv", "-dcv",
					       "-tv", "-dq",  "-df",  "-dfN" };
	static const char *const packing[] = { "-c1", "-c", "-c9", "-cn", "-cN", "--rsyncable" };
	static const char *const names[] = { "f.gz",  "f.gz", "f.gz", "f.gz", "f.gz", "f.Z",
					     "f.tgz", "f",    "f-gz", "f.z",  ".gz",  "x.gz",
					     "f.gz",  "f_z",  "F.GZ", "f.taz" };
	struct taker t = { data, len };
	struct buf file = { 0 };
	unsigned int how = take_byte(&t), where = take_byte(&t);
	struct call call = {
		.options = options[how % 16],
		.is_compressing = how >= 240,
		.has_device = where % 16 == 15,
		.is_stdin = where / 16 % 4 == 3,
		.has_output = where / 64 == 3,
	};

	if (call.is_compressing)
		call.options = packing[how % 6];
	call.is_stdin |= call.options[1] == '-';
	snprintf(call.name, sizeof(call.name), "%s", names[take_byte(&t) % 16]);
	cook(&t, &file);
	/* It ends a file of another format where the data ends, up to a buffer further. */
	call.is_len_read = call.options[1] == 'l' && file.len > GZIP_BUFFER_MIN &&
			   memcmp(file.data, "\x1f\x8b", 2) != 0;
	if (call.is_compressing) {
		check_there_and_back(&call, &file);
	} else {
		for (int i = 0; i < SIDES; i++)
			prepare(&sides[i], i, &call, &file);
		run_ours(&sides[OURS], &call);
		run_theirs(&sides[THEIRS], &call, call.options);
		compare(&call);
	}
	buf_free(&file);
}

static size_t make(struct random *r, uint8_t *data, size_t room)
{
	size_t len = 3 + random_below(r, random_below(r, 4) ? 40 : 250);

	for (size_t i = 0; i < len && i < room; i++)
		data[i] = (uint8_t)random_next(r);
	return len < room ? len : room;
}

const struct fuzzer fuzzer = {
	.name = "fuzz_gzip",
	.len_max = 512,
	.limit_s = 20,
	.has_folder = true,
	.setup = setup,
	.make = make,
	.run = run,
};
