/*
 * tables.h - whose page tables CR3 has, under KVA shadow.
 *
 * A plugin cannot read registers. But the ways in and out load CR3 in a few
 * known instructions (places.h), and whether a way out loads ring 3's is told
 * by its reading, just before, where those are.
 */
#ifndef TABLES_H
#define TABLES_H

#include <stdbool.h>
#include <stdint.h>

/* Ring 3's, which have next to nothing of the kernel. */
extern bool tables_are_users;

/* A PLACE_USER_TABLES has read; a MOV CR3 begins that is in some places. */
void tables_read(void);
void tables_change(uint32_t places);

#endif
