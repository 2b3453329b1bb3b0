/* transfer_pairs.h: for io_transfer: more sides of pairs, and the table of all. */
#ifndef TRANSFER_PAIRS_H
#define TRANSFER_PAIRS_H

#include "transfers.h"

/* ---- The names that _FORTIFY_SOURCE calls (bits/socket2.h and its like), and those without a lock ---- */

ssize_t __read_chk(int fd, void *to, size_t n, size_t room);
ssize_t __pread_chk(int fd, void *to, size_t n, off_t at, size_t room);
ssize_t __recv_chk(int fd, void *to, size_t n, size_t room, int flags);
ssize_t __recvfrom_chk(int fd, void *to, size_t n, size_t room, int flags, struct sockaddr *from, socklen_t *size);
size_t __fread_chk(void *to, size_t room, size_t size, size_t n, FILE *stream);
char *__fgets_chk(char *to, size_t room, int n, FILE *stream);
int __fprintf_chk(FILE *stream, int flag, const char *format, ...);
int __dprintf_chk(int fd, int flag, const char *format, ...);

static ssize_t get_read_chk(struct flow *f, char *p, size_t n)
{
	return __read_chk(f->in, p, n, PIECE);
}

static ssize_t get_pread_chk(struct flow *f, char *p, size_t n)
{
	return __pread_chk(f->in, p, n, (off_t)f->arrived, PIECE);
}

static ssize_t get_recv_chk(struct flow *f, char *p, size_t n)
{
	return __recv_chk(f->in, p, n, PIECE, 0);
}

static ssize_t get_recvfrom_chk(struct flow *f, char *p, size_t n)
{
	return __recvfrom_chk(f->in, p, n, PIECE, 0, NULL, NULL);
}

static ssize_t get_fread_chk(struct flow *f, char *p, size_t n)
{
	return streamed(f->reads, __fread_chk(p, PIECE, 1, n, f->reads));
}

static ssize_t get_fgets_chk(struct flow *f, char *p, size_t n)
{
	return __fgets_chk(p, PIECE + 1, (int)n + 1, f->reads) ? (ssize_t)strlen(p) : streamed(f->reads, 0);
}

static ssize_t put_fprintf_chk(struct flow *f, char *p, size_t n)
{
	char one[LINE];
	line(p, n, one, sizeof one);
	return __fprintf_chk(f->writes, 1, "%s", one);
}

static ssize_t put_dprintf_chk(struct flow *f, char *p, size_t n)
{
	char one[LINE];
	line(p, n, one, sizeof one);
	return __dprintf_chk(f->out, 1, "%s", one);
}

static ssize_t put_fwrite_unlocked(struct flow *f, char *p, size_t n)
{
	return streamed(f->writes, fwrite_unlocked(p, 1, n, f->writes));
}

static ssize_t get_fread_unlocked(struct flow *f, char *p, size_t n)
{
	return streamed(f->reads, fread_unlocked(p, 1, n, f->reads));
}

static ssize_t put_putc_unlocked(struct flow *f, char *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (putc_unlocked((unsigned char)p[i], f->writes) == EOF)
			return -1;
	return (ssize_t)n;
}

static ssize_t get_getc_unlocked(struct flow *f, char *p, size_t n)
{
	size_t i = 0;
	for (int c; i < n && (c = getc_unlocked(f->reads)) != EOF; i++)
		p[i] = (char)c;
	return streamed(f->reads, i);
}

/* ---- Others ---- */

static ssize_t put_pwritev(struct flow *f, char *p, size_t n)
{
	struct iovec v[VECTOR];
	return pwritev(f->out, cut(v, p, n, &f->put_seed), VECTOR, p - f->source);
}

static ssize_t get_preadv(struct flow *f, char *p, size_t n)
{
	struct iovec v[VECTOR];
	return preadv(f->in, cut(v, p, n, &f->get_seed), VECTOR, (off_t)f->arrived);
}

static ssize_t put_pwritev2_at(struct flow *f, char *p, size_t n)
{
	struct iovec v[VECTOR];
	return pwritev2(f->out, cut(v, p, n, &f->put_seed), VECTOR, p - f->source, 0);
}

static ssize_t get_preadv2_at(struct flow *f, char *p, size_t n)
{
	struct iovec v[VECTOR];
	return preadv2(f->in, cut(v, p, n, &f->get_seed), VECTOR, (off_t)f->arrived, 0);
}

static ssize_t put_mq_send(struct flow *f, char *p, size_t n)
{
	return mq_send(f->out, p, n, 0) == 0 ? (ssize_t)n : -1;
}

static ssize_t get_mq_receive(struct flow *f, char *p, size_t n)
{
	return mq_receive(f->in, p, n, NULL);
}

static ssize_t put_mq_timedsend(struct flow *f, char *p, size_t n)
{
	struct timespec late = after(CLOCK_REALTIME, 1000);
	return mq_timedsend(f->out, p, n, 0, &late) == 0 ? (ssize_t)n : -1;
}

static ssize_t get_mq_timedreceive(struct flow *f, char *p, size_t n)
{
	struct timespec late = after(CLOCK_REALTIME, 1000);
	return mq_timedreceive(f->in, p, n, NULL, &late);
}

enum { QUEUED = 4000 };

struct queued {
	long type;
	char bytes[QUEUED];
};

static ssize_t put_msgsnd(struct flow *f, char *p, size_t n)
{
	struct queued m = {.type = 1 + next(&f->put_seed) % 3};
	memcpy(m.bytes, p, n);
	return msgsnd(f->out, &m, n, 0) == 0 ? (ssize_t)n : -1;
}

