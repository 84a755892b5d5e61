#include "graph/onnx/file_limits.h"

#include <limits>

#include <fmt/format.h>
#include <google/protobuf/descriptor.h>
#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/wire_format_lite.h>
#include <onnx/onnx_pb.h>

#include "core/error.h"

namespace coppice::graph {

namespace {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::internal::WireFormatLite;

constexpr int kMostParts = 1 << 18;
constexpr int kMostNesting = 100;  // what protobuf's parser takes
constexpr size_t kLongestLine = 2000;

/// Walks the wire format without building anything.
class PartCounter {
 public:
  /// False once there are too many.
  bool count(google::protobuf::io::CodedInputStream& in, const Descriptor& type, int level) {
    while (const uint32_t tag = in.ReadTag()) {
      uint32_t size = 0;
      if (WireFormatLite::GetTagWireType(tag) != WireFormatLite::WIRETYPE_LENGTH_DELIMITED) {
        if (!WireFormatLite::SkipField(&in, tag)) {
          return true;
        }
        continue;
      }
      if (!in.ReadVarint32(&size)) {
        return true;
      }
      if (++parts_ > kMostParts) {
        return false;
      }
      const FieldDescriptor* field = type.FindFieldByNumber(WireFormatLite::GetTagFieldNumber(tag));
      const Descriptor* inner = field == nullptr ? nullptr : field->message_type();
      if (inner == nullptr || level == kMostNesting) {
        if (!in.Skip(static_cast<int>(size))) {
          return true;
        }
        continue;
      }
      const auto limit = in.PushLimit(static_cast<int>(size));
      if (!count(in, *inner, level + 1)) {
        return false;
      }
      in.Skip(in.BytesUntilLimit());
      in.PopLimit(limit);
    }
    return true;
  }

 private:
  int parts_ = 0;
};

}  // namespace

void check_onnx_size(uintmax_t size_bytes) {
  if (size_bytes > static_cast<uintmax_t>(std::numeric_limits<int>::max())) {
    throw core::Error(core::ErrorKind::Unsupported,
                      "2 GiB or more, which no ONNX file holds; keep the weights beside it");
  }
}

void check_onnx_file(std::span<const std::byte> bytes) {
  check_onnx_size(bytes.size());
  google::protobuf::io::CodedInputStream in(reinterpret_cast<const uint8_t*>(bytes.data()),
                                            static_cast<int>(bytes.size()));
  if (!PartCounter().count(in, *onnx::ModelProto::descriptor(), 1)) {
    throw core::Error(
        core::ErrorKind::Unsupported,
        fmt::format("more than {} nodes, names, attributes and tensors together", kMostParts));
  }
}

std::string one_line(const std::string& text) {
  std::string line;
  for (const char c : text) {
    if (line.size() >= kLongestLine) {
      return line + " …";
    }
    const auto byte = static_cast<unsigned char>(c);
    line += byte < 0x20 || byte == 0x7f ? fmt::format("\\x{:02x}", byte) : std::string(1, c);
  }
  return line;
}

}  // namespace coppice::graph
