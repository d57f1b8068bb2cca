/* Before everything that is built here: what the processor has is `jpeg.c`'s to say. */
int fuzz_supports(const char *what);
