#include "runtime/sharing_trials.h"

#include <thread>

#include "test/check.h"

namespace unroll::test {
namespace {

constexpr uint64_t kKind = 7;
constexpr int64_t kSecond = 1'000'000'000;

/// A processor on which the work of a kind takes so long, in nanoseconds.
struct Processor {
  int64_t alone, shared;
  int64_t waking = 0;       ///< the helper needs so long to come, while the caller works alone
  int64_t interrupted = 0;  ///< so many calls from one to the next that takes ten times as long

  int64_t now = 0, calls = 0, shared_calls = 0, awake_at = -1;

  void call(SharingTrials& trials, uint64_t kind = kKind) {
    const SharingTrials::Way way = trials.next(kind);
    if (!way.shared) awake_at = -1;
    if (way.shared && awake_at < 0) awake_at = now + waking;
    const bool helped = way.shared && now >= awake_at;
    const bool interruption = interrupted > 0 && ++calls % interrupted == 0;
    const int64_t time = (helped ? shared : alone) * (interruption ? 10 : 1);
    if (way.timed) trials.took(kind, 0, way, 5, time);
    now += time;
    shared_calls += way.shared;
  }

  void run(SharingTrials& trials, int64_t nanoseconds) {
    for (const int64_t end = now + nanoseconds; now < end;) call(trials);
  }
};

/// After its first trials the work takes hardly longer than the faster way.
void check_finds(Processor processor, const std::string& what) {
  SharingTrials trials;
  processor.run(trials, kSecond / 2);
  const int64_t start = processor.now, shared_before = processor.shared_calls;
  int64_t calls = 0;
  for (; processor.now - start < 4 * kSecond; ++calls) processor.call(trials);
  const double faster = static_cast<double>(std::min(processor.alone, processor.shared));
  const double time = static_cast<double>(processor.now - start) / static_cast<double>(calls);
  const double longer = processor.interrupted > 0 ? 1.0 + 9.0 / static_cast<double>(processor.interrupted) : 1.0;
  check(time < 1.08 * faster * longer, what + ": " + std::to_string(time) + " ns a call");
  const bool mostly_shared = 2 * (processor.shared_calls - shared_before) > calls;
  check(mostly_shared == (processor.shared < processor.alone), what + ": the slower way is the usual one");
}

void check_follows_a_change() {
  SharingTrials trials;
  Processor near{100'000, 60'000};
  near.run(trials, kSecond);
  Processor far{100'000, 300'000};
  far.run(trials, 2 * kSecond);  // for which nobody may have noticed
  far.shared_calls = 0;
  const int64_t start = far.now;
  far.run(trials, 2 * kSecond);
  check(far.shared_calls * 300'000 < (far.now - start) / 5, "a change is noticed");
}

/// A trial in which the helper never came says nothing against sharing.
void check_an_absent_helper() {
  SharingTrials trials;
  SharingTrials::Way way = trials.next(kKind);
  for (int call = 0; way.timed && call < 10'000; ++call, way = trials.next(kKind)) {
    trials.took(kKind, 0, way, 1, way.shared ? 101'000 : 100'000);
  }
  check(!way.timed && way.shared, "work is shared after a trial without the helper");
}

void check_long_work_is_shared() {
  SharingTrials trials;
  for (int call = 0; call < 2000; ++call) {
    const SharingTrials::Way way = trials.next(kKind);
    check(way.shared, "long work is shared");
    if (way.timed) trials.took(kKind, 0, way, 1, 5'000'000);
  }
}

/// Kinds in the same place of the table take turns; each is as if it were new.
void check_kinds_in_one_place() {
  SharingTrials trials;
  for (int call = 0; call < 1000; ++call) {
    for (const uint64_t kind : {kKind, kKind + 256}) {
      const SharingTrials::Way way = trials.next(kind);
      check(way.shared && way.timed, "a new kind is shared, and timed");
      trials.took(kind, 0, way, 1, 100'000);
    }
  }
}

/// The first part is faster alone, by less than what the second gains.
void check_parts_count_together() {
  SharingTrials trials;
  int64_t shared = 0, calls = 0;
  for (; calls < 20'000; ++calls) {
    for (int part = 0; part < SharingTrials::kParts; ++part) {
      const SharingTrials::Way way = trials.next(kKind);
      const int64_t time = part == 0 ? (way.shared ? 50'000 : 40'000) : (way.shared ? 60'000 : 90'000);
      if (way.timed) trials.took(kKind, part, way, 1, time);
      shared += way.shared;
    }
  }
  check(shared > 9 * calls / 10 * SharingTrials::kParts, "parts count together: " + std::to_string(shared));
}

/// A part that hardly ever occurs keeps nobody from settling.
void check_a_rare_part() {
  SharingTrials trials;
  int shared = 0;
  for (int call = 0; call < 20'000; ++call) {
    const SharingTrials::Way way = trials.next(kKind);
    if (way.timed) trials.took(kKind, call % 1000 == 0, way, 1, way.shared ? 100'000 : 50'000);
    shared += way.shared;
  }
  check(shared < 2000, "a rare part: " + std::to_string(shared));
}

void check_several_callers() {
  SharingTrials trials;
  std::vector<std::thread> callers;
  for (int caller = 0; caller < 4; ++caller) {
    callers.emplace_back([&trials] {
      for (uint64_t call = 0; call < 100'000; ++call) {
        const uint64_t kind = call % 3;
        const SharingTrials::Way way = trials.next(kind);
        if (way.timed) trials.took(kind, 0, way, 1, way.shared ? 200'000 : 100'000);
      }
    });
  }
  for (std::thread& caller : callers) caller.join();
  for (const uint64_t kind : {0, 1, 2}) {
    int shared = 0;
    for (int call = 0; call < 1000; ++call) {
      const SharingTrials::Way way = trials.next(kind);
      if (way.timed) trials.took(kind, 0, way, 1, way.shared ? 200'000 : 100'000);
      shared += way.shared;
    }
    check(shared < 200, "callers at once find the faster way too: " + std::to_string(shared));
  }
}

}  // namespace
}  // namespace unroll::test

int main() {
  using namespace unroll::test;
  check_finds({100'000, 55'000}, "near cores");
  check_finds({100'000, 200'000}, "far cores");
  check_finds({4'000, 2'500}, "short work, near cores");
  check_finds({4'000, 9'000}, "short work, far cores");
  check_finds({4'000, 2'500, 3'500'000}, "a helper that comes late");
  check_finds({4'000, 9'000, 3'500'000}, "a helper that comes late, far cores");
  check_finds({40'000, 25'000, 0, 7}, "interruptions, near cores");
  check_finds({40'000, 90'000, 0, 7}, "interruptions, far cores");
  check_finds({100'000, 112'000}, "cores that are little help");
  check_an_absent_helper();
  check_follows_a_change();
  check_long_work_is_shared();
  check_kinds_in_one_place();
  check_parts_count_together();
  check_a_rare_part();
  check_several_callers();
  return finish("sharing_trials");
}
