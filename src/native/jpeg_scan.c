/* Baseline JPEGs, and progressive ones (`jpeg_progressive.c`), through libjpeg-turbo with a faster decoder of their Huffman codes.
 *
 * libjpeg-turbo does everything but that: headers, inverse transform, upsampling, colour (or neither of the last two, where planes
 * are asked for). Between jpeg_start_decompress and the
 * first row its function for one MCU is replaced. The bits come from a copy of the scan without stuffed bytes, so that eight
 * bytes are taken at a time without looking for markers; a table of 10 bits gives up to two codes with their values at once. Tables are
 * kept from one image to the next, as most have the same codes.
 *
 * Fast or not at all: whatever is not plain and whole (scans in an odd order, a warning, a code that is none, data that end
 * early or late) is refused, and the caller asks libjpeg-turbo alone, whose answer counts. Coefficients are the same to the bit. */

#include <setjmp.h>

#include "jpeg_flat.h"
#include "jpeg_progressive.h"

enum {
  PAIR = 10, /* bits looked up at once for two codes with their values */
  SKIP = 13, /* the same where values are passed over */
};

/* As many whole codes with their values as SKIP bits hold: their bits, 1 more for an end of the block, and the coefficients to go on
 * by; 0 is none. */
#define SEVERAL(total, end, on) ((uint16_t)((total) | (end) << 4 | (on) << 8))
typedef uint16_t Skips[1 << SKIP];

/* One or two whole codes with their values, where PAIR bits hold them: their bits, those of the first, coefficients to go on by to the
 * place of either value, and both values; for one code, the second is the first once more. 0 is none. */
#define TWO(total, first, on, then, value, next)                                                                     \
  ((uint64_t)(total) | (uint64_t)(first) << 8 | (uint64_t)(on) << 16 | (uint64_t)(then) << 24 |                       \
   (uint64_t)(uint16_t)(value) << 32 | (uint64_t)(uint16_t)(next) << 48)
typedef uint64_t Pairs[1 << PAIR];

/* One component at its own size, rows of `stride` samples. A sample stands for `across` x `down` of the largest component's; where
 * `smooth`, the library would not repeat it but go over to its neighbours in between, by quarters. */
typedef struct {
  const uint8_t *rows;
  size_t stride;
  uint32_t width, height, across, down, smooth;
} Plane;

typedef struct {
  struct jpeg_error_mgr errors;
  jmp_buf refused;
  Pieces pieces;
  uint8_t *planes;
  size_t planes_room;
  size_t piece;
  /* The bits to come: the top `count` of `bits`, then from `next` on. */
  uint64_t bits;
  int count;
  const uint8_t *next;
  const uint8_t *end;
  unsigned to_restart;
  uint64_t left; /* MCUs */
  int last_dc[MAX_COMPS_IN_SCAN];
  Table tables[2][NUM_HUFF_TBLS];
  JHUFF_TBL made_of[2][NUM_HUFF_TBLS]; /* the codes of those tables that are `made` */
  int made[2][NUM_HUFF_TBLS], made_skips[NUM_HUFF_TBLS];
  Pairs pairs[NUM_HUFF_TBLS];
  Skips skips[NUM_HUFF_TBLS];
  const uint64_t *pair[D_MAX_BLOCKS_IN_MCU];
  const uint16_t *skip[D_MAX_BLOCKS_IN_MCU]; /* NULL where coefficients are needed */
  const Table *dc[D_MAX_BLOCKS_IN_MCU], *ac[D_MAX_BLOCKS_IN_MCU];
  Flat flat;
  int is_progressive;
  Progressive progressive;
} Scan;

static void refuse(j_common_ptr cinfo) { longjmp(((Scan *)cinfo->err)->refused, 1); }

static void on_message(j_common_ptr cinfo, int level) {
  if (level < 0) refuse(cinfo); /* a warning */
}

static void on_output(j_common_ptr cinfo) { (void)cinfo; }

static void make_pairs(uint64_t *pairs, const Table *table) {
  for (uint64_t window = 0; window < 1u << PAIR; window++) {
    uint64_t bits = window << (64 - PAIR);
    uint32_t code = table->look[bits >> (64 - LOOK)], then = 0;
    int value = value_of(bits << LENGTH(code), SIZE(code)), next = value;
    if (!code || TOTAL(code) > PAIR) {
      pairs[window] = 0;
      continue;
    }
    /* Bits behind the window count as zeros: a code that needs them is not taken. */
    if (ON(code) != END) {
      bits <<= TOTAL(code);
      then = table->look[bits >> (64 - LOOK)];
      if (TOTAL(code) + TOTAL(then) > PAIR) then = 0;
      if (then) next = value_of(bits << LENGTH(then), SIZE(then));
    }
    pairs[window] = TWO(TOTAL(code) + TOTAL(then), TOTAL(code), ON(code), ON(then), value, next);
  }
}

