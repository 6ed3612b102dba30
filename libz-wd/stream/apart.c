/* SPDX-License-Identifier: Zlib */
/*
 * Opening a device lists folders, starts threads and loads libraries, which takes more stack than all
 * of zlib. Threads and fibers of 16 KiB compress, so such things are done on a stack of their own.
 */
#include "config.h"

#include <errno.h>
#include <stddef.h>
#include <sys/mman.h>

#include "stream/apart.h"

/* Touched page by page; signal handlers of the program may come on top. */
#define STACK_LEN (256u << 10)
/*
 * It lies in the middle of a place that nobody else has: a step of so much is a change of stacks, and
 * not a large frame, for whoever watches the stack pointer (valgrind), and running over it is noticed.
 */
#define AWAY_LEN (3u << 20)
#define PLACE_LEN (2 * AWAY_LEN + STACK_LEN)

/* The sanitizers want to be told of each stack there is. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define IS_SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define IS_SANITIZED 1
#endif
#endif
#ifndef IS_SANITIZED
#define IS_SANITIZED 0
#endif

/* f(arg) with the stack pointer at top. With its frame described, so that it can be unwound. */
void zwd_on_stack(void *top, void (*f)(void *arg), void *arg) __attribute__((visibility("hidden")));

#if defined(__x86_64__)
__asm__(".pushsection .text\n"
	".hidden zwd_on_stack\n"
	".globl zwd_on_stack\n"
	".type zwd_on_stack, @function\n"
	"zwd_on_stack:\n"
	"	.cfi_startproc\n"
	"	endbr64\n"
	"	pushq	%rbp\n"
	"	.cfi_def_cfa_offset 16\n"
	"	.cfi_offset %rbp, -16\n"
	"	movq	%rsp, %rbp\n"
	"	.cfi_def_cfa_register %rbp\n"
	"	movq	%rdi, %rsp\n"
	"	movq	%rdx, %rdi\n"
	"	callq	*%rsi\n"
	"	movq	%rbp, %rsp\n"
	"	popq	%rbp\n"
	"	.cfi_def_cfa %rsp, 8\n"
	"	ret\n"
	"	.cfi_endproc\n"
	".size zwd_on_stack, .-zwd_on_stack\n"
	".popsection\n");
#elif defined(__aarch64__)
__asm__(".pushsection .text\n"
	".hidden zwd_on_stack\n"
	".globl zwd_on_stack\n"
	".type zwd_on_stack, %function\n"
	".balign 4\n"
	"zwd_on_stack:\n"
	"	.cfi_startproc\n"
	"	stp	x29, x30, [sp, #-16]!\n"
	"	.cfi_def_cfa_offset 16\n"
	"	.cfi_offset x29, -16\n"
	"	.cfi_offset x30, -8\n"
	"	mov	x29, sp\n"
	"	.cfi_def_cfa_register x29\n"
	"	mov	sp, x0\n"
	"	mov	x0, x2\n"
	"	blr	x1\n"
	"	mov	sp, x29\n"
	"	ldp	x29, x30, [sp], #16\n"
	"	.cfi_def_cfa sp, 0\n"
	"	ret\n"
	"	.cfi_endproc\n"
	".size zwd_on_stack, .-zwd_on_stack\n"
	".popsection\n");
#endif

void zwd_apart(void (*f)(void *arg), void *arg)
{
	int saved_errno = errno;
	char *place = MAP_FAILED, *stack = MAP_FAILED;

	if (!IS_SANITIZED)
		place = mmap(NULL, PLACE_LEN, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (place != MAP_FAILED)
		stack = mmap(place + AWAY_LEN, STACK_LEN, PROT_READ | PROT_WRITE,
			     MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
	if (stack == MAP_FAILED)
		f(arg);
	else
		zwd_on_stack(stack + STACK_LEN, f, arg);
	if (place != MAP_FAILED)
		munmap(place, PLACE_LEN);
	errno = saved_errno;
}
