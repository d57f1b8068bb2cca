// Kernels for training in bf16 with pixels in channels_last order, compiled at run time by NVRTC for the GPU at hand.
//
// A tensor is [rows, channels] of bf16, a row being a pixel. A thread always handles the same eight neighbouring channels
// (one 16-byte access): `groups` = channels / 8 is a power of two and at most 256, so it divides the block. Sums are taken in a
// fixed order and without atomics: equal inputs give equal bits.

#define THREADS 256
#define UNROLL 4

typedef long long i64;

__device__ __forceinline__ void unpack(const uint4& v, float (&f)[8]) {
  const unsigned words[4] = {v.x, v.y, v.z, v.w};
#pragma unroll
  for (int i = 0; i < 4; ++i) {
    f[2 * i] = __uint_as_float(words[i] << 16);
    f[2 * i + 1] = __uint_as_float(words[i] & 0xffff0000u);
  }
}

#if __CUDA_ARCH__ >= 800
__device__ __forceinline__ unsigned pack_two(float low, float high) {
  unsigned both;
  asm("cvt.rn.bf16x2.f32 %0, %1, %2;" : "=r"(both) : "f"(high), "f"(low));
  return both;
}
#else
// To the nearest, halves to even; a NaN stays one.
__device__ __forceinline__ unsigned rounded(float value) {
  const unsigned bits = __float_as_uint(value);
  return value != value ? 0x7fff : (bits + 0x7fff + (bits >> 16 & 1)) >> 16;
}

// GPUs before Ampere have no instruction for it. They train in f32, but sample and record by this program too.
__device__ __forceinline__ unsigned pack_two(float low, float high) {
  return rounded(low) | rounded(high) << 16;
}
#endif

__device__ __forceinline__ uint4 pack(const float (&f)[8]) {
  return make_uint4(pack_two(f[0], f[1]), pack_two(f[2], f[3]), pack_two(f[4], f[5]), pack_two(f[6], f[7]));
}

__device__ __forceinline__ void load_eight(const float* from, int group, float (&f)[8]) {
  const float4 low = reinterpret_cast<const float4*>(from)[2 * group];
  const float4 high = reinterpret_cast<const float4*>(from)[2 * group + 1];
  f[0] = low.x, f[1] = low.y, f[2] = low.z, f[3] = low.w;
  f[4] = high.x, f[5] = high.y, f[6] = high.z, f[7] = high.w;
}

// Adds the sixteen sums of every thread over the block's rows, and writes them to partial[block][2][channels].
__device__ __forceinline__ void block_sums(const float (&first)[8], const float (&second)[8], int groups, float* partial) {
  __shared__ float sums[16 * THREADS];
#pragma unroll
  for (int k = 0; k < 8; ++k) {
    sums[k * THREADS + threadIdx.x] = first[k];
    sums[(8 + k) * THREADS + threadIdx.x] = second[k];
  }
  __syncthreads();
  const int channels = 8 * groups;
  for (int o = threadIdx.x; o < 16 * groups; o += THREADS) {
    const int k = o / groups, group = o % groups;
    float sum = 0;
    for (int thread = group; thread < THREADS; thread += groups) {
      sum += sums[k * THREADS + thread];
    }
    partial[(i64(blockIdx.x) * 2 + k / 8) * channels + 8 * group + k % 8] = sum;
  }
}

// Adds partial[0..blocks][2][channels] for the eight channels of this block: 32 threads a channel. True in the thread that holds
// the result of `channel`.
__device__ __forceinline__ bool all_sums(const float* partial, int blocks, int channels, int& channel, double& first,
                                         double& second) {
  __shared__ double sums[2][32][9];
  const int place = threadIdx.x % 8, lane = threadIdx.x / 8;
  channel = blockIdx.x * 8 + place;
  double a = 0, b = 0;
  for (int block = lane; block < blocks; block += 32) {
    a += partial[i64(block) * 2 * channels + channel];
    b += partial[(i64(block) * 2 + 1) * channels + channel];
  }
  sums[0][lane][place] = a;
  sums[1][lane][place] = b;
  __syncthreads();
  if (lane != 0) {
    return false;
  }
  first = second = 0;
  for (int i = 0; i < 32; ++i) {
    first += sums[0][i][place];
    second += sums[1][i][place];
  }
  return true;
}

