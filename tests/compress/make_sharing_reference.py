#!/usr/bin/python3
"""Writes sharing_reference.h: scikit-learn's k-means from evenly spread centres.

Run by hand when it changes: tests/compress/make_sharing_reference.py > tests/compress/sharing_reference.h
"""
import numpy as np
import sklearn
from sklearn.cluster import KMeans

rng = np.random.default_rng(7)
values = np.concatenate([rng.normal(-0.5, 0.2, 60), rng.normal(0.7, 0.1, 40)]).astype(np.float32)


def centres(count):
    start = np.linspace(values.min(), values.max(), count, dtype=np.float64).reshape(-1, 1)
    found = KMeans(count, init=start, n_init=1, max_iter=1000, tol=0, algorithm="lloyd").fit(
        values.astype(np.float64).reshape(-1, 1))
    return np.sort(found.cluster_centers_.ravel())


def row(name, numbers, kind):
    print(f"inline const std::vector<{kind}> {name}{{{', '.join(repr(float(n)) for n in numbers)}}};")


print(f"// Written by make_sharing_reference.py with scikit-learn {sklearn.__version__}.")
print("// clang-format off\n#pragma once\n\n#include <vector>\n\nnamespace coppice::compress::reference {\n")
print(f"inline const std::vector<float> kWeights{{{', '.join(f'{float(v)!r}F' for v in values)}}};")
row("kTwoCentres", centres(2), "double")
row("kFiveCentres", centres(5), "double")
row("kThreeCentres", centres(3), "double")
print("\n}  // namespace coppice::compress::reference")
