/*
 * commands.c - the commands: which there are, and those of a few lines.
 */
#include "shell.h"

static void command_help(int count, const struct word *words);
static void command_echo(int count, const struct word *words);
static void command_exit(int count, const struct word *words);

static const struct command commands[] = {
    { "help", "", "this list", 0, 0, command_help },
    { "call", "DOOR NAME ARG...", "a system call; \"call\" alone tells more",
      0, MAX_WORDS, command_call },
    { "apc", "", "an APC queued to this thread: its frame on the stack", 0, 0,
      command_apc },
    { "run", "PROGRAM [ARG...]", "another program, until it ends or Ctrl-C", 1,
      MAX_WORDS, command_run },
    { "ps", "[PID]", "the processes, or the threads of one", 0, 1,
      command_ps },
    { "handles", "[PID]", "the handles of a process, or of this one", 0, 1,
      command_handles },
    { "names", "[\\DIRECTORY]", "what a directory of objects holds", 0, 1,
      command_names },
    { "trace", "on [PID]|off|show", "system calls: begin, end, tell", 1,
      2, command_trace },
    { "time", "", "what time it is, and for how long this has been running",
      0, 0, command_time },
    { "echo", "WORD...", "the words", 0, MAX_WORDS, command_echo },
    { "exit", "[STATUS]", "the end, with a status", 0, 1, command_exit },
};

static void command_help(int count, const struct word *words)
{
    const struct command *command;
    char left[40];

    (void)count, (void)words;
    for (command = commands; command < commands + ARRAY_SIZE(commands);
         command++) {
        sprintf(left, "%s %s", command->name, command->usage);
        print("  %-24s %s\n", left, command->help);
    }
    print("Arrow keys, Home, End, Delete and Ctrl-A E K U L edit; up and "
          "down recall;\nCtrl-C drops a line, Ctrl-D ends.\n");
}

static void command_echo(int count, const struct word *words)
{
    int at;

    for (at = 1; at < count; at++) {
        if (at > 1)
            print_text(" ");
        print_text(word_text(&words[at]));
    }
    print_text("\n");
}

static void command_exit(int count, const struct word *words)
{
    ULONGLONG status = 0;

    if (count > 1 && (!parse_number(word_text(&words[1]), &status) ||
                      status + 0x80000000 > 0x17FFFFFFF)) {
        print("exit: %s is no status\n", word_text(&words[1]));
        return;
    }
    NtTerminateProcess(NtCurrentProcess(), (NTSTATUS)status);
}

void print_failure(const char *what, NTSTATUS status)
{
    print("%s: %08X %s\n", what, (ULONG)status, status_name(status));
}

void run_command(int count, const struct word *words)
{
    const char *name = word_text(&words[0]);
    const struct command *command = commands;

    while (command < commands + ARRAY_SIZE(commands) &&
           strcmp(command->name, name) != 0)
        command++;
    if (command == commands + ARRAY_SIZE(commands))
        print("%s: there is no such command; \"help\" lists them\n", name);
    else if (count - 1 < command->least || count - 1 > command->most)
        print("usage: %s %s\n", name, command->usage);
    else
        command->run(count, words);
}