// Sums of x - x[0] and of its square: taken from the first row, they do not cancel where the mean is large.
extern "C" __global__ void __launch_bounds__(THREADS)
    norm_statistics(const uint4* __restrict__ x, i64 rows, int groups, float* __restrict__ partial) {
  const int group = threadIdx.x % groups, lanes = THREADS / groups;
  const i64 stride = i64(gridDim.x) * lanes;
  float origin[8], sum[8] = {}, square[8] = {};
  unpack(x[group], origin);
  const auto add = [&](const uint4& v) {
    float f[8];
    unpack(v, f);
#pragma unroll
    for (int k = 0; k < 8; ++k) {
      const float d = f[k] - origin[k];
      sum[k] += d;
      square[k] += d * d;
    }
  };
  i64 row = i64(blockIdx.x) * lanes + threadIdx.x / groups;
  for (; row + (UNROLL - 1) * stride < rows; row += UNROLL * stride) {
    uint4 v[UNROLL];
#pragma unroll
    for (int u = 0; u < UNROLL; ++u) {
      v[u] = x[(row + u * stride) * groups + group];
    }
#pragma unroll
    for (int u = 0; u < UNROLL; ++u) {
      add(v[u]);
    }
  }
  for (; row < rows; row += stride) {
    add(x[row * groups + group]);
  }
  block_sums(sum, square, groups, partial);
}

// From the sums to saved[4][channels]: mean, 1 / standard deviation, and the scale and shift that normalise. Moves the running
// statistics as PyTorch does: the variance without bias.
extern "C" __global__ void __launch_bounds__(THREADS)
    norm_statistics_end(const unsigned short* __restrict__ x, const float* __restrict__ partial, int blocks, i64 rows,
                        int channels, const float* __restrict__ weight, const float* __restrict__ bias,
                        float* __restrict__ running_mean, float* __restrict__ running_var, float momentum, float epsilon,
                        float* __restrict__ saved) {
  int channel;
  double sum, square;
  if (!all_sums(partial, blocks, channels, channel, sum, square)) {
    return;
  }
  const double n = double(rows), offset = sum / n;
  const double variance = fmax(square / n - offset * offset, 0.0);
  const float mean = float(double(__uint_as_float(unsigned(x[channel]) << 16)) + offset);
  const float inverse = float(rsqrt(variance + double(epsilon)));
  const float scale = weight[channel] * inverse;
  saved[channel] = mean;
  saved[channels + channel] = inverse;
  saved[2 * channels + channel] = scale;
  saved[3 * channels + channel] = bias[channel] - mean * scale;
  running_mean[channel] += momentum * (mean - running_mean[channel]);
  const float unbiased = float(variance * n / fmax(n - 1, 1.0));
  running_var[channel] += momentum * (unbiased - running_var[channel]);
}

// y = x * scale + shift, plus a residual where there is one, then rectified if asked.
extern "C" __global__ void __launch_bounds__(THREADS)
    norm_apply(const uint4* __restrict__ x, const uint4* __restrict__ residual, uint4* __restrict__ y, i64 count, int groups,
               const float* __restrict__ saved, int rectify) {
  const int group = threadIdx.x % groups, channels = 8 * groups;
  const i64 stride = i64(gridDim.x) * THREADS;
  float scale[8], shift[8];
  load_eight(saved + 2 * channels, group, scale);
  load_eight(saved + 3 * channels, group, shift);
  const auto one = [&](const uint4& v, const uint4& r) {
    float f[8], g[8];
    unpack(v, f);
    unpack(r, g);
#pragma unroll
    for (int k = 0; k < 8; ++k) {
      f[k] = fmaf(f[k], scale[k], shift[k]);
      if (residual != nullptr) {
        f[k] += g[k];
      }
      if (rectify) {
        f[k] = f[k] < 0.f ? 0.f : f[k];  // keeps a NaN
      }
    }
    return pack(f);
  };
  const uint4 none = make_uint4(0, 0, 0, 0);
  i64 i = i64(blockIdx.x) * THREADS + threadIdx.x;
  for (; i + stride < count; i += 2 * stride) {
    const uint4 v0 = x[i], v1 = x[i + stride];
    const uint4 r0 = residual ? residual[i] : none, r1 = residual ? residual[i + stride] : none;
    y[i] = one(v0, r0);
    y[i + stride] = one(v1, r1);
  }
  if (i < count) {
    y[i] = one(x[i], residual ? residual[i] : none);
  }
}

