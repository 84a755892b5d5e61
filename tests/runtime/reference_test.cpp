#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <set>

#include <gtest/gtest.h>

#include "core/error.h"
#include "core/expect_error.h"
#include "runtime/models.h"

namespace coppice::runtime::testing {
namespace {

using graph::DType;
using graph::Op;
using graph::Shape;
using graph::Tensor;

/// Reads any element as a double, as ONNX's formulas are written.
double at(const Tensor& t, int64_t i) {
  const auto index = static_cast<size_t>(i);
  switch (t.dtype()) {
    case DType::F32:
      return t.data<float>()[index];
    case DType::U8:
      return t.data<uint8_t>()[index];
    case DType::I8:
      return t.data<int8_t>()[index];
    case DType::I32:
      return t.data<int32_t>()[index];
    case DType::I64:
      return static_cast<double>(t.data<int64_t>()[index]);
  }
  return 0;
}

double at(const Tensor& t, int64_t n, int64_t c, int64_t h, int64_t w) {
  return at(t, ((n * t.dim(1) + c) * t.dim(2) + h) * t.dim(3) + w);
}

using Values = std::vector<double>;
using Naive = std::function<Values(const std::vector<Tensor>&, const Shape& out)>;

/// One op: its operands, which of them are weights (the rest feed the graph), and its formula.
struct Case {
  std::string name;
  Op op;
  graph::Attributes attributes;
  std::vector<Tensor> operands;
  std::set<size_t> weights;
  Naive naive;
};

// NOLINTNEXTLINE(readability-identifier-naming): GoogleTest finds it by this name
void PrintTo(const Case& c, std::ostream* out) {
  *out << c.name;
}

/// Calls f(n, c, h, w) over a shape in row-major order.
template <class F>
Values over(const Shape& shape, F f) {
  Values result;
  for (int64_t n = 0; n < shape[0]; ++n) {
    for (int64_t c = 0; c < shape[1]; ++c) {
      for (int64_t h = 0; h < shape[2]; ++h) {
        for (int64_t w = 0; w < shape[3]; ++w) {
          result.push_back(f(n, c, h, w));
        }
      }
    }
  }
  return result;
}

Case conv_case(std::string name, Shape x, int64_t out, graph::ConvAttributes a, bool bias) {
  std::vector<Tensor> operands{random_floats(x, 1),
                               random_floats({out, x[1] / a.groups, a.kernel[0], a.kernel[1]}, 2)};
  if (bias) {
    operands.push_back(random_floats({out}, 3));
  }
  const auto naive = [a](const std::vector<Tensor>& in, const Shape& shape) {
    return over(shape, [&](int64_t n, int64_t o, int64_t oh, int64_t ow) {
      const int64_t in_group = in[1].dim(1);
      const int64_t group = o / (shape[1] / a.groups);
      double sum = in.size() > 2 ? at(in[2], o) : 0;
      for (int64_t i = 0; i < in_group; ++i) {
        for (int64_t kh = 0; kh < a.kernel[0]; ++kh) {
          for (int64_t kw = 0; kw < a.kernel[1]; ++kw) {
            const int64_t h = oh * a.stride[0] + kh * a.dilation[0] - a.pads[0];
            const int64_t w = ow * a.stride[1] + kw * a.dilation[1] - a.pads[1];
            if (h >= 0 && h < in[0].dim(2) && w >= 0 && w < in[0].dim(3)) {
              sum += at(in[0], n, group * in_group + i, h, w) * at(in[1], o, i, kh, kw);
            }
          }
        }
      }
      return sum;
    });
  };
  std::set<size_t> weights{1};
  if (bias) {
    weights.insert(2);
  }
  return {std::move(name), Op::Conv, a, std::move(operands), weights, naive};
}

Case gemm_case(std::string name, int64_t n, int64_t in, int64_t out, bool bias) {
  std::vector<Tensor> operands{random_floats({n, in}, 4), random_floats({out, in}, 5)};
  if (bias) {
    operands.push_back(random_floats({out}, 6));
  }
  return {std::move(name),
          Op::Gemm,
          graph::NoAttributes{},
          std::move(operands),
          bias ? std::set<size_t>{1, 2} : std::set<size_t>{1},
          [=](const std::vector<Tensor>& t, const Shape&) {
            Values result;
            for (int64_t i = 0; i < n * out; ++i) {
              double sum = t.size() > 2 ? at(t[2], i % out) : 0;
              for (int64_t k = 0; k < in; ++k) {
                sum += at(t[0], i / out * in + k) * at(t[1], i % out * in + k);
              }
              result.push_back(sum);
            }
            return result;
          }};
}

Case binary_case(
    std::string name, Op op, const Shape& a, const Shape& b, std::set<size_t> weights) {
  const auto naive = [op](const std::vector<Tensor>& t, const Shape& out) {
    return over(out, [&](int64_t n, int64_t c, int64_t h, int64_t w) {
      const auto read = [&](const Tensor& x) {
        const std::vector<int64_t> index{n, c, h, w};
        int64_t place = 0;
        for (size_t i = 0; i < x.shape().size(); ++i) {
          const int64_t size = x.shape()[i];
          place = place * size + (size == 1 ? 0 : index[4 - x.shape().size() + i]);
        }
        return at(x, place);
      };
      const double left = read(t[0]);
      const double right = read(t[1]);
      return op == Op::Add   ? left + right
             : op == Op::Sub ? left - right
             : op == Op::Mul ? left * right
                             : left / right;
    });
  };
  return {std::move(name),
          op,
          graph::NoAttributes{},
          {random_floats(a, 7, 0.5, 2), random_floats(b, 8, 0.5, 2)},
          std::move(weights),
          naive};
}

Case pool_case(std::string name, Op op, const Shape& x, graph::PoolAttributes a) {
  const auto naive = [a, op](const std::vector<Tensor>& t, const Shape& out) {
    return over(out, [&](int64_t n, int64_t c, int64_t oh, int64_t ow) {
      double highest = -std::numeric_limits<double>::infinity();
      double sum = 0;
      double places = 0;
      for (int64_t h = oh * a.stride[0] - a.pads[0]; h < oh * a.stride[0] - a.pads[0] + a.kernel[0];
           ++h) {
        for (int64_t w = ow * a.stride[1] - a.pads[1];
             w < ow * a.stride[1] - a.pads[1] + a.kernel[1];
             ++w) {
          if (h >= 0 && w >= 0 && h < t[0].dim(2) && w < t[0].dim(3)) {
            highest = std::max(highest, at(t[0], n, c, h, w));
            sum += at(t[0], n, c, h, w);
            places += 1;
          }
        }
      }
      return op == Op::MaxPool ? highest : sum / places;
    });
  };
  return {std::move(name), op, a, {random_floats(x, 9)}, {}, naive};
}

Values copied(const std::vector<Tensor>& t, const Shape&) {
  Values result;
  for (int64_t i = 0; i < t[0].size(); ++i) {
    result.push_back(at(t[0], i));
  }
  return result;
}

Case softmax_case(std::string name, const Shape& x, int64_t axis) {
  return {std::move(name),
          Op::Softmax,
          graph::AxisAttributes{axis},
          {random_floats(x, 10, -90, 90)},
          {},
          [axis](const std::vector<Tensor>& t, const Shape& out) {
            int64_t inner = 1;
            for (size_t i = static_cast<size_t>(axis) + 1; i < out.size(); ++i) {
              inner *= out[i];
            }
            const int64_t length = out[static_cast<size_t>(axis)];
            Values result;
            for (int64_t i = 0; i < t[0].size(); ++i) {
              const int64_t start = i / (length * inner) * length * inner + i % inner;
              double sum = 0;
              for (int64_t k = 0; k < length; ++k) {
                sum += std::exp(at(t[0], start + k * inner) - at(t[0], i));
              }
              result.push_back(1 / sum);
            }
            return result;
          }};
}

Case concat_case(std::string name, const std::vector<Shape>& shapes, int64_t axis) {
  std::vector<Tensor> operands;
  operands.reserve(shapes.size());
  for (const Shape& shape : shapes) {
    operands.push_back(random_floats(shape, 11 + operands.size()));
  }
  return {std::move(name),
          Op::Concat,
          graph::AxisAttributes{axis},
          std::move(operands),
          {},
          [axis](const std::vector<Tensor>& t, const Shape& out) {
            return over(out, [&](int64_t n, int64_t c, int64_t h, int64_t w) {
              std::vector<int64_t> index{n, c, h, w};
              int64_t& along = index[static_cast<size_t>(axis)];
              size_t part = 0;
              while (along >= t[part].dim(static_cast<size_t>(axis))) {
                along -= t[part++].dim(static_cast<size_t>(axis));
              }
              return at(t[part], index[0], index[1], index[2], index[3]);
            });
          }};
}

Case batch_norm_case(Shape x) {
  const Shape channels{x[1]};
  return {"batch_norm",
          Op::BatchNorm,
          graph::BatchNormAttributes{1e-3F},
          {random_floats(x, 20),
           random_floats(channels, 21),
           random_floats(channels, 22),
           random_floats(channels, 23),
           random_floats(channels, 24, 0.1, 2)},
          {1, 2, 3, 4},
          [](const std::vector<Tensor>& t, const Shape& out) {
            return over(out, [&](int64_t n, int64_t c, int64_t h, int64_t w) {
              return (at(t[0], n, c, h, w) - at(t[3], c)) / std::sqrt(at(t[4], c) + 1e-3) *
                         at(t[1], c) +
                     at(t[2], c);
            });
          }};
}

/// x / scale to the nearest integer, ties to even, plus the zero point, saturated. Per channel when
/// there are several scales.
Case quantise_case(std::string name,
                   DType dtype,
                   std::vector<float> scales,
                   std::vector<double> zeros) {
  const auto count = static_cast<int64_t>(scales.size());
  const Shape scale_shape = count == 1 ? Shape{} : Shape{count};
  Tensor zero(dtype, scale_shape);
  for (size_t i = 0; i < zeros.size(); ++i) {
    zero.bytes()[i] = static_cast<std::byte>(static_cast<int64_t>(zeros[i]));
  }
  Tensor x = random_floats({2, 3, 4, 5}, 30, -80, 80);
  const std::vector<float> ties{0.5F, 1.5F, 2.5F, -0.5F, -1.5F, 1e30F, -1e30F, 0};
  for (size_t i = 0; i < ties.size(); ++i) {
    x.data<float>()[i] = ties[i] * scales[0];
  }
  return {std::move(name),
          Op::QuantizeLinear,
          graph::AxisAttributes{1},
          {x, Tensor::from<float>(scale_shape, scales), zero},
          {1, 2},
          [dtype](const std::vector<Tensor>& t, const Shape& out) {
            const double low = dtype == DType::U8 ? 0 : -128;
            const double high = dtype == DType::U8 ? 255 : 127;
            return over(out, [&](int64_t n, int64_t c, int64_t h, int64_t w) {
              const int64_t slot = t[1].size() == 1 ? 0 : c;
              const auto scaled =
                  static_cast<float>(at(t[0], n, c, h, w)) / static_cast<float>(at(t[1], slot));
              return std::clamp(std::nearbyint(double{scaled}) + at(t[2], slot), low, high);
            });
          }};
}

Case dequantise_case(std::string name, DType dtype, std::vector<float> scales, int zero_point) {
  const auto count = static_cast<int64_t>(scales.size());
  const Shape scale_shape = count == 1 ? Shape{} : Shape{count};
  Tensor zero(dtype, scale_shape);
  zero.bytes()[0] = static_cast<std::byte>(zero_point);
  return {
      std::move(name),
      Op::DequantizeLinear,
      graph::AxisAttributes{1},
      {random_integers(dtype, {2, 3, 4, 5}, 31), Tensor::from<float>(scale_shape, scales), zero},
      {1, 2},
      [](const std::vector<Tensor>& t, const Shape& out) {
        return over(out, [&](int64_t n, int64_t c, int64_t h, int64_t w) {
          const int64_t slot = t[1].size() == 1 ? 0 : c;
          return (at(t[0], n, c, h, w) - at(t[2], slot)) * at(t[1], slot);
        });
      }};
}

Case curve_case(std::string name,
                Op op,
                graph::Attributes attributes,
                std::function<double(double)> formula) {
  return {std::move(name),
          op,
          std::move(attributes),
          {random_floats({2, 3, 4, 5}, 40, -9, 9)},
          {},
          [formula = std::move(formula)](const std::vector<Tensor>& t, const Shape&) {
            Values result;
            for (int64_t i = 0; i < t[0].size(); ++i) {
              result.push_back(formula(at(t[0], i)));
            }
            return result;
          }};
}

Case resize_case(std::string name, graph::ResizeAttributes a) {
  return {std::move(name),
          Op::Resize,
          a,
          {random_floats({2, 3, 4, 5}, 41)},
          {},
          [a](const std::vector<Tensor>& t, const Shape& out) {
            return over(out, [&](int64_t n, int64_t c, int64_t h, int64_t w) {
              return at(t[0], n, c, h / a.scale[0], w / a.scale[1]);
            });
          }};
}

Case slice_case(std::string name, graph::SliceAttributes a) {
  return {std::move(name),
          Op::Slice,
          a,
          {random_floats({2, 3, 4, 5}, 42)},
          {},
          [a](const std::vector<Tensor>& t, const Shape& out) {
            return over(out, [&](int64_t n, int64_t c, int64_t h, int64_t w) {
              std::vector<int64_t> index{n, c, h, w};
              int64_t& along = index[static_cast<size_t>(a.axis)];
              along = a.start + along * a.step;
              return at(t[0], index[0], index[1], index[2], index[3]);
            });
          }};
}

/// What a kernel in the forward direction gathers, from the output's point of view.
Case conv_transpose_case(
    std::string name, Shape x, int64_t out, graph::ConvTransposeAttributes a, bool bias) {
  std::vector<Tensor> operands{random_floats(x, 43),
                               random_floats({x[1], out / a.groups, a.kernel[0], a.kernel[1]}, 44)};
  if (bias) {
    operands.push_back(random_floats({out}, 45));
  }
  const auto naive = [a](const std::vector<Tensor>& in, const Shape& shape) {
    return over(shape, [&](int64_t n, int64_t o, int64_t oh, int64_t ow) {
      const int64_t out_group = in[1].dim(1);
      const int64_t in_group = in[0].dim(1) / a.groups;
      const int64_t first = o / out_group * in_group;
      double sum = in.size() > 2 ? at(in[2], o) : 0;
      for (int64_t i = first; i < first + in_group; ++i) {
        for (int64_t kh = 0; kh < a.kernel[0]; ++kh) {
          for (int64_t kw = 0; kw < a.kernel[1]; ++kw) {
            const int64_t h = oh + a.pads[0] - kh * a.dilation[0];
            const int64_t w = ow + a.pads[1] - kw * a.dilation[1];
            const bool meets = h >= 0 && w >= 0 && h % a.stride[0] == 0 && w % a.stride[1] == 0 &&
                               h / a.stride[0] < in[0].dim(2) && w / a.stride[1] < in[0].dim(3);
            if (meets) {
              sum += at(in[0], n, i, h / a.stride[0], w / a.stride[1]) *
                     at(in[1], i, o % out_group, kh, kw);
            }
          }
        }
      }
      return sum;
    });
  };
  return {std::move(name),
          Op::ConvTranspose,
          a,
          std::move(operands),
          bias ? std::set<size_t>{1, 2} : std::set<size_t>{1},
          naive};
}

Case matmul_case(std::string name, const Shape& a, const Shape& b, bool weight) {
  return {std::move(name),
          Op::MatMul,
          graph::NoAttributes{},
          {random_floats(a, 46), random_floats(b, 47)},
          weight ? std::set<size_t>{1} : std::set<size_t>{},
          [weight](const std::vector<Tensor>& t, const Shape& out) {
            const int64_t inner = t[0].shape().back();
            const int64_t columns = out.back();
            const int64_t rows = out[out.size() - 2];
            Values result;
            int64_t size = 1;
            for (const int64_t d : out) {
              size *= d;
            }
            for (int64_t i = 0; i < size; ++i) {
              const int64_t matrix = weight ? 0 : i / columns / rows;
              double sum = 0;
              for (int64_t k = 0; k < inner; ++k) {
                sum += at(t[0], i / columns * inner + k) *
                       at(t[1], (matrix * inner + k) * columns + i % columns);
              }
              result.push_back(sum);
            }
            return result;
          }};
}

Case layer_norm_case(std::string name, const Shape& x, int64_t axis) {
  const Shape normalised(x.begin() + axis, x.end());
  return {
      std::move(name),
      Op::LayerNorm,
      graph::LayerNormAttributes{axis, 1e-3F},
      {random_floats(x, 48, 2, 5), random_floats(normalised, 49), random_floats(normalised, 50)},
      {1, 2},
      [](const std::vector<Tensor>& t, const Shape&) {
        const int64_t length = t[1].size();
        Values result;
        for (int64_t i = 0; i < t[0].size(); ++i) {
          const int64_t start = i / length * length;
          double mean = 0;
          double square = 0;
          for (int64_t k = 0; k < length; ++k) {
            mean += at(t[0], start + k) / static_cast<double>(length);
            square += at(t[0], start + k) * at(t[0], start + k) / static_cast<double>(length);
          }
          result.push_back((at(t[0], i) - mean) / std::sqrt(square - mean * mean + 1e-3) *
                               at(t[1], i % length) +
                           at(t[2], i % length));
        }
        return result;
      }};
}

Case transpose_case(std::string name, const Shape& order) {
  return {std::move(name),
          Op::Transpose,
          graph::TransposeAttributes{order},
          {random_floats({2, 3, 4, 5}, 51)},
          {},
          [order](const std::vector<Tensor>& t, const Shape& out) {
            return over(out, [&](int64_t n, int64_t c, int64_t h, int64_t w) {
              const int64_t to[] = {n, c, h, w};
              int64_t from[4] = {};
              for (size_t d = 0; d < 4; ++d) {
                from[order[d]] = to[d];
              }
              return at(t[0], from[0], from[1], from[2], from[3]);
            });
          }};
}

Case pad_case(std::string name, graph::PadAttributes a) {
  const auto naive = [a](const std::vector<Tensor>& t, const Shape& out) {
    return over(out, [&](int64_t n, int64_t c, int64_t h, int64_t w) {
      int64_t from[] = {n, c - a.pads[1], h - a.pads[2], w - a.pads[3]};
      for (size_t d = 1; d < 4; ++d) {
        const int64_t size = t[0].dim(d);
        if (a.mode == graph::PadMode::Constant && (from[d] < 0 || from[d] >= size)) {
          return double{a.value};
        }
        if (a.mode == graph::PadMode::Reflect) {
          from[d] = size - 1 - std::abs(size - 1 - std::abs(from[d]));
        }
        from[d] = std::clamp<int64_t>(from[d], 0, size - 1);
      }
      return at(t[0], from[0], from[1], from[2], from[3]);
    });
  };
  return {std::move(name), Op::Pad, a, {random_floats({2, 3, 4, 5}, 52)}, {}, naive};
}

Case mean_case(std::string name, const Shape& axes) {
  return {std::move(name),
          Op::ReduceMean,
          graph::ReduceAttributes{axes},
          {random_floats({2, 3, 4, 5}, 53)},
          {},
          [](const std::vector<Tensor>& t, const Shape& out) {
            Values sums(static_cast<size_t>(out[0] * out[1] * out[2] * out[3]), 0.0);
            const double share =
                static_cast<double>(sums.size()) / static_cast<double>(t[0].size());
            for (int64_t i = 0; i < t[0].size(); ++i) {
              const int64_t index[] = {i / 60, i / 20 % 3, i / 5 % 4, i % 5};
              int64_t place = 0;
              for (size_t d = 0; d < 4; ++d) {
                place = place * out[d] + (out[d] == 1 ? 0 : index[d]);
              }
              sums[static_cast<size_t>(place)] += at(t[0], i) * share;
            }
            return sums;
          }};
}

/// Tent functions around the place that an output pixel has among the input's.
Case linear_case(std::string name, graph::ResizeAttributes a) {
  const auto naive = [a](const std::vector<Tensor>& t, const Shape& out) {
    const auto place = [&](int64_t i, size_t d) {
      const auto in = static_cast<double>(t[0].dim(d));
      const auto size = static_cast<double>(out[d]);
      const auto x = static_cast<double>(i);
      const double at_centres = (x + 0.5) * in / size - 0.5;
      const double at_corners = size > 1 ? x * (in - 1) / (size - 1) : 0;
      return std::clamp(a.mode == graph::ResizeMode::Linear ? at_centres : at_corners, 0.0, in - 1);
    };
    return over(out, [&](int64_t n, int64_t c, int64_t h, int64_t w) {
      double sum = 0;
      for (int64_t y = 0; y < t[0].dim(2); ++y) {
        for (int64_t x = 0; x < t[0].dim(3); ++x) {
          const double v = std::max(0.0, 1 - std::abs(place(h, 2) - static_cast<double>(y)));
          const double u = std::max(0.0, 1 - std::abs(place(w, 3) - static_cast<double>(x)));
          sum += u * v * at(t[0], n, c, y, x);
        }
      }
      return sum;
    });
  };
  return {std::move(name), Op::Resize, std::move(a), {random_floats({2, 3, 4, 5}, 54)}, {}, naive};
}

/// Gates by the formulas of ONNX's LSTM and GRU, one sample after the other.
Case recurrent_case(std::string name, Op op, bool reverse, bool bias) {
  constexpr int64_t kHidden = 4;
  constexpr int64_t kIn = 3;
  const int64_t gates = op == Op::Lstm ? 4 : 3;
  std::vector<Tensor> operands{random_floats({2, 5, kIn}, 55),
                               random_floats({1, gates * kHidden, kIn}, 56),
                               random_floats({1, gates * kHidden, kHidden}, 57)};
  std::set<size_t> weights{1, 2};
  if (bias) {
    operands.push_back(random_floats({1, 2 * gates * kHidden}, 58));
    weights.insert(3);
  }
  const auto naive = [=](const std::vector<Tensor>& t, const Shape& out) {
    const auto sigmoid = [](double x) {
      return 1 / (1 + std::exp(-x));
    };
    Values result(static_cast<size_t>(out[0] * out[1] * out[2]));
    for (int64_t n = 0; n < out[0]; ++n) {
      Values state(kHidden, 0.0);
      Values cell(kHidden, 0.0);
      for (int64_t step = 0; step < out[1]; ++step) {
        const int64_t place = n * out[1] + (reverse ? out[1] - 1 - step : step);
        const auto from_input = [&](int64_t row) {
          double sum = bias ? at(t[3], row) : 0;
          for (int64_t i = 0; i < kIn; ++i) {
            sum += at(t[1], row * kIn + i) * at(t[0], place * kIn + i);
          }
          return sum;
        };
        const auto from_state = [&](int64_t row) {
          double sum = bias ? at(t[3], gates * kHidden + row) : 0;
          for (int64_t i = 0; i < kHidden; ++i) {
            sum += at(t[2], row * kHidden + i) * state[static_cast<size_t>(i)];
          }
          return sum;
        };
        const auto both = [&](int64_t row) {
          return from_input(row) + from_state(row);
        };
        Values next(kHidden);
        for (int64_t j = 0; j < kHidden; ++j) {
          const auto unit = static_cast<size_t>(j);
          if (op == Op::Lstm) {
            cell[unit] = sigmoid(both(2 * kHidden + j)) * cell[unit] +
                         sigmoid(both(j)) * std::tanh(both(3 * kHidden + j));
            next[unit] = sigmoid(both(kHidden + j)) * std::tanh(cell[unit]);
          } else {
            const double z = sigmoid(both(j));
            const double r = sigmoid(both(kHidden + j));
            const int64_t row = 2 * kHidden + j;
            next[unit] =
                (1 - z) * std::tanh(from_input(row) + r * from_state(row)) + z * state[unit];
          }
          result[static_cast<size_t>(place * kHidden + j)] = next[unit];
        }
        state = next;
      }
    }
    return result;
  };
  return {std::move(name),
          op,
          graph::RecurrentAttributes{.reverse = reverse},
          std::move(operands),
          std::move(weights),
          naive};
}

/// Every operand but the first is a weight.
Case prelu_case(std::string name, const Shape& slope) {
  return {std::move(name),
          Op::PRelu,
          graph::NoAttributes{},
          {random_floats({2, 3, 4, 5}, 59), random_floats(slope, 60)},
          {1},
          [](const std::vector<Tensor>& t, const Shape& out) {
            return over(out, [&](int64_t n, int64_t c, int64_t h, int64_t w) {
              const double x = at(t[0], n, c, h, w);
              return x < 0 ? x * at(t[1], t[1].size() == 1 ? 0 : c) : x;
            });
          }};
}

Case cast_case(std::string name, Tensor x, DType to) {
  return {std::move(name), Op::Cast, graph::CastAttributes{to}, {std::move(x)}, {}, copied};
}

std::vector<Case> cases() {
  const Tensor floats = random_floats({2, 3, 4, 5}, 12);
  return {
      {"input", Op::Input, graph::NoAttributes{}, {floats}, {}, copied},
      {"input_bytes",
       Op::Input,
       graph::NoAttributes{},
       {random_integers(DType::U8, {2, 7}, 1)},
       {},
       copied},
      cast_case("cast_u8", random_integers(DType::U8, {2, 300}, 13), DType::F32),
      cast_case("cast_i8", random_integers(DType::I8, {2, 300}, 14), DType::F32),
      cast_case("cast_i8_i64", random_integers(DType::I8, {2, 300}, 15), DType::I64),
      binary_case("add", Op::Add, {2, 3, 4, 5}, {2, 3, 4, 5}, {}),
      binary_case("add_scalar", Op::Add, {2, 3, 4, 5}, {}, {1}),
      binary_case("sub_channel", Op::Sub, {2, 3, 4, 5}, {3, 1, 1}, {1}),
      binary_case("sub_left_weight", Op::Sub, {1, 3, 1, 1}, {2, 3, 4, 5}, {0}),
      binary_case("mul_gate", Op::Mul, {2, 3, 4, 5}, {2, 3, 1, 1}, {}),
      binary_case("div_row", Op::Div, {2, 3, 4, 5}, {5}, {1}),
      conv_case("conv_1x1", {2, 3, 4, 5}, 6, {}, true),
      conv_case("conv_3x3_pad", {2, 3, 9, 7}, 5, {{3, 3}, {1, 1}, {1, 1, 1, 1}, {1, 1}, 1}, true),
      conv_case("conv_stride", {1, 4, 11, 13}, 5, {{5, 3}, {2, 3}, {2, 0, 1, 1}, {1, 1}, 1}, false),
      conv_case("conv_dilated", {2, 2, 12, 12}, 3, {{3, 3}, {1, 1}, {2, 2, 2, 2}, {2, 2}, 1}, true),
      conv_case("conv_groups", {2, 6, 7, 7}, 4, {{3, 3}, {1, 1}, {1, 1, 1, 1}, {1, 1}, 2}, true),
      conv_case(
          "conv_depthwise", {2, 6, 7, 7}, 6, {{3, 3}, {2, 2}, {1, 1, 1, 1}, {1, 1}, 6}, false),
      conv_case("conv_wide", {1, 1, 3, 150}, 2, {{3, 5}, {1, 1}, {1, 2, 1, 2}, {1, 1}, 1}, true),
      conv_case("conv_narrow", {1, 2, 2, 1}, 2, {{3, 3}, {1, 1}, {1, 1, 1, 1}, {1, 1}, 1}, true),
      gemm_case("gemm", 3, 17, 5, true),
      gemm_case("gemm_no_bias", 1, 40, 2, false),
      batch_norm_case({2, 3, 4, 5}),
      {"relu",
       Op::Relu,
       graph::NoAttributes{},
       {floats},
       {},
       [](const std::vector<Tensor>& t, const Shape& out) {
         return over(out, [&](int64_t n, int64_t c, int64_t h, int64_t w) {
           return std::max(0.0, at(t[0], n, c, h, w));
         });
       }},
      curve_case("leaky_relu",
                 Op::LeakyRelu,
                 graph::LeakyReluAttributes{0.25F},
                 [](double x) { return x < 0 ? 0.25 * x : x; }),
      curve_case("relu6",
                 Op::Clip,
                 graph::ClipAttributes{},
                 [](double x) { return std::clamp(x, 0.0, 6.0); }),
      curve_case("clip",
                 Op::Clip,
                 graph::ClipAttributes{-1.5F, 0.5F},
                 [](double x) { return std::clamp(x, -1.5, 0.5); }),
      curve_case("sigmoid",
                 Op::Sigmoid,
                 graph::NoAttributes{},
                 [](double x) { return 1 / (1 + std::exp(-x)); }),
      curve_case("tanh", Op::Tanh, graph::NoAttributes{}, [](double x) { return std::tanh(x); }),
      curve_case("hard_swish",
                 Op::HardSwish,
                 graph::NoAttributes{},
                 [](double x) { return x * std::clamp(x + 3, 0.0, 6.0) / 6; }),
      curve_case("erf", Op::Erf, graph::NoAttributes{}, [](double x) { return std::erf(x); }),
      resize_case("resize", {}),
      resize_case("resize_uneven", {{1, 3}}),
      slice_case("slice_channels", {1, 1, 3}),
      slice_case("slice_rows", {2, 0, 3}),
      slice_case("slice_last", {3, 4, 5}),
      slice_case("slice_steps", {2, 1, 4, 2}),
      slice_case("slice_last_steps", {3, 0, 5, 3}),
      linear_case("resize_linear", {{2, 3}, graph::ResizeMode::Linear}),
      linear_case("resize_linear_smaller", {{}, graph::ResizeMode::Linear, {3, 4}}),
      linear_case("resize_corners", {{}, graph::ResizeMode::LinearCorners, {7, 9}}),
      linear_case("resize_corners_to_one", {{}, graph::ResizeMode::LinearCorners, {1, 2}}),
      conv_transpose_case("conv_transpose", {2, 3, 4, 5}, 4, {}, false),
      conv_transpose_case(
          "conv_transpose_stride",
          {2, 3, 4, 5},
          4,
          {.kernel = {3, 2}, .stride = {2, 3}, .pads = {1, 0, 0, 1}, .output_padding = {1, 2}},
          true),
      conv_transpose_case("conv_transpose_groups",
                          {2, 4, 4, 5},
                          6,
                          {.kernel = {3, 3}, .pads = {2, 2, 2, 2}, .dilation = {2, 2}, .groups = 2},
                          true),
      conv_transpose_case("conv_transpose_depthwise",
                          {2, 4, 4, 5},
                          4,
                          {.kernel = {2, 2}, .stride = {2, 2}, .groups = 4},
                          true),
      matmul_case("matmul", {2, 5, 3}, {2, 3, 4}, false),
      matmul_case("matmul_heads", {2, 3, 5, 4}, {2, 3, 4, 6}, false),
      matmul_case("matmul_weight", {2, 5, 3}, {3, 4}, true),
      matmul_case("matmul_images_weight", {2, 3, 5, 4}, {4, 7}, true),
      layer_norm_case("layer_norm", {2, 3, 8}, 2),
      layer_norm_case("layer_norm_flat", {2, 8}, 1),
      layer_norm_case("layer_norm_image", {2, 3, 4, 5}, 2),
      transpose_case("transpose", {0, 3, 1, 2}),
      transpose_case("transpose_last", {0, 1, 3, 2}),
      pad_case("pad", {{0, 1, 0, 2, 0, 0, 3, 1}, graph::PadMode::Constant, 0.5F}),
      pad_case("pad_reflect", {{0, 0, 3, 1, 0, 2, 2, 4}, graph::PadMode::Reflect}),
      pad_case("pad_edge", {{0, 0, 3, 1, 0, 2, 2, 9}, graph::PadMode::Edge}),
      mean_case("mean_last", {3}),
      mean_case("mean_outer", {1, 3}),
      prelu_case("prelu", {3, 1, 1}),
      prelu_case("prelu_shared", {1}),
      recurrent_case("lstm", Op::Lstm, false, true),
      recurrent_case("lstm_reverse", Op::Lstm, true, false),
      recurrent_case("gru", Op::Gru, false, true),
      recurrent_case("gru_reverse", Op::Gru, true, false),
      {"reshape", Op::Reshape, graph::ReshapeAttributes{{6, 10}}, {floats}, {}, copied},
      {"dropout_channels",
       Op::Dropout,
       graph::DropoutAttributes{0.7F, graph::DropoutGrain::Channel},
       {floats},
       {},
       copied},
      pool_case("max_pool", Op::MaxPool, {2, 3, 8, 6}, {}),
      pool_case("max_pool_pad", Op::MaxPool, {2, 3, 7, 5}, {{3, 3}, {2, 2}, {1, 1, 1, 1}}),
      pool_case("average_pool", Op::AveragePool, {2, 3, 8, 6}, {}),
      pool_case("average_pool_pad", Op::AveragePool, {2, 3, 7, 5}, {{3, 2}, {2, 1}, {1, 0, 1, 1}}),
      {"global_average_pool",
       Op::GlobalAveragePool,
       graph::NoAttributes{},
       {floats},
       {},
       [](const std::vector<Tensor>& t, const Shape& out) {
         return over(out, [&](int64_t n, int64_t c, int64_t, int64_t) {
           double sum = 0;
           for (int64_t i = 0; i < 20; ++i) {
             sum += at(t[0], n, c, i / 5, i % 5);
           }
           return sum / 20;
         });
       }},
      {"flatten", Op::Flatten, graph::NoAttributes{}, {floats}, {}, copied},
      concat_case("concat_channels", {{2, 1, 3, 4}, {2, 2, 3, 4}, {2, 3, 3, 4}}, 1),
      concat_case("concat_width", {{2, 2, 3, 1}, {2, 2, 3, 4}}, 3),
      {"dropout", Op::Dropout, graph::DropoutAttributes{0.7F}, {floats}, {}, copied},
      softmax_case("softmax", {4, 10}, 1),
      softmax_case("softmax_channels", {2, 3, 4, 5}, 1),
      quantise_case("quantise_u8", DType::U8, {0.5F}, {0}),
      quantise_case("quantise_u8_zero", DType::U8, {0.25F}, {130}),
      quantise_case("quantise_i8", DType::I8, {0.5F}, {0}),
      quantise_case("quantise_i8_channels", DType::I8, {0.5F, 1, 2}, {0, 0, 0}),
      quantise_case("quantise_i8_channels_zero", DType::I8, {0.5F, 1, 2}, {0, -5, 9}),
      dequantise_case("dequantise_u8", DType::U8, {0.03F}, 0),
      dequantise_case("dequantise_u8_zero", DType::U8, {0.03F}, 130),
      dequantise_case("dequantise_i8_channels", DType::I8, {0.03F, 2, 0.7F}, 0),
      dequantise_case("dequantise_i8_channels_zero", DType::I8, {0.03F, 2, 0.7F}, 7),
  };
}

class ReferenceKernel : public ::testing::TestWithParam<Case> {
 protected:
  /// A graph of the op alone, and what feeds it.
  static std::pair<graph::Model, std::vector<Tensor>> single_op(const Case& c) {
    std::vector<Tensor> feeds;
    graph::Weights weights;
    std::vector<std::string> names;
    for (size_t i = 0; i < c.operands.size(); ++i) {
      if (c.weights.contains(i)) {
        names.push_back("w" + std::to_string(i));
        weights[names.back()] = c.operands[i];
      } else {
        names.push_back("x" + std::to_string(feeds.size()));
        feeds.push_back(c.operands[i]);
      }
    }
    std::vector<graph::Node> nodes;
    if (c.op != Op::Input) {
      nodes.push_back(make_node("out", c.op, names, c.attributes));
    }
    return {make_model(feeds, weights, nodes), feeds};
  }
};

TEST_P(ReferenceKernel, ComputesTheFormula) {
  const Case& c = GetParam();
  const auto [model, feeds] = single_op(c);
  const Tensor result = run_model(model, feeds, "reference")[0];
  const Values expected = c.naive(c.operands, result.shape());
  ASSERT_EQ(static_cast<int64_t>(expected.size()), result.size());
  for (size_t i = 0; i < expected.size(); ++i) {
    const double tolerance =
        result.dtype() == DType::F32 ? 1e-5 * std::max(1.0, std::abs(expected[i])) : 0;
    ASSERT_NEAR(at(result, static_cast<int64_t>(i)), expected[i], tolerance) << "element " << i;
  }
}

TEST_P(ReferenceKernel, AgreesWithOnednn) {
  const Case& c = GetParam();
  const auto [model, feeds] = single_op(c);
  const Tensor expected = run_model(model, feeds, "reference")[0];
  Tensor result;
  try {
    result = run_model(model, feeds, "onednn")[0];
  } catch (const core::Error& error) {
    ASSERT_EQ(error.kind(), core::ErrorKind::Unsupported) << error.what();
    ASSERT_TRUE(c.name.ends_with("zero") || c.name.ends_with("i64")) << error.what();
    return;
  }
  if (result.dtype() == DType::F32) {
    EXPECT_LT(relative_difference(result, expected), 1e-5);
  } else {
    EXPECT_EQ(largest_step(result, expected), 0);
  }
}

INSTANTIATE_TEST_SUITE_P(Ops, ReferenceKernel, ::testing::ValuesIn(cases()), [](const auto& test) {
  return test.param.name;
});

TEST(ReferenceKernels, EveryOpOfTheTableIsTested) {
  std::set<Op> tested;
  for (const Case& c : cases()) {
    tested.insert(c.op);
  }
  for (const graph::OpInfo& info : graph::all_ops()) {
    EXPECT_TRUE(tested.contains(info.op)) << info.name << " has no case";
  }
}

TEST(ReferenceKernels, CastSaturatesTowardsZero) {
  const std::vector<float> values{-3.9F, -0.5F, 0.99F, 254.9F, 255.5F, 1e20F, -1e20F, NAN};
  const Tensor x = Tensor::from<float>({1, 8}, values);
  const auto cast = [&](DType to) {
    return run_model(
        make_model({x}, {}, {make_node("out", Op::Cast, {"x0"}, graph::CastAttributes{to})}),
        {x},
        "reference")[0];
  };
  const std::vector<double> unsigned_bytes{0, 0, 0, 254, 255, 255, 0, 0};
  const std::vector<double> signed_bytes{-3, 0, 0, 127, 127, 127, -128, 0};
  const Tensor u8 = cast(DType::U8);
  const Tensor i8 = cast(DType::I8);
  for (int64_t i = 0; i < 8; ++i) {
    EXPECT_EQ(at(u8, i), unsigned_bytes[static_cast<size_t>(i)]) << i;
    EXPECT_EQ(at(i8, i), signed_bytes[static_cast<size_t>(i)]) << i;
  }
}

TEST(ReferenceKernels, AConstantSubgraphIsComputedAtBuild) {
  const Tensor x = random_floats({2, 3}, 1);
  Tensor weight = random_integers(DType::I8, {4, 3}, 2);
  const graph::Model model =
      make_model({x},
                 {{"w", weight},
                  {"s", Tensor::from<float>({}, std::vector<float>{0.1F})},
                  {"z", Tensor(DType::I8, {})}},
                 {make_node("wf", Op::DequantizeLinear, {"w", "s", "z"}, graph::AxisAttributes{0}),
                  make_node("out", Op::Gemm, {"x0", "wf"})});
  for (const std::string& backend : backends()) {
    const Tensor result = run_model(model, {x}, backend)[0];
    for (int64_t i = 0; i < 8; ++i) {
      double sum = 0;
      for (int64_t k = 0; k < 3; ++k) {
        sum += at(x, i / 4 * 3 + k) * at(weight, i % 4 * 3 + k) * 0.1;
      }
      EXPECT_NEAR(at(result, i), sum, 1e-5) << backend;
    }
  }
}

}  // namespace
}  // namespace coppice::runtime::testing