static void make_skips(uint16_t *skips, const Table *table) {
  for (uint32_t window = 0; window < 1u << SKIP; window++) {
    unsigned total = 0, on = 0, end = 0;
    while (!end) {
      /* Bits behind the window count as zeros: a code that needs them is not taken. */
      uint32_t code = table->look[(window << total & ((1u << SKIP) - 1)) >> (SKIP - LOOK)];
      if (!code || total + TOTAL(code) > SKIP || on + ON(code) > 2 * END - 1) break;
      total += TOTAL(code);
      end = ON(code) == END;
      on += end ? 1 : ON(code);
    }
    skips[window] = SEVERAL(total, end, on);
  }
}

/* False where a code is none. */
static inline __attribute__((always_inline)) int decode_blocks(Scan *scan, j_decompress_ptr cinfo, JBLOCKROW *blocks) {
  uint64_t bits = scan->bits;
  int count = scan->count;
  const uint8_t *next = scan->next;
  if (blocks) flat_begin(&scan->flat, blocks);
  for (int i = 0; i < cinfo->blocks_in_MCU; i++) {
    const Table *table = scan->dc[i];
    REFILL();
    uint32_t code = table->look[bits >> (64 - LOOK)];
    if (__builtin_expect(!code, 0) && !(code = long_code(table, bits))) return 0;
    int component = cinfo->MCU_membership[i];
    int dc = scan->last_dc[component] + value_of(bits << LENGTH(code), SIZE(code));
    scan->last_dc[component] = dc;
    TAKE(TOTAL(code));
    table = scan->ac[i];
    const uint16_t *skips = scan->skip[i];
    if (blocks && !skips) {
      JCOEF *block = *blocks[i];
      block[0] = (JCOEF)dc;
      const uint64_t *pairs = scan->pair[i];
      unsigned k = 1;
/* What the window holds; goes on to the next block where this one ends. */
#define WINDOW()                                          \
  two = pairs[bits >> (64 - PAIR)];                       \
  if (__builtin_expect(!two, 0)) goto one;                \
  k += two >> 16 & 0xff;                                  \
  block[NATURAL[k - 1]] = (JCOEF)(two >> 32);             \
  if (__builtin_expect(k >= 64, 0)) {                     \
    TAKE(two >> 8 & 0xff); /* the second is none of it */ \
    break;                                                \
  }                                                       \
  k += two >> 24 & 0xff;                                  \
  block[NATURAL[k - 1]] = (JCOEF)(two >> 48);             \
  TAKE(two & 0xff);                                       \
  if (__builtin_expect(k >= 64, 0)) break
      uint64_t two = pairs[bits >> (64 - PAIR)]; /* the first code left 25 bits at least */
      if (__builtin_expect((two >> 16 & 0xff) == END, 0)) {
        flat_tell(&scan->flat, block, i);
        TAKE(two & 0xff);
        continue;
      }
      for (;;) {
        REFILL();
        WINDOW();
        WINDOW();
        WINDOW(); /* 34 bits are left, enough for a single code too */
        continue;
      one:
        code = table->look[bits >> (64 - LOOK)];
        if (__builtin_expect(!code, 0) && !(code = long_code(table, bits))) return 0;
        k += ON(code);
        block[NATURAL[k - 1]] = (JCOEF)value_of(bits << LENGTH(code), SIZE(code));
        TAKE(TOTAL(code));
        if (k >= 64) break;
      }
#undef WINDOW
    } else {
      if (blocks) (*blocks[i])[0] = (JCOEF)dc;
      for (unsigned k = 1; k < 64;) {
        REFILL();
        uint16_t several = skips ? skips[bits >> (64 - SKIP)] : 0;
        unsigned on = several >> 8;
        if (__builtin_expect(several && k + on <= 64, 1)) {
          k += on + (several >> 4 & 1) * END;
          TAKE(several & 15);
          continue;
        }
        code = table->look[bits >> (64 - LOOK)];
        if (__builtin_expect(!code, 0) && !(code = long_code(table, bits))) return 0;
        k += ON(code);
        TAKE(TOTAL(code));
      }
    }
  }
  scan->bits = bits;
  scan->count = count;
  scan->next = next;
  return 1;
}

