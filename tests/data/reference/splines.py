"""Prints tests/data/reference/splines.h: SciPy's CubicSpline (not-a-knot) through six values, at 21 steps."""
import numpy as np
from scipy.interpolate import CubicSpline

KNOTS = [1.1, 0.7, 1.3, 0.9, 1.05, 0.8]
curve = CubicSpline(np.linspace(0, 20, 6), KNOTS)(np.arange(21))
print("#pragma once\n\n// Written by splines.py.\nnamespace coppice::data::test {\n")
print("inline constexpr double kSplineKnots[6] = {" + ", ".join(map(str, KNOTS)) + "};")
print("inline constexpr double kSplineCurve[21] = {" + ", ".join(f"{v:.15g}" for v in curve) + "};")
print("\n}  // namespace coppice::data::test")
