/*
 * init/options.c - boot options.
 *
 * The loader's line is "key=value key=value -- program arguments".  Every
 * option and its value is shown; a key that nobody reads is named, so that a
 * mistyped one does not pass in silence.
 */
#include <init.h>

#include <kd.h>
#include <ke.h>
#include <rtl.h>

#define VALUE_LENGTH 96

static const struct option {
    const char *key;
    const char *usual;          /* its value if the line does not have it */
    const char *choices[4];     /* none: whoever reads the value checks it */
    const char *help;
} options[] = {
    { "selfmap", "0x1ED", { NULL },
      "slot of the page-table self map, or random" },
    { "debug", "off", { "on", "off" },
      "NtSystemDebugControl may read kernel memory" },
    { "doors", "syscall", { "syscall", "int2e" },
      "instruction of the 64-bit ntdll's stubs" },
    { "xpdoor", "auto", { "auto", "sysenter", "int2e" },
      "instruction of the 32-bit ntdll's stubs" },
    { "kva", "off", { "auto", "on", "off" },
      "ring 3 has page tables without the kernel" },
    { "clock", "auto", { "auto", "deadline", "periodic" },
      "how the local APIC's timer makes the clock's ticks" },
    { "apic", "auto", { "auto", "x2apic" },
      "x2APIC where it is on or needed, or wherever there is one" },
    { "spec", "auto", { "auto", "on", "off" },
      "predictors and buffers: as needed, all that can be, nothing" },
    { "pagefile", "0", { NULL },
      "MiB of memory that are a disk with a page file" },
    { "usb", "auto", { "auto", "off" },
      "keyboards on USB; off leaves them to the firmware" },
    { "log", "*:trace", { NULL },
      "which components say how much: mm:info,ps:none,*:trace" },
    { "end", "wait", { "wait", "off", "reset" },
      "what comes after the program's end" },
    { "report", "none", { "none", "e9" },
      "e9: tell the emulator how the run ended" },
};

static CHAR values[ARRAY_SIZE(options)][VALUE_LENGTH] SEALED;
static const char *command_line SEALED;

static const struct option *find(const char *key, SIZE_T length)
{
    for (ULONG i = 0; i < ARRAY_SIZE(options); i++) {
        if (strlen(options[i].key) == length &&
            strncmp(options[i].key, key, length) == 0)
            return &options[i];
    }
    return NULL;
}

static CHAR *value_of(const struct option *option)
{
    return values[option - options];
}

static BOOLEAN is_choice(const struct option *option, const char *value)
{
    if (!option->choices[0])
        return TRUE;
    for (ULONG i = 0; i < ARRAY_SIZE(option->choices); i++) {
        if (option->choices[i] && strcmp(value, option->choices[i]) == 0)
            return TRUE;
    }
    return FALSE;
}

static void refuse(const struct option *option, const char *value)
{
    DbgPrintEx(KD_INIT_ID, DPFLTR_WARNING_LEVEL, "OPT   %s=%s is not one of",
               option->key, value);
    for (ULONG i = 0; i < ARRAY_SIZE(option->choices); i++) {
        if (option->choices[i])
            DbgPrintEx(KD_INIT_ID, DPFLTR_WARNING_LEVEL, " %s",
                       option->choices[i]);
    }
    DbgPrintEx(KD_INIT_ID, DPFLTR_WARNING_LEVEL, "; ignored\n");
}

static void set_option(const char *word, SIZE_T length)
{
    SIZE_T key_length = 0;
    CHAR value[VALUE_LENGTH];
    const struct option *option;

    while (key_length < length && word[key_length] != '=')
        key_length++;
    option = find(word, key_length);
    if (!option || key_length == length) {
        DbgPrintEx(KD_INIT_ID, DPFLTR_WARNING_LEVEL,
                   "OPT   %.*s is not an option; ignored\n", (int)length, word);
        return;
    }
    rtl_snprintf(value, sizeof value, "%.*s", (int)(length - key_length - 1),
                 word + key_length + 1);
    if (is_choice(option, value))
        memcpy(value_of(option), value, sizeof value);
    else
        refuse(option, value);
}

void init_read_options(const char *line)
{
    for (ULONG i = 0; i < ARRAY_SIZE(options); i++)
        rtl_snprintf(values[i], VALUE_LENGTH, "%s", options[i].usual);
    command_line = "";
    while (*line) {
        SIZE_T length = 0;

        while (*line == ' ')
            line++;
        if (strncmp(line, "-- ", 3) == 0) {
            command_line = line + 3;
            break;
        }
        while (line[length] && line[length] != ' ')
            length++;
        if (length && strncmp(line, "--", length) != 0)
            set_option(line, length);
        line += length;
    }
}

void init_show_options(void)
{
    for (ULONG i = 0; i < ARRAY_SIZE(options); i++)
        DbgPrintEx(KD_INIT_ID, DPFLTR_TRACE_LEVEL, "OPT   %-8s = %-8s %s\n",
                   options[i].key, values[i], options[i].help);
    DbgPrintEx(KD_INIT_ID, DPFLTR_TRACE_LEVEL, "RUN   %s\n", command_line);
}

const char *init_option(const char *key)
{
    const struct option *option = find(key, strlen(key));

    return option ? value_of(option) : "";
}

BOOLEAN init_option_on(const char *key)
{
    return strcmp(init_option(key), "on") == 0;
}

const char *init_command_line(void)
{
    return command_line;
}
