/* SPDX-License-Identifier: Zlib */
/* Does one thing after the other that its arguments say: a process whose counters are known, to be looked at. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include <zlib.h>

#define LEN (1 << 20)

static unsigned char plain[LEN], packed[LEN + LEN / 8], back[LEN];
static char **rest; /* what is still to be done */

static void fail(const char *what)
{
	perror(what);
	exit(1);
}

static void round_trip(uLong len, int level)
{
	uLong packed_len = sizeof(packed), back_len = sizeof(back);

	if (compress2(packed, &packed_len, plain, len, level) != Z_OK ||
	    uncompress(back, &back_len, packed, packed_len) != Z_OK || back_len != len ||
	    memcmp(plain, back, len))
		fail("round trip");
}

static void do_big(void)
{
	round_trip(LEN, 6);
}

static void do_small(void)
{
	round_trip(100, 6);
}

static void do_level9(void)
{
	round_trip(LEN, 9);
}

/* The name of the process is not that of the program. */
static void do_rename(void)
{
	FILE *out = fopen("/proc/self/comm", "w");

	if (!out || fputs("other", out) < 0 || fclose(out))
		fail("comm");
}

/* Says its number, and goes on when somebody wrote a line. */
static void do_ready(void)
{
	char c;

	printf("%d\n", (int)getpid());
	fflush(stdout);
	if (read(STDIN_FILENO, &c, 1) != 1)
		exit(1);
}

/* The child does what is left. */
static void do_child(void)
{
	pid_t pid = fork();
	int status;

	if (pid < 0)
		fail("fork");
	if (!pid)
		return;
	if (waitpid(pid, &status, 0) != pid)
		fail("waitpid");
	exit(WIFEXITED(status) ? WEXITSTATUS(status) : 0);
}

/* As a program goes into the background. */
static void do_daemon(void)
{
	pid_t pid = fork();

	if (pid < 0)
		fail("fork");
	if (pid)
		exit(0);
}

/* Ten more children than a file has pages, each of which works. */
static void do_children(void)
{
	for (int i = 0; i < 25; i++) {
		pid_t pid = fork();
		int status;

		if (pid < 0)
			fail("fork");
		if (!pid) {
			do_small();
			_exit(0);
		}
		if (waitpid(pid, &status, 0) != pid || status)
			fail("a child");
	}
}

static void do_exec(void)
{
	char *argv[64] = { (char *)"work" };

	for (int i = 0; rest[i] && i < 62; i++)
		argv[i + 1] = rest[i];
	execv("/proc/self/exe", argv);
	fail("exec");
}

/* Into an empty folder, as another user. */
static void do_confine(void)
{
	if (chroot(rest[0]) || chdir("/") || setgid(65534) || setuid(65534))
		fail("confine");
	rest++;
}

static void do_kill(void)
{
	kill(getpid(), SIGKILL);
}

static void do_leave(void)
{
	_exit(0);
}

static const struct {
	const char *name;
	void (*run)(void);
} actions[] = {
	{ "big", do_big },	 { "small", do_small },	    { "level9", do_level9 },
	{ "ready", do_ready },	 { "child", do_child },	    { "children", do_children },
	{ "daemon", do_daemon }, { "exec", do_exec },	    { "confine", do_confine },
	{ "rename", do_rename }, { "kill", do_kill },	    { "leave", do_leave },
};

int main(int argc, char **argv)
{
	unsigned int seed = 1;

	/* Half a byte in each: it shrinks, and not to nothing. */
	for (size_t i = 0; i < LEN; i++) {
		seed = seed * 1103515245 + 12345;
		plain[i] = seed >> 28;
	}
	rest = argv + 1;
	while (*rest) {
		const char *name = *rest++;
		size_t i = 0;

		while (i < sizeof(actions) / sizeof(*actions) && strcmp(actions[i].name, name))
			i++;
		if (i == sizeof(actions) / sizeof(*actions)) {
			fprintf(stderr, "work: %s?\n", name);
			return 2;
		}
		actions[i].run();
	}
	return 0;
}
