/*
 * edit.c - the shell's line editor on a terminal that is only memory, and
 * lines cut into words.
 */
#include "unit.h"

#include "../../programs/shell/edit.h"
#include "../../programs/shell/words.h"

static struct edit_history history;
static struct editor editor;

/* One row of a terminal behind the prompt. */
static char row[EDIT_WIDTH + 1];
static ULONG column;
static BOOLEAN ended;

static void write(const char *text, ULONG length)
{
    for (ULONG i = 0; i < length; i++) {
        if (text[i] == '\b') {
            assert_true(column > 0);
            column--;
        } else if (text[i] == '\n') {
            ended = TRUE;
        } else if (!ended) {
            assert_true(column < EDIT_WIDTH);
            row[column++] = text[i];
        }
    }
}

static void new_line(void)
{
    memset(row, ' ', sizeof row);
    column = 0;
    ended = FALSE;
    edit_new(&editor);
}

static int restart(void **state)
{
    (void)state;
    editor.write = write;
    editor.history = &history;
    edit_start(&editor);
    new_line();
    return 0;
}

/* The terminal shows the window onto the text, and nothing behind it. */
static void check_row(void)
{
    ULONG length = editor.length - editor.first;

    if (length > EDIT_WIDTH)
        length = EDIT_WIDTH;
    assert_int_equal(editor.length, strlen(editor.text));
    assert_true(editor.cursor >= editor.first);
    assert_int_equal(column, editor.cursor - editor.first);
    assert_memory_equal(row, editor.text + editor.first, length);
    for (ULONG i = length; i < EDIT_WIDTH; i++)
        assert_int_equal(row[i], ' ');
}

static enum edit_result type(const char *text)
{
    enum edit_result result = EDIT_MORE;

    for (; *text; text++) {
        assert_int_equal(result, EDIT_MORE);
        result = edit_key(&editor, *text);
        if (result == EDIT_MORE)
            check_row();
    }
    return result;
}

static void expect_line(const char *keys, const char *line)
{
    new_line();
    assert_int_equal(type(keys), EDIT_LINE);
    assert_true(ended);
    assert_string_equal(editor.text, line);
}

static void lines(void **state)
{
    (void)state;
    expect_line("echo one\r", "echo one");
    expect_line("\r", "");
    expect_line("a\tb\001\a\xE9\n", "ab");
}

/* CR LF is one end of a line. */
static void carriage_return_and_line_feed(void **state)
{
    (void)state;
    expect_line("a\r", "a");
    expect_line("\nb\r", "b");
    expect_line("\nc\n", "c");
    expect_line("\n", "");
}

static void erasing(void **state)
{
    (void)state;
    expect_line("\bab\b\177c\r", "c");
    expect_line("abc\033[D\033[D\bx\r", "xbc");
    expect_line("abc\001\033[3~\004\033[C\033[3~\r", "c");
    expect_line("one two\033[D\033[D\033[D\013x\r", "one x");
    expect_line("one two\033[D\033[D\033[D\025x\r", "xtwo");
}

static void moving(void **state)
{
    (void)state;
    expect_line("bc\033[Ha\033[Fd\r", "abcd");
    expect_line("bc\033OHa\033OFd\r", "abcd");
    expect_line("bc\033[1~a\033[4~d\r", "abcd");
    expect_line("bc\001a\005d\r", "abcd");
    expect_line("ac\002b\006d\033[C\033[Ce\r", "abcde");
    expect_line("\033[D\033[Dx\r", "x");
}

/* Sequences that mean nothing here are swallowed whole. */
static void other_sequences(void **state)
{
    (void)state;
    expect_line("a\033[5~b\033[1;5Cc\033[200~d\033xe\033[Z\033OPf\r",
                "abcdef");
    expect_line("\033\033[Da\033[\r", "a");
}

static void ends(void **state)
{
    (void)state;
    assert_int_equal(type("abc\003"), EDIT_CANCELLED);
    new_line();
    assert_int_equal(type("\004"), EDIT_END);
    new_line();
    assert_int_equal(type("\032"), EDIT_END);
    new_line();
    assert_int_equal(type("a\004\032\014"), EDIT_CLEAR);
    assert_string_equal(editor.text, "a");
    memset(row, ' ', sizeof row);
    column = 0;
    edit_show(&editor);
    check_row();
}

static void recalling(void **state)
{
    (void)state;
    expect_line("one\r", "one");
    expect_line("two\r", "two");
    expect_line("two\r", "two");
    expect_line("\r", "");
    assert_int_equal(history.count, 2);
    expect_line("\033[A\r", "two");
    expect_line("\033[A\033[A\033[A\bE\r", "onE");
    expect_line("dra\033[A\033[A\033[A\033[B\033[B\033[B\033[Bft\r", "draft");
    expect_line("\020\020\020\020\016\r", "two");
    expect_line("\033[B\r", "");
}

