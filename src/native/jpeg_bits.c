/* Tables of Huffman codes, and scans without stuffed bytes. */

#include "jpeg_bits.h"

int kfood_jpeg_table(Table *table, const JHUFF_TBL *from, Kind kind) {
  memset(table, 0, sizeof *table);
  uint32_t code = 0;
  int place = 0;
  for (int length = 1; length <= LONGEST; length++) {
    table->offset[length] = place - (int32_t)code;
    for (int i = 0; i < from->bits[length]; i++, place++, code++) {
      if (place >= 256 || code >= 1u << length) return 0;
      int symbol = from->huffval[place], size = symbol & 15, run = symbol >> 4;
      uint32_t found;
      if (kind == DC) {
        if (symbol > 15) return 0;
        found = CODE(length, symbol, 1);
      } else if (size == 0 && run == 15) {
        found = CODE(length, 0, 16);
      } else if (size == 0) {
        found = CODE(length, kind == AC ? 0 : run, END);
      } else {
        found = CODE(length, size, run + 1);
      }
      table->codes[place] = found;
      if (length <= LOOK) {
        uint32_t first = code << (LOOK - length);
        for (uint32_t j = 0; j < 1u << (LOOK - length); j++) table->look[first + j] = found;
      }
    }
    if (place && code >= 1u << length) return 0; /* ones alone are no code */
    table->limit[length] = code << (LONGEST - length);
    code <<= 1;
  }
  return 1;
}

static int add_end(Pieces *pieces, size_t end) {
  if (pieces->pieces == pieces->rooms) {
    size_t rooms = pieces->rooms ? 2 * pieces->rooms : 64;
    size_t *ends = realloc(pieces->ends, rooms * sizeof *ends);
    if (!ends) return 0;
    pieces->ends = ends;
    pieces->rooms = rooms;
  }
  pieces->ends[pieces->pieces++] = end;
  return 1;
}

int kfood_jpeg_pieces(Pieces *pieces, size_t length) {
  pieces->used = pieces->pieces = 0;
  if (pieces->room >= length + SPARE) return 1;
  free(pieces->bytes);
  pieces->room = 0;
  pieces->bytes = malloc(length + length / 4 + SPARE);
  if (!pieces->bytes) return 0;
  pieces->room = length + length / 4 + SPARE;
  return 1;
}

const uint8_t *kfood_jpeg_cut(Pieces *pieces, const uint8_t *from, const uint8_t *end) {
  uint8_t *to = pieces->bytes + pieces->used;
  for (unsigned restarts = 0;;) {
    const uint8_t *mark = memchr(from, 0xff, (size_t)(end - from));
    if (!mark || mark + 1 == end) return NULL;
    size_t plain = (size_t)(mark - from);
    memcpy(to, from, plain);
    to += plain;
    from = mark + 2;
    if (mark[1] == 0) {
      *to++ = 0xff;
      continue;
    }
    int restart = mark[1] >= 0xd0 && mark[1] <= 0xd7;
    if (mark[1] == 0xff || (restart && mark[1] != 0xd0 + restarts++ % 8)) return NULL;
    if (!add_end(pieces, (size_t)(to - pieces->bytes))) return NULL;
    if (restart) continue;
    memset(to, 0, SPARE);
    pieces->used = (size_t)(to - pieces->bytes);
    return mark;
  }
}
