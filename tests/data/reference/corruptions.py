"""Prints tests/data/reference/corruptions.h: eight pixels of each corruption that draws nothing, in five severities, by NumPy
and SciPy (skimage's and OpenCV's filters are scipy.ndimage's with the same borders), of an image that the test makes too."""
import colorsys

import numpy as np
from scipy import ndimage

SIDE = 32
PICKS = [0, 31, 500, 777, 1024, 1555, 2100, 3071]


def image():
    y, x = np.mgrid[0:SIDE, 0:SIDE]
    planes = [0.5 + 0.45 * np.sin(0.9 * c + 0.31 * y + 0.43 * x + 0.02 * x * y) for c in range(3)]
    return np.stack(planes)


def per_plane(work):
    return lambda x, c: np.stack([work(plane, c) for plane in x])


def gaussian_blur(plane, sigma):
    return ndimage.gaussian_filter(plane, sigma, mode="nearest", truncate=4)


def defocus_blur(plane, c):
    radius, alias = c
    grid = np.arange(-8, 9)
    xx, yy = np.meshgrid(grid, grid)
    disk = (xx**2 + yy**2 <= radius**2).astype(float)
    disk /= disk.sum()
    taps = np.exp(-0.5 * np.arange(-1, 2) ** 2 / alias**2)
    taps /= taps.sum()
    kernel = ndimage.convolve(disk, np.outer(taps, taps), mode="mirror")
    return ndimage.correlate(plane, kernel, mode="mirror")


def clipped_zoom(plane, factor):
    cut = int(np.ceil(SIDE / factor))
    top = (SIDE - cut) // 2
    grown = ndimage.zoom(plane[top : top + cut, top : top + cut], factor, order=1)
    trim = (grown.shape[0] - SIDE) // 2
    return grown[trim : trim + SIDE, trim : trim + SIDE]


def zoom_blur(plane, steps):
    out = sum(clipped_zoom(plane, 1 + 0.01 * i) for i in range(steps + 1))
    return (plane + out) / (steps + 2)


def contrast(plane, c):
    return (plane - plane.mean()) * c + plane.mean()


def in_hsv(change):
    def work(x, c):
        out = np.empty_like(x)
        for y in range(SIDE):
            for k in range(SIDE):
                out[:, y, k] = colorsys.hsv_to_rgb(*change(colorsys.rgb_to_hsv(*x[:, y, k]), c))
        return out

    return work


def box_resize(plane, size):
    """PIL's Image.resize with BOX."""

    def weights(n, m):
        scale = n / m
        support = 0.5 * max(scale, 1)
        w = np.zeros((m, n))
        for i in range(m):
            distance = np.arange(n) + 0.5 - (i + 0.5) * scale
            w[i] = (distance > -support) & (distance <= support)
        return w / w.sum(1, keepdims=True)

    w = weights(plane.shape[0], size)
    return w @ plane @ w.T


CORRUPTIONS = {
    "gaussian_blur": (per_plane(gaussian_blur), [0.4, 0.6, 0.7, 0.8, 1]),
    "defocus_blur": (per_plane(defocus_blur), [(0.3, 0.4), (0.4, 0.5), (0.5, 0.6), (1, 0.2), (1.5, 0.1)]),
    "zoom_blur": (per_plane(zoom_blur), [5, 10, 15, 20, 25]),
    "contrast": (per_plane(contrast), [0.75, 0.5, 0.4, 0.3, 0.15]),
    "brightness": (in_hsv(lambda hsv, c: (hsv[0], hsv[1], min(hsv[2] + c, 1))), [0.05, 0.1, 0.15, 0.2, 0.3]),
    "saturate": (
        in_hsv(lambda hsv, c: (hsv[0], np.clip(hsv[1] * c[0] + c[1], 0, 1), hsv[2])),
        [(0.3, 0), (0.1, 0), (1.5, 0), (2, 0.1), (2.5, 0.2)],
    ),
    "pixelate": (per_plane(lambda p, c: box_resize(box_resize(p, int(SIDE * c)), SIDE)), [0.95, 0.9, 0.85, 0.75, 0.65]),
}

print("#pragma once\n\n// Written by corruptions.py.\nnamespace coppice::data::test {\n")
print("struct CorruptionCase {\n  const char* name;\n  int severity;\n  double pixels[8];\n};\n")
print("inline constexpr int kCorruptionPicks[8] = {" + ", ".join(map(str, PICKS)) + "};\n")
print("inline constexpr CorruptionCase kCorruptionCases[] = {")
for name, (work, levels) in CORRUPTIONS.items():
    for severity, level in enumerate(levels, 1):
        out = np.clip(work(image(), level), 0, 1).ravel()[PICKS]
        print(f'    {{"{name}", {severity}, {{' + ", ".join(f"{v:.7f}" for v in out) + "}},")
print("};\n\n}  // namespace coppice::data::test")
