#include "c_source/kernels/kernels.h"
#include "c_source/names.h"

namespace coppice::c_source {

namespace {

using graph::DType;

constexpr const char* kPoolSizes = R"c(
typedef struct {
  int32_t channels, height, width;
  int32_t out_height, out_width;
  int32_t kernel_height, kernel_width;
  int32_t stride_y, stride_x;
  int32_t top, left; /* padding, which never counts */
} pool_sizes;
)c";

constexpr const char* kWindows = R"c(
static void @NAME@(const pool_sizes *g, const @X@ *x,@SCALE_PARAMETERS@ @Y@ *y)
{
  for (int32_t c = 0; c < g->channels; ++c) {
    for (int32_t oy = 0; oy < g->out_height; ++oy) {
      const int32_t top = oy * g->stride_y - g->top;
      const int32_t bottom = top + g->kernel_height < g->height ? top + g->kernel_height : g->height;
      for (int32_t ox = 0; ox < g->out_width; ++ox) {
        const int32_t left = ox * g->stride_x - g->left;
        const int32_t right = left + g->kernel_width < g->width ? left + g->kernel_width : g->width;
@BEGIN@
        for (int32_t iy = top < 0 ? 0 : top; iy < bottom; ++iy) {
          for (int32_t ix = left < 0 ? 0 : left; ix < right; ++ix) {
            const @X@ value = x[iy * g->width + ix];
@FOLD@
          }
        }
        *y++ = @RESULT@;
      }
    }
    x += g->height * g->width;
  }
}
)c";

// The sums are double, as the reference's: a few soft-float additions for each value on a core
// without such a unit.
constexpr const char* kMean = R"c(
static void mean_@T@(int32_t rows, int32_t count, const @X@ *x,@SCALE_PARAMETERS@ float *y)
{
  for (int32_t row = 0; row < rows; ++row) {
    double sum = 0;
    for (int32_t i = 0; i < count; ++i) {
      const @X@ value = *x++;
      sum += (double)@REAL@;
    }
    *y++ = (float)(sum / (double)count);
  }
}
)c";

constexpr const char* kSoftmax = R"c(
/* Along the middle dimension. */
static void softmax(int32_t outer, int32_t length, int32_t inner, const float *x, float *y)
{
  for (int32_t row = 0; row < outer * inner; ++row) {
    const int32_t start = row / inner * length * inner + row % inner;
    float highest = x[start];
    double sum = 0;
    for (int32_t i = 1; i < length; ++i) {
      const float value = x[start + i * inner];
      highest = highest < value ? value : highest;
    }
    for (int32_t i = 0; i < length; ++i) {
      const float value = expf(x[start + i * inner] - highest);
      y[start + i * inner] = value;
      sum += (double)value;
    }
    for (int32_t i = 0; i < length; ++i) {
      y[start + i * inner] = (float)((double)y[start + i * inner] / sum);
    }
  }
}
)c";

std::string scale_parameters(DType dtype) {
  return dtype == DType::F32 ? "" : " float scale, int32_t zero,";
}

std::string real_value(DType dtype) {
  return dtype == DType::F32 ? "value" : "((float)((int32_t)value - zero) * scale)";
}

}  // namespace

std::string define_max_pool(Source& source, DType dtype) {
  const std::string name = "max_pool_" + type_suffix(dtype);
  const std::string type(c_type(dtype));
  const std::string lowest = dtype == DType::F32 ? "-INFINITY" : dtype == DType::U8 ? "0" : "-128";
  source.define("pool_sizes", kPoolSizes);
  source.define(name,
                filled(kWindows,
                       {{"NAME", name},
                        {"X", type},
                        {"Y", type},
                        {"SCALE_PARAMETERS", ""},
                        {"BEGIN", "        " + type + " highest = " + lowest + ";"},
                        {"FOLD", "            highest = highest < value ? value : highest;"},
                        {"RESULT", "highest"}}));
  return name;
}

std::string define_average_pool(Source& source, DType input) {
  const std::string name = "average_pool_" + type_suffix(input);
  source.define("pool_sizes", kPoolSizes);
  source.define(
      name,
      filled(
          kWindows,
          {{"NAME", name},
           {"X", std::string(c_type(input))},
           {"Y", "float"},
           {"SCALE_PARAMETERS", scale_parameters(input)},
           {"BEGIN", "        double sum = 0;\n        int32_t count = 0;"},
           {"FOLD", "            sum += (double)" + real_value(input) + ";\n            ++count;"},
           {"RESULT", "(float)(sum / (double)(count > 1 ? count : 1))"}}));
  return name;
}

std::string define_mean(Source& source, DType input) {
  const std::string name = "mean_" + type_suffix(input);
  source.define(name,
                filled(kMean,
                       {{"T", type_suffix(input)},
                        {"X", std::string(c_type(input))},
                        {"SCALE_PARAMETERS", scale_parameters(input)},
                        {"REAL", real_value(input)}}));
  return name;
}

std::string define_softmax(Source& source) {
  source.define("softmax", kSoftmax);
  return "softmax";
}

}  // namespace coppice::c_source
