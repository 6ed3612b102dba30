/* SPDX-License-Identifier: Zlib */
/* What a program or library tells of its zlib. Whatever the file holds, reading it is safe. */
#include "config.h"
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "lean.h"
#include "tools/zwd/elf.h"

#define SEGMENTS_MAX 64
#define DYNAMIC_MAX  4096	/* entries */
#define STRINGS_MAX  (16 << 20) /* bytes of names of symbols */
#define SYMBOLS_MAX  (1 << 20)
#define CONTENTS_MAX (1ull << 30)
#define BLOCK_LEN    (256 << 10)
#define OVERLAP	     128 /* what is looked for is shorter */

#if defined(__x86_64__)
#define OWN_MACHINE EM_X86_64
#else
#define OWN_MACHINE EM_AARCH64
#endif

struct file {
	int fd;
	uint64_t len;
	Elf64_Phdr segments[SEGMENTS_MAX];
	unsigned int segments_nr;
};

/* The whole of it or nothing: 0, -ENOEXEC when the file is too short, -errno. */
static int read_at(const struct file *file, uint64_t at, void *to, size_t len)
{
	size_t done = 0;

	if (at > file->len || len > file->len - at)
		return -ENOEXEC;
	while (done < len) {
		ssize_t n = pread(file->fd, (char *)to + done, len - done, (off_t)(at + done));

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n ? -errno : -ENOEXEC; /* it was cut meanwhile */
		done += (size_t)n;
	}
	return 0;
}

/* Where in the file an address lies, with room bytes of it at least; 0: nowhere. */
static uint64_t offset_of(const struct file *file, uint64_t address, uint64_t room)
{
	for (unsigned int i = 0; i < file->segments_nr; i++) {
		const Elf64_Phdr *seg = &file->segments[i];

		if (seg->p_type == PT_LOAD && address >= seg->p_vaddr &&
		    address - seg->p_vaddr < seg->p_filesz &&
		    room <= seg->p_filesz - (address - seg->p_vaddr) && seg->p_offset <= file->len)
			return seg->p_offset + (address - seg->p_vaddr);
	}
	return 0;
}

static const Elf64_Phdr *segment_of(const struct file *file, uint32_t type)
{
	for (unsigned int i = 0; i < file->segments_nr; i++)
		if (file->segments[i].p_type == type)
			return &file->segments[i];
	return NULL;
}

static int read_header(struct file *file, struct elf_facts *facts)
{
	Elf64_Ehdr header;
	int r = read_at(file, 0, &header, sizeof(header));

	if (r)
		return r;
	if (memcmp(header.e_ident, ELFMAG, SELFMAG))
		return -ENOEXEC;
	if (header.e_ident[EI_CLASS] != ELFCLASS64 || header.e_ident[EI_DATA] != ELFDATA2LSB ||
	    header.e_machine != OWN_MACHINE) {
		facts->is_foreign = true;
		return 0;
	}
	if ((header.e_type != ET_EXEC && header.e_type != ET_DYN) ||
	    header.e_phentsize != sizeof(Elf64_Phdr))
		return -ENOEXEC;
	file->segments_nr = header.e_phnum < SEGMENTS_MAX ? header.e_phnum : SEGMENTS_MAX;
	r = read_at(file, header.e_phoff, file->segments, file->segments_nr * sizeof(Elf64_Phdr));
	facts->is_program = header.e_type == ET_EXEC || segment_of(file, PT_INTERP);
	facts->is_static = !segment_of(file, PT_INTERP);
	return r;
}

/* The values of the entries that count here. */
struct dynamic {
	uint64_t strings, strings_len, symbols, soname, runpath, flags_1;
	uint64_t needed[ELF_NEEDED_MAX];
	unsigned int needed_nr;
	bool has_soname;
};

static void take_entry(struct dynamic *d, const Elf64_Dyn *entry)
{
	switch (entry->d_tag) {
	case DT_NEEDED:
		if (d->needed_nr < ELF_NEEDED_MAX)
			d->needed[d->needed_nr++] = entry->d_un.d_val;
		break;
	case DT_STRTAB:
		d->strings = entry->d_un.d_ptr;
		break;
	case DT_STRSZ:
		d->strings_len = entry->d_un.d_val;
		break;
	case DT_SYMTAB:
		d->symbols = entry->d_un.d_ptr;
		break;
	case DT_SONAME:
		d->soname = entry->d_un.d_val;
		d->has_soname = true;
		break;
	case DT_RPATH:
	case DT_RUNPATH:
		d->runpath = entry->d_un.d_val;
		break;
	case DT_FLAGS_1:
		d->flags_1 = entry->d_un.d_val;
		break;
	}
}

