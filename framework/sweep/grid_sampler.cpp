#include <limits>

#include <fmt/format.h>

#include "core/error.h"
#include "sweep/sampler.h"

namespace coppice::sweep {

namespace {

class GridSampler final : public Sampler {
 public:
  std::optional<Assignment> propose(const std::vector<ParameterOptions>& space,
                                    int64_t number,
                                    uint64_t,
                                    const std::vector<Trial>&) const override {
    if (number < 0 || number >= *size(space)) {
      return std::nullopt;
    }
    Assignment assignment;
    int64_t rest = number;
    for (auto parameter = space.rbegin(); parameter != space.rend(); ++parameter) {
      const auto count = static_cast<int64_t>(parameter->values.size());
      assignment[parameter->field] = parameter->values[static_cast<size_t>(rest % count)];
      rest /= count;
    }
    return assignment;
  }

  std::optional<int64_t> size(const std::vector<ParameterOptions>& space) const override {
    int64_t product = 1;
    for (const ParameterOptions& parameter : space) {
      if (parameter.values.empty()) {
        throw core::Error(
            core::ErrorKind::InvalidArgument,
            fmt::format("sweep parameter '{}': the grid sampler can't try every number of a range; "
                        "list values or choose sampler: random",
                        parameter.field));
      }
      if (__builtin_mul_overflow(
              product, static_cast<int64_t>(parameter.values.size()), &product)) {
        throw core::Error(core::ErrorKind::InvalidArgument,
                          fmt::format("the grid has more than {} combinations",
                                      std::numeric_limits<int64_t>::max()));
      }
    }
    return product;
  }
};

}  // namespace

std::shared_ptr<const Sampler> make_grid_sampler() {
  return std::make_shared<GridSampler>();
}

}  // namespace coppice::sweep
