/* SPDX-License-Identifier: Zlib */
/* Is this program watched by ThreadSanitizer, which knows no threads in a child of threads? */
#ifndef SANITIZER_H
#define SANITIZER_H

/* gcc says it one way, clang the other. */
#if defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define IS_TSAN 1
#endif
#elif defined(__SANITIZE_THREAD__)
#define IS_TSAN 1
#endif
#ifndef IS_TSAN
#define IS_TSAN 0
#endif

#endif
