/* SPDX-License-Identifier: Zlib */
/* A kernel in the test: sysfs, VFIO with sdmdev, and uacce, with the emulated device's engines behind. */
#ifndef FAKE_KERNEL_H
#define FAKE_KERNEL_H

#include <pthread.h>
#include <stdint.h>
#include <wd/sdmdev.h>

#define FAKE_QUEUES 3 /* of each function */
#define FAKE_FUNCTIONS 2
#define FAKE_UACCE "hisi_zip-0"

struct fake_setup {
	const char *emu;	/* options of the emulated device */
	uint32_t mode;		/* SDMDEV_DMA_*; 0: uacce */
	uint64_t aperture_end;	/* 0: all there is */
	uint64_t mmio_len;	/* 0: a page */
	int has_no_events;	/* SET_IRQS is not known */
	int has_no_info;	/* nor SET_QP_INFO */
	uint32_t flags;		/* of uacce; 0: 1, shared addresses */
	uint64_t slices_max;	/* of uacce's memory; 0: 128 MiB */
};

/* The function's name, as it is listed. */
const char *fake_parent(unsigned int function);

void fake_kernel_init(const struct fake_setup *setup);
void fake_kernel_fini(void);

/* What user space has. */
struct fake_counts {
	unsigned int fds;
	unsigned int maps;
	unsigned int dma_maps;
	unsigned int shares;
	unsigned int slices;
	unsigned int started;
};
struct fake_counts fake_counts(void);
/* System calls so far, those that release something not counted. */
unsigned int fake_calls(void);
/* The call of that number fails. 0: none. */
void fake_fail(unsigned int call, int error);
/* The n-th file from now on gets the number 0, which is the caller's to give. */
void fake_number_zero(unsigned int n);
/* What is read of this attribute, NULL: there is none; or the link of that name; or "", the name of uacce's device. */
void fake_answer(const char *attribute, const char *text);
/* The same of a second attribute, until the next call of fake_answer(). */
void fake_answer_too(const char *attribute, const char *text);
/* These answers are of one function alone. */
void fake_answer_of(unsigned int function);
/* Of the functions, and of the CPU that calls run on; without it 1, 1 and 0. Nodes 0, 2 and 3 are online. */
void fake_nodes(int first, int second, int cpu);
/* Requests that were refused. */
unsigned int fake_refused(void);

/* Another process has it. */
void fake_take_group(unsigned int function, unsigned int queue);
void fake_take_function(unsigned int function);
/* Opening uacce's node fails so; 0: it does not. */
void fake_refuse_open(int error);

/* The program closes all files of the kernel's, and has another one at their numbers then, or none. */
void fake_close_files(int with);

void fake_want_removal(void);
/* All queues: SDMDEV_STATE_RESET or _DEAD; with the latter uacce answers no more. */
void fake_fail_device(enum sdmdev_state state);

/* In a child that was not made by fork(), before it does anything. */
void fake_forked(void);
/* Held wherever the kernel is at work. */
extern pthread_mutex_t fake_lock;

/* In place of a doorbell that traps. */
void fake_doorbell(void *tq, uint64_t value);

#endif
