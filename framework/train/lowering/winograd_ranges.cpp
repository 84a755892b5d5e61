#include "train/lowering/winograd_ranges.h"

#include <ATen/Parallel.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/zeros.h>

namespace coppice::train {

namespace {

at::Tensor transform(const Winograd& op, const at::Tensor& weight, bool turn) {
  at::Tensor transformed = at::empty({op.transformed()}, weight.options());
  winograd_weights(op, weight.data_ptr<float>(), turn, transformed.data_ptr<float>());
  return transformed;
}

at::Tensor empty_images(const Winograd& op, int64_t channels, const at::Tensor& like) {
  return at::empty({op.samples, channels, op.height, op.width},
                   like.options().memory_format(at::MemoryFormat::ChannelsLast));
}

Winograd winograd_of(const at::Tensor& x, const at::Tensor& weight) {
  return {x.size(0), x.size(2), x.size(3), weight.size(1), weight.size(0)};
}

/// Where a sample's images begin; null where there are none.
float* images_of(const at::Tensor& images, int64_t sample) {
  return images.defined() ? images.data_ptr<float>() + sample * images.stride(0) : nullptr;
}

}  // namespace

WinogradForward::WinogradForward(const at::Tensor& x, const at::Tensor& weight)
    : op_(winograd_of(x, weight)),
      x_(x),
      transformed_(transform(op_, weight.contiguous(), /*turn=*/false)),
      y_(empty_images(op_, op_.out, x)) {}

void WinogradForward::run(int64_t begin, int64_t samples, float* scratch) const {
  Winograd op = op_;
  op.samples = samples;
  winograd_forward(op,
                   images_of(x_, begin),
                   transformed_.data_ptr<float>(),
                   /*added=*/nullptr,
                   images_of(y_, begin),
                   scratch);
}

WinogradBackward::WinogradBackward(const at::Tensor& x,
                                   const at::Tensor& weight,
                                   const at::Tensor& of_others,
                                   bool wants_dx,
                                   bool wants_dw)
    : op_(winograd_of(x, weight)), x_(x) {
  if (wants_dx) {
    dx_ = empty_images(op_, op_.in, x);
    turned_weight_ = transform(op_, weight.contiguous(), /*turn=*/true);
    added_ =
        of_others.defined() ? of_others.contiguous(at::MemoryFormat::ChannelsLast) : at::Tensor();
  }
  if (wants_dw) {
    sums_ = at::zeros({at::get_num_threads(), op_.transformed()}, x.options());
  }
}

void WinogradBackward::run(int64_t begin, int64_t samples, const float* dy, float* scratch) const {
  Winograd op = op_;
  op.samples = samples;
  if (dx_.defined()) {
    winograd_forward(op.turned(),
                     dy,
                     turned_weight_.data_ptr<float>(),
                     images_of(added_, begin),
                     images_of(dx_, begin),
                     scratch);
  }
  if (sums_.defined()) {
    winograd_gradient(op,
                      images_of(x_, begin),
                      dy,
                      sums_.data_ptr<float>() + at::get_thread_num() * op.transformed(),
                      scratch);
  }
}

at::Tensor WinogradBackward::dw() const {
  if (!sums_.defined()) {
    return {};
  }
  at::Tensor dw = at::empty({op_.out, op_.in, 3, 3}, x_.options());
  winograd_weight_gradient(op_, sums_.size(0), sums_.data_ptr<float>(), dw.data_ptr<float>());
  return dw;
}

}  // namespace coppice::train
