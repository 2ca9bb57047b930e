/*
 * edit.c - keys change the line, and the terminal follows.
 */
#include "edit.h"

#define CTRL(letter) ((letter) & 0x1F)
#define ESCAPE 0x1B
#define RUBOUT 0x7F

static void write_many(struct editor *editor, char character, ULONG count)
{
    while (count--)
        editor->write(&character, 1);
}

/* Move the terminal's cursor inside what is shown. */
static void move_to(struct editor *editor, ULONG column)
{
    if (column < editor->shown_cursor)
        write_many(editor, '\b', editor->shown_cursor - column);
    else
        editor->write(editor->shown + editor->shown_cursor,
                      column - editor->shown_cursor);
    editor->shown_cursor = column;
}

/* The window moves as little as it can. */
static void follow_cursor(struct editor *editor)
{
    if (editor->cursor < editor->first)
        editor->first = editor->cursor;
    if (editor->cursor > editor->first + EDIT_WIDTH)
        editor->first = editor->cursor - EDIT_WIDTH;
}

/* Only what differs is written. */
static void refresh(struct editor *editor)
{
    const char *text;
    ULONG length, same = 0, old = editor->shown_length, at;

    follow_cursor(editor);
    text = editor->text + editor->first;
    length = editor->length - editor->first;
    if (length > EDIT_WIDTH)
        length = EDIT_WIDTH;
    while (same < length && same < old && text[same] == editor->shown[same])
        same++;
    if (same < length || same < old) {
        move_to(editor, same);
        editor->write(text + same, length - same);
        for (at = same; at < length; at++)
            editor->shown[at] = text[at];
        editor->shown_length = editor->shown_cursor = length;
        if (old > length) {
            write_many(editor, ' ', old - length);
            write_many(editor, '\b', old - length);
        }
    }
    move_to(editor, editor->cursor - editor->first);
}

static void insert(struct editor *editor, char character)
{
    ULONG at;

    if (editor->length == EDIT_SIZE - 1)
        return;
    for (at = ++editor->length; at > editor->cursor; at--)
        editor->text[at] = editor->text[at - 1];
    editor->text[editor->cursor++] = character;
}

static void erase(struct editor *editor, ULONG from, ULONG to)
{
    ULONG at;

    for (at = to; at <= editor->length; at++)
        editor->text[from + at - to] = editor->text[at];
    editor->length -= to - from;
    editor->cursor = from;
}

static void erase_before(struct editor *editor)
{
    if (editor->cursor)
        erase(editor, editor->cursor - 1, editor->cursor);
}

static void erase_under(struct editor *editor)
{
    if (editor->cursor < editor->length)
        erase(editor, editor->cursor, editor->cursor + 1);
}

static void move(struct editor *editor, int step)
{
    if (step < 0 ? editor->cursor > 0 : editor->cursor < editor->length)
        editor->cursor += step;
}

/* The last character of ESC [ ... or ESC O ...: a cursor key. */
static void end_sequence(struct editor *editor, char key)
{
    if (key == '~')
        key = editor->parameter == '1' || editor->parameter == '7' ? 'H'
              : editor->parameter == '4' || editor->parameter == '8' ? 'F'
              : editor->parameter == '3' ? '~' : 0;
    switch (key) {
    case 'A': edit_recall(editor, 1); break;
    case 'B': edit_recall(editor, -1); break;
    case 'C': move(editor, 1); break;
    case 'D': move(editor, -1); break;
    case 'H': editor->cursor = 0; break;
    case 'F': editor->cursor = editor->length; break;
    case '~': erase_under(editor); break;
    }
}

/* TRUE: key belongs to an escape sequence. */
static BOOLEAN take_sequence(struct editor *editor, char key)
{
    if (key == ESCAPE) {
        editor->sequence = 1;
        editor->parameter = 0;
        return TRUE;
    }
    if (editor->sequence == 0 || (UCHAR)key < ' ') {
        editor->sequence = 0;
        return FALSE;
    }
    if (editor->sequence == 1) {
        editor->sequence = key == '[' || key == 'O' ? 2 : 0;
        return TRUE;
    }
    if (key >= '@') {
        editor->sequence = 0;
        end_sequence(editor, key);
    } else {
        editor->parameter = editor->parameter ? 0xFF : (UCHAR)key;
    }
    return TRUE;
}

static enum edit_result end_of_line(struct editor *editor)
{
    editor->cursor = editor->length;
    refresh(editor);
    editor->write("\n", 1);
    edit_remember(editor);
    return EDIT_LINE;
}

static enum edit_result cancel(struct editor *editor)
{
    editor->write("^C\n", 3);
    return EDIT_CANCELLED;
}

static enum edit_result end_of_input(struct editor *editor, char key)
{
    if (editor->length == 0)
        return EDIT_END;
    if (key == CTRL('D'))
        erase_under(editor);
    return EDIT_MORE;
}

static enum edit_result take_key(struct editor *editor, char key)
{
    switch (key) {
    case CTRL('A'): editor->cursor = 0; break;
    case CTRL('B'): move(editor, -1); break;
    case CTRL('C'): return cancel(editor);
    case CTRL('D'):
    case CTRL('Z'): return end_of_input(editor, key);
    case CTRL('E'): editor->cursor = editor->length; break;
    case CTRL('F'): move(editor, 1); break;
    case CTRL('H'):
    case RUBOUT: erase_before(editor); break;
    case CTRL('K'): erase(editor, editor->cursor, editor->length); break;
    case CTRL('L'): return EDIT_CLEAR;
    case CTRL('N'): edit_recall(editor, -1); break;
    case CTRL('P'): edit_recall(editor, 1); break;
    case CTRL('U'): erase(editor, 0, editor->cursor); break;
    case '\n':
    case '\r': return end_of_line(editor);
    default:
        if (key >= ' ' && key < RUBOUT)
            insert(editor, key);
    }
    return EDIT_MORE;
}

enum edit_result edit_key(struct editor *editor, char key)
{
    BOOLEAN second = key == '\n' && editor->after_cr;
    enum edit_result result = EDIT_MORE;

    editor->after_cr = key == '\r';
    if (second)
        return EDIT_MORE;
    if (!take_sequence(editor, key))
        result = take_key(editor, key);
    if (result == EDIT_MORE)
        refresh(editor);
    return result;
}

void edit_show(struct editor *editor)
{
    editor->shown_length = editor->shown_cursor = 0;
    refresh(editor);
}

void edit_new(struct editor *editor)
{
    editor->text[0] = 0;
    editor->length = editor->cursor = editor->first = 0;
    editor->shown_length = editor->shown_cursor = 0;
    editor->recalled = 0;
}

void edit_start(struct editor *editor)
{
    editor->after_cr = FALSE;
    editor->sequence = 0;
    editor->history->count = 0;
    edit_new(editor);
}
