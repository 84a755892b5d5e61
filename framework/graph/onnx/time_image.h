#pragma once

#include "graph/onnx/reader.h"

/// Ops over time [n, channels, time] run on images [n, channels, 1, time]. Their results stay
/// images, seen as [n, channels, time], until something else needs rows: no reshape stands between
/// two of them.
namespace coppice::graph {

/// Input 0 as an image, be it one already. Throws Error{Unsupported} for another rank than 3 or 4.
struct TimeImage {
  std::string node;
  bool over_time = false;
};

TimeImage image_of(OnnxReader& reader, const onnx::NodeProto& node);

/// Makes the node for an image and names the output after it.
void add_over_image(OnnxReader& reader,
                    const onnx::NodeProto& node,
                    const TimeImage& image,
                    Op op,
                    Attributes attributes,
                    std::vector<std::string> inputs);

/// A list for height and width from one that may be for time alone; pads have two of each. Throws
/// Error{Unsupported} for another length.
Shape spatial(const onnx::NodeProto& node, const TimeImage& image, Shape values, int64_t height);
Shape spatial_pads(const onnx::NodeProto& node, const TimeImage& image, Shape values);

}  // namespace coppice::graph
