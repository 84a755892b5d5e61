#pragma once

// Written by two_sample.py.
namespace coppice::data::test {

struct TwoSampleCase {
  int n;
  int m;
  double shift;
  double distance;
  double p_value;
  double psi;
};

inline constexpr TwoSampleCase kTwoSampleCases[] = {
    {60, 45, 0.0, 0.07222222222222222, 0.9988960780272749, 0.12177943703671316},
    {60, 45, 0.3, 0.23333333333333334, 0.10376210978190481, 1.628721792159698},
    {200, 300, 0.1, 0.14, 0.016192619444054552, 0.7826391660701675},
    {500, 400, 0.5, 0.345, 8.56155969492244e-24, 2.520997212612193},
    {1000, 1000, 0.05, 0.105, 2.8792931826996825e-05, 0.370324770890442},
};

}  // namespace coppice::data::test
