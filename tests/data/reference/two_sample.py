"""Prints tests/data/reference/two_sample.h: distances and p-values of SciPy's two-sample Kolmogorov-Smirnov test,
and population stability indices by NumPy, of samples that the test makes by the same formulas."""
import numpy as np
from scipy.stats import kstwobign, ks_2samp


def samples(n, frequency, shift):
    return np.sin(frequency * np.arange(n)) + shift


def psi(before, after, bins):
    before = np.sort(before)
    edges = np.unique([before[len(before) * i // bins] for i in range(1, bins)])
    shares = [np.bincount(np.searchsorted(edges, v, side="right"), minlength=len(edges) + 1) / len(v) for v in (before, after)]
    p, q = (np.maximum(s, 1e-4) for s in shares)
    return float(np.sum((q - p) * np.log(q / p)))


print("#pragma once\n\n// Written by two_sample.py.\nnamespace coppice::data::test {\n")
print("struct TwoSampleCase {\n  int n;\n  int m;\n  double shift;\n  double distance;\n  double p_value;\n  double psi;\n};\n")
print("inline constexpr TwoSampleCase kTwoSampleCases[] = {")
for n, m, shift in [(60, 45, 0.0), (60, 45, 0.3), (200, 300, 0.1), (500, 400, 0.5), (1000, 1000, 0.05)]:
    a, b = samples(n, 1.0, 0.0), samples(m, 1.3, shift)
    d = ks_2samp(a, b).statistic
    root = np.sqrt(n * m / (n + m))
    p = kstwobign.sf((root + 0.12 + 0.11 / root) * d)
    print(f"    {{{n}, {m}, {shift}, {float(d)!r}, {float(p)!r}, {psi(a, b, 10)!r}}},")
print("};\n\n}  // namespace coppice::data::test")
