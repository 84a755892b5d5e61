#!/usr/bin/python3
"""What PyTorch makes of a small image in other sizes: tests/data/resize_reference.h."""

import torch

IMAGE = [[10, 200, 30], [40, 50, 255]]
SIZES = [(3, 5), (4, 2), (2, 3)]

print("#pragma once\n\n// Written by make_resize_reference.py.\n\n#include <cstdint>\n#include <vector>\n\nnamespace coppice::data::testing {\n")
print("struct ResizedImage {\n  int64_t height;\n  int64_t width;\n  std::vector<float> values;\n};\n")
print("inline const std::vector<ResizedImage>& resized_by_pytorch() {")
print("  static const std::vector<ResizedImage> kImages{")
image = torch.tensor(IMAGE, dtype=torch.float32)[None, None]
for size in SIZES:
    result = torch.nn.functional.interpolate(image, size=size, mode="bilinear", align_corners=False)
    values = ", ".join(f"{value:.3f}F" for value in result.flatten().tolist())
    print(f"      {{{size[0]}, {size[1]}, {{{values}}}}},")
print("  };\n  return kImages;\n}\n\n}  // namespace coppice::data::testing")
