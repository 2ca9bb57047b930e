/*
 * sample.c - a DLL with everything in its headers that the PE tests want:
 * exports (one a forwarder), relocations, read-only and writable data, bss.
 */
int zeroes[3000];
int numbers[] = { 1, 2, 3 };
int *const addresses[] = { &numbers[0], &numbers[2], &zeroes[7] };

__declspec(dllexport) int sample_sum(int a, int b)
{
    return a + b + *addresses[a & 1] + zeroes[b & 1];
}

__declspec(dllexport) int sample_zero(void)
{
    return zeroes[0];
}

int sample_entry(void *base, unsigned reason, void *reserved)
{
    return base != reserved || reason;
}
