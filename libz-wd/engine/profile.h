/* SPDX-License-Identifier: Zlib */
/* What is known of a kind of device: from where on it is the better choice, where no setting says so. */
#ifndef ZWD_PROFILE_H
#define ZWD_PROFILE_H

/*
 * By what the emulated device costs beside zlib: a request of any size is the price of some KB in software.
 * Fixed, so that the bytes which deflate() makes depend on nothing but its data; for inflate() it is input.
 */
#define ZWD_PROFILE_MIN_DEFLATE_FAST 4096 /* levels 1 to 3 */
#define ZWD_PROFILE_MIN_DEFLATE	     2048
#define ZWD_PROFILE_MIN_INFLATE	     8192
/* A stream of many calls has its context saved and loaded for each, and often its output copied, besides. */
#define ZWD_PROFILE_MIN_INFLATE_CALL 32768
/* Of which room for so many times as much is expected. */
#define ZWD_PROFILE_EXPANDS 4

#endif
