/* SPDX-License-Identifier: Zlib */
/*
 * Calls that come out of the real zlib itself, through the dynamic linker, to functions of this one.
 *
 * Its gz* layer, compress() and uncompress() call all they need that way, so their streams are ours
 * from the first call to the last. deflateInit_() and inflateInit_() differ: who took them from
 * libz.so.1 by dlsym() took deflate() and inflate() there as well, and those know no stream of ours.
 * So the stream of such a call must be the real zlib's own.
 *
 * Which call it is, the return address says, unless inflateInit_() has jumped instead of calling: then
 * it lies outside, and the call looks as if the program had made it. Therefore the pointers through
 * which the real zlib calls deflateInit2_() and inflateInit2_() are turned to entries of our own,
 * where a call from outside cannot come from anybody else.
 */
#include "config.h"

#include <dlfcn.h>
#include <link.h>
#include <sys/mman.h>
#include <unistd.h>

#include "stream/inner.h"

struct range {
	uintptr_t begin, end;
};

/* The zlib underneath. */
static struct watched {
	bool is_known;
	struct range all, init[2];
	bool was_bound[2]; /* it had called us before it was watched */
	__typeof__(&deflateInit2_) deflateInit2_;
	__typeof__(&inflateInit2_) inflateInit2_;
	struct zwd_soft_zlib_ours ours;
} watched;

static bool is_within(const struct range *range, uintptr_t address)
{
	return address >= range->begin && address < range->end;
}

bool zwd_inner_has(const void *address)
{
	return watched.is_known && is_within(&watched.all, (uintptr_t)address);
}

/* By dlsym(), that is, and not on behalf of the real zlib's other layers. */
static bool is_for_caller(enum zwd_inner what, const void *address)
{
	return !is_within(&watched.all, (uintptr_t)address) ||
	       is_within(&watched.init[what], (uintptr_t)address);
}

static int deflate_init(z_streamp strm, int level, int method, int window_bits, int mem_level,
			int strategy, const char *version, int size)
{
	if (is_for_caller(ZWD_INNER_DEFLATE, __builtin_return_address(0)))
		return watched.deflateInit2_(strm, level, method, window_bits, mem_level, strategy,
					     version, size);
	return watched.ours.deflateInit2_(strm, level, method, window_bits, mem_level, strategy, version, size);
}

static int inflate_init(z_streamp strm, int window_bits, const char *version, int size)
{
	if (is_for_caller(ZWD_INNER_INFLATE, __builtin_return_address(0)))
		return watched.inflateInit2_(strm, window_bits, version, size);
	return watched.ours.inflateInit2_(strm, window_bits, version, size);
}

/* The object's place in memory, and of that what the loader makes read-only when it is done. */
static bool find_ranges(const struct link_map *map, struct range *all, struct range *read_only)
{
	const ElfW(Ehdr) *header;
	const ElfW(Phdr) *part;
	Dl_info info;

	if (!dladdr(map->l_ld, &info))
		return false;
	header = info.dli_fbase;
	part = (const void *)((const char *)header + header->e_phoff);
	*all = *read_only = (struct range){ 0 };
	all->begin = (uintptr_t)header;
	for (int i = 0; i < header->e_phnum; i++, part++) {
		uintptr_t begin = map->l_addr + part->p_vaddr, end = begin + part->p_memsz;

		if (part->p_type == PT_LOAD && end > all->end)
			all->end = end;
		else if (part->p_type == PT_GNU_RELRO)
			*read_only = (struct range){ begin, end };
	}
	return true;
}

static bool find_function(const struct zwd_object *object, const char *name, struct range *range)
{
	const ElfW(Sym) *symbol = zwd_object_symbol(object, name);

	range->begin = (uintptr_t)zwd_object_function(object, name);
	if (!range->begin || !symbol)
		return false;
	range->end = range->begin + symbol->st_size;
	return true;
}

static bool is_ours(const uintptr_t *slot, uintptr_t ours)
{
	return slot && __atomic_load_n(slot, __ATOMIC_RELAXED) == ours;
}

static void turn(uintptr_t *slot, uintptr_t entry, const struct range *read_only, bool is_at_load)
{
	uintptr_t page = (uintptr_t)slot & ~((uintptr_t)sysconf(_SC_PAGESIZE) - 1);
	size_t len = (uintptr_t)(slot + 1) - page;

	if (!is_within(read_only, (uintptr_t)slot)) {
		__atomic_store_n(slot, entry, __ATOMIC_RELEASE);
		return;
	}
	/* Later, in a sandbox, the attempt could be the end of the process. */
	if (!is_at_load || mprotect((void *)page, len, PROT_READ | PROT_WRITE))
		return;
	__atomic_store_n(slot, entry, __ATOMIC_RELEASE);
	mprotect((void *)page, len, PROT_READ);
}

void zwd_inner_watch(const struct zwd_object *object, const struct zwd_soft_zlib_ours *functions,
		     bool is_at_load)
{
	const uintptr_t our_deflate = (uintptr_t)functions->deflateInit2_,
			our_inflate = (uintptr_t)functions->inflateInit2_;
	uintptr_t *deflate_slot = zwd_object_slot(object, "deflateInit2_"),
		  *inflate_slot = zwd_object_slot(object, "inflateInit2_");
	struct watched w = { .is_known = true, .ours = *functions };
	struct range read_only;

	if (!find_ranges(object->map, &w.all, &read_only) ||
	    !find_function(object, "deflateInit_", &w.init[ZWD_INNER_DEFLATE]) ||
	    !find_function(object, "inflateInit_", &w.init[ZWD_INNER_INFLATE]))
		return;
	*(void **)&w.deflateInit2_ = zwd_object_function(object, "deflateInit2_");
	*(void **)&w.inflateInit2_ = zwd_object_function(object, "inflateInit2_");
	if (!w.deflateInit2_ || !w.inflateInit2_)
		return;
	w.was_bound[ZWD_INNER_DEFLATE] = is_ours(deflate_slot, our_deflate);
	w.was_bound[ZWD_INNER_INFLATE] = is_ours(inflate_slot, our_inflate);
	watched = w;
	/* Each calls the function it is for, has it bound by that, and does nothing with these arguments. */
	((__typeof__(&deflateInit_))w.init[ZWD_INNER_DEFLATE].begin)(NULL, 0, NULL, 0);
	((__typeof__(&inflateInit_))w.init[ZWD_INNER_INFLATE].begin)(NULL, NULL, 0);
	/* Where the loader has it call somebody else, this library is not in its way. */
	if (is_ours(deflate_slot, our_deflate))
		turn(deflate_slot, (uintptr_t)deflate_init, &read_only, is_at_load);
	if (is_ours(inflate_slot, our_inflate))
		turn(inflate_slot, (uintptr_t)inflate_init, &read_only, is_at_load);
}

bool zwd_inner_is_first(enum zwd_inner what, const void *return_address)
{
	if (!watched.is_known)
		return false;
	if (is_within(&watched.all, (uintptr_t)return_address))
		return is_within(&watched.init[what], (uintptr_t)return_address);
	return watched.was_bound[what];
}

void zwd_inner_part(const struct zwd_object *object, bool is_at_load)
{
	struct range all, read_only;
	const char *name;
	uintptr_t *slot;

	if (!find_ranges(object->map, &all, &read_only))
		return;
	for (size_t i = 0; (slot = zwd_object_slot_nr(object, i, &name)); i++) {
		void *own = zwd_object_symbol(object, name) ? zwd_object_function(object, name) :
							      NULL;

		if (own)
			turn(slot, (uintptr_t)own, &read_only, is_at_load);
	}
}
