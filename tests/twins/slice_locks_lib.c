/* A library whose constructor computes, in a function of the program's. */
void compute_in_constructor(void);

__attribute__((constructor)) static void begin(void)
{
	compute_in_constructor();
}

__attribute__((destructor)) static void end(void)
{
	compute_in_constructor();
}
