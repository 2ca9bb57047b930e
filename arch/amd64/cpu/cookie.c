/*
 * cpu/cookie.c - the word between a function's arrays and where it returns.
 *
 * A function that has an array, or a local whose address is taken, stores the
 * cookie above its locals and compares it before it returns (the compiler's
 * -fstack-protector-strong).  An overrun that reaches the return address has
 * run over the cookie, and whoever overruns does not know it.
 *
 * It is set once, as the kernel's first deed, and is in a page that is sealed
 * at the end of the boot.  Until it is set it is 0: a function that has begun
 * before must not return, which is so of KiSystemStartup and of what has called
 * it.
 *
 * NT: Windows' functions store the cookie xor rsp (docs/fidelity.md).
 */
#include <arch/processor.h>

#include <arch/entry.h>
#include <kd.h>
#include <x86/registers.h>

#define CPUID1_ECX_RDRAND (1U << 30)
#define CPUID7_EBX_RDSEED (1U << 18)
#define TRIES 16                        /* RDSEED may have nothing yet */

/* NT: the upper word is 0, so that no text can carry the cookie. */
#define COOKIE_BITS 0x0000FFFFFFFFFFFFULL
#define DEFAULT_COOKIE 0x00002B992DDFA232ULL

ULONG_PTR __security_cookie SEALED;
ULONG_PTR __security_cookie_complement SEALED;

/* The compiler's names. */
extern ULONG_PTR __stack_chk_guard __attribute__((alias("__security_cookie")));
__attribute__((noreturn)) void __stack_chk_fail(void);

__attribute__((noreturn)) void __report_gsfailure(ULONG_PTR cookie);

static const char *source SEALED;       /* NULL: no such instruction */

static BOOLEAN read_seed(ULONGLONG *value)
{
    BOOLEAN good = FALSE;

    for (ULONG i = 0; i < TRIES && !good; i++)
        __asm__ volatile("rdseed %0" : "=r"(*value), "=@ccc"(good) : : "cc");
    return good;
}

static BOOLEAN read_random(ULONGLONG *value)
{
    BOOLEAN good = FALSE;

    for (ULONG i = 0; i < TRIES && !good; i++)
        __asm__ volatile("rdrand %0" : "=r"(*value), "=@ccc"(good) : : "cc");
    return good;
}

/* Every bit of the result depends on every bit of both (splitmix64). */
static ULONGLONG mix(ULONGLONG state, ULONGLONG value)
{
    state = (state ^ value) + 0x9E3779B97F4A7C15ULL;
    state = (state ^ state >> 30) * 0xBF58476D1CE4E5B9ULL;
    state = (state ^ state >> 27) * 0x94D049BB133111EBULL;
    return state ^ state >> 31;
}

/* What differs from machine to machine, and from boot to boot a little. */
static ULONGLONG mix_loader(ULONGLONG state,
                            const LOADER_PARAMETER_BLOCK *block)
{
    state = mix(state, block->entered);
    for (ULONG i = 0; i < block->memory_count; i++)
        state = mix(state, block->memory[i].base + block->memory[i].size);
    for (ULONG i = 0; i < block->module_count; i++)
        state = mix(state, block->modules[i].base + block->modules[i].size);
    return mix(state, block->framebuffer.address);
}

static ULONGLONG mix_processor(ULONGLONG state)
{
    ULONGLONG value;

    if (arch_cpuid(0, 0).eax >= 7 &&
        (arch_cpuid(7, 0).ebx & CPUID7_EBX_RDSEED) && read_seed(&value)) {
        source = "RDSEED";
        return mix(state, value);
    }
    if ((arch_cpuid(1, 0).ecx & CPUID1_ECX_RDRAND) && read_random(&value)) {
        source = "RDRAND";
        return mix(state, value);
    }
    return state;
}

__attribute__((no_stack_protector))
void ki_set_security_cookie(const LOADER_PARAMETER_BLOCK *block)
{
    ULONGLONG cookie = mix_processor(mix(0, arch_read_tsc()));

    if (block)
        cookie = mix_loader(cookie, block);
    cookie = mix(cookie, arch_read_tsc()) & COOKIE_BITS;
    if (!cookie)
        cookie = DEFAULT_COOKIE;
    __security_cookie_complement = ~cookie;
    __security_cookie = cookie;
}

void ki_show_security_cookie(void)
{
    DbgPrintEx(KD_KE_ID, DPFLTR_TRACE_LEVEL,
               "GS    cookie at %p, from %s%sTSC and loader's block\n",
               (void *)&__security_cookie, source ? source : "",
               source ? ", " : "");
}

__attribute__((noreturn)) void __report_gsfailure(ULONG_PTR cookie)
{
    KeBugCheckEx(DRIVER_OVERRAN_STACK_BUFFER, cookie, __security_cookie,
                 __security_cookie_complement, 0);
}

/* What __stack_chk_fail has pushed, and the frame of its caller above it. */
struct overrun {
    ULONG_PTR registers[10];
    const ULONG_PTR *rbp;
    ULONG_PTR rip, stack[];
};

/*
 * The compiler's comparison leaves the difference in a register and does not
 * say in which; the word that was compared is in the caller's frame.  A
 * random cookie below some register's value is there only once.
 */
static ULONG_PTR overrun_cookie(const struct overrun *overrun)
{
    for (const ULONG_PTR *at = overrun->stack; at < overrun->rbp; at++) {
        for (ULONG i = 0; i < ARRAY_SIZE(overrun->registers); i++) {
            if (overrun->registers[i] &&
                *at == overrun->registers[i] + __security_cookie)
                return *at;
        }
    }
    return 0;
}

__attribute__((noreturn, used))
static void report_overrun(const struct overrun *overrun)
{
    __report_gsfailure(overrun_cookie(overrun));
}

/* Where a function goes that finds another word than the cookie. */
__attribute__((naked)) void __stack_chk_fail(void)
{
    __asm__("push %rbp\n\t"
            "mov %rsp, %rbp\n\t"
            "push %rax\n\t"
            "push %rcx\n\t"
            "push %rdx\n\t"
            "push %rbx\n\t"
            "push %rsi\n\t"
            "push %rdi\n\t"
            "push %r8\n\t"
            "push %r9\n\t"
            "push %r10\n\t"
            "push %r11\n\t"
            "mov %rsp, %rcx\n\t"
            "sub $0x20, %rsp\n\t"
            "call report_overrun");
}
