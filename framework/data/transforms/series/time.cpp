#include <algorithm>
#include <cmath>
#include <span>

#include "data/transforms/all.h"
#include "data/transforms/series/series.h"

namespace coppice::data {

namespace {

/// Lets time run faster and slower along a smooth curve that ends when it did. Channels share the
/// curve, as they share a clock (the authors' code draws one for each).
class TimeWarp final : public SeriesTransform {
 public:
  void apply(std::span<std::byte> sample,
             const Schema& schema,
             double strength,
             core::Rng& rng) const override {
    if (strength == 0 || schema.sample_shape[1] < 2) {
      return;
    }
    const std::vector<double> times = warped_times(schema.sample_shape[1], strength, rng);
    change_series(sample, schema, [&](auto* values, int64_t channels, int64_t steps) {
      for (int64_t c = 0; c < channels; ++c, values += steps) {
        interpolate(values, times);
      }
    });
  }

  StrengthRange range() const override { return {.min = 0, .max = 1, .neutral = 0}; }

 private:
  /// When each step is reached; ascending, the last one on time.
  static std::vector<double> warped_times(int64_t steps, double sigma, core::Rng& rng) {
    constexpr double kSlowest = 0.05;  // time never stands still nor runs back
    std::vector<double> times = random_curve(steps, sigma, rng);
    double sum = 0;
    for (double& time : times) {
      sum += std::max(time, kSlowest);
      time = sum;
    }
    for (double& time : times) {
      time *= static_cast<double>(steps - 1) / sum;
    }
    return times;
  }

  /// values[t] becomes what lies at t when values[i] is moved to times[i]; before the first the
  /// first.
  template <class T>
  static void interpolate(T* values, const std::vector<double>& times) {
    std::vector<T>& copy = scratch<T>();
    copy.assign(values, values + times.size());
    size_t next = 0;
    for (size_t t = 0; t < times.size(); ++t) {
      const auto time = static_cast<double>(t);
      while (next < times.size() && times[next] < time) {
        ++next;
      }
      if (next == 0 || next == times.size()) {
        values[t] = next == 0 ? copy.front() : copy.back();
        continue;
      }
      const auto share =
          static_cast<float>((time - times[next - 1]) / (times[next] - times[next - 1]));
      values[t] = to_pixel<T>(static_cast<float>(copy[next - 1]) * (1 - share) +
                              static_cast<float>(copy[next]) * share);
    }
  }
};

/// Cuts windows into segments and joins them in random order.
class Permute final : public SeriesTransform {
 public:
  void apply(std::span<std::byte> sample,
             const Schema& schema,
             double strength,
             core::Rng& rng) const override {
    const int64_t steps = schema.sample_shape[1];
    const int64_t segments = std::min<int64_t>(std::llround(strength), steps);
    if (segments < 2) {
      return;
    }
    const std::vector<int64_t> order = permuted_steps(steps, segments, rng);
    change_series(sample, schema, [&](auto* values, int64_t channels, int64_t) {
      using T = std::remove_pointer_t<decltype(values)>;
      std::vector<T>& copy = scratch<T>();
      for (int64_t c = 0; c < channels; ++c, values += steps) {
        copy.assign(values, values + steps);
        for (size_t t = 0; t < order.size(); ++t) {
          values[t] = copy[static_cast<size_t>(order[t])];
        }
      }
    });
  }

  StrengthRange range() const override { return {.min = 1, .max = 16, .neutral = 1}; }

 private:
  /// Which step comes at each place. Segments have at least half their mean length, and at most ten
  /// steps are asked of each.
  static std::vector<int64_t> permuted_steps(int64_t steps, int64_t segments, core::Rng& rng) {
    const int64_t least = std::clamp<int64_t>(steps / (2 * segments), 1, 10);
    std::vector<int64_t> starts{0};
    for (int64_t s = 1; s < segments; ++s) {
      starts.push_back(rng.below(steps - segments * least + 1));
    }
    std::sort(starts.begin(), starts.end());
    for (int64_t s = 0; s < segments; ++s) {
      starts[static_cast<size_t>(s)] += s * least;
    }
    starts.push_back(steps);
    std::vector<int64_t> order;
    for (const int64_t s : rng.permutation(segments)) {
      for (int64_t t = starts[static_cast<size_t>(s)]; t < starts[static_cast<size_t>(s) + 1];
           ++t) {
        order.push_back(t);
      }
    }
    return order;
  }
};

}  // namespace

std::shared_ptr<const Transform> make_time_warp() {
  return std::make_shared<TimeWarp>();
}

std::shared_ptr<const Transform> make_permute() {
  return std::make_shared<Permute>();
}

}  // namespace coppice::data
