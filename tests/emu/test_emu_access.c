// SPDX-License-Identifier: Zlib
/* Guards: the emulated device reaches what is mapped, to the byte, and a lie of it is one. */
#include "emu/emu.h"
#include "emu/emu_priv.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

enum { LEN = 4096, BASE = 1 << 20, BOTH = EMU_DMA_READ | EMU_DMA_WRITE };

static uint8_t mem[4 * LEN];
static struct emu_dma dma;
static struct emu_dma_user user;

static int setup(void **state)
{
	emu_dma_init(&dma);
	emu_dma_attach(&dma, &user);
	return 0;
}

static int teardown(void **state)
{
	emu_dma_fini(&dma);
	return 0;
}

static void *get(uint64_t iova, uint64_t len, int flags)
{
	void *va = emu_dma_get(&user, iova, len, flags);

	emu_dma_release(&user);
	return va;
}

static void test_edges(void **state)
{
	assert_int_equal(emu_dma_add(&dma, BASE, mem, LEN, BOTH), 0);
	assert_ptr_equal(get(BASE, 1, BOTH), mem);
	assert_ptr_equal(get(BASE, LEN, BOTH), mem);
	assert_ptr_equal(get(BASE + LEN - 1, 1, BOTH), mem + LEN - 1);
	assert_null(get(BASE, LEN + 1, BOTH));
	assert_null(get(BASE - 1, 1, BOTH));
	assert_null(get(BASE - 1, 2, BOTH));
	assert_null(get(BASE + LEN, 1, BOTH));
	assert_null(get(BASE, 0, BOTH));
	assert_null(get(BASE, UINT64_MAX, BOTH));
	assert_null(get(BASE + LEN - 1, UINT64_MAX - BASE, BOTH));
	emu_dma_remove(&dma, BASE, LEN);
	assert_null(get(BASE, 1, BOTH));
}

static void test_what_may_be_mapped(void **state)
{
	assert_int_equal(emu_dma_add(&dma, BASE, mem, 0, BOTH), -EINVAL);
	assert_int_equal(emu_dma_add(&dma, BASE, mem, LEN, 0), -EINVAL);
	assert_int_equal(emu_dma_add(&dma, BASE, mem, LEN, 4), -EINVAL);
	assert_int_equal(emu_dma_add(&dma, UINT64_MAX, mem, 2, BOTH), -EINVAL);
	assert_int_equal(emu_dma_add(&dma, UINT64_MAX, mem, 1, BOTH), 0);
	assert_ptr_equal(get(UINT64_MAX, 1, BOTH), mem);
	assert_null(get(UINT64_MAX, 2, BOTH));
	assert_int_equal(emu_dma_add(&dma, BASE, mem, LEN, BOTH), 0);
	assert_int_equal(emu_dma_add(&dma, BASE + LEN - 1, mem, LEN, BOTH), -EEXIST);
	assert_int_equal(emu_dma_add(&dma, BASE - LEN + 1, mem, LEN, BOTH), -EEXIST);
	assert_int_equal(emu_dma_add(&dma, BASE, mem, 1, BOTH), -EEXIST);
	assert_int_equal(emu_dma_add(&dma, BASE - 1, mem, LEN + 2, BOTH), -EEXIST);
	assert_int_equal(emu_dma_add(&dma, BASE - LEN, mem, LEN, BOTH), 0);
	assert_int_equal(emu_dma_add(&dma, BASE + LEN, mem, LEN, BOTH), 0);
}

static void test_rights(void **state)
{
	uint8_t byte = 1;

	assert_int_equal(emu_dma_add(&dma, BASE, mem, LEN, EMU_DMA_READ), 0);
	assert_int_equal(emu_dma_add(&dma, BASE + LEN, mem + LEN, LEN, EMU_DMA_WRITE), 0);
	assert_ptr_equal(get(BASE, LEN, EMU_DMA_READ), mem);
	assert_null(get(BASE, LEN, EMU_DMA_WRITE));
	assert_null(get(BASE, LEN, BOTH));
	assert_ptr_equal(get(BASE + LEN, LEN, EMU_DMA_WRITE), mem + LEN);
	assert_null(get(BASE + LEN, LEN, EMU_DMA_READ));
	assert_null(get(BASE, LEN + 1, EMU_DMA_READ));
	assert_int_equal(emu_dma_copy(&dma, BASE, &byte, 1, EMU_DMA_WRITE), -EFAULT);
	assert_int_equal(emu_dma_copy(&dma, BASE + LEN, &byte, 1, EMU_DMA_READ), -EFAULT);
	assert_int_equal(emu_dma_copy(&dma, BASE, NULL, LEN, EMU_DMA_READ), 0);
	assert_int_equal(emu_dma_copy(&dma, BASE, NULL, LEN + 1, EMU_DMA_READ), -EFAULT);
}

