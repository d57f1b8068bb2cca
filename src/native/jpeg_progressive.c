/* The coefficients of a progressive JPEG, a row of MCUs at a time.
 *
 * A block's coefficients lie from the last to the first, the order of the scan reversed, and bit i of its `known` stands for the
 * one at i: the bits that correct known coefficients come in one piece, which is spread over them at once, and those still at zero
 * are counted by their bits. Both take one step with BMI2; with AVX-512 so does what they add to a block. */

#include "jpeg_progressive.h"

#if defined(__x86_64__)
#include <immintrin.h>
#define TARGET_BITS __attribute__((target("bmi,bmi2,popcnt,lzcnt")))
#define TARGET_WIDE __attribute__((target("bmi,bmi2,popcnt,lzcnt,avx512f,avx512bw,avx512dq,avx512vl")))
#endif
#define INLINE static inline __attribute__((always_inline))

enum { PLAIN, BITS, WIDE }; /* what the processor has */

/* Bytes that one block can take: 63 codes of 16 bits with values of 15. */
enum { MOST_BYTES = 512 };

#define BIT(k) (UINT64_C(1) << (63 - (k)))

INLINE int ones(uint64_t bits) { return __builtin_popcountll(bits); }

/* The low bits of `from` in the places of the ones of `to`, the lowest first. */
INLINE uint64_t spread(uint64_t from, uint64_t to, int has) {
#if defined(__x86_64__)
  uint64_t spread;
  if (has != PLAIN) {
    __asm__("pdep %2, %1, %0" : "=r"(spread) : "r"(from), "r"(to));
    return spread;
  }
#endif
  uint64_t result = 0;
  for (; to && from; to &= to - 1, from >>= 1)
    if (from & 1) result |= to & -to;
  return result;
}

/* Brings the coefficients of `set` on by one bit, away from zero, and those of `fresh` to it. */
INLINE void refine(JCOEF *block, uint64_t set, uint64_t fresh, uint64_t minus, int low) {
  for (; set; set &= set - 1) {
    JCOEF *at = block + __builtin_ctzll(set);
    *at = (JCOEF)(*at + (*at < 0 ? -(1 << low) : 1 << low));
  }
  for (; fresh; fresh &= fresh - 1) {
    uint64_t one = fresh & -fresh;
    block[__builtin_ctzll(fresh)] = (JCOEF)(minus & one ? -(1 << low) : 1 << low);
  }
}

/* Hands a block over in the library's order, and leaves zeros. */
INLINE void hand_over(JCOEF *block, uint64_t known, JCOEF *to) {
  to[0] = block[63];
  block[63] = 0;
  for (; known; known &= known - 1) {
    int at = __builtin_ctzll(known);
    to[NATURAL[63 - at]] = block[at];
    block[at] = 0;
  }
}

#if defined(__x86_64__)
TARGET_WIDE static inline void refine_wide(JCOEF *block, uint64_t set, uint64_t fresh, uint64_t minus, int low) {
  __m512i a = _mm512_load_si512(block), b = _mm512_load_si512(block + 32), one = _mm512_set1_epi16((short)(1 << low));
  uint64_t below = (uint64_t)_mm512_movepi16_mask(b) << 32 | _mm512_movepi16_mask(a);
  uint64_t down = (set & below) | (fresh & minus), up = (set | fresh) & ~down;
  a = _mm512_mask_add_epi16(a, (__mmask32)up, a, one);
  b = _mm512_mask_add_epi16(b, (__mmask32)(up >> 32), b, one);
  _mm512_store_si512(block, _mm512_mask_sub_epi16(a, (__mmask32)down, a, one));
  _mm512_store_si512(block + 32, _mm512_mask_sub_epi16(b, (__mmask32)(down >> 32), b, one));
}

TARGET_WIDE static inline void hand_over_wide(JCOEF *block, JCOEF *to, const uint16_t *order) {
  __m512i a = _mm512_load_si512(block), b = _mm512_load_si512(block + 32), zero = _mm512_setzero_si512();
  _mm512_storeu_si512(to, _mm512_permutex2var_epi16(a, _mm512_loadu_si512(order), b));
  _mm512_storeu_si512(to + 32, _mm512_permutex2var_epi16(a, _mm512_loadu_si512(order + 32), b));
  _mm512_store_si512(block, zero);
  _mm512_store_si512(block + 32, zero);
}
#endif

