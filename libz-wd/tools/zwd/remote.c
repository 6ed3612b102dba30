/* SPDX-License-Identifier: Zlib */
/*
 * Memory of another process, and where in it an exported object is. The ELF files are read out of that memory:
 * what is on the disk may be newer, deleted, or in a mount namespace of its own. Whatever is there may be
 * made by an enemy: each length is bounded.
 */
#include "config.h"

#include <elf.h>
#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>

#include "tools/zwd/remote.h"

#define PHDRS_MAX 64
#define DYNAMIC_MAX 256
#define CHAIN_MAX 4096

int remote_read(pid_t pid, uint64_t addr, void *buf, size_t len)
{
	struct iovec here = { .iov_base = buf, .iov_len = len };
	struct iovec there = { .iov_base = (void *)(uintptr_t)addr, .iov_len = len };
	ssize_t n = process_vm_readv(pid, &here, 1, &there, 1, 0);

	return n < 0 ? -errno : (size_t)n < len ? -EFAULT : 0;
}

/* An ELF file in the process's memory. */
struct image {
	pid_t pid;
	uint64_t bias; /* what its addresses are moved by */
	uint64_t hash, symbols, strings; /* of DT_GNU_HASH and so on, where they are now */
};

static int read_headers(struct image *image, uint64_t start, Elf64_Phdr *phdrs)
{
	Elf64_Ehdr header;
	int ret = remote_read(image->pid, start, &header, sizeof(header));

	if (ret)
		return ret;
	if (memcmp(header.e_ident, ELFMAG, SELFMAG) || header.e_ident[EI_CLASS] != ELFCLASS64 ||
	    (header.e_type != ET_DYN && header.e_type != ET_EXEC) || !header.e_phnum ||
	    header.e_phnum > PHDRS_MAX || header.e_phentsize != sizeof(*phdrs))
		return -ENOEXEC;
	ret = remote_read(image->pid, start + header.e_phoff, phdrs,
			  header.e_phnum * sizeof(*phdrs));
	return ret ? ret : header.e_phnum;
}

static const Elf64_Phdr *find_segment(const Elf64_Phdr *phdrs, int nr, uint32_t type)
{
	for (int i = 0; i < nr; i++)
		if (phdrs[i].p_type == type)
			return &phdrs[i];
	return NULL;
}

/* glibc puts addresses into the table, other loaders leave it as it is in the file. */
static uint64_t where(const struct image *image, uint64_t value)
{
	return value < image->bias ? value + image->bias : value;
}

static int open_image(struct image *image, pid_t pid, uint64_t start)
{
	Elf64_Phdr phdrs[PHDRS_MAX];
	Elf64_Dyn dynamic[DYNAMIC_MAX];
	const Elf64_Phdr *load, *segment;
	size_t nr;
	int phdrs_nr, ret;

	*image = (struct image){ .pid = pid };
	phdrs_nr = read_headers(image, start, phdrs);
	if (phdrs_nr < 0)
		return phdrs_nr;
	load = find_segment(phdrs, phdrs_nr, PT_LOAD);
	segment = find_segment(phdrs, phdrs_nr, PT_DYNAMIC);
	if (!load || !segment)
		return -ENOEXEC;
	image->bias = start - (load->p_vaddr - load->p_offset);
	nr = segment->p_memsz / sizeof(*dynamic);
	if (nr > DYNAMIC_MAX)
		nr = DYNAMIC_MAX;
	ret = remote_read(pid, image->bias + segment->p_vaddr, dynamic, nr * sizeof(*dynamic));
	for (size_t i = 0; !ret && i < nr && dynamic[i].d_tag != DT_NULL; i++) {
		uint64_t value = where(image, dynamic[i].d_un.d_ptr);

		if (dynamic[i].d_tag == DT_GNU_HASH)
			image->hash = value;
		else if (dynamic[i].d_tag == DT_SYMTAB)
			image->symbols = value;
		else if (dynamic[i].d_tag == DT_STRTAB)
			image->strings = value;
	}
	return ret ? ret : image->hash && image->symbols && image->strings ? 0 : -ENOEXEC;
}

