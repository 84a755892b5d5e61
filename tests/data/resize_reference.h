#pragma once

// Written by make_resize_reference.py.

#include <cstdint>
#include <vector>

namespace coppice::data::testing {

struct ResizedImage {
  int64_t height;
  int64_t width;
  std::vector<float> values;
};

inline const std::vector<ResizedImage>& resized_by_pytorch() {
  static const std::vector<ResizedImage> kImages{
      {3,
       5,
       {10.000F,
        86.000F,
        200.000F,
        98.000F,
        30.000F,
        25.000F,
        65.000F,
        125.000F,
        135.500F,
        142.500F,
        40.000F,
        44.000F,
        50.000F,
        173.000F,
        255.000F}},
      {4, 2, {57.500F, 72.500F, 53.750F, 105.312F, 46.250F, 170.938F, 42.500F, 203.750F}},
      {2, 3, {10.000F, 200.000F, 30.000F, 40.000F, 50.000F, 255.000F}},
  };
  return kImages;
}

}  // namespace coppice::data::testing
