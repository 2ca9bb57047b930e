/*
 * pe.c - fuzz target: any bytes as a portable executable.
 *
 * pe_check.h says what must hold for a file that the parser accepts; it is
 * laid out, relocated and searched for exports as the kernel would.
 */
#include "../unit/pe_check.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    pe_check(data, size);
    return 0;
}
