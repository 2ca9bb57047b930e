/*
 * start32.c - what a 32-bit program finds when it starts, and how far its
 * addresses go, also for 64-bit code in it.
 *
 * The way to 64-bit code is a far jump to selector 2Bh: nothing but the code
 * segment changes, the stack and everything in memory stay.  (Not a far call:
 * QEMU pushes for it as if it were the kernel, which SMAP forbids.)
 */
#include "test.h"

#define SELF NtCurrentProcess()
#define NT10_ALLOCATE_VIRTUAL_MEMORY 0x18
#define TWO_GIB 0x80000000ULL

/*
 * SYSCALL with Windows 10's number from 64-bit code, arguments of 64 bits; its
 * result's low half.
 */
ULONG call64(ULONG number, const ULONGLONG arguments[6]);

/* gs:[30h] there: the 64-bit TEB's own address. */
ULONG teb64(void);

__asm__(
    ".globl _call64\n"
    "_call64:\n"
    "    push %ebp\n"
    "    mov %esp, %ebp\n"
    "    push %ebx\n"
    "    push %esi\n"
    "    push %edi\n"
    "    mov 8(%ebp), %eax\n"
    "    mov 12(%ebp), %esi\n"
    "    ljmp $0x2b, $call64_long\n"
    "call64_back:\n"
    "    pop %edi\n"
    "    pop %esi\n"
    "    pop %ebx\n"
    "    pop %ebp\n"
    "    ret\n"
    ".globl _teb64\n"
    "_teb64:\n"
    "    ljmp $0x2b, $teb64_long\n"
    "teb64_back:\n"
    "    ret\n"
    "call64_way: .long call64_back\n"
    "            .word 0x1b\n"
    "teb64_way:  .long teb64_back\n"
    "            .word 0x1b\n"
    ".code64\n"
    "call64_long:\n"
    "    mov %esp, %ebx\n"
    "    mov %esi, %esi\n"
    "    lea -0x40(%rbx), %rsp\n"
    "    and $-16, %rsp\n"
    "    mov 0x20(%rsi), %rcx\n"
    "    mov %rcx, 0x28(%rsp)\n"
    "    mov 0x28(%rsi), %rcx\n"
    "    mov %rcx, 0x30(%rsp)\n"
    "    mov (%rsi), %r10\n"
    "    mov 8(%rsi), %rdx\n"
    "    mov 0x10(%rsi), %r8\n"
    "    mov 0x18(%rsi), %r9\n"
    "    syscall\n"
    "    mov %ebx, %esp\n"
    "    ljmpl *call64_way(%rip)\n"
    "teb64_long:\n"
    "    mov %gs:0x30, %rax\n"
    "    ljmpl *teb64_way(%rip)\n"
    ".code32\n");

static void check_blocks(PEB *peb)
{
    const TEB *teb = NtCurrentTeb();
    const RTL_USER_PROCESS_PARAMETERS *parameters = peb->ProcessParameters;
    UCHAR here;

    CHECK(peb == (PEB *)0x7FFDF000 && teb == (TEB *)0x7FFDE000);
    CHECK(teb->NtTib.Self == teb && teb->ProcessEnvironmentBlock == peb);
    CHECK((void *)&here < teb->NtTib.StackBase &&
          (void *)&here >= teb->NtTib.StackLimit);
    CHECK(teb->DeallocationStack < teb->NtTib.StackLimit);
    CHECK(teb->ClientId.UniqueProcess && teb->ClientId.UniqueThread);
    CHECK(memcmp(&teb->ClientId, &teb->RealClientId,
                 sizeof teb->ClientId) == 0);
    CHECK(peb->OSMajorVersion == 5 && peb->OSMinorVersion == 1);
    CHECK(peb->OSBuildNumber == 2600 && peb->OSCSDVersion == 0x300);
    CHECK(peb->ImageSubsystem == IMAGE_SUBSYSTEM_WINDOWS_CUI);
    CHECK(*(USHORT *)peb->ImageBaseAddress == IMAGE_DOS_SIGNATURE);
    CHECK(parameters->StandardInput && parameters->StandardOutput &&
          parameters->StandardError);
    CHECK_SAY(wcscmp(parameters->CommandLine.Buffer, L"start32.exe") == 0,
              "command line %ls", parameters->CommandLine.Buffer);
    CHECK(wcscmp(parameters->ImagePathName.Buffer,
                 L"\\SystemRoot\\System32\\start32.exe") == 0);
}

