/* The coefficients of a progressive JPEG, a row of MCUs at a time. */

#include "jpeg_progressive.h"

/* Hands a block over in the library's order, and leaves zeros. */
INLINE void hand_over(JCOEF *block, uint64_t known, JCOEF *to) {
  for (; known; known &= known - 1) {
    int at = __builtin_ctzll(known);
    to[NATURAL[63 - at]] = block[at];
    block[at] = 0;
  }
}

#if defined(__x86_64__)
TARGET_WIDE static inline void hand_over_wide(JCOEF *block, JCOEF dc, JCOEF *to, const uint16_t *order) {
  __m512i a = _mm512_load_si512(block), b = _mm512_load_si512(block + 32), zero = _mm512_setzero_si512();
  __m512i first = _mm512_permutex2var_epi16(a, _mm512_loadu_si512(order), b);
  _mm512_storeu_si512(to, _mm512_mask_set1_epi16(first, 1, dc));
  _mm512_storeu_si512(to + 32, _mm512_permutex2var_epi16(a, _mm512_loadu_si512(order + 32), b));
  _mm512_store_si512(block, zero);
  _mm512_store_si512(block + 32, zero);
}
#endif

/* Bits of the piece that were not taken; below zero where more were. */
static ptrdiff_t bits_left(const Pass *pass) { return (pass->end - pass->next) * 8 + pass->count; }

/* False where there is no further piece. */
static int next_piece(const Pieces *pieces, Pass *pass) {
  if (pass->piece == pass->pieces) return 0;
  pass->next = pieces->bytes + (pass->piece ? pieces->ends[pass->piece - 1] : 0);
  pass->end = pieces->bytes + pieces->ends[pass->piece++];
  pass->bits = 0;
  pass->count = 0;
  pass->to_restart = pass->restart;
  pass->run = 0;
  memset(pass->last_dc, 0, sizeof pass->last_dc);
  return 1;
}

/* One row of a scan within the row of MCUs, with the restarts in it. */
static int decode_row(Progressive *all, Pass *pass, unsigned row, unsigned n) {
  Decode *decode = kfood_progressive_decoder(all, pass);
  for (unsigned at = 0; at < n;) {
    unsigned some = n - at;
    if (pass->restart) {
      if (pass->to_restart == 0 && (bits_left(pass) >= 8 || pass->run || !next_piece(&all->pieces, pass))) return 0;
      if (some > pass->to_restart) some = pass->to_restart;
      pass->to_restart -= some;
    }
    if (!decode(all, pass, row, at, some) || bits_left(pass) < 0) return 0;
    at += some;
  }
  return 1;
}

/* A row of MCUs from all scans. */
static int decode_rows(Progressive *all) {
  for (int i = 0; i < all->count; i++) {
    Pass *pass = &all->passes[i];
    if (pass->skip) continue;
    if (pass->components > 1) {
      if (!decode_row(all, pass, 0, all->columns)) return 0;
      continue;
    }
    const Strip *strip = &all->strips[pass->of[0]];
    for (unsigned y = 0; y < strip->down && all->row * strip->down + y < strip->height; y++)
      if (!decode_row(all, pass, y, strip->width)) return 0;
  }
  all->row++;
  return 1;
}

