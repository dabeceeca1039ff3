#pragma once

/// Where the panels of a right operand lie in memory. Panel p, line k, column j is element (k, 16 p + j) of the
/// operand.

#include "kernels/split.h"
#include "kernels/tile_operands.h"

namespace unroll::UNROLL_ISA {

/// How many of the panels that are left make the next group: the last two groups are about equal, for a tile of a
/// single panel has too few independent sums.
UNROLL_INLINE int64_t next_group(int64_t left, int64_t most) {
  return left >= 2 * most ? most : left > most ? divide_up(left, 2) : left;
}

/// Panels lie one after the other, or in groups, one after the other, of panels beside each other, whose lines take
/// turns: a tile of as many then reads a single stream, the fastest that a processor fetches ahead.
struct PanelLayout {
  int64_t k_size, panels;
  int64_t beside;  ///< panels of a group, of the last two groups fewer; 1: one panel after the other

  int64_t bytes() const { return k_size * panels * kPanel * static_cast<int64_t>(sizeof(float)); }

  /// Neighbouring panels that lie beside each other.
  struct Group {
    int64_t first, count;
    UNROLL_INLINE int64_t end() const { return first + count; }
  };

  /// Not inlined, or gcc makes vectors of loops over few panels.
  __attribute__((noinline)) Group group_of(int64_t panel) const {
    if (beside == 1) return {panel, 1};
    const int64_t whole = larger(0, panels / beside - 1) * beside;
    if (panel < whole) return {panel - panel % beside, beside};
    const int64_t count = next_group(panels - whole, beside);
    if (panel < whole + count) return {whole, count};
    return {whole + count, panels - whole - count};
  }

  /// Line k of a panel is at begin + k * step.
  struct Place {
    int64_t begin, step;
  };

  UNROLL_INLINE Place place_of(int64_t panel) const {
    if (beside == 1) return {panel * kPanel * k_size, kPanel};
    const Group group = group_of(panel);
    return {(group.first * k_size + panel - group.first) * kPanel, group.count * kPanel};
  }

  /// Panels from `panel` on, each the `each`-th: those of one group, or the same one of several, all of `each` panels.
  UNROLL_INLINE PanelBlock block(const float* data, int64_t panel, int64_t each, Range k) const {
    const Place place = place_of(panel);
    const int64_t stride = beside > 1 && each == 1 ? kPanel : each * kPanel * k_size;
    return {data + place.begin + k.begin * place.step, stride, place.step, k.size()};
  }
};

/// The columns of the right operand that make a panel; the panel's others are zero.
struct PanelColumns {
  int64_t first, width;
};

/// The columns are those of some gates, one gate after the other, and the panels of these are interleaved: panel
/// u * gates + g holds gate g of the units 16 u .. 16 u + 15.
UNROLL_INLINE PanelColumns columns_of_panel(int64_t panel, int64_t columns, int64_t gates) {
  const int64_t units = columns / gates, first = panel / gates * kPanel;
  return {panel % gates * units + first, smaller(kPanel, units - first)};
}

UNROLL_INLINE int64_t count_of_panels(int64_t columns, int64_t gates) {
  return gates * divide_up(columns / gates, kPanel);
}

/// Operands of so many bytes are read from L1, even if they are a little more than it has, faster with panels apart: of
/// a single stream all lines are fetched again before they are used.
constexpr int64_t kReadFromL1 = 64 * 1024;
/// Operands of so many bytes are all still there when they are read the next time.
constexpr int64_t kStaysInL1 = 24 * 1024;

/// The layout of an operand of so many panels, those of some gates interleaved: a group then has the gates of the same
/// units.
UNROLL_INLINE PanelLayout panel_layout(int64_t k_size, int64_t panels, int64_t gates) {
  PanelLayout layout{k_size, panels, 1};
  if (layout.bytes() > kReadFromL1) layout.beside = smaller(gates > 1 ? gates : kMostBeside, kMostBeside);
  return layout;
}

}  // namespace unroll::UNROLL_ISA
