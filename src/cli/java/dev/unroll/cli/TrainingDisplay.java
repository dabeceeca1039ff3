package dev.unroll.cli;

import dev.unroll.model.TrainingProgress;
import java.io.Console;
import java.io.PrintWriter;
import java.util.Locale;
import java.util.function.Consumer;
import java.util.function.DoubleSupplier;
import me.tongfei.progressbar.DelegatingProgressBarConsumer;
import me.tongfei.progressbar.ProgressBar;
import me.tongfei.progressbar.ProgressBarBuilder;
import me.tongfei.progressbar.ProgressBarStyle;

/** Tells how a training goes: one line an epoch, and on a terminal a bar while the epoch runs. */
final class TrainingDisplay implements Consumer<TrainingProgress>, AutoCloseable {
  private static final int BAR_WIDTH = 79;
  private static final double NANOS = 1e9;

  private final PrintWriter out;
  private final boolean terminal;
  private final DoubleSupplier validation;
  private ProgressBar bar;
  private long first = -1; // characters of epochs before this run, once it is known
  private long characters; // of all epochs so far
  private double lossSum; // over the characters of this epoch
  private long epochStart = System.nanoTime();
  private long trainingNanos; // without validation

  /**
   * Starts the clock.
   *
   * @param out where the lines go
   * @param terminal whether to draw bars, on the standard error stream
   * @param validation computes the validation loss; asked once at the end of every epoch
   */
  TrainingDisplay(PrintWriter out, boolean terminal, DoubleSupplier validation) {
    this.out = out;
    this.terminal = terminal;
    this.validation = validation;
  }

  /** Finds out whether a person is watching. */
  static boolean onTerminal() {
    Console console = System.console();
    return console != null && !"dumb".equals(System.getenv("TERM")) && isTerminal(console);
  }

  private static boolean isTerminal(Console console) {
    try {
      // From Java 22 on there is a console without a terminal too, and this method to tell.
      return (Boolean) Console.class.getMethod("isTerminal").invoke(console);
    } catch (ReflectiveOperationException olderJava) {
      return true;
    }
  }

  @Override
  public void accept(TrainingProgress progress) {
    long perEpoch = progress.totalTokens() / progress.epochs();
    if (first < 0) {
      first = (progress.epoch() - 1) * perEpoch;
      characters = first;
    }
    lossSum += progress.loss() * (progress.tokens() - characters);
    characters = progress.tokens();
    long done = characters - (progress.epoch() - 1) * perEpoch;
    showBar(progress, done, perEpoch);
    if (done == perEpoch) {
      endEpoch(progress, perEpoch);
    }
  }

  /** Tells whether there was something to train. */
  boolean hasTrained() {
    return first >= 0;
  }

  /** Returns the speed of the training so far, without the validation and with what checkpoints take. */
  double charactersPerSecond() {
    return (characters - first) * NANOS / trainingNanos;
  }

  private void showBar(TrainingProgress progress, long done, long perEpoch) {
    if (!terminal) {
      return;
    }
    if (bar == null) {
      bar = newBar(String.format(Locale.ROOT, "Epoch %d/%d", progress.epoch(), progress.epochs()), perEpoch);
    }
    double speed = done * NANOS / (System.nanoTime() - epochStart);
    bar.setExtraMessage(String.format(Locale.ROOT, " loss %.3f  %.0fk chars/s", lossSum / done, speed / 1e3));
    bar.stepTo(done);
  }

  private static ProgressBar newBar(String name, long perEpoch) {
    return new ProgressBarBuilder()
        .setTaskName(name)
        .setInitialMax(perEpoch)
        .setStyle(ProgressBarStyle.ASCII)
        .setUnit("k", 1000)
        .setUpdateIntervalMillis(200)
        .hideEta() // a line of 80 has no room for it
        // The consoles that the library brings leave an empty line behind.
        .setConsumer(new DelegatingProgressBarConsumer(line -> System.err.print("\r" + line), BAR_WIDTH))
        .build();
  }

  private void endEpoch(TrainingProgress progress, long perEpoch) {
    long nanos = System.nanoTime() - epochStart;
    trainingNanos += nanos;
    double validationLoss = validation.getAsDouble();
    close();
    int width = Integer.toString(progress.epochs()).length();
    out.printf(
        Locale.ROOT,
        "Epoch %" + width + "d/%d   loss %.3f   validation %.3f   %,.0f characters/s%n",
        progress.epoch(),
        progress.epochs(),
        lossSum / perEpoch,
        validationLoss,
        perEpoch * NANOS / nanos);
    out.flush();
    lossSum = 0;
    epochStart = System.nanoTime();
  }

  /** Takes the bar away. */
  @Override
  public void close() {
    if (bar != null) {
      bar.close();
      bar = null;
      System.err.print("\r" + " ".repeat(BAR_WIDTH) + "\r");
    }
  }
}
