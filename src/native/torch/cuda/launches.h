// Which kernels of kernels.cu make an operation, on how many blocks and with which arguments. `Device` has the kernels by the names
// used here, starts one (`launch(kernel, blocks, arguments...)`, kThreads threads to a block), and says how many `multiprocessors` it
// has: a GPU in shim.cpp, and for the tests the threads of the host.
#pragma once

#include <algorithm>
#include <cstdint>

namespace kfood_cuda {

constexpr int64_t kThreads = 256;

// How the rectifier's mask is found in the gradient, as kernels.cu has it: there is none; from the input again; from the output.
constexpr int kPlain = 0, kFromX = 1, kFromY = 2;

// [n, c, h, w] in channels_last order as rows of channels, in pieces of eight.
struct Shape {
  int64_t rows, count;
  int channels, groups;

  Shape(int64_t numbers, int64_t width)
      : rows(numbers / width), count(numbers / 8), channels(static_cast<int>(width)), groups(static_cast<int>(width / 8)) {}

  static bool serves(int64_t channels) {
    const int64_t groups = channels / 8;
    return channels >= 8 && channels % 8 == 0 && groups <= kThreads && (groups & (groups - 1)) == 0;
  }

  // Blocks of a kernel that sums over rows: enough to fill the GPU, few enough that each has some rows of its own.
  int summing(int multiprocessors) const {
    const int64_t lanes = kThreads / groups;
    return static_cast<int>(std::max<int64_t>(1, std::min<int64_t>(4 * multiprocessors, rows / (lanes * 8))));
  }

  int64_t streaming(int multiprocessors) const {
    return std::max<int64_t>(1, std::min<int64_t>(16 * multiprocessors, (count + 2 * kThreads - 1) / (2 * kThreads)));
  }
};

// A thread to each.
inline int64_t blocks_of(int64_t threads) {
  return (threads + kThreads - 1) / kThreads;
}

// What a BatchNorm is made of; f32, one number for each channel.
struct Norm {
  const float *weight, *bias;
  float *running_mean, *running_var;
  double momentum, epsilon;
};

// y from x and `residual` (may be null), both bf16. `partial` is room for summing() x 2 x channels floats, `saved` for
// 4 x channels, which the gradient needs. Gives back how the gradient finds the rectifier's mask.
template <typename Device>
int norm_forward(const Device& device, const Shape& shape, const void* x, const void* residual, void* y, const Norm& norm,
                 bool rectify, float* partial, float* saved) {
  const int blocks = shape.summing(device.multiprocessors);
  device.launch(device.statistics, blocks, x, shape.rows, shape.groups, partial);
  device.launch(device.statistics_end, shape.channels / 8, x, partial, blocks, shape.rows, shape.channels, norm.weight,
                norm.bias, norm.running_mean, norm.running_var, static_cast<float>(norm.momentum),
                static_cast<float>(norm.epsilon), saved);
  device.launch(device.apply, shape.streaming(device.multiprocessors), x, residual, y, shape.count, shape.groups, saved,
                rectify ? 1 : 0);
  return !rectify ? kPlain : residual != nullptr ? kFromY : kFromX;
}

// dx and the gradients of weight and bias from dy. With kFromY, `y` is the output and `dz` gets the residual's gradient; else
// both are null, and the residual's gradient is dy. `terms` is room for 3 x channels floats.
template <typename Device>
void norm_backward(const Device& device, const Shape& shape, const void* dy, const void* x, const void* y, void* dz, void* dx,
                   const float* saved, int mask, float* partial, float* terms, float* weight_gradient,
                   float* bias_gradient) {
  const int blocks = shape.summing(device.multiprocessors);
  device.launch(device.gradient_sums, blocks, dy, x, y, dz, shape.rows, shape.groups, saved, mask, partial);
  device.launch(device.gradient_end, shape.channels / 8, partial, blocks, shape.rows, shape.channels, saved, weight_gradient,
                bias_gradient, terms);
  const void* masked = mask == kFromY ? dz : dy;
  device.launch(device.gradient, shape.streaming(device.multiprocessors), masked, x, dx, shape.count, shape.groups, saved,
                terms, mask);
}

// Height or width of what 3 x 3 with stride 2 and padding 1 makes.
constexpr int64_t pooled(int64_t side) {
  return (side - 1) / 2 + 1;
}

// [images, height, width, 8 groups] to y; `places` is room for a byte to each number of y.
template <typename Device>
void pool_forward(const Device& device, int64_t images, int groups, int height, int width, const void* x, void* y,
                  void* places) {
  const int out_height = static_cast<int>(pooled(height)), out_width = static_cast<int>(pooled(width));
  const int64_t count = images * out_height * out_width * groups;
  device.launch(device.pool, blocks_of(count), x, y, places, count, groups, height, width, out_height, out_width);
}

template <typename Device>
void pool_backward(const Device& device, int64_t images, int groups, int height, int width, const void* dy,
                   const void* places, void* dx) {
  const int out_height = static_cast<int>(pooled(height)), out_width = static_cast<int>(pooled(width));
  const int64_t count = images * height * width * groups;
  device.launch(device.pool_gradient, blocks_of(count), dy, places, dx, count, groups, height, width, out_height, out_width);
}

// Images `rows` of u8 [images, height, width, 3] to f32 [n, out_height, out_width, 3], by 1 + 10 `pieces` numbers each.
template <typename Device>
void sample(const Device& device, const void* pixels, int height, int width, const void* rows, const void* numbers, int64_t n,
            int pieces, int out_height, int out_width, const float* scale, const float* shift, void* out) {
  const int64_t count = n * out_height * out_width;
  if (count > 0) {
    device.launch(device.sample, blocks_of(count), pixels, rows, numbers, pieces, height, width, out_height, out_width, count,
                  scale[0], scale[1], scale[2], shift[0], shift[1], shift[2], out);
  }
}

}  // namespace kfood_cuda
