#pragma once

#include <ATen/core/ATen_fwd.h>

#include "graph/tensor.h"

namespace coppice::train {

/// A view of the same memory, which lives as long as either tensor does.
at::Tensor to_aten(const graph::Tensor& tensor);

/// A view of the same memory where `tensor` is contiguous on the CPU, a copy otherwise.
/// Throws Error{Unsupported} for a dtype that graph::DType lacks.
graph::Tensor to_graph(const at::Tensor& tensor);

}  // namespace coppice::train
