// What of CUDA neither tch nor libtorch's CPU half offers: graphs, memory statistics, and training kernels of our own with their
// gradients. Built as a library of its own, which the worker carries within itself and loads behind CUDA's half of libtorch:
// the worker needs no CUDA to start.
#include <ATen/ATen.h>
#include <ATen/cuda/CUDAGraph.h>
#include <c10/cuda/CUDACachingAllocator.h>
#include <c10/cuda/CUDAFunctions.h>
#include <c10/cuda/CUDAGuard.h>
#include <c10/cuda/CUDAStream.h>
#include <torch/csrc/autograd/custom_function.h>
#include <dlfcn.h>

#include <string>
#include <vector>

#include "../guarded.h"

namespace {

using at::Tensor;
using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

// ---- The driver and NVRTC, by the functions that are used: their headers are not needed, and a missing library is an error in words.

using Module = void*;
using Function = void*;

template <typename F>
F symbol(void* library, const char* name) {
  void* found = dlsym(library, name);
  TORCH_CHECK(found != nullptr, "there is no `", name, "` in CUDA's libraries");
  return reinterpret_cast<F>(found);
}

void* library(std::initializer_list<const char*> names) {
  for (const char* name : names) {
    if (void* handle = dlopen(name, RTLD_NOW | RTLD_GLOBAL)) {
      return handle;
    }
  }
  TORCH_CHECK(false, dlerror());
}

// The kernels compiled for the GPU that is current when they are first asked for.
struct Kernels {
  int (*launch)(Function, unsigned, unsigned, unsigned, unsigned, unsigned, unsigned, unsigned, void*, void**, void**);
  Function statistics, statistics_end, apply, gradient_sums, gradient_end, gradient, pool, pool_gradient, sample;
  int multiprocessors;
};

std::string source;

std::vector<char> compile(const std::string& architecture) {
  void* nvrtc = library({"libnvrtc.so.13", "libnvrtc.so.12", "libnvrtc.so"});
  using Program = void*;
  auto create = symbol<int (*)(Program*, const char*, const char*, int, const char* const*, const char* const*)>(
      nvrtc, "nvrtcCreateProgram");
  auto compile = symbol<int (*)(Program, int, const char* const*)>(nvrtc, "nvrtcCompileProgram");
  auto log_size = symbol<int (*)(Program, size_t*)>(nvrtc, "nvrtcGetProgramLogSize");
  auto log_text = symbol<int (*)(Program, char*)>(nvrtc, "nvrtcGetProgramLog");
  auto cubin_size = symbol<int (*)(Program, size_t*)>(nvrtc, "nvrtcGetCUBINSize");
  auto cubin = symbol<int (*)(Program, char*)>(nvrtc, "nvrtcGetCUBIN");
  auto destroy = symbol<int (*)(Program*)>(nvrtc, "nvrtcDestroyProgram");

  Program program = nullptr;
  TORCH_CHECK(create(&program, source.c_str(), "kernels.cu", 0, nullptr, nullptr) == 0, "NVRTC takes no program");
  const std::string target = "--gpu-architecture=" + architecture;
  const char* options[] = {target.c_str(), "--std=c++17"};
  if (compile(program, 2, options) != 0) {
    size_t size = 0;
    log_size(program, &size);
    std::string log(size, ' ');
    log_text(program, log.data());
    destroy(&program);
    TORCH_CHECK(false, "NVRTC cannot compile the kernels: ", log);
  }
  size_t size = 0;
  cubin_size(program, &size);
  std::vector<char> code(size);
  const int status = cubin(program, code.data());
  destroy(&program);
  TORCH_CHECK(status == 0 && size > 0, "NVRTC has no code for ", architecture);
  return code;
}

Kernels load() {
  // Makes the device's context current.
  const auto device = c10::cuda::current_device();
  at::empty({1}, at::TensorOptions().device(at::kCUDA, device));
  cudaDeviceProp properties;
  C10_CUDA_CHECK(cudaGetDeviceProperties(&properties, device));
  const auto code = compile("sm_" + std::to_string(properties.major) + std::to_string(properties.minor));

  void* driver = library({"libcuda.so.1"});
  Module module = nullptr;
  TORCH_CHECK(symbol<int (*)(Module*, const void*)>(driver, "cuModuleLoadData")(&module, code.data()) == 0,
              "the driver does not take the kernels");
  auto get = symbol<int (*)(Function*, Module, const char*)>(driver, "cuModuleGetFunction");
  const auto kernel = [&](const char* name) {
    Function found = nullptr;
    TORCH_CHECK(get(&found, module, name) == 0, "there is no kernel `", name, "`");
    return found;
  };
  Kernels kernels;
  kernels.launch = symbol<decltype(kernels.launch)>(driver, "cuLaunchKernel");
  kernels.statistics = kernel("norm_statistics");
  kernels.statistics_end = kernel("norm_statistics_end");
  kernels.apply = kernel("norm_apply");
  kernels.gradient_sums = kernel("norm_gradient_sums");
  kernels.gradient_end = kernel("norm_gradient_end");
  kernels.gradient = kernel("norm_gradient");
  kernels.pool = kernel("max_pool");
  kernels.pool_gradient = kernel("max_pool_gradient");
  kernels.sample = kernel("sample_pixels");
  kernels.multiprocessors = properties.multiProcessorCount;
  return kernels;
}

const Kernels& kernels() {
  static const Kernels loaded = load();
  return loaded;
}

constexpr int64_t kThreads = 256;

template <typename... Arguments>
void launch(Function kernel, int64_t blocks, Arguments... arguments) {
  void* pointers[] = {static_cast<void*>(&arguments)...};
  const int status = kernels().launch(kernel, static_cast<unsigned>(blocks), 1, 1, kThreads, 1, 1, 0,
                                      c10::cuda::getCurrentCUDAStream().stream(), pointers, nullptr);
  TORCH_CHECK(status == 0, "a kernel could not be started: CUDA error ", status);
}

// [n, c, h, w] in channels_last order as rows of channels.
struct Shape {
  int64_t rows, count;
  int channels, groups;

