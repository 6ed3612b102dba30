/* SPDX-License-Identifier: Zlib */
/* What the loader has mapped. */
#include "config.h"

#include <dlfcn.h>
#include <stddef.h>

#include "stream/loaded.h"

/*
 * This object's entry in the loader's list. For binding functions at their first call the loader
 * keeps it in the second word of the table they are called through; else it is asked.
 */
static const struct link_map *own_map(void)
{
	const struct link_map *map = NULL;
	Dl_info info;

	for (const ElfW(Dyn) *d = _DYNAMIC; d->d_tag != DT_NULL; d++)
		if (d->d_tag == DT_PLTGOT)
			map = ((const struct link_map *const *)d->d_un.d_ptr)[1];
	if (map && map->l_ld == _DYNAMIC)
		return map;
	return dladdr1(own_map, &info, (void **)&map, RTLD_DL_LINKMAP) ? map : NULL;
}

/* Most names differ here already. */
static inline bool is_like_zlib(const char *name)
{
	return name[0] == 'l' && name[1] == 'i' && name[2] == 'b' && name[3] == 'z';
}

static bool is_same(const char *a, const char *b)
{
	while (*a && *a == *b) {
		a++;
		b++;
	}
	return *a == *b;
}

static void look_at(const struct link_map *map, struct zwd_loaded *loaded)
{
	const ElfW(Dyn) *d = map->l_ld, *first = NULL, *last = NULL, *name = NULL;
	const char *strings;

	/* The names come first, everywhere; what lies behind their table is most of it. */
	for (; d && d->d_tag != DT_STRTAB; d++) {
		if (d->d_tag == DT_NULL)
			return;
		if (d->d_tag == DT_SONAME)
			name = d;
		if (d->d_tag != DT_NEEDED)
			continue;
		if (!first)
			first = d;
		last = d;
	}
	if (!d)
		return;
	strings = (const char *)d->d_un.d_ptr;
	/* In what the kernel maps, it is relative. */
	if ((ElfW(Addr))strings < map->l_addr)
		strings += map->l_addr;
	if (name && is_like_zlib(strings + name->d_un.d_val) && !loaded->zlib &&
	    is_same(strings + name->d_un.d_val, "libz.so.1"))
		loaded->zlib = map;
	for (d = first; d && d <= last; d++) {
		const char *needed = strings + d->d_un.d_val;

		if (d->d_tag == DT_NEEDED && is_like_zlib(needed) &&
		    (is_same(needed, "libz.so.1") || is_same(needed, "libz-wd.so.1")))
			loaded->is_needed = true;
	}
	if (!map->l_prev)
		loaded->is_program = loaded->is_needed;
}

void zwd_loaded_look(struct zwd_loaded *loaded)
{
	const struct link_map *own = own_map(), *map = own;

	*loaded = (struct zwd_loaded){ 0 };
	while (map && map->l_prev)
		map = map->l_prev;
	for (; map; map = map->l_next)
		if (map != own)
			look_at(map, loaded);
}
