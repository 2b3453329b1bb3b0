/* The library that next.c opens: its constructor calls back into the program. */
void in_constructor(void);

__attribute__((constructor)) static void begin(void)
{
	in_constructor();
}
