#!/bin/sh
# Fuzzes kfood's own decoders of JPEGs, in C, under AddressSanitizer and UndefinedBehaviorSanitizer:
#   fuzz/jpeg.sh WORK SECONDS FOLDER...
#   fuzz/jpeg.sh --build WORK      compiles them and no more (clang alone)
# Photographs below the folders, cut small, are made progressive in many ways, and plain (WORK/made); libFuzzer changes them
# (WORK/corpus). Needs clang, `jpegtran`, `cjpeg` and `djpeg` (Debian: libjpeg-turbo-progs), and `cargo build --release` before:
# libjpeg-turbo is the one that kfood is built with. Ends with 1 at the first fault, whose file then lies in WORK.
set -eu
only=
if test "$1" = --build; then
  only=yes work=$2 seconds=0
  shift 2
else
  work=$1 seconds=$2
  shift 2
fi
here=$(cd "$(dirname "$0")" && pwd)
native=$here/../src/native
turbo=$(ls -td "$here"/../target/release/build/turbojpeg-sys-*/out/include | head -1)/..
mkdir -p "$work/made" "$work/corpus"

clang -O1 -g -std=gnu11 -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=undefined '-D__builtin_cpu_supports=fuzz_supports' \
  -include "$here/jpeg.h" -I"$turbo/include" "$here/jpeg.c" "$native"/jpeg_*.c "$turbo/lib/libturbojpeg.a" -lm -o "$work/jpeg"
test -z "$only" || exit 0

# Scans of every kind: by frequencies, by bits, first coefficients one component after the other or alone.
cat >"$work/by_frequencies" <<'SCANS'
0,1,2: 0-0, 0, 0; 0: 1-2, 0, 0; 0: 3-20, 0, 0; 0: 21-63, 0, 0; 2: 1-63, 0, 0; 1: 1-10, 0, 0; 1: 11-63, 0, 0;
SCANS
{
  echo '0,1,2: 0-0, 0, 4; 0: 1-63, 0, 5; 1: 1-63, 0, 5; 2: 1-63, 0, 5;'
  for low in 4 3 2 1 0; do
    for component in 0 1 2; do echo "$component: 1-63, $((low + 1)), $low;"; done
    test $low = 4 || echo "0,1,2: 0-0, $((low + 1)), $low;"
  done
} >"$work/by_bits"
cat >"$work/one_by_one" <<'SCANS'
2: 0-0, 0, 1; 0: 0-0, 0, 0; 1: 0-0, 0, 0; 0: 1-63, 0, 1; 2: 0-0, 1, 0; 1: 1-63, 0, 0; 0: 1-9, 1, 0; 2: 1-63, 0, 0; 0: 10-63, 1, 0;
SCANS
echo '0,1,2: 0-0, 0, 0;' >"$work/first_alone"

number=0
find "$@" -type f \( -iname '*.jpg' -o -iname '*.jpeg' \) -size -400k | LC_ALL=C sort | while IFS= read -r photograph; do
  number=$((number + 1))
  test $((number % 4)) = 1 || continue # enough of them

  name=$work/made/$number
  small=$work/small.jpg
  { jpegtran -copy none -optimize -crop $((60 + number % 70))x$((40 + number % 50))+32+32 "$photograph" || cat "$photograph"; } >"$small" 2>/dev/null
  make() {
    to=$name-$1.jpg
    shift
    "$@" <"$small" >"$to" 2>/dev/null || rm -f "$to"
  }
  make plain jpegtran
  make progressive jpegtran -progressive
  make whole sh -c 'test "$(stat -c %s "$1")" -lt 30000 && exec jpegtran -progressive "$1"' sh "$photograph"
  make restarts jpegtran -progressive -restart $((1 + number % 3))
  make blocks jpegtran -progressive -restart $((1 + number % 11))B
  make plain-restarts jpegtran -restart 3B
  make grey jpegtran -progressive -grayscale
  for scans in by_frequencies by_bits one_by_one first_alone; do make $scans jpegtran -scans "$work/$scans"; done
  make restarts-by_bits jpegtran -restart 5B -scans "$work/by_bits"
  for sampling in 1x1 2x1 1x2 2x2 4x1 1x4 4x2 1x1,2x1,1x2 2x2,2x1,1x2 3x1; do
    make $sampling sh -c 'djpeg | cjpeg -quality "$1" -sample "$2" -progressive' sh $((20 + number % 80)) $sampling
  done
  make rgb sh -c 'djpeg | cjpeg -rgb -progressive'
  # So wide that a row takes more than the zeros behind the data: noise.
  make wide sh -c '{ printf "P5 12000 2 255\n"; head -c 24000 "$1"; } | cjpeg -quality $2 -progressive' sh "$photograph" $((10 + number % 90))
  make wide-coloured sh -c '{ printf "P6 6000 1 255\n"; head -c 18000 "$1"; } | cjpeg -quality $2 -progressive' sh "$photograph" $((10 + number % 90))
done
find "$work/made" -empty -delete
for file in "$work"/made/*progressive.jpg; do
  size=$(stat -c %s "$file")
  head -c $((size * 2 / 3)) "$file" >"${file%.jpg}-cut.jpg"
done
for file in "$work"/made/*wide*.jpg; do
  size=$(stat -c %s "$file")
  for share in 10 11 12 13 14 15; do
    { head -c $((size * share / 16)) "$file" && printf '\377\331'; } >"${file%.jpg}-$share.jpg"
  done
done
number=0
for file in "$work"/made/*; do # the bytes that choose
  number=$((number + 1))
  printf "\\$(printf %03o $((number * 7 % 128)))@\\100\\200\\200" >>"$file"
done
echo "$(ls "$work/made" | wc -l) files made" >&2

cd "$work"
exec ./jpeg corpus made -max_total_time="$seconds" -max_len=60000 -rss_limit_mb=2048 -timeout=20 -print_final_stats=1 -seed=13
