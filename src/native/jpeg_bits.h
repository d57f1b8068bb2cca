/* What the decoders of plain and of progressive JPEGs share: Huffman codes, a scan's bits without stuffed bytes, and the part of
 * libjpeg-turbo that they take the place of. */

#ifndef KFOOD_JPEG_BITS_H
#define KFOOD_JPEG_BITS_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jpeglib.h>

/* What is relied on here is private to libjpeg-turbo: the beginning of its entropy decoder, which jpegint.h declares and no installation
 * carries, so that no compiler can hold the two against each other. This was written for 3.1. With another one: look whether
 * `struct jpeg_entropy_decoder` in its src/jpegint.h still begins with these two functions, whether jdmaster.c still makes the decoder
 * before jpeg_start_decompress returns, and whether jdcoefct.c calls `decode_mcu` for every MCU; then move the bounds. */
#if LIBJPEG_TURBO_VERSION_NUMBER < 3001000 || LIBJPEG_TURBO_VERSION_NUMBER >= 3002000
#error "jpeg_bits.h replaces a private function of libjpeg-turbo 3.1, and this is another version: see the comment above"
#endif
_Static_assert(JPEG_LIB_VERSION == 62, "libjpeg 6b's interface: 7 and 8 scale components in other steps");
_Static_assert(BITS_IN_JSAMPLE == 8 && sizeof(JSAMPLE) == 1, "samples of a byte");
_Static_assert(sizeof(JCOEF) == 2 && sizeof(JBLOCK) == DCTSIZE2 * sizeof(JCOEF), "blocks of 64 coefficients of 16 bits");
_Static_assert(D_MAX_BLOCKS_IN_MCU == 10, "SPARE holds an MCU of ten blocks");

/* The beginning of an entropy decoder as jpegint.h has it. */
struct jpeg_entropy_decoder {
  void (*start_pass)(j_decompress_ptr cinfo);
  boolean (*decode_mcu)(j_decompress_ptr cinfo, JBLOCKROW *blocks);
};
_Static_assert(offsetof(struct jpeg_entropy_decoder, decode_mcu) == sizeof(void (*)(void)), "the second of two functions");

enum {
  LOOK = 11,       /* bits looked up at once */
  LONGEST = 16,    /* bits of the longest code */
  END = 64,        /* how far the end of a block goes on */
  KEPT = 64 << 20, /* bytes of one buffer that are kept from one image to the next */
  SPARE = 4096,    /* zeros behind the data: more than one MCU of ten blocks can take, 10 x 64 x 31 bits */
};

/* A code: bits of code and value, bits of the code, bits of the value, coefficients to go on by. 0 is no code. */
#define CODE(length, size, on) ((uint32_t)((length) + (size)) | (uint32_t)(length) << 8 | (uint32_t)(size) << 16 | (uint32_t)(on) << 24)
#define TOTAL(code) ((code) & 63)
#define LENGTH(code) ((code) >> 8 & 63)
#define SIZE(code) ((code) >> 16 & 0xff)
#define ON(code) ((code) >> 24)

typedef struct {
  uint32_t look[1 << LOOK];
  /* Codes longer than LOOK bits: the first of each length behind those of this one, left-justified in 16 bits; and what to add to
   * a code for its place in `codes`. */
  uint32_t limit[LONGEST + 1];
  int32_t offset[LONGEST + 1];
  uint32_t codes[256];
} Table;

/* A scan without stuffed bytes: pieces between restart markers, one behind the other; of a progressive JPEG all of its scans. */
typedef struct {
  uint8_t *bytes;
  size_t room, used;
  size_t *ends;
  size_t pieces, rooms;
} Pieces;

/* Coefficients in the order of the scan. A run may lead up to 16 beyond the last; the end of a block leads END on, with a value of 0,
 * which is there already. */
static const uint8_t NATURAL[2 * 64] = {
  0, 1, 8, 16, 9, 2, 3, 10, 17, 24, 32, 25, 18, 11, 4, 5,
  12, 19, 26, 33, 40, 48, 41, 34, 27, 20, 13, 6, 7, 14, 21, 28,
  35, 42, 49, 56, 57, 50, 43, 36, 29, 22, 15, 23, 30, 37, 44, 51,
  58, 59, 52, 45, 38, 31, 39, 46, 53, 60, 61, 54, 47, 55, 62, 63,
  63, 63, 63, 63, 63, 63, 63, 63, 63, 63, 63, 63, 63, 63, 63, 63,
  63, 63, 63, 63, 63, 63, 63, 63, 63, 63, 63, 63, 63, 63, 63, 63,
  63, 63, 63, 63, 63, 63, 63, 63, 63, 63, 63, 63, 63, 63, 63, 63,
  63, 63, 63, 63, 63, 63, 63, 63, 63, 63, 63, 63, 63, 63, 63, 63,
};

/* The value whose bits are the top `size` of `bits`: with a leading 0 it is below zero (ITU T.81, F.2.2.1). */
static inline int value_of(uint64_t bits, int size) {
  int64_t below = ~((int64_t)bits >> 63);
  int64_t magnitude = (int64_t)(((bits ^ (uint64_t)below) >> 1) >> (63 - size));
  return (int)((magnitude ^ below) - below);
}

/* A code of more than LOOK bits; 0 for none. */
static inline uint32_t long_code(const Table *table, uint64_t bits) {
  uint32_t top = (uint32_t)(bits >> (64 - LONGEST));
  for (int length = LOOK + 1; length <= LONGEST; length++)
    if (top < table->limit[length]) return table->codes[(table->offset[length] + (int32_t)(top >> (LONGEST - length))) & 255];
  return 0;
}

static inline uint64_t eight(const uint8_t *at) {
  uint64_t value;
  memcpy(&value, at, 8);
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
  value = __builtin_bswap64(value);
#endif
  return value;
}

/* At least 56 bits: a code of 16 with a value of 15 takes 31. Those below `count` are the right ones too, so that writing them again
 * changes nothing. Without asking whether bits are short: that cannot be foreseen, and waiting for the answer takes longer. */
#define REFILL()                  \
  do {                            \
    bits |= eight(next) >> count; \
    next += (63 - count) >> 3;    \
    count |= 56;                  \
  } while (0)

#define TAKE(n) (bits <<= (n), count -= (int)(n))

/* What a table's codes stand for. Where the end of a block may hold for several (END_RUNS), its value has the bits of their number. */
typedef enum { DC, AC, END_RUNS } Kind;

/* Makes a table of codes. False where it is none. */
int kfood_jpeg_table(Table *table, const JHUFF_TBL *from, Kind kind);

/* Empties the pieces and makes room for those of `length` bytes. False where memory is short. */
int kfood_jpeg_pieces(Pieces *pieces, size_t length);

/* Takes the stuffed bytes out of a scan and adds its pieces. The marker that it ends in; NULL where there is none, restart markers are
 * out of order, or memory is short. Behind the last piece `SPARE` bytes may be read. */
const uint8_t *kfood_jpeg_cut(Pieces *pieces, const uint8_t *from, const uint8_t *end);

#endif
