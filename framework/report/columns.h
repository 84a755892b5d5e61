#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace coppice::report {

/// Throws Error{InvalidArgument} for a row with more or fewer cells than the header.
void check_rows(const std::vector<std::string>& header,
                const std::vector<std::vector<std::string>>& rows);

/// Which columns hold only numbers ("12", "-0.5", "86.5 %", "1,000", "–") and are aligned to the
/// right.
std::vector<bool> number_columns(size_t columns, const std::vector<std::vector<std::string>>& rows);

/// Characters that a terminal shows for a UTF-8 text, each one column wide.
size_t display_width(std::string_view text);

}  // namespace coppice::report
