/* SPDX-License-Identifier: Zlib */
/* Runs the rows of a table, each in processes of its own with a time limit: PROGRAM [ROW...]. */
#include "config.h"
#include "process.h"

#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "zwd.h"

#define VALUES 512
#define SKIP   77

/* Shared by the driver and all processes of a row: it can be written to wherever memory can. */
struct report {
	char text[1000];
	int is_stock;
	unsigned int nr, read_nr;
	long values[VALUES];
};
static struct report *report;

static _Noreturn void leave(int status, const char *format, va_list args)
{
	if (!report->text[0])
		vsnprintf(report->text, sizeof(report->text), format, args);
	_exit(status);
}

void fail(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	leave(1, format, args);
}

void cannot(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	leave(SKIP, format, args);
}

int is_stock(void)
{
	return report->is_stock;
}

int is_soft(void)
{
	const char *mode = getenv("ZWD_TEST_MODE");

	return !mode || !strcmp(mode, "soft");
}

long stock_value(long value)
{
	unsigned int nr = report->is_stock ? report->nr++ : report->read_nr++;

	check(nr < VALUES);
	if (report->is_stock)
		report->values[nr] = value;
	else
		check(nr < report->nr);
	return report->values[nr];
}

unsigned long device_requests(void)
{
	__typeof__(zwd_stats) *get = (__typeof__(zwd_stats) *)dlsym(RTLD_DEFAULT, "zwd_stats");
	struct zwd_stats stats = { 0 };

	if (!get || !get(&stats, sizeof(stats)))
		return 0;
	return stats.deflate.hw_requests + stats.inflate.hw_requests;
}

void child_is_right(int pid, const char *what)
{
	int status;

	if (pid < 0)
		fail("%s: no child: %s", what, strerror(errno));
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			fail("%s: waitpid: %s", what, strerror(errno));
	if (WIFSIGNALED(status))
		fail("%s: signal %d", what, WTERMSIG(status));
	if (WEXITSTATUS(status) == SKIP)
		cannot("%s", what);
	if (WEXITSTATUS(status))
		fail("%s: exit status %d", what, WEXITSTATUS(status));
}

double now_s(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec + now.tv_nsec * 1e-9;
}

long resident_len(void)
{
	FILE *file = fopen("/proc/self/statm", "r");
	long size, pages;

	if (!file || fscanf(file, "%ld %ld", &size, &pages) != 2)
		cannot("no /proc");
	fclose(file);
	return pages * sysconf(_SC_PAGESIZE);
}

const char *built(const char *name)
{
	static char path[4096];
	const char *top = getenv("top_builddir");

	snprintf(path, sizeof(path), "%s/tests/process/%s", top ? top : ".", name);
	return path;
}

const char *library(void)
{
	const char *path = getenv("LIBZWD");

	return path ? path : "";
}

static unsigned int mode_flag(void)
{
	const char *mode = getenv("ZWD_TEST_MODE");

	return !mode || !strcmp(mode, "soft") ? IN_SOFT : !strcmp(mode, "emu") ? IN_EMU : IN_FAULT;
}

static void set_environment(const struct row *row)
{
	char text[1000], *rest = text, *item;

	snprintf(text, sizeof(text), "%s", row->env ? row->env : "");
	while ((item = strsep(&rest, " ")))
		if (*item)
			putenv(strdup(item));
	if (report->is_stock || (row->flags & NOT_PRELOADED))
		unsetenv("LD_PRELOAD");
	else
		setenv("LD_PRELOAD", library(), 1);
}

/* How long the process's threads were ready to run, and others did. */
static double starved_s(pid_t pid)
{
	char path[100];
	double sum = 0;
	DIR *threads;

	snprintf(path, sizeof(path), "/proc/%d/task", (int)pid);
	threads = opendir(path);
	for (struct dirent *entry; threads && (entry = readdir(threads));) {
		double ran, waited;
		FILE *file;

		snprintf(path, sizeof(path), "/proc/%d/task/%.20s/schedstat", (int)pid, entry->d_name);
		file = fopen(path, "r");
		if (file && fscanf(file, "%lf %lf", &ran, &waited) == 2)
			sum += waited * 1e-9;
		if (file)
			fclose(file);
	}
	if (threads)
		closedir(threads);
	return sum;
}

/*
 * Others' work may leave a row little of the machine, SCHED_IDLE above all: who was ready to run for a good part
 * of its time gets as much again. Who waits for ever is not, nor who spins on a processor.
 */