static void a_full_history(void **state)
{
    char line[16];

    (void)state;
    for (ULONG i = 0; i < 3 * EDIT_HISTORY; i++) {
        snprintf(line, sizeof line, "%u\r", i);
        new_line();
        type(line);
    }
    new_line();
    for (ULONG i = 0; i < EDIT_HISTORY + 5; i++)
        type("\033[A");
    snprintf(line, sizeof line, "%u", 2 * EDIT_HISTORY);
    assert_string_equal(editor.text, line);
}

static void long_lines(void **state)
{
    char text[EDIT_SIZE + 50];

    (void)state;
    for (ULONG i = 0; i < sizeof text - 1; i++)
        text[i] = 'a' + i % 26;
    text[sizeof text - 1] = 0;
    type(text);
    assert_int_equal(editor.length, EDIT_SIZE - 1);
    assert_memory_equal(editor.text, text, EDIT_SIZE - 1);
    type("\001\033[C\033[C\033[3~\005\b\bXY");
    assert_int_equal(editor.length, EDIT_SIZE - 2);
    assert_memory_equal(editor.text, "abdef", 5);
    assert_string_equal(editor.text + EDIT_SIZE - 4, "XY");
}

/* Whatever is typed, the terminal shows the line. */
static void any_keys(void **state)
{
    static const char *const keys[] = {
        "a", "Z", "~", " ", "\b", "\001", "\005", "\002", "\006", "\013",
        "\025", "\004", "\033[A", "\033[B", "\033[C", "\033[D", "\033[3~",
        "\033[H", "\033[F", "hello, world", "\033", "["
    };
    ULONGLONG seed = 11;

    (void)state;
    for (ULONG i = 0; i < 100000; i++) {
        ULONG at = unit_random(&seed) % ARRAY_SIZE(keys);

        if (keys[at][0] == '\004' && editor.length == 0)
            continue;
        type(keys[at]);
        if (i % 100 == 99) {
            assert_int_equal(type("\r"), EDIT_LINE);
            new_line();
        }
    }
}

static struct word words[MAX_WORDS];

static int split(const char *line)
{
    static char copy[200];

    assert_true(strlen(line) < sizeof copy);
    return split_words(strcpy(copy, line), words);
}

static void plain_words(void **state)
{
    (void)state;
    assert_int_equal(split(""), 0);
    assert_int_equal(split("   "), 0);
    assert_int_equal(split("  echo  one two "), 3);
    assert_string_equal(words[0].text, "echo");
    assert_string_equal(words[2].text, "two");
    assert_null(words[2].string);
}

static void strings(void **state)
{
    (void)state;
    assert_int_equal(split("a \"b  c\" w\"d\" name:\"\\e\\\" \"\""), 5);
    assert_string_equal(words[1].text, "");
    assert_string_equal(words[1].string, "b  c");
    assert_string_equal(words[2].text, "w");
    assert_string_equal(words[2].string, "d");
    assert_string_equal(words[3].string, "\\e\\");
    assert_string_equal(words[4].string, "");
    assert_string_equal(word_text(&words[4]), "");
    assert_int_equal(split("\"say \"\"hi\"\"\""), 1);
    assert_string_equal(words[0].string, "say \"hi\"");
}

static void lines_that_are_no_words(void **state)
{
    (void)state;
    assert_int_equal(split("\""), -1);
    assert_int_equal(split("a \"b"), -1);
    assert_int_equal(split("a \"b\"\""), -1);
    assert_int_equal(split("a \"b\"c"), -1);
    assert_int_equal(split("1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 "
                           "20 21 22 23 24"), MAX_WORDS);
    assert_int_equal(split("1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 "
                           "20 21 22 23 24 25"), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(lines, restart),
        cmocka_unit_test_setup(carriage_return_and_line_feed, restart),
        cmocka_unit_test_setup(erasing, restart),
        cmocka_unit_test_setup(moving, restart),
        cmocka_unit_test_setup(other_sequences, restart),
        cmocka_unit_test_setup(ends, restart),
        cmocka_unit_test_setup(recalling, restart),
        cmocka_unit_test_setup(a_full_history, restart),
        cmocka_unit_test_setup(long_lines, restart),
        cmocka_unit_test_setup(any_keys, restart),
        cmocka_unit_test(plain_words),
        cmocka_unit_test(strings),
        cmocka_unit_test(lines_that_are_no_words),
    };
    return cmocka_run_group_tests_name("edit", tests, NULL, NULL);
}
