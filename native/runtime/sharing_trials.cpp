#include "runtime/sharing_trials.h"

#include <algorithm>
#include <iterator>

namespace unroll {
namespace {

/// A way is tried for so long: to wake a thread has been seen to take 3.5 ms on a virtual machine.
constexpr int64_t kTrialNanoseconds = 4'000'000;

/// Work that takes longer than this is shared without a trial: threads that are slow to meet cost it little, and a
/// trial alone would cost much.
constexpr int64_t kSurelyShared = 2'000'000;

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

void SharingTrials::Record::begin(uint64_t new_kind) {
  kind = new_kind;
  tried_calls = 0;
  rest = kShortestRest;
  shared_was_faster = false;
  enter(Stage::kShared, true);
}

void SharingTrials::Record::enter(Stage next, bool next_shared) {
  stage = next;
  shared.store(next_shared, std::memory_order_relaxed);
  calls = 0;
  nanoseconds = 0;
}

/// The last calls of a trial speak for it: a thread that was asleep has come by then, and an interruption hits few.
void SharingTrials::Record::end_trial(double median) {
  tried_calls += calls;
  const bool settle_now = stage == Stage::kAlone || nanoseconds > calls * kSurelyShared;
  if (!settle_now) {
    shared_time = median;
    return enter(Stage::kAlone, false);
  }
  const bool shared_is_faster = stage == Stage::kShared || shared_time <= median;
  rest = shared_is_faster == shared_was_faster ? std::min(2 * rest, kLongestRest) : kShortestRest;
  shared_was_faster = shared_is_faster;
  enter(Stage::kSettled, shared_is_faster);
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

void SharingTrials::took(uint64_t kind, Way way, int64_t items, int64_t nanoseconds) {
  Record& record = records_[kind % kKinds];
  const TryLock lock(record.busy);
  if (!lock.held() || record.kind != kind || record.stage == Stage::kSettled) return;
  if (record.shared.load(std::memory_order_relaxed) != way.shared) return;  // begun before the stage was
  record.samples[record.calls++ % kSamples] = static_cast<double>(nanoseconds) / static_cast<double>(items);
  record.nanoseconds += nanoseconds;
  if (record.calls < kSamples || record.nanoseconds < kTrialNanoseconds) return;
  double sorted[kSamples];
  std::copy(std::begin(record.samples), std::end(record.samples), sorted);
  std::nth_element(sorted, sorted + kSamples / 2, std::end(sorted));
  record.end_trial(sorted[kSamples / 2]);
}

}  // namespace unroll
