/* Stands in until kernel/wow64 defines these: THUNK deletes this file and its
 * line in the Makefile then. */
#include <ke.h>
struct _KEXCEPTION_FRAME;
ULONG_PTR wow64_system_service(ULONG n, ULONG a);
ULONG_PTR wow64_system_service(ULONG n, ULONG a){(void)n;(void)a; return (ULONG)STATUS_INVALID_SYSTEM_SERVICE;}
NTSTATUS wow64_continue(const void *c, BOOLEAN a, struct _KEXCEPTION_FRAME *e);
NTSTATUS wow64_continue(const void *c, BOOLEAN a, struct _KEXCEPTION_FRAME *e){(void)c;(void)a;(void)e;return 0xC0000001;}