static int read_dynamic(const struct file *file, struct dynamic *d)
{
	const Elf64_Phdr *seg = segment_of(file, PT_DYNAMIC);
	size_t nr = seg->p_filesz / sizeof(Elf64_Dyn);
	Elf64_Dyn *entries;
	int r;

	if (nr > DYNAMIC_MAX)
		nr = DYNAMIC_MAX;
	entries = malloc((nr + 1) * sizeof(*entries));
	if (!entries)
		return -ENOMEM;
	r = read_at(file, seg->p_offset, entries, nr * sizeof(*entries));
	for (size_t i = 0; !r && i < nr && entries[i].d_tag != DT_NULL; i++)
		take_entry(d, &entries[i]);
	free(entries);
	return r;
}

/* A name among the strings, which end with a zero byte; "" where it is none. */
static const char *name_at(const char *strings, uint64_t len, uint64_t at)
{
	return at < len ? strings + at : "";
}

/* Keeps a copy of it for as long as the facts are. */
static const char *keep(struct elf_facts *facts, size_t *used, const char *name)
{
	size_t len = strlen(name) + 1;
	char *at = facts->names + *used;

	if (len > sizeof(facts->names) - *used)
		return "";
	memcpy(at, name, len);
	*used += len;
	return at;
}

/* What begins a stream: other libraries have a deflate() of their own, but hardly these. */
static bool is_of_zlib(const char *name)
{
	static const char names[][16] = { "deflateInit_",  "deflateInit2_", "inflateInit_",
					  "inflateInit2_", "gzopen",	    "gzopen64",
					  "gzdopen" };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (!strcmp(name, names[i]))
			return true;
	return false;
}

/* Symbols' names lie behind them; what is between, if anything, hardly names any of zlib's. */
static int read_symbols(const struct file *file, const struct dynamic *d, const char *strings,
			struct elf_facts *facts)
{
	Elf64_Sym block[512];
	uint64_t nr = d->strings > d->symbols ? (d->strings - d->symbols) / sizeof(block[0]) : 0;
	uint64_t at = offset_of(file, d->symbols, 1);

	if (!d->symbols || !at)
		return 0;
	if (nr > SYMBOLS_MAX)
		nr = SYMBOLS_MAX;
	for (uint64_t done = 0, some; done < nr; done += some) {
		some = nr - done < 512 ? nr - done : 512;
		int r = read_at(file, at + done * sizeof(block[0]), block, some * sizeof(block[0]));

		if (r)
			return r;
		for (uint64_t i = 0; i < some; i++) {
			if (!is_of_zlib(name_at(strings, d->strings_len, block[i].st_name)))
				continue;
			if (block[i].st_shndx == SHN_UNDEF)
				facts->imports_zlib = true;
			else
				facts->exports_zlib = true;
		}
	}
	return 0;
}

static void take_names(const struct dynamic *d, const char *strings, struct elf_facts *facts)
{
	size_t used = 0;

	for (unsigned int i = 0; i < d->needed_nr; i++) {
		const char *name = name_at(strings, d->strings_len, d->needed[i]);

		if (!strncmp(name, "libz.so", 7))
			facts->needs_zlib = true;
		if (!strncmp(name, "libz-wd.so", 10))
			facts->needs_ours = true;
		name = keep(facts, &used, name);
		if (*name)
			facts->needed[facts->needed_nr++] = name;
	}
	if (d->has_soname)
		facts->soname = keep(facts, &used, name_at(strings, d->strings_len, d->soname));
	if (d->runpath)
		facts->runpath = keep(facts, &used, name_at(strings, d->strings_len, d->runpath));
}

static int read_linkage(const struct file *file, struct elf_facts *facts)
{
	struct dynamic d = { 0 };
	char *strings;
	uint64_t at;
	int r = read_dynamic(file, &d);

	if (r)
		return r;
	if (facts->is_static && d.flags_1 & DF_1_PIE)
		facts->is_program = true;
	if (!d.strings)
		return 0;
	if (d.strings_len > STRINGS_MAX)
		d.strings_len = STRINGS_MAX;
	at = offset_of(file, d.strings, d.strings_len);
	if (!at)
		return -ENOEXEC;
	strings = malloc(d.strings_len + 1);
	if (!strings)
		return -ENOMEM;
	r = read_at(file, at, strings, d.strings_len);
	strings[d.strings_len] = '\0';
	if (!r) {
		take_names(&d, strings, facts);
		r = read_symbols(file, &d, strings, facts);
	}
	free(strings);
	return r;
}