/* Bits of the piece that were not taken; below zero where more were. */
static ptrdiff_t bits_left(const Scan *scan) { return (scan->end - scan->next) * 8 + scan->count; }

static void start_piece(Scan *scan) {
  const uint8_t *bytes = scan->pieces.bytes;
  scan->next = bytes + (scan->piece ? scan->pieces.ends[scan->piece - 1] : 0);
  scan->end = bytes + scan->pieces.ends[scan->piece];
  scan->bits = 0;
  scan->count = 0;
  memset(scan->last_dc, 0, sizeof scan->last_dc);
}

static inline __attribute__((always_inline)) boolean decode_mcu(j_decompress_ptr cinfo, JBLOCKROW *blocks) {
  Scan *scan = (Scan *)cinfo->err;
  if (cinfo->restart_interval) {
    if (scan->to_restart == 0) {
      if (bits_left(scan) >= 8 || scan->piece + 1 == scan->pieces.pieces) refuse((j_common_ptr)cinfo);
      scan->piece++;
      start_piece(scan);
      scan->to_restart = cinfo->restart_interval;
    }
    scan->to_restart--;
  }
  if (scan->left == 0 || !decode_blocks(scan, cinfo, blocks) || bits_left(scan) < 0) refuse((j_common_ptr)cinfo);
  scan->left--;
  return TRUE;
}

static boolean decode_mcu_plain(j_decompress_ptr cinfo, JBLOCKROW *blocks) { return decode_mcu(cinfo, blocks); }

#if defined(__x86_64__)
/* Shifts by a variable take one step instead of three. */
__attribute__((target("bmi,bmi2"))) static boolean decode_mcu_bmi2(j_decompress_ptr cinfo, JBLOCKROW *blocks) {
  return decode_mcu(cinfo, blocks);
}
#endif

/* Makes a table of codes, unless it is there from this image or the last one. False where it is none. */
static int keep_table(Scan *scan, int ac, int n, JHUFF_TBL *const *of) {
  const JHUFF_TBL *from = n < 0 || n >= NUM_HUFF_TBLS ? NULL : of[n];
  if (!from) return 0;
  JHUFF_TBL *known = &scan->made_of[ac][n];
  if (scan->made[ac][n] && !memcmp(known->bits, from->bits, sizeof known->bits) &&
      !memcmp(known->huffval, from->huffval, sizeof known->huffval))
    return 1;
  scan->made[ac][n] = 0;
  if (!kfood_jpeg_table(&scan->tables[ac][n], from, ac ? AC : DC)) return 0;
  if (ac) {
    make_pairs(scan->pairs[n], &scan->tables[ac][n]);
    scan->made_skips[n] = 0;
  }
  memcpy(known->bits, from->bits, sizeof known->bits);
  memcpy(known->huffval, from->huffval, sizeof known->huffval);
  scan->made[ac][n] = 1;
  return 1;
}

static boolean progressive_mcu(j_decompress_ptr cinfo, JBLOCKROW *blocks) {
  if (!kfood_progressive_mcu(&((Scan *)cinfo->err)->progressive, blocks)) refuse((j_common_ptr)cinfo);
  return TRUE;
}

