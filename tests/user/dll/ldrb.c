/*
 * ldrb.c - the DLL that others need: the log.
 */
#include "ldr.h"

static char text[64];
static ULONG length;

ULONG b_value(void)
{
    return 0xB;
}

ULONG b_seven(void)
{
    return 7;
}

void b_log(char event)
{
    if (length < sizeof text - 1)
        text[length++] = event;
}

const char *b_text(void)
{
    return text;
}

BOOLEAN NTAPI DllMain(void *base, ULONG reason, void *reserved)
{
    (void)base;
    (void)reserved;
    b_log(reason == DLL_PROCESS_ATTACH ? 'B' : 'b');
    return TRUE;
}
