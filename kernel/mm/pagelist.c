/*
 * mm/pagelist.c - lists of pages, through the page-frame database.
 *
 * A page is on one list at most, and its entry says on which.  Pages that may
 * be wanted again come in at the end and are taken from the front, so the one
 * that has waited longest goes first; free pages have no age, and the last
 * one in is the first out.
 */
#include "pfn.h"

struct mi_page_list MmFreePageListHead = { .ListName = FreePageList };
struct mi_page_list MmStandbyPageListHead = { .ListName = StandbyPageList };
struct mi_page_list MmModifiedPageListHead = { .ListName = ModifiedPageList };

static struct mi_page_list *list_of(const struct mi_pfn *page)
{
    switch (page->PageLocation) {
    case FreePageList: return &MmFreePageListHead;
    case StandbyPageList: return &MmStandbyPageListHead;
    default: return &MmModifiedPageListHead;
    }
}

/* Between two neighbours, either of which may be none. */
static void link(struct mi_page_list *list, PFN_NUMBER pfn, ULONG before,
                 ULONG behind)
{
    struct mi_pfn *page = mi_pfn_at(pfn);

    page->Blink = before;
    page->Flink = behind;
    page->PageLocation = (UCHAR)list->ListName;
    *(before ? &mi_pfn_at(before)->Flink : &list->Flink) = (ULONG)pfn;
    *(behind ? &mi_pfn_at(behind)->Blink : &list->Blink) = (ULONG)pfn;
    list->Total++;
}

void mi_insert_page_first(struct mi_page_list *list, PFN_NUMBER pfn)
{
    link(list, pfn, 0, list->Flink);
}

/* As if one after the other came first; nobody has known them before. */
void mi_insert_new_pages(struct mi_page_list *list, PFN_NUMBER first,
                         PFN_NUMBER end)
{
    if (first == end)
        return;
    for (PFN_NUMBER pfn = first; pfn < end; pfn++) {
        struct mi_pfn *page = mi_pfn_at(pfn);

        page->Flink = (ULONG)pfn - 1;
        page->Blink = (ULONG)pfn + 1;
        page->PageLocation = (UCHAR)list->ListName;
    }
    mi_pfn_at(first)->Flink = list->Flink;
    mi_pfn_at(end - 1)->Blink = 0;
    *(list->Flink ? &mi_pfn_at(list->Flink)->Blink : &list->Blink) =
        (ULONG)first;
    list->Flink = (ULONG)(end - 1);
    list->Total += end - first;
}

void mi_insert_page_last(struct mi_page_list *list, PFN_NUMBER pfn)
{
    link(list, pfn, list->Blink, 0);
}

void mi_unlink_page(PFN_NUMBER pfn)
{
    struct mi_pfn *page = mi_pfn_at(pfn);
    struct mi_page_list *list = list_of(page);

    ASSERT(page->PageLocation != ActiveAndValid && list->Total > 0);
    *(page->Blink ? &mi_pfn_at(page->Blink)->Flink : &list->Flink) =
        page->Flink;
    *(page->Flink ? &mi_pfn_at(page->Flink)->Blink : &list->Blink) =
        page->Blink;
    page->Flink = page->Blink = 0;
    page->PageLocation = ActiveAndValid;
    list->Total--;
}

void mi_retire_page(PFN_NUMBER pfn)
{
    ASSERT(mi_pfn_at(pfn)->ShareCount == 0);
    mi_insert_page_last(mi_pfn_at(pfn)->Modified ? &MmModifiedPageListHead
                                                 : &MmStandbyPageListHead,
                        pfn);
}

void mi_note_write(PFN_NUMBER pfn)
{
    struct mi_pfn *page = mi_pfn_at(pfn);
    ULONG slot = mi_page_file_slot(page->OriginalPte);

    page->Modified = TRUE;
    if (slot) {
        mi_free_slot(slot);
        page->OriginalPte.u.Soft.PageFileHigh = 0;
    }
}
