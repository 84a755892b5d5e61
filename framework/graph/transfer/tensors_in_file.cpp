#include "graph/transfer/tensors_in_file.h"

#include <algorithm>

#include "core/error.h"

namespace coppice::graph {

namespace {

using FileBytes = std::span<const std::byte>;

[[noreturn]] void refuse_wire() {
  throw core::Error(core::ErrorKind::Corrupt, "no ONNX model, or a truncated one");
}

/// One field of a message.
struct WireField {
  uint64_t number = 0;
  uint64_t value = 0;  ///< of a varint
  uint64_t offset = 0;
  uint64_t size = 0;  ///< of bytes: text, message, packed numbers
  bool is_bytes = false;
};

class WireReader {
 public:
  WireReader(FileBytes file, uint64_t begin, uint64_t end) : file_(file), at_(begin), end_(end) {}

  bool more() const { return at_ < end_; }

  uint64_t varint() {
    uint64_t value = 0;
    for (uint32_t shift = 0; shift < 64; shift += 7) {
      if (at_ >= end_) {
        refuse_wire();
      }
      const auto byte = std::to_integer<uint64_t>(file_[at_++]);
      value |= (byte & 0x7FU) << shift;
      if (byte < 0x80U) {
        return value;
      }
    }
    refuse_wire();
  }

  WireField field() {
    const uint64_t tag = varint();
    WireField field{.number = tag >> 3U};
    switch (tag & 7U) {
      case 0:
        field.value = varint();
        return field;
      case 1:
        field.size = 8;
        break;
      case 2:
        field.is_bytes = true;
        field.size = varint();
        break;
      case 5:
        field.size = 4;
        break;
      default:
        refuse_wire();
    }
    if (field.size > end_ - at_) {
      refuse_wire();
    }
    field.offset = at_;
    at_ += field.size;
    return field;
  }

 private:
  FileBytes file_;
  uint64_t at_;
  uint64_t end_;
};

/// ONNX's numbers of types, as bytes.
size_t width_of(uint64_t type) {
  switch (type) {
    case 1:   // float
    case 6:   // int32
    case 12:  // uint32
      return 4;
    case 4:   // uint16
    case 5:   // int16
    case 10:  // float16
    case 16:  // bfloat16
      return 2;
    case 7:   // int64
    case 11:  // double
    case 13:  // uint64
      return 8;
    default:
      return 1;
  }
}

class TensorFinder {
 public:
  TensorFinder(FileBytes file, uint64_t least_bytes) : file_(file), least_bytes_(least_bytes) {}

  void read_model() {
    each_field(0, file_.size(), 0, [&](const WireField& field, int depth) {
      if (field.number == 7 && field.is_bytes) {
        read_graph(field, depth);
      }
    });
  }

  std::vector<TensorPlace> places() {
    std::sort(found_.begin(), found_.end(), [](const TensorPlace& a, const TensorPlace& b) {
      return a.offset < b.offset;
    });
    return std::move(found_);
  }

 private:
  static constexpr int kDeepest = 32;

  template <class Visit>
  void each_field(uint64_t offset, uint64_t size, int depth, const Visit& visit) {
    if (depth > kDeepest) {
      refuse_wire();
    }
    WireReader reader(file_, offset, offset + size);
    while (reader.more()) {
      visit(reader.field(), depth + 1);
    }
  }

  void read_graph(const WireField& graph, int depth) {
    each_field(graph.offset, graph.size, depth, [&](const WireField& field, int deeper) {
      if (field.number == 1 && field.is_bytes) {
        read_node(field, deeper);
      } else if (field.number == 5 && field.is_bytes) {
        read_tensor(field, deeper);
      }
    });
  }

  void read_node(const WireField& node, int depth) {
    each_field(node.offset, node.size, depth, [&](const WireField& field, int deeper) {
      if (field.number == 5 && field.is_bytes) {
        each_field(field.offset, field.size, deeper, [&](const WireField& part, int deepest) {
          if (part.number == 5 && part.is_bytes) {
            read_tensor(part, deepest);
          } else if (part.number == 6 && part.is_bytes) {
            read_graph(part, deepest);
          }
        });
      }
    });
  }

  void read_tensor(const WireField& tensor, int depth) {
    TensorPlace place;
    std::vector<uint64_t> dimensions;
    uint64_t type = 0;
    each_field(tensor.offset, tensor.size, depth, [&](const WireField& field, int) {
      if (field.number == 1 && field.is_bytes) {
        WireReader packed(file_, field.offset, field.offset + field.size);
        while (packed.more()) {
          dimensions.push_back(packed.varint());
        }
      } else if (field.number == 1) {
        dimensions.push_back(field.value);
      } else if (field.number == 2) {
        type = field.value;
      } else if (field.number == 8 && field.is_bytes) {
        const auto text = file_.subspan(field.offset, field.size);
        place.name = core::as_text(text);
      } else if ((field.number == 9 || field.number == 4) && field.is_bytes) {
        place.offset = field.offset;
        place.size = field.size;
      }
    });
    if (place.size < least_bytes_) {
      return;
    }
    const size_t width = width_of(type);
    place.form.width = place.size % width == 0 ? width : 1;
    const uint64_t count = place.size / place.form.width;
    const bool is_matrix = dimensions.size() > 1 && dimensions[0] > 0 && count % dimensions[0] == 0;
    place.form.rows = is_matrix ? dimensions[0] : 1;
    found_.push_back(std::move(place));
  }

  FileBytes file_;
  uint64_t least_bytes_;
  std::vector<TensorPlace> found_;
};

}  // namespace

std::vector<TensorPlace> find_tensors(std::span<const std::byte> onnx, uint64_t least_bytes) {
  TensorFinder finder(onnx, least_bytes);
  finder.read_model();
  return finder.places();
}

}  // namespace coppice::graph
