/* SPDX-License-Identifier: Zlib */
/* zwd top: which programs use libz-wd now, and what for, until somebody ends it. */
#include "config.h"

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#include "tools/zwd/commands.h"
#include "tools/zwd/find.h"
#include "tools/zwd/options.h"
#include "tools/zwd/show.h"

#define WIDE 100 /* columns, from which on there is room for all */
#define FIRST_S .5

struct options {
	double interval_s;
	unsigned long count; /* of pictures; 0: without end */
	struct find find;
};

static const char usage[] =
	"Usage: zwd top [OPTION]... [PID|PROGRAM]...\n"
	"What programs did with libz-wd since the last look, those that did most first.\n"
	"On a terminal q ends it; else one table follows the other.\n\nOptions:\n"
	"  -i, --interval=S    look every S seconds; without it 2\n"
	"  -n, --count=COUNT   so many times\n"
	"  -h, --help          this text\n"
	"The exit status is 0; 1: one that was named is not there, or failed; 2: wrong usage.\n";

static int take(void *arg, int c, const char *value);

static const struct option longs[] = { { "count", required_argument, NULL, 'n' },
				       { "interval", required_argument, NULL, 'i' },
				       OPTIONS_HELP };
static const struct options_of of = { .name = "top",
				      .usage = usage,
				      .shorts = "i:n:",
				      .longs = longs,
				      .words_max = OPTIONS_ANY,
				      .take = take };

static int take(void *arg, int c, const char *value)
{
	struct options *o = arg;

	return c == 'i' ? options_seconds(&of, value, &o->interval_s) : options_count(&of, value, &o->count);
}

static struct termios before;
static bool is_changed;

/* Also by a signal: the terminal is as it was. */
static void restore(void)
{
	if (is_changed)
		tcsetattr(STDIN_FILENO, TCSANOW, &before);
}

static void end(int signal)
{
	restore();
	_exit(128 + signal);
}

/* Keys are read one by one. */
static void take_terminal(void)
{
	struct termios raw;

	if (tcgetattr(STDIN_FILENO, &before))
		return;
	raw = before;
	raw.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
	is_changed = true;
	signal(SIGINT, end);
	signal(SIGTERM, end);
	tcsetattr(STDIN_FILENO, TCSANOW, &raw);
}

/* True: somebody wants it to end. */
static bool wait_for_key(double seconds)
{
	struct pollfd fd = { .fd = STDIN_FILENO, .events = POLLIN };
	char key;

	if (!is_changed) {
		find_sleep(seconds);
		return false;
	}
	return poll(&fd, 1, (int)(seconds * 1000)) > 0 && (read(STDIN_FILENO, &key, 1) != 1 || key == 'q');
}

static uint64_t bytes_of(const struct live *live)
{
	uint64_t sum = 0;

	for (int dir = 0; dir < 2; dir++)
		sum += live_plain(live, dir, true) + live_plain(live, dir, false);
	return sum;
}

static int by_bytes(const void *a, const void *b)
{
	uint64_t x = bytes_of(a), y = bytes_of(b);

	return x < y ? 1 : x > y ? -1 : ((const struct live *)a)->pid - ((const struct live *)b)->pid;
}

static void print_summary(const struct lives *lives, double seconds, FILE *out)
{
	char texts[3][SHOW_SIZE_LEN], when[16];
	uint64_t device = 0, soft = 0;
	time_t now = time(NULL);
	size_t busy_nr = 0;
	struct tm tm;

	for (size_t i = 0; i < lives->nr; i++) {
		busy_nr += bytes_of(&lives->live[i]) != 0;
		for (int dir = 0; dir < 2; dir++) {
			device += live_plain(&lives->live[i], dir, true);
			soft += live_plain(&lives->live[i], dir, false);
		}
	}
	strftime(when, sizeof(when), "%H:%M:%S", localtime_r(&now, &tm));
	fprintf(out, "%s  %zu of %zu at work  device %sB/s  software %sB/s  %s by the device\n", when,
		busy_nr, lives->nr, show_size((uint64_t)((double)device / seconds), texts[0]),
		show_size((uint64_t)((double)soft / seconds), texts[1]), show_share(device, soft, texts[2]));
}

/*
 * Over the picture before, line by line, each cut at the window's edge: nothing flickers, and nothing that is too long
 * breaks the table. The line of titles is the second one.
 */
static void draw_window(const char *text, const struct winsize *size)
{
	unsigned int nr = 0;

	printf("\033[H");
	for (; *text && nr < size->ws_row; nr++) {
		int len = (int)strcspn(text, "\n");
		/* Without a newline behind the last: the window would move. */
		const char *end = nr + 1 < size->ws_row ? "\n" : "";

		printf("%s%.*s%s\033[K%s", nr == 1 ? "\033[7m" : "", len < size->ws_col ? len : size->ws_col, text,
		       nr == 1 ? "\033[m" : "", end);
		text += len + (text[len] != '\0');
	}
	printf("\033[J");
}

static void draw(struct lives *lives, double seconds, bool is_terminal)
{
	struct winsize size = { 0 };
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	if (!out)
		return;
	if (lives->nr)
		qsort(lives->live, lives->nr, sizeof(*lives->live), by_bytes);
	if (is_terminal && (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) || !size.ws_row || !size.ws_col))
		size = (struct winsize){ .ws_row = 24, .ws_col = 80 };
	print_summary(lives, seconds, out);
	show_rates(lives, seconds, !is_terminal || size.ws_col >= WIDE, out);
	fclose(out);
	if (is_terminal)
		draw_window(text, &size);
	else
		printf("%s\n", text);
	free(text);
	fflush(stdout);
}

int top_main(int argc, char **argv)
{
	struct options o = { .interval_s = 2 };
	struct lives old = { 0 };
	bool is_terminal = isatty(STDOUT_FILENO);
	double then, moment, first_s;
	int status = options_read(&of, argc, argv, &o);

	if (status >= 0)
		return status;
	o.find.words = argv + optind;
	o.find.words_nr = argc - optind;
	status = find_processes(&o.find, &old, o.find.words_nr > 0) ? ZWD_FAILED : ZWD_DONE;
	if (status && !old.nr)
		return status;
	/* Nobody likes to look at nothing. */
	first_s = is_terminal && o.interval_s > FIRST_S ? FIRST_S : o.interval_s;
	then = find_clock();
	if (is_terminal) {
		take_terminal();
		printf("\033[H\033[2JThe first look is at what happens in %.3g seconds.", first_s);
		fflush(stdout);
	}
	for (unsigned long i = 0; (!o.count || i < o.count) && !ferror(stdout); i++) {
		struct lives now = { 0 }, changes = { 0 };

		if (wait_for_key(i ? o.interval_s : first_s))
			break;
		find_processes(&o.find, &now, false);
		moment = find_clock();
		for (size_t k = 0; k < now.nr; k++)
			*lives_add(&changes) = now.live[k];
		lives_subtract(&changes, &old);
		draw(&changes, moment - then, is_terminal);
		lives_free(&changes);
		lives_free(&old);
		old = now;
		then = moment;
	}
	lives_free(&old);
	if (is_terminal)
		printf("\n");
	restore();
	return status;
}
