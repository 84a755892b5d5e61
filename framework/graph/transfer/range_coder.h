#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "core/files.h"

namespace coppice::graph {

/// Adaptive probability that a bit is set: the mean of what was seen, of the last 400 bits or so
/// where there were more. Integers alone, so that every machine computes the same.
class BitModel {
 public:
  /// In 1/65536, at least kLeast and at most 65536 - kLeast.
  uint32_t of_set() const { return probability_; }

  void learn(bool bit);

  static constexpr uint32_t kLeast = 256;

 private:
  uint16_t probability_ = 1U << 15;
  uint16_t seen_ = 0;
};

/// Binary arithmetic coder with carries (Martin, 1979, in the shape of LZMA's).
class RangeEncoder {
 public:
  /// Codes `bit`, which is returned: code that is written once for both directions uses that.
  bool bit(BitModel& model, bool bit);
  bool even_bit(bool bit);  ///< of probability 1/2
  core::Bytes finish();     ///< REQUIRES: called once, at the end

 private:
  void shift();
  void normalise();

  core::Bytes bytes_;
  uint64_t low_ = 0;
  uint32_t range_ = 0xFFFFFFFF;
  uint64_t held_ = 0;  ///< bytes that a carry may still change
  uint8_t first_held_ = 0;
  bool started_ = false;
};

/// Throws Error{Corrupt} where it would read beyond the end.
class RangeDecoder {
 public:
  explicit RangeDecoder(std::span<const std::byte> bytes);
  bool bit(BitModel& model, bool unused = false);
  bool even_bit(bool unused = false);

  bool at_end() const { return position_ == bytes_.size(); }

 private:
  void normalise();
  uint32_t next_byte();

  std::span<const std::byte> bytes_;
  size_t position_ = 0;
  uint32_t code_ = 0;
  uint32_t range_ = 0xFFFFFFFF;
};

/// A number below 2^kBits, its highest bit first, each bit in the context of those before it.
template <int kBits>
class BitTree {
 public:
  template <class Coder>
  uint32_t code(Coder& coder, uint32_t value, int bits = kBits) {
    uint32_t node = 1;
    for (int i = bits - 1; i >= 0; --i) {
      const bool bit = coder.bit(models_[node], ((value >> i) & 1U) != 0);
      node = 2 * node + (bit ? 1U : 0U);
    }
    return node - (1U << bits);
  }

 private:
  std::array<BitModel, size_t{1} << kBits> models_;
};

/// Any number: its length in bits, then the bits behind the leading one.
class NumberCode {
 public:
  template <class Coder>
  uint64_t code(Coder& coder, uint64_t value) {
    uint32_t length = 0;
    while (length < 64 && (value >> length) != 0) {
      ++length;
    }
    length = std::min(lengths_.code(coder, length), 64U);  // a hostile file may say more
    uint64_t result = length == 0 ? 0 : 1;
    for (uint32_t i = 1; i < length; ++i) {
      const bool bit = coder.even_bit(((value >> (length - 1 - i)) & 1U) != 0);
      result = 2 * result + (bit ? 1U : 0U);
    }
    return result;
  }

 private:
  BitTree<7> lengths_;
};

}  // namespace coppice::graph
