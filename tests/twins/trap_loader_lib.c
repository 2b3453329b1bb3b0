/* The library of trap_loader: its constructor waits. */
void wait_in_constructor(void);

__attribute__((constructor)) static void construct(void)
{
	wait_in_constructor();
}
