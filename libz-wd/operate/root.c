/* SPDX-License-Identifier: Zlib */
/* The root folder at load, and what the kernel told the program at its start. */
#include "config.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <stddef.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "operate/root.h"

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

void zwd_root_note(void)
{
	struct stat st;

	if (stat_root(&st))
		return;
	root.device = st.st_dev;
	root.inode = st.st_ino;
}

bool zwd_root_is_changed(void)
{
	struct stat st;

	return stat_root(&st) || st.st_dev != root.device || st.st_ino != root.inode;
}
