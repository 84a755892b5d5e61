#include "graph/onnx/view.h"

#include <algorithm>

namespace coppice::graph {

namespace {

bool holds_batch(const Shape& axes) {
  return std::find(axes.begin(), axes.end(), 0) != axes.end();
}

/// Cuts a row of axes into dimensions of given sizes.
class Folder {
 public:
  Folder(const View& view, const Shape& node, int64_t batch) : parts_(node.size()) {
    for (const Shape& axes : view.dims) {
      for (const int64_t axis : axes) {
        const int64_t size = axis == 0 ? batch : node[static_cast<size_t>(axis)];
        left_.push_back({axis, size});
      }
    }
    for (size_t axis = 1; axis < node.size(); ++axis) {
      const auto seen = std::any_of(left_.begin(), left_.end(), [&](const Part& part) {
        return part.axis == static_cast<int64_t>(axis);
      });
      if (!seen) {
        parts_[axis].push_back(1);
      }
    }
  }

  /// The parts that make a dimension of this size; false where they do not.
  bool take(int64_t size) {
    std::vector<Place> taken;
    if (size == 1 && next_ < left_.size() && left_[next_].axis == 0 && left_[next_].size == 1) {
      taken.push_back(keep(left_[next_++].axis, 1));  // a file whose batch is fixed to 1
    }
    for (int64_t product = 1; product != size;) {
      if (next_ == left_.size() || size % product != 0) {
        return false;
      }
      Part& part = left_[next_];
      if (part.axis != 0 && part.size == 1) {
        keep(part.axis, 1);
        ++next_;
        continue;
      }
      const int64_t wanted = size / product;
      if (wanted % part.size == 0) {
        taken.push_back(keep(part.axis, part.size));
        product *= part.size;
        ++next_;
      } else if (part.axis != 0 && part.size % wanted == 0) {
        taken.push_back(keep(part.axis, wanted));
        product *= wanted;
        part.size /= wanted;
      } else {
        return false;
      }
    }
    dims_.push_back(std::move(taken));
    return true;
  }

  /// False where more than single places are left over.
  bool finish(Refolded& result) {
    for (; next_ < left_.size(); ++next_) {
      if (left_[next_].size != 1) {
        return false;
      }
      const Place place = keep(left_[next_].axis, 1);
      if (place.axis == 0) {
        dims_.back().push_back(place);
      }
    }
    std::vector<int64_t> first(parts_.size(), 0);
    int64_t axes = 1;
    for (size_t axis = 1; axis < parts_.size(); ++axis) {
      first[axis] = axes;
      axes += std::ssize(parts_[axis]);
      result.sample.insert(result.sample.end(), parts_[axis].begin(), parts_[axis].end());
    }
    for (const std::vector<Place>& places : dims_) {
      Shape& dim = result.dims.emplace_back();
      for (const Place& place : places) {
        dim.push_back(first[static_cast<size_t>(place.axis)] + place.part);
      }
    }
    return true;
  }

 private:
  struct Part {
    int64_t axis;
    int64_t size;
  };

  struct Place {
    int64_t axis;
    int64_t part;
  };

  Place keep(int64_t axis, int64_t size) {
    auto& parts = parts_[static_cast<size_t>(axis)];
    parts.push_back(size);
    return {axis, axis == 0 ? 0 : std::ssize(parts) - 1};
  }

  std::vector<Shape> parts_;  ///< sizes that each axis is cut into
  std::vector<Part> left_;
  size_t next_ = 0;
  std::vector<std::vector<Place>> dims_;
};

}  // namespace

bool View::batch_first() const {
  return !dims.empty() && dims[0] == Shape{0};
}

size_t View::batch_dimension() const {
  return static_cast<size_t>(std::find_if(dims.begin(), dims.end(), holds_batch) - dims.begin());
}

View identity_view(std::string node, size_t rank) {
  View view{std::move(node), {}};
  for (size_t i = 0; i < rank; ++i) {
    view.dims.push_back({static_cast<int64_t>(i)});
  }
  return view;
}

Shape shape_of(const View& view, const Shape& node, int64_t batch) {
  Shape shape;
  for (const Shape& axes : view.dims) {
    int64_t size = 1;
    for (const int64_t axis : axes) {
      size *= axis == 0 ? batch : node[static_cast<size_t>(axis)];
    }
    shape.push_back(size);
  }
  return shape;
}

Refolded refold(const View& view, const Shape& node, const Shape& target, int64_t batch) {
  Folder folder(view, node, batch);
  Refolded result;
  for (const int64_t size : target) {
    if (size < 1 || !folder.take(size)) {
      return {};
    }
  }
  return !target.empty() && folder.finish(result) ? result : Refolded{};
}

}  // namespace coppice::graph
