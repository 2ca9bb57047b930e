/*
 * thread/xstate.c - vector and floating-point registers as a whole.
 *
 * The kernel's own code does not use them, so between an entry and a switch
 * they are the thread's.  A switch saves and loads all of them at once
 * ("eager": no thread ever runs with another's): with XSAVE where there is
 * XSAVE, else with FXSAVE.
 *
 * Enabled (XCR0) is what is saved: x87, SSE and, where the processor has it,
 * AVX.  What is not enabled cannot be used in ring 3.
 *
 * A CONTEXT has x87 and SSE; the upper halves of ymm0-15 lie beside it as an
 * XSAVE area from its header on (struct ki_xstate), found by CONTEXT_EX.
 */
#include <arch/thread.h>
#include <kd.h>
#include <mm.h>
#include <x86/registers.h>

#define CPUID1_ECX_XSAVE (1U << 26)
#define CPUID1_ECX_AVX (1U << 28)
#define CPUID_XSTATE 0x0D
#define AVX_FEATURE 2
#define AVX_OFFSET 0x240                /* the same on all processors */
#define LEGACY (XSTATE_LEGACY_FLOATING_POINT | XSTATE_LEGACY_SSE)

static ULONGLONG enabled SEALED;        /* XCR0, 0: no XSAVE */

/* What XSAVE works on: 64-byte aligned. */
struct save_area {
    XSAVE_FORMAT legacy;
    struct ki_xstate extended;
} __attribute__((aligned(64)));
_Static_assert(offsetof(struct save_area, extended.ymm_high) == AVX_OFFSET,
               "where the processor puts it");

static BOOLEAN has_avx(void)
{
    struct arch_cpuid avx;

    if (!(arch_cpuid(1, 0).ecx & CPUID1_ECX_AVX) ||
        !(arch_cpuid(CPUID_XSTATE, 0).eax & XSTATE_AVX))
        return FALSE;
    avx = arch_cpuid(CPUID_XSTATE, AVX_FEATURE);
    return avx.ebx == AVX_OFFSET &&
           avx.eax == sizeof(((struct ki_xstate *)0)->ymm_high);
}

void ki_choose_xstate(void)
{
    if (arch_cpuid(1, 0).ecx & CPUID1_ECX_XSAVE)
        enabled = LEGACY | (has_avx() ? XSTATE_AVX : 0);
}

void ki_start_xstate(void)
{
    if (!enabled)
        return;
    arch_write_cr4(arch_read_cr4() | CR4_OSXSAVE);
    __asm__ volatile("xsetbv" : : "c"(0), "a"((ULONG)enabled), "d"(0));
}

ULONGLONG ki_enabled_xstate(void)
{
    return enabled;
}

void ki_show_xstate(void)
{
    if (enabled)
        DbgPrintEx(KD_KE_ID, DPFLTR_TRACE_LEVEL,
                   "XCR0  %016llx  x87 SSE%s, switched by XSAVE\n", enabled,
                   enabled & XSTATE_AVX ? " AVX" : "");
    else
        DbgPrintEx(KD_KE_ID, DPFLTR_TRACE_LEVEL,
                   "XCR0  none; x87 SSE, switched by FXSAVE\n");
}

static void xsave(struct save_area *area, ULONGLONG features)
{
    __asm__ volatile("xsave64 %0" : "+m"(*area)
                     : "a"((ULONG)features), "d"(0));
}

static void xrstor(const struct save_area *area, ULONGLONG features)
{
    __asm__ volatile("xrstor64 %0" : : "m"(*area), "a"((ULONG)features),
                     "d"(0));
}

void ki_save_vectors(struct arch_thread_state *state)
{
    if (enabled)
        xsave((struct save_area *)&state->floating_point, enabled);
    else
        arch_save_floating_point(&state->floating_point);
}

void ki_load_vectors(const struct arch_thread_state *state)
{
    if (enabled)
        xrstor((const struct save_area *)&state->floating_point, enabled);
    else
        __asm__ volatile("fxrstor64 %0" : : "m"(state->floating_point));
}

BOOLEAN ki_has_extended_state(void)
{
    return (enabled & XSTATE_AVX) != 0;
}

/* The thread's own, live in the registers. */
void ki_get_xstate(struct ki_xstate *state)
{
    struct save_area area = { 0 };

    xsave(&area, XSTATE_AVX);
    *state = area.extended;
    state->header.Mask &= XSTATE_AVX;
}

/*
 * state may be anything: only AVX's bit and its bytes count.  Without the bit
 * the upper halves become 0.  XRSTOR takes MXCSR from the area as well.
 */
void ki_set_xstate(const struct ki_xstate *state)
{
    struct save_area area = { .extended = *state };

    area.extended.header = (XSAVE_AREA_HEADER){
        .Mask = state->header.Mask & XSTATE_AVX,
    };
    __asm__ volatile("stmxcsr %0" : "=m"(area.legacy.MxCsr));
    xrstor(&area, XSTATE_AVX);
}

/*
 * Where CONTEXT_EX behind a context of ring 3 says it is.
 * STATUS_ACCESS_VIOLATION, STATUS_INVALID_PARAMETER: it is cut short.
 */
NTSTATUS ki_capture_xstate(const CONTEXT *user_context,
                           struct ki_xstate *state)
{
    const CONTEXT_EX *user_ex = (const CONTEXT_EX *)(user_context + 1);
    CONTEXT_EX ex;
    ULONG_PTR at;               /* anywhere: Offset is ring 3's */
    NTSTATUS status = mm_copy_from_user(&ex, user_ex, sizeof ex);

    if (!NT_SUCCESS(status))
        return status;
    if (ex.XState.Length < sizeof *state)
        return STATUS_INVALID_PARAMETER;
    at = (ULONG_PTR)user_ex + (ULONG_PTR)(LONG_PTR)ex.XState.Offset;
    return mm_copy_from_user(state, (const void *)at, sizeof *state);
}
