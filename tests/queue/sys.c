/* SPDX-License-Identifier: Zlib */
/* Guards the system calls of the transports: -errno, errno as it was, and what is read of sysfs's files. */
#include "config.h"
#include <fcntl.h>
#include <limits.h>
#include <malloc.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include "queue.h"
#include "transport/sys.h"

static const struct wd_sys *const sys = &wd_sys_linux;
static char folder[] = "/tmp/wd-sys-XXXXXX";

static const char *in_folder(const char *name)
{
	static char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	return path;
}

static void put(const char *name, const char *text)
{
	int fd = open(in_folder(name), O_CREAT | O_WRONLY, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	close(fd);
}

static int make_folder(void **state)
{
	return !mkdtemp(folder);
}

static int drop_folder(void **state)
{
	static const char *const names[] = { "plain", "blanks", "empty", "number", "word", "link", ".hidden", "sub" };

	for (size_t i = 0; i < ARRAY_NR(names); i++)
		remove(in_folder(names[i]));
	return rmdir(folder);
}

static void test_files(void **state)
{
	struct wd_sys_identity one, same, other;
	int fd, again, event, size;
	void *mem;

	errno = 1234;
	put("plain", "12345678");
	fd = sys->open(in_folder("plain"), O_RDWR);
	assert_true(fd >= 0);
	assert_int_equal(fcntl(fd, F_GETFD), FD_CLOEXEC);
	again = dup(fd);
	event = sys->eventfd();
	assert_true(event >= 0);
	/* The same file by another number, and one without a name. */
	assert_int_equal(sys->identity(fd, &one), 0);
	assert_int_equal(sys->identity(again, &same), 0);
	assert_int_equal(sys->identity(event, &other), 0);
	assert_memory_equal(&one, &same, sizeof(one));
	assert_true(one.dev != other.dev || one.ino != other.ino);
	assert_string_equal(one.kind, "");
	assert_non_null(strstr(other.kind, "eventfd"));
	assert_int_equal(sys->ioctl(fd, FIONREAD, &size), 0);
	assert_int_equal(size, 8);
	assert_int_equal(sys->map(fd, 0, 8, PROT_READ | PROT_WRITE, &mem), 0);
	assert_memory_equal(mem, "12345678", 8);
	assert_int_equal(sys->unmap(mem, 8), 0);
	assert_int_equal(sys->poll(&(struct pollfd){ .fd = event, .events = POLLIN }, 1, 0), 0);
	assert_int_equal(sys->poll(&(struct pollfd){ .fd = event, .events = POLLOUT }, 1, 0), 1);
	assert_int_equal(sys->close(fd), 0);
	assert_int_equal(sys->close(event), 0);
	/* Each says what is wrong. */
	assert_int_equal(sys->identity(fd, &one), -EBADF);
	assert_int_equal(sys->ioctl(again, 0x1234567, &size), -ENOTTY);
	assert_int_equal(sys->map(fd, 0, 8, PROT_READ, &mem), -EBADF);
	assert_int_equal(sys->unmap((void *)1, 8), -EINVAL);
	assert_int_equal(sys->close(fd), -EBADF);
	assert_int_equal(sys->open(in_folder("nothing"), O_RDONLY), -ENOENT);
	assert_int_equal(sys->access(in_folder("nothing"), F_OK), -ENOENT);
	assert_int_equal(sys->access(in_folder("plain"), R_OK), 0);
	close(again);
	assert_int_equal(errno, 1234);
}

static void test_attributes(void **state)
{
	char text[16];
	long long value = 77;

	errno = 1234;
	put("blanks", "uacce \t\n\n");
	assert_int_equal(sys->read(in_folder("blanks"), text, sizeof(text)), 0);
	assert_string_equal(text, "uacce");
	put("empty", "");
	assert_int_equal(sys->read(in_folder("empty"), text, sizeof(text)), 0);
	assert_string_equal(text, "");
	assert_int_equal(sys->read(in_folder("plain"), text, 5), 0);
	assert_string_equal(text, "1234");
	assert_int_equal(sys->read(in_folder("nothing"), text, sizeof(text)), -ENOENT);
	assert_int_equal(sys->read(folder, text, sizeof(text)), -EISDIR);
	put("number", "0x10\n");
	put("word", "one\n");
	assert_int_equal(wd_sys_number(in_folder("word"), &value), -EINVAL);
	assert_int_equal(wd_sys_number(in_folder("empty"), &value), -EINVAL);
	assert_int_equal(wd_sys_number(in_folder("nothing"), &value), -ENOENT);
	assert_int_equal(value, 77);
	assert_int_equal(wd_sys_number(in_folder("number"), &value), 0);
	assert_int_equal(value, 16);
	assert_int_equal(symlink("../bus/pci", in_folder("link")), 0);
	assert_int_equal(sys->readlink(in_folder("link"), text, sizeof(text)), 0);
	assert_string_equal(text, "../bus/pci");
	assert_int_equal(sys->readlink(in_folder("link"), text, 10), -ENAMETOOLONG);
	assert_int_equal(sys->readlink(in_folder("plain"), text, sizeof(text)), -EINVAL);
	assert_int_equal(errno, 1234);
}

static int describe(const char *name, struct wd_device_info *info)
{
	*info = (struct wd_device_info){ 0 };
	snprintf(info->name, sizeof(info->name), "%s", name);
	return strcmp(name, "link") != 0;
}

/* Sorted, without those that begin with a dot. */
static void test_names(void **state)
{
	static const char all[] = "blanks\0empty\0link\0number\0plain\0sub\0word\0";
	struct wd_device_info info[2];
	size_t before;
	char *names;

	errno = 1234;
	put(".hidden", "");
	assert_int_equal(mkdir(in_folder("sub"), 0700), 0);
	assert_int_equal(sys->names(folder, &names), 7);
	assert_memory_equal(names, all, sizeof(all));
	free(names);
	assert_int_equal(sys->names(in_folder("sub"), &names), 0);
	assert_string_equal(names, "");
	free(names);
	assert_int_equal(sys->names(in_folder("nothing"), &names), -ENOENT);
	/* Nothing of it stays. */
	before = mallinfo2().uordblks;
	for (int i = 0; i < 100; i++) {
		assert_int_equal(sys->names(folder, &names), 7);
		free(names);
	}
	assert_in_range(mallinfo2().uordblks, 0, before + 1000);
	/* All are counted, and as many described as there is room for. */
	assert_int_equal(wd_sys_list(folder, describe, info, 2), 6);
	assert_string_equal(info[0].name, "blanks");
	assert_string_equal(info[1].name, "empty");
	assert_int_equal(wd_sys_list(in_folder("nothing"), describe, info, 2), 0);
	assert_true(wd_sys_exists(folder));
	assert_false(wd_sys_exists(in_folder("nothing")));
	assert_int_equal(errno, 1234);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_files),
		cmocka_unit_test(test_attributes),
		cmocka_unit_test(test_names),
	};

	alarm(TIME_LIMIT_S);
	return cmocka_run_group_tests(tests, make_folder, drop_folder);
}
