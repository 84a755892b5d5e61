#include <cmath>

#include "compress/low_rank/factors.h"

namespace coppice::compress {

namespace {

constexpr double kStillCore = 1e-10;

/// Inputs projected: in x ... becomes rank x ...
Kernel project_in(const Kernel& kernel, const Matrix& in) {
  return fold_in(in.transpose() * unfold_in(kernel), kernel.out, kernel.height, kernel.width);
}

Kernel project_out(const Kernel& kernel, const Matrix& out) {
  return {.out = out.cols(),
          .in = kernel.in,
          .height = kernel.height,
          .width = kernel.width,
          .by_out = out.transpose() * kernel.by_out};
}

}  // namespace

Matrix TuckerFactors::by_out() const {
  return out * fold_in(in * unfold_in(core), core.out, core.height, core.width).by_out;
}

TuckerFactors factor_tucker(const Kernel& kernel,
                            int64_t rank_out,
                            int64_t rank_in,
                            int64_t max_iterations) {
  TuckerFactors factors{.out = {}, .in = leading_vectors(unfold_in(kernel), rank_in), .core = {}};
  double norm = 0;
  for (int64_t i = 0; i < max_iterations; ++i) {
    factors.out = leading_vectors(project_in(kernel, factors.in).by_out, rank_out);
    const Kernel projected = project_out(kernel, factors.out);
    factors.in = leading_vectors(unfold_in(projected), rank_in);
    factors.core = project_in(projected, factors.in);
    const double before = norm;
    norm = factors.core.norm();
    if (std::abs(norm - before) <= kStillCore * norm) {
      break;
    }
  }
  return factors;
}

}  // namespace coppice::compress
