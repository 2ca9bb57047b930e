/*
 * lib/check.c - counting checks.
 */
#include "check.h"
#include "print.h"

#define MOST_CHAPTERS 8

static struct chapter chapters[MOST_CHAPTERS];
static struct chapter *current = chapters;

void check_begin(const char *title)
{
    if (current->title)
        current++;
    current->title = title;
}

void check(BOOLEAN held, const char *text)
{
    current->checks++;
    if (held)
        return;
    if (!current->failures++)
        current->first_failure = text;
}

const struct chapter *check_chapter(ULONG number)
{
    const struct chapter *chapter = chapters + number - 1;

    return chapter <= current ? chapter : NULL;
}

NTSTATUS checks_end(void)
{
    struct chapter all = { 0 };
    const struct chapter *one;

    for (one = chapters; one <= current; one++) {
        all.checks += one->checks;
        if (!all.failures)
            all.first_failure = one->first_failure;
        all.failures += one->failures;
    }
    if (all.failures) {
        print("\nThe tour ends badly: %u of %u checks failed, first: %s\n",
              all.failures, all.checks, all.first_failure);
        return 1;
    }
    print("\nThe tour ends well: %u checks held.\n", all.checks);
    return 0;
}
