#pragma once

#include <string>
#include <utility>
#include <vector>

#include "report/html.h"
#include "train/judgement.h"

namespace coppice::train {

/// The figures that come first, for the tiles of a page.
std::vector<std::pair<std::string, std::string>> judgement_facts(const Judgement& judgement);

/// Adds what a judgement shows, by task: confusion, table of classes and reliability; predicted
/// over true values and residuals; errors with the threshold, and the ROC curve. `data` names the
/// data in the headings.
void add_judgement(report::HtmlReport& page, const Judgement& judgement, const std::string& data);

}  // namespace coppice::train
