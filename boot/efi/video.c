/*
 * boot/efi/video.c - the framebuffer: the largest the screen offers, or the
 * one that was asked for (video=1024x768), or none (video=none).
 */
#include "efiload.h"

static BOOLEAN usable(const EFI_GRAPHICS_OUTPUT_MODE_INFORMATION *mode)
{
    return mode->PixelFormat != PixelBltOnly;
}

/* "1024x768": its two numbers; 0 and 0 for anything else. */
static void read_size(struct text word, ULONGLONG *width, ULONGLONG *height)
{
    struct text left = { word.at, 0 }, right;

    while (left.length < word.length && word.at[left.length] != 'x')
        left.length++;
    right = (struct text){ word.at + left.length + 1,
                           word.length - left.length - 1 };
    if (left.length == word.length || !read_number(left, 10, width) ||
        !read_number(right, 10, height))
        *width = *height = 0;
}

/* The mode of that size, else the one with the most pixels. */
static void set_mode(EFI_GRAPHICS_OUTPUT_PROTOCOL *gop, struct text word)
{
    ULONGLONG width, height, most = 0;
    UINT32 best = gop->Mode->Mode;

    read_size(word, &width, &height);
    for (UINT32 i = 0; i < gop->Mode->MaxMode; i++) {
        EFI_GRAPHICS_OUTPUT_MODE_INFORMATION *mode;
        ULONGLONG pixels;
        UINTN size;

        if (EFI_ERROR(gop->QueryMode(gop, i, &size, &mode)))
            continue;
        pixels = (ULONGLONG)mode->HorizontalResolution *
                 mode->VerticalResolution;
        if (mode->HorizontalResolution == width &&
            mode->VerticalResolution == height)
            pixels = ~0ULL;
        if (usable(mode) && pixels > most) {
            most = pixels;
            best = i;
        }
        FreePool(mode);
    }
    if (best != gop->Mode->Mode)
        gop->SetMode(gop, best);
}

static void read_mask(UINT32 mask, UCHAR *shift, UCHAR *bits)
{
    for (*shift = 0; mask && !(mask & 1); mask >>= 1)
        ++*shift;
    for (*bits = 0; mask & 1; mask >>= 1)
        ++*bits;
}

static EFI_PIXEL_BITMASK masks_of(
    const EFI_GRAPHICS_OUTPUT_MODE_INFORMATION *mode)
{
    switch (mode->PixelFormat) {
    case PixelRedGreenBlueReserved8BitPerColor:
        return (EFI_PIXEL_BITMASK){ 0xFF, 0xFF00, 0xFF0000, 0xFF000000 };
    case PixelBlueGreenRedReserved8BitPerColor:
        return (EFI_PIXEL_BITMASK){ 0xFF0000, 0xFF00, 0xFF, 0xFF000000 };
    default:
        return mode->PixelInformation;
    }
}

/* Bytes up to the highest bit that any mask names. */
static ULONG bits_of(EFI_PIXEL_BITMASK masks)
{
    UINT32 all = masks.RedMask | masks.GreenMask | masks.BlueMask |
                 masks.ReservedMask;
    ULONG bits = 0;

    for (; all; all >>= 1)
        bits++;
    return (bits + 7) & ~7U;
}

void choose_video(LOADER_PARAMETER_BLOCK *block, struct text word)
{
    struct loader_framebuffer *to = &block->framebuffer;
    EFI_GRAPHICS_OUTPUT_MODE_INFORMATION *mode;
    EFI_GRAPHICS_OUTPUT_PROTOCOL *gop;
    EFI_PIXEL_BITMASK masks;

    if (is_word(word, "none") ||
        EFI_ERROR(LibLocateProtocol(&GraphicsOutputProtocol, (void **)&gop)))
        return;
    set_mode(gop, word);
    mode = gop->Mode->Info;
    if (!usable(mode))
        return;
    masks = masks_of(mode);
    to->address = gop->Mode->FrameBufferBase;
    to->width = mode->HorizontalResolution;
    to->height = mode->VerticalResolution;
    to->bits_per_pixel = bits_of(masks);
    to->pitch = mode->PixelsPerScanLine * to->bits_per_pixel / 8;
    read_mask(masks.RedMask, &to->red_shift, &to->red_bits);
    read_mask(masks.GreenMask, &to->green_shift, &to->green_bits);
    read_mask(masks.BlueMask, &to->blue_shift, &to->blue_bits);
}
