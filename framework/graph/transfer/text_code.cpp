#include "graph/transfer/text_code.h"

#include <algorithm>
#include <array>
#include <string_view>
#include <vector>

namespace coppice::graph {

namespace {

/// What files begin to be guessed from; part of the format, so it never changes.
constexpr std::string_view kUsualWords =
    "coppice.preprocessing coppice.lineage.dataset coppice.lineage.parent coppice.lineage.stage "
    "coppice.classes coppice.task classification QuantizeLinear DequantizeLinear "
    "BatchNormalization GlobalAveragePool MaxPool kernel_shape strides pads dilations group "
    "alpha beta transA transB axis epsilon ratio Gemm Conv Relu Flatten Add Sub Div Cast "
    "input batch normalised conv1.weight conv1.bias bn1.scale fc1.weight fc1.bias logits";

/// Longest context first.
constexpr std::array<size_t, 2> kContexts{5, 3};
constexpr size_t kSlots = 1U << 12U;

/// The state that both directions keep alike.
class TextModel {
 public:
  TextModel() {
    for (const char c : kUsualWords) {
      add(static_cast<uint8_t>(c));
    }
  }

  template <class Coder>
  uint8_t code(Coder& coder, uint8_t value) {
    int missed = -1;
    for (size_t c = 0; c < kContexts.size(); ++c) {
      const size_t seen_at = places_[c][slot(kContexts[c])];
      if (seen_at == 0 || text_[seen_at] == missed) {
        continue;
      }
      const uint8_t guess = text_[seen_at];
      if (coder.bit(hits_[c][std::min<size_t>(run_, kRuns - 1)], value == guess)) {
        ++run_;
        add(guess);
        return guess;
      }
      missed = guess;
      run_ = 0;
    }
    const auto result =
        static_cast<uint8_t>(bytes_[kind(text_.back())].code(coder, uint32_t{value}));
    add(result);
    return result;
  }

 private:
  static constexpr size_t kRuns = 16;

  /// Letters, digits, controls (field numbers and lengths) and the rest are followed by different
  /// bytes.
  static size_t kind(uint8_t byte) {
    const bool letter = (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z');
    const bool digit = byte >= '0' && byte <= '9';
    return letter ? 0 : digit ? 1 : byte < ' ' ? 2 : 3;
  }

  size_t slot(size_t length) const {
    uint32_t hash = static_cast<uint32_t>(length);
    for (size_t i = text_.size() - length; i < text_.size(); ++i) {
      hash = hash * 0x01000193U + text_[i] + 1;
    }
    return (hash ^ (hash >> 15U)) % kSlots;
  }

  void add(uint8_t byte) {
    if (text_.size() >= kContexts[0]) {
      for (size_t c = 0; c < kContexts.size(); ++c) {
        places_[c][slot(kContexts[c])] = text_.size();
      }
    }
    text_.push_back(byte);
  }

  std::vector<uint8_t> text_;
  std::array<std::array<size_t, kSlots>, kContexts.size()> places_{};
  std::array<std::array<BitModel, kRuns>, kContexts.size()> hits_;
  std::array<BitTree<8>, 4> bytes_;
  size_t run_ = 0;  ///< guesses in a row that were right
};

}  // namespace

void encode_text(RangeEncoder& coder, std::span<const std::byte> text) {
  TextModel model;
  for (const std::byte byte : text) {
    model.code(coder, std::to_integer<uint8_t>(byte));
  }
}

core::Bytes decode_text(RangeDecoder& coder, uint64_t size) {
  TextModel model;
  core::Bytes text;
  for (uint64_t i = 0; i < size; ++i) {
    text.push_back(static_cast<std::byte>(model.code(coder, 0)));
  }
  return text;
}

}  // namespace coppice::graph
