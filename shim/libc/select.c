/* select and pselect: as poll.c, with sets. The kernel overwrites the sets it is given, so each look works on
 * copies, and the caller's are written once, at the end. */
#define PATCH_FAMILY PATCH_FAMILY_POLL

#include <stdlib.h>
#include <string.h>

#include "shim/libc/listing.h"
#include "shim/libc/poll.h"
#include "shim/signal/signals.h"

enum { IN, OUT, ODD, SETS };

/* Programs with more descriptors than FD_SETSIZE allocate larger sets: only n bits of each may be touched, by whole
 * words. */
struct sets {
	int n;
	size_t words; /* of one set */
	fd_set *user[SETS];
	unsigned long *work; /* SETS copies */
	unsigned long few[SETS * FD_SETSIZE / (8 * sizeof(unsigned long))];
	struct gev_fd_want *want;
	struct gev_fd_want few_want[16];
	size_t wants;
};

enum { WORD = 8 * sizeof(unsigned long) };

static fd_set *copy(struct sets *s, int which)
{
	return s->user[which] ? (fd_set *)(s->work + (size_t)which * s->words) : NULL;
}

static int look(struct sets *s)
{
	static const struct timespec zero;
	sigset_t mask = patch_mask_without_ticks();
	int saved = errno, r;
	do {
		errno = saved;
		for (int i = 0; i < SETS; i++)
			if (s->user[i])
				memcpy(copy(s, i), s->user[i], s->words * sizeof *s->work);
		/* pselect leaves the zero alone. EINTR: as io_poll. */
		r = real.pselect(s->n, copy(s, IN), copy(s, OUT), copy(s, ODD), &zero, &mask);
	} while (r < 0 && errno == EINTR);
	return r;
}

/* The copies become the caller's: the answer, or after a timeout nothing. */
static void give_back(struct sets *s)
{
	for (int i = 0; i < SETS; i++)
		if (s->user[i])
			memcpy(s->user[i], copy(s, i), s->words * sizeof *s->work);
}

static unsigned long word(const struct sets *s, int which, size_t i)
{
	return s->user[which] ? ((const unsigned long *)s->user[which])[i] : 0;
}

/* Word by word: a thousand descriptors in a sparse set cost what is set in it. False: no memory. */
static bool list_wants(struct sets *s)
{
	size_t count = 0;
	for (size_t i = 0; i < s->words; i++)
		count += (size_t)__builtin_popcountl(word(s, IN, i) | word(s, OUT, i) | word(s, ODD, i));
	s->want = s->few_want;
	if (count > sizeof s->few_want / sizeof *s->few_want && (s->want = malloc(count * sizeof *s->want)) == NULL)
		return false;
	for (size_t i = 0; i < s->words; i++) {
		unsigned long in = word(s, IN, i), out = word(s, OUT, i), odd = word(s, ODD, i), all = in | out | odd;
		for (; all; all &= all - 1) {
			unsigned long bit = all & -all;
			int fd = (int)(i * WORD) + __builtin_ctzl(all);
			struct gev_fd_want want = {.fd = fd};
			if (fd >= s->n)
				break;
			if (odd & bit)
				want.poll_events =
					(short)(POLLPRI | (in & bit ? POLLIN : 0) | (out & bit ? POLLOUT : 0));
			else
				want.events = (short)((in & bit ? GEV_READABLE : 0) | (out & bit ? GEV_WRITABLE : 0));
			s->want[s->wants++] = want;
		}
	}
	return true;
}

/* The only descriptor, and it is asked for what can be read of it; -1: there are others. As poll.c, of one the kernel need not be asked twice. */
static int only_reader(const struct sets *s)
{
	int fd = -1;
	for (size_t i = 0; i < s->words; i++) {
		unsigned long in = word(s, IN, i);
		if (likely((in | word(s, OUT, i) | word(s, ODD, i)) == 0))
			continue;
		if (fd >= 0 || word(s, OUT, i) | word(s, ODD, i) | (in & (in - 1)))
			return -1;
		fd = (int)(i * WORD) + __builtin_ctzl(in);
	}
	return fd < s->n ? fd : -1;
}

/* Waits for it. 1: it is the answer. */
static int wait_for_reader(struct sets *s, int fd, int64_t deadline, bool *answered)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};
	int r = poll_wait_for_one(&p, deadline);
	if (r <= 0 || p.revents == 0)
		return r;
	/* Anything that poll says then, select calls readable (POLLIN_SET of fs/select.c). */
	for (int i = 0; i < SETS; i++)
		if (s->user[i])
			memcpy(copy(s, i), s->user[i], s->words * sizeof *s->work);
	*answered = true;
	return 1;
}

static int wait_rounds(struct sets *s, int reader, int64_t deadline, const sigset_t *mask)
{
	uint64_t before = 0;
	bool answered = false;
	if (reader < 0 && !list_wants(s))
		return -ENOMEM;
	int r = poll_mask_begin(mask, &before);
	for (unsigned rounds = 0; r == 0; rounds++) {
		r = poll_rest(rounds, deadline);
		if (r == 0)
			r = reader >= 0 ? wait_for_reader(s, reader, deadline, &answered)
					: poll_wait(s->want, s->wants, deadline);
		if (answered)
			break;
		if (r < 0 && r != -EINTR)
			break;
		if (r == 0)
			rounds = 0;
		int ready = look(s);
		if (ready != 0)
			r = ready > 0 ? ready : -errno;
		else if (r == -EINTR || io_now() >= deadline)
			break;
		else
			r = 0;
	}
	poll_mask_end(mask, before);
	if (reader < 0 && s->want != s->few_want)
		free(s->want);
	return r;
}

