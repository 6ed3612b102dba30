/* SPDX-License-Identifier: Zlib */
/* What a mapped library has in its tables, read without the loader's help. */
#ifndef ZWD_OBJECT_H
#define ZWD_OBJECT_H

#include <link.h>
#include <stdint.h>

struct zwd_object {
	void *lib; /* dlopen()'s */
	const struct link_map *map;
	const ElfW(Sym) *symbols;
	const char *strings;
	const uint32_t *hash; /* the GNU one, or NULL */
	const ElfW(Rela) *calls, *data;
	size_t calls_len, data_len;
};

/* 0 or -EINVAL. */
int zwd_object_read(struct zwd_object *object, void *lib);

/* What dlsym() says, at a tenth of its price: every process with a zlib asks for all its functions. */
void *zwd_object_function(const struct zwd_object *object, const char *name);

/* Its entry, NULL where there is none or the tables do not say. */
const ElfW(Sym) *zwd_object_symbol(const struct zwd_object *object, const char *name);

/* Where it has its pointer to a function of that name, or NULL. */
uintptr_t *zwd_object_slot(const struct zwd_object *object, const char *name);

/* Its pointers to functions that it calls, one by one, with their names; NULL after the last. */
uintptr_t *zwd_object_slot_nr(const struct zwd_object *object, size_t nr, const char **name);

/*
 * Binds all functions that an object, or this library, calls, as the loader would at each one's first
 * call: what it needs for that is more stack than all of zlib.
 */
void zwd_object_bind(const struct zwd_object *object);
void zwd_object_bind_own(void);

#endif
