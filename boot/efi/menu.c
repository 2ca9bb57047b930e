/*
 * boot/efi/menu.c - which entry; the arrow keys, Enter, or the timeout.
 */
#include "efiload.h"

#define SECOND 10000000ULL              /* of a timer: units of 100 ns */
#define TITLE_LENGTH 72
#define NORMAL (EFI_LIGHTGRAY | EFI_BACKGROUND_BLACK)
#define CHOSEN (EFI_BLACK | EFI_BACKGROUND_LIGHTGRAY)

static void show(const struct entries *entries, ULONG chosen, ULONG left)
{
    SIMPLE_TEXT_OUTPUT_INTERFACE *screen = ST->ConOut;
    CHAR16 title[TITLE_LENGTH];

    screen->SetCursorPosition(screen, 0, 0);
    Print(L"Boot:\n\n");
    for (ULONG i = 0; i < entries->count; i++) {
        widen(title, TITLE_LENGTH, entries->entry[i].title);
        screen->SetAttribute(screen, i == chosen ? CHOSEN : NORMAL);
        Print(L"  %s  \n", title);
    }
    screen->SetAttribute(screen, NORMAL);
    if (left)
        Print(L"\nArrow keys and Enter; in %d s it goes on by itself. \n",
              left);
    else
        Print(L"\nArrow keys and Enter.                                 \n");
}

/* TRUE when it is decided. */
static BOOLEAN take_key(const struct entries *entries, ULONG *chosen)
{
    EFI_INPUT_KEY key;

    if (EFI_ERROR(ST->ConIn->ReadKeyStroke(ST->ConIn, &key)))
        return FALSE;
    if (key.ScanCode == SCAN_UP && *chosen)
        --*chosen;
    if (key.ScanCode == SCAN_DOWN && *chosen + 1 < entries->count)
        ++*chosen;
    return key.UnicodeChar == CHAR_CARRIAGE_RETURN;
}

ULONG choose_entry(const struct entries *entries)
{
    ULONG chosen = 0, left = entries->timeout;
    EFI_EVENT events[2] = { ST->ConIn->WaitForKey };
    UINTN which;

    if (entries->count == 1 || !left)
        return 0;
    if (EFI_ERROR(BS->CreateEvent(EVT_TIMER, 0, NULL, NULL, &events[1])))
        return 0;
    BS->SetTimer(events[1], TimerPeriodic, SECOND);
    ST->ConOut->ClearScreen(ST->ConOut);
    ST->ConOut->EnableCursor(ST->ConOut, FALSE);
    for (;;) {
        show(entries, chosen, left);
        if (EFI_ERROR(BS->WaitForEvent(left ? 2 : 1, events, &which)))
            break;
        if (which == 0 && take_key(entries, &chosen))
            break;
        if (which == 0)
            left = 0;                   /* somebody is there */
        else if (!--left)
            break;
    }
    BS->CloseEvent(events[1]);
    return chosen;
}
