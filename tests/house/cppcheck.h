/* For cppcheck alone, which does not read <sys/queue.h>: what its macros stand for. */
#define TAILQ_HEAD(name, type)                                                                                         \
	struct name {                                                                                                  \
		struct type *tqh_first, **tqh_last;                                                                    \
	}
#define TAILQ_ENTRY(type)                                                                                              \
	struct {                                                                                                       \
		struct type *tqe_next, **tqe_prev;                                                                     \
	}
#define TAILQ_HEAD_INITIALIZER(head)                                                                                   \
	{                                                                                                              \
		NULL, &(head).tqh_first                                                                                \
	}
#define TAILQ_FIRST(head) ((head)->tqh_first)
#define TAILQ_NEXT(one, link) ((one)->link.tqe_next)
#define TAILQ_FOREACH(one, head, link) for ((one) = (head)->tqh_first; (one); (one) = (one)->link.tqe_next)
