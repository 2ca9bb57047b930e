/*
 * ke/callback.c - the way back from a call of ring 3.
 *
 * The kernel calls no routine of a program yet, so there is nothing to return
 * from.
 */
#include <nt/ntapi.h>

NTSTATUS NtCallbackReturn(void *result, ULONG length, NTSTATUS status)
{
    (void)result;
    (void)length;
    (void)status;
    return STATUS_NO_CALLBACK_ACTIVE;
}
