#include "ki.h"
#define W __attribute__((weak))
W void KiDeliverApc(KPROCESSOR_MODE m, struct _KEXCEPTION_FRAME *e, struct _KTRAP_FRAME *t) { (void)m;(void)e;(void)t; }
W void KeEnterCriticalRegion(void) { KeGetCurrentThread()->KernelApcDisable--; }
W void KeLeaveCriticalRegion(void) { KeGetCurrentThread()->KernelApcDisable++; }
