/* A shared object that does nothing: what selftest.py preloads. */
extern int twin_nothing;
int twin_nothing;
