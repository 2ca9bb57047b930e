/*
 * lib/find.c - routines of ntdll by name.
 */
#include "find.h"

void *find_stub(const char *name)
{
    void *ntdll, *stub = NULL;
    UNICODE_STRING dll;
    ANSI_STRING text;

    RtlInitUnicodeString(&dll, L"ntdll.dll");
    RtlInitAnsiString(&text, name);
    if (NT_SUCCESS(LdrGetDllHandle(NULL, NULL, &dll, &ntdll)))
        LdrGetProcedureAddress(ntdll, &text, 0, &stub);
    return stub;
}
