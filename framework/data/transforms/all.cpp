#include "data/transforms/all.h"

#include "data/transforms/corruptions/corruption.h"

namespace coppice::data {

const core::Registry<std::shared_ptr<const Transform>>& transforms() {
  static const auto registry = [] {
    core::Registry<std::shared_ptr<const Transform>> all("transform");
    all.add("flip", make_flip(), "mirrors left and right; strength unused");
    all.add("flip_vertical", make_flip_vertical(), "mirrors top and bottom; strength unused");
    all.add("crop", make_crop(), "cuts from the padded image; strength is the padding in pixels");
    all.add("shear", make_shear(), "slants, sign random; strength in pixels per row");
    all.add("stripe", make_stripe(), "inverts a stripe in the middle; strength is its share");
    all.add("jitter", make_jitter(), "adds noise to windows; strength is sigma in their unit");
    all.add("scaling", make_scaling(), "a random factor per channel of windows; strength is sigma");
    all.add("magnitude_warp",
            make_magnitude_warp(),
            "a smooth random factor over time; strength is sigma");
    all.add("time_warp", make_time_warp(), "lets time run unevenly in windows; strength is sigma");
    all.add("permute", make_permute(), "reorders segments of windows; strength is their number");
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
    all.add("cifar10c_gaussian_noise",
            make_cifar10c_gaussian_noise(),
            "electronic noise; strength is the severity, 0 to 5");
    all.add("cifar10c_shot_noise",
            make_cifar10c_shot_noise(),
            "noise of few photons; strength is the severity, 0 to 5");
    all.add("cifar10c_impulse_noise",
            make_cifar10c_impulse_noise(),
            "salt and pepper; strength is the severity, 0 to 5");
    all.add("cifar10c_speckle_noise",
            make_cifar10c_speckle_noise(),
            "noise in proportion to the value; strength is the severity, 0 to 5");
    all.add("cifar10c_gaussian_blur",
            make_cifar10c_gaussian_blur(),
            "Gaussian blur; strength is the severity, 0 to 5");
    all.add("cifar10c_defocus_blur",
            make_cifar10c_defocus_blur(),
            "out of focus; strength is the severity, 0 to 5");
    all.add("cifar10c_glass_blur",
            make_cifar10c_glass_blur(),
            "behind rippled glass; strength is the severity, 0 to 5");
    all.add("cifar10c_motion_blur",
            make_cifar10c_motion_blur(),
            "a moved camera; strength is the severity, 0 to 5");
    all.add("cifar10c_zoom_blur",
            make_cifar10c_zoom_blur(),
            "moved towards; strength is the severity, 0 to 5");
    all.add(
        "cifar10c_snow", make_cifar10c_snow(), "falling snow; strength is the severity, 0 to 5");
    all.add("cifar10c_fog", make_cifar10c_fog(), "fractal fog; strength is the severity, 0 to 5");
    all.add("cifar10c_brightness",
            make_cifar10c_brightness(),
            "added to the value in HSV; strength is the severity, 0 to 5");
    all.add("cifar10c_contrast",
            make_cifar10c_contrast(),
            "less contrast; strength is the severity, 0 to 5");
    all.add("cifar10c_saturate",
            make_cifar10c_saturate(),
            "other saturation in HSV; strength is the severity, 0 to 5");
    all.add("cifar10c_pixelate",
            make_cifar10c_pixelate(),
            "scaled down and up; strength is the severity, 0 to 5");
    all.add("cifar10c_jpeg_compression",
            make_cifar10c_jpeg_compression(),
            "compressed and restored; strength is the severity, 0 to 5");
    all.add("cifar10c_elastic_transform",
            make_cifar10c_elastic_transform(),
            "stretched and contracted regions; strength is the severity, 0 to 5");
    return all;
  }();
  return registry;
}

}  // namespace coppice::data
