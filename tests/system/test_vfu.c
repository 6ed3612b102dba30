// SPDX-License-Identifier: Zlib
/* The vfio-user server against a client of ours, a polite one and a hostile one. No QEMU. */
#include "config.h"
#include "vfu.h"

#include "emu/emu.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#define SEED	20240229
#define MEM_LEN 65536
#define IOVA	0x40000000

struct client {
	struct vfu vfu;
	int fd;
	uint16_t id;
	uint8_t mem[MEM_LEN];	  /* what it reads and writes for the server */
	struct vfu_header header; /* the last reply's */
	uint32_t len;
	uint8_t data[4096];
};

static void client_open(struct client *c)
{
	int fds[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
	fcntl(fds[0], F_SETFL, O_NONBLOCK);
	c->vfu.fd = fds[0];
	c->fd = fds[1];
}

/* pf: of a VF. */
static struct client *client_new_of(const char *options, const struct client *pf)
{
	struct client *c = calloc(1, sizeof(*c));

	assert_non_null(c);
	assert_int_equal(vfu_init(&c->vfu, options, 0, pf ? &pf->vfu : NULL), 0);
	client_open(c);
	return c;
}

static struct client *client_new(void)
{
	return client_new_of("qm=3,queues=4", NULL);
}

static void client_free(struct client *c)
{
	close(c->fd);
	vfu_fini(&c->vfu);
	free(c);
}

static void client_send(struct client *c, unsigned int command, uint32_t flags, const void *data,
			uint32_t len, const int *fds, unsigned int fds_nr)
{
	struct vfu_header header = { c->id, command, sizeof(header) + len, flags, 0 };
	struct iovec iov[] = { { &header, sizeof(header) }, { (void *)data, len } };
	union {
		struct cmsghdr head;
		uint8_t room[CMSG_SPACE(sizeof(int) * VFU_FDS_MAX)];
	} control;
	struct msghdr msg = { .msg_iov = iov, .msg_iovlen = len ? 2 : 1 };

	if (fds_nr) {
		memset(&control, 0, sizeof(control));
		control.head.cmsg_level = SOL_SOCKET;
		control.head.cmsg_type = SCM_RIGHTS;
		control.head.cmsg_len = CMSG_LEN(sizeof(int) * fds_nr);
		memcpy(CMSG_DATA(&control.head), fds, sizeof(int) * fds_nr);
		msg.msg_control = &control;
		msg.msg_controllen = CMSG_SPACE(sizeof(int) * fds_nr);
	}
	assert_int_equal(sendmsg(c->fd, &msg, MSG_NOSIGNAL), sizeof(header) + len);
}

static void read_all(int fd, void *buf, size_t len)
{
	if (len)
		assert_int_equal(recv(fd, buf, len, MSG_WAITALL), len);
}

static void client_receive(struct client *c)
{
	read_all(c->fd, &c->header, sizeof(c->header));
	assert_true(c->header.size >= sizeof(c->header));
	c->len = c->header.size - sizeof(c->header);
	assert_true(c->len <= sizeof(c->data));
	read_all(c->fd, c->data, c->len);
}

/* The error of the reply; 0: success. */
static int call(struct client *c, unsigned int command, const void *data, uint32_t len,
		const int *fds, unsigned int fds_nr)
{
	client_send(c, command, 0, data, len, fds, fds_nr);
	assert_true(vfu_serve(&c->vfu));
	client_receive(c);
	assert_int_equal(c->header.id, c->id);
	assert_int_equal(c->header.command, command);
	assert_int_equal(c->header.flags & VFU_TYPE, VFU_REPLY);
	c->id++;
	assert_int_equal(!!(c->header.flags & VFU_ERROR), c->header.error != 0);
	return c->header.error;
}

static void greet(struct client *c)
{
	static const char hello[] = "\0\0\0\0{}";

	assert_int_equal(call(c, VFU_VERSION, hello, sizeof(hello), NULL, 0), 0);
	assert_true(c->len > 4 && c->data[c->len - 1] == 0);
}

static int access_region(struct client *c, unsigned int command, uint32_t region, uint64_t off,
			 void *buf, uint32_t len)
{
	uint8_t message[64];
	int ret;

	memcpy(message, &off, 8);
	memcpy(message + 8, &region, 4);
	memcpy(message + 12, &len, 4);
	if (command == VFU_REGION_WRITE)
		memcpy(message + 16, buf, len);
	ret = call(c, command, message, command == VFU_REGION_WRITE ? 16 + len : 16, NULL, 0);
	if (!ret && command == VFU_REGION_READ) {
		assert_int_equal(c->len, 16 + len);
		memcpy(buf, c->data + 16, len);
	}
	return ret;
}

static uint32_t rd(struct client *c, uint64_t off)
{
	uint32_t value;

	assert_int_equal(access_region(c, VFU_REGION_READ, 2, off, &value, 4), 0);
	return value;
}

static void wr(struct client *c, uint64_t off, uint32_t value)
{
	assert_int_equal(access_region(c, VFU_REGION_WRITE, 2, off, &value, 4), 0);
}

static int map(struct client *c, uint64_t address, uint64_t size, uint64_t offset, int fd)
{
	const uint64_t m[] = { 32 | UINT64_C(3) << 32, offset, address, size };

	return call(c, VFU_DMA_MAP, m, sizeof(m), &fd, fd >= 0);
}

static int unmap(struct client *c, uint64_t address, uint64_t size)
{
	const uint64_t m[] = { 24, address, size };

	return call(c, VFU_DMA_UNMAP, m, sizeof(m), NULL, 0);
}

/* Lets the device read 32 bytes from there and write them back: an event queue's context. */
static unsigned int mailbox(struct client *c, uint64_t address, bool is_read)
{
	const uint16_t master = 6;

	assert_int_equal(access_region(c, VFU_REGION_WRITE, 7, 4, (void *)&master, 2), 0);
	wr(c, 0x300, 0x2002 | (is_read ? 0x4000 : 0));
	wr(c, 0x304, address);
	wr(c, 0x308, address >> 32);
	wr(c, 0x30c, 0);
	return rd(c, 0x300) >> 9 & 0xf;
}

static int memory_file(size_t len, int seals)
{
	int fd = memfd_create("test", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	assert_true(fd >= 0);
	assert_int_equal(ftruncate(fd, len), 0);
	assert_int_equal(fcntl(fd, F_ADD_SEALS, seals), 0);
	return fd;
}

static void test_info(void **state)
{
	struct client *c = client_new();
	uint32_t info[8] = { 32 }, value;

	greet(c);
	assert_int_equal(call(c, VFU_GET_INFO, info, 16, NULL, 0), 0);
	memcpy(info, c->data, 16);
	assert_int_equal(info[1], 3);
	for (uint32_t i = 0; i < info[2]; i++) {
		uint32_t region[8] = { 32, 0, i };
		uint64_t size;

		assert_int_equal(call(c, VFU_GET_REGION_INFO, region, 32, NULL, 0), 0);
		memcpy(&size, c->data + 16, 8);
		assert_int_equal(size, i == 2 ? 4 << 20 : i == 7 ? 4096 : 0);
	}
	for (uint32_t i = 0; i < info[3]; i++) {
		uint32_t irq[4] = { 16, 0, i };

		assert_int_equal(call(c, VFU_GET_IRQ_INFO, irq, 16, NULL, 0), 0);
		memcpy(irq, c->data, 16);
		assert_int_equal(irq[3], i == 1 ? 4 : 0);
	}
	assert_int_equal(access_region(c, VFU_REGION_READ, 7, 0, &value, 4), 0);
	assert_int_equal(value, 0xa25019e5);
	wr(c, 0x100074, 99);
	assert_int_equal(rd(c, 0x100074), 99);
	assert_int_equal(call(c, VFU_RESET, NULL, 0, NULL, 0), 0);
	assert_int_equal(rd(c, 0x100074), 0);
	client_free(c);
}

static void test_interrupt(void **state)
{
	struct client *c = client_new();
	const uint32_t none[5] = { 20, 0x21, 1 }, set[5] = { 20, 0x24, 1, 3, 1 };
	int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	uint64_t count = 0;

	greet(c);
	assert_int_equal(call(c, VFU_SET_IRQS, set, sizeof(set), &fd, 1), 0);
	wr(c, 0x3010a4, 0);
	wr(c, 0x3010a8, 4);
	assert_int_equal(read(fd, &count, sizeof(count)), sizeof(count));
	assert_int_equal(count, 1);
	assert_int_equal(call(c, VFU_SET_IRQS, none, sizeof(none), NULL, 0), 0);
	wr(c, 0x3010a8, 4);
	assert_int_equal(read(fd, &count, sizeof(count)), -1);
	close(fd);
	client_free(c);
}

static void test_mapped_memory(void **state)
{
	struct client *c = client_new();
	int fd = memory_file(MEM_LEN, F_SEAL_SHRINK), soft = memory_file(MEM_LEN, 0);
	uint8_t *mem = mmap(NULL, MEM_LEN, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	const uint32_t context[8] = { 0, 0x1000, 0, 0, 0, 0, 0x100ff };

	greet(c);
	assert_int_equal(map(c, IOVA, 8192, 4096, fd), 0);
	assert_int_equal(map(c, IOVA, 4096, 0, fd), EEXIST);
	assert_int_equal(map(c, IOVA + 8192, 8192, MEM_LEN - 4096, fd), EINVAL);
	assert_int_equal(map(c, UINT64_MAX - 4095, 8192, 0, fd), EINVAL);
	assert_int_equal(map(c, 0, UINT64_MAX, 0, -1), EINVAL);
	memcpy(mem + 4096, context, 32);
	assert_int_equal(mailbox(c, IOVA, false), 0);
	assert_int_equal(mailbox(c, IOVA + 8192 - 32, true), 0);
	assert_memory_equal(mem + 4096 + 8192 - 32, context, 32);
	assert_int_not_equal(mailbox(c, IOVA + 8192 - 31, true), 0);
	/* After the reply nothing touches it. */
	assert_int_equal(unmap(c, IOVA, 8192), 0);
	assert_int_not_equal(mailbox(c, IOVA, true), 0);
	assert_memory_equal(mem + 4096, context, 32);
	assert_int_equal(unmap(c, 2, UINT64_MAX), EINVAL);
	/* A file that could be made shorter is never mapped. */
	assert_int_equal(map(c, IOVA, 4096, 0, soft), 0);
	assert_int_equal(c->vfu.files_nr, 1);
	close(fd);
	close(soft);
	munmap(mem, MEM_LEN);
	client_free(c);
}

/* Answers the server's requests for memory until the connection ends. */
static void *answer(void *arg)
{
	struct client *c = arg;
	struct vfu_header h;
	uint64_t access[2];

	while (recv(c->fd, &h, sizeof(h), MSG_WAITALL) == sizeof(h)) {
		read_all(c->fd, access, sizeof(access));
		if (h.command == VFU_DMA_WRITE)
			read_all(c->fd, c->mem + (access[0] - IOVA), access[1]);
		h.flags = VFU_REPLY;
		h.size = sizeof(h) + sizeof(access) + (h.command == VFU_DMA_READ ? access[1] : 0);
		send(c->fd, &h, sizeof(h), MSG_NOSIGNAL);
		send(c->fd, access, sizeof(access), MSG_NOSIGNAL);
		if (h.command == VFU_DMA_READ)
			send(c->fd, c->mem + (access[0] - IOVA), access[1], MSG_NOSIGNAL);
	}
	return NULL;
}

static void test_memory_by_message(void **state)
{
	struct client *c = client_new();
	const uint32_t context[8] = { 0, 0x1000, 0, 0, 0, 0, 0x100ff };
	const uint16_t master = 6;
	uint32_t word[] = { 0x2002, IOVA + 64, 0, 0 };
	pthread_t thread;

	greet(c);
	assert_int_equal(map(c, IOVA, MEM_LEN, 0, -1), 0);
	memcpy(c->mem + 64, context, sizeof(context));
	assert_int_equal(access_region(c, VFU_REGION_WRITE, 7, 4, (void *)&master, 2), 0);
	pthread_create(&thread, NULL, answer, c);
	assert_int_equal(emu_qm_write(c->vfu.qm, 2, 0x300, word, sizeof(word)), 0);
	word[0] = 0x6002;
	word[1] = IOVA + 4096;
	assert_int_equal(emu_qm_write(c->vfu.qm, 2, 0x300, word, sizeof(word)), 0);
	assert_int_equal(emu_qm_read(c->vfu.qm, 2, 0x300, word, 4), 0);
	assert_int_equal(word[0] >> 9 & 0xf, 0);
	shutdown(c->vfu.fd, SHUT_RDWR);
	pthread_join(thread, NULL);
	assert_memory_equal(c->mem + 4096, context, sizeof(context));
	assert_int_equal(c->vfu.dma_messages, 2);
	/* Without a client there is no memory. */
	assert_int_equal(emu_qm_write(c->vfu.qm, 2, 0x300, word, sizeof(word)), 0);
	client_free(c);
}

static void test_refused(void **state)
{
	struct client *c = client_new();
	static const struct {
		unsigned int command;
		uint32_t words[6];
		uint32_t len;
	} bad[] = {
		{ VFU_VERSION, { 0 }, 4 },
		{ VFU_DMA_MAP, { 32 }, 31 },
		{ VFU_DMA_UNMAP, { 0 }, 20 },
		{ VFU_GET_REGION_INFO, { 0 }, 16 },
		{ VFU_GET_REGION_IO_FDS, { 0 }, 16 },
		{ VFU_GET_IRQ_INFO, { 16, 0, 5 }, 16 },
		{ VFU_SET_IRQS, { 20, 0x24, 1, 4, 1 }, 20 },
		{ VFU_SET_IRQS, { 20, 0x24, 1, 0xffffffff, 2 }, 20 },
		{ VFU_SET_IRQS, { 20, 0x24, 0, 0, 1 }, 20 },
		{ VFU_SET_IRQS, { 20, 0xff, 1, 0, 1 }, 20 },
		{ VFU_REGION_READ, { 0, 0, 2, 0 }, 16 },
		{ VFU_REGION_READ, { 0, 0, 2, 0x80000000 }, 16 },
		{ VFU_REGION_READ, { 0x3ffffe, 0, 2, 4 }, 16 },
		{ VFU_REGION_READ, { 0xffffffff, 0xffffffff, 2, 4 }, 16 },
		{ VFU_REGION_READ, { 0, 0, 0, 4 }, 16 },
		{ VFU_REGION_READ, { 0, 0, 99, 4 }, 16 },
		{ VFU_REGION_READ, { 4095, 0, 7, 4 }, 16 },
		{ VFU_REGION_WRITE, { 0, 0, 2, 5, 0 }, 20 },
		{ VFU_REGION_WRITE, { 0, 0, 2, 0xffffffff, 0 }, 20 },
		{ VFU_DMA_READ, { 0 }, 16 },
		{ 0, { 0 }, 0 },
		{ 0xffff, { 0 }, 24 },
	};

	/* Nothing before the version. */
	assert_int_equal(call(c, VFU_GET_INFO, bad, 16, NULL, 0), EINVAL);
	assert_int_equal(call(c, VFU_VERSION, "\1\0\0\0", 4, NULL, 0), ENOTSUP);
	greet(c);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_not_equal(call(c, bad[i].command, bad[i].words, bad[i].len, NULL, 0), 0);
	/* It still works. */
	assert_int_equal(rd(c, 0x300150), 3);
	client_free(c);
}

/* Where a message ends is not known any more: the connection is over, the next client is served. */
static void test_broken(void **state)
{
	struct client *c = client_new();
	static const uint32_t sizes[] = { 0, 15, 2u << 20, UINT32_MAX };

	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		struct vfu_header header = { 0, VFU_GET_INFO, sizes[i], 0, 0 };

		greet(c);
		assert_int_equal(send(c->fd, &header, sizeof(header), 0), sizeof(header));
		assert_false(vfu_serve(&c->vfu));
		vfu_disconnect(&c->vfu);
		close(c->fd);
		client_open(c);
	}
	client_free(c);
}

static uint32_t next_random(uint32_t *seed)
{
	*seed ^= *seed << 13;
	*seed ^= *seed >> 17;
	*seed ^= *seed << 5;
	return *seed;
}

/* Random messages, with random descriptors, some of them cut in two. */
static void test_random(void **state)
{
	struct client *c = client_new();
	uint32_t seed = SEED;

	print_message("seed %u\n", SEED);
	greet(c);
	for (unsigned int i = 0; i < 20000; i++) {
		const unsigned int command = next_random(&seed) % 16;
		uint32_t data[16], len = next_random(&seed) % sizeof(data), flags = 0;
		int fd = command == VFU_SET_IRQS ? eventfd(0, EFD_CLOEXEC)
						 : memory_file(4096, F_SEAL_SHRINK);
		uint8_t drop[4096];

		for (unsigned int w = 0; w < 16; w++) {
			/* Small numbers meet valid values, others the ends of ranges. */
			data[w] = next_random(&seed);
			if (data[w] & 1)
				data[w] = data[w] >> 1 & 0x3f;
			else if (data[w] & 2)
				data[w] |= 0xfffff000;
		}
		if (next_random(&seed) % 8 == 0)
			flags = VFU_NO_REPLY;
		client_send(c, command, flags, data, len, &fd, next_random(&seed) % 2);
		close(fd);
		assert_true(vfu_serve(&c->vfu));
		for (int n = 0; n < 3; n++)
			emu_qm_run(c->vfu.qm);
		while (recv(c->fd, drop, sizeof(drop), MSG_DONTWAIT) > 0)
			;
	}
	client_free(c);
}

/* A VF whose PF another client has, and one whose PF nobody has. */
static void test_functions(void **state)
{
	struct client *pf = client_new_of("qm=3,queues=8,vfs=1", NULL);
	struct client *vf = client_new_of("vf", pf);
	struct client *alone = client_new_of("vf:qm=2,queues=8,vfs=1", NULL);
	struct vfu no;
	uint32_t id;

	assert_int_equal(vfu_init(&no, "vf", 0, NULL), -EINVAL);
	assert_int_equal(vfu_init(&no, "vf", 0, &pf->vfu), -ENOSPC);
	assert_int_equal(vfu_init(&no, "vf:qm=2,queues=8", 0, NULL), -ENOSPC);
	assert_int_equal(vfu_init(&no, "vf:nonsense=1", 0, NULL), -EINVAL);
	for (int i = 0; i < 2; i++) {
		struct client *c = i ? vf : alone;

		greet(c);
		assert_int_equal(access_region(c, VFU_REGION_READ, 7, 0, &id, 4), 0);
		assert_int_equal(id, 0xa25119e5);
		assert_int_equal(access_region(c, VFU_REGION_READ, 2, 0xfffc, &id, 4), 0);
		assert_int_equal(access_region(c, VFU_REGION_READ, 2, 0x10000, &id, 4), EINVAL);
	}
	client_free(alone);
	/* The PF's client may go first. */
	vfu_disconnect(&pf->vfu);
	rd(vf, 0);
	client_free(vf);
	client_free(pf);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_info),	      cmocka_unit_test(test_interrupt),
		cmocka_unit_test(test_mapped_memory), cmocka_unit_test(test_memory_by_message),
		cmocka_unit_test(test_refused),	      cmocka_unit_test(test_broken),
		cmocka_unit_test(test_functions),     cmocka_unit_test(test_random),
	};

	alarm(300);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
