/*
 * ke/counts.c - what processors count, each in its KPRCB for itself.
 */
#include "ki.h"

#include <arch/processor.h>

ULONG ke_sum_counts(SIZE_T offset)
{
    ULONG sum = 0;

    for (ULONG i = 0; i < KeNumberProcessors; i++)
        sum += *(volatile ULONG *)((UCHAR *)KiProcessorBlock[i] + offset);
    return sum;
}
