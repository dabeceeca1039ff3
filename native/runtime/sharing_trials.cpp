#include "runtime/sharing_trials.h"

#include <algorithm>

namespace unroll {
namespace {

/// A way is tried for so long: to wake a thread has been seen to take 3.5 ms on a virtual machine.
constexpr int64_t kTrialNanoseconds = 4'000'000;

/// Work that takes longer than this is shared without a trial: threads that are slow to meet cost it little, and a
/// trial alone would cost much.
constexpr int64_t kSurelyShared = 2'000'000;

/// Sharing is given up where it takes more than so many times as long as one thread. Where both take as long the others
/// hardly came, as after a long sleep: to settle on one thread would cost their help for long, to go on costs nothing
/// but their time.
constexpr double kAsFast = 1.05;

/// Nobody waits: who finds a record in use goes on without it.
class TryLock {
 public:
  explicit TryLock(std::atomic_flag& busy) : busy_(busy), held_(!busy.test_and_set(std::memory_order_acquire)) {}
  ~TryLock() {
    if (held_) busy_.clear(std::memory_order_release);
  }
  TryLock(const TryLock&) = delete;
  TryLock& operator=(const TryLock&) = delete;

  bool held() const { return held_; }

 private:
  std::atomic_flag& busy_;
  const bool held_;
};

}  // namespace

/// The last calls of a trial speak for it: a thread that was asleep has come by then, and an interruption hits few.
double SharingTrials::Samples::median() const {
  const int64_t size = std::min(count, kKept);
  if (size == 0) return 0.0;
  double sorted[kKept];
  std::copy(last, last + size, sorted);
  std::nth_element(sorted, sorted + size / 2, sorted + size);
  return sorted[size / 2];
}

void SharingTrials::Record::begin(uint64_t new_kind) {
  kind = new_kind;
  tried_calls = 0;
  rest = kShortestRest;
  was_shared = false;
  enter(Stage::kShared, true);
}

void SharingTrials::Record::enter(Stage next, bool next_shared) {
  stage = next;
  shared.store(next_shared, std::memory_order_relaxed);
  calls = 0;
  nanoseconds = 0;
  for (Samples& of_part : samples) of_part.count = 0;
}

bool SharingTrials::Record::tried_enough() const {
  const auto parts = std::count_if(samples, samples + kParts, [](const Samples& s) { return s.count > 0; });
  return nanoseconds >= kTrialNanoseconds && calls >= parts * Samples::kKept;
}

void SharingTrials::Record::end_trial() {
  tried_calls += calls;
  if (stage == Stage::kAlone) return settle(shared_is_as_fast());
  if (nanoseconds > calls * kSurelyShared) return settle(true);
  for (int part = 0; part < kParts; ++part) shared_time[part] = samples[part].median();
  enter(Stage::kAlone, false);
}

/// By the parts that occurred in both trials.
bool SharingTrials::Record::shared_is_as_fast() const {
  double together = 0.0, alone = 0.0;
  for (int part = 0; part < kParts; ++part) {
    if (shared_time[part] == 0.0 || samples[part].count == 0) continue;
    together += shared_time[part];
    alone += samples[part].median();
  }
  return together <= kAsFast * alone;
}

void SharingTrials::Record::settle(bool shared_now) {
  rest = shared_now == was_shared ? std::min(2 * rest, kLongestRest) : kShortestRest;
  was_shared = shared_now;
  enter(Stage::kSettled, shared_now);
  calls = rest * tried_calls;
  tried_calls = 0;
}

SharingTrials::Way SharingTrials::next(uint64_t kind) {
  Record& record = records_[kind % kKinds];
  const TryLock lock(record.busy);
  if (lock.held()) {
    if (record.kind != kind) record.begin(kind);
    if (record.stage == Stage::kSettled && record.calls-- == 0) record.enter(Stage::kShared, true);
    return {record.shared.load(std::memory_order_relaxed), record.stage != Stage::kSettled};
  }
  return {record.shared.load(std::memory_order_relaxed), false};
}

void SharingTrials::took(uint64_t kind, int part, Way way, int64_t items, int64_t nanoseconds) {
  Record& record = records_[kind % kKinds];
  const TryLock lock(record.busy);
  if (!lock.held() || record.kind != kind || record.stage == Stage::kSettled) return;
  if (record.shared.load(std::memory_order_relaxed) != way.shared) return;  // begun before the stage was
  record.samples[part].add(static_cast<double>(nanoseconds) / static_cast<double>(items));
  record.nanoseconds += nanoseconds;
  ++record.calls;
  if (record.tried_enough()) record.end_trial();
}

}  // namespace unroll