#define LOAD(pass) uint64_t bits = (pass)->bits; int count = (pass)->count; const uint8_t *next = (pass)->next
#define STORE(pass) ((pass)->bits = bits, (pass)->count = count, (pass)->next = next)

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

/* `n` MCUs of a scan of first coefficients, from this one on. */
static int decode_dc(Progressive *all, Pass *pass, unsigned row, unsigned mcu, unsigned n) {
  LOAD(pass);
  int alone = pass->components == 1;
  for (unsigned last = mcu + n; mcu < last; mcu++) {
    for (int i = 0; i < pass->components; i++) {
      Strip *strip = &all->strips[pass->of[i]];
      unsigned across = alone ? 1 : strip->across, down = alone ? 1 : strip->down;
      JCOEF *block = strip->blocks + ((size_t)strip->stride * row + (size_t)mcu * across) * 64 + 63;
      for (unsigned y = 0; y < down; y++, block += (size_t)strip->stride * 64) {
        for (unsigned x = 0; x < across; x++) {
          REFILL();
          if (pass->high) {
            block[x * 64] |= (JCOEF)((bits >> 63) << pass->low);
            TAKE(1);
            continue;
          }
          const Table *table = &pass->codes[i]->table;
          uint32_t code = table->look[bits >> (64 - LOOK)];
          if (__builtin_expect(!code, 0) && !(code = long_code(table, bits))) return 0;
          int dc = pass->last_dc[i] + value_of(bits << LENGTH(code), SIZE(code));
          if (dc < -(1 << 20) || dc > 1 << 20) return 0;
          pass->last_dc[i] = dc;
          block[x * 64] = (JCOEF)((unsigned)dc << pass->low);
          TAKE(TOTAL(code));
        }
      }
    }
    if (next > pass->end + MOST_BYTES) return 0;
  }
  STORE(pass);
  return 1;
}

/* `n` blocks of a scan that makes other coefficients known. */
INLINE int decode_ac(Pass *pass, JCOEF *block, uint64_t *known, unsigned n) {
  LOAD(pass);
  const Codes *codes = pass->codes[0];
  unsigned run = pass->run;
  for (unsigned i = 0; i < n; i++) {
    if (run) {
      unsigned over = run < n - i ? run : n - i;
      run -= over;
      i += over - 1;
      continue;
    }
    JCOEF *last = block + (size_t)i * 64 + 64;
    uint64_t found = 0;
    unsigned k = pass->first;
    do {
      REFILL();
      uint32_t value = codes->values[bits >> (64 - LOOK)];
      if (__builtin_expect(!value, 0)) {
        uint32_t code = codes->table.look[bits >> (64 - LOOK)];
        if (!code && !(code = long_code(&codes->table, bits))) return 0;
        uint64_t behind = bits << LENGTH(code);
        TAKE(LENGTH(code) + SIZE(code));
        if (ON(code) == END) {
          run = (1u << SIZE(code)) + (unsigned)((behind >> 1) >> (63 - SIZE(code))) - 1;
          break;
        }
        k += ON(code);
        if (SIZE(code)) {
          if (k - 1 > pass->last) return 0;
          last[-(int)k] = (JCOEF)((unsigned)value_of(behind, SIZE(code)) << pass->low);
          found |= BIT(k - 1);
        }
        continue;
      }
      TAKE(value & 0xff);
      if ((value >> 8 & 0xff) == END) {
        run = (value >> 16) - 1;
        break;
      }
      k += value >> 8 & 0xff;
      if (__builtin_expect(k - 1 > pass->last, 0)) return 0;
      last[-(int)k] = (JCOEF)(value >> 16 << pass->low);
      found |= BIT(k - 1);
    } while (k <= pass->last);
    known[i] |= found;
    if (__builtin_expect(k > pass->last + 1u || next > pass->end + MOST_BYTES, 0)) return 0;
  }
  pass->run = run;
  STORE(pass);
  return 1;
}

/* Takes the top `n` bits, 0 to 56, and spreads them over the places of `of`. */
#define SPREAD(of, n) (set |= spread(bits >> (-(n) & 63), (of), has), TAKE(n))

