// One step of an optimizer over lists of tensors, in libtorch's fused kernels where it has them and in its operations on lists
// elsewhere. Nothing here waits for the device, so that a step can be recorded as a CUDA graph.
//
// In all functions parameters without a gradient stand still, with their state. `lr` is a float scalar on the parameters' device,
// where a recorded step reads it; a double one on the CPU. `step` is a float scalar there too, and is increased before its use, as
// in torch.optim. State starts with zeros.
#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>

#include <initializer_list>
#include <vector>

#include "guarded.h"

namespace {

using Tensors = std::vector<at::Tensor>;

bool same_memory_order(const at::Tensor& a, const at::Tensor& b) {
  for (int64_t d = 0; d < a.dim(); ++d) {
    if (a.size(d) != 1 && a.stride(d) != b.stride(d)) {
      return false;
    }
  }
  return true;
}

struct Lists {
  Tensors params, grads;
  std::vector<Tensors> state;
};

// Parameters that got a gradient, with it and their state. The fused kernels walk memory linearly, so a gradient in another
// memory order than its parameter is brought into the parameter's.
Lists gather(at::Tensor** params, size_t n, std::initializer_list<at::Tensor**> states) {
  Lists lists;
  lists.state.resize(states.size());
  for (size_t i = 0; i < n; ++i) {
    at::Tensor& param = *params[i];
    at::Tensor grad = param.grad();
    if (!grad.defined()) {
      continue;
    }
    // The fused kernels do not look: a gradient or state of another shape would be read past its end.
    TORCH_CHECK(grad.sizes() == param.sizes(), "a gradient of shape ", grad.sizes(), " for a parameter of shape ",
                param.sizes());
    if (!same_memory_order(param, grad)) {
      grad = at::empty_like(param).copy_(grad);
    }
    lists.params.push_back(param);
    lists.grads.push_back(grad);
    size_t kind = 0;
    for (at::Tensor** state : states) {
      if (state != nullptr) {
        TORCH_CHECK(state[i]->sizes() == param.sizes(), "optimizer state of shape ", state[i]->sizes(),
                    " for a parameter of shape ", param.sizes());
        lists.state[kind].push_back(*state[i]);
      }
      ++kind;
    }
  }
  return lists;
}

Tensors gradients(at::Tensor** params, size_t n) {
  Tensors grads;
  for (size_t i = 0; i < n; ++i) {
    if (params[i]->grad().defined()) {
      grads.push_back(params[i]->grad());
    }
  }
  return grads;
}

// The norm of all these tensors as one vector.
at::Tensor norm(const Tensors& tensors) {
  return at::linalg_vector_norm(at::stack(at::_foreach_norm(tensors)));
}

Tensors collect(at::Tensor** tensors, size_t n) {
  Tensors list;
  for (size_t i = 0; i < n; ++i) {
    list.push_back(*tensors[i]);
  }
  return list;
}

}  // namespace