// How the rectifier's mask is found: there is none; from x again; from y, and the masked gradient is the residual's.
#define PLAIN 0
#define FROM_X 1
#define FROM_Y 2

// Sums of dz and of dz * (x - mean), with dz the gradient behind the rectifier; FROM_Y writes dz.
extern "C" __global__ void __launch_bounds__(THREADS)
    norm_gradient_sums(const uint4* __restrict__ dy, const uint4* __restrict__ x, const uint4* __restrict__ y,
                       uint4* __restrict__ dz, i64 rows, int groups, const float* __restrict__ saved, int mask,
                       float* __restrict__ partial) {
  const int group = threadIdx.x % groups, lanes = THREADS / groups, channels = 8 * groups;
  const i64 stride = i64(gridDim.x) * lanes;
  float mean[8], scale[8], shift[8], sum[8] = {}, product[8] = {};
  load_eight(saved, group, mean);
  load_eight(saved + 2 * channels, group, scale);
  load_eight(saved + 3 * channels, group, shift);
  const auto add = [&](const uint4& gradient, const uint4& input, const uint4& output, i64 at) {
    float d[8], f[8], o[8];
    unpack(gradient, d);
    unpack(input, f);
    if (mask == FROM_Y) {
      unpack(output, o);
    }
#pragma unroll
    for (int k = 0; k < 8; ++k) {
      const bool open = mask == PLAIN || (mask == FROM_X ? fmaf(f[k], scale[k], shift[k]) > 0.f : o[k] > 0.f);
      d[k] = open ? d[k] : 0.f;
      sum[k] += d[k];
      product[k] += d[k] * (f[k] - mean[k]);
    }
    if (mask == FROM_Y) {
      dz[at] = pack(d);
    }
  };
  const uint4 none = make_uint4(0, 0, 0, 0);
  i64 row = i64(blockIdx.x) * lanes + threadIdx.x / groups;
  for (; row + stride < rows; row += 2 * stride) {
    const i64 a = row * groups + group, b = (row + stride) * groups + group;
    const uint4 d0 = dy[a], d1 = dy[b], x0 = x[a], x1 = x[b];
    const uint4 y0 = mask == FROM_Y ? y[a] : none, y1 = mask == FROM_Y ? y[b] : none;
    add(d0, x0, y0, a);
    add(d1, x1, y1, b);
  }
  for (; row < rows; row += stride) {
    const i64 a = row * groups + group;
    add(dy[a], x[a], mask == FROM_Y ? y[a] : none, a);
  }
  block_sums(sum, product, groups, partial);
}

// From the sums to the gradients of weight and bias, and to terms[3][channels]: dx = dz * t0 + x * t1 + t2.
extern "C" __global__ void __launch_bounds__(THREADS)
    norm_gradient_end(const float* __restrict__ partial, int blocks, i64 rows, int channels,
                      const float* __restrict__ saved, float* __restrict__ weight_gradient,
                      float* __restrict__ bias_gradient, float* __restrict__ terms) {
  int channel;
  double sum, product;
  if (!all_sums(partial, blocks, channels, channel, sum, product)) {
    return;
  }
  const double n = double(rows), mean = saved[channel], inverse = saved[channels + channel];
  const double scale = saved[2 * channels + channel];
  weight_gradient[channel] = float(product * inverse);
  bias_gradient[channel] = float(sum);
  const double slope = -scale * inverse * inverse * product / n;
  terms[channel] = float(scale);
  terms[channels + channel] = float(slope);
  terms[2 * channels + channel] = float(-scale * sum / n - slope * mean);
}

