/*
 * history.c - lines that were entered before, brought back to be edited.
 *
 * A recalled line is a copy; the line that was being typed waits in draft
 * until the user comes back down to it.
 */
#include "edit.h"

static void copy(char *to, const char *from)
{
    while ((*to++ = *from++))
        ;
}

static BOOLEAN equal(const char *a, const char *b)
{
    while (*a && *a == *b) {
        a++;
        b++;
    }
    return *a == *b;
}

static char *line_back(struct edit_history *history, ULONG steps)
{
    return history->lines[(history->count - steps) % EDIT_HISTORY];
}

void edit_recall(struct editor *editor, int step)
{
    struct edit_history *history = editor->history;
    ULONG kept = history->count < EDIT_HISTORY ? history->count
                                               : EDIT_HISTORY;

    if (step > 0 ? editor->recalled == kept : editor->recalled == 0)
        return;
    if (editor->recalled == 0)
        copy(editor->draft, editor->text);
    editor->recalled += step;
    copy(editor->text, editor->recalled
                           ? line_back(history, editor->recalled)
                           : editor->draft);
    for (editor->length = 0; editor->text[editor->length];)
        editor->length++;
    editor->cursor = editor->length;
    editor->first = 0;
}

/* Neither empty lines nor the same one twice. */
void edit_remember(struct editor *editor)
{
    struct edit_history *history = editor->history;

    if (!editor->text[0] ||
        (history->count && equal(editor->text, line_back(history, 1))))
        return;
    copy(history->lines[history->count++ % EDIT_HISTORY], editor->text);
}
