/* SPDX-License-Identifier: Zlib */
/* The one function of libc's of a younger version that compilers call by themselves: see lean.h. */
#include "config.h"
#include <string.h>

#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define IS_SANITIZED 1
#endif
#elif defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define IS_SANITIZED 1
#endif

/* glibc's memmove() is the same code there, and old. (With "restrict" it would be made a memcpy().) */
#if defined(__x86_64__) && !defined(IS_SANITIZED)
__attribute__((visibility("hidden"))) void *memcpy(void *to, const void *from, size_t len)
{
	return memmove(to, from, len);
}
#endif