/* Puts the scan's function in the place of the library's. False where this JPEG is not for it. */
static int take_over(Scan *scan, j_decompress_ptr cinfo) {
  if (cinfo->progressive_mode || cinfo->arith_code || cinfo->data_precision != 8 ||
      cinfo->comps_in_scan != cinfo->num_components || cinfo->Ss != 0 || cinfo->Se != 63 || cinfo->Ah != 0 || cinfo->Al != 0)
    return 0;
  if (scan->is_progressive) {
    cinfo->entropy->decode_mcu = progressive_mcu;
    return kfood_progressive_start(&scan->progressive, cinfo);
  }
  for (int i = 0; i < cinfo->blocks_in_MCU; i++) {
    const jpeg_component_info *component = cinfo->cur_comp_info[cinfo->MCU_membership[i]];
    int dc = component->dc_tbl_no, ac = component->ac_tbl_no;
    if (!keep_table(scan, 0, dc, cinfo->dc_huff_tbl_ptrs) || !keep_table(scan, 1, ac, cinfo->ac_huff_tbl_ptrs)) return 0;
    scan->dc[i] = &scan->tables[0][dc];
    scan->ac[i] = &scan->tables[1][ac];
    scan->pair[i] = scan->pairs[ac];
    scan->skip[i] = NULL;
    if (component->DCT_scaled_size == 1) {
      if (!scan->made_skips[ac]) make_skips(scan->skips[ac], scan->ac[i]);
      scan->made_skips[ac] = 1;
      scan->skip[i] = scan->skips[ac];
    }
  }
  const uint8_t *data = cinfo->src->next_input_byte, *end = data + cinfo->src->bytes_in_buffer;
  const uint8_t *mark = kfood_jpeg_pieces(&scan->pieces, (size_t)(end - data)) ? kfood_jpeg_cut(&scan->pieces, data, end) : NULL;
  if (!mark || mark[1] != 0xd9) return 0;
  scan->piece = 0;
  scan->to_restart = cinfo->restart_interval;
  scan->left = (uint64_t)cinfo->MCUs_per_row * cinfo->MCU_rows_in_scan;
  start_piece(scan);
  kfood_flat_start(&scan->flat, cinfo);
  cinfo->entropy->decode_mcu = decode_mcu_plain;
#if defined(__x86_64__)
  if (__builtin_cpu_supports("bmi2")) cinfo->entropy->decode_mcu = decode_mcu_bmi2;
#endif
  return 1;
}

/* A scan's memory, used again from one image to the next; NULL where memory is short. */
void *kfood_jpeg_scan_new(void) { return calloc(1, sizeof(Scan)); }

void kfood_jpeg_scan_free(void *memory) {
  Scan *scan = memory;
  if (!scan) return;
  free(scan->pieces.bytes);
  free(scan->pieces.ends);
  free(scan->planes);
  kfood_progressive_free(&scan->progressive);
  free(scan);
}

/* Reads the header and asks for 1 / shrink of the size, in colour or as it is stored. False where this JPEG is neither plain nor
 * progressive. */
static int begin(Scan *scan, j_decompress_ptr cinfo, const uint8_t *bytes, size_t length, unsigned shrink, int raw) {
  int found = kfood_progressive_walk(&scan->progressive, bytes, length);
  if (found < 0) return 0;
  scan->is_progressive = found;
  jpeg_create_decompress(cinfo);
  if (found) jpeg_mem_src(cinfo, scan->progressive.header, scan->progressive.length);
  else jpeg_mem_src(cinfo, bytes, length);
  jpeg_read_header(cinfo, TRUE);
  cinfo->out_color_space = JCS_RGB;
  cinfo->raw_data_out = raw;
  cinfo->dct_method = JDCT_ISLOW;
  cinfo->scale_num = 1;
  cinfo->scale_denom = shrink;
  /* Asked before decoding begins: that would read every scan of a picture that the library then decodes once more. */
  if (jpeg_has_multiple_scans(cinfo)) return 0;
  if (cinfo->num_components != 1 && cinfo->num_components != 3) return 0;
  if (raw && cinfo->jpeg_color_space != (cinfo->num_components == 1 ? JCS_GRAYSCALE : JCS_YCbCr)) return 0;
  return jpeg_start_decompress(cinfo) && take_over(scan, cinfo);
}

static void listen(Scan *scan, j_decompress_ptr cinfo) {
  memset(cinfo, 0, sizeof *cinfo);
  cinfo->err = jpeg_std_error(&scan->errors);
  scan->errors.error_exit = refuse;
  scan->errors.emit_message = on_message;
  scan->errors.output_message = on_output;
}

/* Whether the data ended where the picture did. */
static int at_end(Scan *scan) {
  if (scan->is_progressive) return kfood_progressive_finish(&scan->progressive);
  return scan->left == 0 && bits_left(scan) < 8 && scan->piece + 1 == scan->pieces.pieces;
}

/* Decodes at 1 / shrink of the size into `out`, width x height of red, green, blue; with a width of the region, that part of the
 * picture. 1 when done; 0 when libjpeg-turbo must be asked. */
