/* Progressive JPEGs: all scans side by side, a row of MCUs at a time, so that no picture's coefficients are ever held.
 *
 * `kfood_progressive_walk` finds the scans and writes the header of a plain JPEG of the same frame. libjpeg-turbo begins with that
 * header and asks for MCUs; each row of them is decoded from all scans when its first one is asked for. Whatever is not whole, or
 * would make the library warn, is refused. */

#ifndef KFOOD_JPEG_PROGRESSIVE_H
#define KFOOD_JPEG_PROGRESSIVE_H

#include "jpeg_bits.h"

#if defined(__x86_64__)
#include <immintrin.h>
#define TARGET_BITS __attribute__((target("bmi,bmi2,popcnt,lzcnt")))
#define TARGET_WIDE __attribute__((target("bmi,bmi2,popcnt,lzcnt,avx512f,avx512bw,avx512dq,avx512vl")))
#endif
#define INLINE static inline __attribute__((always_inline))

enum { PLAIN, BITS, WIDE }; /* what the processor has */

enum {
  MOST_PASSES = 100, /* encoders write about ten */
  COMPONENTS = 3,
};

/* Whole codes of a refining scan with their bits, as many as LOOK bits and 16 coefficients hold: bits, coefficients to go on by, those
 * of them that become known and those of these below zero, the first at the top; and how many blocks end, 0 for none. */
typedef struct {
  uint16_t fresh, minus, run;
  uint8_t total, on;
} Several;

/* The same of a scan of first values: one or two of them, their coefficients being gone on to from the last one, or none. */
typedef struct {
  int16_t value, next;
  uint8_t total, on, then, run;
} First;

/* Codes of a scan, and for LOOK bits what they stand for. */
typedef struct {
  Table table;
  union {
    First first[1 << LOOK];
    Several several[1 << LOOK];
  };
} Codes;

/* One scan, and how far it is decoded. */
typedef struct {
  uint8_t components, of[COMPONENTS];
  uint8_t first, last; /* coefficients */
  uint8_t high, low;   /* bits below those that are known, before and after */
  uint8_t skip;        /* none of its coefficients is used */
  const Codes *codes[COMPONENTS];
  unsigned restart; /* MCUs */
  size_t piece, pieces;
  uint64_t bits;
  int count;
  const uint8_t *next, *end;
  unsigned to_restart;
  unsigned run; /* blocks that end before they begin */
  int last_dc[COMPONENTS];
} Pass;

/* The part of a component that a row of MCUs has. */
typedef struct {
  unsigned across, down;  /* blocks of a MCU */
  unsigned width, height; /* blocks of the picture */
  unsigned stride;        /* blocks in a row, with those that fill the last MCU */
  int scaled;             /* side of a block in the decoded picture */
  JCOEF *dc;              /* first coefficients */
  JCOEF *blocks;          /* 64 each, with the others; see `jpeg_progressive.c` */
  uint64_t *known;        /* of each block, the coefficients other than 0 */
} Strip;

typedef struct {
  Pieces pieces;
  Pass passes[MOST_PASSES];
  int count;
  int components;
  /* The header, and room for it. */
  uint8_t *header;
  size_t length, room;
  /* Made tables, used again. */
  Codes *codes[3 * MOST_PASSES];
  int made;
  /* The row of MCUs. */
  Strip strips[COMPONENTS];
  uint8_t *memory;
  size_t memory_room;
  unsigned row, rows, column, columns;
  int has; /* what the processor can do, see `jpeg_progressive.c` */
  uint16_t order[64];
} Progressive;

/* Decodes `n` MCUs of a scan from `at` on, in a row of the strip. False where they are none. */
typedef int Decode(Progressive *all, Pass *pass, unsigned row, unsigned at, unsigned n);
Decode *kfood_progressive_decoder(const Progressive *all, const Pass *pass);

/* 1 where the bytes are a whole progressive JPEG of one or three components; 0 where they are none; -1 where it must be refused. */
int kfood_progressive_walk(Progressive *all, const uint8_t *bytes, size_t length);

/* Puts its function in the place of the library's, which has started with the header. False where memory is short. */
int kfood_progressive_start(Progressive *all, j_decompress_ptr cinfo);

/* The next MCU, or none of it. False where it must be refused. */
int kfood_progressive_mcu(Progressive *all, JBLOCKROW *blocks);

/* Decodes what is left. Whether all scans were whole. */
int kfood_progressive_finish(Progressive *all);

void kfood_progressive_free(Progressive *all);

#endif
