/* SPDX-License-Identifier: Zlib */
/* What a mapped library has in its tables, read without the loader's help. */
#include "config.h"

#include <dlfcn.h>
#include <errno.h>
#include <string.h>

#include "stream/object.h"

#if defined(__x86_64__)
enum { CALL_SLOT = R_X86_64_JUMP_SLOT, DATA_SLOT = R_X86_64_GLOB_DAT };
#else
enum { CALL_SLOT = R_AARCH64_JUMP_SLOT, DATA_SLOT = R_AARCH64_GLOB_DAT };
#endif

static int read_map(struct zwd_object *object, void *lib, const struct link_map *map)
{
	*object = (struct zwd_object){ .lib = lib, .map = map };
	for (const ElfW(Dyn) *d = map->l_ld; d->d_tag != DT_NULL; d++) {
		const void *address = (const void *)d->d_un.d_ptr;

		switch (d->d_tag) {
		case DT_SYMTAB:
			object->symbols = address;
			break;
		case DT_STRTAB:
			object->strings = address;
			break;
		case DT_GNU_HASH:
			object->hash = address;
			break;
		case DT_JMPREL:
			object->calls = address;
			break;
		case DT_PLTRELSZ:
			object->calls_len = d->d_un.d_val / sizeof(*object->calls);
			break;
		case DT_RELA:
			object->data = address;
			break;
		case DT_RELASZ:
			object->data_len = d->d_un.d_val / sizeof(*object->data);
			break;
		}
	}
	return object->symbols && object->strings ? 0 : -EINVAL;
}

/* The hash table: sizes, a filter that is not needed here, heads of chains, hashes of all symbols. */
const ElfW(Sym) *zwd_object_symbol(const struct zwd_object *object, const char *name)
{
	uint32_t heads_nr, first, hash = 5381, at;
	const uint32_t *heads, *hashes;

	if (!object->hash)
		return NULL;
	heads_nr = object->hash[0];
	first = object->hash[1];
	heads = object->hash + 4 + object->hash[2] * (sizeof(ElfW(Addr)) / 4);
	hashes = heads + heads_nr;
	for (const char *c = name; *c; c++)
		hash = hash * 33 + (unsigned char)*c;
	at = heads_nr ? heads[hash % heads_nr] : 0;
	if (at < first)
		return NULL;
	do {
		const ElfW(Sym) *symbol = &object->symbols[at];

		if ((hashes[at - first] | 1) == (hash | 1) &&
		    !strcmp(object->strings + symbol->st_name, name))
			return symbol;
	} while (!(hashes[at++ - first] & 1)); /* the last bit ends a chain */
	return NULL;
}

void *zwd_object_function(const struct zwd_object *object, const char *name)
{
	const ElfW(Sym) *symbol;

	if (!object->hash)
		return dlsym(object->lib, name);
	symbol = zwd_object_symbol(object, name);
	if (!symbol || !symbol->st_shndx)
		return NULL;
	/* One that chooses itself by the machine is the loader's to call. */
	if (ELF64_ST_TYPE(symbol->st_info) != STT_FUNC)
		return dlsym(object->lib, name);
	return (void *)(object->map->l_addr + symbol->st_value);
}

static uintptr_t *find_slot(const struct zwd_object *object, const ElfW(Rela) *rela, size_t len,
			    const char *name)
{
	for (size_t i = 0; rela && i < len; i++) {
		unsigned int type = ELF64_R_TYPE(rela[i].r_info);
		const ElfW(Sym) *symbol = &object->symbols[ELF64_R_SYM(rela[i].r_info)];

		if ((type == CALL_SLOT || type == DATA_SLOT) &&
		    !strcmp(object->strings + symbol->st_name, name))
			return (uintptr_t *)(object->map->l_addr + rela[i].r_offset);
	}
	return NULL;
}

uintptr_t *zwd_object_slot(const struct zwd_object *object, const char *name)
{
	uintptr_t *slot = find_slot(object, object->calls, object->calls_len, name);

	return slot ? slot : find_slot(object, object->data, object->data_len, name);
}

uintptr_t *zwd_object_slot_nr(const struct zwd_object *object, size_t nr, const char **name)
{
	const ElfW(Rela) *rela = object->calls;

	if (!rela || nr >= object->calls_len)
		return NULL;
	*name = object->strings + object->symbols[ELF64_R_SYM(rela[nr].r_info)].st_name;
	return (uintptr_t *)(object->map->l_addr + rela[nr].r_offset);
}

int zwd_object_read(struct zwd_object *object, void *lib)
{
	struct link_map *map;

	return dlinfo(lib, RTLD_DI_LINKMAP, &map) ? -EINVAL : read_map(object, lib, map);
}

/* Where the object is in memory, from its base on. */
struct extent {
	ElfW(Addr) base, end;
};

static int find_extent(struct dl_phdr_info *info, size_t size, void *arg)
{
	struct extent *extent = arg;

	if (info->dlpi_addr != extent->base)
		return 0;
	for (int i = 0; i < info->dlpi_phnum; i++) {
		ElfW(Addr) end = extent->base + info->dlpi_phdr[i].p_vaddr + info->dlpi_phdr[i].p_memsz;

		if (info->dlpi_phdr[i].p_type == PT_LOAD && end > extent->end)
			extent->end = end;
	}
	return 1;
}

/*
 * What the loader would take for an object that has such a function itself: what all see by that name, or its own.
 * RTLD_DEFAULT is what this library sees, and that is its own functions where it was opened for nobody else.
 */
static void *seen_by(void *all, void *own, const char *name)
{
	void *function = all ? dlsym(all, name) : NULL;

	return function ? function : own;
}

void zwd_object_bind(const struct zwd_object *object)
{
	void *all = dlopen(NULL, RTLD_LAZY), *own;
	/* Not by dladdr(), which looks through all of a library's names for each. */
	struct extent extent = { .base = object->map->l_addr };
	const char *name;
	uintptr_t *slot;
	void *function;

	dl_iterate_phdr(find_extent, &extent);
	for (size_t nr = 0; (slot = zwd_object_slot_nr(object, nr, &name)); nr++) {
		uintptr_t target = __atomic_load_n(slot, __ATOMIC_RELAXED);

		/* One that is bound points elsewhere, or to the object's own function. */
		if (!*name || target < extent.base || target >= extent.end)
			continue;
		own = zwd_object_symbol(object, name) ? zwd_object_function(object, name) : NULL;
		if (own && (uintptr_t)own == target)
			continue;
		function = own ? seen_by(all, own, name) : dlsym(RTLD_DEFAULT, name);
		if (function)
			__atomic_store_n(slot, (uintptr_t)function, __ATOMIC_RELAXED);
	}
	if (all)
		dlclose(all);
}

void zwd_object_bind_own(void)
{
	struct zwd_object own;
	Dl_info info;
	void *map;

	if (dladdr1((void *)zwd_object_bind_own, &info, &map, RTLD_DL_LINKMAP) &&
	    !read_map(&own, NULL, map))
		zwd_object_bind(&own);
}
