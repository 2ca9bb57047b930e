/*
 * xp.h - XP's service numbers by name: SERVICE_NtClose is 19h here.
 */
#pragma once

#define SERVICE32(table, number, letters, routine, name) \
    SERVICE_##name = number,
enum {
#include "services32.inc.c"
};
#undef SERVICE32
