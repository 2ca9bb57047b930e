/*
 * ke/irql.c - raising and lowering the processor's interrupt level.
 *
 * The IRQL is CR8; an interrupt whose vector's class (vector >> 4) is not
 * above it waits.
 */
#include <ke.h>

/* New level not below the current one; returns the old level. */
KIRQL KfRaiseIrql(KIRQL irql)
{
    KIRQL old = KeGetCurrentIrql();

    if (irql < old)
        KeBugCheckEx(IRQL_NOT_LESS_OR_EQUAL, old, irql, 0, 9);
    arch_write_cr8(irql);
    return old;
}

/* New level not above the current one. */
void KfLowerIrql(KIRQL irql)
{
    KIRQL old = KeGetCurrentIrql();

    if (irql > old)
        KeBugCheckEx(IRQL_NOT_LESS_OR_EQUAL, old, irql, 0, 10);
    arch_write_cr8(irql);
}
