#pragma once

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

/// One named change of an image: as augmentation (random strength) or as drift (fixed strength).
struct TransformOptions {
  std::string name;               ///< see transforms()
  double probability = 1;
  double low = 0;                 ///< strength is drawn uniformly from [low, high]; its unit depends on the transform
  double high = 0;

  void visit(core::Fields& f);
};

/// Changes one u8 or f32 image [channels, height, width] in place with the given strength.
/// Raw units: u8 pixels are 0…255, and strengths are in shares of that range where they concern brightness.
class Transform {
 public:
  virtual ~Transform() = default;
  virtual void apply(std::span<std::byte> sample, const Schema& schema, double strength, core::Rng& rng) const = 0;
};

/// "flip" (strength unused), "shift" (pixels, direction random), "rotate" (degrees; sign random), "scale" (factor), "noise" (Gaussian σ, share of
/// the range), "contrast" (factor), "brightness" (added share), "cutout" (side as share), "blur" (σ in pixels).
const core::Registry<std::shared_ptr<const Transform>>& transforms();

/// A list of transforms, compiled once. Thread-safe.
class Pipeline {
 public:
  /// Throws Error{NotFound, InvalidArgument}: an unknown name, a strength out of its range, a transform that does not fit
  /// the schema (a rotation of feature vectors).
  Pipeline(const std::vector<TransformOptions>& options, Schema schema);

  void apply(std::span<std::byte> sample, core::Rng& rng) const;
  /// Every sample of a batch over TBB, sample i with its own stream split from `rng` by i: the result does not depend on the threads.
  void apply(Batch& batch, const core::Rng& rng) const;
  bool empty() const { return steps_.empty(); }

 private:
  struct Step {
    std::shared_ptr<const Transform> transform;
    TransformOptions options;
  };
  std::vector<Step> steps_;
  Schema schema_;
};

/// A view that applies a pipeline, with a stream per sample split from `seed` by its index: the same sample always looks the same.
DatasetPtr make_transformed(DatasetPtr base, std::vector<TransformOptions> options, uint64_t seed);

}  // namespace coppice::data
