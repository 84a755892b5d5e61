#pragma once

#include <vector>

namespace coppice::monitor {

/// accuracy[i][j]: accuracy on experience j after training on experience i (Lopez-Paz and Ranzato, NeurIPS 2017).
/// REQUIRES: a square matrix, at least 1 x 1.
double average_accuracy(const std::vector<std::vector<double>>& accuracy);
double backward_transfer(const std::vector<std::vector<double>>& accuracy);
/// Mean over experiences of best earlier accuracy minus the last (Chaudhry et al., ECCV 2018).
double forgetting(const std::vector<std::vector<double>>& accuracy);

}  // namespace coppice::monitor