  explicit Shape(const Tensor& x) {
    channels = static_cast<int>(x.size(1));
    groups = channels / 8;
    rows = x.numel() / channels;
    count = x.numel() / 8;
  }

  // Blocks of a kernel that sums over rows: enough to fill the GPU, few enough that each has some rows of its own.
  int64_t summing() const {
    const int64_t lanes = kThreads / groups;
    const int64_t most = 4 * kernels().multiprocessors;
    return std::max<int64_t>(1, std::min(most, rows / (lanes * 8)));
  }

  int64_t streaming() const {
    const int64_t most = 16 * kernels().multiprocessors;
    return std::max<int64_t>(1, std::min(most, (count + 2 * kThreads - 1) / (2 * kThreads)));
  }
};

bool fits(const Tensor& x) {
  const int64_t groups = x.size(1) / 8;
  return x.is_cuda() && x.scalar_type() == at::kBFloat16 && x.dim() == 4 && x.size(1) % 8 == 0 && groups <= kThreads &&
         (groups & (groups - 1)) == 0;
}

Tensor channels_last(const Tensor& x) {
  return x.contiguous(at::MemoryFormat::ChannelsLast);
}

float* floats(const Tensor& x) {
  return x.data_ptr<float>();
}

constexpr int kPlain = 0, kFromX = 1, kFromY = 2;

// BatchNorm over the batch's statistics, a residual added, rectified: three kernels forward, three back.
struct NormAct : torch::autograd::Function<NormAct> {
  static Tensor forward(AutogradContext* ctx, const Tensor& input, const Tensor& weight, const Tensor& bias,
                        const Tensor& running_mean, const Tensor& running_var, const Tensor& residual, bool rectify,
                        double momentum, double epsilon) {
    const Tensor x = channels_last(input);
    const Tensor r = residual.defined() ? channels_last(residual) : residual;
    const Shape shape(x);
    const auto options = x.options().dtype(at::kFloat);
    const int blocks = static_cast<int>(shape.summing());
    const Tensor partial = at::empty({blocks, 2, shape.channels}, options.memory_format(std::nullopt));
    const Tensor saved = at::empty({4, shape.channels}, options);
    Tensor y = at::empty_like(x);
    const auto& k = kernels();
    launch(k.statistics, blocks, x.data_ptr(), shape.rows, shape.groups, floats(partial));
    launch(k.statistics_end, shape.channels / 8, x.data_ptr(), floats(partial), blocks, shape.rows, shape.channels,
           floats(weight), floats(bias), floats(running_mean), floats(running_var), static_cast<float>(momentum),
           static_cast<float>(epsilon), floats(saved));
    launch(k.apply, shape.streaming(), x.data_ptr(), r.defined() ? r.data_ptr() : nullptr, y.data_ptr(), shape.count,
           shape.groups, floats(saved), rectify ? 1 : 0);
    const int mask = !rectify ? kPlain : r.defined() ? kFromY : kFromX;
    ctx->saved_data["mask"] = static_cast<int64_t>(mask);
    ctx->saved_data["residual"] = r.defined();
    ctx->save_for_backward(mask == kFromY ? variable_list{x, saved, y} : variable_list{x, saved});
    return y;
  }

