/* locks32.c - the same for 32-bit code; unit.mk says so. */
#include "locks.c"
