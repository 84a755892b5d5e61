#include "core/rng.h"

#include <bit>
#include <cmath>
#include <numeric>

#include "core/error.h"

namespace coppice::core {

namespace {

/// A seed that depends on every bit of the state and of `salt`.
uint64_t mix_seed(const Rng::State& state, uint64_t salt) {
  uint64_t seed = salt;
  for (const uint64_t word : state) {
    seed ^= word;
    seed = split_mix64(seed, 0);
  }
  return seed;
}

double polynomial(const std::array<double, 8>& coefficients, double x) {
  double sum = 0;
  for (size_t i = coefficients.size(); i > 0; --i) {
    sum = sum * x + coefficients[i - 1];
  }
  return sum;
}

/// Quantile of the standard normal distribution: Wichura, "Algorithm AS 241" (PPND16), Applied
/// Statistics 37 (1988). REQUIRES: 0 < p < 1.
double normal_quantile(double p) {
  constexpr std::array<double, 8> kA = {3.3871328727963666080e0,
                                        1.3314166789178437745e2,
                                        1.9715909503065514427e3,
                                        1.3731693765509461125e4,
                                        4.5921953931549871457e4,
                                        6.7265770927008700853e4,
                                        3.3430575583588128105e4,
                                        2.5090809287301226727e3};
  constexpr std::array<double, 8> kB = {1.0,
                                        4.2313330701600911252e1,
                                        6.8718700749205790830e2,
                                        5.3941960214247511077e3,
                                        2.1213794301586595867e4,
                                        3.9307895800092710610e4,
                                        2.8729085735721942674e4,
                                        5.2264952788528545610e3};
  constexpr std::array<double, 8> kC = {1.42343711074968357734e0,
                                        4.63033784615654529590e0,
                                        5.76949722146069140550e0,
                                        3.64784832476320460504e0,
                                        1.27045825245236838258e0,
                                        2.41780725177450611770e-1,
                                        2.27238449892691845833e-2,
                                        7.74545014278341407640e-4};
  constexpr std::array<double, 8> kD = {1.0,
                                        2.05319162663775882187e0,
                                        1.67638483018380384940e0,
                                        6.89767334985100004550e-1,
                                        1.48103976427480074590e-1,
                                        1.51986665636164571966e-2,
                                        5.47593808499534494600e-4,
                                        1.05075007164441684324e-9};
  constexpr std::array<double, 8> kE = {6.65790464350110377720e0,
                                        5.46378491116411436990e0,
                                        1.78482653991729133580e0,
                                        2.96560571828504891230e-1,
                                        2.65321895265761230930e-2,
                                        1.24266094738807843860e-3,
                                        2.71155556874348757815e-5,
                                        2.01033439929228813265e-7};
  constexpr std::array<double, 8> kF = {1.0,
                                        5.99832206555887937690e-1,
                                        1.36929880922735805310e-1,
                                        1.48753612908506148525e-2,
                                        7.86869131145613259100e-4,
                                        1.84631831751005468180e-5,
                                        1.42151175831644588870e-7,
                                        2.04426310338993978564e-15};
  const double q = p - 0.5;
  if (std::abs(q) <= 0.425) {
    const double r = 0.180625 - q * q;
    return q * polynomial(kA, r) / polynomial(kB, r);
  }
  const double r = std::sqrt(-std::log(q < 0 ? p : 1.0 - p));
  const double magnitude = r <= 5.0 ? polynomial(kC, r - 1.6) / polynomial(kD, r - 1.6)
                                    : polynomial(kE, r - 5.0) / polynomial(kF, r - 5.0);
  return q < 0 ? -magnitude : magnitude;
}

}  // namespace

Rng::Rng(uint64_t seed) : state_{} {
  for (size_t i = 0; i < state_.size(); ++i) {
    state_[i] = split_mix64(seed, i);
  }
}

Rng Rng::split(std::string_view purpose) const {
  uint64_t hash = 0xCBF29CE484222325ULL;  // FNV-1a
  for (const char c : purpose) {
    hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001B3ULL;
  }
  return Rng(mix_seed(state_, hash));
}

Rng Rng::split(uint64_t index) const {
  // Another salt space than that of purposes, whose hashes are unlikely to meet small indices.
  return Rng(mix_seed(state_, index ^ 0x5851F42D4C957F2DULL));
}

uint64_t Rng::next() {
  const uint64_t result = std::rotl(state_[0] + state_[3], 23) + state_[0];
  const uint64_t shifted = state_[1] << 17U;
  state_[2] ^= state_[0];
  state_[3] ^= state_[1];
  state_[1] ^= state_[2];
  state_[0] ^= state_[3];
  state_[2] ^= shifted;
  state_[3] = std::rotl(state_[3], 45);
  return result;
}

double Rng::uniform() {
  return static_cast<double>(next() >> 11U) * 0x1.0p-53;
}

double Rng::uniform(double low, double high) {
  return low + (high - low) * uniform();
}

int64_t Rng::below(int64_t bound) {
  COPPICE_CHECK(bound > 0, "a random number below a bound needs a positive bound");
  // Lemire, "Fast random integer generation in an interval" (2019): unbiased, rarely more than one
  // multiplication.
  const auto range = static_cast<uint64_t>(bound);
  auto product = static_cast<unsigned __int128>(next()) * range;
  auto low = static_cast<uint64_t>(product);
  if (low < range) {
    const uint64_t threshold = (0 - range) % range;
    while (low < threshold) {
      product = static_cast<unsigned __int128>(next()) * range;
      low = static_cast<uint64_t>(product);
    }
  }
  return static_cast<int64_t>(static_cast<uint64_t>(product >> 64U));
}

double Rng::normal() {
  // 52 bits and a half: never 0 or 1, and one number drawn per number returned.
  return normal_quantile((static_cast<double>(next() >> 12U) + 0.5) * 0x1.0p-52);
}

bool Rng::bernoulli(double probability) {
  return uniform() < probability;
}

std::vector<int64_t> Rng::permutation(int64_t size) {
  std::vector<int64_t> result(static_cast<size_t>(size));
  std::iota(result.begin(), result.end(), int64_t{0});
  shuffle(std::span<int64_t>(result));
  return result;
}

}  // namespace coppice::core
