// One step of an optimizer, in libtorch's fused kernels where it has them and in its operations elsewhere. Parameters, gradients
// and state are flat: tensors of one dimension for many parameters. Nothing here waits for the device, so that a step can be
// recorded as a CUDA graph.
//
// In all functions `lr` is a float scalar on the parameters' device, where a recorded step reads it; a double one on the CPU.
// `step` is a float scalar there too, and is increased before its use, as in torch.optim. State starts with zeros.
#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>

#include <initializer_list>
#include <vector>

#include "guarded.h"

namespace {

using Tensors = std::vector<at::Tensor>;

Tensors collect(at::Tensor** tensors, size_t n) {
  Tensors list;
  list.reserve(n);
  for (size_t i = 0; i < n; ++i) {
    list.push_back(*tensors[i]);
  }
  return list;
}

// The fused kernels do not look: a gradient or state of another shape would be read past its end.
void same_shape(const at::Tensor& param, std::initializer_list<const at::Tensor*> others) {
  for (const at::Tensor* other : others) {
    TORCH_CHECK(other == nullptr || (other->sizes() == param.sizes() && other->strides() == param.strides()),
                "a gradient or state of shape ", other->sizes(), " for parameters of shape ", param.sizes());
  }
}

void same_shapes(const Tensors& params, std::initializer_list<const Tensors*> others) {
  for (const Tensors* list : others) {
    for (size_t i = 0; i < list->size(); ++i) {
      same_shape(params[i], {&(*list)[i]});
    }
  }
}

// The norm of all these tensors as one vector.
at::Tensor norm(const Tensors& tensors) {
  return at::linalg_vector_norm(at::stack(at::_foreach_norm(tensors)));
}

}  // namespace

