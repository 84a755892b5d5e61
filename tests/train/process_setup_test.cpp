#include "train/process_setup.h"

#include <gtest/gtest.h>
#include <omp.h>

/// Null where libtorch multiplies with another library.
extern "C" int openblas_get_num_threads() __attribute__((weak));

namespace coppice::train {
namespace {

TEST(ThreadsToTrainWith, TakesWhatIsAskedFor) {
  EXPECT_EQ(threads_to_train_with(3, 1), 3);
}

TEST(ThreadsToTrainWith, GivesEachThreadEnoughToDo) {
  const int available = omp_get_max_threads();
  omp_set_num_threads(4);
  EXPECT_EQ(threads_to_train_with(0, 0), 1);
  EXPECT_EQ(threads_to_train_with(0, 128 * 89'400), 1) << "784-100-100-10 at batch 128";
  EXPECT_EQ(threads_to_train_with(0, 100'000'000), 2);
  EXPECT_EQ(threads_to_train_with(0, 1'000'000'000'000), 4) << "as many as there are";
  EXPECT_EQ(threads_to_train_with(0, 1'000'000'000'000, 2), 2) << "shared by the ranks";
  EXPECT_EQ(threads_to_train_with(0, 1'000'000'000'000, 9), 1);
  omp_set_num_threads(available);
}

TEST(UseThreads, HoldsForOpenMpAndOpenBlas) {
  const int available = omp_get_max_threads();
  for (const int count : {1, 2}) {
    use_threads(count);
    EXPECT_EQ(omp_get_max_threads(), count);
    if (openblas_get_num_threads != nullptr) {
      EXPECT_EQ(openblas_get_num_threads(), count);
    }
  }
  use_threads(available);
}

}  // namespace
}  // namespace coppice::train
