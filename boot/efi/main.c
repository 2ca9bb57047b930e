/*
 * boot/efi/main.c - the order of things.
 */
#include "efiload.h"

#include <stdarg.h>

#define CPUID80000001_EDX_SYSCALL (1U << 11)
#define CPUID80000001_EDX_NX (1U << 20)
#define MSR_EFER 0xC0000080
#define EFER_NXE (1U << 11)
#define CR4_LA57 (1U << 12)

static EFI_HANDLE this_image;

void give_up(const CHAR16 *format, ...)
{
    va_list arguments;
    UINTN index;

    ST->ConIn->Reset(ST->ConIn, FALSE);
    va_start(arguments, format);
    VPrint(format, arguments);
    va_end(arguments);
    Print(L"\nPress a key to go back to the firmware.\n");
    BS->WaitForEvent(1, &ST->ConIn->WaitForKey, &index);
    BS->Exit(this_image, EFI_LOAD_ERROR, 0, NULL);
    for (;;)
        BS->Stall(1000000);
}

static void check_processor(void)
{
    ULONG eax = 0x80000001, ebx, ecx, edx;
    ULONGLONG cr4;

    __asm__ volatile("cpuid" : "+a"(eax), "=b"(ebx), "=c"(ecx), "=d"(edx));
    if (!(edx & CPUID80000001_EDX_SYSCALL))
        give_up(L"This processor has no SYSCALL, which the kernel is about.");
    if (!(edx & CPUID80000001_EDX_NX))
        give_up(L"This processor has no NX, or the firmware's setup hides "
                L"it.");
    __asm__ volatile("mov %%cr4, %0" : "=r"(cr4));
    if (cr4 & CR4_LA57)
        give_up(L"The firmware uses five-level paging. Switch it off in its "
                L"setup.");
}

static ULONGLONG read_tsc(void)
{
    ULONG low, high;

    __asm__ volatile("rdtsc" : "=a"(low), "=d"(high));
    return (ULONGLONG)high << 32 | low;
}

/* The new tables have NX bits. */
static void enable_nx(void)
{
    ULONG low, high;

    __asm__ volatile("rdmsr" : "=a"(low), "=d"(high) : "c"(MSR_EFER));
    __asm__ volatile("wrmsr" : : "a"(low | EFER_NXE), "d"(high),
                     "c"(MSR_EFER));
}

/* Below 4 GiB, where both the firmware's page tables and ours have it. */
static handoff_routine copy_handoff(void)
{
    EFI_PHYSICAL_ADDRESS page = 0xFFFFFFFF;

    if (EFI_ERROR(BS->AllocatePages(AllocateMaxAddress, EfiLoaderCode, 1,
                                    &page)))
        give_up(L"There is no memory left below 4 GiB.");
    CopyMem((void *)page, handoff_code, handoff_code_end - handoff_code);
    return (handoff_routine)page;
}

EFI_STATUS efi_main(EFI_HANDLE image, EFI_SYSTEM_TABLE *table)
{
    static struct entries entries;
    static struct kernel kernel;
    LOADER_PARAMETER_BLOCK *block;
    struct efi_file file;
    struct handoff handoff;
    handoff_routine go;

    InitializeLib(image, table);
    this_image = image;
    BS->SetWatchdogTimer(0, 0, 0, NULL);
    check_processor();
    open_volume(image);
    read_options(&entries);

    block = allocate_low(sizeof *block);
    copy_text(block->loader_name, sizeof block->loader_name,
              (struct text){ "BOOTX64.EFI", 11 });
    copy_text(block->firmware, sizeof block->firmware,
              (struct text){ "UEFI", 4 });
    copy_text(block->options, sizeof block->options,
              entries.entry[choose_entry(&entries)].options);
    file = read_files(block);
    load_kernel(file, &kernel);
    release_file(file);
    block->kernel_base = kernel.physical;
    block->kernel_size = kernel.size;
    handoff = (struct handoff){
        make_tables(&kernel), (ULONG_PTR)block, kernel.stack, kernel.entry };
    go = copy_handoff();
    copy_tables(block);
    choose_video(block, take_option(block->options, "video"));
    leave_firmware(image, block);
    block->entered = read_tsc();
    enable_nx();
    go(&handoff);
    return EFI_LOAD_ERROR;              /* go does not come back */
}
