/* What the kinds of scans of a progressive JPEG say of a row of blocks.
 *
 * A block's coefficients lie from the last to the first, the order of the scan reversed, and bit i of its `known` stands for the
 * one at i: the bits that correct known coefficients come in one piece, which is spread over them at once, and those still at zero
 * are counted by their bits. Both take one step with BMI2; with AVX-512 so does what they add to a block. */

#include "jpeg_progressive.h"

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
#endif

#define LOAD(pass) uint64_t bits = (pass)->bits; int count = (pass)->count; const uint8_t *next = (pass)->next
#define STORE(pass) ((pass)->bits = bits, (pass)->count = count, (pass)->next = next)

/* `n` MCUs of a scan of first coefficients, from this one on. */
INLINE int decode_dc(Progressive *all, Pass *pass, unsigned row, unsigned mcu, unsigned n) {
  LOAD(pass);
  const int alone = pass->components == 1, low = pass->low;
  for (unsigned last = mcu + n; mcu < last; mcu++) {
    for (int i = 0; i < pass->components; i++) {
      const Strip *strip = &all->strips[pass->of[i]];
      const Table *table = &pass->codes[i]->table;
      const unsigned across = alone ? 1 : strip->across, down = alone ? 1 : strip->down;
      JCOEF *to = strip->dc + (size_t)strip->stride * row + (size_t)mcu * across;
      int dc = pass->last_dc[i];
      for (unsigned y = 0; y < down; y++, to += strip->stride) {
        for (unsigned x = 0; x < across; x++) {
          REFILL();
          uint32_t code = table->look[bits >> (64 - LOOK)];
          if (__builtin_expect(!code, 0) && !(code = long_code(table, bits))) return 0;
          dc += value_of(bits << LENGTH(code), SIZE(code));
          TAKE(TOTAL(code));
          to[x] = (JCOEF)((unsigned)dc << low);
        }
      }
      if (__builtin_expect(dc < -(1 << 20) || dc > 1 << 20, 0)) return 0;
      pass->last_dc[i] = dc;
    }
    if (__builtin_expect(next > pass->end + MOST_BYTES, 0)) return 0;
  }
  STORE(pass);
  return 1;
}

/* The same of a scan that brings them on by one bit. */
INLINE int refine_dc(Progressive *all, Pass *pass, unsigned row, unsigned mcu, unsigned n) {
  LOAD(pass);
  const int alone = pass->components == 1, low = pass->low;
  for (unsigned last = mcu + n; mcu < last; mcu++) {
    REFILL(); /* a MCU has ten blocks at most */
    for (int i = 0; i < pass->components; i++) {
      const Strip *strip = &all->strips[pass->of[i]];
      const unsigned across = alone ? 1 : strip->across, down = alone ? 1 : strip->down;
      JCOEF *to = strip->dc + (size_t)strip->stride * row + (size_t)mcu * across;
      for (unsigned y = 0; y < down; y++, to += strip->stride) {
        for (unsigned x = 0; x < across; x++) {
          to[x] |= (JCOEF)((bits >> 63) << low);
          TAKE(1);
        }
      }
    }
    if (__builtin_expect(next > pass->end + MOST_BYTES, 0)) return 0;
  }
  STORE(pass);
  return 1;
}

/* `n` blocks of a scan that makes other coefficients known. */
INLINE int decode_ac(Pass *pass, JCOEF *block, uint64_t *known, unsigned n) {
  LOAD(pass);
  const Codes *codes = pass->codes[0];
  const unsigned last = pass->last;
  const int low = pass->low;
  unsigned run = pass->run;
  for (unsigned i = 0; i < n; i++) {
    if (run) {
      unsigned over = run < n - i ? run : n - i;
      run -= over;
      i += over - 1;
      continue;
    }
    JCOEF *behind_last = block + (size_t)i * 64 + 64;
    uint64_t found = 0;
    unsigned k = pass->first;
    do {
      REFILL();
      First first = codes->first[bits >> (64 - LOOK)];
      /* Where the block is full, what follows is the next one's. */
      if (__builtin_expect(first.total && k + first.on + first.then <= last, 1)) {
        TAKE(first.total);
        if (first.on) {
          k += first.on;
          behind_last[-(int)k] = (JCOEF)((unsigned)first.value << low);
          found |= BIT(k - 1);
          k += first.then;
          behind_last[-(int)k] = (JCOEF)((unsigned)first.next << low);
          found |= BIT(k - 1);
        }
        run = first.run;
        if (run) {
          run--;
          break;
        }
        continue;
      }
      uint32_t code = codes->table.look[bits >> (64 - LOOK)];
      if (!code && !(code = long_code(&codes->table, bits))) return 0;
      uint64_t behind = bits << LENGTH(code);
      TAKE(TOTAL(code));
      if (ON(code) == END) {
        run = (1u << SIZE(code)) + (unsigned)((behind >> 1) >> (63 - SIZE(code))) - 1;
        break;
      }
      k += ON(code);
      if (k - 1 > last) return 0;
      if (SIZE(code)) {
        behind_last[-(int)k] = (JCOEF)((unsigned)value_of(behind, SIZE(code)) << low);
        found |= BIT(k - 1);
      }
    } while (k <= last);
    known[i] |= found;
    if (__builtin_expect(next > pass->end + MOST_BYTES, 0)) return 0;
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

/* A function for each kind of scan and of processor: together they would have too few registers. */
#define DECODERS(name, has, target)                                                                         \
  target static int dc_##name(Progressive *all, Pass *pass, unsigned row, unsigned at, unsigned n) {        \
    return decode_dc(all, pass, row, at, n);                                                                \
  }                                                                                                         \
  target static int dc_refine_##name(Progressive *all, Pass *pass, unsigned row, unsigned at, unsigned n) { \
    return refine_dc(all, pass, row, at, n);                                                                \
  }                                                                                                         \
  target static int ac_##name(Progressive *all, Pass *pass, unsigned row, unsigned at, unsigned n) {        \
    const Strip *strip = &all->strips[pass->of[0]];                                                         \
    size_t from = (size_t)strip->stride * row + at;                                                         \
    return decode_ac(pass, strip->blocks + from * 64, strip->known + from, n);                              \
  }                                                                                                         \
  target static int ac_refine_##name(Progressive *all, Pass *pass, unsigned row, unsigned at, unsigned n) { \
    const Strip *strip = &all->strips[pass->of[0]];                                                         \
    size_t from = (size_t)strip->stride * row + at;                                                         \
    return refine_ac(pass, strip->blocks + from * 64, strip->known + from, n, has);                         \
  }                                                                                                         \
  static Decode *const name[] = {dc_##name, dc_refine_##name, ac_##name, ac_refine_##name};

DECODERS(plain, PLAIN, )
#if defined(__x86_64__)
DECODERS(with_bits, BITS, TARGET_BITS)
DECODERS(wide, WIDE, TARGET_WIDE)
static Decode *const *const DECODE[] = {plain, with_bits, wide};
#else
static Decode *const *const DECODE[] = {plain};
#endif

Decode *kfood_progressive_decoder(const Progressive *all, const Pass *pass) {
  return DECODE[all->has][(pass->first ? 2 : 0) + (pass->high ? 1 : 0)];
}
