/* Blocks whose first coefficient alone is not 0: a third of those of photographs. Their inverse transform is one value, to the bit. */

#ifndef KFOOD_JPEG_FLAT_H
#define KFOOD_JPEG_FLAT_H

#include "jpeg_bits.h"

/* The beginning of an inverse transform as jpegint.h has it: private, as the entropy decoder of `jpeg_bits.h` is, and of the same
 * version. */
typedef void Inverse(j_decompress_ptr cinfo, jpeg_component_info *component, JCOEFPTR block, JSAMPARRAY rows, JDIMENSION column);
struct jpeg_inverse_dct {
  void (*start_pass)(j_decompress_ptr cinfo);
  Inverse *inverse_DCT[MAX_COMPONENTS];
};

/* Which blocks of the MCU that was decoded last are flat, and what transforms the others. */
typedef struct {
  const JCOEF *first;
  unsigned flat;
  Inverse *others[MAX_COMPONENTS];
} Flat;

/* Begins an MCU. */
static inline void flat_begin(Flat *flat, JBLOCKROW *blocks) {
  flat->first = *blocks[0];
  flat->flat = 0;
}

/* Tells that block `i` of the MCU is flat; the library lays an MCU's blocks one behind the other, and else nothing is told. */
static inline void flat_tell(Flat *flat, const JCOEF *block, int i) { flat->flat |= (unsigned)(block == flat->first + 64 * i) << i; }

/* Takes the place of the library's inverse transforms of blocks, and hands the others to them; `cinfo->client_data` is taken for it. */
void kfood_flat_start(Flat *flat, j_decompress_ptr cinfo);

#endif