  static variable_list backward(AutogradContext* ctx, variable_list gradients) {
    const auto tensors = ctx->get_saved_variables();
    const Tensor &x = tensors[0], &saved = tensors[1];
    const int mask = static_cast<int>(ctx->saved_data["mask"].toInt());
    const Tensor dy = channels_last(gradients[0]);
    const Shape shape(x);
    const auto options = saved.options();
    const int blocks = static_cast<int>(shape.summing());
    const Tensor partial = at::empty({blocks, 2, shape.channels}, options);
    const Tensor terms = at::empty({3, shape.channels}, options);
    Tensor weight_gradient = at::empty({shape.channels}, options), bias_gradient = at::empty({shape.channels}, options);
    Tensor dx = at::empty_like(x), dz = mask == kFromY ? at::empty_like(x) : Tensor();
    const auto& k = kernels();
    launch(k.gradient_sums, blocks, dy.data_ptr(), x.data_ptr(), mask == kFromY ? tensors[2].data_ptr() : nullptr,
           dz.defined() ? dz.data_ptr() : nullptr, shape.rows, shape.groups, floats(saved), mask, floats(partial));
    launch(k.gradient_end, shape.channels / 8, floats(partial), blocks, shape.rows, shape.channels, floats(saved),
           floats(weight_gradient), floats(bias_gradient), floats(terms));
    launch(k.gradient, shape.streaming(), mask == kFromY ? dz.data_ptr() : dy.data_ptr(), x.data_ptr(), dx.data_ptr(),
           shape.count, shape.groups, floats(saved), floats(terms), mask);
    Tensor residual_gradient;
    if (ctx->saved_data["residual"].toBool()) {
      residual_gradient = mask == kFromY ? dz : dy;
    }
    return {dx, weight_gradient, bias_gradient, Tensor(), Tensor(), residual_gradient, Tensor(), Tensor(), Tensor()};
  }
};

struct MaxPool : torch::autograd::Function<MaxPool> {
  static Tensor forward(AutogradContext* ctx, const Tensor& input) {
    const Tensor x = channels_last(input);
    const int groups = static_cast<int>(x.size(1) / 8);
    const int height = static_cast<int>(x.size(2)), width = static_cast<int>(x.size(3));
    const int out_height = (height - 1) / 2 + 1, out_width = (width - 1) / 2 + 1;
    Tensor y = at::empty({x.size(0), x.size(1), out_height, out_width}, x.options(), at::MemoryFormat::ChannelsLast);
    const Tensor places = at::empty({y.numel()}, x.options().dtype(at::kByte));
    const int64_t count = y.numel() / 8;
    launch(kernels().pool, (count + kThreads - 1) / kThreads, x.data_ptr(), y.data_ptr(), places.data_ptr(), count, groups,
           height, width, out_height, out_width);
    ctx->saved_data["size"] = x.sizes().vec();
    ctx->save_for_backward({places});
    return y;
  }

  static variable_list backward(AutogradContext* ctx, variable_list gradients) {
    const auto size = ctx->saved_data["size"].toIntVector();
    const Tensor places = ctx->get_saved_variables()[0];
    const Tensor dy = channels_last(gradients[0]);
    Tensor dx = at::empty(size, dy.options(), at::MemoryFormat::ChannelsLast);
    const int64_t count = dx.numel() / 8;
    launch(kernels().pool_gradient, (count + kThreads - 1) / kThreads, dy.data_ptr(), places.data_ptr(), dx.data_ptr(),
           count, static_cast<int>(size[1] / 8), static_cast<int>(size[2]), static_cast<int>(size[3]),
           static_cast<int>(dy.size(2)), static_cast<int>(dy.size(3)));
    return {dx};
  }
};

// A captured graph with the stream that it was captured on.
struct Graph {
  at::cuda::CUDAGraph graph;
  c10::cuda::CUDAStream stream = c10::cuda::getStreamFromPool(/*isHighPriority=*/true);
};

}  // namespace