static bool is_of_version(char c)
{
	return lean_is_alnum(c) || c == '.' || c == '-' || c == '_';
}

/* " inflate 1.2.13 Copyright 1995-2022 Mark Adler " is in every zlib, as its licence wants. */
static void look_for_copy(const char *block, size_t len, struct elf_facts *facts)
{
	static const char begins[] = "flate ";
	const char *end = block + len, *at = block;

	while (!*facts->copy && (at = memmem(at, (size_t)(end - at), begins, sizeof(begins) - 1))) {
		const char *version = at += sizeof(begins) - 1;
		size_t version_len = 0;

		while (version + version_len < end && version_len < ELF_VERSION_LEN - 1 &&
		       is_of_version(version[version_len]))
			version_len++;
		if (version_len < 3 || !lean_is_digit(*version) ||
		    (size_t)(end - version) < version_len + 11 ||
		    memcmp(version + version_len, " Copyright ", 11))
			continue;
		memcpy(facts->copy, version, version_len);
		facts->copy[version_len] = '\0';
	}
}

static bool has(const char *block, size_t len, const char *text)
{
	return memmem(block, len, text, strlen(text));
}

static void look_at_block(const char *block, size_t len, struct elf_facts *facts)
{
	look_for_copy(block, len, facts);
	facts->is_zlib_ng |= !facts->is_zlib_ng && has(block, len, "zlib-ng");
	facts->names_zlib |= !facts->names_zlib && has(block, len, "libz.so");
	facts->is_go |= !facts->is_go && has(block, len, "\xff Go buildinf:");
	facts->has_go_flate |= !facts->has_go_flate && has(block, len, "compress/flate.");
}

static int read_contents(const struct file *file, struct elf_facts *facts)
{
	char *block = malloc(BLOCK_LEN);
	uint64_t budget = CONTENTS_MAX; /* of all segments, which may well lie one over the other */
	int r = block ? 0 : -ENOMEM;

	for (unsigned int i = 0; !r && i < file->segments_nr; i++) {
		const Elf64_Phdr *seg = &file->segments[i];
		uint64_t at = seg->p_offset, left = seg->p_filesz;

		if (seg->p_type != PT_LOAD || at > file->len)
			continue;
		if (left > file->len - at)
			left = file->len - at;
		if (left > budget)
			left = budget;
		budget -= left;
		while (!r && left) {
			size_t len = left < BLOCK_LEN ? left : BLOCK_LEN;

			r = read_at(file, at, block, len);
			if (!r)
				look_at_block(block, len, facts);
			if (len == left)
				break;
			at += len - OVERLAP;
			left -= len - OVERLAP;
		}
	}
	free(block);
	facts->names_zlib &= !facts->needs_zlib;
	return r;
}

static int read_file(struct file *file, bool with_contents, struct elf_facts *facts)
{
	struct stat st;
	int r;

	if (fstat(file->fd, &st))
		return -errno;
	file->len = (uint64_t)st.st_size;
	facts->is_set_id = st.st_mode & (S_ISUID | S_ISGID);
	r = read_header(file, facts);
	if (r || facts->is_foreign)
		return r;
	if (segment_of(file, PT_DYNAMIC))
		r = read_linkage(file, facts);
	/* Without a loader and without a word that it is a program, it is a library. */
	facts->is_static &= facts->is_program;
	if (!r && with_contents)
		r = read_contents(file, facts);
	return r;
}

/*
 * Opens nothing but a regular file, whatever stands at that name by then: to open a device or a
 * FIFO may do something. -ENOEXEC: it is none.
 */
static int open_regular(int dir, const char *path)
{
	char link[64];
	struct stat st;
	int fd = -1, by = openat(dir, path, O_PATH | O_CLOEXEC);

	if (by < 0)
		return -errno;
	if (fstat(by, &st)) {
		fd = -errno;
	} else if (!S_ISREG(st.st_mode)) {
		fd = -ENOEXEC;
	} else {
		snprintf(link, sizeof(link), "/proc/self/fd/%d", by);
		fd = open(link, O_RDONLY | O_CLOEXEC);
		if (fd < 0)
			fd = -errno;
	}
	close(by);
	return fd;
}

int elf_read(int dir, const char *path, bool with_contents, struct elf_facts *facts)
{
	struct file file = { .fd = open_regular(dir, path) };
	int r;

	*facts = (struct elf_facts){ .soname = "", .runpath = "" };
	if (file.fd < 0)
		return file.fd;
	r = read_file(&file, with_contents, facts);
	close(file.fd);
	return r;
}
