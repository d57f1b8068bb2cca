/* kfood's own decoders of plain and progressive JPEGs (`src/native/jpeg_*.c`) on any bytes: what they take must be, sample for sample,
 * what libjpeg-turbo makes of it without a warning. `jpeg.sh` builds and runs it.
 *
 * The last bytes choose: how far to shrink, which instructions the processor has, colours or components, new memory or that of the last
 * file, and a region. */

#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jpeglib.h>

typedef struct {
  const uint8_t *rows;
  size_t stride;
  uint32_t width, height, across, down, smooth;
} Plane;

void *kfood_jpeg_scan_new(void);
void kfood_jpeg_scan_free(void *memory);
int kfood_jpeg_scan_decode(void *memory, const uint8_t *bytes, size_t length, unsigned shrink, const unsigned region[4], uint8_t *out,
                           unsigned width, unsigned height);
int kfood_jpeg_scan_planes(void *memory, const uint8_t *bytes, size_t length, unsigned shrink, Plane planes[3]);

enum { MOST_PIXELS = 1 << 20, PLAIN = 0, BITS = 1 };

static int processor;

/* Stands in the place of `__builtin_cpu_supports` in what is tested. */
#undef __builtin_cpu_supports
int fuzz_supports(const char *what) {
  if (processor == PLAIN) return 0;
  if (!strcmp(what, "bmi2")) return __builtin_cpu_supports("bmi2") != 0;
  if (!strcmp(what, "popcnt")) return __builtin_cpu_supports("popcnt") != 0;
  return processor != BITS && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq");
}

/* Counted for people. */
static unsigned long runs, headers, taken[2][2], late;
static void told(void) {
  fprintf(stderr,
          "%lu files, %lu with a header; taken and the same as libjpeg-turbo's: progressive %lu in colours and %lu in components, "
          "others %lu and %lu; %lu with a warning of what an eighth does not need\n",
          runs, headers, taken[1][0], taken[1][1], taken[0][0], taken[0][1], late);
}

/* libjpeg-turbo alone. */
static struct {
  struct jpeg_decompress_struct cinfo;
  struct jpeg_error_mgr errors;
  jmp_buf failed;
  long warnings;
} library;

static void fail(j_common_ptr cinfo) {
  (void)cinfo;
  longjmp(library.failed, 1);
}
static void count(j_common_ptr cinfo, int level) {
  (void)cinfo;
  if (level < 0) library.warnings++;
}

static void ask(const uint8_t *bytes, size_t length) {
  memset(&library.cinfo, 0, sizeof library.cinfo);
  library.warnings = 0;
  library.cinfo.err = jpeg_std_error(&library.errors);
  library.errors.error_exit = fail;
  library.errors.emit_message = count;
  jpeg_create_decompress(&library.cinfo);
  jpeg_mem_src(&library.cinfo, bytes, length);
  jpeg_read_header(&library.cinfo, TRUE);
}

static void ask_for(unsigned shrink, int raw) {
  library.cinfo.out_color_space = JCS_RGB;
  library.cinfo.raw_data_out = raw;
  library.cinfo.dct_method = JDCT_ISLOW;
  library.cinfo.scale_num = 1;
  library.cinfo.scale_denom = shrink;
}

static void differ(const char *what) {
  fprintf(stderr, "differs from libjpeg-turbo: %s\n", what);
  abort();
}

/* A warning is none of ours only where an eighth needs none of the coefficients that it is about. */
static void check_warnings(unsigned shrink) {
  if (!library.warnings) return;
  if (shrink != 8) differ("it warned");
  late++;
}

static void compare_colours(const uint8_t *bytes, size_t length, unsigned shrink, const unsigned region[4], const uint8_t *ours,
                            unsigned width, unsigned height) {
  uint8_t *row = malloc(((size_t)width + 64) * 3);
  if (setjmp(library.failed)) differ("it refuses");
  ask(bytes, length);
  ask_for(shrink, FALSE);
  jpeg_start_decompress(&library.cinfo);
  JDIMENSION x = region[0], across = region[2];
  if (across && across != library.cinfo.output_width) jpeg_crop_scanline(&library.cinfo, &x, &across);
  if (library.cinfo.output_width != width || (region[2] && x != region[0])) differ("sides");
  if (region[2] && region[1]) jpeg_skip_scanlines(&library.cinfo, region[1]);
  for (unsigned y = 0; y < height; y++) {
    jpeg_read_scanlines(&library.cinfo, &row, 1);
    if (memcmp(row, ours + (size_t)y * width * 3, (size_t)width * 3)) differ("a row of colours");
  }
  check_warnings(shrink);
  jpeg_destroy_decompress(&library.cinfo);
  free(row);
}

