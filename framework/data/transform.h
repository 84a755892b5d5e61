#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/fields.h"
#include "core/registry.h"
#include "core/rng.h"
#include "data/dataset.h"

namespace coppice::data {

/// One named change of a sample: as augmentation (random strength) or as drift (fixed strength).
struct TransformOptions {
  std::string name;  ///< see transforms()
  double probability = 1;
  double low =
      0;  ///< strength is drawn uniformly from [low, high]; its unit depends on the transform
  double high = 0;

  void visit(core::Fields& f);
};

/// The strengths that a transform takes, both ends included, and the one that changes nothing.
struct StrengthRange {
  double min = 0;
  double max = 0;
  double neutral = 0;
};

/// Changes one u8 or f32 sample in place with the given strength.
///
/// Raw units: u8 pixels are 0…255, f32 pixels nominally 0…1, and strengths are in shares of that
/// range where they concern brightness. u8 results are rounded and clamped; f32 results are not
/// clamped, so that normalised images work too. What moves in from outside the image is 0.
/// Stateless and thread-safe.
class Transform {
 public:
  virtual ~Transform() = default;
  /// REQUIRES: `fits(schema)`, a strength in `range()`, `sample` of `schema.sample_bytes()`.
  virtual void apply(std::span<std::byte> sample,
                     const Schema& schema,
                     double strength,
                     core::Rng& rng) const = 0;
  virtual StrengthRange range() const = 0;

  /// Whether it can change samples of this schema; by default only images [channels, height,
  /// width].
  virtual bool fits(const Schema& schema) const { return schema.sample_shape.size() == 3; }

  /// What it fits, for messages.
  virtual std::string_view needs() const { return "images [channels, height, width]"; }
};

/// What each is called, what its strength means, and what it does:
///
/// - "flip", "flip_vertical" (unused): mirror; give them a probability of 0.5;
/// - "crop" (pixels, 0…64): pads with that many zeros on all sides and cuts the image's size from
///   anywhere (He et al., 2016);
/// - "shift" (pixels, 0…64): moves that far in a random direction, by whole pixels;
/// - "rotate" (degrees, 0…180, sign random): about the centre, bilinear;
/// - "scale" (factor, 0.1…10): about the centre, bilinear; above 1 enlarges;
/// - "noise" (σ as share of the range, 0…1): adds Gaussian noise to every value;
/// - "contrast" (factor, 0…4): scales differences from each channel's mean in this image, as
///   ImageNet-C does (Hendrycks and Dietterich, 2019);
/// - "brightness" (added share of the range, -1…1): adds a constant;
/// - "cutout" (side as share of the shorter one, 0…1): blanks a square centred anywhere in the
///   image (DeVries and Taylor, 2017);
/// - "blur" (σ in pixels, 0…10): Gaussian; edge pixels continue outside;
/// - "shear" (pixels per row, 0…1, sign random): about the centre, bilinear;
/// - "stripe" (share of the width, 0…1): inverts a stripe in the middle (Mu and Gilmer, 2019).
///
/// Noise and brightness fit samples of any shape. Of sensor windows [channels, time], as Um et al.
/// augment them ("Data augmentation of wearable sensor data for Parkinson's disease monitoring
/// using convolutional neural networks", 2017):
///
/// - "jitter" (σ in the values' unit, of bytes in shares of 255; 0…10): adds noise;
/// - "scaling" (σ, 0…1): multiplies each channel by a factor from N(1, σ²);
/// - "magnitude_warp" (σ, 0…1): multiplies each channel by a smooth curve about 1;
/// - "time_warp" (σ, 0…1): lets time run faster and slower along a smooth curve;
/// - "permute" (segments, 1…16): cuts into segments and joins them in random order.
///
/// "cifar10c_…" (severity, 0…5): the corruptions of CIFAR-10-C but for frost, which is made of
/// photographs, and spatter; see transforms/corruptions/corruption.h.
const core::Registry<std::shared_ptr<const Transform>>& transforms();

/// Whether a transform can be used on samples of a schema; a pure check, for configurations.
///
/// Throws Error{NotFound, InvalidArgument}: an unknown name, a strength or a probability out of its
/// range, a transform that does not fit the schema (a rotation of feature vectors).
void check_transform(const TransformOptions& options, const Schema& schema);

/// A list of transforms, compiled once. Thread-safe.
class Pipeline {
 public:
  /// Throws what check_transform() throws.
  Pipeline(const std::vector<TransformOptions>& options, Schema schema);

  /// REQUIRES: `sample` holds one sample of the schema.
  void apply(std::span<std::byte> sample, core::Rng& rng) const;
  /// Every sample of a batch over TBB, sample i with its own stream split from `rng` by i: the
  /// result does not depend on the threads.
  void apply(Batch& batch, const core::Rng& rng) const;
  /// The same with the stream of `numbers[i]` for sample i: of a part of a batch, what the whole
  /// would give. REQUIRES: a number for each.
  void apply(Batch& batch, const core::Rng& rng, std::span<const int64_t> numbers) const;

  bool empty() const { return steps_.empty(); }

 private:
  struct Step {
    std::shared_ptr<const Transform> transform;
    TransformOptions options;
  };

  std::vector<Step> steps_;
  Schema schema_;
};

/// A view that applies a pipeline, with a stream per sample split from `seed` by its index in the
/// view: the same sample always looks the same. Throws what Pipeline throws.
DatasetPtr make_transformed(DatasetPtr base, std::vector<TransformOptions> options, uint64_t seed);

}  // namespace coppice::data
