// SPDX-License-Identifier: GPL-2.0-only
/* Which roads of memory a function has. */

#include <linux/device.h>

#include "sdmdev.h"

static const struct sdmdev_mode *const sdmdev_modes[] = {
	&sdmdev_mode_single,
	&sdmdev_mode_mediated,
	&sdmdev_mode_multi,
	&sdmdev_mode_svm,
};

/* Tries one: can hardware, driver and platform do it? */
static bool sdmdev_mode_is_offered(struct sdmdev_core *core, const struct sdmdev_mode *mode,
				   struct sdmdev_window *window)
{
	u32 flag = mode->flag & ~SDMDEV_DMA_STATIC;

	return (core->sdmdev->dma_flag & flag) == flag && !mode->probe(core, window);
}

/* Notes in dma_flag all that the function can do. */
void sdmdev_mode_detect(struct sdmdev_core *core)
{
	struct sdmdev_window window;
	int i;

	for (i = 0; i < ARRAY_SIZE(sdmdev_modes); i++)
		if (sdmdev_mode_is_offered(core, sdmdev_modes[i], &window))
			core->dma_flag |= sdmdev_modes[i]->flag;
}

/* Chooses the mode of queues to come. -EOPNOTSUPP: the function has not got it. */
int sdmdev_mode_select(struct sdmdev_core *core, u32 flag)
{
	struct sdmdev_window window;
	int i;

	for (i = 0; i < ARRAY_SIZE(sdmdev_modes); i++) {
		if (flag && flag != (sdmdev_modes[i]->flag & ~SDMDEV_DMA_STATIC))
			continue;
		if (!sdmdev_mode_is_offered(core, sdmdev_modes[i], &window))
			continue;
		core->mode = sdmdev_modes[i];
		core->window = window;
		return 0;
	}
	return -EOPNOTSUPP;
}
