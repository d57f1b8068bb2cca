/* The inverse transform of flat blocks. */

#include "jpeg_flat.h"

/* Where the library's arithmetic of 16 bits holds every step of a flat block. */
enum { MOST = 1 << 13 };

static inline __attribute__((always_inline)) void fill(JSAMPARRAY rows, JDIMENSION column, int side, JSAMPLE value) {
  for (int y = 0; y < side; y++) memset(rows[y] + column, value, (size_t)side);
}

/* Also with a scale of 1/2 and 1/4, jidctint.c and jidctred.c come to an eighth of the coefficient, rounded, from the middle grey. */
static void inverse(j_decompress_ptr cinfo, jpeg_component_info *component, JCOEFPTR block, JSAMPARRAY rows, JDIMENSION column) {
  const Flat *flat = cinfo->client_data;
  size_t i = (size_t)(block - flat->first) / 64;
  int value = block[0] * component->quant_table->quantval[0];
  if (i >= D_MAX_BLOCKS_IN_MCU || !(flat->flat >> i & 1) || value < -MOST || value >= MOST) {
    flat->others[component->component_index](cinfo, component, block, rows, column);
    return;
  }
  value = CENTERJSAMPLE + ((value + 4) >> 3);
  JSAMPLE sample = (JSAMPLE)(value < 0 ? 0 : value > MAXJSAMPLE ? MAXJSAMPLE : value);
  switch (component->DCT_scaled_size) {
    case 8: fill(rows, column, 8, sample); break;
    case 4: fill(rows, column, 4, sample); break;
    default: fill(rows, column, 2, sample);
  }
}

void kfood_flat_start(Flat *flat, j_decompress_ptr cinfo) {
  cinfo->client_data = flat;
  flat->flat = 0;
  flat->first = NULL;
  for (int i = 0; i < cinfo->num_components; i++) {
    int size = cinfo->comp_info[i].DCT_scaled_size;
    flat->others[i] = cinfo->idct->inverse_DCT[i];
    if (size == 8 || size == 4 || size == 2) cinfo->idct->inverse_DCT[i] = inverse;
  }
}
