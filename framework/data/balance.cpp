#include "data/balance.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <numeric>
#include <utility>

#include "core/error.h"
#include "data/apportion.h"

namespace coppice::data {

namespace {

using Plan = std::vector<std::vector<double>>;
using Flow = std::vector<std::vector<int64_t>>;

constexpr int kMaxRounds = 2000;

std::vector<double> column_sums(const Plan& plan, size_t places) {
  std::vector<double> sums(places);
  for (const std::vector<double>& row : plan) {
    std::transform(row.begin(), row.end(), sums.begin(), sums.begin(), std::plus<>());
  }
  return sums;
}

/// Pours `amount` over the allowed places so that their loads per slot level out. Returns what each
/// gets.
std::vector<double> pour(double amount,
                         const std::vector<bool>& allowed,
                         const std::vector<int64_t>& slots,
                         const std::vector<double>& loads) {
  const auto level_of = [&](size_t p) {
    return loads[p] / static_cast<double>(slots[p]);
  };
  std::vector<size_t> order;
  for (size_t p = 0; p < slots.size(); ++p) {
    if (allowed[p]) {
      order.push_back(p);
    }
  }
  std::stable_sort(
      order.begin(), order.end(), [&](size_t a, size_t b) { return level_of(a) < level_of(b); });
  double width = 0;
  double held = 0;
  double level = 0;
  for (size_t i = 0; i < order.size(); ++i) {
    width += static_cast<double>(slots[order[i]]);
    held += loads[order[i]];
    level = (amount + held) / width;
    if (i + 1 == order.size() || level <= level_of(order[i + 1])) {
      break;
    }
  }
  std::vector<double> poured(slots.size());
  for (const size_t p : order) {
    poured[p] = std::max(0.0, level * static_cast<double>(slots[p]) - loads[p]);
  }
  return poured;
}

/// The most even loads of the places: each good in turn is poured anew until nothing moves. That
/// descends a convex function (the sum of squared loads per slot) coordinate by coordinate, so it
/// ends at its minimum.
std::vector<double> even_loads(const Supply& supply) {
  const size_t places = supply.slots.size();
  std::vector<size_t> order(supply.amounts.size());
  std::iota(order.begin(), order.end(), size_t{0});
  // The choosiest first: then one round suffices where choices are nested.
  std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) {
    const auto choices = [&](size_t g) {
      return std::count(supply.allowed[g].begin(), supply.allowed[g].end(), true);
    };
    return choices(a) < choices(b);
  });
  Plan plan(supply.amounts.size(), std::vector<double>(places));
  const double total = static_cast<double>(
      std::accumulate(supply.amounts.begin(), supply.amounts.end(), int64_t{0}));
  for (int round = 0; round < kMaxRounds; ++round) {
    double moved = 0;
    for (const size_t g : order) {
      std::vector<double> before = std::exchange(plan[g], std::vector<double>(places));
      plan[g] = pour(static_cast<double>(supply.amounts[g]),
                     supply.allowed[g],
                     supply.slots,
                     column_sums(plan, places));
      for (size_t p = 0; p < places; ++p) {
        moved += std::abs(plan[g][p] - before[p]);
      }
    }
    if (moved <= 1e-9 * total) {
      break;
    }
  }
  return column_sums(plan, places);
}

/// Iterative proportional fitting to the goods' amounts and the places' loads.
Plan fit(const Supply& supply, const std::vector<double>& loads) {
  const size_t places = loads.size();
  Plan plan;
  for (const std::vector<bool>& allowed : supply.allowed) {
    std::vector<double>& row = plan.emplace_back(places);
    for (size_t p = 0; p < places; ++p) {
      row[p] = allowed[p] ? static_cast<double>(supply.slots[p]) : 0;
    }
  }
  for (int round = 0; round < kMaxRounds; ++round) {
    for (size_t g = 0; g < plan.size(); ++g) {
      const double sum = std::accumulate(plan[g].begin(), plan[g].end(), 0.0);
      for (double& value : plan[g]) {
        value *= sum > 0 ? static_cast<double>(supply.amounts[g]) / sum : 0;
      }
    }
    const std::vector<double> sums = column_sums(plan, places);
    double off = 0;
    for (size_t p = 0; p < places; ++p) {
      off = std::max(off, std::abs(sums[p] - loads[p]));
      for (std::vector<double>& row : plan) {
        row[p] *= sums[p] > 0 ? loads[p] / sums[p] : 0;
      }
    }
    if (off < 1e-6) {
      break;
    }
  }
  return plan;
}

Flow round(const Plan& plan, const Supply& supply) {
  Flow flow;
  for (size_t g = 0; g < plan.size(); ++g) {
    std::vector<int64_t> shares;
    std::vector<int64_t> limits;
    const double largest = *std::max_element(plan[g].begin(), plan[g].end());
    for (size_t p = 0; p < plan[g].size(); ++p) {
      shares.push_back(largest > 0 ? std::llround(plan[g][p] / largest * 0x1.0p48)
                                   : int64_t{supply.allowed[g][p]});
      limits.push_back(supply.allowed[g][p] ? supply.amounts[g] : 0);
    }
    flow.push_back(apportion(supply.amounts[g], shares, limits));
  }
  return flow;
}

/// One unit's way from place to place: at each step, a good that may go on to the next one.
struct Step {
  size_t good = 0;
  size_t from = 0;
};

/// Places that a unit of `start` can reach, with the last step of a shortest way to each.
std::vector<std::pair<bool, Step>> reach(const Flow& flow, const Supply& supply, size_t start) {
  std::vector<std::pair<bool, Step>> reached(supply.slots.size());
  reached[start].first = true;
  std::vector<size_t> queue = {start};
  for (size_t i = 0; i < queue.size(); ++i) {
    const size_t from = queue[i];
    for (size_t g = 0; g < flow.size(); ++g) {
      for (size_t to = 0; flow[g][from] > 0 && to < reached.size(); ++to) {
        if (supply.allowed[g][to] && !reached[to].first) {
          reached[to] = {true, {g, from}};
          queue.push_back(to);
        }
      }
    }
  }
  return reached;
}

/// Moves units from fuller to emptier slots until none can: mends what rounding has left uneven.
void even_out(Flow& flow, const Supply& supply) {
  const size_t places = supply.slots.size();
  std::vector<int64_t> loads(places);
  for (const std::vector<int64_t>& row : flow) {
    std::transform(row.begin(), row.end(), loads.begin(), loads.begin(), std::plus<>());
  }
  const auto fullest = [&](size_t p) {
    return (loads[p] + supply.slots[p] - 1) / supply.slots[p];
  };
  const auto emptiest = [&](size_t p) {
    return loads[p] / supply.slots[p];
  };
  bool moved = true;
  while (moved) {
    moved = false;
    for (size_t start = 0; start < places; ++start) {
      const auto reached = reach(flow, supply, start);
      size_t end = start;
      for (size_t p = 0; p < places; ++p) {
        if (reached[p].first && emptiest(p) < emptiest(end)) {
          end = p;
        }
      }
      if (fullest(start) - emptiest(end) < 2) {
        continue;
      }
      --loads[start];
      ++loads[end];
      for (size_t p = end; p != start; p = reached[p].second.from) {
        const Step& step = reached[p].second;
        --flow[step.good][step.from];
        ++flow[step.good][p];
      }
      moved = true;
    }
  }
}

}  // namespace

std::vector<std::vector<int64_t>> balance(const Supply& supply) {
  Flow flow = round(fit(supply, even_loads(supply)), supply);
  even_out(flow, supply);
  return flow;
}

}  // namespace coppice::data
