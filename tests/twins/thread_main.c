/* A main that keeps nothing but its return address: it comes back with another stack pointer and with other registers than it was called with, as Free
 * Pascal's does. libc ends the process with its result. */
#include "twin.h"

static sem_t go;

static void *work(void *arg)
{
	wait_for(&go);
	return arg;
}

static void at_exit(void)
{
	puts("exit");
}

/* What main calls. */
int inner(void);
__attribute__((used)) int inner(void)
{
	sem_init(&go, 0, 0);
	pthread_t t[2] = {spawn(work, NULL), spawn(work, NULL)};
	report_threads();
	sem_post(&go);
	sem_post(&go);
	join(t[0]);
	join(t[1]);
	check(atexit(at_exit) == 0);
	puts("main comes back");
	return 7;
}

#if defined(__x86_64__)
__asm__(".local back\n\t"
	".comm back, 8, 8\n\t"
	".pushsection .text\n\t"
	".globl main\n\t"
	".type main, @function\n"
	"main:\n\t"
	"popq back(%rip)\n\t"
	"call inner\n\t"
	"xorl %ebx, %ebx\n\t"
	"xorl %ebp, %ebp\n\t"
	"xorl %r12d, %r12d\n\t"
	"xorl %r13d, %r13d\n\t"
	"xorl %r14d, %r14d\n\t"
	"xorl %r15d, %r15d\n\t"
	"subq $4096, %rsp\n\t"
	"pushq back(%rip)\n\t"
	"ret\n\t"
	".size main, .-main\n\t"
	".popsection");
#elif defined(__aarch64__)
__asm__(".local back\n\t"
	".comm back, 8, 8\n\t"
	".pushsection .text\n\t"
	".globl main\n\t"
	".type main, @function\n"
	"main:\n\t"
	"adrp x9, back\n\t"
	"str x30, [x9, :lo12:back]\n\t"
	"bl inner\n\t"
	"mov x19, #0\n\t"
	"mov x20, #0\n\t"
	"mov x21, #0\n\t"
	"mov x22, #0\n\t"
	"mov x29, #0\n\t"
	"sub sp, sp, #4096\n\t"
	"adrp x9, back\n\t"
	"ldr x30, [x9, :lo12:back]\n\t"
	"ret\n\t"
	".size main, .-main\n\t"
	".popsection");
#endif
