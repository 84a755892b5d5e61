#include "monitor/running.h"

namespace coppice::monitor {

void RunningStatistics::add(double value) {
  ++count_;
  const double before = value - mean_;
  mean_ += before / static_cast<double>(count_);
  m2_ += before * (value - mean_);
}

void RunningStatistics::merge(const RunningStatistics& other) {
  if (other.count_ == 0) {
    return;
  }
  const auto mine = static_cast<double>(count_);
  const auto theirs = static_cast<double>(other.count_);
  const double total = mine + theirs;
  const double difference = other.mean_ - mean_;
  mean_ += difference * (theirs / total);
  m2_ += other.m2_ + difference * difference * (mine * theirs / total);
  count_ += other.count_;
}

double RunningStatistics::variance() const {
  return count_ < 2 ? 0 : m2_ / static_cast<double>(count_ - 1);
}

}  // namespace coppice::monitor
