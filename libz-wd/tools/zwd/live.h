/* SPDX-License-Identifier: Zlib */
/* Counters of libz-wd, read out of processes or from files. */
#ifndef ZWD_LIVE_H
#define ZWD_LIVE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "zwd.h"

struct live {
	int pid;	   /* 0: of files */
	uint64_t start;	   /* of the process, in the kernel's ticks: the number alone comes again */
	uint32_t nr;	   /* processes that are summed up here */
	bool is_shared;	   /* other children of its parent count here, too */
	uint64_t cpu_ns;   /* of the program's threads; not known of files */
	uint64_t device_cpu_ns; /* of the emulated device's */
	char program[64];  /* file name of the executable, without anything that a terminal would take for its own */
	char library[17];
	struct zwd_live_dir dir[2];
};

struct lives {
	struct live *live;
	size_t nr, room;
};

/* A new one at the end, zeroed. Ends the program when there is no memory. */
struct live *lives_add(struct lives *lives);
void lives_free(struct lives *lives);

/* -ESRCH: there is no such process; -EPERM, -ENOENT: without libz-wd; -EPROTO: its counters have another layout. */
int live_of_process(struct live *live, int pid);

/* folder.c: the files of ZWD_STATS=dir:PATH, by program. Tells what is wrong with a file; -1: something is. */
int live_of_folder(struct lives *lives, const char *path);

/* Is the process called that, by its executable or as it was started? */
bool live_is_called(int pid, const char *name);
/* The name that is shown. */
void live_name(int pid, char *name, size_t size);

/* now -= before, process by process. What was not there before began at zero. */
void lives_subtract(struct lives *now, const struct lives *before);
void live_add(struct live *sum, const struct live *one);

/* What it was used for in this direction, in plain bytes. */
static inline uint64_t live_plain(const struct live *live, int dir, bool is_device)
{
	const uint64_t *c = live->dir[dir].counters;

	return dir ? c[is_device ? ZWD_HW_OUT : ZWD_SOFT_OUT] : c[is_device ? ZWD_HW_IN : ZWD_SOFT_IN];
}

/* Control characters are not for terminals. */
void live_make_printable(char *name);

/* The structure as libz-wd has it, checked before; what it says is added. */
void live_take(struct live *live, const struct zwd_live *zwd);

bool live_is_used(const struct live *live, int dir);
/* Upper bound of the power of two that this part of the requests took at most; 0: there were none. */
uint64_t live_latency(const struct live *live, int dir, unsigned int per_mille);

#endif
