/* SPDX-License-Identifier: Zlib */
/* What can be known of a device without opening it, and whether one may still be opened. */
#include "config.h"

#include <errno.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/prctl.h>
#include <wd.h>

#include "engine/presence.h"
#include "operate/root.h"
#include "operate/settings.h"
#include "stream/apart.h"

enum { PRESENCE_UNKNOWN, PRESENCE_NONE, PRESENCE_SOME };
static atomic_int presence, is_prepared; /* the latter: for the settings that hold */
static char prepared[sizeof(((struct zwd_settings *)0)->device)];
static int was_filtered; /* system calls were filtered when the presence was asked for */

/*
 * Are system calls filtered? If they were not when the program began, it locked itself up, and a call
 * too many may be its death: opening is over. Filters that were there before say nothing: every
 * container has them.
 */
static int is_filtered(void)
{
	int saved_errno = errno, mode = prctl(PR_GET_SECCOMP, 0, 0, 0, 0);

	errno = saved_errno;
	return mode != 0;
}

static void prepare_apart(void *arg)
{
	const char *device = arg;
	int nr = strcmp(device, "none") ? wd_prepare(device) : 0;

	/* One that is not understood has been told of, and has no device. */
	atomic_store(&presence, nr > 0 ? PRESENCE_SOME : PRESENCE_NONE);
}

void zwd_presence_prepare(const char *device)
{
	strcpy(prepared, device);
	if (strcmp(device, "none"))
		was_filtered = is_filtered();
	zwd_apart(prepare_apart, prepared);
}

void zwd_presence_prepare_late(const char *device)
{
	/* Under another root, what a device is known by is of whoever owns that one. */
	if (!atomic_load(&presence) && zwd_root_is_changed())
		atomic_store(&presence, PRESENCE_NONE);
	else if (!atomic_load(&is_prepared) &&
		 (!atomic_load(&presence) || strcmp(device, prepared) != 0))
		zwd_apart(prepare_apart, (void *)device);
	atomic_store(&is_prepared, 1);
}

int zwd_presence_is_prepared(void)
{
	return atomic_load_explicit(&is_prepared, memory_order_acquire);
}

int zwd_presence_is_some(void)
{
	return atomic_load_explicit(&presence, memory_order_relaxed) == PRESENCE_SOME;
}

int zwd_presence_is_none(void)
{
	return atomic_load_explicit(&presence, memory_order_relaxed) == PRESENCE_NONE;
}

void zwd_presence_end(void)
{
	atomic_store(&presence, PRESENCE_NONE);
}

int zwd_presence_may_open(void)
{
	return was_filtered || !is_filtered();
}
