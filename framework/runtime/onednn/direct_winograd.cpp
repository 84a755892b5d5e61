#include "runtime/onednn/direct_winograd.h"

#include <algorithm>
#include <array>
#include <span>

#include "runtime/onednn/avx512.h"
#include "runtime/onednn/direct_tile.h"
#include "runtime/onednn/winograd_maps.h"

namespace coppice::runtime::onednn {

namespace {

using dnnl::memory;
using graph::DType;
using Geometry = DirectWinograd::Geometry;

constexpr int64_t kLanes = 16;
constexpr int64_t kBlockVectors = 4;
constexpr int64_t kBlockTiles = 24;  // what belongs to them stays in the second-level cache

int64_t to_lanes(int64_t channels) {
  return (channels + kLanes - 1) / kLanes * kLanes;
}

int64_t tiles_along(int64_t pixels, int64_t results) {
  return (pixels + results - 1) / results;
}

/// What the plain sum takes at two multiply-adds a cycle.
double plain_cycles(const memory::dims& x, const memory::dims& out) {
  constexpr int64_t kTaps = 9;
  return static_cast<double>(x[0] * out[2] * out[3] * kTaps * x[1] * to_lanes(out[1])) /
         (2 * kLanes);
}

/// The same for the products of the transformed values, or reading the weights where that takes
/// longer, with the transforms.
double winograd_cycles(const memory::dims& x, const memory::dims& out, int64_t results) {
  constexpr int64_t kMapCycles = 4;           // a position of 16 channels, either way
  constexpr int64_t kNearBytes = 320 * 1024;  // of weights that the cache keeps for the next run
  constexpr double kNearBytesPerCycle = 32;
  constexpr double kFarBytesPerCycle = 10;
  const int64_t positions = (results + 2) * (results + 2);
  const int64_t tiles = x[0] * tiles_along(out[2], results) * tiles_along(out[3], results);
  const int64_t macs = positions * x[1] * to_lanes(out[1]);
  const int64_t weight_bytes = 4 * macs;
  const double reading = static_cast<double>(weight_bytes * tiles_along(tiles, kBlockTiles)) /
                         (weight_bytes <= kNearBytes ? kNearBytesPerCycle : kFarBytesPerCycle);
  const double multiplying = static_cast<double>(tiles * macs) / (2 * kLanes);
  const int64_t vectors = (to_lanes(x[1]) + to_lanes(out[1])) / kLanes;
  return std::max(reading, multiplying) +
         static_cast<double>(tiles * positions * vectors * kMapCycles);
}

/// Side of a tile of results, or 0 where the plain sum is faster.
int64_t best_results(const memory::dims& x, const memory::dims& out) {
  constexpr double kLeastGain = 1.2;
  int64_t best = 0;
  double least = plain_cycles(x, out) / kLeastGain;
  for (const int64_t results : {2, 4}) {
    const double cycles = winograd_cycles(x, out, results);
    if (cycles < least) {
      least = cycles;
      best = results;
    }
  }
  return best;
}

/// The weights' map of one point, on three neighbouring weights.
std::vector<std::array<double, 3>> weight_map(std::span<const double> points) {
  std::vector<std::array<double, 3>> rows;
  for (const double point : points) {
    double divisor = 1;
    for (const double other : points) {
      divisor *= other == point ? 1 : point - other;
    }
    rows.push_back({1 / divisor, point / divisor, point * point / divisor});
  }
  rows.push_back({0, 0, 1});
  return rows;
}

#if defined(__x86_64__) && defined(__GNUC__)

struct TilePlace {
  int64_t sample;
  int64_t row;  ///< of the first result
  int64_t column;
};

TilePlace tile_place(const Geometry& g, int64_t tile, int64_t results) {
  const int64_t within = tile % (g.down * g.across);
  return {tile / (g.down * g.across), within / g.across * results, within % g.across * results};
}

/// Maps a tile of inputs, zero outside of the image, both ways.
template <class Map>
COPPICE_AVX512 void read_tile(const Geometry& g,
                              const TilePlace& place,
                              const float* x,
                              float* to) {
  constexpr int kSide = Map::kSide;
  x += place.sample * g.in.size();
  const int64_t top = place.row - g.pad_top;
  const int64_t left = place.column - g.pad_left;
  const int64_t step = g.value_step;
  int64_t offsets[kSide];
  uint16_t inside[kSide];
  for (int c = 0; c < kSide; ++c) {
    const bool has_column = left + c >= 0 && left + c < g.in.width;
    offsets[c] = has_column ? (left + c) * g.in.channels : 0;
    inside[c] = has_column ? uint16_t{0xFFFF} : uint16_t{0};
  }
  for (int64_t channel = 0; channel < g.in.channels; channel += kLanes) {
    const uint16_t lanes = lanes_of_16(g.in.channels - channel);
    __m512 rows[kSide * kSide];
    for (int r = 0; r < kSide; ++r) {
      const bool has_row = top + r >= 0 && top + r < g.in.height;
      const float* row = x + (has_row ? (top + r) * g.in.width * g.in.channels : 0) + channel;
      const uint16_t row_lanes = has_row ? lanes : uint16_t{0};
      __m512 line[kSide];
#pragma GCC unroll 6
      for (int c = 0; c < kSide; ++c) {
        const auto mask = static_cast<uint16_t>(row_lanes & inside[c]);
        line[c] = _mm512_maskz_loadu_ps(mask, row + offsets[c]);
      }
      Map::map_inputs(line, 1, rows + r * kSide);
    }
    for (int c = 0; c < kSide; ++c) {
      __m512 column[kSide];
      Map::map_inputs(rows + c, kSide, column);
      float* line = to + c * step + channel;
#pragma GCC unroll 6
      for (int r = 0; r < kSide; ++r, line += kSide * step) {
        _mm512_store_ps(line, column[r]);
      }
    }
  }
}

struct ResultEnd {
  const float* biases;
  float low;
  float high;
};

/// Maps a tile of sums both ways and writes what lies in the image.
template <class Map>
COPPICE_AVX512 void write_tile(const Geometry& g,
                               const TilePlace& place,
                               const ResultEnd& end,
                               const float* sums,
                               const float* residual,
                               float* out) {
  constexpr int kSide = Map::kSide;
  constexpr int kResults = Map::kResults;
  const __m512 low = _mm512_set1_ps(end.low);
  const __m512 high = _mm512_set1_ps(end.high);
  const int64_t row_floats = g.out.width * g.out.channels;
  const int64_t first =
      place.sample * g.out.size() + place.row * row_floats + place.column * g.out.channels;
  const int64_t height = std::min<int64_t>(kResults, g.out.height - place.row);
  const int64_t width = std::min<int64_t>(kResults, g.out.width - place.column);
  for (int64_t channel = 0; channel < g.out.channels; channel += kLanes) {
    const uint16_t lanes = lanes_of_16(g.out.channels - channel);
    const __m512 bias = _mm512_loadu_ps(end.biases + channel);
    __m512 half[kSide * kResults];
    for (int r = 0; r < kSide; ++r) {
      __m512 line[kSide];
#pragma GCC unroll 6
      for (int c = 0; c < kSide; ++c) {
        line[c] = _mm512_load_ps(sums + (r * kSide + c) * g.sum_step + channel);
      }
      Map::map_results(line, 1, half + r * kResults);
    }
    for (int c = 0; c < width; ++c) {
      __m512 column[kResults];
      Map::map_results(half + c, kResults, column);
#pragma GCC unroll 4
      for (int r = 0; r < kResults; ++r) {
        if (r < height) {
          const int64_t at = first + r * row_floats + c * g.out.channels + channel;
          __m512 value = _mm512_add_ps(column[r], bias);
          if (residual != nullptr) {
            value = _mm512_add_ps(value, _mm512_maskz_loadu_ps(lanes, residual + at));
          }
          _mm512_mask_storeu_ps(out + at, lanes, clamped(value, low, high));
        }
      }
    }
  }
}

#endif

}  // namespace

bool DirectWinograd::pays(const Product& product,
                          const memory::dims& x,
                          DType x_dtype,
                          const memory::dims& out,
                          DType out_dtype) {
  const graph::ConvAttributes& conv = product.conv;
  const auto all = [](const auto& values, int64_t wanted) {
    return std::all_of(
        values.begin(), values.end(), [=](int64_t value) { return value == wanted; });
  };
  return has_avx512() && product.is_conv && conv.groups == 1 && all(conv.kernel, 3) &&
         all(conv.stride, 1) && all(conv.dilation, 1) && product.weight.dtype() == DType::F32 &&
         x_dtype == DType::F32 && out_dtype == DType::F32 && best_results(x, out) > 0;
}

DirectWinograd::DirectWinograd(const Product& product,
                               const memory::dims& x,
                               const memory::dims& out)
    : batch_(x[0]), results_(best_results(x, out)) {
  const graph::ConvAttributes& conv = product.conv;
  const int64_t in_lanes = to_lanes(x[1]);
  const int64_t out_lanes = to_lanes(out[1]);
  geometry_.in = {x[2], x[3], x[1]};
  geometry_.out = {out[2], out[3], out[1]};
  geometry_.pad_top = conv.pads[0];
  geometry_.pad_left = conv.pads[1];
  geometry_.down = tiles_along(out[2], results_);
  geometry_.across = tiles_along(out[3], results_);
  // A line more, so that positions don't all fall on the same lines of the first-level cache.
  const int64_t block = std::min(kBlockTiles, tiles());
  geometry_.value_step = block * in_lanes + kLanes;
  geometry_.sum_step = block * out_lanes + kLanes;
  tables_.floats = true;
  tables_.channels = out_lanes;
  tables_.words = x[1];
  tables_.pixel_step = in_lanes * 4;
  tables_.biases.assign(static_cast<size_t>(out_lanes), 0);
  end_ = DirectEnd(product, DType::F32);
  biases_.assign(static_cast<size_t>(out_lanes), 0);
  std::copy(product.bias.begin(), product.bias.end(), biases_.begin());
  pack(product);
}

/// [position][block of channels][in][channels of the block]; the map in doubles, rounded once.
void DirectWinograd::pack(const Product& product) {
#if defined(__x86_64__) && defined(__GNUC__)
  const auto map = results_ == FourByFour::kResults ? weight_map(FourByFour::kPoints)
                                                    : weight_map(TwoByTwo::kPoints);
#else
  const auto map = weight_map({});
#endif
  const auto side = static_cast<int64_t>(map.size());
  const int64_t in = tables_.words;
  const int64_t lanes = tables_.channels;
  tables_.weights = graph::Tensor(DType::F32, {side * side, in * lanes});
  float* to = tables_.weights.data<float>().data();
  const float* weight = product.weight.data<float>().data();
  constexpr int64_t kBlock = kBlockVectors * kLanes;
  for (int64_t k = 0; k < geometry_.out.channels; ++k) {
    const int64_t first = k / kBlock * kBlock;
    const int64_t width = std::min(kBlock, lanes - first);
    for (int64_t c = 0; c < in; ++c, weight += 9) {
      const int64_t place = first * in + c * width + k - first;
      for (int64_t position = 0; position < side * side; ++position) {
        const auto& down = map[static_cast<size_t>(position / side)];
        const auto& across = map[static_cast<size_t>(position % side)];
        double sum = 0;
        for (size_t i = 0; i < 9; ++i) {
          sum += down[i / 3] * across[i % 3] * static_cast<double>(weight[i]);
        }
        to[position * in * lanes + place] = static_cast<float>(sum);
      }
    }
  }
}

int64_t DirectWinograd::scratch_bytes() const {
  const int64_t positions = (results_ + 2) * (results_ + 2);
  return positions * (geometry_.value_step + geometry_.sum_step) * 4;
}

/// A matrix product at each position. The weights of one stay in the first-level cache while the
/// tiles pass, in groups of nearly equal size.
void DirectWinograd::multiply(const float* values, float* sums, int64_t tiles) const {
  struct Group {
    int64_t tile;
    std::array<Tile, kBlockVectors> kernels;  ///< by vectors - 1
  };

  const int64_t positions = (results_ + 2) * (results_ + 2);
  const int64_t most = most_pixels(std::min(kBlockVectors, tables_.channels / kLanes));
  const int64_t count = tiles_along(tiles, most);
  std::array<Group, kBlockTiles> groups{};
  for (int64_t i = 0, tile = 0; i < count; ++i) {
    const int64_t width = (tiles - tile + count - i - 1) / (count - i);
    Group& group = groups[static_cast<size_t>(i)];
    group.tile = tile;
    for (int64_t vectors = 1; vectors <= kBlockVectors; ++vectors) {
      group.kernels[static_cast<size_t>(vectors - 1)] =
          width <= most_pixels(vectors) ? tile_for(true, width, vectors) : nullptr;
    }
    tile += width;
  }
  const std::byte* weights = tables_.weights.bytes();
  TileCall call;
  for (int64_t position = 0; position < positions; ++position) {
    for (int64_t first = 0; first < tables_.channels; first += kBlockVectors * kLanes) {
      const int64_t vectors = std::min(kBlockVectors, (tables_.channels - first) / kLanes);
      call.first_channel = first;
      call.weights = weights;
      for (int64_t i = 0; i < count; ++i) {
        const Group& group = groups[static_cast<size_t>(i)];
        call.x = reinterpret_cast<const std::byte*>(values) + group.tile * tables_.pixel_step;
        call.out = reinterpret_cast<std::byte*>(sums + group.tile * tables_.channels + first);
        group.kernels[static_cast<size_t>(vectors - 1)](tables_, call);
      }
      weights += tables_.words * vectors * kLanes * 4;
    }
    values += geometry_.value_step;
    sums += geometry_.sum_step;
  }
}

#if defined(__x86_64__) && defined(__GNUC__)

template <class Map>
void DirectWinograd::run_as(const float* x,
                            const float* residual,
                            float* out,
                            float* scratch) const {
  const ResultEnd end{biases_.data(), end_.low, end_.high};
  float* values = scratch;
  float* sums = scratch + Map::kSide * Map::kSide * geometry_.value_step;
  const int64_t in_lanes = tables_.pixel_step / 4;
  for (int64_t first = 0; first < tiles(); first += kBlockTiles) {
    const int64_t count = std::min(kBlockTiles, tiles() - first);
    for (int64_t i = 0; i < count; ++i) {
      const TilePlace place = tile_place(geometry_, first + i, Map::kResults);
      read_tile<Map>(geometry_, place, x, values + i * in_lanes);
    }
    multiply(values, sums, count);
    for (int64_t i = 0; i < count; ++i) {
      const TilePlace place = tile_place(geometry_, first + i, Map::kResults);
      write_tile<Map>(geometry_, place, end, sums + i * tables_.channels, residual, out);
    }
  }
}

void DirectWinograd::run(const std::byte* x,
                         const std::byte* residual,
                         std::byte* out,
                         std::byte* scratch) const {
  const auto run = results_ == FourByFour::kResults ? &DirectWinograd::run_as<FourByFour>
                                                    : &DirectWinograd::run_as<TwoByTwo>;
  (this->*run)(reinterpret_cast<const float*>(x),
               reinterpret_cast<const float*>(residual),
               reinterpret_cast<float*>(out),
               reinterpret_cast<float*>(scratch));
}

#else

void DirectWinograd::run(const std::byte*, const std::byte*, std::byte*, std::byte*) const {}

#endif

}  // namespace coppice::runtime::onednn
