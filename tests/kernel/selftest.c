/*
 * tests/kernel/selftest.c - what only ring 0 can test or break.
 *
 * NtwSelfTest(test, argument) from ring 3.  Tests below SELF_TEST_CRASHES
 * answer STATUS_SUCCESS or STATUS_UNSUCCESSFUL; the others end in the
 * bugcheck their name says, or have failed if they come back.
 *
 * Scenarios: G6.
 */
#include "selftest.h"

#include <arch/cpu.h>
#include <arch/pte.h>
#include <arch/trap.h>
#include <ke.h>
#include <mm.h>
#include <nt/ntapi.h>

enum self_test {
    SELF_TEST_ZW,                   /* Zw calls and PreviousMode */
    SELF_TEST_POOL,
    SELF_TEST_COPY_KERNEL,
    SELF_TEST_SHARED_PAGES,         /* both keep the same time */
    SELF_TEST_UNEXPECTED,           /* a vector that nobody has asked for */
    SELF_TEST_IRQL,
    SELF_TEST_DPC,
    SELF_TEST_SCHEDULE,
    SELF_TEST_PUSH_LOCK,
    SELF_TEST_FAST_MUTEX,
    SELF_TEST_TIMER,
    SELF_TEST_TIMER_COST,
    SELF_TEST_WAIT,
    SELF_TEST_OBJECT_ENDS,
    SELF_TEST_SPECIAL,              /* calls of UMS and pico threads */
    SELF_TEST_MXCSR,                /* in a service: the kernel's */
    SELF_TEST_RECORDS,              /* of vectors 7 and 29h */
    SELF_TEST_SEALED,               /* read-only at every address */
    SELF_TEST_APC = 0x20,
    SELF_TEST_QUEUE_APC,            /* to the caller, at the next tick */
    SELF_TEST_APC_WAIT,             /* to threads that wait */
    SELF_TEST_TRAP_APC,             /* to the caller, in a trap after it */
    SELF_TEST_SWEEP_APC,            /* to the caller, after N instructions */
    SELF_TEST_DISTURB,              /* the caller's memory, likewise */
    SELF_TEST_CLOCK,                /* stands still if 0, or goes on */
    SELF_TEST_PAINT_STACK = 0x30,   /* the caller's kernel stack */
    SELF_TEST_UNUSED_STACK,         /* how much paint is left, in a ULONG */
    SELF_TEST_SS,                   /* after switches; another must run */
    SELF_TEST_ABSENT_SEGMENT,       /* a selector of one, in a ULONG; 0: gone */
    SELF_TEST_REFUSE_MEMORY = 0x38, /* at the Nth time; 0: was it? */
    SELF_TEST_BLOCKS,               /* of kernel memory, in a ULONG */
    SELF_TEST_FORBID_EXECUTION,     /* of a page, behind Mm's back */
    SELF_TEST_BARE_DOOR,            /* one leads straight back; 0: none */
    SELF_TEST_WATCHED = 0x40,       /* ring 3's memory, as nobody should */
    SELF_TEST_FIRE,                 /* any vector, as from ring 3 */
    SELF_TEST_LOCALS = 0x48,        /* begin as zeroes */
    SELF_TEST_IST = 0x50,           /* what NMI, #MC, #DB leave alone */
    SELF_TEST_LEAD_SYSCALL,         /* by way of vector N; 0: no longer */
    SELF_TEST_NMI_WAITS,            /* a second one */
    SELF_TEST_NMI_WAITS_FOR_MC,     /* the same, behind a #MC in the first */
    SELF_TEST_NMI_WAITS_FOR_DEBUG,  /* a #DB in it */
    SELF_TEST_LOOK_AT_BANKS,        /* of machine checks */
    SELF_TEST_NMIS = 0x58,          /* N ticks of the PIT apart; 0: none */
    SELF_TEST_NMI_COUNT,            /* so far, in a ULONG */
    SELF_TEST_BAD_FRAME,            /* this call's, for IRETQ: ss << 16 | cs */
    SELF_TEST_INTERRUPTS,           /* in ring 0, at every IRQL */
    SELF_TEST_UNMAPPED,             /* ring 3's TLB is to be emptied */
    SELF_TEST_SWITCHES = 0x60,      /* of the processor */
    SELF_TEST_MEMORY_TYPES,         /* of it: as the first one's */
    SELF_TEST_CRASHES = 0x100,
    CRASH_IRQL = SELF_TEST_CRASHES, /* return at DISPATCH_LEVEL: 4A */
    CRASH_APC_DISABLED,             /* return with APCs disabled: 1 */
    CRASH_READ,                     /* unmapped kernel memory: 50 */
    CRASH_STACK,                    /* recursion into the guard page: 7F */
    CRASH_WRITE_TEXT,               /* a store into .text: BE */
    CRASH_EXECUTE_DATA,             /* a call of .data: FC */
    CRASH_USER_READ,                /* user memory without a window: 50 */
    CRASH_DOUBLE_FREE,              /* C2 */
    CRASH_UD,                       /* 3B */
    CRASH_IRQL_FAULT,               /* a fault at DISPATCH_LEVEL: A */
    CRASH_WRITE_TABLE,              /* a store into the sealed SSDT: BE */
    CRASH_WRITE_EXECUTE,            /* the W^X check finds a page: FC */
    CRASH_INT2E,                    /* ring 3's door from ring 0: 3B */
    CRASH_RAISE_LOWER,              /* KfRaiseIrql to a lower level: A */
    CRASH_LOWER_RAISE,              /* KfLowerIrql to a higher one: A */
    CRASH_DPC_IRQL,                 /* a DPC that comes back raised: A */
    CRASH_LEAVE_CRITICAL = 0x120,   /* a region that was not entered: 1 */
    CRASH_LEAVE_GUARDED,            /* the same: 1 */
    CRASH_APC_AT_EXIT,              /* a kernel APC of a thread's end: 20 */
    CRASH_APC_ATTACHED,             /* an APC that stays attached: 5 */
    CRASH_DETACH,                   /* without being attached: 6 */
    CRASH_WAIT_IN_DPC,              /* at DISPATCH_LEVEL: an assertion */
    CRASH_SWITCH_IN_DPC,            /* below it: B8 */
    CRASH_FAULT_CLI,                /* interrupts off, a user address: A */
    CRASH_FAST_FAIL,                /* INT 29h: 139 */
    CRASH_COPY_IRQL,                /* a copy faults at DISPATCH_LEVEL: A */
    CRASH_EXECUTE_UNMAPPED,         /* a call of what is not there: 50 */
    CRASH_UD_IN_DPC,                /* not the service's: 1E */
    CRASH_CALL_USER,                /* ring 3's code (SMEP): FC */
    CRASH_NMI_IN_NMI = 0x150,       /* 111 */
    CRASH_FAULT_IN_NMI,             /* A */
    CRASH_DOUBLE_FAULT_IN_NMI,      /* 7F */
    CRASH_MC_AGAIN,                 /* FB */
    CRASH_DEBUG_AGAIN,              /* 7F */
    CRASH_SMEP_OFF,                 /* at the way back: 109 */
    CRASH_WP_OFF,                   /* the same */
    CRASH_EFER,                     /* at the next tick: 109 */
    CRASH_SMEP_OFF_FOR_LONG,        /* the same */
    CRASH_MACHINE_CHECK,            /* 9C */
    CRASH_DOUBLE_FAULT_AGAIN,       /* 7F */
    CRASH_FAR,                      /* an address that is none: 3B */
    CRASH_FAR_STACK,                /* the same of the stack: 3B */
    CRASH_ABSENT_SEGMENT,           /* 3B */
    CRASH_MC_BEHIND_NMI,            /* FB */
    CRASH_DOUBLE_FAULT,             /* 7F */
    CRASH_ATTACHED = 0x160,         /* return in another process: 1 */
    CRASH_OVERRUN = 0x130,          /* of an array on the stack: F7 */
    CRASH_WRITE_FREE,               /* pool that is nobody's: C1 (checked) */
    CRASH_WRITE_BEHIND,             /* a block, by one byte: C1 (checked) */
    CRASH_OVERFLOW,                 /* of a signed sum: 3B (checked) */
    CRASH_DEAD_STACK,               /* is written: E2 (checked) */
};

