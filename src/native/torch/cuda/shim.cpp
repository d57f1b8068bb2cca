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
#include "launches.h"

namespace {

using namespace kfood_cuda;

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

// The kernels compiled for the GPU that is current when they are first asked for; started on the current stream.
struct Kernels {
  int (*start)(Function, unsigned, unsigned, unsigned, unsigned, unsigned, unsigned, unsigned, void*, void**, void**);
  Function statistics, statistics_end, apply, gradient_sums, gradient_end, gradient, pool, pool_gradient, sample;
  int multiprocessors;

  template <typename... Arguments>
  void launch(Function kernel, int64_t blocks, Arguments... arguments) const {
    void* pointers[] = {static_cast<void*>(&arguments)...};
    const int status = start(kernel, static_cast<unsigned>(blocks), 1, 1, kThreads, 1, 1, 0,
                             c10::cuda::getCurrentCUDAStream().stream(), pointers, nullptr);
    TORCH_CHECK(status == 0, "a kernel could not be started: CUDA error ", status);
  }
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
  kernels.start = symbol<decltype(kernels.start)>(driver, "cuLaunchKernel");
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

bool fits(const Tensor& x) {
  return x.is_cuda() && x.scalar_type() == at::kBFloat16 && x.dim() == 4 && Shape::serves(x.size(1));
}

Tensor channels_last(const Tensor& x) {
  return x.contiguous(at::MemoryFormat::ChannelsLast);
}

float* floats(const Tensor& x) {
  return x.data_ptr<float>();
}

Shape shape_of(const Tensor& x) {
  return Shape(x.numel(), x.size(1));
}

void* data(const Tensor& x) {
  return x.defined() ? x.data_ptr() : nullptr;
}

// BatchNorm over the batch's statistics, a residual added, rectified: three kernels forward, three back.
struct NormAct : torch::autograd::Function<NormAct> {
  static Tensor forward(AutogradContext* ctx, const Tensor& input, const Tensor& weight, const Tensor& bias,
                        const Tensor& running_mean, const Tensor& running_var, const Tensor& residual, bool rectify,
                        double momentum, double epsilon) {
    const Tensor x = channels_last(input);
    const Tensor r = residual.defined() ? channels_last(residual) : residual;
    const Shape shape = shape_of(x);
    const auto& k = kernels();
    const auto options = x.options().dtype(at::kFloat);
    const Tensor partial = at::empty({shape.summing(k.multiprocessors), 2, shape.channels}, options);
    const Tensor saved = at::empty({4, shape.channels}, options);
    Tensor y = at::empty_like(x);
    const Norm norm = {floats(weight), floats(bias), floats(running_mean), floats(running_var), momentum, epsilon};
    const int mask = norm_forward(k, shape, data(x), data(r), data(y), norm, rectify, floats(partial), floats(saved));
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
    const Tensor y = mask == kFromY ? tensors[2] : Tensor();
    const Shape shape = shape_of(x);
    const auto& k = kernels();
    const auto options = saved.options();
    const Tensor partial = at::empty({shape.summing(k.multiprocessors), 2, shape.channels}, options);
    const Tensor terms = at::empty({3, shape.channels}, options);
    Tensor weight_gradient = at::empty({shape.channels}, options), bias_gradient = at::empty({shape.channels}, options);
    Tensor dx = at::empty_like(x), dz = mask == kFromY ? at::empty_like(x) : Tensor();
    norm_backward(k, shape, data(dy), data(x), data(y), data(dz), data(dx), floats(saved), mask, floats(partial),
                  floats(terms), floats(weight_gradient), floats(bias_gradient));
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
    Tensor y = at::empty({x.size(0), x.size(1), pooled(x.size(2)), pooled(x.size(3))}, x.options(),
                         at::MemoryFormat::ChannelsLast);
    const Tensor places = at::empty({y.numel()}, x.options().dtype(at::kByte));
    pool_forward(kernels(), x.size(0), static_cast<int>(x.size(1) / 8), static_cast<int>(x.size(2)),
                 static_cast<int>(x.size(3)), data(x), data(y), data(places));
    ctx->saved_data["size"] = x.sizes().vec();
    ctx->save_for_backward({places});
    return y;
  }

  static variable_list backward(AutogradContext* ctx, variable_list gradients) {
    const auto size = ctx->saved_data["size"].toIntVector();
    const Tensor places = ctx->get_saved_variables()[0];
    const Tensor dy = channels_last(gradients[0]);
    Tensor dx = at::empty(size, dy.options(), at::MemoryFormat::ChannelsLast);
    pool_backward(kernels(), size[0], static_cast<int>(size[1] / 8), static_cast<int>(size[2]), static_cast<int>(size[3]),
                  data(dy), data(places), data(dx));
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
    kfood_cuda::sample(kernels(), data(*pixels), static_cast<int>(pixels->size(1)), static_cast<int>(pixels->size(2)),
                       data(*rows), data(*numbers), n, pieces, height, width, scale, shift, data(result));
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

}  // extern "C"
