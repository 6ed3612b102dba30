/* SPDX-License-Identifier: Zlib */
/* What the user set: environment, then the file of ZWD_CONFIG or /etc/libz-wd.conf. Read once. */
#include "config.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <lean.h>

#include "operate/lines.h"
#include "operate/root.h"
#include "operate/log.h"
#include "operate/settings.h"
#include "stream/shield.h"

#define CONFIG_PATH "/etc/libz-wd.conf"
#define FILE_MAX (1 << 20)

static const char *base_of(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

void zwd_settings_program(char *name, size_t size)
{
	static const char deleted[] = " (deleted)";
	const char *path = (const char *)zwd_auxval(AT_EXECFN);
	char exe[512];
	ssize_t len = readlink("/proc/self/exe", exe, sizeof(exe));

	if (len > 0 && (size_t)len < sizeof(exe)) {
		exe[len] = '\0';
		if ((size_t)len > strlen(deleted) && !strcmp(exe + len - strlen(deleted), deleted))
			exe[len - (ssize_t)strlen(deleted)] = '\0';
		path = exe;
	}
	path = path ? base_of(path) : "";
	len = (ssize_t)strnlen(path, size - 1);
	memcpy(name, path, (size_t)len);
	name[len] = '\0';
}

/* The executable may have been started by a link's name; either is its name. */
static bool is_program(const char *name)
{
	const char *started = (const char *)zwd_auxval(AT_EXECFN);
	char own[NAME_MAX + 1];

	if (started && !strcmp(base_of(started), name))
		return true;
	zwd_settings_program(own, sizeof(own));
	return !strcmp(own, name);
}

/*
 * The log is set up first, so that the others' mistakes are seen wherever they stand; and what is for all programs
 * before what is for this one, which wins wherever it stands.
 */
enum pass { PASS_LOG_ALL, PASS_LOG_OWN, PASS_ALL, PASS_OWN, PASSES };

struct reading {
	struct zwd_settings *s;
	const char *path;
	enum pass pass;
	/* Whom the section that is being read is for; neither: another program. */
	bool is_for_all, is_ours;
};

static void tell(const struct reading *r, const struct zwd_line *line, const char *wrong)
{
	zwd_log(ZWD_LOG_ERROR, "%s:%u: %s", r->path, line->nr, wrong);
}

static void take_line(void *arg, const struct zwd_line *line)
{
	struct reading *r = arg;
	bool is_own = r->pass == PASS_LOG_OWN || r->pass == PASS_OWN;
	bool is_log = r->pass == PASS_LOG_ALL || r->pass == PASS_LOG_OWN;
	int ret;

	/* Every pass sees that: it is told in one of them. */
	if (line->wrong && r->pass == PASS_ALL)
		tell(r, line, line->wrong);
	if (!line->key || line->wrong) {
		r->is_for_all = line->program && !*line->program;
		r->is_ours = line->program && *line->program && (line->wrong ? r->is_ours : is_program(line->program));
		return;
	}
	if (!(is_own ? r->is_ours : r->is_for_all) || is_log != !strcmp(line->key, "ZWD_LOG"))
		return;
	ret = zwd_settings_set(r->s, line->key, line->value);
	if (ret)
		tell(r, line, ret == -ENOENT ? "unknown key" : "impossible value");
}

static void read_text(struct reading *r, char *text, size_t len)
{
	r->is_for_all = true;
	r->is_ours = false;
	zwd_lines_read(text, len, take_line, r);
}

/* False: the environment's is impossible. */
static bool configure_log(void)
{
	const char *value = lean_getenv("ZWD_LOG");

	return !value || zwd_log_configure(value);
}

/* Bytes of the file, or -errno. */
static ssize_t read_whole(int fd, char *text, size_t room)
{
	size_t len = 0;
	ssize_t n;

	while (len < room && (n = read(fd, text + len, room - len)) != 0) {
		if (n < 0 && errno != EINTR)
			return -errno;
		if (n > 0)
			len += (size_t)n;
	}
	return (ssize_t)len;
}

/* The settings of an open file. A copy: reading a line takes it apart. */
static int read_open(struct zwd_settings *s, const char *path, int fd)
{
	struct reading r = { .s = s, .path = path };
	size_t room;
	struct stat st;
	ssize_t len;
	char *text;

	if (lean_fstat(fd, &st))
		return -errno;
	if (!S_ISREG(st.st_mode) || st.st_size > FILE_MAX) {
		zwd_log(ZWD_LOG_ERROR, "%s: %s", path,
			S_ISREG(st.st_mode) ? "larger than 1 MiB, not read"
					    : "is no regular file, not read");
		return 0;
	}
	/* Files that the kernel makes have no size. */
	room = st.st_size ? (size_t)st.st_size : 65536;
	text = mmap(NULL, 2 * (room + 1), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
		    0);
	if (text == MAP_FAILED)
		return -errno;
	len = read_whole(fd, text, room);
	for (r.pass = 0; len > 0 && r.pass < PASSES; r.pass++) {
		if (r.pass == PASS_ALL)
			configure_log();
		read_text(&r, memcpy(text + room + 1, text, (size_t)len), (size_t)len);
	}
	munmap(text, 2 * (room + 1));
	return len < 0 ? (int)len : 0;
}

/* -errno: the process lacks what it takes to read a file, which may not be so later. */
static int read_file(struct zwd_settings *s)
{
	const char *asked = lean_getenv("ZWD_CONFIG");
	const char *path = asked && *asked ? asked : CONFIG_PATH;
	int fd, ret;

	/* Under another root the file is of whoever owns that one. */
	if (zwd_root_is_changed())
		return 0;
	/* Whatever the name stands for, neither opening nor reading it waits. */
	fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
	if (fd >= 0) {
		ret = read_open(s, path, fd);
		close(fd);
	} else {
		ret = -errno;
	}
	if (ret == -EMFILE || ret == -ENFILE || ret == -ENOMEM)
		return ret;
	if (ret && (ret != -ENOENT || path == asked))
		zwd_log(ZWD_LOG_ERROR, "%s: %s", path, strerror(-ret));
	return 0;
}

static void tell_misspelt(void)
{
	/* Not by its name, which the loader would have to look up in every process. */
	char ***env = zwd_log_is_on(ZWD_LOG_WARN) ? dlsym(RTLD_DEFAULT, "environ") : NULL;

	for (char **entry = env ? *env : NULL; entry && *entry; entry++)
		if (zwd_settings_is_misspelt(*entry))
			zwd_log(ZWD_LOG_WARN, "%.*s: unknown name in the environment",
				(int)strcspn(*entry, "="), *entry);
}

/*
 * The system's part is read at load, for later there may be no such file; the environment with the first
 * stream: until then it is the program's to change.
 */
static struct zwd_settings from_file, first, later;
static _Atomic unsigned int file_once;
static int file_error; /* the file could not be read for want of something: it is tried again */

static void read_environment(struct zwd_settings *s)
{
	/* Told once: where the file could not be read at first, this is the second time. */
	enum zwd_log_level level = s == &first ? ZWD_LOG_ERROR : ZWD_LOG_DEBUG;
	const char *name, *value;

	for (unsigned int i = 0; (name = zwd_settings_name(i)); i++) {
		value = strcmp(name, "ZWD_LOG") ? lean_getenv(name) : NULL;
		if (value && zwd_settings_set(s, name, value))
			zwd_log(level, "%s: impossible value", name);
	}
	/* Reproducible: the same input gives the same bytes, with a device or without. */
	if (lean_getenv("SOURCE_DATE_EPOCH"))
		s->engine = ZWD_ENGINE_SOFT;
	s->is_choosy = s->latency_ms || s->guard.ratio || s->guard.time;
	/* A request that there is never room for would wait in vain. */
	if (s->in_flight && s->unit > s->in_flight / 2)
		s->unit = s->in_flight / 2 / 1024 * 1024; /* as it is counted */
}

const struct zwd_settings *_Atomic zwd_settings_known;
static atomic_uint asked_nr; /* times that settings were asked for while the file was not read */
static atomic_flag is_being_read = ATOMIC_FLAG_INIT;

static int read_system(struct zwd_settings *s)
{
	*s = zwd_settings_default;
	/* A set-uid program stays in software unless the system's own file says otherwise. */
	if (zwd_auxval(AT_SECURE))
		strcpy(s->device, "none");
	configure_log();
	return read_file(s);
}

static struct zwd_settings at_load;

/* What the environment says, or else the file. */
static void take(const char *name)
{
	const char *value = lean_getenv(name);

	if (value && (*value || !strcmp(name, "ZWD_TRACE")))
		zwd_settings_set(&at_load, name, value);
}

static void read_file_once(void)
{
	file_error = read_system(&from_file);
	at_load = from_file;
	take("WD_DEVICE");
	take("ZWD_STATS");
	take("ZWD_TRACE");
	take("ZWD_SOFT_ZLIB");
	take("ZWD_GZIP");
}

const struct zwd_settings *zwd_settings_load(void)
{
	int saved_errno = errno;

	zwd_once(&file_once, read_file_once);
	errno = saved_errno;
	return &at_load;
}

static void read_once(void)
{
	zwd_once(&file_once, read_file_once);
	first = from_file;
	if (!configure_log())
		zwd_log(ZWD_LOG_ERROR, "ZWD_LOG: impossible value");
	read_environment(&first);
	tell_misspelt();
	if (file_error)
		zwd_log(ZWD_LOG_WARN, "the settings file is not read yet: %s",
			strerror(-file_error));
	else
		atomic_store(&zwd_settings_known, &first);
}

/* Without descriptors the file waits: the 1st, 2nd, 4th, 8th, ... who asks tries again. */
static void read_again(void)
{
	unsigned int nr = atomic_fetch_add(&asked_nr, 1);

	if (nr & (nr - 1) || atomic_flag_test_and_set(&is_being_read))
		return;
	if (!zwd_settings_known && !read_system(&later)) {
		read_environment(&later);
		/* Memory that was made by then has no room for more. */
		if (later.unit > first.unit)
			later.unit = first.unit;
		atomic_store(&zwd_settings_known, &later);
	}
	atomic_flag_clear(&is_being_read);
}

const struct zwd_settings *zwd_settings_read(void)
{
	static _Atomic unsigned int once;
	static atomic_bool is_tried;
	int saved_errno = errno, cancel_state;
	const struct zwd_settings *known;

	cancel_state = zwd_shield_up();
	zwd_once(&once, read_once);
	if (!zwd_settings_known && atomic_exchange(&is_tried, true))
		read_again();
	zwd_shield_down(cancel_state);
	errno = saved_errno;
	known = atomic_load_explicit(&zwd_settings_known, memory_order_acquire);
	return known ? known : &first;
}
