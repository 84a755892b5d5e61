#pragma once

#include <vector>

#include "compress/low_rank/kernel.h"

namespace coppice::compress {

/// Matrix ~ left x right, of a rank, with the least squared error (Eckart and Young, 1936); the
/// singular values are shared evenly, so that both sides train alike.
struct SvdFactors {
  Matrix left;   ///< out x rank
  Matrix right;  ///< rank x in
};

SvdFactors factor_svd(const Matrix& matrix, int64_t rank);

/// W[o, i, y, x] ~ sum over a, b of out[o, a] core[a, b, y, x] in[i, b], with orthonormal columns.
struct TuckerFactors {
  Matrix out;   ///< out x rank_out
  Matrix in;    ///< in x rank_in
  Kernel core;  ///< rank_out x rank_in x height x width

  Matrix by_out() const;  ///< the kernel that they make
};

/// Tucker-2 by higher-order orthogonal iteration (De Lathauwer et al., SIAM 2000; Kim et al., ICLR
/// 2016), from the truncated higher-order SVD, until the core's norm stands still.
TuckerFactors factor_tucker(const Kernel& kernel,
                            int64_t rank_out,
                            int64_t rank_in,
                            int64_t max_iterations);

/// W[o, i, y, x] ~ sum over r of out[o, r] in[i, r] vertical[y, r] horizontal[x, r].
struct CpFactors {
  Matrix out;
  Matrix in;
  Matrix vertical;
  Matrix horizontal;

  Matrix by_out() const;
};

/// CP by alternating least squares (Carroll and Chang, 1970; Lebedev et al., ICLR 2015), until the
/// fit stands still; the best of a start from the singular vectors and two random ones. The columns
/// of one r have equal norms.
CpFactors factor_cp(const Kernel& kernel, int64_t rank, int64_t max_iterations);

/// How many singular values are signal, and the variance of the noise.
struct VbmfRank {
  int64_t rank = 0;
  double noise = 0;
};

/// Empirical variational Bayesian matrix factorisation, the global analytic solution (Nakajima,
/// Sugiyama, Babacan and Tomioka, JMLR 14, 2013, theorem 2 and section 4). `values`: every singular
/// value of a rows x columns matrix.
VbmfRank vbmf_rank(const Vector& values, int64_t rows, int64_t columns);

/// Fewest values that hold `share` of the sum of squares; at least 1.
int64_t rank_of_energy(const Vector& values, double share);

}  // namespace coppice::compress
