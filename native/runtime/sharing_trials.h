#pragma once

#include <atomic>
#include <cstdint>

namespace unroll {

/// Finds out for each kind of work whether several threads do it faster than one, which depends on the processor and on
/// what else it does: a line takes ten times as long to a core on another die as to the next core, and to wake a thread
/// takes a microsecond or milliseconds. Both ways are tried for a while, and the faster one, or sharing where they
/// take as long, is used for many times as long; then they are tried again. Any thread may call.
///
/// Work may have two parts, such as the passes of a training step. What one part leaves in a thread's cache the other
/// finds there, so both are done in one way and their times count together.
class SharingTrials {
 public:
  static constexpr int kParts = 2;

  struct Way {
    bool shared;  ///< by several threads
    bool timed;   ///< whether `took` wants to know
  };

  /// How the next work of a kind shall be done. `kind` is a hash of what makes the time of an item.
  Way next(uint64_t kind);

  /// That a part of the work of a kind, done in a way that `next` gave and that is to be timed, took so long for so
  /// many items.
  void took(uint64_t kind, int part, Way way, int64_t items, int64_t nanoseconds);

 private:
  /// The faster way is used for so many calls as both trials had, times this: twice as long each time that trials agree
  /// with those before, and briefly again when they do not.
  static constexpr int64_t kShortestRest = 4, kLongestRest = 64;

  static constexpr int kKinds = 256;

  enum class Stage { kShared, kAlone, kSettled };

  /// The times of a part in a trial, an item's.
  struct Samples {
    static constexpr int64_t kKept = 8;
    int64_t count = 0;
    double last[kKept] = {};

    void add(double time) { last[count++ % kKept] = time; }
    double median() const;
  };

  /// Of the kind of work that came last of those with the same place.
  struct alignas(64) Record {
    std::atomic_flag busy;
    std::atomic<bool> shared{true};
    uint64_t kind = 0;
    Stage stage = Stage::kShared;
    int64_t calls = 0;             // of this stage; when settled, those left
    int64_t nanoseconds = 0;       // of this stage
    int64_t tried_calls = 0;       // of the stages before, since the last one was settled
    int64_t rest = kShortestRest;  // settled calls for each call that was tried
    bool was_shared = false;
    double shared_time[kParts] = {};  // medians of the last trial; 0 of a part that did not occur
    Samples samples[kParts];

    void begin(uint64_t new_kind);
    void enter(Stage next, bool next_shared);
    bool tried_enough() const;
    void end_trial();
    bool shared_is_as_fast() const;
    void settle(bool shared_now);
  };

  Record records_[kKinds];
};

}  // namespace unroll
