#pragma once

#include <Eigen/Core>

#include "graph/tensor.h"

namespace coppice::compress {

using Matrix = Eigen::MatrixXd;
using Vector = Eigen::VectorXd;

/// A weight [out, in, height, width] (of a linear layer height and width are 1) in double
/// precision.
struct Kernel {
  int64_t out = 0;
  int64_t in = 0;
  int64_t height = 1;
  int64_t width = 1;
  Matrix by_out = {};  ///< out x (in height width), as it lies in memory

  int64_t area() const { return height * width; }

  double norm() const { return by_out.norm(); }
};

Kernel kernel_of(const graph::Tensor& weight);
graph::Tensor tensor_of(const Matrix& matrix, graph::Shape shape);  ///< row by row, as f32

/// in x (out height width).
Matrix unfold_in(const Kernel& kernel);
/// The kernel whose unfolding along inputs is `matrix`.
Kernel fold_in(const Matrix& matrix, int64_t out, int64_t height, int64_t width);

/// Singular values of a matrix, descending, from the smaller of its Gram matrices.
Vector singular_values(const Matrix& matrix);
/// Its `count` leading left singular vectors, as columns.
Matrix leading_vectors(const Matrix& matrix, int64_t count);

}  // namespace coppice::compress
