/* check_past.c: for `gev check`: a library that makes system calls by instructions of its own: one that waits, one that does not, one whose
 * number comes from the caller. */
#include <sys/syscall.h>

__attribute__((visibility("default"))) long past_libc(int *word);
__attribute__((visibility("default"))) long past_libc_any(long number);

long past_libc_any(long number)
{
#ifdef __x86_64__
	__asm__ volatile("syscall" : "+a"(number) : : "rcx", "r11", "memory");
	return number;
#else
	register long result __asm__("x0");
	register long call __asm__("x8") = number;
	__asm__ volatile("svc #0" : "=r"(result) : "r"(call) : "memory");
	return result;
#endif
}

static inline __attribute__((always_inline)) long call(long number, void *first)
{
#ifdef __x86_64__
	long result;
	__asm__ volatile("syscall" : "=a"(result) : "a"(number), "D"(first), "S"(0L), "d"(1L) : "rcx", "r11", "memory");
	return result;
#else
	register long result __asm__("x0") = (long)first;
	register long n __asm__("x8") = number;
	__asm__ volatile("svc #0" : "+r"(result) : "r"(n) : "memory");
	return result;
#endif
}

long past_libc(int *word)
{
	return call(SYS_futex, word) + call(SYS_getpid, 0);
}