#define OVERRUN 0x4142434445464748ULL
#define MXCSR_OF_THE_KERNEL 0x1F80
#define FAR_AWAY 0x0000900000000000ULL

/* Mm's own: a test may break what a service may not. */
MMPTE *MiGetPteAddress(const void *va);

void mi_flush_page(const void *va);

NTSTATUS ZwQuerySystemTime(LARGE_INTEGER *time);
NTSTATUS ZwClose(HANDLE handle);
NTSTATUS ZwQueryInformationProcess(HANDLE handle, ULONG class, void *buffer,
                                   ULONG length, ULONG *return_length);
NTSTATUS ZwwEcho2(ULONGLONG *out, ULONGLONG a2, ULONGLONG a3, ULONGLONG a4,
                  ULONGLONG a5, ULONGLONG a6);
NTSTATUS NtwSelfTest(ULONG test, ULONGLONG argument);

/*
 * A Zw call takes kernel pointers and leaves the caller's mode alone, whatever
 * it answers (H15).
 */
static BOOLEAN test_zw(void)
{
    PROCESS_BASIC_INFORMATION basic;
    KTHREAD *thread = KeGetCurrentThread();
    KTRAP_FRAME *frame = thread->TrapFrame;
    LARGE_INTEGER time = { 0 };
    ULONGLONG echo[6] = { 0 };
    ULONG length = 0;

    return NtQuerySystemTime(&time) == STATUS_ACCESS_VIOLATION &&
           ZwQuerySystemTime(&time) == STATUS_SUCCESS && time.QuadPart != 0 &&
           ZwClose((HANDLE)0x5550) == STATUS_INVALID_HANDLE &&
           ZwQueryInformationProcess(NtCurrentProcess(), 0, &basic,
                                     sizeof basic, &length) ==
               STATUS_SUCCESS &&
           length == sizeof basic &&
           ZwwEcho2(echo, 2, 3, 4, 5, 6) == STATUS_SUCCESS &&
           echo[0] == (ULONG_PTR)echo && echo[1] == 2 && echo[2] == 3 &&
           echo[3] == 4 && echo[4] == 5 && echo[5] == 6 &&
           thread->PreviousMode == UserMode &&
           thread->TrapFrame == frame;
}

