/* ledger.h: why a function of libc may be left alone, and what is said of those that may not, but are.
 *
 * The list of reasons is closed: a PASS row names one of these and no other. A new reason is a new promise to every program; it
 * belongs here only if it holds for each call of the function, in each green thread, and costs no other thread its turn. The last one says that
 * there are no such calls: a test sees to it that libc gives the name to no linker, and `gev check` tells of a program that has it all the same. */
#ifndef PATCH_LEDGER_H
#define PATCH_LEDGER_H

#define PATCH_REASONS(R)                                                                                               \
	R(NEVER_WAITS, "It returns at once, whatever other threads, processes and peers do.")                          \
	R(LOCAL_STORAGE,                                                                                               \
	  "It waits at most for the file system or for a program to start, never for what another thread "             \
	  "or a peer does.")                                                                                           \
	R(PLAIN_MEMORY, "It reads and writes an object of the caller's, and nothing else.")                            \
	R(NATIVE_ON_ANY_TCB,                                                                                           \
	  "What it reads and writes lies behind the thread pointer or on the stack: a green thread has its own.")      \
	R(WHOLE_PROCESS, "It concerns the process as a whole, natively too, whichever thread calls.")                  \
	R(FORK_HANDLERS, "It forks, and the shim's handlers of pthread_atfork run in it, whoever forks.")              \
	R(FRESH_DESCRIPTOR, "It makes a descriptor and returns at once; the number is learnt at its first use.")       \
	R(LIBC_THREADS, "libc does the work on real threads of its own, and the call returns at once.")                \
	R(ENDS_HERE, "It does not return: the process ends.")                                                          \
	R(ALWAYS_FAILS, "libc keeps a stub of the name, which fails at once or does nothing.")                         \
	R(OLD_PROGRAMS, "libc keeps it for programs linked long ago: no program of today can be linked with it.")

enum patch_reason {
#define R(name, sentence) name,
	PATCH_REASONS(R)
#undef R
};

/* What becomes of an OLD row's caller. */
#define IN_OLD_PROGRAMS "kept for programs linked long ago: every green thread waits while one is in it"

#endif
