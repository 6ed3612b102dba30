/* SPDX-License-Identifier: Zlib */
/* What a queue of many threads has besides. */
#ifndef WD_SHARE_H
#define WD_SHARE_H

#include <pthread.h>

struct wd_call;

struct wd_share {
	pthread_mutex_t lock; /* guards the queue and what follows; never held across a wait */
	struct wd_call **owner; /* by ring entry; NULL: its caller gave up, the result is nobody's */
	struct wd_call *asleep; /* the latest first */
	unsigned int spinners;
	unsigned int spinners_max;
	int has_leader; /* one of those asleep waits for the device, and polls for all */
};

#endif
