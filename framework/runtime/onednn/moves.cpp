#include "runtime/onednn/moves.h"

#include <algorithm>
#include <array>

namespace coppice::runtime::onednn {

namespace {

/// The coordinate in the input of every coordinate of the output, -1 for none.
std::vector<int64_t> sources_of(graph::PadMode mode, int64_t size, int64_t pad, int64_t out) {
  std::vector<int64_t> sources;
  for (int64_t i = 0; i < out; ++i) {
    int64_t from = i - pad;
    if (mode == graph::PadMode::Edge) {
      from = std::clamp<int64_t>(from, 0, size - 1);
    } else if (mode == graph::PadMode::Reflect) {
      from = from < 0 ? -from : from;
      from = from >= size ? 2 * (size - 1) - from : from;
    }
    sources.push_back(from >= 0 && from < size ? from : -1);
  }
  return sources;
}

}  // namespace

PaddedRows::PaddedRows(const graph::PadAttributes& pad,
                       const graph::Shape& x,
                       const graph::Shape& out)
    : value_(pad.value), rows_{0} {
  const size_t last = x.size() - 1;
  for (size_t d = 0; d < last; ++d) {
    std::vector<int64_t> rows;
    const std::vector<int64_t> sources = sources_of(pad.mode, x[d], pad.pads[d], out[d]);
    for (const int64_t row : rows_) {
      for (const int64_t source : sources) {
        rows.push_back(row < 0 || source < 0 ? -1 : row * x[d] + source);
      }
    }
    rows_ = std::move(rows);
  }
  std::ranges::transform(
      rows_, rows_.begin(), [&](int64_t row) { return row < 0 ? -1 : row * x[last]; });
  columns_ = sources_of(pad.mode, x[last], pad.pads[last], out[last]);
  first_ = std::clamp<int64_t>(pad.pads[last], 0, out[last]);
  last_ = std::clamp<int64_t>(pad.pads[last] + x[last], first_, out[last]);
}

void PaddedRows::run(const float* x, float* out) const {
  const auto width = static_cast<int64_t>(columns_.size());
  for (const int64_t row : rows_) {
    if (row < 0) {
      std::fill(out, out + width, value_);
      out += width;
      continue;
    }
    const auto fill = [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) {
        const int64_t column = columns_[static_cast<size_t>(i)];
        out[i] = column < 0 ? value_ : x[row + column];
      }
    };
    fill(0, first_);
    if (first_ < last_) {
      std::copy_n(x + row + columns_[static_cast<size_t>(first_)], last_ - first_, out + first_);
    }
    fill(last_, width);
    out += width;
  }
}

std::optional<MeanRows> mean_rows(const graph::Shape& axes, const graph::Shape& x) {
  const auto first = static_cast<size_t>(axes.front());
  const auto last = static_cast<size_t>(axes.back());
  if (last - first + 1 != axes.size()) {
    return std::nullopt;
  }
  MeanRows mean;
  for (size_t d = 0; d < x.size(); ++d) {
    (d < first ? mean.outer : d <= last ? mean.count : mean.inner) *= x[d];
  }
  return mean;
}

void MeanRows::run(const float* x, float* out) const {
  constexpr int64_t kBlock = 64;
  const auto divisor = static_cast<double>(count);
  for (int64_t i = 0; i < outer; ++i, x += count * inner, out += inner) {
    for (int64_t first = 0; first < inner; first += kBlock) {
      const int64_t size = std::min(kBlock, inner - first);
      std::array<double, kBlock> sums{};
      for (int64_t row = 0; row < count; ++row) {
        const float* values = x + row * inner + first;
        for (int64_t j = 0; j < size; ++j) {
          sums[static_cast<size_t>(j)] += static_cast<double>(values[j]);
        }
      }
      for (int64_t j = 0; j < size; ++j) {
        out[first + j] = static_cast<float>(sums[static_cast<size_t>(j)] / divisor);
      }
    }
  }
}

}  // namespace coppice::runtime::onednn
