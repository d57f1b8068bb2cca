// Does on the host what shim.cpp has a GPU do: `main OPERATION NUMBER...` reads its tensors from the standard input and writes its
// results to the standard output, one behind the other, as they lie in memory.
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <map>
#include <string>

#include "cuda.h"

#include "../kernels.cu"
#include "../launches.h"

namespace {

using namespace kfood_cuda;

// What launches.h says of kernels.cu.
static_assert(kThreads == THREADS && kPlain == PLAIN && kFromX == FROM_X && kFromY == FROM_Y);

#define KERNEL(name, function) decltype(&function) name = &function
struct Host {
  KERNEL(statistics, norm_statistics);
  KERNEL(statistics_end, norm_statistics_end);
  KERNEL(apply, norm_apply);
  KERNEL(gradient_sums, norm_gradient_sums);
  KERNEL(gradient_end, norm_gradient_end);
  KERNEL(gradient, norm_gradient);
  KERNEL(pool, max_pool);
  KERNEL(pool_gradient, max_pool_gradient);
  KERNEL(sample, sample_pixels);
  int multiprocessors = 1;

  template <typename Kernel, typename... Arguments>
  void launch(Kernel kernel, int64_t blocks, Arguments... arguments) const {
    launch_on_host(kernel, blocks, kThreads, arguments...);
  }
};

// Aligned as kernels need it. Room that is not read holds NaN, so that what a kernel leaves out is seen.
template <typename T>
struct Buffer {
  std::vector<uint4> room;
  size_t bytes;

  explicit Buffer(int64_t numbers) : bytes(numbers * sizeof(T)) {
    room.assign((bytes + sizeof(uint4) - 1) / sizeof(uint4), uint4{~0u, ~0u, ~0u, ~0u});
  }

  T* get() {
    return reinterpret_cast<T*>(room.data());
  }
};

template <typename T>
Buffer<T> read(int64_t numbers) {
  Buffer<T> buffer(numbers);
  if (std::fread(buffer.get(), 1, buffer.bytes, stdin) != buffer.bytes) {
    std::fprintf(stderr, "the input ends early\n");
    std::exit(1);
  }
  return buffer;
}

template <typename T>
void write(Buffer<T>& buffer) {
  std::fwrite(buffer.get(), 1, buffer.bytes, stdout);
}

using Half = uint16_t;

// multiprocessors, rows, channels, residual, rectify: x, gradient, residual if there is one, weight, bias, running mean, running variance;
// to y, dx, the residual's gradient if there is one, weight's, bias's, and the moved running mean and variance.
void norm(const std::vector<int64_t>& numbers) {
  Host host;
  host.multiprocessors = static_cast<int>(numbers[0]);
  const int64_t length = numbers[1] * numbers[2], channels = numbers[2];
  const bool with_residual = numbers[3] != 0, rectify = numbers[4] != 0;
  const Shape shape(length, channels);
  auto x = read<Half>(length), dy = read<Half>(length), residual = read<Half>(with_residual ? length : 0);
  auto weight = read<float>(channels), bias = read<float>(channels), mean = read<float>(channels),
       var = read<float>(channels);

  Buffer<Half> y(length), dx(length), dz(length);
  Buffer<float> partial(shape.summing(host.multiprocessors) * 2 * channels), saved(4 * channels), terms(3 * channels);
  Buffer<float> weight_gradient(channels), bias_gradient(channels);
  const Norm parameters = {weight.get(), bias.get(), mean.get(), var.get(), 0.1, 1e-5};
  const int mask = norm_forward(host, shape, x.get(), with_residual ? residual.get() : nullptr, y.get(), parameters, rectify,
                                partial.get(), saved.get());
  const bool from_y = mask == kFromY;
  norm_backward(host, shape, dy.get(), x.get(), from_y ? y.get() : nullptr, from_y ? dz.get() : nullptr, dx.get(),
                saved.get(), mask, partial.get(), terms.get(), weight_gradient.get(), bias_gradient.get());
  write(y);
  write(dx);
  if (with_residual) {
    write(from_y ? dz : dy);
  }
  write(weight_gradient);
  write(bias_gradient);
  write(mean);
  write(var);
}

// images, height, width, channels: x, and the gradient of y; to y and dx.
void pool(const std::vector<int64_t>& numbers) {
  const Host host;
  const int64_t images = numbers[0], channels = numbers[3];
  const int height = static_cast<int>(numbers[1]), width = static_cast<int>(numbers[2]);
  const int64_t length = images * height * width * channels, made = images * pooled(height) * pooled(width) * channels;
  auto x = read<Half>(length), dy = read<Half>(made);
  Buffer<Half> y(made), dx(length);
  Buffer<uint8_t> places(made);
  const int groups = static_cast<int>(channels / 8);
  pool_forward(host, images, groups, height, width, x.get(), y.get(), places.get());
  pool_backward(host, images, groups, height, width, dy.get(), places.get(), dx.get());
  write(y);
  write(dx);
}

// images, height, width, n, pieces, height and width of the result: pixels, rows, numbers, scale, shift; to the result.
void sampling(const std::vector<int64_t>& numbers) {
  const Host host;
  const int64_t n = numbers[3];
  const int height = static_cast<int>(numbers[1]), width = static_cast<int>(numbers[2]), pieces = static_cast<int>(numbers[4]);
  const int out_height = static_cast<int>(numbers[5]), out_width = static_cast<int>(numbers[6]);
  auto pixels = read<uint8_t>(numbers[0] * height * width * 3);
  auto rows = read<int64_t>(n);
  auto steps = read<float>(n * (1 + 10 * pieces)), scale = read<float>(3), shift = read<float>(3);
  Buffer<float> out(n * out_height * out_width * 3);
  kfood_cuda::sample(host, pixels.get(), height, width, rows.get(), steps.get(), n, pieces, out_height, out_width,
                     scale.get(), shift.get(), out.get());
  write(out);
}

}  // namespace

int main(int count, char** words) {
  const std::map<std::string, std::function<void(const std::vector<int64_t>&)>> all = {
      {"norm", norm}, {"pool", pool}, {"sample", sampling}};
  const auto found = count < 2 ? all.end() : all.find(words[1]);
  if (found == all.end()) {
    std::fprintf(stderr, "an operation of kernels.cu, and its numbers\n");
    return 2;
  }
  std::vector<int64_t> numbers;
  for (int i = 2; i < count; ++i) {
    numbers.push_back(std::atoll(words[i]));
  }
  found->second(numbers);
  return 0;
}
