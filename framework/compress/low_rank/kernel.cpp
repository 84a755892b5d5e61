#include "compress/low_rank/kernel.h"

#include <Eigen/Eigenvalues>

namespace coppice::compress {

Kernel kernel_of(const graph::Tensor& weight) {
  Kernel kernel{.out = weight.dim(0), .in = weight.dim(1)};
  if (weight.shape().size() == 4) {
    kernel.height = weight.dim(2);
    kernel.width = weight.dim(3);
  }
  const int64_t columns = kernel.in * kernel.area();
  kernel.by_out.resize(kernel.out, columns);
  const auto values = weight.data<float>();
  for (int64_t o = 0; o < kernel.out; ++o) {
    for (int64_t c = 0; c < columns; ++c) {
      kernel.by_out(o, c) = static_cast<double>(values[static_cast<size_t>(o * columns + c)]);
    }
  }
  return kernel;
}

graph::Tensor tensor_of(const Matrix& matrix, graph::Shape shape) {
  graph::Tensor tensor(graph::DType::F32, std::move(shape));
  const auto values = tensor.data<float>();
  for (int64_t r = 0; r < matrix.rows(); ++r) {
    for (int64_t c = 0; c < matrix.cols(); ++c) {
      values[static_cast<size_t>(r * matrix.cols() + c)] = static_cast<float>(matrix(r, c));
    }
  }
  return tensor;
}

Matrix unfold_in(const Kernel& kernel) {
  const int64_t area = kernel.area();
  Matrix unfolded(kernel.in, kernel.out * area);
  for (int64_t i = 0; i < kernel.in; ++i) {
    for (int64_t o = 0; o < kernel.out; ++o) {
      unfolded.row(i).segment(o * area, area) = kernel.by_out.row(o).segment(i * area, area);
    }
  }
  return unfolded;
}

Kernel fold_in(const Matrix& matrix, int64_t out, int64_t height, int64_t width) {
  Kernel kernel{.out = out, .in = matrix.rows(), .height = height, .width = width};
  const int64_t area = kernel.area();
  kernel.by_out.resize(out, kernel.in * area);
  for (int64_t i = 0; i < kernel.in; ++i) {
    for (int64_t o = 0; o < out; ++o) {
      kernel.by_out.row(o).segment(i * area, area) = matrix.row(i).segment(o * area, area);
    }
  }
  return kernel;
}

Vector singular_values(const Matrix& matrix) {
  const Matrix gram = matrix.rows() <= matrix.cols() ? Matrix(matrix * matrix.transpose())
                                                     : Matrix(matrix.transpose() * matrix);
  const Eigen::SelfAdjointEigenSolver<Matrix> solver(gram, Eigen::EigenvaluesOnly);
  return solver.eigenvalues().reverse().cwiseMax(0).cwiseSqrt();
}

Matrix leading_vectors(const Matrix& matrix, int64_t count) {
  const Eigen::SelfAdjointEigenSolver<Matrix> solver(matrix * matrix.transpose());
  return solver.eigenvectors().rightCols(count).rowwise().reverse();
}

}  // namespace coppice::compress
