#pragma once

#include <string_view>

namespace coppice::core {

/// stderr, shared by log lines and progress bars so that neither tears the other. Thread-safe;
/// never throws.

/// Writes a whole line, above the bar if one stands.
void terminal_line(std::string_view line) noexcept;

/// Draws over the bar that stands, if any.
void terminal_bar(std::string_view bar) noexcept;

/// Leaves the bar where it is: the next output begins on a new line.
void terminal_end_bar() noexcept;

/// Whether stderr is a terminal that can redraw a line.
bool terminal_redraws() noexcept;

/// Columns; 80 when they can't be told.
int terminal_width() noexcept;

}  // namespace coppice::core