/* Bits for the known coefficients of `of`, at most 38 without looking for more. */
#define CORRECT(of)                                      \
  do {                                                   \
    uint64_t some = (of);                                \
    int needed = ones(some);                             \
    if (__builtin_expect(needed > 38, 0)) {              \
      uint64_t upper = some & ~(uint64_t)UINT32_MAX;     \
      REFILL();                                          \
      SPREAD(upper, ones(upper));                        \
      some &= UINT32_MAX;                                \
      needed = ones(some);                               \
      REFILL();                                          \
    }                                                    \
    SPREAD(some, needed);                                \
  } while (0)

/* `n` blocks of a scan that brings coefficients on by one bit. */
INLINE int refine_ac(Pass *pass, JCOEF *block, uint64_t *known, unsigned n, int has) {
  LOAD(pass);
  const Codes *codes = pass->codes[0];
  const uint64_t band = (~UINT64_C(0) >> pass->first) & (~UINT64_C(0) << (63 - pass->last));
  const int beyond = 1 + pass->last; /* bits above the last coefficient's, with one spare */
  const int low = pass->low;
  const uint8_t *const end = pass->end + MOST_BYTES;
  unsigned run = pass->run;
  for (unsigned i = 0; i < n; i++, block += 64) {
    uint64_t old = known[i] & band, set = 0, fresh = 0, minus = 0;
    if (run == 0) {
      /* Those at zero are counted from the last one on, so that those behind need not be taken away. */
      const uint64_t zeros = ~known[i] & band;
      int left = ones(zeros);
      for (;;) {
        REFILL();
        if (!old) {
          Several several = codes->several[bits >> (64 - LOOK)];
          /* Where the block is full, what follows is the next one's. */
          if (__builtin_expect(several.total && several.on < left, 1)) {
            int shift = beyond - left;
            left -= several.on;
            fresh |= (uint64_t)several.fresh << 48 >> shift;
            minus |= (uint64_t)several.minus << 48 >> shift;
            TAKE(several.total);
            run = several.run;
            if (run) break;
            continue;
          }
        }
        uint32_t code = codes->table.look[bits >> (64 - LOOK)];
        if (__builtin_expect(!code, 0) && !(code = long_code(&codes->table, bits))) return 0;
        uint64_t behind = bits << LENGTH(code);
        TAKE(TOTAL(code));
        if (ON(code) == END) {
          run = (1u << SIZE(code)) + (unsigned)((behind >> 1) >> (63 - SIZE(code)));
          break;
        }
        left -= (int)ON(code);
        if (__builtin_expect(left < 0 || SIZE(code) > 1, 0)) return 0;
        uint64_t one = spread(UINT64_C(1) << left, zeros, has), rest = one - 1, of = old & ~rest;
        old &= rest;
        one &= -(uint64_t)SIZE(code);
        fresh |= one;
        minus |= one & ~(uint64_t)((int64_t)behind >> 63);
        CORRECT(of);
        if (!(rest & band)) break;
      }
    }
    if (run) {
      run--;
      if (old) {
        REFILL();
        CORRECT(old);
      }
    }
    if (__builtin_expect(next > end, 0)) return 0;
    known[i] |= fresh;
#if defined(__x86_64__)
    if (has == WIDE) {
      if (set | fresh) refine_wide(block, set, fresh, minus, low);
      continue;
    }
#endif
    refine(block, set, fresh, minus, low);
  }
  pass->run = run;
  STORE(pass);
  return 1;
}

static int decode_ac_plain(Pass *pass, JCOEF *block, uint64_t *known, unsigned n) { return decode_ac(pass, block, known, n); }
static int refine_ac_plain(Pass *pass, JCOEF *block, uint64_t *known, unsigned n) { return refine_ac(pass, block, known, n, PLAIN); }
#if defined(__x86_64__)
TARGET_BITS static int decode_ac_bits(Pass *pass, JCOEF *block, uint64_t *known, unsigned n) { return decode_ac(pass, block, known, n); }
TARGET_BITS static int refine_ac_bits(Pass *pass, JCOEF *block, uint64_t *known, unsigned n) {
  return refine_ac(pass, block, known, n, BITS);
}
TARGET_WIDE static int refine_ac_wide(Pass *pass, JCOEF *block, uint64_t *known, unsigned n) {
  return refine_ac(pass, block, known, n, WIDE);
}
#endif