/* The next reads of the first few that have something need not wait first. */
static void note_filled(const struct sets *s)
{
	enum { FEW = 16 };
	int noted = 0;
	for (size_t i = 0; i < s->words && s->user[IN] && noted < FEW; i++)
		for (unsigned long in = word(s, IN, i); in && noted < FEW; in &= in - 1, noted++)
			poll_note_filled((int)(i * WORD) + __builtin_ctzl(in));
}

static int select_green(struct sets *s, int64_t deadline, const sigset_t *mask)
{
	io_cancellation_point();
	s->words = ((size_t)s->n + WORD - 1) / WORD;
	s->work = s->few;
	if (SETS * s->words > sizeof s->few / sizeof *s->few &&
	    (s->work = malloc(SETS * s->words * sizeof *s->work)) == NULL)
		return -ENOMEM;
	int reader = only_reader(s);
	struct pollfd one = {.fd = reader, .events = POLLIN};
	int r = reader >= 0 && deadline != 0 && mask == NULL && poll_seems_empty(&one) ? 0 : look(s);
	if (r < 0)
		r = -errno;
	else if (r == 0 && deadline == 0)
		r = poll_at_once(mask);
	else if (r == 0)
		r = wait_rounds(s, reader, deadline, mask);
	if (r >= 0)
		give_back(s);
	if (r > 0) {
		note_filled(s);
		patch_give_way();
	}
	if (s->work != s->few)
		free(s->work);
	return r;
}

static int table_size(int otherwise)
{
	char status[2048];
	int size = otherwise;
	int fd = real.open("/proc/self/status", O_RDONLY | O_CLOEXEC, 0);
	ssize_t length = fd >= 0 ? real.read(fd, status, sizeof status - 1) : -1;
	if (fd >= 0)
		real.close(fd);
	if (length > 0) {
		status[length] = '\0';
		const char *line = strstr(status, "\nFDSize:");
		if (line)
			size = atoi(line + strlen("\nFDSize:"));
	}
	return size;
}

static void note_high(int fd, void *high)
{
	const struct description *d = fds_peek(fd);
	if (fd >= FD_SETSIZE && !patch_gev->fd_internal(fd) && !(d && d->own))
		*(bool *)high = true;
}

/* Whether the program has had a descriptor, or a parent of it, that such sets have no bit for: the kernel's table never becomes smaller. */
static bool has_had_high(void)
{
	static bool had; /* atomic */
	bool high = __atomic_load_n(&had, __ATOMIC_RELAXED);
	if (!high && !each_open(note_high, &high))
		high = true; /* nobody can tell */
	if (high)
		__atomic_store_n(&had, true, __ATOMIC_RELAXED);
	return high;
}

/* Programs say getdtablesize() for n and still have sets of FD_SETSIZE bits. The kernel looks no further than its own table of the process reaches
 * (fs/select.c, core_sys_select), so neither may we; and no further than such sets, where the table is bigger for the sake of the runtime's own
 * numbers alone. */
static int reach(int n)
{
	if (likely(n <= FD_SETSIZE))
		return n;
	int saved = errno, size = table_size(n);
	if (size > FD_SETSIZE && patch_gev->fd_internal_next(0) >= 0 && !has_had_high())
		size = FD_SETSIZE;
	errno = saved;
	return size < n ? size : n;
}

/* Where the caller may wait in the kernel, which looks as far. */
static int native_reach(int n)
{
	return likely(!patch_started) ? n : reach(n);
}

APART static int select_timeval(int n, fd_set *in, fd_set *out, fd_set *odd, struct timeval *timeout)
{
	int saved = errno;
	struct sets s = {.n = reach(n), .user = {in, out, odd}};
	int64_t deadline = GEV_NEVER;
	if (timeout && timeout->tv_sec < GEV_NEVER / 2000000000) {
		/* select(2): more than a second of microseconds is carried over. */
		int64_t ns = timeout->tv_sec * INT64_C(1000000000) + timeout->tv_usec * INT64_C(1000);
		deadline = ns ? io_after(ns) : 0;
	}
	int r = select_green(&s, deadline, NULL);
	/* Linux writes back what is left. */
	if (timeout && deadline != GEV_NEVER && deadline != 0) {
		int64_t left = deadline - io_now();
		timeout->tv_sec = left > 0 ? left / 1000000000 : 0;
		timeout->tv_usec = left > 0 ? left % 1000000000 / 1000 : 0;
	}
	return (int)io_result(r, saved);
}

int patch_select(int n, fd_set *in, fd_set *out, fd_set *odd, struct timeval *timeout)
{
	if (!patch_green())
		return real.select(native_reach(n), in, out, odd, timeout);
	io_cancellation_point();
	if (n < 0 || (timeout && (timeout->tv_sec < 0 || timeout->tv_usec < 0)))
		return real.select(n, in, out, odd, timeout);
	return select_timeval(n, in, out, odd, timeout);
}
EXPORT(select);
EXPORT_AS(__select, select);

APART static int select_timespec(int n, fd_set *in, fd_set *out, fd_set *odd, const struct timespec *timeout,
				 const sigset_t *mask)
{
	int saved = errno;
	struct sets s = {.n = reach(n), .user = {in, out, odd}};
	int64_t ns = poll_nanoseconds(timeout);
	return (int)io_result(select_green(&s, ns ? io_after(ns) : 0, mask), saved);
}

int patch_pselect(int n, fd_set *in, fd_set *out, fd_set *odd, const struct timespec *timeout, const sigset_t *mask)
{
	if (!patch_green())
		return real.pselect(native_reach(n), in, out, odd, timeout, mask);
	io_cancellation_point();
	if (n < 0 || !poll_time_valid(timeout))
		return real.pselect(n, in, out, odd, timeout, mask);
	return select_timespec(n, in, out, odd, timeout, mask);
}
EXPORT(pselect);
