/* The wrappers that are made from the rows of visits.def. */
#include "shim/libc/visit.h"

#define ALIAS(alias, name) EXPORT_AS(alias, name);

#define VISIT(ret, name, n, types, how)                                                                                \
	struct asked_##name {                                                                                          \
		struct visit visit;                                                                                    \
		MEMBERS_##n types ret result;                                                                          \
	};                                                                                                             \
	static void ask_##name(struct visit *visit)                                                                    \
	{                                                                                                              \
		struct asked_##name *q = (struct asked_##name *)(void *)visit;                                         \
		q->result = real.name OF_Q_##n;                                                                        \
	}                                                                                                              \
	ret patch_##name PARAMETERS_##n types                                                                          \
	{                                                                                                              \
		if (likely(!patch_started))                                                                            \
			return real.name ARGUMENTS_##n;                                                                \
		struct asked_##name q = {.visit.call = ask_##name, SET_##n};                                           \
		how;                                                                                                   \
		return q.result;                                                                                       \
	}                                                                                                              \
	EXPORT(name);

#define VISIT_VOID(name, n, types, how)                                                                                \
	struct asked_##name {                                                                                          \
		struct visit visit;                                                                                    \
		MEMBERS_##n types                                                                                      \
	};                                                                                                             \
	static void ask_##name(struct visit *visit)                                                                    \
	{                                                                                                              \
		struct asked_##name *q __attribute__((unused)) = (struct asked_##name *)(void *)visit;                 \
		real.name OF_Q_##n;                                                                                    \
	}                                                                                                              \
	void patch_##name PARAMETERS_##n types                                                                         \
	{                                                                                                              \
		if (likely(!patch_started)) {                                                                          \
			real.name ARGUMENTS_##n;                                                                       \
			return;                                                                                        \
		}                                                                                                      \
		struct asked_##name q = {.visit.call = ask_##name, SET_##n};                                           \
		how;                                                                                                   \
	}                                                                                                              \
	EXPORT(name);

#define LOOKUP(ret, name, n, types, fixture) VISIT(ret, name, n, types, visit(&q.visit, visit_may_look_up()))
#define LOOKUP_VOID(name, n, types, fixture) VISIT_VOID(name, n, types, visit(&q.visit, visit_may_look_up()))
#define SAID(name, n, types, fixture) VISIT_VOID(name, n, types, visit(&q.visit, patch_green()))
#define ALONE(ret, name, n, types, family, fixture) VISIT(ret, name, n, types, visit_alone(&q.visit))

#include "shim/base/visits.def"
