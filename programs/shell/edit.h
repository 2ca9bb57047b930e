/*
 * edit.h - one line, edited key by key.
 *
 * The editor gets characters as a terminal sends them and writes what makes
 * the terminal show the line: nothing but printable characters and Backspace,
 * which every terminal has. A line longer than EDIT_WIDTH is seen through a
 * window that follows the cursor.
 */
#pragma once

#include <nt/ntdef.h>

#define EDIT_SIZE 512
#define EDIT_WIDTH 68
#define EDIT_HISTORY 32

enum edit_result {
    EDIT_MORE,                                  /* the line is not whole */
    EDIT_LINE,                                  /* it is, in text */
    EDIT_CANCELLED,                             /* Ctrl-C */
    EDIT_CLEAR,                                 /* Ctrl-L: a new screen */
    EDIT_END,                                   /* Ctrl-D or Ctrl-Z alone */
};

/* Lines that were entered; the newest is lines[(count - 1) % EDIT_HISTORY]. */
struct edit_history {
    char lines[EDIT_HISTORY][EDIT_SIZE];
    ULONG count;
};

struct editor {
    void (*write)(const char *text, ULONG length);
    struct edit_history *history;
    char text[EDIT_SIZE];                       /* ends in 0 */
    ULONG length, cursor;
    char draft[EDIT_SIZE];                      /* below the newest line */
    ULONG recalled;                             /* lines back, 0: the draft */

    /* What the terminal shows: text from first on, and its cursor. */
    char shown[EDIT_WIDTH + 1];
    ULONG first, shown_length, shown_cursor;

    BOOLEAN after_cr;                           /* an LF now is no key */
    UCHAR sequence;                             /* ESC, then [, are behind */
    UCHAR parameter;                            /* the digit behind them */
};

/* Once, with write and history set. */
void edit_start(struct editor *editor);

/*
 * The next character. After anything but EDIT_MORE the caller writes its
 * prompt; edit_show then shows a line that goes on (EDIT_CLEAR), edit_new
 * begins another.
 */
enum edit_result edit_key(struct editor *editor, char key);
void edit_show(struct editor *editor);
void edit_new(struct editor *editor);

/* edit.c to history.c: the line steps lines back, or forward if negative. */
void edit_recall(struct editor *editor, int step);
void edit_remember(struct editor *editor);
