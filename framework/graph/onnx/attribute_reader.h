#pragma once

#include <map>
#include <string>
#include <string_view>

#include <onnx/onnx_pb.h>

#include "graph/tensor.h"

namespace coppice::graph {

/// The attributes of one ONNX node. What nobody asks for is refused by `finish`, so that no meaning
/// is lost in silence. Throws Error{Corrupt} for a repeated attribute or one of another type.
/// Borrows the node.
class AttributeReader {
 public:
  explicit AttributeReader(const onnx::NodeProto& node);

  int64_t integer(std::string_view name, int64_t otherwise);
  float real(std::string_view name, float otherwise);
  Shape integers(std::string_view name, Shape otherwise);
  const onnx::AttributeProto* take(std::string_view name);  ///< of any type; nullptr when absent
  bool has(std::string_view name) const;

  /// Throws Error{Unsupported} unless the attribute is absent or has this value.
  void expect(std::string_view name, int64_t value);
  void expect(std::string_view name, float value);
  void expect_text(std::string_view name, std::string_view value);

  /// Throws Error{Unsupported} naming an attribute that was not read.
  void finish() const;

 private:
  const onnx::AttributeProto* take(std::string_view name, int type);
  [[noreturn]] void refuse(std::string_view name, const std::string& why) const;

  const onnx::NodeProto& node_;
  std::map<std::string_view, const onnx::AttributeProto*> unread_;
};

}  // namespace coppice::graph