static ssize_t get_msgrcv(struct flow *f, char *p, size_t n)
{
	struct queued m;
	ssize_t r = msgrcv(f->in, &m, sizeof m.bytes, 0, 0);
	if (r > 0)
		memcpy(p, m.bytes, (size_t)r);
	return r;
}

static ssize_t put_vfprintf(struct flow *f, const char *format, ...)
{
	va_list ap;
	va_start(ap, format);
	int n = vfprintf(f->writes, format, ap);
	va_end(ap);
	return n;
}

static ssize_t put_vfprintf_line(struct flow *f, char *p, size_t n)
{
	char one[LINE];
	line(p, n, one, sizeof one);
	return put_vfprintf(f, "%s", one);
}

static ssize_t get_getdelim(struct flow *f, char *p, size_t n)
{
	char *one = NULL;
	size_t room = 0;
	ssize_t r = getdelim(&one, &room, '\n', f->reads);
	check(r <= (ssize_t)n);
	if (r > 0)
		memcpy(p, one, (size_t)r);
	free(one);
	return r > 0 ? r : streamed(f->reads, 0);
}

static const struct pair pairs[] = {
	{.name = "write and read", put_write, get_read, "puty"},
	{.name = "writev and readv", put_writev, get_readv, "puty"},
	{.name = "pwritev2 and preadv2", put_pwritev2, get_preadv2, "puty"},
	{.name = "SYS_write and SYS_read", put_syscall, get_syscall, "puty"},
	{.name = "send and recv", put_send, get_recv, "ut"},
	{.name = "sendto and recvfrom", put_sendto, get_recvfrom, "ut"},
	{.name = "sendmsg and recvmsg", put_sendmsg, get_recvmsg, "ut"},
	{.name = "sendmmsg and recvmmsg", put_sendmmsg, get_recvmmsg, "ut"},
	{.name = "send and recv of messages", put_send, get_recv, "ds", 4000},
	{.name = "sendto and recvfrom of messages", put_sendto, get_recvfrom, "ds", 4000},
	{.name = "sendmsg and recvmsg of messages", put_sendmsg, get_recvmsg, "ds", 4000},
	{.name = "sendmmsg and recvmmsg of messages", put_sendmmsg, get_recvmmsg, "ds", 4000},
	{.name = "write and read of messages", put_write, get_read, "ds", 4000},
	{.name = "sendfile and read", put_sendfile, get_read, "put"},
	{.name = "splice", put_splice, get_splice, "put"},
	{.name = "tee and read", put_tee, get_read, "p"},
	{.name = "vmsplice and read", put_vmsplice, get_read, "p"},
	{.name = "write and vmsplice", put_write, get_vmsplice, "p"},
	{.name = "pwrite and pread", put_pwrite, get_pread, "f", 4000},
	{.name = "copy_file_range and pread", put_copy_file_range, get_pread, "f", 4000},
	{.name = "fwrite and fread", put_fwrite, get_fread, "puty", .mode = "buffered"},
	{.name = "fwrite and fread without buffers", put_fwrite, get_fread, "pt", .mode = "unbuffered"},
	{.name = "fputc and fgetc", put_fputc, get_fgetc, "ut", .mode = "buffered"},
	{.name = "fputs and fgets", put_fputs, get_fgets, "puty", .mode = "buffered", .text = true},
	{.name = "fputs and fgets by lines", put_fputs, get_fgets, "pu", .mode = "lines", .text = true},
	{.name = "fprintf and getline", put_fprintf, get_getline, "put", .mode = "buffered", .text = true},
	{.name = "dprintf and getline", put_dprintf, get_getline, "put", .mode = "buffered", .text = true},
	{.name = "fputws and fgetws", put_fputws, get_fgetws, "put", .mode = "buffered", .text = true, .wide = true},
	{.name = "write and __read_chk", put_write, get_read_chk, "puty"},
	{.name = "send and __recv_chk", put_send, get_recv_chk, "ut"},
	{.name = "sendto and __recvfrom_chk", put_sendto, get_recvfrom_chk, "ut"},
	{.name = "pwrite and __pread_chk", put_pwrite, get_pread_chk, "f", 4000},
	{.name = "fwrite and __fread_chk", put_fwrite, get_fread_chk, "pt", .mode = "buffered"},
	{.name = "fputs and __fgets_chk", put_fputs, get_fgets_chk, "pt", .mode = "buffered", .text = true},
	{.name = "__fprintf_chk and fgets", put_fprintf_chk, get_fgets, "pt", .mode = "buffered", .text = true},
	{.name = "__dprintf_chk and getline", put_dprintf_chk, get_getline, "pt", .mode = "buffered", .text = true},
	{.name = "fwrite_unlocked and fread_unlocked",
	 put_fwrite_unlocked,
	 get_fread_unlocked,
	 "pt",
	 .mode = "buffered"},
	{.name = "putc_unlocked and getc_unlocked", put_putc_unlocked, get_getc_unlocked, "pt", .mode = "buffered"},
	{.name = "vfprintf and getdelim", put_vfprintf_line, get_getdelim, "pt", .mode = "buffered", .text = true},
	{.name = "pwritev and preadv", put_pwritev, get_preadv, "f", 4000},
	{.name = "pwritev2 and preadv2 at offsets", put_pwritev2_at, get_preadv2_at, "f", 4000},
	{.name = "mq_send and mq_receive", put_mq_send, get_mq_receive, "q", 4000},
	{.name = "mq_timedsend and mq_timedreceive", put_mq_timedsend, get_mq_timedreceive, "q", 4000},
	{.name = "msgsnd and msgrcv", put_msgsnd, get_msgrcv, "v", QUEUED},
	{.name = "fputwc and fgetwc", put_fputwc, get_fgetwc, "ut", .mode = "buffered", .text = true, .wide = true},
};

#endif
