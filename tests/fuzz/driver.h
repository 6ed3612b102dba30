/* SPDX-License-Identifier: Zlib */
/* What a fuzzer tells the driver, and what it is given to say with. */
#ifndef FUZZ_DRIVER_H
#define FUZZ_DRIVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum { FUZZ_INPUT_MAX = 1 << 16 };

struct random {
	uint64_t state;
};
uint64_t random_next(struct random *r);
/* 0 to limit - 1 */
size_t random_below(struct random *r, size_t limit);

/* Input of this number: made by the fuzzer, and damaged or not. */
size_t fuzz_make(uint64_t number, uint8_t *data);

/* The program has one of these. */
struct fuzzer {
	const char *name;
	size_t len_max;	      /* of an input, at most FUZZ_INPUT_MAX */
	unsigned int limit_s; /* of one input; what takes longer hangs */
	bool has_folder;      /* wants fuzz_folder */
	/* Once in each process that runs inputs; may end it with 77. NULL: nothing to do. */
	void (*setup)(void);
	/* An input as sound ones are. The driver damages it, or not. */
	size_t (*make)(struct random *r, uint8_t *data, size_t room);
	void (*run)(const uint8_t *data, size_t len);
};
extern const struct fuzzer fuzzer;

/* A folder of the program's own, removed at its end. */
extern char fuzz_folder[64];
void fuzz_remove(const char *folder);

/* The input shows a fault. */
_Noreturn void fuzz_broken(const char *file, int line, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
#define check(condition, ...)                                                                      \
	do {                                                                                       \
		if (!(condition))                                                                  \
			fuzz_broken(__FILE__, __LINE__, __VA_ARGS__);                              \
	} while (0)

/*
 * A child for what must not happen here. It ends by fuzz_exit(), which hands on what libFuzzer has
 * to know of it, or by its time. What waitpid() says.
 */
pid_t fuzz_fork(void);
_Noreturn void fuzz_exit(int code);
int fuzz_wait(pid_t pid);

/* Reads an input from its beginning on; behind its end are zeros. */
struct taker {
	const uint8_t *data;
	size_t len;
};
unsigned int take_byte(struct taker *t);
uint32_t take_u32(struct taker *t);
uint64_t take_u64(struct taker *t);
/* 0 to limit - 1, limit at most 65536 */
unsigned int take_below(struct taker *t, unsigned int limit);
/* What is left, at most len bytes. */
const uint8_t *take_bytes(struct taker *t, size_t *len);

#endif
