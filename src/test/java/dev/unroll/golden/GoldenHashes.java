package dev.unroll.golden;

import dev.unroll.Unroll;
import java.util.ArrayList;
import java.util.List;

/**
 * Runs every model in this process, for every number of threads and split, and prints what came out: the instruction
 * set in the first line, then a line for each run. A process has one instruction set, so {@link GoldenTable} and
 * {@link GoldenTest} start several.
 */
public final class GoldenHashes {
  static final List<Integer> THREADS = List.of(1, 2, 3, 7);

  private GoldenHashes() {}

  /** One run of one model. */
  record Run(String model, int threads, Split split, Split.Hashes hashes) {
    String line() {
      return model + ' ' + threads + ' ' + split + ' ' + hashes;
    }

    static Run of(String line) {
      String[] words = line.split(" ");
      Split.Hashes hashes = new Split.Hashes(words[3], words[4]);
      return new Run(words[0], Integer.parseInt(words[1]), Split.valueOf(words[2]), hashes);
    }
  }

  /** With any argument the batch is divided on one thread only, which takes less than half the time. */
  public static void main(String[] arguments) {
    List<Integer> dividedOn = arguments.length == 0 ? THREADS : List.of(1);
    System.out.println(Unroll.instructionSet());
    runs(THREADS, dividedOn).forEach(run -> System.out.println(run.line()));
  }

  /** Runs of the undivided batch on some numbers of threads, and of the other splits on those of them in a second list. */
  static List<Run> runs(List<Integer> wholeOn, List<Integer> dividedOn) {
    List<Run> runs = new ArrayList<>();
    for (int threads : wholeOn) {
      Unroll.threads(threads);
      for (GoldenModel model : GoldenModels.all()) {
        for (Split split : Split.values()) {
          if (split.suits(model) && (split == Split.WHOLE || dividedOn.contains(threads))) {
            runs.add(new Run(model.name(), threads, split, split.run(model)));
          }
        }
      }
    }
    return runs;
  }
}