/* As one piece where the memory is one, else by copies. */
static void test_pieces(void **state)
{
	uint8_t buf[3 * LEN];

	assert_int_equal(emu_dma_add(&dma, BASE + LEN, mem + LEN, LEN, BOTH), 0);
	assert_int_equal(emu_dma_add(&dma, BASE, mem, LEN, BOTH), 0);
	assert_int_equal(emu_dma_add(&dma, BASE + 2 * LEN, mem + 3 * LEN, LEN, BOTH), 0);
	assert_ptr_equal(get(BASE, 2 * LEN, BOTH), mem);
	assert_ptr_equal(get(BASE + 5, 2 * LEN - 5, BOTH), mem + 5);
	assert_null(get(BASE + LEN, LEN + 1, BOTH));
	for (size_t i = 0; i < sizeof(mem); i++)
		mem[i] = (uint8_t)(i * 7 + i / 256);
	assert_int_equal(emu_dma_copy(&dma, BASE, buf, sizeof(buf), EMU_DMA_READ), 0);
	assert_memory_equal(buf, mem, 2 * LEN);
	assert_memory_equal(buf + 2 * LEN, mem + 3 * LEN, LEN);
	memset(buf, 9, sizeof(buf));
	assert_int_equal(emu_dma_copy(&dma, BASE + LEN + 1, buf, LEN + 1, EMU_DMA_WRITE), 0);
	assert_int_equal(mem[LEN], (uint8_t)(LEN * 7 + LEN / 256));
	assert_int_equal(mem[LEN + 1], 9);
	assert_int_equal(mem[2 * LEN - 1], 9);
	assert_int_equal(mem[2 * LEN], (uint8_t)(2 * LEN * 7 + 2 * LEN / 256));
	assert_int_equal(mem[3 * LEN + 1], 9);
	assert_int_equal(mem[3 * LEN + 2], (uint8_t)((3 * LEN + 2) * 7 + (3 * LEN + 2) / 256));
	assert_int_equal(emu_dma_copy(&dma, BASE, buf, 3 * LEN + 1, EMU_DMA_READ), -EFAULT);
	emu_dma_remove(&dma, BASE + LEN, LEN);
	assert_ptr_equal(get(BASE, LEN, BOTH), mem);
	assert_null(get(BASE, LEN + 1, BOTH));
	assert_ptr_equal(get(BASE + 2 * LEN, LEN, BOTH), mem + 3 * LEN);
}

static void test_everything(void **state)
{
	static uint8_t beside[LEN], buf[3 * LEN];
	uint64_t at = (uintptr_t)mem;
	uint8_t byte = 5;

	assert_int_equal(emu_dma_add(&dma, 0, NULL, UINT64_MAX, BOTH), 0);
	assert_int_equal(emu_dma_add(&dma, 0, NULL, UINT64_MAX, BOTH), 0);
	assert_ptr_equal(get(at, sizeof(mem), BOTH), mem);
	assert_int_equal(emu_dma_copy(&dma, at, &byte, 1, EMU_DMA_WRITE), 0);
	assert_int_equal(mem[0], 5);
	/* A range over it counts where it lies. */
	memset(mem, 1, sizeof(mem));
	memset(beside, 2, sizeof(beside));
	assert_int_equal(emu_dma_add(&dma, at + LEN, beside, LEN, BOTH), 0);
	assert_int_equal(emu_dma_copy(&dma, at, buf, sizeof(buf), EMU_DMA_READ), 0);
	for (size_t i = 0; i < sizeof(buf); i++)
		assert_int_equal(buf[i], i / LEN == 1 ? 2 : 1);
	emu_dma_remove(&dma, at + LEN, LEN);
	/* Pointers to nothing, and what ends behind the last address. */
	assert_null(get(0, 1, BOTH));
	assert_null(get(4095, 1, BOTH));
	assert_null(get(UINT64_MAX - 9, 11, BOTH));
	assert_int_equal(emu_dma_copy(&dma, 0, NULL, 1, EMU_DMA_READ), -EFAULT);
	assert_int_equal(emu_dma_copy(&dma, UINT64_MAX - 9, NULL, 11, EMU_DMA_READ), -EFAULT);
	emu_dma_remove(&dma, 0, UINT64_MAX);
	assert_ptr_equal(get(at, 1, BOTH), mem);
	emu_dma_remove(&dma, 0, UINT64_MAX);
	assert_null(get(at, 1, BOTH));
}

