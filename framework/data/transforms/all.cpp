#include "data/transforms/all.h"

namespace coppice::data {

const core::Registry<std::shared_ptr<const Transform>>& transforms() {
  static const auto registry = [] {
    core::Registry<std::shared_ptr<const Transform>> all("transform");
    all.add("flip", make_flip(), "mirrors left and right; strength unused");
    all.add(
        "shift", make_shift(), "moves by whole pixels in a random direction; strength in pixels");
    all.add("rotate", make_rotate(), "turns about the centre, sign random; strength in degrees");
    all.add(
        "scale", make_scale(), "zooms about the centre; strength is the factor, 1 changes nothing");
    all.add("noise", make_noise(), "adds Gaussian noise; strength is sigma as share of the range");
    all.add(
        "contrast", make_contrast(), "scales about each channel's mean; strength is the factor");
    all.add("brightness", make_brightness(), "adds a constant; strength as share of the range");
    all.add(
        "cutout", make_cutout(), "blanks a square; strength is its side as share of the image's");
    all.add("blur", make_blur(), "Gaussian blur; strength is sigma in pixels");
    return all;
  }();
  return registry;
}

}  // namespace coppice::data
