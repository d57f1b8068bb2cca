/* The markers of a progressive JPEG: its scans with their codes, and a plain JPEG's header of the same frame. */

#include "jpeg_progressive.h"

/* What a scan needs codes for: first coefficients, others for the first time, others once more. */
enum { DCS, FIRST, REFINE };

typedef struct {
  Progressive *all;
  const uint8_t *at, *end;
  uint8_t ids[COMPONENTS];
  unsigned restart;
  int frames;
  JHUFF_TBL tables[2][NUM_HUFF_TBLS]; /* by class: of the first coefficient, of the others */
  int is_defined[2][NUM_HUFF_TBLS];
  const Codes *made[3][NUM_HUFF_TBLS]; /* by use; NULL until a scan needs it */
  int8_t bits[COMPONENTS][64];         /* below those that are known; -1 for unknown */
} Walk;

static int add(Progressive *all, const uint8_t *bytes, size_t length) {
  if (all->room < all->length + length) {
    size_t room = 2 * (all->length + length) + 1024;
    uint8_t *header = realloc(all->header, room);
    if (!header) return 0;
    all->header = header;
    all->room = room;
  }
  memcpy(all->header + all->length, bytes, length);
  all->length += length;
  return 1;
}

/* A segment as it is, but for its marker. */
static int add_segment(Progressive *all, uint8_t marker, const uint8_t *body, size_t length) {
  uint8_t head[4] = {0xff, marker, (uint8_t)((length + 2) >> 8), (uint8_t)(length + 2)};
  return add(all, head, sizeof head) && add(all, body, length);
}

static int frame(Walk *walk, const uint8_t *body, size_t length) {
  if (walk->frames++ || length < 6 || body[0] != 8 || (body[5] != 1 && body[5] != 3) || length != 6 + 3 * (size_t)body[5]) return 0;
  walk->all->components = body[5];
  for (int i = 0; i < body[5]; i++) {
    walk->ids[i] = body[6 + 3 * i];
    for (int j = 0; j < i; j++)
      if (walk->ids[j] == walk->ids[i]) return 0;
  }
  return add_segment(walk->all, 0xc0, body, length);
}

static int tables(Walk *walk, const uint8_t *body, size_t length) {
  while (length) {
    if (length < 17 || (body[0] & 15) >= NUM_HUFF_TBLS || body[0] >> 4 > 1) return 0;
    int ac = body[0] >> 4, n = body[0] & 15;
    JHUFF_TBL *table = &walk->tables[ac][n];
    memset(table, 0, sizeof *table);
    size_t codes = 0;
    for (int i = 1; i <= LONGEST; i++) codes += table->bits[i] = body[i];
    if (codes > 256 || codes > length - 17) return 0;
    memcpy(table->huffval, body + 17, codes);
    body += 17 + codes;
    length -= 17 + codes;
    walk->is_defined[ac][n] = 1;
    walk->made[ac ? FIRST : DCS][n] = walk->made[ac ? REFINE : DCS][n] = NULL;
  }
  return 1;
}

static unsigned blocks_ending(uint32_t code, uint64_t behind) {
  return (1u << SIZE(code)) + (unsigned)((behind >> 1) >> (63 - SIZE(code)));
}

static void make_first(Codes *codes) {
  for (uint32_t window = 0; window < 1u << LOOK; window++) {
    First first = {0};
    uint64_t bits = (uint64_t)window << (64 - LOOK);
    for (int i = 0; i < 2 && !first.run; i++) {
      uint32_t code = codes->table.look[bits >> (64 - LOOK)];
      uint64_t behind = bits << LENGTH(code);
      if (!code || first.total + TOTAL(code) > LOOK) break;
      if (ON(code) == END) {
        if (blocks_ending(code, behind) > 255) break;
        first.run = (uint8_t)blocks_ending(code, behind);
      } else if (SIZE(code) == 0) {
        break; /* sixteen zeros */
      } else if (i == 0) {
        first.on = (uint8_t)ON(code);
        first.value = first.next = (int16_t)value_of(behind, SIZE(code));
      } else {
        first.then = (uint8_t)ON(code);
        first.next = (int16_t)value_of(behind, SIZE(code));
      }
      first.total = (uint8_t)(first.total + TOTAL(code));
      bits <<= TOTAL(code);
    }
    codes->first[window] = first;
  }
}

static void make_several(Codes *codes) {
  for (uint32_t window = 0; window < 1u << LOOK; window++) {
    Several several = {0};
    uint64_t bits = (uint64_t)window << (64 - LOOK);
    while (!several.run) {
      uint32_t code = codes->table.look[bits >> (64 - LOOK)];
      uint64_t behind = bits << LENGTH(code);
      if (!code || several.total + TOTAL(code) > LOOK) break;
      if (ON(code) == END) {
        several.run = (uint16_t)blocks_ending(code, behind);
      } else {
        if (SIZE(code) != 1 || several.on + ON(code) > 16) break;
        several.on = (uint8_t)(several.on + ON(code));
        uint16_t one = (uint16_t)(1u << (16 - several.on));
        several.fresh |= one;
        if (!(behind >> 63)) several.minus |= one;
      }
      several.total = (uint8_t)(several.total + TOTAL(code));
      bits <<= TOTAL(code);
    }
    codes->several[window] = several;
  }
}

static const Codes *codes_of(Walk *walk, int use, int n) {
  int ac = use != DCS;
  if (n >= NUM_HUFF_TBLS || !walk->is_defined[ac][n]) return NULL;
  if (walk->made[use][n]) return walk->made[use][n];
  Progressive *all = walk->all;
  Codes **codes = &all->codes[all->made];
  if (!*codes) *codes = malloc(sizeof **codes);
  if (!*codes || !kfood_jpeg_table(&(*codes)->table, &walk->tables[ac][n], ac ? END_RUNS : DC)) return NULL;
  if (use == FIRST) make_first(*codes);
  if (use == REFINE) make_several(*codes);
  all->made++;
  return walk->made[use][n] = *codes;
}

