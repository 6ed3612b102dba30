// SPDX-License-Identifier: Zlib
/* Finds the library of a compute engine: one that is mapped already, else by its name. */
#include "emu.h"
#include "emu_codec.h"

#include <dlfcn.h>
#include <errno.h>
#include <string.h>

int (*emu_may_open)(void);

/* Where ours is installed as zlib, that name is our own. */
static bool is_ours(void *handle)
{
	return dlsym(handle, "zwd_version");
}

static bool take_symbols(void *handle, const struct emu_library *library, void *functions)
{
	for (size_t i = 0; i < library->symbols_nr; i++) {
		void *address = dlsym(handle, library->symbols[i]);

		if (!address)
			return false;
		memcpy((void **)functions + i, &address, sizeof(address));
	}
	return true;
}

static bool take(void *handle, const struct emu_library *library, void *functions)
{
	if (!handle)
		return false;
	if (!is_ours(handle) && take_symbols(handle, library, functions))
		return true;
	dlclose(handle);
	return false;
}

int emu_library_open(const struct emu_library *library, void *functions)
{
	int (*may_open)(void) = __atomic_load_n(&emu_may_open, __ATOMIC_RELAXED);
	bool is_allowed = !may_open || may_open();

	/* The loader looks through all folders for what is not mapped: not twice for the same name. */
	if (!(is_allowed && !strcmp(library->soname, library->path)) &&
	    take(dlopen(library->soname, RTLD_NOW | RTLD_LOCAL | RTLD_NOLOAD), library, functions))
		return 0;
	if (!is_allowed)
		return -ENOENT;
	return take(dlopen(library->path, RTLD_NOW | RTLD_LOCAL), library, functions) ? 0 : -ENOENT;
}