/* Whatever ring 3 has in it (L5). */
static BOOLEAN test_mxcsr(void)
{
    ULONG mxcsr;

    __asm__ volatile("stmxcsr %0" : "=m"(mxcsr));
    return mxcsr == MXCSR_OF_THE_KERNEL;
}

/*
 * The way out is told of a page of ring 3's that is none any more (K5).  No
 * emulator keeps translations so that it would be seen there.
 */
static BOOLEAN test_unmapped(ULONGLONG user)
{
    KPRCB *prcb = KeGetCurrentPrcb();
    BOOLEAN good;

    arch_disable_interrupts();
    prcb->ShadowFlags &= ~KI_SHADOW_FLUSH_PENDING;
    mi_flush_page((void *)(ULONG_PTR)user);
    good = (prcb->ShadowFlags & KI_SHADOW_FLUSH_PENDING) != 0;
    arch_enable_interrupts();
    return good;
}

/* Blocks of every size are zeroed, aligned, apart. */
static BOOLEAN use_pool(void)
{
    static UCHAR *block[64];
    BOOLEAN good = TRUE;

    for (ULONG i = 0; i < ARRAY_SIZE(block); i++) {
        SIZE_T size = 1 + i * i * 3;

        block[i] = ExAllocatePool2(POOL_FLAG_NON_PAGED, size, 0);
        if (!block[i] || (ULONG_PTR)block[i] % 16)
            return FALSE;
        for (SIZE_T at = 0; at < size; at++)
            good &= block[i][at] == 0;
        memset(block[i], (int)i + 1, size);
    }
    for (ULONG i = 0; i < ARRAY_SIZE(block); i++) {
        for (SIZE_T at = 0; at < 1 + i * i * 3; at++)
            good &= block[i][at] == (UCHAR)(i + 1);
        ExFreePoolWithTag(block[i], 0);
    }
    return good;
}

