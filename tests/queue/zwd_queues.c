/* SPDX-License-Identifier: Zlib */
/* Guards zwd queues: names that stay, nodes of the right group, and that it can be run again. */
#include "config.h"
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "tools/zwd/queues.h"
#include "../unit/unit.h"

#define PARENT "0000:75:00.0"

static char root[64];
static unsigned int groups_nr, created_nr, pauses_nr;
static int is_slow;	/* no group comes of itself */
static unsigned int fail_at; /* the creation of that number fails; 0: none */

static const char *path_of(const char *format, const char *arg)
{
	static char path[1024];
	size_t len = snprintf(path, sizeof(path), "%s", root);

	snprintf(path + len, sizeof(path) - len, format, arg);
	return path;
}

static void make(const char *format, const char *arg)
{
	char path[1024];

	snprintf(path, sizeof(path), "%s", path_of(format, arg));
	for (char *at = path + strlen(root) + 1; *at; at++)
		if (*at == '/') {
			*at = 0;
			mkdir(path, 0755);
			*at = '/';
		}
	assert_false(mkdir(path, 0755) && errno != EEXIST);
}

/* A queue's folder has no group at first. */
static int create(const char *uuid)
{
	const char *path = path_of("/sys/class/sdmdev/" PARENT "/device/%s", uuid);

	if (++created_nr == fail_at)
		return -EBUSY;
	return mkdir(path, 0755) ? -errno : 0;
}

static int kernel_write(const char *path, const char *text)
{
	char *end = strrchr(path, '/');
	char link[1100];

	if (!strcmp(end, "/create"))
		return create(text);
	assert_string_equal(end, "/remove");
	snprintf(link, sizeof(link), "%.*s/iommu_group", (int)(end - path), path);
	unlink(link);
	*strrchr(link, '/') = 0;
	return rmdir(link) ? -errno : 0;
}

/* The kernel makes the group of the first queue that has none, then its node. */
static void kernel_goes_on(void)
{
	char uuid[QUEUES_UUID_LEN + 1], number[16];

	pauses_nr++;
	for (unsigned int i = 0; i < 8 && !is_slow; i++) {
		struct stat st;
		char path[1100], target[64];

		queues_uuid(PARENT, i, uuid);
		snprintf(path, sizeof(path), "%s/iommu_group",
			 path_of("/sys/class/sdmdev/" PARENT "/device/%s", uuid));
		snprintf(target, sizeof(target), "../../../kernel/iommu_groups/%u", groups_nr);
		if (lstat(path, &st) && !symlink(target, path))
			return;
	}
	snprintf(number, sizeof(number), "%u", groups_nr);
	if (!is_slow) {
		int fd = open(path_of("/dev/vfio/%s", number), O_CREAT | O_RDWR, 0600);

		assert_true(fd >= 0);
		close(fd);
		groups_nr++;
	}
}

static int remove_entry(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	return remove(path);
}

static int setup(void **state)
{
	strcpy(root, "/tmp/zwd-queues-XXXXXX");
	assert_non_null(mkdtemp(root));
	make("/sys/class/sdmdev/" PARENT "/device/mdev_supported_types/%s", "wd_hisi_zip-hisi_zip");
	make("/dev/vfio%s", "");
	queues_system = (struct queues_system){ root, getgid(), kernel_write, kernel_goes_on };
	groups_nr = created_nr = pauses_nr = fail_at = 0;
	is_slow = 0;
	return 0;
}

static int teardown(void **state)
{
	return nftw(root, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
}

static void check_nodes(unsigned int nr)
{
	for (unsigned int i = 0; i < nr; i++) {
		char number[16];
		struct stat st;

		snprintf(number, sizeof(number), "%u", i);
		assert_int_equal(stat(path_of("/dev/vfio/%s", number), &st), 0);
		assert_int_equal(st.st_mode & 07777, 0660);
		assert_int_equal(st.st_gid, getgid());
	}
}

/* Published values of the hash: these names must never change. */
static void test_uuid(void **state)
{
	char uuid[QUEUES_UUID_LEN + 1];

	queues_uuid("", 0, uuid);
	assert_string_equal(uuid, "cbf29ce4-8422-8232-8000-000000000000");
	queues_uuid("a", 300, uuid);
	assert_string_equal(uuid, "af63dc4c-8601-8ec8-8000-00000000012c");
}

static void test_create(void **state)
{
	assert_int_equal(queues_run("create", NULL, 3), 0);
	assert_int_equal(created_nr, 3);
	check_nodes(3);
	/* Again, and more of them: what is there stays. */
	assert_int_equal(queues_run("create", PARENT, 5), 0);
	assert_int_equal(created_nr, 5);
	check_nodes(5);
	assert_int_equal(queues_run("list", NULL, 0), 0);
	assert_int_equal(queues_run("create", "0000:99:00.0", 1), 1);
	assert_int_equal(queues_run("create", "../x", 1), 1);
}

/* What was interrupted anywhere is completed. */
static void test_again(void **state)
{
	fail_at = 3;
	assert_int_equal(queues_run("create", NULL, 4), 1);
	check_nodes(2);
	fail_at = 0;
	is_slow = 1;
	assert_int_equal(queues_run("create", NULL, 4), 1);
	assert_true(pauses_nr > 100);
	is_slow = 0;
	assert_int_equal(queues_run("create", NULL, 4), 0);
	check_nodes(4);
	assert_int_equal(chmod(path_of("/dev/vfio/%s", "1"), 0600), 0);
	assert_int_equal(queues_run("create", NULL, 4), 0);
	check_nodes(4);
}

static void test_remove(void **state)
{
	const char *other = "12345678-1234-4234-8234-123456789abc";
	char uuid[QUEUES_UUID_LEN + 1];

	make("/sys/class/sdmdev/" PARENT "/device/%s", other);
	assert_int_equal(queues_run("create", NULL, 2), 0);
	assert_int_equal(queues_run("list", PARENT, 0), 0);
	assert_int_equal(queues_run("remove", NULL, 0), 0);
	queues_uuid(PARENT, 1, uuid);
	assert_int_equal(access(path_of("/sys/class/sdmdev/" PARENT "/device/%s", uuid), F_OK), -1);
	assert_int_equal(access(path_of("/sys/class/sdmdev/" PARENT "/device/%s", other), F_OK), 0);
	assert_int_equal(queues_run("remove", NULL, 0), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_uuid),
		cmocka_unit_test_setup_teardown(test_create, setup, teardown),
		cmocka_unit_test_setup_teardown(test_again, setup, teardown),
		cmocka_unit_test_setup_teardown(test_remove, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
