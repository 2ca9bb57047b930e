/*
 * tables.c - whose page tables CR3 has, under KVA shadow (tables.h).
 */
#include "tables.h"

#include <stddef.h>
#include <stdlib.h>

#include "places.h"

#define LEVELS 16                       /* of NMI, #MC, #DB in one another */

bool tables_are_users;
static bool were_read;
static bool saved[LEVELS];
static size_t level;

void tables_read(void)
{
    were_read = true;
}

void tables_change(uint32_t places)
{
    if (places & PLACE_ENTERS_TABLES) {
        tables_are_users = were_read;
    } else if (places & PLACE_RESTORES_TABLES) {
        tables_are_users = level > 0 && saved[--level];
    } else {
        if (places & PLACE_SAVES_TABLES) {
            if (level == LEVELS)
                abort();
            saved[level++] = tables_are_users;
        }
        tables_are_users = false;
    }
    were_read = false;
}
