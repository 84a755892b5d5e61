#pragma once

#include <vector>

namespace coppice::monitor {

/// `accuracy[i][j]`: accuracy on experience j after training on experience i (Lopez-Paz and
/// Ranzato, NeurIPS 2017). All throw Error{InvalidArgument} for a matrix that is empty or not
/// square, Error{Numeric} for an entry that is no finite number.

/// Mean of the last row.
double average_accuracy(const std::vector<std::vector<double>>& accuracy);

/// Mean over all experiences but the last of the last accuracy minus the one right after learning
/// it: negative when the model forgets. 0 for one experience.
double backward_transfer(const std::vector<std::vector<double>>& accuracy);

/// Mean over all experiences but the last of the best earlier accuracy minus the last (Chaudhry et
/// al., ECCV 2018). 0 for one experience.
double forgetting(const std::vector<std::vector<double>>& accuracy);

}  // namespace coppice::monitor
