/*
 * image.h - ntdll's private view of a mapped image.
 *
 * The tables of an image are the file's word. Every access goes through
 * image_at or image_text, which answer NULL for what is not wholly inside the
 * headers or one readable section.
 */
#pragma once

#include "ldrmachine.h"

struct image {
    UCHAR *base;
    ULONG size;
    IMAGE_NT_HEADERS *headers;
};

/* base: where the kernel mapped an image. STATUS_INVALID_IMAGE_FORMAT. */
NTSTATUS image_open(void *base, struct image *image);

/* size bytes at rva, or NULL. */
void *image_at(const struct image *image, ULONG rva, ULONGLONG size);

/* The same by address, as the TLS directory speaks. */
void *image_at_address(const struct image *image, ULONG_PTR address,
                       ULONGLONG size);

/* Text at rva that ends inside its section, or NULL. */
const char *image_text(const struct image *image, ULONG rva);

/* A directory of at least size bytes, or NULL; *found is its entry. */
void *image_directory(const struct image *image, ULONG index, ULONG size,
                      IMAGE_DATA_DIRECTORY *found);

/* Move the image by base - its preferred base where that was not done. */
NTSTATUS image_relocate(const struct image *image);

/*
 * Write to read-only parts of an image: open makes the pages of a range
 * writable, close gives them back the protection they had.
 */
struct image_window {
    void *base;
    SIZE_T size;
    ULONG protect;
};
NTSTATUS image_window_open(struct image_window *window, void *at, SIZE_T size);
void image_window_close(struct image_window *window);
