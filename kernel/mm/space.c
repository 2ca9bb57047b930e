/*
 * mm/space.c - the end of an address space, and of each of its regions.
 */
#include "vad.h"

#include <nt/ntapi.h>

void mi_delete_region(EPROCESS *process, struct mi_vad *vad)
{
    struct mi_section *section = vad->section;

    mi_decommit(process, vad, mi_vad_start(vad), vad->end);
    mi_remove_vad(process, vad);
    if (section)
        ObDereferenceObject(section);
}

/* The process may have got only as far as having no region at all. */
void mm_clean_address_space(EPROCESS *process)
{
    struct mi_vad *vad;

    ASSERT(process == PsGetCurrentProcess());
    while ((vad = mi_find_vad_above(process, 0)) != NULL)
        mi_delete_region(process, vad);
    ASSERT(process->VadCount == 0 && process->VirtualSize == 0);
    ASSERT(process->NumberOfPrivatePages == 0 && process->CommitCharge == 0);
    mi_free_user_tables();
}
