/* SPDX-License-Identifier: Zlib */
/* A test program that runs itself again, with other settings. */
#include "config.h"
#include "again.h"

#include <sys/wait.h>
#include <unistd.h>

enum { ARGS_MAX = 16 };

int test_is_long(void)
{
	return !!getenv("ZWD_TEST_LONG");
}

int is_again(int argc, char **argv)
{
	return argc > 1 && !strcmp(argv[1], "again");
}

static void become(const char *const *settings, const char *const *args)
{
	const char *argv[ARGS_MAX + 3] = { "again", "again" };

	for (; *settings; settings++)
		if (putenv((char *)*settings))
			_exit(99);
	for (size_t i = 0; i < ARGS_MAX && args[i]; i++)
		argv[i + 2] = args[i];
	execv("/proc/self/exe", (char **)argv);
	_exit(99);
}

int run_again(const char *const *settings, const char *const *args, struct buf *out)
{
	size_t begin = out->len;
	int fds[2], status;
	ssize_t nr;
	pid_t pid;

	assert_int_equal(pipe(fds), 0);
	fflush(NULL);
	pid = fork();
	assert_true(pid >= 0);
	if (!pid) {
		if (dup2(fds[1], STDOUT_FILENO) < 0 || dup2(fds[1], STDERR_FILENO) < 0)
			_exit(99);
		close(fds[0]);
		close(fds[1]);
		become(settings, args);
	}
	close(fds[1]);
	do {
		nr = read(fds[0], buf_room(out, 4096), 4096);
		out->len += nr > 0 ? (size_t)nr : 0;
	} while (nr > 0);
	close(fds[0]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	if (status)
		fwrite(out->data + begin, 1, out->len - begin, stdout);
	return status;
}

int again_as_test(const char *name, CMUnitTestFunction run, void *state)
{
	const struct CMUnitTest tests[] = { { name, run, NULL, NULL, state } };

	return cmocka_run_group_tests(tests, NULL, NULL);
}

int again_with_faults_without_end(void)
{
	static const char *const settings[] = {
		"WD_DEVICE=emu:fault=error@*7/short@*13/checksum@*17/reset@*501", NULL
	};
	static const char *const args[] = { NULL };
	struct buf out = { 0 };
	int status = run_again(settings, args, &out);

	buf_free(&out);
	return status ? 1 : 0;
}
