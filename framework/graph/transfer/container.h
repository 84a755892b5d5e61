#pragma once

#include <array>
#include <string_view>

#include "graph/transfer/range_coder.h"
#include "graph/transfer/tensors_in_file.h"

namespace coppice::graph {

// What both directions know of a coded file: README.md.

inline constexpr std::string_view kTransferMagic = "CPTX";
inline constexpr auto kTransferVersion = std::byte{1};
inline constexpr size_t kChecksumBytes = 8;
inline constexpr size_t kHeaderBytes = kTransferMagic.size() + 1 + kChecksumBytes;

/// Protobuf reads no more.
inline constexpr uint64_t kLargestOnnx = (uint64_t{1} << 31U) - 1;

/// Below this, telling where a tensor is costs as much as it saves.
inline constexpr uint64_t kLeastTensorBytes = 32;

using TransferChecksum = std::array<std::byte, kChecksumBytes>;

/// The first bytes of the SHA-256.
TransferChecksum checksum_of(std::span<const std::byte> bytes);

/// Throws Error{Corrupt}: "a coded model " and why.
[[noreturn]] void refuse_coded(const std::string& why);

/// How a tensor lies behind the one before it.
class PlaceCode {
 public:
  /// `end`: of the tensor before, in the file.
  template <class Coder>
  void code(Coder& coder, uint64_t end, TensorPlace& place) {
    place.offset = end + gap_.code(coder, place.offset - end);
    const uint64_t rows = rows_.code(coder, place.form.rows);
    uint64_t width_log = 0;
    while ((size_t{1} << width_log) < place.form.width) {
      ++width_log;
    }
    place.form.width = size_t{1} << width_.code(coder, static_cast<uint32_t>(width_log));
    uint64_t unit = 0;
    if (rows == 0 || __builtin_mul_overflow(rows, place.form.width, &unit)) {
      refuse_coded("with a tensor of no size");
    }
    place.form.rows = rows;
    const uint64_t columns = columns_.code(coder, place.size / unit);
    if (__builtin_mul_overflow(unit, columns, &place.size)) {
      refuse_coded("with a tensor of no size");
    }
  }

 private:
  NumberCode gap_;
  NumberCode rows_;
  NumberCode columns_;
  BitTree<2> width_;
};

}  // namespace coppice::graph
