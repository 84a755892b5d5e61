#include <cmath>
#include <limits>

#include <Eigen/QR>

#include "compress/low_rank/factors.h"
#include "core/rng.h"

namespace coppice::compress {

namespace {

constexpr double kStillFit = 1e-9;
constexpr int kStarts = 3;  ///< the first from singular vectors

/// Rows (a, b) -> a * b.rows() + b of the products of rows, column by column.
Matrix khatri_rao(const Matrix& a, const Matrix& b) {
  Matrix product(a.rows() * b.rows(), a.cols());
  for (int64_t i = 0; i < a.rows(); ++i) {
    product.middleRows(i * b.rows(), b.rows()) = b * a.row(i).asDiagonal();
  }
  return product;
}

/// The unfoldings of a kernel along each of its four sides; columns go over the other three in
/// order.
std::vector<Matrix> unfoldings(const Kernel& k) {
  Matrix by_y(k.height, k.out * k.in * k.width);
  Matrix by_x(k.width, k.out * k.in * k.height);
  for (int64_t o = 0; o < k.out; ++o) {
    for (int64_t i = 0; i < k.in; ++i) {
      for (int64_t y = 0; y < k.height; ++y) {
        for (int64_t x = 0; x < k.width; ++x) {
          const double value = k.by_out(o, (i * k.height + y) * k.width + x);
          by_y(y, (o * k.in + i) * k.width + x) = value;
          by_x(x, (o * k.in + i) * k.height + y) = value;
        }
      }
    }
  }
  return {k.by_out, unfold_in(k), std::move(by_y), std::move(by_x)};
}

Matrix first_factor(const Matrix& unfolded, int64_t rank, bool random, core::Rng& rng) {
  Matrix factor(unfolded.rows(), rank);
  for (int64_t i = 0; i < factor.size(); ++i) {
    factor(i) = rng.normal();
  }
  if (!random) {
    const int64_t known = std::min<int64_t>(rank, unfolded.rows());
    factor.leftCols(known) = leading_vectors(unfolded, known);
  }
  return factor;
}

/// Scales the columns so that all four of one component have the same norm.
void balance(std::vector<Matrix>& factors) {
  for (int64_t r = 0; r < factors[0].cols(); ++r) {
    double product = 1;
    for (const Matrix& factor : factors) {
      product *= factor.col(r).norm();
    }
    for (Matrix& factor : factors) {
      const double norm = factor.col(r).norm();
      factor.col(r) *= norm > 0 ? std::pow(product, 0.25) / norm : 0;
    }
  }
}

/// Of the three other factors, in order.
Matrix others_of(const std::vector<Matrix>& f, size_t side) {
  switch (side) {
    case 0:
      return khatri_rao(khatri_rao(f[1], f[2]), f[3]);
    case 1:
      return khatri_rao(khatri_rao(f[0], f[2]), f[3]);
    case 2:
      return khatri_rao(khatri_rao(f[0], f[1]), f[3]);
    default:
      return khatri_rao(khatri_rao(f[0], f[1]), f[2]);
  }
}

/// Least squares for one factor with the others fixed. Components that cancel each other make it
/// singular, so the solver takes the shortest solution.
Matrix solve_factor(const Matrix& unfolded, const std::vector<Matrix>& factors, size_t side) {
  Matrix gram = Matrix::Ones(factors[0].cols(), factors[0].cols());
  for (size_t s = 0; s < factors.size(); ++s) {
    if (s != side) {
      gram = gram.cwiseProduct(factors[s].transpose() * factors[s]);
    }
  }
  const Matrix right = (unfolded * others_of(factors, side)).transpose();
  return gram.completeOrthogonalDecomposition().solve(right).transpose();
}

double descend(const std::vector<Matrix>& unfolded,
               std::vector<Matrix>& factors,
               int64_t max_iterations) {
  double error = std::numeric_limits<double>::infinity();
  for (int64_t i = 0; i < max_iterations; ++i) {
    for (size_t side = 0; side < factors.size(); ++side) {
      factors[side] = solve_factor(unfolded[side], factors, side);
      balance(factors);
    }
    const double before = error;
    error = (unfolded[0] - factors[0] * others_of(factors, 0).transpose()).norm();
    if (before - error <= kStillFit * unfolded[0].norm()) {
      break;
    }
  }
  return error;
}

}  // namespace

Matrix CpFactors::by_out() const {
  return out * khatri_rao(khatri_rao(in, vertical), horizontal).transpose();
}

CpFactors factor_cp(const Kernel& kernel, int64_t rank, int64_t max_iterations) {
  const std::vector<Matrix> unfolded = unfoldings(kernel);
  core::Rng rng(1);
  std::vector<Matrix> best;
  double best_error = std::numeric_limits<double>::infinity();
  for (int start = 0; start < kStarts; ++start) {
    std::vector<Matrix> factors;
    for (const Matrix& matrix : unfolded) {
      factors.push_back(first_factor(matrix, rank, start > 0, rng));
    }
    const double error = descend(unfolded, factors, max_iterations);
    if (best.empty() || error < best_error) {
      best = std::move(factors);
      best_error = error;
    }
  }
  return {std::move(best[0]), std::move(best[1]), std::move(best[2]), std::move(best[3])};
}

}  // namespace coppice::compress
