/* SPDX-License-Identifier: Zlib */
/* What main.c tells the commands of zwd, and what they answer. */
#ifndef ZWD_COMMANDS_H
#define ZWD_COMMANDS_H

struct wd_device_info;

/* Of every command. */
enum zwd_status {
	ZWD_DONE = 0,
	ZWD_FAILED = 1, /* or what was asked is not so */
	ZWD_USAGE = 2,	/* the command line is wrong */
};

/* The command line, options apart that a command does not know. */
struct zwd_args {
	const char *device; /* specification; NULL: that of WD_DEVICE */
	unsigned int count; /* of queues; 0: none was given */
	int is_json;
	int is_zlib; /* selftest: of the interface, not of a device */
	const char *lib; /* then: which; NULL: the installed one */
	char **words; /* what follows the command, and NULL */
	int words_nr;
};

/* A status; each says what went wrong on standard error. */
int devices_list(const struct zwd_args *args);
int devices_info(const struct zwd_args *args);
int selftest_run(const struct zwd_args *args);
int selftest_zlib(const struct zwd_args *args);

/* 0, or -EINVAL: it is no device specification. Opens nothing. */
int devices_check(const char *spec);

/* Those of main.c's readers[]: argv[0] is the command's name. */
int cdi_main(int argc, char **argv);
int doctor_main(int argc, char **argv);
int env_main(int argc, char **argv);
int replay_main(int argc, char **argv);
int run_main(int argc, char **argv);
int scan_main(int argc, char **argv);
int stat_main(int argc, char **argv);
int top_main(int argc, char **argv);
int tune_main(int argc, char **argv);

/* The device named by a word, or else the first one; stays as it is until the next call. A status. */
int devices_first(const struct zwd_args *args, const struct wd_device_info **info);

#endif
