#include <Eigen/SVD>

#include "compress/low_rank/factors.h"

namespace coppice::compress {

SvdFactors factor_svd(const Matrix& matrix, int64_t rank) {
  const Eigen::BDCSVD<Matrix> svd(matrix, Eigen::ComputeThinU | Eigen::ComputeThinV);
  const Vector roots = svd.singularValues().head(rank).cwiseSqrt();
  return {svd.matrixU().leftCols(rank) * roots.asDiagonal(),
          roots.asDiagonal() * svd.matrixV().leftCols(rank).transpose()};
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