static int decode_some(Progressive *all, Pass *pass, unsigned row, unsigned at, unsigned n) {
  if (pass->first == 0) return decode_dc(all, pass, row, at, n);
  Strip *strip = &all->strips[pass->of[0]];
  size_t from = (size_t)strip->stride * row + at;
  JCOEF *block = strip->blocks + from * 64;
  uint64_t *known = strip->known + from;
#if defined(__x86_64__)
  if (all->wide == WIDE && pass->high) return refine_ac_wide(pass, block, known, n);
  if (all->wide != PLAIN) return pass->high ? refine_ac_bits(pass, block, known, n) : decode_ac_bits(pass, block, known, n);
#endif
  return pass->high ? refine_ac_plain(pass, block, known, n) : decode_ac_plain(pass, block, known, n);
}

/* One row of a scan within the row of MCUs, with the restarts in it. */
static int decode_row(Progressive *all, Pass *pass, unsigned row, unsigned n) {
  for (unsigned at = 0; at < n;) {
    unsigned some = n - at;
    if (pass->restart) {
      if (pass->to_restart == 0 && (bits_left(pass) >= 8 || pass->run || !next_piece(&all->pieces, pass))) return 0;
      if (some > pass->to_restart) some = pass->to_restart;
      pass->to_restart -= some;
    }
    if (!decode_some(all, pass, row, at, some) || bits_left(pass) < 0) return 0;
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
  /* A block and its bits; 64 for alignment. */
  size_t room = blocks * (128 + 8) + 64;
  if (all->memory_room < room || (all->memory_room > KEPT && room <= KEPT)) {
    free(all->memory);
    all->memory = malloc(room);
    all->memory_room = all->memory ? room : 0;
    if (!all->memory) return 0;
  }
  memset(all->memory, 0, room);
  JCOEF *next = (JCOEF *)(((uintptr_t)all->memory + 63) & ~(uintptr_t)63);
  uint64_t *known = (uint64_t *)(next + blocks * 64);
  for (int i = 0; i < all->components; i++) {
    Strip *strip = &all->strips[i];
    size_t n = (size_t)strip->stride * strip->down;
    strip->blocks = next;
    strip->known = known;
    next += n * 64;
    known += n;
  }
  for (int i = 0; i < all->count; i++) {
    Pass *pass = &all->passes[i];
    pass->skip = pass->first && all->strips[pass->of[0]].scaled == 1;
    if (!pass->skip && !next_piece(&all->pieces, pass)) return 0;
  }
  for (int k = 0; k < 64; k++) all->order[NATURAL[k]] = (uint16_t)(63 - k);
  all->wide = PLAIN;
#if defined(__x86_64__)
  /* The first two kinds of Zen have BMI2, but take a step for each bit. */
  if (__builtin_cpu_supports("bmi2") && __builtin_cpu_supports("popcnt") && !__builtin_cpu_is("znver1") && !__builtin_cpu_is("znver2")) {
    all->wide = BITS;
    if (__builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq")) all->wide = WIDE;
  }
#endif
  return 1;
}

#if defined(__x86_64__)
TARGET_WIDE static void hand_over_all_wide(Progressive *all, JBLOCKROW *blocks) {
  int n = 0;
  for (int i = 0; i < all->components; i++) {
    Strip *strip = &all->strips[i];
    size_t at = (size_t)all->column * strip->across;
    for (unsigned y = 0; y < strip->down; y++, at += strip->stride)
      for (unsigned x = 0; x < strip->across; x++, n++) {
        JCOEF *block = strip->blocks + (at + x) * 64;
        strip->known[at + x] = 0;
        if (strip->scaled == 1) {
          (*blocks[n])[0] = block[63];
          block[63] = 0;
        } else {
          hand_over_wide(block, *blocks[n], all->order);
        }
      }
  }
}
#endif

int kfood_progressive_mcu(Progressive *all, JBLOCKROW *blocks) {
  if (all->column == 0 && (all->row == all->rows || !decode_rows(all))) return 0;
  JBLOCK none;
  int n = 0;
#if defined(__x86_64__)
  if (all->wide == WIDE && blocks) {
    hand_over_all_wide(all, blocks);
  } else
#endif
    for (int i = 0; i < all->components; i++) {
      Strip *strip = &all->strips[i];
      size_t at = (size_t)all->column * strip->across;
      for (unsigned y = 0; y < strip->down; y++, at += strip->stride)
        for (unsigned x = 0; x < strip->across; x++, n++) {
          hand_over(strip->blocks + (at + x) * 64, strip->known[at + x], blocks ? *blocks[n] : none);
          strip->known[at + x] = 0;
        }
    }
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
