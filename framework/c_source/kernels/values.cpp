#include "c_source/kernels/kernels.h"
#include "c_source/names.h"

namespace coppice::c_source {

namespace {

// The sum with 1.5 * 2^23 rounds half to even in the FPU's default mode; it is exact below 2^22.
constexpr const char* kQuantise = R"c(
/* Rounds half to even, adds the zero point and saturates. */
static @Y@ quantise_@T@(float value, int32_t zero)
{
  const float low = (float)(@LOW@ - zero);
  const float high = (float)(@HIGH@ - zero);
  float x = value > low ? value : low;
  x = x < high ? x : high;
  x = (x + 12582912.0f) - 12582912.0f;
  return (@Y@)((int32_t)x + zero);
}
)c";

}  // namespace

std::string type_suffix(graph::DType dtype) {
  return std::string(graph::to_string(dtype));
}

std::string define_quantise(Source& source, graph::DType dtype) {
  const bool is_signed = dtype == graph::DType::I8;
  const std::string name = "quantise_" + type_suffix(dtype);
  source.define(name,
                filled(kQuantise,
                       {{"T", type_suffix(dtype)},
                        {"Y", std::string(c_type(dtype))},
                        {"LOW", is_signed ? "-128" : "0"},
                        {"HIGH", is_signed ? "127" : "255"}}));
  return name;
}

}  // namespace coppice::c_source
