/* wordexp: libc's own, as a visit. It looks up accounts (~name), reads folders, and waits for the commands in $(), which get the caller's signal
 * mask. */
#include <string.h>
#include <wordexp.h>

#include "shim/libc/exec.h"
#include "shim/libc/visit.h"
#include "shim/signal/signals.h"

struct expanding {
	struct visit visit;
	const char *words;
	wordexp_t *to;
	int flags;
	sigset_t mask;
	int result;
};

static void expand(struct visit *v)
{
	struct expanding *e = (struct expanding *)(void *)v;
	sigset_t mask;
	real.pthread_sigmask(SIG_SETMASK, &e->mask, &mask);
	e->result = real.wordexp(e->words, e->to, e->flags);
	real.pthread_sigmask(SIG_SETMASK, &mask, NULL);
}

static void expand_here(struct visit *v)
{
	struct expanding *e = (struct expanding *)(void *)v;
	e->result = real.wordexp(e->words, e->to, e->flags);
}

int patch_wordexp(const char *words, wordexp_t *to, int flags)
{
	if (likely(!patch_started))
		return real.wordexp(words, to, flags);
	struct expanding e = {.words = words, .to = to, .flags = flags};
	bool parks = patch_green();
	if (strstr(words, "$(") || strchr(words, '`'))
		exec_shell_begins();
	e.visit.call = parks ? expand : expand_here;
	if (parks)
		patch_pthread_sigmask(SIG_BLOCK, NULL, &e.mask);
	visit_alone(&e.visit);
	return e.result;
}
EXPORT(wordexp);