/* And their pages come back.  The first time a page table may stay. */
static BOOLEAN test_pool(void)
{
    struct mm_statistics before, after;
    BOOLEAN good = use_pool();

    mm_query_statistics(&before);
    good &= use_pool();
    mm_query_statistics(&after);
    return good && before.free_pages <= after.free_pages;
}

static BOOLEAN test_copy_kernel(void)
{
    static const ULONG source = 0x12345678;
    ULONG copy = 0;

    return mm_copy_kernel(&copy, &source, sizeof copy) == STATUS_SUCCESS &&
           copy == source &&
           mm_copy_kernel(&copy, (void *)0xFFFFC00000000000ULL, 4) ==
               STATUS_ACCESS_VIOLATION &&
           mm_copy_kernel(&copy, (void *)0x10000, 4) ==
               STATUS_ACCESS_VIOLATION;
}

/* Between two ticks the shared pages of 64-bit and 32-bit code agree. */
static BOOLEAN same_times(void)
{
    const KUSER_SHARED_DATA *shared = SharedUserData;
    const struct kuser_shared_data_xp *xp = ke_shared_data_xp;
    BOOLEAN same;

    arch_disable_interrupts();
    same = memcmp(&shared->InterruptTime, &xp->InterruptTime,
                  sizeof xp->InterruptTime) == 0 &&
           memcmp(&shared->SystemTime, &xp->SystemTime,
                  sizeof xp->SystemTime) == 0 &&
           memcmp(&shared->TickCount, &xp->TickCount,
                  sizeof xp->TickCount) == 0 &&
           shared->TickCountLowDeprecated == xp->TickCountLow &&
           xp->TickCountLow == xp->TickCount.LowPart &&
           shared->TickCountMultiplier == xp->TickCountMultiplier;
    arch_enable_interrupts();
    return same;
}

/* Now and after the next tick, which must come. */
static BOOLEAN test_shared_pages(void)
{
    const volatile struct kuser_shared_data_xp *xp = ke_shared_data_xp;
    ULONG before = xp->TickCountLow;
    BOOLEAN same = same_times();

    while (xp->TickCountLow == before)
        continue;
    return same && same_times() && xp->SystemTime.High1Time != 0;
}

static void raise_and_return(KDPC *dpc, void *context, void *argument1,
                             void *argument2)
{
    (void)dpc, (void)context, (void)argument1, (void)argument2;
    KfRaiseIrql(CLOCK_LEVEL);
}

static void undefined(KDPC *dpc, void *context, void *argument1,
                      void *argument2)
{
    (void)dpc, (void)context, (void)argument1, (void)argument2;
    __asm__ volatile("ud2");
}

static ULONG (*volatile recursion)(ULONG);

static ULONG recurse(ULONG depth)
{
    volatile UCHAR space[512];

    space[0] = (UCHAR)depth;
    return recursion(depth + 1) + space[0];
}

/* count is more than there are; the compiler must not see it. */
__attribute__((noipa)) static ULONG overrun(ULONG count)
{
    ULONGLONG numbers[2];
    volatile ULONGLONG *at;

    __asm__("" : "=r"(at) : "0"(numbers));
    for (ULONG i = 0; i < count; i++)
        at[i] = OVERRUN;
    return (ULONG)numbers[1];
}

__attribute__((noipa)) static LONG overflow(LONG number)
{
    return number + 1;
}

