/*
 * machine.c - chapter 8: this machine, and what the chapters have found, for
 * a photograph. The same lines are in a QR code, and a checksum of them, so
 * that nobody has to type them, or trust who did.
 */
#include "tour.h"

#include <nt/version.h>

#define COLUMNS 76                              /* behind three blanks */
#define MOST_LINES 16
#define CRC32 0xEDB88320u                       /* zip's, lowest bit first */
#define MIB (1024 * 1024)

static char text[MOST_LINES * (COLUMNS + 1) + 1];
static ULONG length;

/* A line on the console, and of the text. */
static void line(const char *format, ...)
{
    char one[COLUMNS + 1];
    va_list list;

    va_start(list, format);
    _vsnprintf(one, sizeof one, format, list);
    va_end(list);
    one[COLUMNS] = 0;
    print("   %s\n", one);
    length += sprintf_s(text + length, sizeof text - length, "%s\n", one);
}

static ULONG checksum(void)
{
    ULONG sum = ~0u, at, bit;

    for (at = 0; at < length; at++) {
        sum ^= (UCHAR)text[at];
        for (bit = 0; bit < 8; bit++)
            sum = sum >> 1 ^ (sum & 1 ? CRC32 : 0);
    }
    return ~sum;
}

static void show_names(const struct machine_names *names)
{
    const volatile KUSER_SHARED_DATA *shared = (const void *)USER_SHARED_DATA;

    line("ntwalk " NTWALK_VERSION " as NT %u.%u.%u", shared->NtMajorVersion,
         shared->NtMinorVersion, shared->NtBuildNumber & 0xFFFF);
    if (names->maker[0] && names->product[0])
        line("%s %s", names->maker, names->product);
    else if (names->maker[0] || names->product[0])
        line("%s%s", names->maker, names->product);
    else
        line("a machine without a name");
    if (names->vendor[0])
        line("%s %s, %s", names->vendor, names->version, names->date);
}

static void show_hardware(const SYSTEM_BASIC_INFORMATION *basic)
{
    ULONGLONG bytes = (ULONGLONG)basic->NumberOfPhysicalPages *
                      basic->PageSize;
    ULONG processors = NtCurrentPeb()->NumberOfProcessors, width, height;
    char size[32] = "no screen", name[CPU_NAME];
    struct cpu_model model;

    cpu_name(name);
    cpu_model(&model);
    line("%s, %u-%u-%u", name, model.family, model.model, model.stepping);
    if (screen_size(&width, &height))
        sprintf_s(size, sizeof size, "%ux%u", width, height);
    line("%llu MiB, %u processor%s, %s", bytes / MIB, processors,
         processors == 1 ? "" : "s", size);
}

static void show_chapters(void)
{
    const struct chapter *chapter;
    ULONG at;

    for (at = 1; (chapter = check_chapter(at)) != NULL; at++)
        if (chapter->failures)
            line("%u %-15s %u of %u checks FAILED: %s", at, chapter->title,
                 chapter->failures, chapter->checks, chapter->first_failure);
        else
            line("%u %-15s %3u checks held", at, chapter->title,
                 chapter->checks);
}

void show_machine(void)
{
    SYSTEM_BASIC_INFORMATION basic = { 0 };
    struct machine_names names;

    print("\n8. This machine, to be photographed\n");
    firmware_names(&names);
    check(NT_SUCCESS(NtQuerySystemInformation(SystemBasicInformation, &basic,
                                              sizeof basic, NULL)),
          "the machine's memory is known");
    show_names(&names);
    show_hardware(&basic);
    show_chapters();
    line("checksum %08X", checksum());
    screen_show_code(text, length);
}
