// SPDX-License-Identifier: Zlib
/*
 * A hostile client of the vfio-user server, with a driver of the modelled device in it: messages of
 * any sort, cut, with descriptors, and memory in which any entries and contexts lie. Whatever it
 * sent, the next client is served.
 */
#include "config.h"
#include "driver.h"
#include "../system/vfu.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

/* The client's memory: contexts, rings, then data. */
enum { MEM_LEN = 1 << 18, RINGS = 0x1000, DATA = 0x10000, RUNS_MAX = 64, SENT_MAX = 60000 };
#define IOVA UINT64_C(0x40000000)

static uint8_t *mem;
static bool is_v1, is_v3;
static int mem_fd, loose_fd; /* that can be mapped, that must not be */

struct client {
	int fd;
	size_t sent; /* no more than the socket takes without a reader */
	uint16_t id;
	const uint8_t *answers; /* how the server's own requests are answered, by turns */
	size_t answers_nr;
};

static void setup(void)
{
	mem_fd = memfd_create("client", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	loose_fd = memfd_create("loose", MFD_CLOEXEC);
	check(mem_fd >= 0 && loose_fd >= 0 && !ftruncate(mem_fd, MEM_LEN) &&
		      !ftruncate(loose_fd, MEM_LEN) && !fcntl(mem_fd, F_ADD_SEALS, F_SEAL_SHRINK),
	      "memfd_create");
	mem = mmap(NULL, MEM_LEN, PROT_READ | PROT_WRITE, MAP_SHARED, mem_fd, 0);
	check(mem != MAP_FAILED, "mmap");
}

static void send_bytes(struct client *c, const void *data, size_t len, const int *fds,
		       size_t fds_nr)
{
	struct iovec iov = { (void *)data, len };
	union {
		struct cmsghdr head;
		uint8_t room[CMSG_SPACE(sizeof(int) * 32)];
	} control;
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };

	if (!len || c->sent + len > SENT_MAX)
		return;
	c->sent += len + 300; /* as the kernel counts */
	if (fds_nr) {
		memset(&control, 0, sizeof(control));
		control.head.cmsg_level = SOL_SOCKET;
		control.head.cmsg_type = SCM_RIGHTS;
		control.head.cmsg_len = CMSG_LEN(sizeof(int) * fds_nr);
		memcpy(CMSG_DATA(&control.head), fds, sizeof(int) * fds_nr);
		msg.msg_control = &control;
		msg.msg_controllen = CMSG_SPACE(sizeof(int) * fds_nr);
	}
	sendmsg(c->fd, &msg, MSG_NOSIGNAL | MSG_DONTWAIT);
}

/* how: what is wrong with the message, mostly nothing. */
static void send_message(struct client *c, unsigned int how, unsigned int command, const void *data,
			 size_t len, const int *fds, size_t fds_nr)
{
	struct vfu_header header = { c->id++, (uint16_t)command, (uint32_t)(sizeof(header) + len),
				     0, 0 };
	uint8_t message[sizeof(header) + 512];

	if (how >= 250)
		header.size += how % 2 ? 1u : UINT32_MAX;
	else if (how >= 244)
		header.size = how % 2 ? how % 16 : 1u << how % 32;
	if (how >= 236 && how < 244)
		header.flags = 1u << how % 8;
	len = len < 512 ? len : 512;
	memcpy(message, &header, sizeof(header));
	if (len)
		memcpy(message + sizeof(header), data, len);
	send_bytes(c, message, sizeof(header) + len - (how >= 232 && how < 236 && len), fds,
		   fds_nr);
}

static size_t take_fds(struct taker *t, int *fds, int event)
{
	const int some[] = { mem_fd, mem_fd, event, loose_fd };
	unsigned int how = take_byte(t);
	size_t nr = how < 200 ? 1 : how % 24;

	for (size_t i = 0; i < nr; i++)
		fds[i] = some[(how + i) % 4];
	return nr;
}