/* A scan's header, and its data, behind which the walk goes on. */
static int scan(Walk *walk, const uint8_t *body, size_t length) {
  Progressive *all = walk->all;
  if (!walk->frames || all->count == MOST_PASSES || length < 4) return 0;
  Pass *pass = &all->passes[all->count++];
  memset(pass, 0, sizeof *pass);
  size_t n = body[0];
  if (n < 1 || n > (size_t)all->components || length != 4 + 2 * n) return 0;
  const uint8_t *rest = body + 1 + 2 * n;
  pass->components = (uint8_t)n;
  pass->first = rest[0];
  pass->last = rest[1];
  pass->high = rest[2] >> 4;
  pass->low = rest[2] & 15;
  pass->restart = walk->restart;
  int dc = pass->first == 0;
  if (dc ? pass->last != 0 : pass->first > pass->last || pass->last > 63 || n != 1) return 0;
  if (pass->low > 13 || (pass->high && pass->low + 1 != pass->high)) return 0;
  for (size_t i = 0; i < n; i++) {
    int of = 0;
    while (of < all->components && walk->ids[of] != body[1 + 2 * i]) of++;
    if (of == all->components) return 0;
    for (size_t j = 0; j < i; j++)
      if (pass->of[j] == of) return 0;
    pass->of[i] = (uint8_t)of;
    int8_t *bits = walk->bits[of];
    if (!dc && bits[0] < 0) return 0;
    for (int k = pass->first; k <= pass->last; k++) {
      if (bits[k] != (pass->high ? pass->high : -1)) return 0;
      bits[k] = (int8_t)pass->low;
    }
    int which = body[2 + 2 * i];
    if (dc && pass->high) continue; /* bits without codes */
    pass->codes[i] = codes_of(walk, dc ? DCS : pass->high ? REFINE : FIRST, dc ? which >> 4 : which & 15);
    if (!pass->codes[i]) return 0;
  }
  pass->piece = all->pieces.pieces;
  walk->at = kfood_jpeg_cut(&all->pieces, walk->at, walk->end);
  pass->pieces = all->pieces.pieces;
  return walk->at != NULL;
}

static int is_whole(const Walk *walk) {
  for (int i = 0; i < walk->all->components; i++)
    for (int k = 0; k < 64; k++)
      if (walk->bits[i][k] != 0) return 0;
  return walk->frames == 1;
}

/* What stands between the frame and the data of a plain JPEG: a table of one code for each class, and a scan of all components. */
static int end_header(Walk *walk) {
  static const uint8_t CODES[2][18] = {{0x00, 1}, {0x10, 1}};
  Progressive *all = walk->all;
  uint8_t body[1 + 2 * COMPONENTS + 3] = {(uint8_t)all->components};
  int n = 1;
  for (int i = 0; i < all->components; i++, n += 2) body[n] = walk->ids[i];
  body[n + 1] = 63;
  return add_segment(all, 0xc4, CODES[0], sizeof CODES[0]) && add_segment(all, 0xc4, CODES[1], sizeof CODES[1]) &&
         add_segment(all, 0xda, body, (size_t)n + 3) && add(all, (const uint8_t *)"\xff\xd9", 2);
}

int kfood_progressive_walk(Progressive *all, const uint8_t *bytes, size_t length) {
  Walk walk = {.all = all, .at = bytes + 2, .end = bytes + length};
  all->count = all->made = 0;
  all->length = 0;
  if (length < 4 || bytes[0] != 0xff || bytes[1] != 0xd8 || !add(all, bytes, 2)) return 0;
  memset(walk.bits, -1, sizeof walk.bits);
  for (;;) {
    if (walk.end - walk.at < 4 && !(walk.end - walk.at >= 2 && all->count)) return 0;
    if (walk.at[0] != 0xff) return walk.frames ? -1 : 0;
    uint8_t marker = walk.at[1];
    if (marker == 0xff) { /* may stand before a marker */
      walk.at++;
      continue;
    }
    if (marker == 0xd9) return all->count && is_whole(&walk) ? 1 : -1;
    if (walk.end - walk.at < 4 || marker < 0xc0 || (marker >= 0xd0 && marker <= 0xd8)) return walk.frames ? -1 : 0;
    size_t size = (size_t)walk.at[2] << 8 | walk.at[3];
    if (size < 2 || size > (size_t)(walk.end - walk.at) - 2) return walk.frames ? -1 : 0;
    const uint8_t *body = walk.at + 4;
    walk.at += 2 + size;
    size -= 2;
    int good = 1;
    switch (marker) {
      case 0xc2:
        good = kfood_jpeg_pieces(&all->pieces, length) && frame(&walk, body, size);
        break;
      case 0xc4:
        good = tables(&walk, body, size);
        break;
      case 0xda:
        if (!walk.frames) return 0;
        good = (all->count || end_header(&walk)) && scan(&walk, body, size);
        break;
      case 0xdb: /* what dequantizes, and what says which colours these are, stands before the first scan */
      case 0xe0:
      case 0xee:
        good = !all->count && add_segment(all, marker, body, size);
        break;
      case 0xdd:
        good = size == 2;
        if (good) walk.restart = (unsigned)body[0] << 8 | body[1];
        break;
      default: /* other frames and what belongs to them; but comments and what programs leave */
        if (marker <= 0xcf && marker != 0xc8) return walk.frames ? -1 : 0;
        good = marker == 0xfe || (marker >= 0xe1 && marker <= 0xef);
    }
    if (!good) return walk.frames ? -1 : 0;
  }
}
