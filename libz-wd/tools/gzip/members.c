/* SPDX-License-Identifier: Zlib */
/*
 * Files of many members: while one is written, threads inflate those behind it. Where they begin is
 * known (BGZF) or guessed. A result counts only when the members before it end where its body
 * begins, so a wrong guess costs time and nothing else; whatever has no result is inflated as if
 * there were no threads, and faults are found and told there.
 */
#include "config.h"
#include "gzip.h"
#include "piece.h"

#include <poll.h>
#include <string.h>

enum {
	HEADER_LEN = 10,
	/* A piece is cut at the first member behind so many bytes, fewer where they become much
	   output. */
	AIM_MAX = 256 << 10,
	AIM_MIN = 1 << 10,
	AIM_OUT = 1 << 20,
	/* The longest input for one piece. Members beyond it are inflated as they come. */
	PIECE_MAX = 2 << 20,
	READ_SPARE = 64 << 10,
	/* Less is not worth a thread. */
	WORTH_MIN = 128 << 10,
	/* Who writes a pipe slower than this is slower than we are. */
	WAIT_MS = 1,
	DROP_LEN = 16 << 10,
	MISS_MAX = 8,
};

static size_t aim = AIM_MAX;
/* Pieces in a row of which nothing was of use, and members to go before the next one is tried. */
static unsigned int miss_nr, skip_nr;

/* Offset of the member at which a piece can end. known_len: of its first member, or 0. */
static size_t find_end(struct piece *piece, size_t begin, size_t known_len)
{
	const unsigned char *data = piece->in + begin;
	size_t len = piece->len - begin, at = 0, member_len = known_len;

	/* As far as their lengths are told. */
	while (at < len && at < aim &&
	       (member_len || piece_header(data + at, len - at, &member_len))) {
		if (!member_len)
			break;
		at += member_len;
		member_len = 0;
	}
	if (at >= len)
		return piece->len;
	if (at < aim)
		at = aim;
	if (at < piece->searched_len)
		at = piece->searched_len;
	if (at < len)
		at = piece_find(data, len, at);
	/* The last bytes may be half of what is looked for. */
	piece->searched_len = at < len || len < 3 ? at : len - 3;
	return begin + (at < len ? at : len);
}

/* The last member that begins in a piece which got too long. */
static size_t find_last(const struct piece *piece, size_t begin)
{
	size_t at = begin + HEADER_LEN, last = piece->len;

	while ((at = piece_find(piece->in, piece->len, at)) < piece->len)
		last = at++;
	return last;
}

enum progress {
	PROGRESS_DONE,
	PROGRESS_INPUT, /* when more can be read */
	PROGRESS_NONE,	/* not before a piece is used up */
};

/* The last piece, read up to where the next one begins. */
static enum progress complete_tail(struct job *job, size_t begin, size_t known_len, int wait_ms)
{
	struct piece *tail = io_tail();
	size_t end, len;

	for (;;) {
		end = find_end(tail, begin, known_len);
		if (end == tail->len && tail->len - begin >= PIECE_MAX && !tail->is_closed)
			end = find_last(tail, begin);
		if (end < tail->len)
			return io_cut(job, end, piece_thread_nr() + 2) ? PROGRESS_DONE
								       : PROGRESS_NONE;
		if (tail->is_closed)
			return PROGRESS_DONE;
		if (tail->len - begin >= PIECE_MAX)
			return PROGRESS_NONE;
		len = tail->len - begin < aim ? aim - (tail->len - begin) + READ_SPARE : READ_SPARE;
		len = io_read_ahead(job, len, wait_ms);
		if (!len && !tail->is_closed)
			return PROGRESS_INPUT;
		/* Who waits for drops keeps from others what there is. */
		if (len < DROP_LEN)
			wait_ms = 0;
	}
}

