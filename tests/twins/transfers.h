/* transfers.h: for io_transfer: the pairs of calls that move bytes, what each works on, and how each side is called. */
#ifndef TRANSFERS_H
#define TRANSFERS_H

#include <mqueue.h>
#include <stdarg.h>
#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/sendfile.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <wchar.h>

#include "twin.h"

enum { PIECE = 100000, DELAYS = 30, VECTOR = 3, MESSAGES = 4, LINE = 300 };

struct flow;

/* One side of a pair: moves up to n bytes, and says how many; 0: the end; -1 and errno. */
typedef ssize_t (*mover)(struct flow *f, char *p, size_t n);

struct pair {
	const char *name;
	mover put, get;
	const char
		*on; /* p pipe, u Unix stream, t TCP, y pty, f file; d, s Unix datagrams and packets, q message queue */
	size_t most; /* of one piece; 0: PIECE */
	const char *mode; /* of streams */
	bool text, wide;  /* what is sent */
};

struct flow {
	const struct pair *pair;
	const char *source;
	char kind;
	int in, out, put_side[2], get_side[2], source_file; /* sides: pipes of a mover's own */
	FILE *reads, *writes;
	unsigned put_seed, get_seed;
	size_t arrived;
	sem_t written;
	bool ended, equal;
};

static unsigned next(unsigned *seed)
{
	*seed = *seed * 1103515245u + 12345u;
	return *seed >> 8;
}

/* ---- The pairs ---- */

/* Cuts n bytes into three. */
static struct iovec *cut(struct iovec v[VECTOR], char *p, size_t n, unsigned *seed)
{
	size_t a = next(seed) % (n + 1), b = next(seed) % (n - a + 1);
	v[0] = (struct iovec){p, a};
	v[1] = (struct iovec){p + a, b};
	v[2] = (struct iovec){p + a + b, n - a - b};
	return v;
}

static ssize_t put_write(struct flow *f, char *p, size_t n)
{
	return write(f->out, p, n);
}

static ssize_t get_read(struct flow *f, char *p, size_t n)
{
	return read(f->in, p, n);
}

static ssize_t put_writev(struct flow *f, char *p, size_t n)
{
	struct iovec v[VECTOR];
	return writev(f->out, cut(v, p, n, &f->put_seed), VECTOR);
}

static ssize_t get_readv(struct flow *f, char *p, size_t n)
{
	struct iovec v[VECTOR];
	return readv(f->in, cut(v, p, n, &f->get_seed), VECTOR);
}

static ssize_t put_pwritev2(struct flow *f, char *p, size_t n)
{
	struct iovec v[VECTOR];
	return pwritev2(f->out, cut(v, p, n, &f->put_seed), VECTOR, -1, 0);
}

static ssize_t get_preadv2(struct flow *f, char *p, size_t n)
{
	struct iovec v[VECTOR];
	return preadv2(f->in, cut(v, p, n, &f->get_seed), VECTOR, -1, 0);
}

static ssize_t put_syscall(struct flow *f, char *p, size_t n)
{
	return syscall(SYS_write, f->out, p, n);
}

static ssize_t get_syscall(struct flow *f, char *p, size_t n)
{
	return syscall(SYS_read, f->in, p, n);
}

static ssize_t put_send(struct flow *f, char *p, size_t n)
{
	return send(f->out, p, n, 0);
}

static ssize_t get_recv(struct flow *f, char *p, size_t n)
{
	return recv(f->in, p, n, next(&f->get_seed) % 2 && f->kind != 'd' && f->kind != 's' ? MSG_WAITALL : 0);
}

static ssize_t put_sendto(struct flow *f, char *p, size_t n)
{
	return sendto(f->out, p, n, MSG_NOSIGNAL, NULL, 0);
}

static ssize_t get_recvfrom(struct flow *f, char *p, size_t n)
{
	struct sockaddr_storage from;
	socklen_t size = sizeof from;
	return recvfrom(f->in, p, n, 0, (struct sockaddr *)&from, &size);
}

static ssize_t put_sendmsg(struct flow *f, char *p, size_t n)
{
	struct iovec v[VECTOR];
	struct msghdr m = {.msg_iov = cut(v, p, n, &f->put_seed), .msg_iovlen = VECTOR};
	return sendmsg(f->out, &m, 0);
}