/* So much at once, and no more. */
static void test_uses(void **state)
{
	assert_int_equal(emu_dma_add(&dma, BASE, mem, LEN, BOTH), 0);
	for (int i = 0; i < EMU_DMA_USES; i++)
		assert_non_null(emu_dma_get(&user, BASE, LEN, BOTH));
	assert_null(emu_dma_get(&user, BASE, LEN, BOTH));
	emu_dma_release(&user);
	assert_non_null(get(BASE, LEN, BOTH));
}

static bool is_removed;

static void *remove_range(void *unused)
{
	emu_dma_remove(&dma, BASE, LEN);
	__atomic_store_n(&is_removed, true, __ATOMIC_RELEASE);
	return NULL;
}

static unsigned int waiting(void)
{
	unsigned int nr;

	pthread_mutex_lock(&dma.lock);
	nr = dma.waiting;
	pthread_mutex_unlock(&dma.lock);
	return nr;
}

/* Whoever takes memory away waits for the request that uses it. */
static void test_removal(void **state)
{
	pthread_t thread;

	assert_int_equal(emu_dma_add(&dma, BASE, mem, LEN, BOTH), 0);
	assert_non_null(emu_dma_get(&user, BASE + LEN - 1, 1, BOTH));
	is_removed = false;
	assert_int_equal(pthread_create(&thread, NULL, remove_range, NULL), 0);
	while (!waiting())
		sched_yield();
	/* Already no more is to be had of it. */
	assert_null(emu_dma_get(&user, BASE, LEN, BOTH));
	assert_false(__atomic_load_n(&is_removed, __ATOMIC_ACQUIRE));
	emu_dma_release(&user);
	pthread_join(thread, NULL);
	assert_int_equal(waiting(), 0);
	assert_null(get(BASE, LEN, BOTH));
}

/* Of each kind, whatever the request's number: something is not so, and nothing else is. */
static void test_lies(void **state)
{
	for (uint64_t nr = 1; nr < 200; nr++)
		for (int lie = EMU_LIE_CONSUMED; lie < EMU_LIES; lie++) {
			const struct hisi_zip_sqe sound = { .consumed = 100, .produced = 200, .src_len = 300,
							    .dst_len = 400, .checksum = 5, .isize = 6 };
			struct hisi_zip_sqe told = sound, back;
			struct emu_fault fault = { .arg = (uint32_t)lie };

			assert_int_equal(emu_lie_of(&fault, nr), lie);
			emu_lie_tell((enum emu_lie)lie, nr, &told);
			back = told;
			assert_int_equal(!memcmp(&told, &sound, sizeof(sound)),
					 lie == EMU_LIE_LATE || lie == EMU_LIE_TWICE);
			switch (lie) {
			case EMU_LIE_CONSUMED:
				back.consumed = sound.consumed;
				break;
			case EMU_LIE_PRODUCED:
				back.produced = sound.produced;
				break;
			case EMU_LIE_STATUS:
				back.result = sound.result;
				break;
			case EMU_LIE_CHECKSUM:
				back.checksum = sound.checksum;
				back.isize = sound.isize;
				break;
			case EMU_LIE_CONTEXT:
				back.ctx_w0 = sound.ctx_w0;
				back.ctx_w1 = sound.ctx_w1;
				back.ctx_w2 = sound.ctx_w2;
				break;
			case EMU_LIE_ENTRY:
				back = sound;
				break;
			}
			assert_memory_equal(&back, &sound, sizeof(sound));
			assert_in_range(emu_lie_late_ms(nr), 10, 130);
		}
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_edges),  TEST(test_what_may_be_mapped), TEST(test_rights),
		TEST(test_pieces), TEST(test_everything),	  TEST(test_uses),
		TEST(test_removal), TEST(test_lies),
	};

	alarm(300);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
