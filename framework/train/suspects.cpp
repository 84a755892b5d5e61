#include "train/suspects.h"

#include <algorithm>

#include <ATen/core/Tensor.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

namespace coppice::train {

namespace {

constexpr size_t kShown = 8;

std::vector<int64_t> ids_where_not_finite(const at::Tensor& values, const data::Batch& batch) {
  const at::Tensor finite = values.detach().flatten(1).isfinite().all(1);
  std::vector<int64_t> ids;
  for (int64_t i = 0; i < batch.size; ++i) {
    if (!finite[i].item<bool>()) {
      ids.push_back(batch.ids[static_cast<size_t>(i)]);
    }
  }
  return ids;
}

std::string list_ids(const std::vector<int64_t>& ids) {
  const size_t shown = std::min(ids.size(), kShown);
  return fmt::format("{}{}",
                     fmt::join(ids.begin(), ids.begin() + static_cast<std::ptrdiff_t>(shown), ", "),
                     ids.size() > shown ? fmt::format(" and {} more", ids.size() - shown) : "");
}

}  // namespace

std::string suspect_samples(const at::Tensor& samples,
                            const at::Tensor& outputs,
                            const data::Batch& batch) {
  for (const at::Tensor& values : {samples, outputs}) {
    const auto ids = ids_where_not_finite(values, batch);
    if (!ids.empty()) {
      return list_ids(ids);
    }
  }
  return list_ids(batch.ids);
}

}  // namespace coppice::train