static uint32_t gnu_hash(const char *name)
{
	uint32_t hash = 5381;

	for (; *name; name++)
		hash = hash * 33 + (unsigned char)*name;
	return hash;
}

/* 1: the symbol is this object, and defined here. */
static int is_object(const struct image *image, uint32_t index, const char *name, uint64_t *addr)
{
	char found[64];
	Elf64_Sym symbol;
	size_t len = strlen(name) + 1;
	int ret = remote_read(image->pid, image->symbols + index * sizeof(symbol), &symbol,
			      sizeof(symbol));

	if (!ret && len <= sizeof(found))
		ret = remote_read(image->pid, image->strings + symbol.st_name, found, len);
	if (ret)
		return ret;
	if (memcmp(found, name, len) || symbol.st_shndx == SHN_UNDEF ||
	    ELF64_ST_TYPE(symbol.st_info) != STT_OBJECT)
		return 0;
	*addr = image->bias + symbol.st_value;
	return 1;
}

/* The table of DT_GNU_HASH: a filter of two bits a name, then chains of hashes whose last one is odd. */
static int find_object(const struct image *image, const char *name, uint64_t *addr)
{
	struct {
		uint32_t buckets_nr, first, words_nr, shift;
	} table;
	const uint32_t hash = gnu_hash(name);
	uint64_t at = image->hash + sizeof(table), word, bits;
	uint32_t index, other;
	int ret = remote_read(image->pid, image->hash, &table, sizeof(table));

	if (ret)
		return ret;
	if (!table.buckets_nr || !table.words_nr || table.shift > 31)
		return -ENOEXEC;
	ret = remote_read(image->pid, at + hash / 64 % table.words_nr * sizeof(word), &word,
			  sizeof(word));
	bits = UINT64_C(1) << hash % 64 | UINT64_C(1) << (hash >> table.shift) % 64;
	if (ret || (word & bits) != bits)
		return ret;
	at += table.words_nr * sizeof(word);
	ret = remote_read(image->pid, at + hash % table.buckets_nr * sizeof(index), &index,
			  sizeof(index));
	if (ret || index < table.first)
		return ret;
	at += table.buckets_nr * sizeof(index);
	for (int i = 0; i < CHAIN_MAX; i++, index++) {
		ret = remote_read(image->pid, at + (index - table.first) * sizeof(other), &other,
				  sizeof(other));
		if (!ret && (other | 1) == (hash | 1))
			ret = is_object(image, index, name, addr);
		if (ret || other & 1)
			return ret;
	}
	return -ENOEXEC;
}

/* Does the line of /proc/PID/maps begin a file that can be an ELF file? */
static bool begins_file(const char *line, uint64_t *start)
{
	uint64_t offset, inode;
	char perms[5];

	return sscanf(line, "%" SCNx64 "-%*x %4s %" SCNx64 " %*s %" SCNu64, start, perms, &offset,
		      &inode) == 4 &&
	       perms[0] == 'r' && !offset && inode;
}

int remote_find(pid_t pid, const char *name, uint64_t *addrs, int max)
{
	char path[32], *line = NULL;
	uint64_t start;
	size_t size = 0;
	int nr = 0, ret = 0;
	FILE *maps;

	snprintf(path, sizeof(path), "/proc/%d/maps", (int)pid);
	maps = fopen(path, "re");
	if (!maps)
		return errno == ENOENT ? -ESRCH : -errno;
	while (nr < max && ret != -EPERM && ret != -ESRCH && getline(&line, &size, maps) > 0) {
		struct image image;

		if (!begins_file(line, &start))
			continue;
		ret = open_image(&image, pid, start);
		if (!ret)
			ret = find_object(&image, name, &addrs[nr]);
		nr += ret == 1;
	}
	/* A process that ends meanwhile has no more lines. */
	if (ferror(maps) && !nr)
		ret = -errno;
	free(line);
	fclose(maps);
	return nr || (ret != -EPERM && ret != -ESRCH && ret != -EACCES) ? nr : ret;
}
