/*
 * kd/log.c - which of the kernel's messages are shown.
 *
 * Each component has a mask with a bit for each level (kd.h).  The boot option
 * log says what is in it, "mm:info,ps:warning,*:none": up to which level, of
 * one component or of all; the last word about one counts.
 *
 * NT: the masks are Kd_MM_Mask and the like, set by a debugger or from the
 * registry, and KD_INIT_ID and its neighbours do not exist.
 */
#include "kdp.h"

#include <rtl.h>

#define UP_TO(level) ((2u << (level)) - 1)
#define USUAL_MASK UP_TO(DPFLTR_TRACE_LEVEL)

static const struct component {
    const char *name;
    ULONG id;
} components[] = {
    { "init", KD_INIT_ID }, { "ke", KD_KE_ID }, { "mm", DPFLTR_MM_ID },
    { "ob", KD_OB_ID }, { "io", KD_IO_ID }, { "ps", KD_PS_ID },
    { "ldr", DPFLTR_LDR_ID }, { "wow64", DPFLTR_WOW64_ID },
    { "hal", KD_HAL_ID },
};

static const struct level {
    const char *name;
    ULONG mask;
} levels[] = {
    { "none", 0 },
    { "error", UP_TO(DPFLTR_ERROR_LEVEL) },
    { "warning", UP_TO(DPFLTR_WARNING_LEVEL) },
    { "trace", UP_TO(DPFLTR_TRACE_LEVEL) },
    { "info", UP_TO(DPFLTR_INFO_LEVEL) },
};

ULONG kd_masks[KD_IDS] = { [0 ... KD_IDS - 1] = USUAL_MASK };

ULONG DbgPrintEx(ULONG component, ULONG level, const char *format, ...)
{
    va_list args;

    if (!kd_wants(component, level))
        return STATUS_SUCCESS;
    va_start(args, format);
    kd_vprint(format, args);
    va_end(args);
    return STATUS_SUCCESS;
}

static BOOLEAN is_name(const char *name, const char *text, SIZE_T length)
{
    return strlen(name) == length && strncmp(name, text, length) == 0;
}

static const struct level *find_level(const char *text, SIZE_T length)
{
    for (ULONG i = 0; i < ARRAY_SIZE(levels); i++) {
        if (is_name(levels[i].name, text, length))
            return &levels[i];
    }
    return NULL;
}

static BOOLEAN set_mask(const char *name, SIZE_T length, ULONG mask)
{
    BOOLEAN all = is_name("*", name, length), found = all;

    for (ULONG i = 0; i < ARRAY_SIZE(components); i++) {
        if (all || is_name(components[i].name, name, length)) {
            kd_masks[components[i].id] = mask;
            found = TRUE;
        }
    }
    return found;
}

/* "mm:info" */
static BOOLEAN set_word(const char *word, SIZE_T length)
{
    const struct level *level;
    SIZE_T colon = 0;

    while (colon < length && word[colon] != ':')
        colon++;
    if (colon == length)
        return FALSE;
    level = find_level(word + colon + 1, length - colon - 1);
    return level && set_mask(word, colon, level->mask);
}

static void refuse(const char *word, SIZE_T length)
{
    DbgPrint("OPT   log: %.*s is not COMPONENT:LEVEL; ignored.  Components: *",
             (int)length, word);
    for (ULONG i = 0; i < ARRAY_SIZE(components); i++)
        DbgPrint(" %s", components[i].name);
    DbgPrint("; levels:");
    for (ULONG i = 0; i < ARRAY_SIZE(levels); i++)
        DbgPrint(" %s", levels[i].name);
    DbgPrint("\n");
}

void kd_set_log(const char *value)
{
    while (*value) {
        SIZE_T length = 0;

        while (value[length] && value[length] != ',')
            length++;
        if (!set_word(value, length))
            refuse(value, length);
        value += length;
        value += *value == ',';
    }
}