static ssize_t get_recvmsg(struct flow *f, char *p, size_t n)
{
	struct iovec v[VECTOR];
	struct msghdr m = {.msg_iov = cut(v, p, n, &f->get_seed), .msg_iovlen = VECTOR};
	return recvmsg(f->in, &m, 0);
}

/* Messages of about equal size, one after the other. */
static unsigned messages(struct mmsghdr m[MESSAGES], struct iovec v[MESSAGES], char *p, size_t n)
{
	unsigned count = n < MESSAGES ? 1 : MESSAGES;
	size_t each = n / count;
	memset(m, 0, MESSAGES * sizeof *m);
	for (unsigned i = 0; i < count; i++) {
		v[i] = (struct iovec){p + i * each, i + 1 < count ? each : n - i * each};
		m[i].msg_hdr = (struct msghdr){.msg_iov = &v[i], .msg_iovlen = 1};
	}
	return count;
}

static ssize_t put_sendmmsg(struct flow *f, char *p, size_t n)
{
	struct mmsghdr m[MESSAGES];
	struct iovec v[MESSAGES];
	int sent = sendmmsg(f->out, m, messages(m, v, p, n), 0);
	ssize_t sum = sent < 0 ? -1 : 0;
	for (int i = 0; i < sent; i++)
		sum += m[i].msg_len;
	return sum;
}

/* They may have come short: what came is moved together. */
static ssize_t get_recvmmsg(struct flow *f, char *p, size_t n)
{
	struct mmsghdr m[MESSAGES];
	struct iovec v[MESSAGES];
	int got = recvmmsg(f->in, m, messages(m, v, p, n), MSG_WAITFORONE, NULL);
	ssize_t sum = got < 0 ? -1 : 0;
	for (int i = 0; i < got; i++) {
		f->ended = f->ended || m[i].msg_len == 0;
		memmove(p + sum, v[i].iov_base, m[i].msg_len);
		sum += m[i].msg_len;
	}
	return sum;
}

/* The source is the file of its bytes. */
static ssize_t put_sendfile(struct flow *f, char *p, size_t n)
{
	off_t at = p - f->source;
	return sendfile(f->out, f->source_file, &at, n);
}

/* Through a pipe of this side's own, which is empty before and after. */
static ssize_t fill_side(struct flow *f, char *p, size_t n)
{
	return write(f->put_side[1], p, n < 4096 ? n : 4096);
}

static ssize_t put_splice(struct flow *f, char *p, size_t n)
{
	ssize_t all = fill_side(f, p, n);
	for (ssize_t left = all; left > 0;) {
		ssize_t r = splice(f->put_side[0], NULL, f->out, NULL, (size_t)left, 0);
		check(r > 0 || errno == EINTR || errno == ENOMEM);
		left -= r > 0 ? r : 0;
	}
	return all;
}

static ssize_t get_splice(struct flow *f, char *p, size_t n)
{
	ssize_t all = splice(f->in, NULL, f->get_side[1], NULL, n, 0);
	for (ssize_t at = 0; at < all;) {
		ssize_t r = read(f->get_side[0], p + at, (size_t)(all - at));
		check(r > 0);
		at += r;
	}
	return all;
}

static ssize_t put_tee(struct flow *f, char *p, size_t n)
{
	char gone[4096];
	ssize_t all = fill_side(f, p, n);
	for (ssize_t left = all; left > 0;) {
		ssize_t r = tee(f->put_side[0], f->out, (size_t)left, 0);
		check(r > 0 || errno == EINTR || errno == ENOMEM);
		if (r > 0)
			check(read(f->put_side[0], gone, (size_t)r) == r);
		left -= r > 0 ? r : 0;
	}
	return all;
}

/* The source stays as it is until the end. */
static ssize_t put_vmsplice(struct flow *f, char *p, size_t n)
{
	struct iovec v[VECTOR];
	return vmsplice(f->out, cut(v, p, n, &f->put_seed), VECTOR, 0);
}

static ssize_t get_vmsplice(struct flow *f, char *p, size_t n)
{
	struct iovec v = {p, n};
	return vmsplice(f->in, &v, 1, 0);
}