// `dz` is the gradient as it comes for PLAIN and FROM_X, and the masked one for FROM_Y.
extern "C" __global__ void __launch_bounds__(THREADS)
    norm_gradient(const uint4* __restrict__ dz, const uint4* __restrict__ x, uint4* __restrict__ dx, i64 count, int groups,
                  const float* __restrict__ saved, const float* __restrict__ terms, int mask) {
  const int group = threadIdx.x % groups, channels = 8 * groups;
  const i64 stride = i64(gridDim.x) * THREADS;
  float scale[8], shift[8], t0[8], t1[8], t2[8];
  load_eight(saved + 2 * channels, group, scale);
  load_eight(saved + 3 * channels, group, shift);
  load_eight(terms, group, t0);
  load_eight(terms + channels, group, t1);
  load_eight(terms + 2 * channels, group, t2);
  const auto one = [&](const uint4& gradient, const uint4& input) {
    float d[8], f[8];
    unpack(gradient, d);
    unpack(input, f);
#pragma unroll
    for (int k = 0; k < 8; ++k) {
      const bool open = mask != FROM_X || fmaf(f[k], scale[k], shift[k]) > 0.f;
      d[k] = fmaf(open ? d[k] : 0.f, t0[k], fmaf(f[k], t1[k], t2[k]));
    }
    return pack(d);
  };
  i64 i = i64(blockIdx.x) * THREADS + threadIdx.x;
  for (; i + stride < count; i += 2 * stride) {
    const uint4 d0 = dz[i], d1 = dz[i + stride], x0 = x[i], x1 = x[i + stride];
    dx[i] = one(d0, x0);
    dx[i + stride] = one(d1, x1);
  }
  if (i < count) {
    dx[i] = one(dz[i], x[i]);
  }
}

// Largest of 3 x 3 with stride 2 and padding 1; `places` keeps which of the nine it was, the first of equals.
extern "C" __global__ void __launch_bounds__(THREADS)
    max_pool(const uint4* __restrict__ x, uint4* __restrict__ y, uint2* __restrict__ places, i64 count, int groups,
             int height, int width, int out_height, int out_width) {
  const i64 i = i64(blockIdx.x) * THREADS + threadIdx.x;
  if (i >= count) {
    return;
  }
  const int group = int(i % groups);
  i64 rest = i / groups;
  const int column = int(rest % out_width);
  rest /= out_width;
  const int row = int(rest % out_height);
  const i64 image = rest / out_height;
  float best[8];
  unsigned place[8];
#pragma unroll
  for (int k = 0; k < 8; ++k) {
    best[k] = __int_as_float(0xff800000);
    place[k] = 4;
  }
#pragma unroll
  for (int p = 0; p < 9; ++p) {
    const int h = 2 * row - 1 + p / 3, w = 2 * column - 1 + p % 3;
    if (h < 0 || h >= height || w < 0 || w >= width) {
      continue;
    }
    float f[8];
    unpack(x[((image * height + h) * width + w) * groups + group], f);
#pragma unroll
    for (int k = 0; k < 8; ++k) {
      // A NaN wins, as in PyTorch, so that it is seen in the loss.
      if (f[k] > best[k] || f[k] != f[k]) {
        best[k] = f[k];
        place[k] = p;
      }
    }
  }
  y[i] = pack(best);
  places[i] = make_uint2(place[0] | place[1] << 8 | place[2] << 16 | place[3] << 24,
                         place[4] | place[5] << 8 | place[6] << 16 | place[7] << 24);
}

