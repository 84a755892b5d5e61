#include "graph/transfer/range_coder.h"

#include <algorithm>

#include "core/error.h"

namespace coppice::graph {

namespace {

constexpr uint32_t kSmallRange = 1U << 24;
constexpr uint16_t kLongestMemory = 400;

/// 65536 / (n + 3/2): the share of the error that the estimate after n bits moves by, as in the
/// estimator of Krichevsky and Trofimov (1981).
constexpr auto kShares = [] {
  std::array<int32_t, kLongestMemory + 1> shares{};
  for (int32_t n = 0; n <= kLongestMemory; ++n) {
    shares[static_cast<size_t>(n)] = (1 << 17) / (2 * n + 3);
  }
  return shares;
}();

uint32_t part_of_set(uint32_t range, const BitModel& model) {
  return (range >> 16U) * model.of_set();
}

}  // namespace

void BitModel::learn(bool bit) {
  const int64_t target = bit ? 65536 : 0;
  const int64_t moved = probability_ + (target - probability_) * kShares[seen_] / 65536;
  probability_ =
      static_cast<uint16_t>(std::clamp<int64_t>(moved, int64_t{kLeast}, int64_t{65536 - kLeast}));
  seen_ = std::min<uint16_t>(static_cast<uint16_t>(seen_ + 1), kLongestMemory);
}

bool RangeEncoder::bit(BitModel& model, bool bit) {
  const uint32_t set = part_of_set(range_, model);
  if (bit) {
    range_ = set;
  } else {
    low_ += set;
    range_ -= set;
  }
  model.learn(bit);
  normalise();
  return bit;
}

bool RangeEncoder::even_bit(bool bit) {
  range_ >>= 1U;
  low_ += bit ? range_ : 0;
  normalise();
  return bit;
}

void RangeEncoder::normalise() {
  while (range_ < kSmallRange) {
    range_ <<= 8U;
    shift();
  }
}

/// The highest byte of `low_` goes out when no carry can reach it any more.
void RangeEncoder::shift() {
  const bool carry = (low_ >> 32U) != 0;
  if (carry || low_ < 0xFF000000U) {
    if (started_) {
      bytes_.push_back(static_cast<std::byte>(first_held_ + (carry ? 1 : 0)));
    }
    bytes_.insert(bytes_.end(), held_, carry ? std::byte{0} : std::byte{0xFF});
    held_ = 0;
    first_held_ = static_cast<uint8_t>(low_ >> 24U);
    started_ = true;
  } else {
    ++held_;
  }
  low_ = (low_ & 0x00FFFFFFU) << 8U;
}

core::Bytes RangeEncoder::finish() {
  for (int i = 0; i < 5; ++i) {
    shift();
  }
  return std::move(bytes_);
}

RangeDecoder::RangeDecoder(std::span<const std::byte> bytes) : bytes_(bytes) {
  for (int i = 0; i < 4; ++i) {
    code_ = (code_ << 8U) | next_byte();
  }
}

bool RangeDecoder::bit(BitModel& model, bool /*unused*/) {
  const uint32_t set = part_of_set(range_, model);
  const bool bit = code_ < set;
  if (bit) {
    range_ = set;
  } else {
    code_ -= set;
    range_ -= set;
  }
  model.learn(bit);
  normalise();
  return bit;
}

bool RangeDecoder::even_bit(bool /*unused*/) {
  range_ >>= 1U;
  const bool bit = code_ >= range_;
  code_ -= bit ? range_ : 0;
  normalise();
  return bit;
}

void RangeDecoder::normalise() {
  while (range_ < kSmallRange) {
    range_ <<= 8U;
    code_ = (code_ << 8U) | next_byte();
  }
}

uint32_t RangeDecoder::next_byte() {
  if (position_ == bytes_.size()) {
    throw core::Error(core::ErrorKind::Corrupt, "a coded model that ends too early");
  }
  return std::to_integer<uint32_t>(bytes_[position_++]);
}

}  // namespace coppice::graph
