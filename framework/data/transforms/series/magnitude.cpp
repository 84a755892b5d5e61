#include "data/transforms/all.h"
#include "data/transforms/series/series.h"

namespace coppice::data {

namespace {

class Jitter final : public SeriesTransform {
 public:
  void apply(std::span<std::byte> sample,
             const Schema& schema,
             double strength,
             core::Rng& rng) const override {
    if (strength == 0) {
      return;
    }
    change_series(sample, schema, [&](auto* values, int64_t channels, int64_t steps) {
      using T = std::remove_pointer_t<decltype(values)>;
      for (int64_t i = 0; i < channels * steps; ++i) {
        const auto added = static_cast<float>(strength * rng.normal()) * kRange<T>;
        values[i] = to_pixel<T>(static_cast<float>(values[i]) + added);
      }
    });
  }

  StrengthRange range() const override { return {.min = 0, .max = 10, .neutral = 0}; }
};

class Scaling final : public SeriesTransform {
 public:
  void apply(std::span<std::byte> sample,
             const Schema& schema,
             double strength,
             core::Rng& rng) const override {
    if (strength == 0) {
      return;
    }
    change_series(sample, schema, [&](auto* values, int64_t channels, int64_t steps) {
      using T = std::remove_pointer_t<decltype(values)>;
      for (int64_t c = 0; c < channels; ++c) {
        const auto factor = static_cast<float>(1 + strength * rng.normal());
        for (int64_t t = 0; t < steps; ++t, ++values) {
          *values = to_pixel<T>(static_cast<float>(*values) * factor);
        }
      }
    });
  }

  StrengthRange range() const override { return {.min = 0, .max = 1, .neutral = 0}; }
};

class MagnitudeWarp final : public SeriesTransform {
 public:
  void apply(std::span<std::byte> sample,
             const Schema& schema,
             double strength,
             core::Rng& rng) const override {
    if (strength == 0) {
      return;
    }
    change_series(sample, schema, [&](auto* values, int64_t channels, int64_t steps) {
      using T = std::remove_pointer_t<decltype(values)>;
      for (int64_t c = 0; c < channels; ++c) {
        for (const double factor : random_curve(steps, strength, rng)) {
          *values = to_pixel<T>(static_cast<float>(*values) * static_cast<float>(factor));
          ++values;
        }
      }
    });
  }

  StrengthRange range() const override { return {.min = 0, .max = 1, .neutral = 0}; }
};

}  // namespace

std::shared_ptr<const Transform> make_jitter() {
  return std::make_shared<Jitter>();
}

std::shared_ptr<const Transform> make_scaling() {
  return std::make_shared<Scaling>();
}

std::shared_ptr<const Transform> make_magnitude_warp() {
  return std::make_shared<MagnitudeWarp>();
}

}  // namespace coppice::data
