#!/usr/bin/python3
"""Writes low_rank_reference.h: singular values, HOOI and analytic EVBMF by numpy and scipy.

Run by hand when it changes: tests/compress/make_low_rank_reference.py > tests/compress/low_rank_reference.h
"""
import numpy as np
import scipy
from scipy.optimize import brentq, minimize_scalar

rng = np.random.default_rng(11)


def noisy(rows, columns, rank, noise):
    return (rng.normal(size=(rows, rank)) @ rng.normal(size=(rank, columns))
            + noise * rng.normal(size=(rows, columns))).astype(np.float32)


def unfold(tensor, mode):
    return np.moveaxis(tensor, mode, 0).reshape(tensor.shape[mode], -1)


def hooi(tensor, rank_out, rank_in):
    """Error of the best Tucker-2 approximation that alternating SVDs find."""
    out = np.linalg.svd(unfold(tensor, 0))[0][:, :rank_out]
    inner = np.linalg.svd(unfold(tensor, 1))[0][:, :rank_in]
    for _ in range(500):
        projected = np.einsum("oiyx,ib->obyx", tensor, inner)
        out = np.linalg.svd(unfold(projected, 0))[0][:, :rank_out]
        projected = np.einsum("oiyx,oa->aiyx", tensor, out)
        inner = np.linalg.svd(unfold(projected, 1))[0][:, :rank_in]
    core = np.einsum("oiyx,oa,ib->abyx", tensor, out, inner)
    made = np.einsum("abyx,oa,ib->oiyx", core, out, inner)
    return np.linalg.norm(tensor - made)


def evbmf(matrix):
    """Rank and noise variance, from the formulas of Nakajima et al., JMLR 2013, with scipy's solvers."""
    rows, columns = sorted(matrix.shape)
    alpha = rows / columns
    phi = lambda z: np.log1p(z) / z - 0.5
    tau_least = brentq(lambda t: phi(t) + phi(t / alpha), 1e-9, 100)
    x_least = (1 + tau_least) * (1 + alpha / tau_least)
    squares = np.linalg.svd(matrix.astype(np.float64), compute_uv=False) ** 2

    def energy(noise):
        x = squares / (columns * noise)
        signal = x[x > x_least]
        rest = x[x <= x_least]
        tau = 0.5 * (signal - (1 + alpha) + np.sqrt((signal - (1 + alpha)) ** 2 - 4 * alpha))
        return (np.sum(rest - np.log(rest)) + np.sum(signal - tau) + np.sum(np.log((tau + 1) / signal))
                + alpha * np.sum(np.log(tau / alpha + 1)))

    most = int(min(np.ceil(rows / (1 + alpha)) - 1, rows))
    low = max(squares[most] / (columns * x_least), squares[most:].mean() / columns)
    high = squares.sum() / (rows * columns)
    grid = np.geomspace(low, high, 4000)
    best = int(np.argmin([energy(n) for n in grid]))
    noise = minimize_scalar(energy, bounds=(grid[max(best - 1, 0)], grid[min(best + 1, len(grid) - 1)]),
                            method="bounded", options={"xatol": 1e-14}).x
    return int(np.sum(squares > columns * noise * x_least)), noise


def numbers(values):
    return ", ".join(f"{float(v)!r}F" for v in np.asarray(values).ravel())


print(f"// Written by make_low_rank_reference.py with numpy {np.__version__} and scipy {scipy.__version__}.")
print("// clang-format off\n#pragma once\n\n#include <cstdint>\n#include <vector>\n")
print("namespace coppice::compress::reference {\n")
matrix = noisy(6, 9, 3, 0.05)
print(f"/// 6 x 9.\ninline const std::vector<float> kMatrix{{{numbers(matrix)}}};")
values = np.linalg.svd(matrix.astype(np.float64), compute_uv=False)
print(f"inline const std::vector<double> kSingularValues{{{', '.join(repr(float(v)) for v in values)}}};\n")
kernel = (np.einsum("oa,ib,abyx->oiyx", rng.normal(size=(6, 3)), rng.normal(size=(5, 2)), rng.normal(size=(3, 2, 3, 3)))
          + 0.2 * rng.normal(size=(6, 5, 3, 3))).astype(np.float32)
print(f"/// 6 x 5 x 3 x 3.\ninline const std::vector<float> kKernel{{{numbers(kernel)}}};\n")
print("struct TuckerCase {\n  int64_t rank_out;\n  int64_t rank_in;\n  double error;\n};\n")
cases = ", ".join(f"{{{a}, {b}, {hooi(kernel.astype(np.float64), a, b)!r}}}"
                  for a, b in [(1, 1), (2, 1), (2, 2), (3, 2), (4, 3), (6, 5)])
print(f"inline const std::vector<TuckerCase> kTucker{{{cases}}};\n")
print("struct VbmfCase {\n  int64_t rows;\n  int64_t columns;\n  std::vector<double> singular_values;\n"
      "  int64_t rank;\n  double noise;\n};\n")
print("inline const std::vector<VbmfCase> kVbmf{")
for rows, columns, rank, noise in [(10, 40, 3, 0.5), (30, 20, 5, 1.0), (24, 24, 2, 2.0), (40, 100, 12, 0.1), (16, 64, 0, 1.0)]:
    made = noisy(rows, columns, rank, noise) if rank else rng.normal(size=(rows, columns)).astype(np.float32)
    found, variance = evbmf(made)
    values = np.linalg.svd(made.astype(np.float64), compute_uv=False)
    print(f"    {{{rows}, {columns}, {{{', '.join(repr(float(v)) for v in values)}}}, {found}, {float(variance)!r}}},")
print("};\n\n}  // namespace coppice::compress::reference")