extern "C" {

// Brings the gradients that a backward pass left with `leaves` into `to`, or adds them to it, and takes them from the leaves.
// Each becomes of the element type and memory order of its place.
char* kfood_collect_gradients(at::Tensor** leaves, at::Tensor** to, size_t n, bool add) {
  return guarded([&] {
    at::NoGradGuard no_grad;
    // By element type: libtorch takes a list of one type in one kernel on a GPU, and a mixed one tensor by tensor.
    Tensors grads[2], places[2];
    for (size_t i = 0; i < n; ++i) {
      at::Tensor& grad = leaves[i]->mutable_grad();
      TORCH_CHECK(grad.defined(), "the backward pass left no gradient for a parameter of shape ", leaves[i]->sizes());
      const bool same = grad.scalar_type() == to[i]->scalar_type();
      grads[same].push_back(std::move(grad));
      places[same].push_back(*to[i]);
      grad = at::Tensor();
    }
    for (const bool same : {false, true}) {
      if (grads[same].empty()) {
        continue;
      }
      if (add) {
        at::_foreach_add_(places[same], grads[same]);
      } else {
        at::_foreach_copy_(places[same], grads[same]);
      }
    }
  });
}

// `momenta` is null without momentum. With buffers of zeros the first step is equal to every other one.
char* kfood_fused_sgd(at::Tensor** params, at::Tensor** grads, at::Tensor** momenta, size_t n, at::Tensor* lr, double momentum,
                      double weight_decay, bool nesterov) {
  return guarded([&] {
    at::NoGradGuard no_grad;
    const Tensors weights = collect(params, n), gradients = collect(grads, n),
                  state = momenta == nullptr ? Tensors() : collect(momenta, n);
    same_shapes(weights, {&gradients, &state});
    at::_fused_sgd_(weights, gradients, state, weight_decay, momentum, *lr, /*dampening=*/0.0, nesterov,
                    /*maximize=*/false, /*is_first_step=*/false);
  });
}

char* kfood_fused_adam(at::Tensor** params, at::Tensor** grads, at::Tensor** means, at::Tensor** squares, size_t n,
                       at::Tensor* step, at::Tensor* lr, double beta1, double beta2, double weight_decay, double eps,
                       bool decoupled) {
  return guarded([&] {
    at::NoGradGuard no_grad;
    const Tensors weights = collect(params, n), gradients = collect(grads, n), mean = collect(means, n),
                  square = collect(squares, n);
    same_shapes(weights, {&gradients, &mean, &square});
    step->add_(1);
    const Tensors steps(n, *step);
    if (decoupled) {
      at::_fused_adamw_(weights, gradients, mean, square, {}, steps, *lr, beta1, beta2, weight_decay, eps,
                        /*amsgrad=*/false, /*maximize=*/false);
    } else {
      at::_fused_adam_(weights, gradients, mean, square, {}, steps, *lr, beta1, beta2, weight_decay, eps,
                       /*amsgrad=*/false, /*maximize=*/false);
    }
  });
}

// `means` is null unless centered, `momenta` without momentum. Order of operations: torch/optim/rmsprop.py.
char* kfood_rmsprop(at::Tensor* params, at::Tensor* grads, at::Tensor* squares, at::Tensor* means, at::Tensor* momenta,
                    at::Tensor* lr, double alpha, double momentum, double weight_decay, double eps) {
  return guarded([&] {
    at::NoGradGuard no_grad;
    same_shape(*params, {grads, squares, means, momenta});
    const at::Tensor grad = weight_decay != 0 ? grads->add(*params, weight_decay) : *grads;
    squares->mul_(alpha).addcmul_(grad, grad, 1 - alpha);
    at::Tensor spread = *squares;
    if (means != nullptr) {
      means->lerp_(grad, 1 - alpha);
      spread = spread.addcmul(*means, *means, -1);
    }
    const at::Tensor denominator = spread.sqrt().add_(eps);
    if (momenta != nullptr) {
      momenta->mul_(momentum).addcdiv_(grad, denominator);
      params->sub_(momenta->mul(*lr));
    } else {
      params->sub_(grad.div(denominator).mul_(*lr));
    }
  });
}

// A tensor for each parameter, for each has a step of its own length. `divisor`, a float scalar on the device, divides the
// gradients where it is given. Order of operations: timm/optim/lamb.py.
char* kfood_lamb(at::Tensor** params, at::Tensor** grads, at::Tensor** means, at::Tensor** squares, at::Tensor* step,
                 size_t n, at::Tensor* lr, at::Tensor* divisor, double beta1, double beta2, double weight_decay,
                 double eps, bool trust_clip, bool always_adapt) {
  return guarded([&] {
    at::NoGradGuard no_grad;
    if (n == 0) {
      return;
    }
    Tensors weights = collect(params, n), gradients = collect(grads, n), mean = collect(means, n),
            square = collect(squares, n);
    if (divisor != nullptr) {
      gradients = at::_foreach_div(gradients, *divisor);
    }
    step->add_(1);
    // In double: 1 - 0.999 has no more than four good digits in float.
    at::Tensor steps = step->to(at::kDouble);
    at::Tensor first = (1 - at::pow(at::Scalar(beta1), steps)).to(at::kFloat);
    at::Tensor second = (1 - at::pow(at::Scalar(beta2), steps)).sqrt().to(at::kFloat);

    at::_foreach_lerp_(mean, gradients, 1 - beta1);
    at::_foreach_mul_(square, beta2);
    at::_foreach_addcmul_(square, gradients, gradients, 1 - beta2);
    Tensors denominators = at::_foreach_sqrt(square);
    at::_foreach_div_(denominators, second);
    at::_foreach_add_(denominators, eps);
    Tensors updates = at::_foreach_div(mean, first);
    at::_foreach_div_(updates, denominators);
    if (weight_decay != 0) {
      at::_foreach_add_(updates, weights, weight_decay);
    }
    if (weight_decay != 0 || always_adapt) {
      at::Tensor lengths = at::stack(at::_foreach_norm(weights));
      at::Tensor sizes = at::stack(at::_foreach_norm(updates));
      at::Tensor ratios = at::where(lengths.gt(0).logical_and(sizes.gt(0)), lengths / sizes, 1.0);
      if (trust_clip) {
        ratios.clamp_max_(1.0);
      }
      at::_foreach_mul_(updates, ratios.mul(*lr).unbind());
    } else {
      at::_foreach_mul_(updates, *lr);
    }
    at::_foreach_sub_(weights, updates);
  });
}

// The norm of all gradients as one vector into `to`, a float scalar on the device; 0 where there is none. In this function and
// the next there is a tensor for each parameter: their norms are summed up in PyTorch's order.
char* kfood_grad_norm(at::Tensor** grads, size_t n, at::Tensor* to) {
  return guarded([&] {
    at::NoGradGuard no_grad;
    if (n == 0) {
      to->zero_();
    } else {
      to->copy_(norm(collect(grads, n)));
    }
  });
}

// torch.nn.utils.clip_grad_norm_.
char* kfood_clip_grad_norm(at::Tensor** grads, size_t n, double max_norm) {
  return guarded([&] {
    at::NoGradGuard no_grad;
    if (n > 0) {
      Tensors all = collect(grads, n);
      at::_foreach_mul_(all, (max_norm / (norm(all) + 1e-6)).clamp_max(1.0));
    }
  });
}

// torch.nn.utils.clip_grad_value_.
char* kfood_clip_grad_value(at::Tensor* grads, double value) {
  return guarded([&] {
    at::NoGradGuard no_grad;
    grads->clamp_(-value, value);
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
