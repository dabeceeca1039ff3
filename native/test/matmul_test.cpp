#include "test/check.h"

namespace unroll::test {
namespace {

const int64_t kEdges[] = {1, 2, 5, 6, 7, 8, 9, 13, 15, 16, 17, 31, 32, 33, 48, 63, 97, 130};

std::string shape(int64_t m, int64_t k, int64_t n) {
  return std::to_string(m) + "x" + std::to_string(k) + "x" + std::to_string(n);
}

/// The contract itself, one element at a time: blocks of 256, each from 0 by ascending fma; groups of 16 blocks, added
/// in ascending order, the first to the start, each other from 0; then the groups.
float contract_dot(int64_t k_size, const float* a, int64_t stride_a, const float* b, int64_t stride_b, bool has_start,
                   float start) {
  float total = start;
  for (int64_t group = 0; group < k_size; group += 4096) {
    float sum = total;
    for (int64_t k0 = group; k0 < std::min<int64_t>(k_size, group + 4096); k0 += 256) {
      float block = 0.0f;
      for (int64_t k = k0; k < std::min<int64_t>(k_size, k0 + 256); ++k) {
        block = std::fma(a[k * stride_a], b[k * stride_b], block);
      }
      const bool first = k0 == group && (group > 0 || !has_start);
      sum = first ? block : sum + block;
    }
    total = group == 0 ? sum : total + sum;
  }
  return total;
}

void check_matmul(int64_t m, int64_t k, int64_t n, bool transposed) {
  const int64_t lda = k + 3, ldc = n + 1;
  const Floats a = random_floats(m * lda, 1), w = random_floats(k * n, 2), bias = random_floats(n, 3);
  const Floats before = random_floats(m * ldc, 4);
  const auto weight = [&](int64_t kk, int64_t j) { return &w[transposed ? j * k + kk : kk * n + j]; };
  for (int mode = 0; mode < 3; ++mode) {  // zero, bias, accumulate
    const Floats result = same_everywhere("matmul " + shape(m, k, n), [&](const Kernels& kernels, Parallel& pool) {
      const Floats panels = pack(kernels, pool, w.data(), transposed ? k : n, k, n, 1, transposed);
      const auto multiply = [&](const Floats& right, WeightForm form) {
        Floats c = before;
        kernels.matmul(m, k, n, a.data(), lda, right.data(), form, mode == 1 ? bias.data() : nullptr, mode == 2,
                       c.data(), ldc, pool);
        return c;
      };
      const Floats c = multiply(panels, WeightForm::kPanels);
      if (m <= 9) {
        const Floats plain = multiply(w, transposed ? WeightForm::kTransposed : WeightForm::kRows);
        check_same(plain, c, "matmul by a plain weight " + shape(m, k, n));
      }
      return c;
    });
    Floats expected = before;
    for (int64_t i = 0; i < m; ++i) {
      for (int64_t j = 0; j < n; ++j) {
        const float start = mode == 1 ? bias[j] : before[i * ldc + j];
        expected[i * ldc + j] =
            contract_dot(k, &a[i * lda], 1, weight(0, j), weight(k > 1, j) - weight(0, j), mode > 0, start);
      }
    }
    check_same(result, expected, "matmul " + shape(m, k, n) + " against the contract, mode " + std::to_string(mode));
  }
}

void check_matmul_transposed(int64_t rows, int64_t outputs, int64_t columns, bool indexed) {
  const int64_t lda = outputs + 1, ldb = columns + 2;
  const Floats a = random_floats(rows * lda, 5), b = random_floats((rows + 1) * ldb, 6);
  const Floats before = random_floats(outputs * columns, 7), sums_before = random_floats(outputs, 9);
  std::vector<int32_t> a_index(rows), b_index(rows);
  for (int64_t n = 0; n < rows; ++n) {
    a_index[n] = static_cast<int32_t>(indexed ? rows - 1 - n : n);
    b_index[n] = static_cast<int32_t>(indexed ? (n * 7 + 3) % (rows + 1) : n);
  }
  const std::string what = "matmul_transposed " + shape(rows, outputs, columns);
  const Floats result = same_everywhere(what, [&](const Kernels& kernels, Parallel& pool) {
    Floats c = before, sums = sums_before, without_sums = before;
    const auto multiply = [&](Floats& to, float* sums_to) {
      kernels.matmul_transposed(rows, outputs, columns, a.data(), lda, indexed ? a_index.data() : nullptr, b.data(),
                                ldb, indexed ? b_index.data() : nullptr, to.data(), columns, sums_to, pool);
    };
    multiply(c, sums.data());
    multiply(without_sums, nullptr);
    check_same(without_sums, c, what + " without sums");
    c.insert(c.end(), sums.begin(), sums.end());
    return c;
  });
  Floats expected = before;
  for (int64_t i = 0; i < outputs; ++i) {
    for (int64_t j = 0; j < columns; ++j) {
      Floats left(rows), right(rows);
      for (int64_t n = 0; n < rows; ++n) {
        left[n] = a[a_index[n] * lda + i];
        right[n] = b[b_index[n] * ldb + j];
      }
      expected[i * columns + j] = contract_dot(rows, left.data(), 1, right.data(), 1, true, before[i * columns + j]);
    }
  }
  for (int64_t i = 0; i < outputs; ++i) {
    float lane[16] = {};
    for (int64_t n = 0; n < rows; ++n) lane[n % 16] += a[a_index[n] * lda + i];
    for (int half = 8; half > 0; half /= 2) {
      for (int l = 0; l < half; ++l) lane[l] += lane[l + half];
    }
    expected.push_back(sums_before[i] + lane[0]);
  }
  check_same(result, expected, what + " against the contract");
}

}  // namespace
}  // namespace unroll::test

