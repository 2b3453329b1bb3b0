/* parameters.h: a row of visits.def has types only; from them come its parameters and what is made of those. */
#ifndef PATCH_PARAMETERS_H
#define PATCH_PARAMETERS_H

#define PARAMETERS_0() (void)
#define PARAMETERS_1(A) (A a)
#define PARAMETERS_2(A, B) (A a, B b)
#define PARAMETERS_3(A, B, C) (A a, B b, C c)
#define PARAMETERS_4(A, B, C, D) (A a, B b, C c, D d)
#define PARAMETERS_5(A, B, C, D, E) (A a, B b, C c, D d, E e)
#define PARAMETERS_6(A, B, C, D, E, F) (A a, B b, C c, D d, E e, F f)
#define PARAMETERS_7(A, B, C, D, E, F, G) (A a, B b, C c, D d, E e, F f, G g)
#define PARAMETERS_8(A, B, C, D, E, F, G, H) (A a, B b, C c, D d, E e, F f, G g, H h)

#define ARGUMENTS_0 ()
#define ARGUMENTS_1 (a)
#define ARGUMENTS_2 (a, b)
#define ARGUMENTS_3 (a, b, c)
#define ARGUMENTS_4 (a, b, c, d)
#define ARGUMENTS_5 (a, b, c, d, e)
#define ARGUMENTS_6 (a, b, c, d, e, f)
#define ARGUMENTS_7 (a, b, c, d, e, f, g)
#define ARGUMENTS_8 (a, b, c, d, e, f, g, h)

/* The members of a structure that holds them; these set to the parameters; the arguments read from q. */
#define MEMBERS_0()
#define MEMBERS_1(A) A a;
#define MEMBERS_2(A, B)                                                                                                \
	A a;                                                                                                           \
	B b;
#define MEMBERS_3(A, B, C)                                                                                             \
	A a;                                                                                                           \
	B b;                                                                                                           \
	C c;
#define MEMBERS_4(A, B, C, D)                                                                                          \
	A a;                                                                                                           \
	B b;                                                                                                           \
	C c;                                                                                                           \
	D d;
#define MEMBERS_5(A, B, C, D, E)                                                                                       \
	A a;                                                                                                           \
	B b;                                                                                                           \
	C c;                                                                                                           \
	D d;                                                                                                           \
	E e;
#define MEMBERS_6(A, B, C, D, E, F)                                                                                    \
	A a;                                                                                                           \
	B b;                                                                                                           \
	C c;                                                                                                           \
	D d;                                                                                                           \
	E e;                                                                                                           \
	F f;
#define MEMBERS_7(A, B, C, D, E, F, G)                                                                                 \
	A a;                                                                                                           \
	B b;                                                                                                           \
	C c;                                                                                                           \
	D d;                                                                                                           \
	E e;                                                                                                           \
	F f;                                                                                                           \
	G g;
#define MEMBERS_8(A, B, C, D, E, F, G, H)                                                                              \
	A a;                                                                                                           \
	B b;                                                                                                           \
	C c;                                                                                                           \
	D d;                                                                                                           \
	E e;                                                                                                           \
	F f;                                                                                                           \
	G g;                                                                                                           \
	H h;

#define SET_0
#define SET_1 .a = a,
#define SET_2 .a = a, .b = b,
#define SET_3 .a = a, .b = b, .c = c,
#define SET_4 .a = a, .b = b, .c = c, .d = d,
#define SET_5 .a = a, .b = b, .c = c, .d = d, .e = e,
#define SET_6 .a = a, .b = b, .c = c, .d = d, .e = e, .f = f,
#define SET_7 .a = a, .b = b, .c = c, .d = d, .e = e, .f = f, .g = g,
#define SET_8 .a = a, .b = b, .c = c, .d = d, .e = e, .f = f, .g = g, .h = h,

#define OF_Q_0 ()
#define OF_Q_1 (q->a)
#define OF_Q_2 (q->a, q->b)
#define OF_Q_3 (q->a, q->b, q->c)
#define OF_Q_4 (q->a, q->b, q->c, q->d)
#define OF_Q_5 (q->a, q->b, q->c, q->d, q->e)
#define OF_Q_6 (q->a, q->b, q->c, q->d, q->e, q->f)
#define OF_Q_7 (q->a, q->b, q->c, q->d, q->e, q->f, q->g)
#define OF_Q_8 (q->a, q->b, q->c, q->d, q->e, q->f, q->g, q->h)

#endif