static int ends_in_time(pid_t pid, struct pollfd *end, unsigned int limit_s)
{
	for (int again = 0; again < 20; again++) {
		double before_s = starved_s(pid);

		if (poll(end, 1, (int)limit_s * 1000))
			return 1;
		if (starved_s(pid) - before_s < .25 * limit_s)
			return 0;
	}
	return 0;
}

/* The exit status, or 128 and the signal's number, as a shell says it; -1: it took too long. */
static int run(const struct row *row, int report_fd)
{
	char number[16];
	struct pollfd end;
	int status;
	pid_t pid;

	fflush(stdout);
	report->text[0] = 0;
	report->read_nr = 0;
	pid = fork();
	if (!pid) {
		const char *args[] = { "process", "--row", row->name, number, NULL };

		setpgid(0, 0);
		set_environment(row);
		snprintf(number, sizeof(number), "%d", report_fd);
		execv("/proc/self/exe", (char **)args);
		_exit(99);
	}
	setpgid(pid, pid);
	end = (struct pollfd){ .fd = syscall(SYS_pidfd_open, pid, 0), .events = POLLIN };
	if (end.fd >= 0 && !ends_in_time(pid, &end, row->limit_s ? row->limit_s : 30)) {
		kill(-pid, SIGKILL);
		waitpid(pid, &status, 0);
		close(end.fd);
		return -1;
	}
	close(end.fd);
	waitpid(pid, &status, 0);
	/* Whom the row left behind: nobody waits for them. */
	kill(-pid, SIGKILL);
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

static int verdict(const struct row *row, const char *with, int status)
{
	const char *text = report->text;

	if (status == SKIP)
		printf("skip %s: %s\n", row->name, text);
	else if (status < 0)
		printf("not ok %s%s: no end in time. %s\n", row->name, with, text);
	else if (status > 128)
		printf("not ok %s%s: signal %d. %s\n", row->name, with, status - 128, text);
	else
		printf("not ok %s%s: exit status %d. %s\n", row->name, with, status, text);
	return status == SKIP ? SKIP : 1;
}

static int run_twice(const struct row *row, int report_fd)
{
	unsigned int modes = row->flags & (IN_SOFT | IN_EMU | IN_FAULT);
	int status;

	if (modes && !(modes & mode_flag()))
		return SKIP;
	memset(report, 0, sizeof(*report));
#ifdef WD_COVERAGE
	if (row->flags & NOT_COUNTED)
		return SKIP;
#endif
	if ((row->flags & NEEDS_ROOT) && geteuid()) {
		snprintf(report->text, sizeof(report->text), "for root only");
		return verdict(row, "", SKIP);
	}
	report->is_stock = 1;
	status = run(row, report_fd);
	if (status)
		return verdict(row, ", the system's zlib", status);
	report->is_stock = 0;
	status = run(row, report_fd);
	if (status)
		return verdict(row, "", status);
	printf("ok %s\n", row->name);
	return 0;
}

static int is_asked(const char *name, int argc, char **argv)
{
	for (int i = 1; i < argc; i++)
		if (!strcmp(name, argv[i]))
			return 1;
	return argc == 1;
}

static void be_row(const char *name, int report_fd)
{
	const struct row *row;

	report = mmap(NULL, sizeof(*report), PROT_READ | PROT_WRITE, MAP_SHARED, report_fd, 0);
	if (report == MAP_FAILED)
		_exit(99);
	close(report_fd);
	for (row = rows; strcmp(row->name, name); row++)
		;
	row->run(row);
	if ((row->flags & USES_DEVICE) && mode_flag() == IN_EMU && !is_stock() &&
	    !device_requests())
		fail("the device was not used");
}

int main(int argc, char **argv)
{
	int report_fd, failed = 0, passed = 0;
	const struct row *row;

	if (argc == 4 && !strcmp(argv[1], "--row")) {
		be_row(argv[2], atoi(argv[3]));
		return 0;
	}
	report_fd = memfd_create("report", 0);
	if (!*library() || ftruncate(report_fd, sizeof(*report)))
		return 99;
	report = mmap(NULL, sizeof(*report), PROT_READ | PROT_WRITE, MAP_SHARED, report_fd, 0);
	if (report == MAP_FAILED)
		return 99;
	for (row = rows; row->name; row++) {
		int ret = is_asked(row->name, argc, argv) ? run_twice(row, report_fd) : SKIP;

		failed += ret == 1;
		passed += !ret;
	}
	printf("%d right, %d wrong\n", passed, failed);
	return failed ? 1 : passed ? 0 : SKIP;
}
