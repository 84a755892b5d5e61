#pragma once

#include <string>

#include "c_source/source.h"
#include "graph/tensor.h"

namespace coppice::c_source {

/// Which form of a layer's function is wanted.
struct LayerForm {
  graph::DType input = graph::DType::F32;  ///< F32: a layer in float
  graph::DType output = graph::DType::F32;
  bool input_zero = false;  ///< the input's zero point is not 0
  bool residual = false;
  graph::DType residual_type = graph::DType::F32;
};

/// Each defines a function in the file, with all that it needs, and gives its name.
///
/// conv(const conv_sizes*, const layer*, const X* x, [const R* residual,] Y* y)
std::string define_convolution(Source& source, const LayerForm& form);
/// dense(int32_t in, int32_t out, const layer*, const X* x, [const R* residual,] Y* y)
std::string define_dense(Source& source, const LayerForm& form);

/// quantise(float value, int32_t zero): rounds half to even and saturates, as the runtime does.
std::string define_quantise(Source& source, graph::DType dtype);

/// max_pool(const pool_sizes*, const X* x, X* y)
std::string define_max_pool(Source& source, graph::DType dtype);
/// average_pool(const pool_sizes*, const X* x, [float scale, int32_t zero,] float* y)
std::string define_average_pool(Source& source, graph::DType input);
/// mean(int32_t rows, int32_t count, const X* x, [float scale, int32_t zero,] float* y): of rows
std::string define_mean(Source& source, graph::DType input);
/// softmax(int32_t outer, int32_t length, int32_t inner, const float* x, float* y)
std::string define_softmax(Source& source);

/// "u8", "i8", "f32" as part of a name.
std::string type_suffix(graph::DType dtype);

}  // namespace coppice::c_source
