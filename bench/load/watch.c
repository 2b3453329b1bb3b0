/* watch.c: reads /proc and the CPU clock of another process. Used before and after a run, never within it. */
#include "watch.h"

#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static long status_field(const char *text, const char *name)
{
	const char *line = strstr(text, name);
	long value = 0;

	if (line)
		sscanf(line + strlen(name), "%ld", &value);
	return value;
}

static int slurp(char *text, size_t size, pid_t pid, const char *file)
{
	char path[64];
	size_t n;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, file);
	f = fopen(path, "r");
	if (!f)
		return -1;
	n = fread(text, 1, size - 1, f);
	fclose(f);
	text[n] = '\0';
	return 0;
}

int usage_read(struct usage *usage, pid_t pid)
{
	char text[8192];
	unsigned long user = 0, system = 0;
	struct timespec cpu;
	clockid_t clock;
	char *after_name;

	if (slurp(text, sizeof(text), pid, "stat") < 0)
		return -1;
	/* proc(5): the second field is the name in parentheses and may itself hold spaces and parentheses. */
	after_name = strrchr(text, ')');
	if (!after_name ||
	    sscanf(after_name + 1, " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &user, &system) != 2)
		return -1;
	usage->user = (double)user / (double)sysconf(_SC_CLK_TCK);
	usage->system = (double)system / (double)sysconf(_SC_CLK_TCK);
	if (clock_getcpuclockid(pid, &clock) != 0 || clock_gettime(clock, &cpu) < 0)
		return -1;
	usage->cpu = (double)cpu.tv_sec + (double)cpu.tv_nsec / 1e9;
	if (slurp(text, sizeof(text), pid, "status") < 0)
		return -1;
	usage->threads = status_field(text, "\nThreads:");
	usage->rss_kb = status_field(text, "\nVmRSS:");
	usage->pte_kb = status_field(text, "\nVmPTE:");
	return 0;
}
