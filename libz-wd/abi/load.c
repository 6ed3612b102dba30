/* SPDX-License-Identifier: Zlib */
/*
 * The library's constructor: what is taken at load, while it can still be had. Later the process may
 * be confined to a folder, at the limit of its descriptors, or in a sandbox; what stock zlib can do
 * there, having been mapped from the start, this library must be able to do as well.
 *
 * A program that has no zlib must not notice that it was started with this one. So whatever runs
 * there calls no function of libc, for each first call costs the binding of its name.
 */
#include "config.h"

#include "abi/preload.h"
#include "stream/trace_way.h"
#include "engine/qpool.h"
#include "operate/root.h"
#include "operate/settings.h"
#include "operate/stats.h"
#include "stream/loaded.h"
#include "stream/soft_zlib.h"

/*
 * The library is linked without the compiler's start files: what they do at load and exit is nothing
 * to a library that is never unloaded, and costs a preloaded program more than all the rest here.
 * This is the one thing of theirs that libc asks for.
 */
__attribute__((weak, visibility("hidden"))) void *__dso_handle;

/* glibc hands a constructor the program's arguments. */
__attribute__((constructor)) static void at_load(int argc, char **argv, char **envp)
{
	const struct zwd_settings *settings;
	struct zwd_loaded loaded;

	zwd_root_note();
	zwd_soft_zlib_ours.deflate = deflate;
	zwd_soft_zlib_ours.deflateInit2_ = deflateInit2_;
	zwd_soft_zlib_ours.inflateInit2_ = inflateInit2_;
	zwd_loaded_look(&loaded);
	zwd_preload_take_over(argc, argv, loaded.is_program);
	if (!loaded.zlib && !loaded.is_needed) {
		/* A plug-in may still bring one, and is then the first to use it. */
		zwd_traced_begin_late = zwd_traced_begin;
		zwd_trace_state = ZWD_TRACE_ASK;
		return;
	}
	settings = zwd_settings_load();
	zwd_soft_zlib_open_at_load();
	if (settings->trace[0])
		zwd_traced_begin();
	zwd_qpool_prepare(settings->device);
	zwd_stats_keep(settings->stats_dir);
}