static void crash(ULONG test, ULONGLONG argument)
{
    static UCHAR code[] = { 0xC3 };
    static KDPC dpc;
    static KAPC_STATE state;
    void (*function)(void) = (void (*)(void))(ULONG_PTR)code;
    volatile UCHAR *bytes;
    void *block;
    UCHAR byte;

    switch (test) {
    case CRASH_IRQL:
        KfRaiseIrql(DISPATCH_LEVEL);
        break;
    case CRASH_APC_DISABLED:
        KeGetCurrentThread()->KernelApcDisable--;
        break;
    case CRASH_READ:
        *(volatile UCHAR *)0xFFFFC00000000000ULL;
        break;
    case CRASH_STACK:
        recursion = recurse;
        recurse(0);
        break;
    case CRASH_WRITE_TEXT:
        *(volatile UCHAR *)(ULONG_PTR)NtwSelfTest = 0;
        break;
    case CRASH_EXECUTE_DATA:
        function();
        break;
    case CRASH_USER_READ:
        *(volatile UCHAR *)argument;
        break;
    case CRASH_DOUBLE_FREE:
        ExAllocatePool2(POOL_FLAG_NON_PAGED, 40, 0);    /* keeps the page */
        block = ExAllocatePool2(POOL_FLAG_NON_PAGED, 40, 0);
        ExFreePoolWithTag(block, 0);
        ExFreePoolWithTag(block, 0);
        break;
    case CRASH_OVERRUN:
        overrun(4);
        break;
    case CRASH_WRITE_FREE:
        ExAllocatePool2(POOL_FLAG_NON_PAGED, 40, 0);    /* keeps the page */
        bytes = ExAllocatePool2(POOL_FLAG_NON_PAGED, 40, 0);
        ExFreePoolWithTag((void *)bytes, 0);
        bytes[8] = 1;
        for (ULONG i = 0; i < PAGE_SIZE / 40; i++)
            ExAllocatePool2(POOL_FLAG_NON_PAGED, 40, 0);
        break;
    case CRASH_WRITE_BEHIND:
        bytes = ExAllocatePool2(POOL_FLAG_NON_PAGED, 41, 0);
        bytes[41] = 1;
        ExFreePoolWithTag((void *)bytes, 0);
        break;
    case CRASH_OVERFLOW:
        overflow(0x7FFFFFFF);
        break;
    case CRASH_DEAD_STACK:
        bytes = MmCreateKernelStack();
        MmDeleteKernelStack((void *)bytes);
        bytes[-0x100] = 1;
        MmCreateKernelStack();
        break;
    case CRASH_UD:
        __builtin_trap();
        break;
    case CRASH_WRITE_TABLE:
        *(volatile LONG *)KeServiceDescriptorTable[0].Base = 0;
        break;
    case CRASH_WRITE_EXECUTE:
        block = ExAllocatePool2(POOL_FLAG_NON_PAGED, PAGE_SIZE, 0);
        MiGetPteAddress(block)->u.Hard.NoExecute = 0;
        mm_check_protections();
        break;
    case CRASH_INT2E:
        __asm__ volatile("int $0x2E");
        break;
    case CRASH_RAISE_LOWER:
        KfRaiseIrql(DISPATCH_LEVEL);
        KfRaiseIrql(APC_LEVEL);
        break;
    case CRASH_LOWER_RAISE:
        KfLowerIrql(DISPATCH_LEVEL);
        break;
    case CRASH_DPC_IRQL:
        KeInitializeDpc(&dpc, raise_and_return, NULL);
        KeInsertQueueDpc(&dpc, NULL, NULL);
        for (;;)
            arch_pause();
    case CRASH_LEAVE_CRITICAL:
        KeLeaveCriticalRegion();
        break;
    case CRASH_LEAVE_GUARDED:
        KeLeaveGuardedRegion();
        break;
    case CRASH_APC_AT_EXIT:
        crash_apc_pending_at_exit();
        break;
    case CRASH_APC_ATTACHED:
        crash_apc_attached();
        break;
    case CRASH_DETACH:
        KeUnstackDetachProcess(&state);
        break;
    case CRASH_WAIT_IN_DPC:
    case CRASH_SWITCH_IN_DPC:
        crash_in_dpc(test == CRASH_SWITCH_IN_DPC);
        break;
    case CRASH_FAULT_CLI:
        arch_disable_interrupts();
        *(volatile UCHAR *)argument;
        break;
    case CRASH_CALL_USER:
        function = (void (*)(void))KeGetCurrentThread()->TrapFrame->Rip;
        function();                     /* the stub's RET */
        break;
    case CRASH_NMI_IN_NMI:
    case CRASH_FAULT_IN_NMI:
    case CRASH_DOUBLE_FAULT_IN_NMI:
        crash_in_nmi(test - CRASH_NMI_IN_NMI);
        break;
    case CRASH_MC_AGAIN:
        crash_taken_again(VECTOR_MACHINE_CHECK);
        break;
    case CRASH_DEBUG_AGAIN:
        crash_taken_again(VECTOR_DEBUG);
        break;
    case CRASH_FAR:
        *(volatile UCHAR *)FAR_AWAY;
        break;
    case CRASH_FAR_STACK:
        __asm__ volatile("mov %0, %%rbp; mov (%%rbp), %%al"
                         : : "r"(FAR_AWAY) : "rax");
        __builtin_unreachable();
    case CRASH_ABSENT_SEGMENT:
        load_absent_segment(argument);
        break;
    case CRASH_MC_BEHIND_NMI:
        crash_behind_nmi();
        break;
    case CRASH_ATTACHED:
        KeGetCurrentThread()->ApcStateIndex = 1;
        break;
    case CRASH_DOUBLE_FAULT:
        crash_double_fault();
        break;
    case CRASH_DOUBLE_FAULT_AGAIN:
        crash_in_double_fault();
        break;
    case CRASH_MACHINE_CHECK:
        crash_machine_check();
        break;
    case CRASH_SMEP_OFF:
    case CRASH_WP_OFF:
    case CRASH_EFER:
    case CRASH_SMEP_OFF_FOR_LONG:
        crash_unpinned(test - CRASH_SMEP_OFF);
        break;
    case CRASH_FAST_FAIL:
        __asm__ volatile("int $0x29" : : "c"(5));
        break;
    case CRASH_COPY_IRQL:
        KfRaiseIrql(DISPATCH_LEVEL);
        (void)mm_copy_from_user(&byte, (void *)argument, sizeof byte);
        break;
    case CRASH_EXECUTE_UNMAPPED:
        function = (void (*)(void))0xFFFFC00000000000ULL;
        function();
        break;
    case CRASH_UD_IN_DPC:
        KeInitializeDpc(&dpc, undefined, NULL);
        KeInsertQueueDpc(&dpc, NULL, NULL);
        for (;;)
            arch_pause();
    case CRASH_IRQL_FAULT:
        KfRaiseIrql(DISPATCH_LEVEL);
        *(volatile UCHAR *)0xFFFFC00000000000ULL;
        break;
    }
}

