/* SPDX-License-Identifier: Zlib */
/* Compressed files by recipe: the bytes of an input say what lies in the file, and how it is
 * damaged. */
#ifndef FUZZ_COOK_H
#define FUZZ_COOK_H

#include "../driver.h"
#include "buf.h"

enum { COOK_FILE_MAX = 5 << 20 };

/* A name that headers have. */
#define COOK_OUTSIDE "/tmp/fuzz_gzip.out"

/* All that is left of the input. */
void cook(struct taker *t, struct buf *file);

/* cook_old.c: one file of compress, of pack, an entry of a zip archive */
void cook_lzw(struct taker *t, struct buf *file);
void cook_pack(struct taker *t, struct buf *file);
void cook_zip(struct taker *t, struct buf *file);

/* cook.c */
void cook_byte(struct buf *file, unsigned int byte);
void cook_le(struct buf *file, uint64_t value, unsigned int bytes);
/* Plain bytes, and their deflate stream without a wrapper. */
void cook_plain(struct taker *t, struct buf *plain);
void cook_deflate(struct taker *t, const struct buf *plain, struct buf *file);

/* main.c, with wd-gzip in it */
int gzip_main(int argc, char **argv);
_Noreturn void gzip_end(int code);

#endif
