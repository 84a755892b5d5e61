#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace coppice::core {

/// A progress bar with rate and time left on stderr where that is a terminal, a plain line every
/// ten seconds otherwise, as wide as the terminal allows. Not thread-safe.
class Progress {
 public:
  /// `total` in `unit`s ("images", "steps", "days"); 0 when it isn't known. `before`: of them, what
  /// was done before the bar began, which says nothing about the rate.
  Progress(std::string title, int64_t total, std::string unit, int64_t before = 0);
  ~Progress();  ///< ends the line
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  void advance(int64_t by = 1);
  /// Shown behind the bar: "loss 0.41".
  void note(std::string_view text);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// One line of a bar, as plain function of plain data: "train  [#####.....]  50%  1200 images/s
/// 0:12 left  loss 0.4".
std::string render_progress(std::string_view title,
                            int64_t done,
                            int64_t total,
                            double seconds,
                            std::string_view unit,
                            std::string_view note,
                            int width,
                            int64_t before = 0);

}  // namespace coppice::core