/* Mm's record of the page, WsleProtection, stays as it is. */
static BOOLEAN forbid_execution(ULONGLONG address)
{
    MMPTE *pte = MiGetPteAddress((void *)address);

    if (!pte->u.Hard.Valid)
        return FALSE;
    pte->u.Hard.NoExecute = 1;
    arch_invlpg((void *)address);
    return TRUE;
}

/* The address is beyond user space: the way back is by IRETQ. */
static BOOLEAN break_frame(ULONGLONG selectors)
{
    KTRAP_FRAME *frame = KeGetCurrentThread()->TrapFrame;

    frame->SegCs = (USHORT)selectors;
    frame->SegSs = (USHORT)(selectors >> 16);
    frame->Rip |= ~0ULL << 47;
    return TRUE;
}

NTSTATUS NtwSelfTest(ULONG test, ULONGLONG argument)
{
    BOOLEAN good = FALSE;

    switch (test) {
    case SELF_TEST_ZW:
        good = test_zw();
        break;
    case SELF_TEST_POOL:
        good = test_pool();
        break;
    case SELF_TEST_COPY_KERNEL:
        good = test_copy_kernel();
        break;
    case SELF_TEST_SHARED_PAGES:
        good = test_shared_pages();
        break;
    case SELF_TEST_UNEXPECTED:
        __asm__ volatile("int $0x20");
        good = TRUE;
        break;
    case SELF_TEST_IRQL:
        good = test_irql();
        break;
    case SELF_TEST_DPC:
        good = test_dpc();
        break;
    case SELF_TEST_SCHEDULE:
        good = test_schedule();
        break;
    case SELF_TEST_PUSH_LOCK:
        good = test_push_lock();
        break;
    case SELF_TEST_FAST_MUTEX:
        good = test_fast_mutex();
        break;
    case SELF_TEST_TIMER:
        good = test_timer();
        break;
    case SELF_TEST_TIMER_COST:
        good = test_timer_cost();
        break;
    case SELF_TEST_WAIT:
        good = test_wait();
        break;
    case SELF_TEST_OBJECT_ENDS:
        good = test_object_ends();
        break;
    case SELF_TEST_SPECIAL:
        good = test_special_service();
        break;
    case SELF_TEST_MXCSR:
        good = test_mxcsr();
        break;
    case SELF_TEST_RECORDS:
        good = test_records();
        break;
    case SELF_TEST_SEALED:
        good = test_sealed();
        break;
    case SELF_TEST_IST:
        good = test_ist();
        break;
    case SELF_TEST_UNMAPPED:
        good = test_unmapped(argument);
        break;
    case SELF_TEST_INTERRUPTS:
        good = test_interrupts();
        break;
    case SELF_TEST_LEAD_SYSCALL:
        good = lead_syscall_by(argument);
        break;
    case SELF_TEST_NMI_WAITS:
    case SELF_TEST_NMI_WAITS_FOR_MC:
    case SELF_TEST_NMI_WAITS_FOR_DEBUG:
        good = test_nmi_waits(test - SELF_TEST_NMI_WAITS);
        break;
    case SELF_TEST_LOOK_AT_BANKS:
        good = look_at_banks();
        break;
    case SELF_TEST_APC:
        good = test_apc();
        break;
    case SELF_TEST_APC_WAIT:
        good = test_apc_wait();
        break;
    case SELF_TEST_PAINT_STACK:
        good = paint_stack();
        break;
    case SELF_TEST_UNUSED_STACK:
        good = tell_unused_stack(argument);
        break;
    case SELF_TEST_SS:
        good = test_ss_after_switch();
        break;
    case SELF_TEST_ABSENT_SEGMENT:
        good = argument ? add_absent_segment(argument)
                        : remove_absent_segment();
        break;
    case SELF_TEST_REFUSE_MEMORY:
        good = refuse_memory(argument);
        break;
    case SELF_TEST_BLOCKS:
        good = tell_blocks(argument);
        break;
    case SELF_TEST_NMIS:
        good = send_nmis(argument);
        break;
    case SELF_TEST_NMI_COUNT:
        good = tell_nmis(argument);
        break;
    case SELF_TEST_BAD_FRAME:
        good = break_frame(argument);
        break;
    case SELF_TEST_FORBID_EXECUTION:
        good = forbid_execution(argument);
        break;
    case SELF_TEST_BARE_DOOR:
        good = lead_door(argument);
        break;
    case SELF_TEST_WATCHED:
        good = test_watched(argument);
        break;
    case SELF_TEST_FIRE:
        good = fire_as_from_user(argument);
        break;
    case SELF_TEST_SWITCHES:
        good = test_switches();
        break;
    case SELF_TEST_MEMORY_TYPES:
        good = test_memory_types();
        break;
    case SELF_TEST_LOCALS:
        good = test_locals();
        break;
    case SELF_TEST_QUEUE_APC:
        good = queue_user_apc_later(argument);
        break;
    case SELF_TEST_TRAP_APC:
        good = queue_user_apc_in_trap(argument);
        break;
    case SELF_TEST_SWEEP_APC:
        good = queue_user_apc_after(argument);
        break;
    case SELF_TEST_DISTURB:
        good = disturb_after(argument);
        break;
    case SELF_TEST_CLOCK:
        let_clock_go(argument != 0);
        good = TRUE;
        break;
    default:
        if (test >= SELF_TEST_CRASHES) {
            crash(test, argument);
            good = TRUE;
        }
    }
    return good ? STATUS_SUCCESS : STATUS_UNSUCCESSFUL;
}