static void compare_planes(const uint8_t *bytes, size_t length, unsigned shrink, const Plane *planes, int n) {
  uint8_t *memory[3] = {NULL, NULL, NULL};
  JSAMPROW rows[3][MAX_SAMP_FACTOR * DCTSIZE];
  JSAMPARRAY arrays[3] = {rows[0], rows[1], rows[2]};
  if (setjmp(library.failed)) differ("it refuses");
  j_decompress_ptr cinfo = &library.cinfo;
  ask(bytes, length);
  ask_for(shrink, TRUE);
  jpeg_start_decompress(cinfo);
  if (cinfo->num_components != n) differ("the number of components");
  unsigned lines[3];
  for (int i = 0; i < n; i++) {
    const jpeg_component_info *component = &cinfo->comp_info[i];
    size_t stride = (size_t)component->width_in_blocks * component->DCT_scaled_size;
    lines[i] = component->v_samp_factor * component->DCT_scaled_size;
    memory[i] = malloc(stride * lines[i]);
    for (unsigned j = 0; j < lines[i]; j++) rows[i][j] = memory[i] + stride * j;
    if (planes[i].width != component->downsampled_width || planes[i].height != component->downsampled_height) differ("sides");
  }
  for (unsigned row = 0; cinfo->output_scanline < cinfo->output_height; row++) {
    jpeg_read_raw_data(cinfo, arrays, cinfo->max_v_samp_factor * cinfo->min_DCT_scaled_size);
    for (int i = 0; i < n; i++)
      for (unsigned j = 0; j < lines[i] && lines[i] * row + j < planes[i].height; j++)
        if (memcmp(rows[i][j], planes[i].rows + planes[i].stride * (lines[i] * row + j), planes[i].width)) differ("a row of samples");
  }
  check_warnings(shrink);
  jpeg_destroy_decompress(cinfo);
  for (int i = 0; i < n; i++) free(memory[i]);
}

size_t LLVMFuzzerMutate(uint8_t *bytes, size_t length, size_t most);

/* Bits of a scan are changed one at a time more often than libFuzzer would: most of its changes leave nothing that is whole. */
size_t LLVMFuzzerCustomMutator(uint8_t *bytes, size_t length, size_t most, unsigned seed) {
  unsigned way = seed % 8;
  seed /= 8;
  if (way < 3 || length < 64) return LLVMFuzzerMutate(bytes, length, most);
  for (unsigned i = 0; i < 5; i++) bytes[length - 1 - i] ^= (uint8_t)(seed >> (5 * i));
  if (way < 5) return length;
  size_t at = length / 8 + (size_t)seed * 2654435761u % (length - length / 8);
  if (way == 7 && length - at > 16) { /* a scan that ends early, before others that are whole */
    size_t gone = 1 + (seed >> 8) % ((length - at) / 2);
    memmove(bytes + at, bytes + at + gone, length - at - gone);
    return length - gone;
  }
  bytes[at] ^= (uint8_t)(1u << (seed >> 8 & 7));
  return length;
}

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t length) {
  static void *scan;
  if (length < 8) return 0;
  if (!runs) atexit(told);
  runs++;
  /* So that a byte too far is found. */
  uint8_t *bytes = malloc(length);
  memcpy(bytes, input, length);
  const uint8_t *at = input + length - 5;
  const unsigned shrink = 1u << (at[0] & 3);
  const int raw = at[0] >> 4 & 1, part = at[0] >> 5 & 1;
  processor = at[0] >> 2 & 3;
  if (at[0] >> 6 & 1) { /* memory that is no larger than this picture needs; else what the last one left is part of the test */
    kfood_jpeg_scan_free(scan);
    scan = NULL;
  }
  if (!scan) scan = kfood_jpeg_scan_new();
  unsigned region[4] = {0, 0, 0, 0}, width = 1, height = 1;
  int good = 0, progressive = 0;
  if (!setjmp(library.failed)) {
    ask(bytes, length);
    ask_for(shrink, FALSE);
    jpeg_calc_output_dimensions(&library.cinfo);
    width = library.cinfo.output_width;
    height = library.cinfo.output_height;
    progressive = library.cinfo.progressive_mode != 0;
    good = (uint64_t)library.cinfo.image_width * library.cinfo.image_height <= MOST_PIXELS;
    unsigned step = 8 * library.cinfo.max_h_samp_factor / shrink;
    if (part && step) {
      region[0] = width * at[1] / 256 / step * step;
      region[1] = height * at[2] / 256;
      region[2] = 1 + (width - region[0] - 1) * at[3] / 255;
      region[3] = 1 + (height - region[1] - 1) * at[4] / 255;
      width = region[2];
      height = region[3];
    }
  }
  jpeg_destroy_decompress(&library.cinfo);
  headers += good;
  if (!good) width = height = 1; /* as any caller may be wrong */
  uint8_t *out = malloc((size_t)width * height * 3);
  if (!raw || !good) {
    int done = kfood_jpeg_scan_decode(scan, bytes, length, shrink, region, out, width, height);
    if (done && good) {
      compare_colours(bytes, length, shrink, region, out, width, height);
      taken[progressive][0]++;
    }
  } else {
    Plane planes[3];
    int n = kfood_jpeg_scan_planes(scan, bytes, length, shrink, planes);
    if (n) {
      compare_planes(bytes, length, shrink, planes, n);
      taken[progressive][1]++;
    }
  }
  free(out);
  free(bytes);
  return 0;
}
