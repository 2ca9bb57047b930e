/*
 * io/scancode.c - from scan codes to characters: a US keyboard.
 *
 * Set 1: a key's code when it goes down, the same with bit 7 when it comes
 * up; E0 before the keys that the first PC did not have, E1 before the two
 * codes of Pause.  Keys that move something become the sequences that a
 * VT terminal sends, so that whoever reads needs to know only those.
 */
#include "scancode.h"

#define RELEASED 0x80
#define EXTENDED 0xE0
#define PAUSE 0xE1

enum {
    KEY_ENTER = 0x1C, KEY_CTRL = 0x1D, KEY_LEFT_SHIFT = 0x2A,
    KEY_SLASH = 0x35, KEY_RIGHT_SHIFT = 0x36, KEY_CAPS = 0x3A
};

/* By scan code, from 0; a space where a key has no character. */
static const char plain[] =
    " \033" "1234567890-=\b\tqwertyuiop[]\r asdfghjkl;'` \\zxcvbnm,./ * ";
static const char shifted[] =
    " \033" "!@#$%^&*()_+\b\tQWERTYUIOP{}\r ASDFGHJKL:\"~ |ZXCVBNM<>? * ";

#define KEY_SPACE 0x39
#define KEYPAD 0x47
static const char keypad[] = "789-456+1230.";

/* Behind E0, from KEYPAD on: what follows ESC [. */
static const char *const moves[] = {
    "H", "A", "5~", 0, "D", 0, "C", 0, "F", "B", "6~", "2~", "3~"
};

static BOOLEAN is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* Ctrl and a letter, or one of [ \ ] ^ _, is a control character. */
static BOOLEAN has_control(char c)
{
    return is_letter(c) || (c >= '[' && c <= '_');
}

static char character_of(const struct scancode_state *state, UCHAR key)
{
    BOOLEAN shift = state->shift != 0;

    if (key == KEY_SPACE)
        return ' ';
    if (key >= KEYPAD && key < KEYPAD + sizeof(keypad) - 1)
        return keypad[key - KEYPAD];
    if (key >= sizeof(plain) - 1 || plain[key] == ' ')
        return 0;
    if (state->caps && is_letter(plain[key]))
        shift = !shift;
    return shift ? shifted[key] : plain[key];
}

static ULONG decode_extended(UCHAR key, char text[SCANCODE_TEXT])
{
    const char *move = 0;
    ULONG length = 0;

    if (key == KEY_ENTER || key == KEY_SLASH) {
        text[0] = key == KEY_ENTER ? '\r' : '/';
        return 1;
    }
    if (key >= KEYPAD && key < KEYPAD + sizeof(moves) / sizeof(*moves))
        move = moves[key - KEYPAD];
    if (!move)
        return 0;
    text[length++] = '\033';
    text[length++] = '[';
    while (*move)
        text[length++] = *move++;
    return length;
}

/* TRUE: key only changes what others mean.  Two of a kind count apart. */
static BOOLEAN is_modifier(struct scancode_state *state, UCHAR key,
                           BOOLEAN down, BOOLEAN extended)
{
    UCHAR *which = &state->shift, bit = 1;

    if (key == KEY_CAPS && !extended) {
        state->caps ^= down;
        return TRUE;
    }
    if (key == KEY_CTRL) {
        which = &state->ctrl;
        bit = extended ? 2 : 1;
    } else if (key == KEY_LEFT_SHIFT || key == KEY_RIGHT_SHIFT) {
        if (extended)                   /* made up, around a cursor key */
            return TRUE;
        bit = key == KEY_LEFT_SHIFT ? 1 : 2;
    } else {
        return FALSE;
    }
    *which = down ? *which | bit : *which & (UCHAR)~bit;
    return TRUE;
}

ULONG scancode_decode(struct scancode_state *state, UCHAR code,
                      char text[SCANCODE_TEXT])
{
    BOOLEAN extended = state->extended;
    UCHAR key = code & (UCHAR)~RELEASED;

    if (state->skip) {
        state->skip--;
        return 0;
    }
    state->extended = code == EXTENDED;
    if (code == PAUSE)
        state->skip = 2;
    if (code == EXTENDED || code == PAUSE ||
        is_modifier(state, key, !(code & RELEASED), extended) ||
        (code & RELEASED))
        return 0;
    if (extended)
        return decode_extended(key, text);
    text[0] = character_of(state, key);
    if (text[0] == 0)
        return 0;
    if (state->ctrl && has_control(text[0]))
        text[0] &= 0x1F;
    return 1;
}