extern "C" {

// The text of kernels.cu; called once, before anything else.
void kfood_cuda_source(const char* text, size_t length) {
  source.assign(text, length);
}

// Whether the kernels can be compiled and loaded here.
char* kfood_cuda_ready() {
  return guarded([] { kernels(); });
}

// BatchNorm in training, plus `residual` (may be null), rectified if asked; `out` is to be freed by tch. Whether the tensor is
// one that the kernels take is told by `fits`: where it is false, nothing was done.
char* kfood_cuda_norm_act(Tensor* x, Tensor* weight, Tensor* bias, Tensor* running_mean, Tensor* running_var,
                          Tensor* residual, bool rectify, double momentum, double epsilon, bool* taken, Tensor** out) {
  return guarded([&] {
    *taken = fits(*x);
    if (*taken) {
      const Tensor r = residual == nullptr ? Tensor() : *residual;
      *out = new Tensor(
          NormAct::apply(*x, *weight, *bias, *running_mean, *running_var, r, rectify, momentum, epsilon));
    }
  });
}

char* kfood_cuda_max_pool(Tensor* x, bool* taken, Tensor** out) {
  return guarded([&] {
    *taken = fits(*x);
    if (*taken) {
      *out = new Tensor(MaxPool::apply(*x));
    }
  });
}

// `pixels` u8 [images, height, width, 3], `rows` i64 [n], `numbers` f32 [n, 1 + 10 pieces]; the result is f32 [n, 3, h, w].
char* kfood_cuda_sample(Tensor* pixels, Tensor* rows, Tensor* numbers, int pieces, int height, int width,
                        const float* scale, const float* shift, Tensor** out) {
  return guarded([&] {
    const int64_t n = rows->numel();
    TORCH_CHECK(pixels->is_cuda() && pixels->scalar_type() == at::kByte && pixels->is_contiguous(), "pixels of u8");
    TORCH_CHECK(numbers->numel() == n * (1 + 10 * pieces), "numbers for ", n, " images");
    const Tensor result = at::empty({n, 3, height, width}, numbers->options(), at::MemoryFormat::ChannelsLast);
    const int64_t count = n * height * width;
    if (count > 0) {
      launch(kernels().sample, (count + kThreads - 1) / kThreads, pixels->data_ptr(), rows->data_ptr(),
             numbers->data_ptr(), pieces, static_cast<int>(pixels->size(1)), static_cast<int>(pixels->size(2)), height,
             width, count, scale[0], scale[1], scale[2], shift[0], shift[1], shift[2], result.data_ptr());
    }
    *out = new Tensor(result);
  });
}

char* kfood_cuda_graph_new(Graph** out) {
  return guarded([&] { *out = new Graph(); });
}

void kfood_cuda_graph_free(Graph* graph) {
  guarded([&] { delete graph; });
}

// Runs `work` on the graph's stream: first for warming up, then to record it.
char* kfood_cuda_graph_on_stream(Graph* graph, bool capture, bool (*work)(void*), void* data) {
  return guarded([&] {
    const auto before = c10::cuda::getCurrentCUDAStream();
    before.synchronize();
    c10::cuda::CUDAStreamGuard guard(graph->stream);
    if (!capture) {
      work(data);
      graph->stream.synchronize();
      return;
    }
    graph->graph.capture_begin({0, 0}, cudaStreamCaptureModeThreadLocal);
    const bool fine = work(data);
    graph->graph.capture_end();
    TORCH_CHECK(fine, "the step could not be recorded");
  });
}

char* kfood_cuda_graph_replay(Graph* graph) {
  return guarded([&] { graph->graph.replay(); });
}

// Bytes that tensors hold now and held at most, and bytes taken from the device at most, since the last reset.
char* kfood_cuda_memory(int device, int64_t* now, int64_t* peak, int64_t* reserved) {
  return guarded([&] {
    const auto stats = c10::cuda::CUDACachingAllocator::getDeviceStats(static_cast<c10::DeviceIndex>(device));
    *now = stats.allocated_bytes[0].current;
    *peak = stats.allocated_bytes[0].peak;
    *reserved = stats.reserved_bytes[0].peak;
  });
}

char* kfood_cuda_reset_peak(int device) {
  return guarded([&] { c10::cuda::CUDACachingAllocator::resetPeakStats(static_cast<c10::DeviceIndex>(device)); });
}

// Free and all bytes of the device.
char* kfood_cuda_device_memory(size_t* free, size_t* total) {
  return guarded([&] { C10_CUDA_CHECK(cudaMemGetInfo(free, total)); });
}

char* kfood_cuda_empty_cache() {
  return guarded([] { c10::cuda::CUDACachingAllocator::emptyCache(); });
}

char* kfood_cuda_synchronize() {
  return guarded([] { c10::cuda::device_synchronize(); });
}

}  // extern "C"
