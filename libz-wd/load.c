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

#include <dlfcn.h>
#include <fcntl.h>
#include <stddef.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "load.h"
#include "qpool.h"
#include "settings.h"
#include "soft_zlib.h"

/*
 * The library is linked without the compiler's start files: what they do at load and exit is nothing
 * to a library that is never unloaded, and costs a preloaded program more than all the rest here.
 * This is the one thing of theirs that libc asks for.
 */
__attribute__((weak, visibility("hidden"))) void *__dso_handle;

/* The root folder at load; zero: not known, and then it is never the same. */
static struct {
	dev_t device;
	ino_t inode;
} root;

/* stat("/"), of which the kernel's and libc's structures are the same on both machines. */
static long stat_root(struct stat *st)
{
#if defined(__x86_64__)
	register long flags __asm__("r10") = 0;
	long ret;

	__asm__ volatile("syscall"
			 : "=a"(ret)
			 : "a"((long)SYS_newfstatat), "D"((long)AT_FDCWD), "S"("/"), "d"(st), "r"(flags)
			 : "rcx", "r11", "memory");
	return ret;
#else
	register long nr __asm__("x8") = SYS_newfstatat, dir __asm__("x0") = AT_FDCWD;
	register const char *path __asm__("x1") = "/";
	register struct stat *out __asm__("x2") = st;
	register long flags __asm__("x3") = 0;

	__asm__ volatile("svc 0" : "+r"(dir) : "r"(nr), "r"(path), "r"(out), "r"(flags) : "memory");
	return dir;
#endif
}

unsigned long zwd_auxval(unsigned long type)
{
	unsigned long (*get)(unsigned long type);

	*(void **)&get = dlsym(RTLD_DEFAULT, "getauxval");
	return get ? get(type) : 0;
}

bool zwd_root_is_changed(void)
{
	struct stat st;

	return stat_root(&st) || st.st_dev != root.device || st.st_ino != root.inode;
}

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
	return dladdr1(&root, &info, (void **)&map, RTLD_DL_LINKMAP) ? map : NULL;
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

/* glibc hands a constructor the program's arguments. */
__attribute__((constructor)) static void at_load(int argc, char **argv, char **envp)
{
	const struct zwd_settings *settings;
	struct zwd_loaded loaded;
	struct stat st;

	if (!stat_root(&st)) {
		root.device = st.st_dev;
		root.inode = st.st_ino;
	}
	zwd_loaded_look(&loaded);
	zwd_preload_take_over(argc, argv, loaded.is_program);
	if (!loaded.zlib && !loaded.is_needed)
		return; /* a plug-in may still bring one, and is then the first to use it */
	settings = zwd_settings_load();
	zwd_soft_zlib_open_at_load();
	zwd_qpool_prepare(settings->device);
}
