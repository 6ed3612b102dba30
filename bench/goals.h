/* SPDX-License-Identifier: Zlib */
/* wd-bench goals: a row for each goal, measured against something else in the same run. */
#ifndef GOALS_H
#define GOALS_H

#include <stddef.h>
#include <stdint.h>

#include "input.h"

struct zlib_api;

enum goal_relation {
	GOAL_AT_MOST,
	GOAL_AT_LEAST,
	GOAL_REPORT, /* a figure without a limit: no verdict on the library */
};

/* What a row hands back; it crosses a pipe as it is. */
struct goal_result {
	double value;	 /* NAN: not measured, note says why */
	int is_wrong;	 /* something besides the value is not as it must be; note says what */
	char anchor[96]; /* what it was compared with, and that one's figure */
	char note[240];
};

struct goal_run {
	int is_quick;
	const char *corpus; /* folder, or NULL: the generated mix */
	const char *self;   /* this program's file */
	const struct zlib_api *soft;
};

/*
 * A row. measure() runs in a process of its own in which nothing of libz-wd was used yet, with
 * these settings in its environment.
 */
struct goal {
	const char *name;
	const char *what; /* that the value says */
	const char *unit;
	enum goal_relation relation;
	double limit;
	const char *method;
	const char *device; /* WD_DEVICE; NULL: as it is */
	const char *engine; /* ZWD_ENGINE; NULL: as it is */
	void (*measure)(const struct goal_run *run, struct goal_result *result);
};

/* By theme; each ends with a row without name. */
extern const struct goal goals_calls[];
extern const struct goal goals_start[];
extern const struct goal goals_queue[];
extern const struct goal goals_device[];
extern const struct goal goals_stream[];
extern const struct goal goals_gzip[];
extern const struct goal goals_inflate[];
extern const struct goal goals_git[];
extern const struct goal goals_clients[];
extern const struct goal goals_size[];
extern const struct goal goals_memory[];
extern const struct goal goals_policy[];

/* The main function of "wd-bench goals", of one row, of a trial of one, and of the counted loops.
 */
int goals_main(int argc, char **argv);
int row_main(int argc, char **argv);
int trial_main(int argc, char **argv);
int loop_main(int argc, char **argv);
/* "wd-bench corpus DIR", and "wd-bench generate KIND LEN", which the script behind it calls. */
int corpus_main(int argc, char **argv);
int generate_main(int argc, char **argv);

/* goals_run.c: what rows are made of. */

__attribute__((format(printf, 2, 3))) void goal_note(struct goal_result *result,
						     const char *format, ...);
__attribute__((format(printf, 2, 3))) void goal_anchor(struct goal_result *result,
						       const char *format, ...);
/* The row cannot be measured: value is NAN. */
__attribute__((format(printf, 2, 3))) void goal_skip(struct goal_result *result,
						     const char *format, ...);

/* The input: files of the corpus or the mix, at most max_len bytes. Ends the process on failure. */
uint8_t *goal_input(const struct goal_run *run, size_t max_len, size_t *len);
void *goal_alloc(size_t len);

double goal_median(double *v, size_t nr);
/* Resident bytes that are the process's own. */
double goal_rss(void);

/* Is there such a command? */
int goal_has(const char *command);

/* Our library's file, for LD_PRELOAD. NULL: not found. */
const char *goal_library(void);
/* A program of this package: in the folder dir of the build, or installed. NULL: not found. */
const char *goal_program(const struct goal_run *run, const char *dir, const char *name,
			 const char *installed_dir);

/* The environment with these settings in it; kept for good. */
char **goal_environ(const char *const *env);

/* How a program is run; all but argv may be NULL. Standard output goes to out or nowhere. */
struct goal_spawn {
	const char *const *argv;
	const char *const *env; /* "NAME=VALUE" in addition, NULL at the end */
	const char *in, *out;	/* files */
};
struct goal_cost {
	double cpu_us; /* of it and its children */
	double wall_us;
};
/* 0, or -errno, or the exit status where that is not 0. */
int goal_spawn(const struct goal_spawn *spawn, struct goal_cost *cost);

/* Instructions that a program executes in user space; 0, or -errno and the row is skipped. */
struct goal_counts {
	double payload; /* in functions that copy or compute checksums */
	double others;
};
int goal_instructions(const struct goal_spawn *spawn, const char *const *options,
		      struct goal_counts *counts, struct goal_result *result);

/* System calls of the program: nr[0..max-1] counts them by number. 0 or -errno. */
int goal_syscalls(const struct goal_spawn *spawn, unsigned int *nr, unsigned int max);

/*
 * Runs measure(arg, out) in a child with these settings ("NAME=VALUE", NULL at the end) and hands
 * back its numbers. 0, or -errno when it did not end well. The device is not among what can be set:
 * libz-wd looks for that when it is loaded.
 */
#define GOAL_NUMBERS 8
int goal_child(const char *const *env, void (*measure)(void *arg, double *out), void *arg,
	       double *out);

/* The same in a program of its own, for another device. argv: its name and arguments. */
struct goal_trial {
	const char *name;
	void (*measure)(int argc, char **argv, double *out);
};
extern const struct goal_trial stream_trial, inflate_pack_trial, inflate_trial;
int goal_trial(const struct goal_run *run, const char *const *env, const char *const *argv,
	       double *out);

/* Waits for a machine that is quiet, not for long. */
void goal_quiet(const struct goal_run *run);
/* Between the two: how busy others were; a note when that spoils wall times. */
void goal_noise_begin(void);
void goal_noise_end(struct goal_result *result);

/* A scratch file's path, removed when the run ends. Good until eight others were asked for. */
const char *goal_scratch(const char *name);
/* So that rows in processes of their own share the files: the folder of another's. */
const char *goal_scratch_dir(void);
void goal_scratch_use(const char *dir);
/* Writes such a file. 0 or -1. */
int goal_write(const char *path, const void *data, size_t len);
/* All of a file; NULL: it cannot be read. */
uint8_t *goal_read(const char *path, size_t *len);

#endif