extern "C" {

// `momenta` is null without momentum. With buffers of zeros the first step is equal to every other one.
char* kfood_fused_sgd(at::Tensor** params, at::Tensor** momenta, size_t n, at::Tensor* lr,
                      double momentum, double weight_decay, bool nesterov) {
  return guarded([&] {
    at::NoGradGuard no_grad;
    Lists l = gather(params, n, {momenta});
    if (!l.params.empty()) {
      at::_fused_sgd_(l.params, l.grads, l.state[0], weight_decay, momentum, *lr, /*dampening=*/0.0, nesterov,
                      /*maximize=*/false, /*is_first_step=*/false);
    }
  });
}

char* kfood_fused_adam(at::Tensor** params, at::Tensor** means, at::Tensor** squares, at::Tensor* step, size_t n,
                       at::Tensor* lr, double beta1, double beta2, double weight_decay, double eps, bool decoupled) {
  return guarded([&] {
    at::NoGradGuard no_grad;
    Lists l = gather(params, n, {means, squares});
    if (l.params.empty()) {
      return;
    }
    step->add_(1);
    Tensors steps(l.params.size(), *step);
    if (decoupled) {
      at::_fused_adamw_(l.params, l.grads, l.state[0], l.state[1], {}, steps, *lr, beta1, beta2, weight_decay, eps,
                        /*amsgrad=*/false, /*maximize=*/false);
    } else {
      at::_fused_adam_(l.params, l.grads, l.state[0], l.state[1], {}, steps, *lr, beta1, beta2, weight_decay, eps,
                       /*amsgrad=*/false, /*maximize=*/false);
    }
  });
}

// `means` is null unless centered, `momenta` without momentum. Order of operations: torch/optim/rmsprop.py.
char* kfood_rmsprop(at::Tensor** params, at::Tensor** squares, at::Tensor** means, at::Tensor** momenta, size_t n,
                    at::Tensor* lr, double alpha, double momentum, double weight_decay, double eps) {
  return guarded([&] {
    at::NoGradGuard no_grad;
    Lists l = gather(params, n, {squares, means, momenta});
    if (l.params.empty()) {
      return;
    }
    if (weight_decay != 0) {
      l.grads = at::_foreach_add(l.grads, l.params, weight_decay);
    }
    at::_foreach_mul_(l.state[0], alpha);
    at::_foreach_addcmul_(l.state[0], l.grads, l.grads, 1 - alpha);
    Tensors spread = l.state[0];
    if (means != nullptr) {
      at::_foreach_lerp_(l.state[1], l.grads, 1 - alpha);
      spread = at::_foreach_addcmul(spread, l.state[1], l.state[1], -1);
    }
    Tensors denominators = at::_foreach_sqrt(spread);
    at::_foreach_add_(denominators, eps);
    Tensors updates;
    if (momenta != nullptr) {
      at::_foreach_mul_(l.state[2], momentum);
      at::_foreach_addcdiv_(l.state[2], l.grads, denominators);
      updates = at::_foreach_mul(l.state[2], *lr);
    } else {
      updates = at::_foreach_div(l.grads, denominators);
      at::_foreach_mul_(updates, *lr);
    }
    at::_foreach_sub_(l.params, updates);
  });
}

// `divisor`, a float scalar on the device, divides the gradients where it is given. Order of operations: timm/optim/lamb.py.
char* kfood_lamb(at::Tensor** params, at::Tensor** means, at::Tensor** squares, at::Tensor* step, size_t n,
                 at::Tensor* lr, at::Tensor* divisor, double beta1, double beta2, double weight_decay, double eps,
                 bool trust_clip, bool always_adapt) {
  return guarded([&] {
    at::NoGradGuard no_grad;
    Lists l = gather(params, n, {means, squares});
    if (l.params.empty()) {
      return;
    }
    if (divisor != nullptr) {
      l.grads = at::_foreach_div(l.grads, *divisor);
    }
    step->add_(1);
    // In double: 1 - 0.999 has no more than four good digits in float.
    at::Tensor steps = step->to(at::kDouble);
    at::Tensor first = (1 - at::pow(at::Scalar(beta1), steps)).to(at::kFloat);
    at::Tensor second = (1 - at::pow(at::Scalar(beta2), steps)).sqrt().to(at::kFloat);

    at::_foreach_lerp_(l.state[0], l.grads, 1 - beta1);
    at::_foreach_mul_(l.state[1], beta2);
    at::_foreach_addcmul_(l.state[1], l.grads, l.grads, 1 - beta2);
    Tensors denominators = at::_foreach_sqrt(l.state[1]);
    at::_foreach_div_(denominators, second);
    at::_foreach_add_(denominators, eps);
    Tensors updates = at::_foreach_div(l.state[0], first);
    at::_foreach_div_(updates, denominators);
    if (weight_decay != 0) {
      at::_foreach_add_(updates, l.params, weight_decay);
    }
    if (weight_decay != 0 || always_adapt) {
      at::Tensor weights = at::stack(at::_foreach_norm(l.params));
      at::Tensor sizes = at::stack(at::_foreach_norm(updates));
      at::Tensor ratios = at::where(weights.gt(0).logical_and(sizes.gt(0)), weights / sizes, 1.0);
      if (trust_clip) {
        ratios.clamp_max_(1.0);
      }
      at::_foreach_mul_(updates, ratios.mul(*lr).unbind());
    } else {
      at::_foreach_mul_(updates, *lr);
    }
    at::_foreach_sub_(l.params, updates);
  });
}

// The norm of all gradients as one vector into `to`, a float scalar on the device; 0 where there is none.
char* kfood_grad_norm(at::Tensor** params, size_t n, at::Tensor* to) {
  return guarded([&] {
    at::NoGradGuard no_grad;
    Tensors grads = gradients(params, n);
    if (grads.empty()) {
      to->zero_();
    } else {
      to->copy_(norm(grads));
    }
  });
}

// torch.nn.utils.clip_grad_norm_.
char* kfood_clip_grad_norm(at::Tensor** params, size_t n, double max_norm) {
  return guarded([&] {
    at::NoGradGuard no_grad;
    Tensors grads = gradients(params, n);
    if (!grads.empty()) {
      at::_foreach_mul_(grads, (max_norm / (norm(grads) + 1e-6)).clamp_max(1.0));
    }
  });
}

// torch.nn.utils.clip_grad_value_.
char* kfood_clip_grad_value(at::Tensor** params, size_t n, double value) {
  return guarded([&] {
    at::NoGradGuard no_grad;
    Tensors grads = gradients(params, n);
    if (!grads.empty()) {
      at::_foreach_clamp_min_(grads, -value);
      at::_foreach_clamp_max_(grads, value);
    }
  });
}

// Moves each tensor of `to` by `weight` towards its partner in `from`.
char* kfood_lerp(at::Tensor** to, at::Tensor** from, size_t n, double weight) {
  return guarded([&] {
    at::NoGradGuard no_grad;
    if (n > 0) {
      at::_foreach_lerp_(collect(to, n), collect(from, n), weight);
    }
  });
}

}  // extern "C"