/* A multiple of the page, or not. */
static uint64_t take_place(struct taker *t)
{
	unsigned int how = take_byte(t);

	if (how >= 250)
		return take_u64(t);
	return (uint64_t)(how % 64) << 12 | (how >= 240 ? how : 0);
}

static void send_map(struct client *c, struct taker *t, int event)
{
	struct {
		uint32_t argsz, flags;
		uint64_t offset, address, size;
	} map = { sizeof(map), take_byte(t) % 8, 0, IOVA, MEM_LEN };
	unsigned int how = take_byte(t);
	int fds[32];
	size_t fds_nr = 0;

	if (how % 2)
		fds_nr = take_fds(t, fds, event);
	if (how >= 128) {
		map.address += take_place(t);
		map.size = take_place(t);
		map.offset = how >= 200 ? take_place(t) : 0;
	}
	send_message(c, take_byte(t), VFU_DMA_MAP, &map, sizeof(map), fds, fds_nr);
}

static void send_unmap(struct client *c, struct taker *t)
{
	uint32_t flags = take_byte(t) >= 200 ? 2 : 0;
	struct {
		uint32_t argsz, flags;
		uint64_t address, size;
	} unmap = { sizeof(unmap), flags, IOVA + take_place(t), take_place(t) };

	send_message(c, take_byte(t), VFU_DMA_UNMAP, &unmap, sizeof(unmap), NULL, 0);
}

static void send_access(struct client *c, unsigned int how, bool is_write, uint32_t region,
			uint64_t off, const void *data, uint32_t len)
{
	uint8_t message[16 + 256];

	memcpy(message, &off, 8);
	memcpy(message + 8, &region, 4);
	memcpy(message + 12, &len, 4);
	if (is_write)
		memcpy(message + 16, data, len < 256 ? len : 256);
	send_message(c, how, is_write ? VFU_REGION_WRITE : VFU_REGION_READ, message,
		     16 + (is_write ? len < 256 ? len : 256 : 0), NULL, 0);
}

static void send_any_access(struct client *c, struct taker *t)
{
	static const uint32_t offsets[] = {
		0x0,	  0x4,	    0x8,      0xc,	0x20,	  0x2c,	    0x300,    0x304,
		0x308,	  0x30c,    0x340,    0x1000,	0x2000,	  0x3100,   0x100000, 0x100004,
		0x10000c, 0x100040, 0x100054, 0x100058, 0x10005c, 0x100060, 0x100064, 0x100068,
		0x10006c, 0x1040f8, 0x300000, 0x301000, 0x3010a8, 0x30120c, 0x302000, 0x3fffff
	};
	static const uint32_t lens[] = { 4,  4,	  4, 8,	   1,	    2,	     3, 12,
					 64, 256, 0, 4096, 1 << 16, 1 << 20, 5, 7 };
	unsigned int how = take_byte(t), len_how = take_byte(t);
	uint64_t off = offsets[how % 32], value[32] = { take_u64(t) };
	uint32_t region = how < 200 ? 2 : how < 230 ? 7 : take_byte(t) % 12;

	if (region == 7)
		off = take_byte(t);
	if (len_how >= 240)
		off = take_u64(t);
	send_access(c, take_byte(t), len_how & 1, region, off, value, lens[len_how / 2 % 16]);
}

static void send_mailbox(struct client *c, uint32_t command, unsigned int slot)
{
	uint64_t at = IOVA + slot % 32 * 32;
	uint32_t words[4] = { 0x2000 | command, (uint32_t)at, (uint32_t)(at >> 32), 0 };

	for (int i = 0; i < 4; i++)
		send_access(c, 0, true, 2, 0x300 + i * 4, &words[i], 4);
}

static void send_any_mailbox(struct client *c, struct taker *t)
{
	unsigned int command = take_byte(t), queue = take_byte(t);

	send_mailbox(c,
		     command % 16 | (command & 0x80 ? 0x4000 : 0) |
			     (queue < 240 ? queue % 4 : queue) << 16,
		     take_byte(t));
}

