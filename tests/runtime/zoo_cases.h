#pragma once

#include <iosfwd>
#include <string>
#include <vector>

#include "graph/graph.h"
#include "graph/zoo.h"

namespace coppice::runtime::testing {

/// A network of the zoo, small, on images of bytes or on floats.
struct ZooCase {
  std::string name;
  graph::ModelOptions options;
  graph::Shape sample;
  graph::DType dtype = graph::DType::U8;

  graph::Model network() const;
  graph::Tensor samples(int64_t count, uint64_t seed) const;
};

void PrintTo(const ZooCase& one, std::ostream* out);

/// Each of the zoo at least once.
std::vector<ZooCase> zoo_cases();

}  // namespace coppice::runtime::testing
