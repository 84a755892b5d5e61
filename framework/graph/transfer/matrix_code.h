#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <vector>

#include "graph/transfer/range_coder.h"

namespace coppice::graph {

/// Which elements of a matrix are zero, row by row. The context of a flag is how often its column
/// and its row were not zero so far, and what the two elements before it were: pruned inputs and
/// outputs of a layer cost next to nothing.
class ZeroFlags {
 public:
  explicit ZeroFlags(uint64_t columns) : columns_(columns) {}

  template <class Coder>
  bool code(Coder& coder, bool zero) {
    if (column_ == columns_) {
      column_ = 0;
      row_ += 1;
      in_row_ = 0;
    }
    if (row_ == 0) {
      in_column_.push_back(0);  // as values come, not as a header says
    }
    uint32_t& in_column = in_column_[column_];
    const size_t context =
        (level(in_column, row_) * kLevels + level(in_row_, column_)) * 4 + before_;
    zero = coder.bit(models_[context], zero);
    in_column += zero ? 0 : 1;
    in_row_ += zero ? 0 : 1;
    before_ = (2 * before_ + (zero ? 1 : 0)) % 4;
    ++column_;
    return zero;
  }

 private:
  static constexpr size_t kLevels = 9;

  /// Of a share `set` / `seen`: finer where there is less.
  static size_t level(uint64_t set, uint64_t seen) {
    if (set == 0) {
      return seen >= 32 ? 0 : seen >= 8 ? 1 : 2;
    }
    size_t found = 3;
    for (uint64_t scaled = 32 * set; scaled > seen && found + 1 < kLevels; scaled /= 2) {
      ++found;
    }
    return found;
  }

  uint64_t columns_;
  uint64_t column_ = 0;
  uint64_t row_ = 0;
  uint64_t in_row_ = 0;
  size_t before_ = 0;
  std::vector<uint32_t> in_column_;
  std::array<BitModel, kLevels * kLevels * 4> models_;
};

/// An element of up to 8 bytes, its highest byte first; each byte in the context of its place.
class PlaneCode {
 public:
  template <class Coder>
  uint64_t code(Coder& coder, uint64_t value, size_t width) {
    uint64_t result = 0;
    for (size_t plane = width; plane-- > 0;) {
      const auto byte = static_cast<uint32_t>((value >> (8 * plane)) & 0xFFU);
      result = (result << 8U) | planes_[plane].code(coder, byte);
    }
    return result;
  }

 private:
  std::array<BitTree<8>, 8> planes_;
};

}  // namespace coppice::graph
