/* SPDX-License-Identifier: Zlib */
/*
 * The real zlib, never linked. Where the loader has mapped one it is that one, taken by the loader's
 * own name and without a file; only a process without any has one opened by path. A failure is
 * nothing that lasts: the next call tries again.
 */
#include "config.h"

#include <dlfcn.h>
#include <errno.h>
#include <link.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "stream/alone.h"
#include "stream/apart.h"
#include "stream/inner.h"
#include "stream/loaded.h"
#include "operate/log.h"
#include "operate/root.h"
#include "stream/object.h"
#include "operate/settings.h"
#include "stream/shield.h"
#include "stream/soft_zlib.h"

struct zwd_soft_zlib zwd_soft_zlib;
struct zwd_soft_zlib_ours zwd_soft_zlib_ours;
atomic_bool zwd_soft_zlib_is_open;

/* Stand in for functions that the zlib underneath lacks: fail as zlib does, never crash. */
static int no_function(void)
{
	return Z_STREAM_ERROR;
}

static uintptr_t no_value(void)
{
	return 0;
}

/* A stream was opened before, for a device: now there may be a zlib for it. */
static int late_deflate_init(z_streamp strm, int level, int method, int window_bits, int mem_level,
			     int strategy, const char *version, int size)
{
	__typeof__(&deflateInit2_) init = zwd_soft()->deflateInit2_;

	return init == late_deflate_init ? Z_MEM_ERROR :
					   init(strm, level, method, window_bits, mem_level,
						strategy, version, size);
}

static int late_inflate_init(z_streamp strm, int window_bits, const char *version, int size)
{
	__typeof__(&inflateInit2_) init = zwd_soft()->inflateInit2_;

	return init == late_inflate_init ? Z_MEM_ERROR : init(strm, window_bits, version, size);
}

static void put_if_nothing(void **member, void *function)
{
	void *nothing = NULL;

	__atomic_compare_exchange_n(member, &nothing, function, false, __ATOMIC_RELAXED,
				    __ATOMIC_RELAXED);
}

/*
 * The members' names in their order, with a mark before those whose stand-in returns an error. One
 * string, not a table of pointers: the loader would have to relocate that in every process.
 */
#define SOFT_ERR(f) "!" #f "\0"
#define SOFT_NUL(f) #f "\0"
static const char names[] = SOFT_ZLIB_FUNCTIONS(SOFT_ERR, SOFT_NUL, SOFT_NUL);

/* NULL when path cannot be opened or is this library: its functions would call themselves. */
static void *open_other(const char *path, int flags)
{
	void *lib = dlopen(path, flags | RTLD_LOCAL), *function;

	if (!lib)
		return NULL;
	function = dlsym(lib, "deflate");
	if (function && function != (void *)zwd_soft_zlib_ours.deflate)
		return lib;
	dlclose(lib);
	return NULL;
}

static void *open_path(const char *path)
{
	void *lib = open_other(path, RTLD_NOW);

	if (!lib)
		zwd_log(ZWD_LOG_ERROR, "%s is no other zlib", path);
	return lib;
}

/* Called with the loader's list locked. */
static int copy_name(struct dl_phdr_info *info, size_t size, void *name)
{
	struct zwd_loaded loaded;

	zwd_loaded_look(&loaded);
	if (loaded.zlib)
		*(char **)name = strdup(loaded.zlib->l_name);
	return 1;
}

/* mapped: the loader's name of the one it has, or NULL. */
static void *open_zlib(const char *mapped)
{
	const char *path = zwd_settings_load()->soft_zlib;
	bool is_safe = !mapped || !zwd_root_is_changed();
	void *lib = NULL;

	if (*path && is_safe)
		lib = open_path(path);
	if (!lib && mapped)
		lib = open_other(mapped, RTLD_LAZY | RTLD_NOLOAD);
	if (!lib && is_safe)
		lib = open_path(SOFT_ZLIB_PATH);
	return lib;
}

/*
 * Of threads that come at the same time each writes the same: the functions of one library, and
 * stand-ins only where nothing is yet.
 */
static void fill(const struct zwd_object *object)
{
	void **member = (void **)&zwd_soft_zlib, *function;

	if (!object) {
		zwd_alone_fill(&zwd_soft_zlib);
		put_if_nothing((void **)&zwd_soft_zlib.deflateInit2_, (void *)late_deflate_init);
		put_if_nothing((void **)&zwd_soft_zlib.inflateInit2_, (void *)late_inflate_init);
	}
	for (const char *name = names; *name; name += strlen(name) + 1, member++) {
		bool is_error = *name == '!';

		name += is_error;
		function = object ? zwd_object_function(object, name) : NULL;
		if (function)
			__atomic_store_n(member, function, __ATOMIC_RELAXED);
		else
			put_if_nothing(member, is_error ? (void *)no_function : (void *)no_value);
	}
}

bool zwd_soft_zlib_has(const void *function)
{
	return function != (void *)no_function && function != (void *)no_value &&
	       function != (void *)late_deflate_init && function != (void *)late_inflate_init;
}

/* A program that takes functions by the loader's name takes them out of the mapped one. */
static void watch(const struct zwd_object *underneath, const char *mapped, bool is_at_load)
{
	struct zwd_object object;
	void *lib = mapped ? open_other(mapped, RTLD_LAZY | RTLD_NOLOAD) : NULL;

	if (zwd_soft_zlib_ours.deflate)
		zwd_inner_watch(underneath, &zwd_soft_zlib_ours, is_at_load);
	if (lib && lib != underneath->lib && !zwd_object_read(&object, lib))
		zwd_inner_part(&object, is_at_load);
}

static _Atomic(void *) chosen;

void zwd_soft_zlib_bind(void)
{
	struct zwd_object object;
	void *lib = atomic_load(&chosen);

	if (lib && !zwd_object_read(&object, lib))
		zwd_object_bind(&object);
}

static void open_once(bool is_at_load)
{
	static atomic_flag is_watched = ATOMIC_FLAG_INIT;
	int saved_errno = errno;
	char *mapped = NULL;
	void *lib, *other = NULL;
	struct zwd_object object;

	dl_iterate_phdr(copy_name, &mapped);
	lib = open_zlib(mapped);
	if (lib && !atomic_compare_exchange_strong(&chosen, &other, lib)) {
		dlclose(lib);
		lib = other;
	}
	if (!lib || zwd_object_read(&object, lib)) {
		fill(NULL);
	} else {
		fill(&object);
		atomic_store_explicit(&zwd_soft_zlib_is_open, true, memory_order_release);
		if (!atomic_flag_test_and_set(&is_watched))
			watch(&object, mapped, is_at_load);
	}
	free(mapped);
	errno = saved_errno;
}

static void open_late(void *unused)
{
	open_once(false);
}

/* Where a call needs it and it was not there at load: the loader wants more stack than the caller may have. */
void zwd_soft_zlib_open(void)
{
	int cancel_state = zwd_shield_up();

	zwd_apart(open_late, NULL);
	zwd_shield_down(cancel_state);
}

void zwd_soft_zlib_open_at_load(void)
{
	open_once(true);
}
