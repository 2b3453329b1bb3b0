/*
 * An HTTP server on libmicrohttpd with a thread for each connection: microhttpd PORT FILE. It answers /page with the file, and anything else
 * with 404, until SIGTERM comes.
 */
#include <microhttpd.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char *page;
static size_t length;

static enum MHD_Result answer(void *unused, struct MHD_Connection *connection, const char *url, const char *method,
			      const char *version, const char *upload, size_t *upload_length, void **state)
{
	(void)unused, (void)method, (void)version, (void)upload, (void)upload_length, (void)state;
	int found = strcmp(url, "/page") == 0;
	struct MHD_Response *response =
		found ? MHD_create_response_from_buffer(length, page, MHD_RESPMEM_PERSISTENT)
		      : MHD_create_response_from_buffer(2, (void *)"no", MHD_RESPMEM_PERSISTENT);
	enum MHD_Result queued = MHD_queue_response(connection, found ? MHD_HTTP_OK : MHD_HTTP_NOT_FOUND, response);
	MHD_destroy_response(response);
	return queued;
}

static void load(const char *path)
{
	FILE *file = fopen(path, "r");
	if (!file || fseek(file, 0, SEEK_END))
		exit(2);
	length = (size_t)ftell(file);
	rewind(file);
	page = malloc(length);
	if (!page || fread(page, 1, length, file) != length)
		exit(2);
	fclose(file);
}

int main(int argc, char **argv)
{
	if (argc != 3)
		return 2;
	load(argv[2]);

	sigset_t end;
	int signal;
	sigemptyset(&end);
	sigaddset(&end, SIGTERM);
	sigprocmask(SIG_BLOCK, &end, NULL);

	struct sockaddr_in here = {.sin_family = AF_INET,
				   .sin_port = htons((unsigned short)atoi(argv[1])),
				   .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	struct MHD_Daemon *daemon =
		MHD_start_daemon(MHD_USE_THREAD_PER_CONNECTION | MHD_USE_INTERNAL_POLLING_THREAD, 0, NULL, NULL, answer,
				 NULL, MHD_OPTION_SOCK_ADDR, (struct sockaddr *)&here, MHD_OPTION_END);
	if (!daemon)
		return 1;
	sigwait(&end, &signal);
	MHD_stop_daemon(daemon);
	free(page);
	return 0;
}
