#include "compress/low_rank/factors.h"

namespace coppice::compress {

/// By the eigenvectors of the smaller Gram matrix, in doubles: singular values below 1e-8 of the
/// largest are lost, which weights of floats have no digits for.
SvdFactors factor_svd(const Matrix& matrix, int64_t rank) {
  if (matrix.rows() > matrix.cols()) {
    const SvdFactors turned = factor_svd(matrix.transpose(), rank);
    return {turned.right.transpose(), turned.left.transpose()};
  }
  const Matrix vectors = leading_vectors(matrix, rank);
  const Matrix projected = vectors.transpose() * matrix;
  const Vector roots = projected.rowwise().norm().cwiseSqrt();
  const Vector inverses = (roots.array() > 0).select(roots.cwiseInverse(), 0.0);
  return {vectors * roots.asDiagonal(), inverses.asDiagonal() * projected};
}

int64_t rank_of_energy(const Vector& values, double share) {
  const double wanted = share * values.squaredNorm();
  double held = 0;
  for (int64_t rank = 1; rank < values.size(); ++rank) {
    held += values[rank - 1] * values[rank - 1];
    if (held >= wanted) {
      return rank;
    }
  }
  return values.size();
}

}  // namespace coppice::compress
