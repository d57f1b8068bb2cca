// The few pieces of libtorch that tch does not expose. ATen headers only, so that it compiles in seconds.
//
// Every function returns nullptr, or a message allocated with strdup() that the caller hands back to kfood_free():
// no exception crosses into Rust.
#include <ATen/ATen.h>
#include <ATen/Version.h>
#include <ATen/autocast_mode.h>

#include <cstdlib>
#include <cstring>
#include <exception>
#include <vector>

namespace {

template <typename Work>
char* guarded(Work work) noexcept {
  try {
    work();
    return nullptr;
  } catch (const c10::Error& e) {
    return strdup(e.what_without_backtrace());
  } catch (const std::exception& e) {
    return strdup(e.what());
  } catch (...) {
    return strdup("an unknown C++ exception");
  }
}

bool same_memory_order(const at::Tensor& a, const at::Tensor& b) {
  for (int64_t d = 0; d < a.dim(); ++d) {
    if (a.size(d) != 1 && a.stride(d) != b.stride(d)) {
      return false;
    }
  }
  return true;
}

struct Lists {
  std::vector<at::Tensor> params, grads, first, second;
};

// Parameters that got a gradient, with it and their state. The fused kernels walk memory linearly, so a gradient in another
// memory order than its parameter is brought into the parameter's.
Lists gather(at::Tensor** params, at::Tensor** first, at::Tensor** second, size_t n) {
  Lists lists;
  for (size_t i = 0; i < n; ++i) {
    at::Tensor& param = *params[i];
    at::Tensor grad = param.grad();
    if (!grad.defined()) {
      continue;
    }
    // The fused kernels do not look: a gradient or state of another shape would be read past its end.
    TORCH_CHECK(grad.sizes() == param.sizes(), "a gradient of shape ", grad.sizes(), " for a parameter of shape ",
                param.sizes());
    for (at::Tensor** state : {first, second}) {
      TORCH_CHECK(state == nullptr || state[i]->sizes() == param.sizes(), "optimizer state of shape ",
                  state == nullptr ? param.sizes() : state[i]->sizes(), " for a parameter of shape ", param.sizes());
    }
    if (!same_memory_order(param, grad)) {
      grad = at::empty_like(param).copy_(grad);
    }
    lists.params.push_back(param);
    lists.grads.push_back(grad);
    if (first != nullptr) {
      lists.first.push_back(*first[i]);
    }
    if (second != nullptr) {
      lists.second.push_back(*second[i]);
    }
  }
  return lists;
}

}  // namespace

extern "C" {

void kfood_free(char* message) {
  std::free(message);
}

// `lr` is a float scalar on the parameters' device, where a recorded step reads it; a double one on the CPU.
// `momenta` is null without momentum. Buffers of zeros make the first step equal to every other one.
char* kfood_fused_sgd(at::Tensor** params, at::Tensor** momenta, size_t n, at::Tensor* lr,
                      double momentum, double weight_decay, bool nesterov) {
  return guarded([&] {
    at::NoGradGuard no_grad;
    Lists l = gather(params, momenta, nullptr, n);
    if (!l.params.empty()) {
      at::_fused_sgd_(l.params, l.grads, l.first, weight_decay, momentum, *lr, /*dampening=*/0.0, nesterov,
                      /*maximize=*/false, /*is_first_step=*/false);
    }
  });
}

// `step` is a float scalar on the parameters' device; it is increased here, before its use, as in torch.optim.
char* kfood_fused_adam(at::Tensor** params, at::Tensor** means, at::Tensor** squares, at::Tensor* step, size_t n,
                       at::Tensor* lr, double beta1, double beta2, double weight_decay, double eps, bool decoupled) {
  return guarded([&] {
    at::NoGradGuard no_grad;
    Lists l = gather(params, means, squares, n);
    step->add_(1);
    if (l.params.empty()) {
      return;
    }
    std::vector<at::Tensor> steps(l.params.size(), *step);
    if (decoupled) {
      at::_fused_adamw_(l.params, l.grads, l.first, l.second, {}, steps, *lr, beta1, beta2, weight_decay, eps,
                        /*amsgrad=*/false, /*maximize=*/false);
    } else {
      at::_fused_adam_(l.params, l.grads, l.first, l.second, {}, steps, *lr, beta1, beta2, weight_decay, eps,
                       /*amsgrad=*/false, /*maximize=*/false);
    }
  });
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

// `text` is to be handed back to kfood_free().
char* kfood_cpu_capability(char** text) {
  return guarded([&] { *text = strdup(at::get_cpu_capability().c_str()); });
}

}  // extern "C"
