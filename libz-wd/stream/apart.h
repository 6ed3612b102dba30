/* SPDX-License-Identifier: Zlib */
/* Calls that need a deep stack, on one of their own: zlib's callers may have 16 KiB in all. */
#ifndef ZWD_APART_H
#define ZWD_APART_H

/* f(arg) on a stack of its own; on the caller's where there is no memory for one. */
void zwd_apart(void (*f)(void *arg), void *arg);

#endif
