/* SPDX-License-Identifier: Zlib */
/* Runs a program as an ordinary user of the group that may open queues: as_user UID GID PROGRAM
 * [ARGUMENT...]. */
#define _GNU_SOURCE
#include <grp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#define MEMLOCK (8u << 20) /* what systemd leaves a user */
#define NPROC	8192	   /* what he has where there is more memory than in this guest */

int main(int argc, char **argv)
{
	const struct rlimit memlock = { MEMLOCK, MEMLOCK }, nproc = { NPROC, NPROC };
	uid_t uid;
	gid_t gid;

	if (argc < 4)
		return 99;
	uid = strtoul(argv[1], NULL, 10);
	gid = strtoul(argv[2], NULL, 10);
	if (setrlimit(RLIMIT_MEMLOCK, &memlock) || setrlimit(RLIMIT_NPROC, &nproc) ||
	    setgroups(0, NULL) || setresgid(gid, gid, gid) || setresuid(uid, uid, uid)) {
		perror("as_user");
		return 99;
	}
	execv(argv[3], argv + 3);
	perror(argv[3]);
	return 99;
}
