// Written by make_optimizer_reference.py with torch 1.13.0a0.
#pragma once

#include <array>
#include <string_view>

namespace coppice::train::reference {

inline constexpr std::array<double, 6> kStart{0.5, -1.25, 2.0, 0.0, -0.03125, 3.5};
inline constexpr std::array<double, 5> kRates{0.1, 0.05, 0.2, 0.1, 0.01};
inline constexpr std::array<std::array<double, 6>, 5> kGradients{{
    {0.1, -0.2, 0.3, -0.4, 0.5, -0.6},
    {-0.25, 0.5, 0.0, 1.0, -1.5, 0.75},
    {0.03, 0.02, -0.01, 0.0, 0.04, -0.05},
    {1.0, 1.0, -1.0, 2.0, 0.5, -2.0},
    {0.0, -0.3, 0.6, 0.9, -1.2, 0.15},
}};

struct Case {
  std::string_view optimizer;
  std::string_view name;
  double momentum;
  bool nesterov;
  double beta1;
  double beta2;
  double epsilon;
  double weight_decay;
  std::array<double, 6> end;
};

inline constexpr std::array<Case, 6> kCases{{
    {"sgd",
     "plain",
     0.0,
     false,
     0.9,
     0.999,
     1e-08,
     0.0,
     {0.39649999999999996,
      -1.356,
      2.0660000000000003,
      -0.21900000000000003,
      -0.052250000000000005,
      3.731}},
    {"sgd",
     "momentum",
     0.9,
     false,
     0.9,
     0.999,
     1e-08,
     0.01,
     {0.4174051621649765,
      -1.4298084634774166,
      1.9679661112223568,
      -0.390703830680196,
      0.19881050447931206,
      3.6849799430116987}},
    {"sgd",
     "nesterov",
     0.8,
     true,
     0.9,
     0.999,
     1e-08,
     0.001,
     {0.3325591492413636,
      -1.5029159282971296,
      2.06982754206857,
      -0.5188327599766988,
      0.11063136974719481,
      3.897268053082879}},
    {"adam",
     "adam",
     0.0,
     false,
     0.9,
     0.999,
     1e-08,
     0.01,
     {0.41417114792705656,
      -1.3047038435394405,
      1.7917030865485797,
      -0.062177614750399145,
      -0.018153426860459607,
      3.6081771821884763}},
    {"adam",
     "adam_short_memory",
     0.0,
     false,
     0.5,
     0.6,
     0.001,
     0.0,
     {0.40765064292452763,
      -1.354544135812458,
      1.8903710739295208,
      -0.10215860641862937,
      -0.02872047510782841,
      3.6141675510439892}},
    {"adamw",
     "adamw",
     0.0,
     false,
     0.9,
     0.99,
     1e-08,
     0.1,
     {0.4013351967826927,
      -1.2596133580432447,
      1.72607076353287,
      -0.06374977233574096,
      -0.015002093154786282,
      3.4644276658324205}},
}};

}  // namespace coppice::train::reference
