#include "c_source/kernels/kernels.h"
#include "c_source/names.h"

namespace coppice::c_source {

namespace {

constexpr const char* kConvSizes = R"c(
/* Images [channels, height, width], filters [filters, channels / groups, kernel]. */
typedef struct {
  int32_t channels, height, width;
  int32_t filters, out_height, out_width;
  int32_t groups;
  int32_t kernel_height, kernel_width;
  int32_t stride_y, stride_x;
  int32_t top, left; /* padding */
  int32_t dilation_y, dilation_x;
} conv_sizes;

/* The taps of a window from `start` on that lie inside of `size`: from first_tap to end_tap. */
static int32_t first_tap(int32_t start, int32_t dilation)
{
  return start < 0 ? (-start + dilation - 1) / dilation : 0;
}

static int32_t end_tap(int32_t start, int32_t dilation, int32_t kernel, int32_t size)
{
  const int32_t end = (size - start + dilation - 1) / dilation;
  return end < kernel ? end : kernel;
}
)c";

constexpr const char* kIntegerLayer = R"c(
/* value = (sum + bias) * multiplier + (residual - zero) * multiplier, the last product not rounded,
   between low and high. */
typedef struct {
  const int8_t *weight;
  const float *bias;       /* in units of the sums */
  const float *multiplier; /* one for each filter, as the bias */
  float low, high;
  int32_t input_zero, output_zero, residual_zero;
  float residual_multiplier;
} integer_layer;
)c";

constexpr const char* kFloatLayer = R"c(
/* value = sum + bias + residual, between low and high. */
typedef struct {
  const float *weight;
  const float *bias; /* one for each filter */
  float low, high;
} float_layer;
)c";

constexpr const char* kFinish = R"c(
static void finish_@FORM@(const @LAYER@ *layer, int32_t filter, @SUM@ sum,@R_ARGUMENT@ @Y@ *y)
{
@VALUE@
  value = value < layer->low ? layer->low : value;
  value = layer->high < value ? layer->high : value;
  *y = @STORE@;
}
)c";

constexpr const char* kConvolution = R"c(
static void conv_@FORM@(const conv_sizes *g, const @LAYER@ *layer, const @X@ *x,
  @R_PARAMETER@@Y@ *y)
{
  const int32_t plane = g->height * g->width;
  const int32_t depth = g->channels / g->groups;
  const int32_t taps = g->kernel_height * g->kernel_width;
  const int32_t reach = 3 * g->stride_x + (g->kernel_width - 1) * g->dilation_x;
  const int32_t sx = g->stride_x;@ZERO_VARIABLE@
  int32_t place = 0;
  for (int32_t f = 0; f < g->filters; ++f) {
    const @X@ *image = x + f / (g->filters / g->groups) * depth * plane;
    const @W@ *filter = layer->weight + f * depth * taps;
    for (int32_t oy = 0; oy < g->out_height; ++oy) {
      const int32_t top = oy * g->stride_y - g->top;
      const int32_t first_y = first_tap(top, g->dilation_y);
      const int32_t end_y = end_tap(top, g->dilation_y, g->kernel_height, g->height);
      for (int32_t ox = 0; ox < g->out_width;) {
        const int32_t left = ox * sx - g->left;
        if (left >= 0 && left + reach < g->width && ox + 4 <= g->out_width) {
          /* Four outputs share every weight. */
          @SUM@ s0 = 0, s1 = 0, s2 = 0, s3 = 0;
          for (int32_t c = 0; c < depth; ++c) {
            for (int32_t ky = first_y; ky < end_y; ++ky) {
              const @X@ *p = image + c * plane + (top + ky * g->dilation_y) * g->width + left;
              const @W@ *w = filter + c * taps + ky * g->kernel_width;
              for (int32_t kx = 0; kx < g->kernel_width; ++kx) {
                const @SUM@ weight = w[kx];
                s0 += weight * (@CAST@p[0]@MINUS_ZERO@);
                s1 += weight * (@CAST@p[sx]@MINUS_ZERO@);
                s2 += weight * (@CAST@p[2 * sx]@MINUS_ZERO@);
                s3 += weight * (@CAST@p[3 * sx]@MINUS_ZERO@);
                p += g->dilation_x;
              }
            }
          }
          finish_@FORM@(layer, f, s0,@R_0@ y + place);
          finish_@FORM@(layer, f, s1,@R_1@ y + place + 1);
          finish_@FORM@(layer, f, s2,@R_2@ y + place + 2);
          finish_@FORM@(layer, f, s3,@R_3@ y + place + 3);
          ox += 4;
          place += 4;
        } else {
          const int32_t first_x = first_tap(left, g->dilation_x);
          const int32_t end_x = end_tap(left, g->dilation_x, g->kernel_width, g->width);
          @SUM@ sum = 0;
          for (int32_t c = 0; c < depth; ++c) {
            for (int32_t ky = first_y; ky < end_y; ++ky) {
              const @X@ *p = image + c * plane + (top + ky * g->dilation_y) * g->width;
              const @W@ *w = filter + c * taps + ky * g->kernel_width;
              for (int32_t kx = first_x; kx < end_x; ++kx) {
                sum += w[kx] * (@CAST@p[left + kx * g->dilation_x]@MINUS_ZERO@);
              }
            }
          }
          finish_@FORM@(layer, f, sum,@R_0@ y + place);
          ++ox;
          ++place;
        }
      }
    }
  }
}
)c";

