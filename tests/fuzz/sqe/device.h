/* SPDX-License-Identifier: Zlib */
/* A device that does as a script of bytes says, behind a transport of its own, in the threads that
 * ring and wait. */
#ifndef FUZZ_SQE_DEVICE_H
#define FUZZ_SQE_DEVICE_H

#include "../driver.h"

#include "libwd/emu/emu.h"
#include "libwd/emu/emu_codec.h"
#include "libwd/emu/emu_priv.h"
#include "libwd/priv.h"
#include "libwd/wd_zip.h"

enum { DEVICE_QUEUES = 24 };

extern struct device {
	unsigned int version; /* 1, 2, 3 */
	unsigned int depth;
	bool is_eager;	 /* works when the doorbell rings, else when somebody waits */
	bool is_shared;	 /* reaches all memory, else its own only */
	bool has_engine; /* computes, else it only says so */
	bool has_lied;	 /* from then on errors are no surprise */
	bool is_stopped; /* as a reset does, and maybe halfway only */
	bool is_honest;	 /* whatever the script says */
	struct taker script;
	enum wd_state state;
	unsigned int generation;
	uint64_t completed_nr;
} device;

void device_setup(void);
/* What the script has next, to the latest queue that was opened. */
void device_act(void);

#endif
