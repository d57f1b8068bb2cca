// The few pieces of libtorch that tch does not expose. ATen headers only, so that it compiles in seconds.
#include <ATen/ATen.h>
#include <ATen/Version.h>
#include <ATen/autocast_mode.h>

#include "guarded.h"

extern "C" {

void kfood_free(char* message) {
  std::free(message);
}

// A null gradient clears it, so that the next backward pass stores instead of adding.
char* kfood_set_grad(at::Tensor* param, at::Tensor* grad) {
  return guarded([&] { param->mutable_grad() = grad == nullptr ? at::Tensor() : *grad; });
}

char* kfood_autocast_enter(bool cuda) {
  return guarded([&] {
    auto kind = cuda ? at::kCUDA : at::kCPU;
    at::autocast::increment_nesting();
    at::autocast::set_autocast_dtype(kind, at::kBFloat16);
    at::autocast::set_autocast_enabled(kind, true);
  });
}

char* kfood_autocast_leave(bool cuda) {
  return guarded([&] {
    at::autocast::set_autocast_enabled(cuda ? at::kCUDA : at::kCPU, false);
    if (at::autocast::decrement_nesting() == 0) {
      at::autocast::clear_cache();
    }
  });
}

char* kfood_deterministic() {
  return guarded([&] {
    auto& context = at::globalContext();
    context.setDeterministicCuDNN(true);
    context.setBenchmarkCuDNN(false);
    context.setAllowTF32CuDNN(false);
    context.setAllowTF32CuBLAS(false);
  });
}

// How a training computes. Without determinism cuDNN tries its kernels out for each shape. Algorithms of ATen itself are made
// deterministic on a GPU alone: on the CPU they are for a number of threads, and oneDNN is slower with the flag. What has no such
// algorithm warns instead of failing.
char* kfood_training(bool cuda, bool deterministic, bool tf32) {
  return guarded([&] {
    auto& context = at::globalContext();
    context.setDeterministicCuDNN(deterministic);
    context.setBenchmarkCuDNN(!deterministic);
    context.setAllowTF32CuDNN(tf32);
    context.setAllowTF32CuBLAS(tf32);
    context.setDeterministicAlgorithms(cuda && deterministic, /*warn_only=*/true);
    // No result reads memory before it is written.
    context.setDeterministicFillUninitializedMemory(false);
  });
}

// `text` is to be handed back to kfood_free().
char* kfood_cpu_capability(char** text) {
  return guarded([&] { *text = strdup(at::get_cpu_capability().c_str()); });
}

}  // extern "C"
