/*
 * shell.h - the shell's private header.
 *
 * A line is edited (edit.h), cut into words (words.h) and handed to a command
 * (commands.c). A command prints what it finds, or one line about what is
 * wrong with its words.
 */
#pragma once

#include "../lib/print.h"
#include "words.h"

/* One command: words[0] is its name. */
struct command {
    const char *name;
    const char *usage;                          /* what follows the name */
    const char *help;
    int least, most;                            /* words behind the name */
    void (*run)(int count, const struct word *words);
};

/* Finds and runs the command of these words (commands.c). */
void run_command(int count, const struct word *words);

/*
 * The console (console.c). console_open: the keys, as they come. read_line:
 * NULL at the end of input; the text is good until the next line.
 */
NTSTATUS console_open(void);
char *read_line(void);
void print_text(const char *text);              /* of any length */

/* Decimal, or hexadecimal behind 0x; a minus sign before it (arguments.c). */
BOOLEAN parse_number(const char *text, ULONGLONG *value);

/* A process's id; FALSE: it is none, and command has said so (ps.c). */
BOOLEAN parse_process_id(const char *command, const struct word *word,
                         ULONGLONG *id);

/*
 * What NtQuerySystemInformation says of a class, however long it is, for
 * free_list (list.c). NULL: nothing, which was said.
 */
void *query_list(ULONG class);
void free_list(void *list);

/* "C0000008 STATUS_INVALID_HANDLE" behind what failed, as a line. */
void print_failure(const char *what, NTSTATUS status);

/* The commands that are more than a few lines. */
void command_call(int count, const struct word *words);
void command_apc(int count, const struct word *words);
void command_run(int count, const struct word *words);
void command_ps(int count, const struct word *words);
void command_handles(int count, const struct word *words);
void command_names(int count, const struct word *words);
void command_trace(int count, const struct word *words);
void command_time(int count, const struct word *words);
