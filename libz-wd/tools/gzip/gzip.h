/* SPDX-License-Identifier: Zlib */
/* What the parts of wd-gzip share: options, the file under treatment, and their functions. */
#ifndef WD_GZIP_H
#define WD_GZIP_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <time.h>

/* Exit codes of GNU gzip. */
enum { GZIP_OK, GZIP_ERROR, GZIP_WARNING };

struct options {
	const char *prog; /* prefix of every message */
	const char *suffix;
	const char *pigz; /* the command that this one stands for, or NULL */
	int level;
	int force;
	int verbose;
	int no_name; /* -1: not said */
	int no_time; /* -1: not said */
	bool ascii;
	bool decompress;
	bool keep;
	bool list;
	bool presume_tty;
	bool quiet;
	bool recursive;
	bool rsyncable;
	bool synchronous;
	bool test;
	bool to_stdout;
};
extern struct options opt;

enum method {
	METHOD_STORED,
	METHOD_LZW,
	METHOD_PACK,
	METHOD_ZIP,
	METHOD_ZIP_STORED,
	METHOD_DEFLATE = 8, /* as the header of a gzip member says it */
	METHOD_NONE,
};

/* One file under treatment. Lengths of the output are those of the last member. */
struct job {
	char *in_name;
	char *out_name;
	int in_fd;
	int out_fd; /* -1: results are only checked */
	struct stat st;
	struct timespec mtime; /* of the file or, when asked for, of the header; tv_nsec < 0: unknown */
	unsigned char *next;   /* unread input */
	size_t avail;
	uint64_t in_len;
	uint64_t out_len;
	uint64_t header_len; /* bytes that -v and -l do not count */
	enum method method;
	unsigned long crc;
	unsigned int member_nr;
	size_t body_len; /* of this member to its end, where its header tells (BGZF), else 0 */
	bool is_last;	 /* nothing can follow this member */
	bool is_refused; /* a later member cannot be read, which was told */
};

/* main.c: messages and the exit code */
void gzip_say(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void gzip_error(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void gzip_warn(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void gzip_warned(void);
void gzip_error_errno(const char *name);
_Noreturn void gzip_exit(int code);
/* Errors that end the run; the unfinished output is removed. */
_Noreturn void gzip_die(const struct job *job, const char *why);
_Noreturn void gzip_die_errno(const char *name);

/* pigz.c: standing for pigz, from which on it says what there is to say */
void pigz_start(int argc, char **argv);
/* Of what gzip would say here: returns, if at all, when pigz has nothing to say. */
void pigz_say(const char *fmt, va_list args);
_Noreturn void pigz_die_write(void);
/* The file under treatment, or NULL: standard input */
void pigz_treat(const char *name);

/* io.c: buffered input and output of one job */
void io_start(struct job *job);
/* Read on only where nothing is unread. False: end of file. */
bool io_fill(struct job *job);
/* Have len bytes of unread input in one piece, in as many reads as that takes. False: end of file.
 */
bool io_fill_to(struct job *job, size_t len);
/* One read, elsewhere. -1: nothing now; 0: end of file. */
ssize_t io_read(struct job *job, unsigned char *buf, size_t len);
/* Copy bytes that stay unread. Returns how many there were, at most PIECE_BACK_LEN. */
size_t io_peek(struct job *job, unsigned char *buf, size_t len);
/* -1: end of file */
int io_byte(struct job *job);
/* End of file ends the run. */
unsigned int io_need(struct job *job);
uint32_t io_need_le(struct job *job, unsigned int bytes);
/*
 * The input lies in pieces: one that is read from, and behind it those that were read ahead.
 * Nothing is appended to the last one before job->next is.
 */
struct piece *io_head(void);
struct piece *io_tail(void);
/* Into the last piece, at most len bytes, which must fit. Waits no longer than wait_ms. Bytes that
 * were read. */
size_t io_read_ahead(struct job *job, size_t len, int wait_ms);
/* Room for len bytes behind what is unread of the one piece. */
void io_make_room(struct job *job, size_t len);
/* The end of the last piece, from at on, becomes a piece of its own. False: there are enough. */
bool io_cut(struct job *job, size_t at, unsigned int piece_max);
/* Where read() would be for reading ahead; -1: nowhere. */
int io_ahead_fd(const struct job *job);
/* Make len bytes, at most PIECE_BACK_LEN and never more than were read, unread input again. */
void io_unread(struct job *job, const void *data, size_t len);
/* Room of at least half the buffer for output. */
unsigned char *io_room(struct job *job, size_t *len);
void io_put(struct job *job, size_t len);
void io_put_byte(struct job *job, unsigned char byte);
void io_flush(struct job *job);
/* Only whole windows of it, as GNU gzip does when it gives up. */
void io_flush_windows(struct job *job);
/* Output that lies elsewhere. */
void io_write(struct job *job, const unsigned char *data, size_t len);

/* members.c: the body of a member, if it was inflated ahead: it is skipped, and written. */
bool members_take(struct job *job);

/* codec.c: deflate and inflate. Return 0, or -1 when the contents are wrong, which is told. */
void codec_compress(struct job *job);
int codec_decompress(struct job *job);
/* Ends what the other two began. */
void codec_end(void);
int codec_inflate(struct job *job, int window_bits);

/* format.c: what the next member is; METHOD_NONE: no member, and the reason is told */
enum method format_read(struct job *job);

/* old.c: formats that gzip reads only. Return as codec.c does. */
int old_lzw(struct job *job);
int old_pack(struct job *job);
/* Of an archive, its first entry. */
enum method old_zip_header(struct job *job);
int old_zip(struct job *job);

/* file.c: what is opened, and what is left alone */
void file_treat(const char *name);
void file_treat_stdin(void);

/* name.c: what files are called. Names are the caller's to free. */
char *name_join(const char *start, size_t start_len, const char *end);
char *name_copy(const char *name);
const char *name_base(const char *name);
/* The one before is freed. */
void name_set(char **name, char *value);
/* The part of name that says it is compressed, or NULL. */
const char *name_suffix(const char *name);
/* False: the input's name says that there is nothing to do. */
bool name_output(struct job *job);
/* By one byte of the output's. */
void name_shorten(struct job *job);
/* Take the name that a header holds, in the folder of the input. */
void name_restore(struct job *job, const char *name);

/* output.c: the file that is written */
int output_create(struct job *job);
/* It is complete and safe before the input goes. */
void output_finish(struct job *job);
/* It is not all of the input, which stays. GNU gzip removes that, and keeps this. */
void output_drop(struct job *job);
/* Remove the unfinished one, if there is one. Async-signal-safe. */
void output_remove_partial(void);

/* list.c: the table of -l */
void list_job(const struct job *job);
void list_totals(int file_nr);
void list_ratio(char *buf, size_t len, int64_t saved, int64_t of);

#endif
