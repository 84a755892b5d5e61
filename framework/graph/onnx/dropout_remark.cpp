#include "graph/onnx/dropout_remark.h"

namespace coppice::graph {

namespace {
constexpr std::string_view kChannels = "coppice: drops whole channels";
constexpr std::string_view kSamples = "coppice: drops whole samples";
}  // namespace

std::string dropout_remark(DropoutGrain grain) {
  switch (grain) {
    case DropoutGrain::Channel:
      return std::string(kChannels);
    case DropoutGrain::Sample:
      return std::string(kSamples);
    case DropoutGrain::Value:
      break;
  }
  return "";
}

DropoutGrain read_dropout_remark(std::string_view remark) {
  if (remark == kChannels) {
    return DropoutGrain::Channel;
  }
  return remark == kSamples ? DropoutGrain::Sample : DropoutGrain::Value;
}

}  // namespace coppice::graph
