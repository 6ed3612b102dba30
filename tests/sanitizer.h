/* SPDX-License-Identifier: Zlib */
/*
 * Is this program watched by ThreadSanitizer, which knows no threads in a child of threads, or by
 * AddressSanitizer, under which freed memory is not used again?
 */
#ifndef SANITIZER_H
#define SANITIZER_H

/* gcc says it one way, clang the other. */
#if defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define IS_TSAN 1
#endif
#if __has_feature(address_sanitizer)
#define IS_ASAN 1
#endif
#endif
#ifdef __SANITIZE_THREAD__
#define IS_TSAN 1
#endif
#ifdef __SANITIZE_ADDRESS__
#define IS_ASAN 1
#endif
#ifndef IS_TSAN
#define IS_TSAN 0
#endif
#ifndef IS_ASAN
#define IS_ASAN 0
#endif

#endif