int kfood_jpeg_scan_decode(void *memory, const uint8_t *bytes, size_t length, unsigned shrink, const unsigned region[4], uint8_t *out,
                           unsigned width, unsigned height) {
  Scan *scan = memory;
  struct jpeg_decompress_struct cinfo;
  listen(scan, &cinfo);
  volatile int done = 0;
  if (setjmp(scan->refused) == 0 && begin(scan, &cinfo, bytes, length, shrink, FALSE)) {
    JDIMENSION x = region[0], across = region[2], top = region[2] ? region[1] : 0;
    if (across && across != cinfo.output_width) jpeg_crop_scanline(&cinfo, &x, &across);
    int fits = !region[2] ? cinfo.output_width == width && cinfo.output_height == height
                          : x == region[0] && across == width && cinfo.output_width == width && region[3] == height &&
                                top + height <= cinfo.output_height;
    if (fits && (top == 0 || jpeg_skip_scanlines(&cinfo, top) == top)) {
      JSAMPROW rows[16];
      while (cinfo.output_scanline < top + height) {
        unsigned row = cinfo.output_scanline - top, n = height - row < 16 ? height - row : 16;
        for (unsigned i = 0; i < n; i++) rows[i] = out + (size_t)(row + i) * width * 3;
        jpeg_read_scanlines(&cinfo, rows, n);
      }
      /* What lies below a region is not looked at, but where the library would. */
      done = (!scan->is_progressive && top + height < cinfo.output_height) || at_end(scan);
    }
  }
  jpeg_destroy_decompress(&cinfo);
  return done;
}

/* Room for the planes, each a whole number of MCUs high and of blocks wide. False where memory is short. */
static int lay_out(Scan *scan, j_decompress_ptr cinfo, Plane planes[3]) {
  size_t room = 0, starts[3];
  for (int i = 0; i < cinfo->num_components; i++) {
    const jpeg_component_info *component = &cinfo->comp_info[i];
    int size = component->DCT_scaled_size, largest = cinfo->min_DCT_scaled_size;
    int across = component->h_samp_factor * size, down = component->v_samp_factor * size;
    if (cinfo->max_h_samp_factor * largest % across || cinfo->max_v_samp_factor * largest % down) return 0;
    Plane *plane = &planes[i];
    plane->stride = (size_t)component->width_in_blocks * size;
    plane->width = component->downsampled_width;
    plane->height = component->downsampled_height;
    plane->across = cinfo->max_h_samp_factor * largest / across;
    plane->down = cinfo->max_v_samp_factor * largest / down;
    /* As jdsample.c chooses. */
    int twice = (plane->across == 2 && plane->down <= 2 && plane->width > 2) || (plane->across == 1 && plane->down == 2);
    plane->smooth = twice && largest > 1;
    starts[i] = room;
    room += plane->stride * cinfo->total_iMCU_rows * down;
  }
  if (scan->planes_room < room || (scan->planes_room > KEPT && room <= KEPT)) {
    free(scan->planes);
    scan->planes = malloc(room);
    scan->planes_room = scan->planes ? room : 0;
    if (!scan->planes) return 0;
  }
  for (int i = 0; i < cinfo->num_components; i++) planes[i].rows = scan->planes + starts[i];
  return 1;
}

/* Decodes at 1 / shrink of the size into planes that stay in the scan's memory until its next use: one of grey, or three of luma and
 * the two of colour. Their number when done; 0 when libjpeg-turbo must be asked. */
int kfood_jpeg_scan_planes(void *memory, const uint8_t *bytes, size_t length, unsigned shrink, Plane planes[3]) {
  Scan *scan = memory;
  struct jpeg_decompress_struct cinfo;
  listen(scan, &cinfo);
  volatile int done = 0;
  if (setjmp(scan->refused) == 0 && begin(scan, &cinfo, bytes, length, shrink, TRUE) && lay_out(scan, &cinfo, planes)) {
    JSAMPROW rows[3][MAX_SAMP_FACTOR * DCTSIZE];
    JSAMPARRAY arrays[3] = {rows[0], rows[1], rows[2]};
    unsigned lines = cinfo.max_v_samp_factor * cinfo.min_DCT_scaled_size;
    for (unsigned row = 0; cinfo.output_scanline < cinfo.output_height; row++) {
      for (int i = 0; i < cinfo.num_components; i++) {
        unsigned n = cinfo.comp_info[i].v_samp_factor * cinfo.comp_info[i].DCT_scaled_size;
        for (unsigned j = 0; j < n; j++) rows[i][j] = (uint8_t *)planes[i].rows + planes[i].stride * (n * row + j);
      }
      jpeg_read_raw_data(&cinfo, arrays, lines);
    }
    if (at_end(scan)) done = cinfo.num_components;
  }
  jpeg_destroy_decompress(&cinfo);
  return done;
}