static void put_context(unsigned int slot, unsigned int ring, unsigned int shape)
{
	uint64_t base = IOVA + RINGS + ring % 12 * 0x1000;
	uint32_t words[8] = { 0 };

	words[1] = (uint32_t)base;
	words[2] = (uint32_t)(base >> 32);
	/* Depths of 2 to 64, an entry of 128 or 16 bytes; version 1 has the depth elsewhere. */
	words[3] = (shape & 1 ? 7u : 4u) << 12 | ((2u << shape / 2 % 6) - 1);
	words[4] = is_v1 ? (2u << shape / 2 % 6) - 1 : 0;
	words[6] = (shape & 2 ? 1u << 24 : 0) | (shape & 4 ? 1u << 16 : 0) | (shape & 8 ? 3 : 63);
	memcpy(mem + slot % 32 * 32, words, sizeof(words));
}

/* A request of the ZIP unit, in a ring's entry. */
static void put_request(struct taker *t, unsigned int entry)
{
	unsigned int how = take_byte(t);
	uint32_t words[32] = { 0 };

	words[4] = take_byte(t) * 16; /* src_len */
	words[7] =
		how >= 200 ? take_u32(t) : (how % 8) << 25 | (is_v3 ? 3u : 0u) << 28; /* src_ctrl */
	words[9] = how >= 220 ? take_u32(t) : how / 8 % 4 | how / 32 << 12;	      /* req_ctrl */
	words[14] = take_byte(t) * 64;						      /* dst_len */
	for (int i = 18; i < 24; i += 2) {
		words[i] = (uint32_t)(IOVA + DATA + take_byte(t) * 64);
		words[i + 1] = (uint32_t)(IOVA >> 32);
	}
	memcpy(mem + RINGS + entry % 64 * 128, words, sizeof(words));
}

/* As a driver begins: memory, the bus, and a queue pair with its events. */
static void send_start(struct client *c, struct taker *t)
{
	const struct {
		uint32_t off, value;
	} vft[] = { { 0x10005c, 0 },
		    { 0x100060, 0 },
		    { 0x100064, 0 },
		    { 0x100068, 3u << 13 | 1u << 12 },
		    { 0x100054, 1 } };
	const uint16_t master = 6;
	unsigned int queue = take_byte(t) % 4;
	uint64_t doorbell;
	struct {
		uint32_t argsz, flags;
		uint64_t offset, address, size;
	} map = { sizeof(map), 3, 0, IOVA, MEM_LEN };

	send_message(c, 0, VFU_DMA_MAP, &map, sizeof(map), &mem_fd, queue % 2);
	send_access(c, 0, true, 7, 4, &master, 2);
	for (unsigned int i = 0; i < 5; i++) /* queues of function 0 */
		send_access(c, 0, true, 2, vft[i].off, &vft[i].value, 4);
	for (unsigned int i = 0; i < 4; i++) { /* SQ, CQ, EQ, AEQ */
		put_context(4 * queue + i, i ? 3 + i : 0, (take_byte(t) & ~1u) | !i);
		send_mailbox(c, i | (i < 2 ? queue << 16 : 0), 4 * queue + i);
	}
	put_request(t, 0);
	doorbell = queue | (uint64_t)(take_byte(t) % 4) << 32;
	send_access(c, 0, true, 2, 0x1000, &doorbell, 8);
}

static void send_doorbell(struct client *c, struct taker *t)
{
	unsigned int how = take_byte(t);
	uint64_t value = how % 4 | (uint64_t)(how / 4 % 4) << 12 | (uint64_t)take_byte(t) << 32 |
			 (uint64_t)(how / 128) << 48;

	if (how / 16 % 8 == 7)
		value = take_u64(t);
	send_access(c, 0, true, 2, how / 4 % 4 < 2 ? 0x1000 : 0x2000, &value, 8);
}

static void send_irqs(struct client *c, struct taker *t, int event)
{
	unsigned int how = take_byte(t);
	uint32_t set[5] = { 20, how & 1 ? 0x24 : 0x21, 1, how / 2 % 8, how / 16 };
	int fds[32];
	size_t fds_nr = 0;

	if (how >= 240)
		set[how % 5] = take_u32(t);
	for (; how & 1 && fds_nr < set[4] && fds_nr < 16; fds_nr++)
		fds[fds_nr] = fds_nr == 3 ? mem_fd : event;
	if (how % 16 == 15)
		fds_nr = take_fds(t, fds, event);
	send_message(c, take_byte(t), VFU_SET_IRQS, set, sizeof(set), fds, fds_nr);
}