/* As many pieces as there may be, of what can be read without waiting. */
static enum progress read_ahead(struct job *job)
{
	for (;;) {
		struct piece *tail = io_tail();
		enum progress progress;

		if (tail == io_head() || tail->state != PIECE_IDLE || tail->is_refused)
			return PROGRESS_NONE;
		progress = complete_tail(job, 0, 0, 0);
		if (progress != PROGRESS_DONE)
			return progress;
		tail->is_refused = !piece_give(tail, 0);
	}
}

/* Starts with the member whose body is next. */
static bool start_head(struct job *job)
{
	static const unsigned char header[HEADER_LEN] = { 0x1f, 0x8b, METHOD_DEFLATE };
	struct piece *head = io_head();

	if (head->is_refused)
		return false;
	if (skip_nr) {
		skip_nr--;
		return false;
	}
	head->is_refused = true;
	if (!head->next && !head->is_closed)
		io_make_room(job, PIECE_MAX);
	if (!head->next &&
	    complete_tail(job, job->next - head->in, job->body_len, WAIT_MS) != PROGRESS_DONE)
		return false;
	if (!head->next && job->avail < WORTH_MIN)
		return false;
	memcpy(job->next - HEADER_LEN, header, HEADER_LEN);
	head->is_refused = !piece_give(head, job->next - HEADER_LEN - head->in);
	return !head->is_refused;
}

static void await(struct job *job, struct piece *piece)
{
	for (;;) {
		struct pollfd fds[] = { { .fd = piece_done_fd(), .events = POLLIN },
					{ .events = POLLIN } };

		fds[1].fd = read_ahead(job) == PROGRESS_INPUT ? io_ahead_fd(job) : -1;
		if (atomic_load_explicit(&piece->state, memory_order_acquire) == PIECE_DONE)
			return;
		if (poll(fds, 2, -1) > 0 && fds[0].revents)
			piece_clear_done();
	}
}

static const struct member *find_member(struct piece *piece, size_t body)
{
	while (piece->taken_nr < piece->member_nr && piece->members[piece->taken_nr].body < body)
		piece->taken_nr++;
	if (piece->taken_nr < piece->member_nr && piece->members[piece->taken_nr].body == body)
		return &piece->members[piece->taken_nr++];
	return NULL;
}

/* What the last result of a piece tells about the next ones. */
static void learn(const struct piece *piece, const struct member *last)
{
	size_t in = last->end - piece->members[0].body, out = last->out + last->out_len;

	if (out)
		aim = (double)in * AIM_OUT / out < AIM_MAX ? in * (uint64_t)AIM_OUT / out : AIM_MAX;
	if (aim < AIM_MIN)
		aim = AIM_MIN;
	miss_nr = 0;
}

bool members_take(struct job *job)
{
	/* Output of members in a row is written at once. */
	static size_t unwritten;
	struct piece *head = io_head();
	const struct member *member;

	if ((job->member_nr == 1 && !job->body_len) || piece_thread_nr() < 2)
		return false;
	for (;;) {
		if (head->state == PIECE_IDLE && !start_head(job))
			return false;
		await(job, head);
		member = find_member(head, job->next - head->in);
		if (member)
			break;
		if (!head->taken_nr && !head->is_refused) {
			head->is_refused = true;
			miss_nr += miss_nr < MISS_MAX;
			skip_nr = 1u << miss_nr;
		}
		if (!head->is_full || !head->taken_nr || head->taken_nr < head->member_nr)
			return false;
		head->state = PIECE_IDLE;
	}
	job->next = head->in + member->end;
	job->avail = head->len - member->end;
	job->out_len = member->out_len;
	job->crc = member->crc;
	unwritten += member->out_len;
	if (head->taken_nr < head->member_nr && !opt.verbose)
		return true;
	io_write(job, head->out + member->out + member->out_len - unwritten, unwritten);
	unwritten = 0;
	if (head->taken_nr == head->member_nr)
		learn(head, member);
	return true;
}