static ssize_t put_pwrite(struct flow *f, char *p, size_t n)
{
	return pwrite(f->out, p, n, p - f->source);
}

static ssize_t get_pread(struct flow *f, char *p, size_t n)
{
	return pread(f->in, p, n, (off_t)f->arrived);
}

static ssize_t put_copy_file_range(struct flow *f, char *p, size_t n)
{
	off_t from = p - f->source, to = from;
	return copy_file_range(f->source_file, &from, f->out, &to, n, 0);
}

/* A stream's last answer: the end and an error look alike. */
static ssize_t streamed(FILE *stream, size_t n)
{
	if (n == 0 && ferror(stream)) {
		clearerr(stream);
		return -1;
	}
	return (ssize_t)n;
}

static ssize_t put_fwrite(struct flow *f, char *p, size_t n)
{
	return streamed(f->writes, fwrite(p, 1, n, f->writes));
}

static ssize_t get_fread(struct flow *f, char *p, size_t n)
{
	return streamed(f->reads, fread(p, 1, n, f->reads));
}

static ssize_t put_fputc(struct flow *f, char *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (fputc((unsigned char)p[i], f->writes) == EOF)
			return -1;
	return (ssize_t)n;
}

static ssize_t get_fgetc(struct flow *f, char *p, size_t n)
{
	size_t i = 0;
	for (int c; i < n && (c = fgetc(f->reads)) != EOF; i++)
		p[i] = (char)c;
	return streamed(f->reads, i);
}

/* A line, or what there is of one. */
static size_t line(const char *p, size_t n, char *out, size_t room)
{
	size_t size = 0;
	while (size < n && size < room - 1 && (size == 0 || p[size - 1] != '\n'))
		size++;
	memcpy(out, p, size);
	out[size] = '\0';
	return size;
}

static ssize_t put_fputs(struct flow *f, char *p, size_t n)
{
	char one[LINE];
	size_t size = line(p, n, one, sizeof one);
	return fputs(one, f->writes) == EOF ? -1 : (ssize_t)size;
}

static ssize_t get_fgets(struct flow *f, char *p, size_t n)
{
	return fgets(p, (int)n + 1, f->reads) ? (ssize_t)strlen(p) : streamed(f->reads, 0);
}

static ssize_t put_fprintf(struct flow *f, char *p, size_t n)
{
	char one[LINE];
	line(p, n, one, sizeof one);
	return fprintf(f->writes, "%s", one);
}

static ssize_t put_dprintf(struct flow *f, char *p, size_t n)
{
	char one[LINE];
	line(p, n, one, sizeof one);
	return dprintf(f->out, "%s", one);
}

static ssize_t get_getline(struct flow *f, char *p, size_t n)
{
	char *one = NULL;
	size_t room = 0;
	ssize_t r = getline(&one, &room, f->reads);
	check(r <= (ssize_t)n);
	if (r > 0)
		memcpy(p, one, (size_t)r);
	free(one);
	return r > 0 ? r : streamed(f->reads, 0);
}

static ssize_t put_fputws(struct flow *f, char *p, size_t n)
{
	char one[LINE];
	wchar_t wide[LINE];
	size_t size = line(p, n, one, sizeof one);
	for (size_t i = 0; i <= size; i++)
		wide[i] = (wchar_t)one[i];
	return fputws(wide, f->writes) == -1 ? -1 : (ssize_t)size;
}

static ssize_t get_fgetws(struct flow *f, char *p, size_t n)
{
	wchar_t wide[LINE];
	size_t i = 0;
	if (fgetws(wide, n + 1 < LINE ? (int)n + 1 : LINE, f->reads))
		for (; wide[i]; i++)
			p[i] = (char)wide[i];
	return streamed(f->reads, i);
}

static ssize_t put_fputwc(struct flow *f, char *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (fputwc((wchar_t)p[i], f->writes) == WEOF)
			return -1;
	return (ssize_t)n;
}

static ssize_t get_fgetwc(struct flow *f, char *p, size_t n)
{
	size_t i = 0;
	for (wint_t c; i < n && (c = fgetwc(f->reads)) != WEOF; i++)
		p[i] = (char)c;
	return streamed(f->reads, i);
}

#endif