static void check_shared_page(void)
{
    const volatile KUSER_SHARED_DATA *shared =
        (KUSER_SHARED_DATA *)USER_SHARED_DATA;
    MEMORY_BASIC_INFORMATION memory;
    ULONG before, tick;

    CHECK(shared->NtMajorVersion == 5 && shared->NtMinorVersion == 1);
    CHECK(shared->ImageNumberLow == IMAGE_FILE_MACHINE_I386);
    CHECK(shared->SystemCallReturn != 0 && shared->SystemCall != 0);
    do {
        before = shared->TickCount.LowPart;
        tick = shared->TickCountLow;
    } while (before != shared->TickCount.LowPart);
    CHECK_SAY(tick == before, "tick count %u, %u", tick, before);
    CHECK_STATUS(NtQueryVirtualMemory(SELF, (void *)USER_SHARED_DATA,
                                      MemoryBasicInformation, &memory,
                                      sizeof memory, NULL), STATUS_SUCCESS);
    CHECK(memory.Protect == PAGE_READONLY && memory.RegionSize == PAGE_SIZE);
}

#define SELECTOR(name) ({                                               \
        USHORT value_;                                                  \
        __asm__ volatile("movw %%" name ", %0" : "=r"(value_));         \
        value_;                                                         \
    })

static void check_selectors(void)
{
    CHECK(SELECTOR("cs") == 0x1B && SELECTOR("ss") == 0x23);
    CHECK(SELECTOR("ds") == 0x23 && SELECTOR("es") == 0x23);
    CHECK(SELECTOR("fs") == 0x3B && SELECTOR("gs") == 0);
}

/* The 64-bit TEB leads to the other one, as WoW64's does. */
static void check_teb64(void)
{
    ULONG teb = teb64();
    LONG offset = *(LONG *)(teb + 0x180C);

    CHECK(teb % PAGE_SIZE == 0);
    CHECK(*(ULONGLONG *)(teb + 0x30) == teb);
    CHECK(*(ULONGLONG *)teb == (ULONG)NtCurrentTeb());
    CHECK(teb + offset == (ULONG)NtCurrentTeb());
}

static NTSTATUS allocate64(ULONGLONG *base, ULONGLONG size, ULONG type)
{
    const ULONGLONG arguments[6] = {
        ~0ULL, (ULONG)base, 0, (ULONG)&size, type, PAGE_READWRITE
    };

    return (NTSTATUS)call64(NT10_ALLOCATE_VIRTUAL_MEMORY, arguments);
}

static void check_limits(void)
{
    ULONGLONG base = 0;

    CHECK_STATUS(allocate64(&base, PAGE_SIZE,
                            MEM_RESERVE | MEM_COMMIT | MEM_TOP_DOWN),
                 STATUS_SUCCESS);
    CHECK_SAY(base && base < TWO_GIB, "%llx", base);
    *(volatile UCHAR *)(ULONG)base = 1;
    base = 0;
    CHECK_STATUS(allocate64(&base, TWO_GIB - 0x20000, MEM_RESERVE),
                 STATUS_NO_MEMORY);
    CHECK_STATUS(allocate64(&base, TWO_GIB, MEM_RESERVE),
                 STATUS_INVALID_PARAMETER_4);
    base = TWO_GIB;
    CHECK_STATUS(allocate64(&base, PAGE_SIZE, MEM_RESERVE),
                 STATUS_INVALID_PARAMETER_2);
    base = 0x140000000ULL;
    CHECK_STATUS(allocate64(&base, PAGE_SIZE, MEM_RESERVE),
                 STATUS_INVALID_PARAMETER_2);
}

NTSTATUS NTAPI NtProcessStartup(PEB *peb)
{
    check_selectors();
    check_blocks(peb);
    check_shared_page();
    check_teb64();
    check_limits();
    return test_end();
}
