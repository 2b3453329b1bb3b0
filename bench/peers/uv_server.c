/* uv_server: the same server on libuv. It answers by uv_try_write, as one who knows libuv would, and by uv_write what did not go at once.
 *
 * Usage: uv_server PORT    (0: any free port). Prints `listening on 127.0.0.1:PORT`.
 */
#include <arpa/inet.h>
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

#include "bench/peers/limit.h"

enum { BUFFER = 1024 };

struct rest {
	uv_write_t request;
	char data[];
};

static char shared[BUFFER]; /* one loop, one thread: filled and answered before the next read */

static void die(const char *what, int error)
{
	fprintf(stderr, "%s: %s\n", what, uv_strerror(error));
	exit(1);
}

static void give_buffer(uv_handle_t *handle, size_t wanted, uv_buf_t *buffer)
{
	*buffer = uv_buf_init(shared, sizeof shared);
}

static void on_close(uv_handle_t *handle)
{
	free(handle);
}

static void on_read(uv_stream_t *stream, ssize_t size, const uv_buf_t *buffer);

static void on_written(uv_write_t *request, int status)
{
	uv_stream_t *stream = request->handle;
	free(request); /* the first member of its struct rest */
	if (status < 0)
		uv_close((uv_handle_t *)stream, on_close);
	else
		uv_read_start(stream, give_buffer, on_read);
}

/* A client that does not read is not read from. */
static void send_rest(uv_stream_t *stream, const char *data, size_t size)
{
	struct rest *rest = malloc(sizeof *rest + size);
	if (rest == NULL)
		die("memory", UV_ENOMEM);
	memcpy(rest->data, data, size);
	uv_buf_t buffer = uv_buf_init(rest->data, (unsigned)size);
	uv_read_stop(stream);
	int r = uv_write(&rest->request, stream, &buffer, 1, on_written);
	if (r < 0)
		die("uv_write", r);
}

static void on_read(uv_stream_t *stream, ssize_t size, const uv_buf_t *buffer)
{
	if (size < 0) {
		uv_close((uv_handle_t *)stream, on_close);
		return;
	}
	for (ssize_t i = 0; i < size; i++)
		buffer->base[i] = (char)toupper((unsigned char)buffer->base[i]);
	uv_buf_t answer = uv_buf_init(buffer->base, (unsigned)size);
	int sent = size ? uv_try_write(stream, &answer, 1) : 0;
	if (sent < 0 && sent != UV_EAGAIN)
		uv_close((uv_handle_t *)stream, on_close);
	else if (sent < size)
		send_rest(stream, buffer->base + (sent > 0 ? sent : 0), (size_t)(size - (sent > 0 ? sent : 0)));
}

static void on_connection(uv_stream_t *listener, int status)
{
	uv_tcp_t *connection = malloc(sizeof *connection);
	if (status < 0 || connection == NULL)
		die("a connection", status < 0 ? status : UV_ENOMEM);
	uv_tcp_init(listener->loop, connection);
	if (uv_accept(listener, (uv_stream_t *)connection) < 0) {
		uv_close((uv_handle_t *)connection, on_close);
		return;
	}
	uv_tcp_nodelay(connection, 1);
	uv_read_start((uv_stream_t *)connection, give_buffer, on_read);
}

int main(int argc, char **argv)
{
	struct sockaddr_in address;
	int length = sizeof address, r;
	uv_tcp_t listener;

	if (argc != 2)
		return 2;
	raise_descriptor_limit();
	uv_loop_t *loop = uv_default_loop();
	uv_tcp_init(loop, &listener);
	uv_ip4_addr("127.0.0.1", atoi(argv[1]), &address);
	if ((r = uv_tcp_bind(&listener, (struct sockaddr *)&address, 0)) < 0 ||
	    (r = uv_listen((uv_stream_t *)&listener, SOMAXCONN, on_connection)) < 0 ||
	    (r = uv_tcp_getsockname(&listener, (struct sockaddr *)&address, &length)) < 0)
		die("listening", r);
	printf("listening on 127.0.0.1:%u\n", (unsigned)ntohs(address.sin_port));
	fflush(stdout);
	return uv_run(loop, UV_RUN_DEFAULT);
}
