/* recvmsg and sendmsg: pieces, addresses, flags, and descriptors that travel; recvmmsg and sendmmsg. */
#include <sys/uio.h>

#include "carrier.h"

static sem_t here;

static void *receive_fd(void *arg)
{
	char byte, control[256];
	int fd = -1;
	struct iovec v = {&byte, 1};
	struct msghdr m = {.msg_iov = &v, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control};
	sem_post(&here);
	check(recvmsg((int)(long)arg, &m, MSG_CMSG_CLOEXEC) == 1);
	struct cmsghdr *c = CMSG_FIRSTHDR(&m);
	check(c && c->cmsg_type == SCM_RIGHTS);
	memcpy(&fd, CMSG_DATA(c), sizeof fd);
	printf("received a descriptor, close-on-exec %d\n", !!(fcntl(fd, F_GETFD) & FD_CLOEXEC));
	/* What came is blocking, and so a reader of it parks. */
	sem_post(&here);
	check(read(fd, &byte, 1) == 1);
	printf("read %c through it\n", byte);
	close(fd);
	return NULL;
}

static void *receive_pieces(void *arg)
{
	char a[3], b[100];
	struct sockaddr_in from;
	struct iovec v[2] = {{a, sizeof a}, {b, 4}};
	struct msghdr m = {.msg_name = &from, .msg_namelen = sizeof from, .msg_iov = v, .msg_iovlen = 2};
	sem_post(&here);
	ssize_t n = recvmsg((int)(long)arg, &m, 0);
	printf("%zd bytes: %.3s %.4s, truncated %d, address of %d bytes\n", n, a, b, !!(m.msg_flags & MSG_TRUNC),
	       (int)m.msg_namelen);
	return NULL;
}

static void *receive_many(void *arg)
{
	char data[4][8];
	struct iovec v[4];
	struct mmsghdr m[4] = {0};
	for (int i = 0; i < 4; i++) {
		v[i] = (struct iovec){data[i], sizeof data[i]};
		m[i].msg_hdr.msg_iov = &v[i];
		m[i].msg_hdr.msg_iovlen = 1;
	}
	sem_post(&here);
	int n = recvmmsg((int)(long)arg, m, 3, 0, NULL);
	printf("all of 3: %d;", n);
	for (int i = 0; i < n; i++)
		printf(" %.*s", (int)m[i].msg_len, data[i]);
	puts("");
	sem_post(&here);
	n = recvmmsg((int)(long)arg, m, 4, MSG_WAITFORONE, NULL);
	printf("at least one: %d\n", n > 0);
	show(recvmmsg((int)(long)arg, m, 4, MSG_DONTWAIT, NULL));
	return NULL;
}

int main(void)
{
	int pair[2], other[2];
	struct sockaddr_in address;
	sem_init(&here, 0, 0);
	stream_pair(pair);
	stream_pair(other);
	pthread_t t = spawn(receive_fd, (void *)(long)pair[0]);
	wait_for(&here);
	report_threads();
	struct carrier c;
	check(sendmsg(pair[1], carry(&c, "f", 1, other[0]), 0) == 1);
	close(other[0]);
	wait_for(&here);
	check(write(other[1], "z", 1) == 1);
	join(t);

	int receiver = bound(SOCK_DGRAM, &address), sender = socket(AF_INET, SOCK_DGRAM, 0);
	t = spawn(receive_pieces, (void *)(long)receiver);
	wait_for(&here);
	struct iovec v[2] = {{(void *)"abcdef", 6}, {(void *)"ghijkl", 6}};
	struct msghdr m = {.msg_name = &address, .msg_namelen = sizeof address, .msg_iov = v, .msg_iovlen = 2};
	check(sendmsg(sender, &m, 0) == 12);
	join(t);

	t = spawn(receive_many, (void *)(long)receiver);
	wait_for(&here);
	check(connect(sender, (struct sockaddr *)&address, sizeof address) == 0);
	check(send(sender, "1", 1, 0) == 1);
	struct mmsghdr many[2] = {0};
	for (int i = 0; i < 2; i++) {
		many[i].msg_hdr.msg_iov = &v[i];
		many[i].msg_hdr.msg_iovlen = 1;
	}
	check(sendmmsg(sender, many, 2, 0) == 2 && many[0].msg_len == 6 && many[1].msg_len == 6);
	wait_for(&here);
	check(send(sender, "2", 1, 0) == 1);
	join(t);
	show(sendmmsg(-1, many, 2, 0));
	return 0;
}
