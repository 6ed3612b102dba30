// SPDX-License-Identifier: Zlib
/*
 * A hostile client of the vfio-user server, with a driver of the modelled device in it: messages of
 * any sort, cut, with descriptors, and memory in which any entries and contexts lie. Whatever it
 * sent, the next client is served.
 */
#include "config.h"
#include "driver.h"
#include "vfu/client.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

enum { RUNS_MAX = 64 };

struct memory memory;

static void setup(void)
{
	memory.fd = memfd_create("client", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	memory.loose_fd = memfd_create("loose", MFD_CLOEXEC);
	check(memory.fd >= 0 && memory.loose_fd >= 0 && !ftruncate(memory.fd, MEM_LEN) &&
		      !ftruncate(memory.loose_fd, MEM_LEN) &&
		      !fcntl(memory.fd, F_ADD_SEALS, F_SEAL_SHRINK),
	      "memfd_create");
	memory.at = mmap(NULL, MEM_LEN, PROT_READ | PROT_WRITE, MAP_SHARED, memory.fd, 0);
	check(memory.at != MAP_FAILED, "mmap");
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
			memcpy(memory.at + (access[0] - IOVA), data + 16, access[1]);
		if (is_inside && is_read)
			memcpy(data + 16, memory.at + (access[0] - IOVA), access[1]);
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

	client_bytes(&c, hello, 22, NULL, 0);
	client_message(&c, 0, VFU_GET_INFO, info, sizeof(info), NULL, 0);
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
	int fd = dup(memory.fd);

	close(fd);
	return fd;
}

static void run(const uint8_t *data, size_t len)
{
	static const char *const options[] = { "qm=3,queues=4,engine=zlib",
					       "vf:qm=2,queues=4,vfs=1", "qm=1,queues=4",
					       "qm=3,queues=8,vfs=3,"
					       "fault=error@*3/short@*5/late=1@*4/stop=1@2/"
					       "reset@9" };
	struct taker t = { data, len };
	struct client c = { .answers_nr = 16 };
	struct vfu vfu;
	unsigned int how = take_byte(&t);
	int event, before;
	pthread_t thread;

	memset(memory.at, 0, MEM_LEN);
	memory.is_v1 = how % 4 == 2;
	memory.is_v3 = how % 4 % 3 == 0;
	check(!vfu_init(&vfu, options[how % 4], how / 4 % 4, NULL), "vfu_init");
	before = lowest_fd();
	c.answers = take_bytes(&t, &c.answers_nr);
	c.fd = connect_to(&vfu);
	event = eventfd(0, EFD_CLOEXEC);
	if (how < 240)
		client_bytes(&c, hello, 22, NULL, 0);
	client_script(&c, &t, event);
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