// Every pixel lies in at most four windows; their gradients are added in a fixed order.
extern "C" __global__ void __launch_bounds__(THREADS)
    max_pool_gradient(const uint4* __restrict__ dy, const uint2* __restrict__ places, uint4* __restrict__ dx, i64 count,
                      int groups, int height, int width, int out_height, int out_width) {
  const i64 i = i64(blockIdx.x) * THREADS + threadIdx.x;
  if (i >= count) {
    return;
  }
  const int group = int(i % groups);
  i64 rest = i / groups;
  const int w = int(rest % width);
  rest /= width;
  const int h = int(rest % height);
  const i64 image = rest / height;
  float sum[8] = {};
#pragma unroll
  for (int p = 0; p < 9; ++p) {
    const int up = h + 1 - p / 3, left = w + 1 - p % 3;
    if (up < 0 || left < 0 || (up & 1) || (left & 1) || up / 2 >= out_height || left / 2 >= out_width) {
      continue;
    }
    const i64 at = ((image * out_height + up / 2) * out_width + left / 2) * groups + group;
    const uint2 place = places[at];
    float d[8];
    unpack(dy[at], d);
#pragma unroll
    for (int k = 0; k < 8; ++k) {
      const unsigned word = k < 4 ? place.x : place.y;
      if (((word >> (8 * (k % 4))) & 0xff) == p) {
        sum[k] += d[k];
      }
    }
  }
  dx[i] = pack(sum);
}

// Adds the value at (x, y), in pixels from the centre of the first one; black outside.
__device__ __forceinline__ void bilinear(const unsigned char* image, int height, int width, float x, float y,
                                         float (&sum)[3]) {
  const float left = floorf(x), top = floorf(y), fx = x - left, fy = y - top;
#pragma unroll
  for (int corner = 0; corner < 4; ++corner) {
    const float weight = (corner % 2 ? fx : 1 - fx) * (corner / 2 ? fy : 1 - fy);
    const int column = int(left) + corner % 2, row = int(top) + corner / 2;
    if (column >= 0 && row >= 0 && column < width && row < height) {
      const unsigned char* pixel = image + (i64(row) * width + column) * 3;
#pragma unroll
      for (int c = 0; c < 3; ++c) {
        sum[c] += weight * pixel[c];
      }
    }
  }
}

// A pixel of the result a thread: the steps of `numbers` lead back to the source. As `learn::sample` does it on the host.
extern "C" __global__ void __launch_bounds__(THREADS)
    sample_pixels(const unsigned char* __restrict__ pixels, const i64* __restrict__ rows,
                  const float* __restrict__ numbers, int pieces, int height, int width, int out_height, int out_width,
                  i64 count, float scale0, float scale1, float scale2, float shift0, float shift1, float shift2,
                  float* __restrict__ out) {
  const i64 i = i64(blockIdx.x) * THREADS + threadIdx.x;
  if (i >= count) {
    return;
  }
  const int column = int(i % out_width), row = int(i / out_width % out_height);
  const i64 n = i / out_width / out_height;
  const unsigned char* image = pixels + rows[n] * height * width * 3;
  const float* own = numbers + n * (1 + 10 * pieces);
  const int finer = int(own[0]);
  float sum[3] = {};
  for (int s = 0; s < finer * finer; ++s) {
    float x = column + (s % finer + 0.5f) / finer - out_width * 0.5f;
    float y = row + (s / finer + 0.5f) / finer - out_height * 0.5f;
    for (int p = 0; p < pieces; ++p) {
      const float* m = own + 1 + 10 * p;
      const float u = m[0] * x + m[1] * y + m[4], v = m[2] * x + m[3] * y + m[5];
      x = fminf(fmaxf(u, m[6]), m[8]);
      y = fminf(fmaxf(v, m[7]), m[9]);
    }
    bilinear(image, height, width, x + width * 0.5f - 0.5f, y + height * 0.5f - 0.5f, sum);
  }
  const float share = 1.f / (finer * finer);
  out[3 * i] = sum[0] * share * scale0 + shift0;
  out[3 * i + 1] = sum[1] * share * scale1 + shift1;
  out[3 * i + 2] = sum[2] * share * scale2 + shift2;
}