int kfood_progressive_start(Progressive *all, j_decompress_ptr cinfo) {
  size_t blocks = 0;
  all->row = all->column = 0;
  all->rows = cinfo->MCU_rows_in_scan;
  all->columns = cinfo->MCUs_per_row;
  for (int i = 0; i < all->components; i++) {
    const jpeg_component_info *component = &cinfo->comp_info[i];
    Strip *strip = &all->strips[i];
    strip->across = (unsigned)component->MCU_width;
    strip->down = (unsigned)component->MCU_height;
    strip->width = component->width_in_blocks;
    strip->height = component->height_in_blocks;
    strip->stride = strip->across * all->columns;
    strip->scaled = component->DCT_scaled_size;
    blocks += (size_t)strip->stride * strip->down;
  }
  /* A block, its bits and its first coefficient; 64 for alignment. */
  size_t room = blocks * (128 + 8 + 2) + 64;
  if (all->memory_room < room || (all->memory_room > KEPT && room <= KEPT)) {
    free(all->memory);
    all->memory = malloc(room);
    all->memory_room = all->memory ? room : 0;
    if (!all->memory) return 0;
  }
  memset(all->memory, 0, room);
  JCOEF *next = (JCOEF *)(((uintptr_t)all->memory + 63) & ~(uintptr_t)63);
  uint64_t *known = (uint64_t *)(next + blocks * 64);
  JCOEF *dc = (JCOEF *)(known + blocks);
  for (int i = 0; i < all->components; i++) {
    Strip *strip = &all->strips[i];
    size_t n = (size_t)strip->stride * strip->down;
    strip->blocks = next;
    strip->known = known;
    strip->dc = dc;
    next += n * 64;
    known += n;
    dc += n;
  }
  for (int i = 0; i < all->count; i++) {
    Pass *pass = &all->passes[i];
    pass->skip = pass->first && all->strips[pass->of[0]].scaled == 1;
    if (!pass->skip && !next_piece(&all->pieces, pass)) return 0;
  }
  for (int k = 0; k < 64; k++) all->order[NATURAL[k]] = (uint16_t)(63 - k);
  all->has = PLAIN;
#if defined(__x86_64__)
  /* The first two kinds of Zen have BMI2, but take a step for each bit. */
  if (__builtin_cpu_supports("bmi2") && __builtin_cpu_supports("popcnt") && !__builtin_cpu_is("znver1") && !__builtin_cpu_is("znver2")) {
    all->has = BITS;
    if (__builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq")) all->has = WIDE;
  }
#endif
  return 1;
}

/* Hands a MCU over, or nothing of it. */
INLINE void hand_over_all(Progressive *all, JBLOCKROW *blocks, int has) {
  JBLOCK none;
  int n = 0;
  for (int i = 0; i < all->components; i++) {
    const Strip *strip = &all->strips[i];
    size_t at = (size_t)all->column * strip->across;
    for (unsigned y = 0; y < strip->down; y++, at += strip->stride) {
      for (unsigned x = 0; x < strip->across; x++, n++) {
        JCOEF *to = blocks ? *blocks[n] : none, *block = strip->blocks + (at + x) * 64;
        to[0] = strip->dc[at + x];
        if (strip->scaled == 1) continue; /* none of the others is decoded */
#if defined(__x86_64__)
        if (has == WIDE) hand_over_wide(block, strip->dc[at + x], to, all->order);
        else
#endif
          hand_over(block, strip->known[at + x], to);
        strip->known[at + x] = 0;
      }
    }
  }
}

#if defined(__x86_64__)
TARGET_WIDE static void hand_over_all_wide(Progressive *all, JBLOCKROW *blocks) { hand_over_all(all, blocks, WIDE); }
#endif

int kfood_progressive_mcu(Progressive *all, JBLOCKROW *blocks) {
  if (all->column == 0 && (all->row == all->rows || !decode_rows(all))) return 0;
#if defined(__x86_64__)
  if (all->has == WIDE) hand_over_all_wide(all, blocks);
  else
#endif
    hand_over_all(all, blocks, PLAIN);
  if (++all->column == all->columns) all->column = 0;
  return 1;
}

int kfood_progressive_finish(Progressive *all) {
  if (all->column) return 0;
  while (all->row < all->rows) {
    /* What is known of a row is none of the next one's. */
    for (int i = 0; i < all->components; i++) {
      Strip *strip = &all->strips[i];
      size_t n = (size_t)strip->stride * strip->down;
      memset(strip->blocks, 0, n * 128);
      memset(strip->known, 0, n * 8);
    }
    if (!decode_rows(all)) return 0;
  }
  for (int i = 0; i < all->count; i++) {
    const Pass *pass = &all->passes[i];
    if (!pass->skip && (bits_left(pass) >= 8 || pass->run || pass->piece != pass->pieces)) return 0;
  }
  return 1;
}

void kfood_progressive_free(Progressive *all) {
  free(all->pieces.bytes);
  free(all->pieces.ends);
  free(all->header);
  free(all->memory);
  for (size_t i = 0; i < sizeof all->codes / sizeof *all->codes; i++) free(all->codes[i]);
}
