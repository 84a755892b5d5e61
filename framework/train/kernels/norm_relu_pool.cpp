#include "train/kernels/norm_relu_pool.h"

#include "core/every_cpu.h"
#include "train/kernels/plain_walks.h"
#include "train/kernels/pooling_walks.h"

namespace coppice::train {

namespace {

// Attributes that compile a function several times do not go onto templates: one plain function per
// type.
#define COPPICE_KERNELS(T)                                                                       \
  COPPICE_FOR_EVERY_CPU void sums_compiled(                                                      \
      const NormReluPool& op, const T* x, const T* centre, double* sum, double* squares) {       \
    kernels::sums_plain<T>(op, x, centre, sum, squares);                                         \
  }                                                                                              \
  COPPICE_FOR_EVERY_CPU void forward_compiled(const NormReluPool& op,                            \
                                              const T* x,                                        \
                                              const T* residual,                                 \
                                              const NormParameters<T>& norm,                     \
                                              T* y) {                                            \
    if (op.pool) {                                                                               \
      kernels::forward_pooled<T>(op, x, norm, y);                                                \
    } else {                                                                                     \
      kernels::forward_plain<T>(op, x, residual, norm, y);                                       \
    }                                                                                            \
  }                                                                                              \
  COPPICE_FOR_EVERY_CPU void backward_sums_compiled(const NormReluPool& op,                      \
                                                    const T* x,                                  \
                                                    const T* residual,                           \
                                                    const T* dy,                                 \
                                                    const NormParameters<T>& norm,               \
                                                    const T* mean,                               \
                                                    double* of_gradient,                         \
                                                    double* of_gradient_times_x,                 \
                                                    T* gradient) {                               \
    if (op.pool) {                                                                               \
      kernels::backward_sums_pooled<T>(op, x, dy, norm, mean, of_gradient, of_gradient_times_x); \
    } else {                                                                                     \
      kernels::backward_sums_plain<T>(                                                           \
          op, x, residual, dy, norm, mean, of_gradient, of_gradient_times_x, gradient);          \
    }                                                                                            \
  }                                                                                              \
  COPPICE_FOR_EVERY_CPU void backward_input_compiled(const NormReluPool& op,                     \
                                                     const T* x,                                 \
                                                     const T* dy,                                \
                                                     const NormParameters<T>& norm,              \
                                                     const InputGradient<T>& rule,               \
                                                     T* dx) {                                    \
    if (op.pool) {                                                                               \
      kernels::backward_input_pooled<T>(op, x, dy, norm, rule, dx);                              \
    } else {                                                                                     \
      kernels::backward_input_plain<T>(op, x, dy, norm, rule, dx);                               \
    }                                                                                            \
  }
COPPICE_KERNELS(float)
COPPICE_KERNELS(double)
#undef COPPICE_KERNELS

}  // namespace

template <class T>
void NormKernels<T>::sums(
    const NormReluPool& op, const T* x, const T* centre, double* sum, double* squares) {
  sums_compiled(op, x, centre, sum, squares);
}

template <class T>
void NormKernels<T>::forward(
    const NormReluPool& op, const T* x, const T* residual, const NormParameters<T>& norm, T* y) {
  forward_compiled(op, x, residual, norm, y);
}

template <class T>
void NormKernels<T>::backward_sums(const NormReluPool& op,
                                   const T* x,
                                   const T* residual,
                                   const T* dy,
                                   const NormParameters<T>& norm,
                                   const T* mean,
                                   double* of_gradient,
                                   double* of_gradient_times_x,
                                   T* gradient) {
  backward_sums_compiled(
      op, x, residual, dy, norm, mean, of_gradient, of_gradient_times_x, gradient);
}

template <class T>
void NormKernels<T>::backward_input(const NormReluPool& op,
                                    const T* x,
                                    const T* dy,
                                    const NormParameters<T>& norm,
                                    const InputGradient<T>& rule,
                                    T* dx) {
  backward_input_compiled(op, x, dy, norm, rule, dx);
}

template struct NormKernels<float>;
template struct NormKernels<double>;

}  // namespace coppice::train