int main() {
  using namespace unroll::test;
  const unroll::FlushDenormals scope;
  for (const int64_t m : kEdges) {
    for (const int64_t n : {1, 15, 16, 17, 33, 48}) check_matmul(m, 9, n, m % 2 == 0);
  }
  for (const int64_t k : {1, 2, 255, 256, 257, 512, 700, 4096, 4097, 9000}) check_matmul(7, k, 33, k % 2 == 0);
  check_matmul(67, 8500, 130, true);  // several times the rows and panels that later groups of k are summed of at once
  check_matmul(200, 300, 50, true);   // more than one chunk of rows, more than one task
  check_matmul(2, 300, 900, true);    // tasks by panels
  for (const int64_t m : {9, 10, 41}) check_matmul(m, 535, 270, true);  // beyond L2: rows are packed
  for (const int64_t n : {120, 128, 129, 145, 190}) {                   // panels beside each other
    for (const int64_t m : {1, 2, 6, 14}) check_matmul(m, 290, n, n % 2 == 0);
  }
  for (const int64_t m : kEdges) {
    for (const int64_t n : {1, 16, 17, 33}) check_matmul_transposed(5, m, n, n % 2 == 0);
  }
  for (const int64_t k : {1, 8, 9, 255, 256, 257, 600, 4097}) check_matmul_transposed(k, 19, 40, k % 2 == 0);
  check_matmul_transposed(8'500, 120, 300, true);  // groups of several blocks of outputs and columns
  check_matmul_transposed(40, 120, 300, true);     // several blocks of outputs and columns
  check_matmul_transposed(40, 30, 600, false);     // tasks by columns
  for (const int64_t rows : {0, 1, 15, 16, 17, 100}) {
    for (const int64_t outputs : {1, 16, 17, 50, 97}) check_matmul_transposed(rows, outputs, 3, rows % 2 == 0);
  }
  check_matmul_transposed(40, 100, 1'100, true);     // several blocks of columns where they are of 1024
  check_matmul_transposed(4'200, 20, 1'100, false);  // and of two groups
  check_matmul_transposed(9, 5'000, 17, true);       // more sums than a thread takes while it packs
  return finish("matmul");
}
