#include "ki.h"
#define W __attribute__((weak))
W void KiDeliverApc(KPROCESSOR_MODE m, struct _KEXCEPTION_FRAME *e, struct _KTRAP_FRAME *t) { (void)m;(void)e;(void)t; }
W void KeInitializeTimerEx(KTIMER *t, KOBJECTS k) { t->Header.Lock = k; InitializeListHead(&t->Header.WaitListHead); }
W BOOLEAN KeCancelTimer(KTIMER *t) { (void)t; return FALSE; }
W ULONGLONG ke_due_time(const LARGE_INTEGER *t) { return KeQueryInterruptTime() - t->QuadPart; }
W void ki_set_wait_timer(KTIMER *t, ULONGLONG d) { (void)t; (void)d; }
W void KeEnterCriticalRegion(void) { KeGetCurrentThread()->KernelApcDisable--; }
W void KeLeaveCriticalRegion(void) { KeGetCurrentThread()->KernelApcDisable++; }
W void KeStackAttachProcess(struct _KPROCESS *p, KAPC_STATE *s) { (void)s; ASSERT(p == KeGetCurrentThread()->ApcState.Process); }
W void KeUnstackDetachProcess(KAPC_STATE *s) { (void)s; }
