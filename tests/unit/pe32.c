/*
 * pe32.c - the tests of pe.c with a 32-bit DLL (unit.mk: SAMPLE_BITS).
 */
#include "pe.c"