/* A context, a request of the ZIP unit, or any bytes. */
static void put_memory(struct taker *t)
{
	unsigned int how = take_byte(t), place = take_byte(t);
	size_t len = 8 + how % 200;

	if (how < 60) {
		put_context(place, place / 32 * 3, how);
	} else if (how < 180) {
		put_request(t, place);
	} else {
		const uint8_t *from = take_bytes(t, &len);

		memcpy(mem + (how % 2 ? DATA : 0) + place * 16, from, len);
	}
}

static void send_any(struct client *c, struct taker *t, int event)
{
	unsigned int command = take_byte(t);
	size_t len = take_byte(t) % 48, fds_nr = 0;
	const uint8_t *data;
	int fds[32];

	if (command >= 128)
		fds_nr = take_fds(t, fds, event);
	data = take_bytes(t, &len);
	send_message(c, take_byte(t), command % 16, data, len, fds, fds_nr);
}

static void send_script(struct client *c, struct taker *t, int event)
{
	static const uint32_t info[8] = { 32 };
	const uint16_t master = 6;
	const uint8_t *data;
	size_t len;

	while (t->len) {
		unsigned int kind = take_byte(t);

		switch (kind % 16) {
		case 0:
			len = kind / 16;
			data = take_bytes(t, &len);
			send_bytes(c, data, len, NULL, 0);
			break;
		case 1:
			send_any(c, t, event);
			break;
		case 2:
			send_unmap(c, t);
			break;
		case 3:
			send_map(c, t, event);
			break;
		case 4:
			send_irqs(c, t, event);
			break;
		case 5:
			send_message(c, take_byte(t), VFU_GET_INFO + kind / 16 % 4, info, 32, NULL,
				     0);
			break;
		case 6:
			if (kind >= 192)
				send_message(c, 0, VFU_RESET, NULL, 0, NULL, 0);
			send_access(c, 0, true, 7, 4, &master, 2);
			break;
		case 7:
		case 8:
			send_any_access(c, t);
			break;
		case 9:
			send_any_mailbox(c, t);
			break;
		case 10:
			send_start(c, t);
			break;
		case 11:
		case 12:
			send_doorbell(c, t);
			break;
		default:
			put_memory(t);
			break;
		}
	}
}

static bool read_all(int fd, void *buf, size_t len)
{
	return !len || recv(fd, buf, len, MSG_WAITALL) == (ssize_t)len;
}

/* What the server asks for is answered, well or badly; all else goes. */
static void *answer(void *arg)
{
	static uint8_t data[VFU_XFER_MAX + 64];
	struct client *c = arg;
	struct vfu_header header;
	unsigned int nr = 0;
	uint64_t access[2];

	while (read_all(c->fd, &header, sizeof(header)) && header.size >= sizeof(header) &&
	       header.size - sizeof(header) <= sizeof(data) &&
	       read_all(c->fd, data, header.size - sizeof(header))) {
		uint8_t how = c->answers_nr ? c->answers[nr++ % c->answers_nr] : 0;
		bool is_read = header.command == VFU_DMA_READ, is_inside;

		if (header.flags & VFU_TYPE || (!is_read && header.command != VFU_DMA_WRITE))
			continue;
		if (how >= 252) { /* not at all */
			shutdown(c->fd, SHUT_RDWR);
			break;
		}
		memcpy(access, data, sizeof(access));
		is_inside = access[0] >= IOVA && access[0] - IOVA <= MEM_LEN - access[1] &&
			    access[1] <= 65536;
		if (is_inside && !is_read)
			memcpy(mem + (access[0] - IOVA), data + 16, access[1]);
		if (is_inside && is_read)
			memcpy(data + 16, mem + (access[0] - IOVA), access[1]);
		header.flags = VFU_REPLY | (how >= 240 || !is_inside ? VFU_ERROR : 0);
		header.size = (uint32_t)(sizeof(header) + 16 + (is_read ? access[1] : 0)) -
			      (how & 64 ? 0 : how >= 230);
		send(c->fd, &header, sizeof(header), MSG_NOSIGNAL);
		send(c->fd, data, header.size - sizeof(header), MSG_NOSIGNAL);
	}
	shutdown(c->fd, SHUT_RDWR);
	return NULL;
}