constexpr const char* kDense = R"c(
static void dense_@FORM@(int32_t in, int32_t out, const @LAYER@ *layer, const @X@ *x,
  @R_PARAMETER@@Y@ *y)
{
  const @W@ *w = layer->weight;@ZERO_VARIABLE@
  for (int32_t place = 0; place < out; ++place) {
    @SUM@ sum = 0;
    for (int32_t i = 0; i < in; ++i) {
      sum += w[i] * (@CAST@x[i]@MINUS_ZERO@);
    }
    finish_@FORM@(layer, place, sum,@R_0@ y + place);
    w += in;
  }
}
)c";

using Values = std::map<std::string, std::string>;

std::string value_of(const LayerForm& form) {
  if (form.input == graph::DType::F32) {
    return std::string("  float value = sum + layer->bias[filter];") +
           (form.residual ? "\n  value += residual;" : "");
  }
  return std::string(
             "  float value = ((float)sum + layer->bias[filter]) * "
             "layer->multiplier[filter];") +
         (form.residual ? "\n  value = fmaf((float)((int32_t)residual - layer->residual_zero), "
                          "layer->residual_multiplier, value);"
                        : "");
}

Values values_of(const LayerForm& form) {
  const bool integer = form.input != graph::DType::F32;
  const std::string residual(c_type(form.residual_type));
  Values values{
      {"X", std::string(c_type(form.input))},
      {"Y", std::string(c_type(form.output))},
      {"W", integer ? "int8_t" : "float"},
      {"SUM", integer ? "int32_t" : "float"},
      {"LAYER", integer ? "integer_layer" : "float_layer"},
      {"CAST", integer ? "(int32_t)" : ""},
      {"ZERO_VARIABLE", form.input_zero ? "\n  const int32_t zero = layer->input_zero;" : ""},
      {"MINUS_ZERO", form.input_zero ? " - zero" : ""},
      {"R_ARGUMENT", form.residual ? " " + residual + " residual," : ""},
      {"R_PARAMETER", form.residual ? "const " + residual + " *residual, " : ""},
      {"VALUE", value_of(form)},
      {"STORE",
       form.output == graph::DType::F32
           ? "value"
           : "quantise_" + type_suffix(form.output) + "(value, layer->output_zero)"}};
  for (const char* place : {"0", "1", "2", "3"}) {
    const std::string offset = place[0] == '0' ? "" : std::string(" + ") + place;
    values[std::string("R_") + place] = form.residual ? " residual[place" + offset + "]," : "";
  }
  values["FORM"] = type_suffix(form.input) + (form.input_zero ? "z" : "") + "_" +
                   (form.residual ? type_suffix(form.residual_type) + "_" : "") +
                   type_suffix(form.output);
  return values;
}

Values define_finish(Source& source, const LayerForm& form) {
  const Values values = values_of(form);
  const std::string& layer = values.at("LAYER");
  source.define(layer, form.input == graph::DType::F32 ? kFloatLayer : kIntegerLayer);
  if (form.output != graph::DType::F32) {
    define_quantise(source, form.output);
  }
  // How the input's zero point is taken off makes no difference here.
  source.define("finish_" + values.at("FORM"), filled(kFinish, values));
  return values;
}

}  // namespace

std::string define_convolution(Source& source, const LayerForm& form) {
  const Values values = define_finish(source, form);
  source.define("conv_sizes", kConvSizes);
  std::string name = "conv_" + values.at("FORM");
  source.define(name, filled(kConvolution, values));
  return name;
}

std::string define_dense(Source& source, const LayerForm& form) {
  const Values values = define_finish(source, form);
  std::string name = "dense_" + values.at("FORM");
  source.define(name, filled(kDense, values));
  return name;
}

}  // namespace coppice::c_source
