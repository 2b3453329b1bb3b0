/* A server as inetd's were written, with a thread each connection: fdopen for reading and for writing, fgets, sscanf, fprintf; and clients of the same kind.
 * Connections are kept open beside one another, over TCP; answers are longer than any buffer. */
#include "twin.h"

enum { CLIENTS = 12, REQUESTS = 60, MOST = 30000 };

static struct sockaddr_in address;
static int listener;
static sem_t connected, go;

static void *talk(void *arg)
{
	int fd = (int)(long)arg;
	char line[200], name[100];
	int n, requests = 0;
	FILE *in = fdopen(fd, "r"), *out = fdopen(dup(fd), "w");
	check(in && out);
	while (fgets(line, sizeof line, in)) {
		requests++;
		if (sscanf(line, "SAY %d %99s", &n, name) == 2) {
			fprintf(out, "OK %d\n", n);
			for (int i = 0; i < n; i++)
				putc(name[i % (int)strlen(name)], out);
			fprintf(out, "\n");
		} else if (strcmp(line, "QUIT\n") == 0) {
			fprintf(out, "BYE %d\n", requests);
			break;
		} else {
			fprintf(out, "WHAT %s", line);
		}
		check(fflush(out) == 0);
	}
	check(fclose(out) == 0 && fclose(in) == 0);
	return NULL;
}

static void *serve(void *arg)
{
	pthread_t talkers[CLIENTS];
	for (int i = 0; i < CLIENTS; i++) {
		int fd = accept(listener, NULL, NULL);
		check(fd >= 0);
		talkers[i] = spawn(talk, (void *)(long)fd);
	}
	for (int i = 0; i < CLIENTS; i++)
		join(talkers[i]);
	return arg;
}

struct client {
	unsigned number, seed;
	unsigned long bytes;
	char last[50];
};

static void *ask(void *arg)
{
	struct client *c = arg;
	char name[20], word[20];
	int n;
	FILE *f = fdopen(tcp_dial(&address), "r+");
	check(f != NULL);
	sem_post(&connected);
	wait_for(&go);
	snprintf(name, sizeof name, "name%u", c->number);
	for (int i = 0; i < REQUESTS; i++) {
		c->seed = c->seed * 1103515245u + 12345u;
		int want = (int)((c->seed >> 8) % (i % 10 ? 300 : MOST));
		check(fprintf(f, "SAY %d %s\n", want, name) > 0 && fflush(f) == 0);
		check(fscanf(f, "%19s %d", word, &n) == 2 && strcmp(word, "OK") == 0 && n == want && getc(f) == '\n');
		for (int k = 0; k < n; k++)
			check(getc(f) == name[k % (int)strlen(name)]);
		check(getc(f) == '\n');
		c->bytes += (unsigned long)n;
	}
	fputs("and?\nQUIT\n", f);
	check(fflush(f) == 0 && fgets(c->last, sizeof c->last, f) && strcmp(c->last, "WHAT and?\n") == 0);
	check(fgets(c->last, sizeof c->last, f) && getc(f) == EOF);
	check(fclose(f) == 0);
	return NULL;
}

int main(void)
{
	static struct client clients[CLIENTS];
	pthread_t threads[CLIENTS];
	sem_init(&connected, 0, 0);
	sem_init(&go, 0, 0);
	listener = tcp_listener(&address);
	pthread_t server = spawn(serve, NULL);
	for (unsigned i = 0; i < CLIENTS; i++) {
		clients[i] = (struct client){.number = i, .seed = i};
		threads[i] = spawn(ask, &clients[i]);
	}
	for (int i = 0; i < CLIENTS; i++)
		wait_for(&connected);
	report_threads();
	for (int i = 0; i < CLIENTS; i++)
		sem_post(&go);
	for (int i = 0; i < CLIENTS; i++) {
		join(threads[i]);
		printf("client %d: %lu bytes, %s", i, clients[i].bytes, clients[i].last);
	}
	join(server);
	return 0;
}