static int connect_to(struct vfu *vfu)
{
	/* A client that waits for the rest of an answer, as the server does for the rest of its. */
	const struct timeval patience = { 0, 100000 };
	int fds[2];

	check(!socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), "socketpair");
	setsockopt(fds[1], SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	fcntl(fds[0], F_SETFL, O_NONBLOCK);
	vfu->fd = fds[0];
	return fds[1];
}

static const char hello[] = "\0\0\1\0\x16\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0{}";

static void check_next_client(struct vfu *vfu)
{
	static const uint32_t info[4] = { 16 };
	struct client c = { .fd = connect_to(vfu) };
	struct vfu_header header;
	char data[4096];

	send_bytes(&c, hello, 22, NULL, 0);
	send_message(&c, 0, VFU_GET_INFO, info, sizeof(info), NULL, 0);
	check(vfu_serve(vfu), "the next client is sent away");
	for (int i = 0; i < 2; i++)
		check(read_all(c.fd, &header, sizeof(header)) && !(header.flags & VFU_ERROR) &&
			      header.size - sizeof(header) <= sizeof(data) &&
			      read_all(c.fd, data, header.size - sizeof(header)),
		      "the next client gets no answer");
	close(c.fd);
	vfu_disconnect(vfu);
}

static int lowest_fd(void)
{
	int fd = dup(mem_fd);

	close(fd);
	return fd;
}

static void run(const uint8_t *data, size_t len)
{
	static const char *const options[] = { "qm=3,queues=4,engine=zlib", "qm=2,queues=4",
					       "qm=1,queues=4",
					       "qm=3,queues=4,fault=error@*3/short@*5/reset@9" };
	struct taker t = { data, len };
	struct client c = { .answers_nr = 16 };
	struct vfu vfu;
	unsigned int how = take_byte(&t);
	int event, before;
	pthread_t thread;

	memset(mem, 0, MEM_LEN);
	is_v1 = how % 4 == 2;
	is_v3 = how % 4 % 3 == 0;
	check(!vfu_init(&vfu, options[how % 4], how / 4 % 4), "vfu_init");
	before = lowest_fd();
	c.answers = take_bytes(&t, &c.answers_nr);
	c.fd = connect_to(&vfu);
	event = eventfd(0, EFD_CLOEXEC);
	if (how < 240)
		send_bytes(&c, hello, 22, NULL, 0);
	send_script(&c, &t, event);
	check(!pthread_create(&thread, NULL, answer, &c), "pthread_create");
	vfu_serve(&vfu);
	for (int i = 0; i < RUNS_MAX && emu_qm_run(vfu.qm) == 0; i++)
		vfu_serve(&vfu);
	shutdown(vfu.fd, SHUT_RDWR);
	pthread_join(thread, NULL);
	close(c.fd);
	close(event);
	vfu_disconnect(&vfu);
	check(lowest_fd() == before, "a descriptor is left open");
	check_next_client(&vfu);
	vfu_fini(&vfu);
}

static size_t make(struct random *r, uint8_t *data, size_t room)
{
	size_t len = 18 + random_below(r, random_below(r, 4) ? 100 : 600);

	(void)room;
	for (size_t i = 0; i < len; i++)
		data[i] = (uint8_t)random_next(r);
	if (random_below(r, 4))
		data[17] = 10; /* send_start() */
	return len;
}

const struct fuzzer fuzzer = {
	.name = "fuzz_vfu",
	.len_max = 2048,
	.limit_s = 20,
	.setup = setup,
	.make = make,
	.run = run,
};
