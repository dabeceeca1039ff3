package dev.unroll.cli;

import dev.unroll.Unroll;
import dev.unroll.cli.SplitText.NotUtf8Exception;
import dev.unroll.model.CharLanguageModel;
import dev.unroll.model.CharVocabulary;
import dev.unroll.model.LanguageModel;
import dev.unroll.model.TrainingOptions;
import java.io.IOException;
import java.io.PrintWriter;
import java.math.BigDecimal;
import java.math.MathContext;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Locale;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Help.Visibility;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** Trains a language model on the characters of a text, compares it with n-grams, and lets it write. */
@Command(
    name = "train",
    description = {
      "Trains a recurrent language model on the characters of a text, compares it with n-grams, and lets it write.",
      "It learns from the first 90 %% of the text; the next 5 %% are for the loss after each epoch, the last 5 %% for "
          + "the comparison."
    },
    mixinStandardHelpOptions = true,
    showDefaultValues = true,
    sortOptions = false)
final class TrainCommand implements Callable<Integer> {
  private static final int HIGHEST_ORDER = 5;
  private static final String RANGE = "a number from 1e-30 to 1e30";
  private static final int PRIME_LENGTH = 80;
  private static final double FINAL_RATE_SHARE =
      TrainingOptions.DEFAULT.finalLearningRate() / TrainingOptions.DEFAULT.learningRate();

  @Option(names = "--text", required = true, paramLabel = "FILE", description = "Text to learn from, in UTF-8.")
  private Path file;

  @Option(names = "--epochs", paramLabel = "N", description = "Passes over the text.")
  private int epochs = TrainingOptions.DEFAULT.epochs();

  @Option(
      names = "--cell",
      paramLabel = "KIND",
      description = "Kind of the recurrent layers: ${COMPLETION-CANDIDATES}.")
  private LanguageModel.Cell cell = LanguageModel.Cell.RNN;

  @Option(names = "--dropout", paramLabel = "P", description = "Probability to drop an output between layers.")
  private double dropout = 0;

  @Option(names = "--hidden", paramLabel = "N", description = "Hidden units of a layer.")
  private int hidden = 256;

  @Option(names = "--layers", paramLabel = "N", description = "Recurrent layers.")
  private int layers = 2;

  @Option(names = "--embedding", paramLabel = "N", description = "Features of a character.")
  private int embedding = 64;

  @Option(names = "--streams", paramLabel = "N", description = "Parts of the text that are read side by side.")
  private int streams = TrainingOptions.DEFAULT.streams();

  @Option(names = "--window", paramLabel = "N", description = "Characters that gradients go back.")
  private int window = TrainingOptions.DEFAULT.window();

  @Option(
      names = "--learning-rate",
      paramLabel = "X",
      description = "Learning rate of the first step; it falls along a cosine to a twentieth of that.")
  private double learningRate = TrainingOptions.DEFAULT.learningRate();

  @Option(names = "--clip-norm", paramLabel = "X", description = "Limit of the norm of all gradients together.")
  private double clipNorm = TrainingOptions.DEFAULT.clipNorm();

  @Option(names = "--seed", paramLabel = "N", description = "Of the initial weights, what dropout drops and the passage.")
  private long seed;

  @Option(
      names = "--threads",
      paramLabel = "N",
      description = "Threads, 1 to 1024. No result depends on it.",
      showDefaultValue = Visibility.NEVER)
  private Integer threads;

  @Option(
      names = "--prime",
      paramLabel = "TEXT",
      description = "What the passage goes on from. Default: the first characters of the last 5 %% of the text.",
      showDefaultValue = Visibility.NEVER)
  private String prime;

  @Option(names = "--length", paramLabel = "N", description = "Characters of the passage.")
  private int length = 500;

  @Option(
      names = "--temperature",
      paramLabel = "X",
      description = "Divides the scores before a character is drawn; 0 always takes the most probable one.")
  private double temperature = 0.7;

  @Option(
      names = "--checkpoint",
      paramLabel = "FILE",
      description = "Is written after every epoch; where it exists, the training goes on from it.",
      showDefaultValue = Visibility.NEVER)
  private Path checkpoint;

  @Option(
      names = "--save",
      paramLabel = "FILE",
      description = "Receives the trained model, for CharLanguageModel.load.",
      showDefaultValue = Visibility.NEVER)
  private Path save;

  @Spec private CommandSpec spec;

  private PrintWriter out;

  /**
   * Runs the command.
   *
   * @return 0
   */
  @Override
  public Integer call() {
    out = spec.commandLine().getOut();
    checkNumbers();
    checkWritable("--checkpoint", checkpoint);
    checkWritable("--save", save);
    checkOther("--checkpoint", checkpoint, "--text", file);
    checkOther("--save", save, "--text", file);
    checkOther("--save", save, "--checkpoint", checkpoint);
    SplitText text = readText();
    CharVocabulary vocabulary = CharVocabulary.of(text.whole());
    String start = prime(text, vocabulary);
    if (threads != null) {
      Unroll.threads(threads);
    }
    try (CharLanguageModel model = new CharLanguageModel(vocabulary, newModel(vocabulary.size()))) {
      describe(text, model.model());
      train(model, text);
      save(model);
      compare(model, text);
      write(model, start);
    }
    return 0;
  }

  private void checkNumbers() {
    checkPositive("--epochs", epochs);
    checkPositive("--hidden", hidden);
    checkPositive("--layers", layers);
    checkPositive("--embedding", embedding);
    checkPositive("--streams", streams);
    checkPositive("--window", window);
    checkPositive("--learning-rate", learningRate);
    checkPositive("--clip-norm", clipNorm);
    check(threads == null || threads >= 1 && threads <= 1024, "--threads", threads, "1 to 1024");
    check(dropout >= 0 && dropout < 1, "--dropout", dropout, "at least 0 and below 1");
    check(length >= 0, "--length", length, "0 or more");
    check(temperature == 0 || inRange(temperature), "--temperature", temperature, "0 or " + RANGE);
  }

  /** Before hours of training. */
  private void checkWritable(String option, Path path) {
    if (path == null) {
      return;
    }
    check(!Files.isDirectory(path), option, path, "a file, not a folder");
    Path folder = path.toAbsolutePath().getParent();
    check(Files.isWritable(folder), option, path, "a file in a folder that exists and may be written");
  }

  /** Nothing that a user has is written over. */
  private void checkOther(String option, Path path, String otherOption, Path other) {
    boolean same;
    try {
      same = path != null && other != null && (place(path).equals(place(other)) || Files.isSameFile(path, other));
    } catch (IOException e) {
      same = false; // one of them does not exist
    }
    check(!same, option, path, "another file than " + otherOption);
  }

  private static Path place(Path path) {
    return path.toAbsolutePath().normalize();
  }

  private void checkPositive(String option, int value) {
    check(value >= 1, option, value, "1 or more");
  }

  private void checkPositive(String option, double value) {
    check(inRange(value), option, value, RANGE);
  }

  /** What is made of such a number, as the last rate is of the first, is one that floats have too. */
  private static boolean inRange(double value) {
    return value >= 1e-30 && value <= 1e30;
  }

  private void check(boolean condition, String option, Object value, String expected) {
    if (!condition) {
      throw wrong(option, value, expected);
    }
  }

  private ParameterException wrong(String option, Object value, String expected) {
    return new ParameterException(spec.commandLine(), option + " is " + value + ": expected " + expected);
  }

  private SplitText readText() {
    check(!Files.isDirectory(file), "--text", file, "a file, not a folder");
    try {
      String whole = SplitText.read(file);
      String expected = SplitText.MIN_CHARACTERS + " characters or more, not " + SplitText.characters(whole);
      check(SplitText.characters(whole) >= SplitText.MIN_CHARACTERS, "--text", file, expected);
      return SplitText.of(whole);
    } catch (NotUtf8Exception e) {
      throw wrong("--text", file, "a text in UTF-8, but " + e.getMessage());
    } catch (NoSuchFileException e) {
      throw wrong("--text", file, "a file that exists");
    } catch (AccessDeniedException e) {
      throw wrong("--text", file, "a file that may be read");
    } catch (IOException e) {
      throw wrong("--text", file, "a readable file, but: " + e.getMessage());
    } catch (OutOfMemoryError e) {
      throw wrong("--text", file, "a text that fits into the memory of Java (see -Xmx)");
    }
  }

  private String prime(SplitText text, CharVocabulary vocabulary) {
    if (prime == null) {
      return text.testStart(PRIME_LENGTH);
    }
    check(!prime.isEmpty(), "--prime", "empty", "1 character or more");
    try {
      vocabulary.encode(prime);
    } catch (IllegalArgumentException e) {
      throw wrong("--prime", "\"" + prime + "\"", "characters of the text; " + e.getMessage());
    }
    return prime;
  }

  private LanguageModel newModel(int vocabulary) {
    return LanguageModel.builder(vocabulary)
        .cell(cell)
        .dropout(dropout)
        .embeddingSize(embedding)
        .hiddenSize(hidden)
        .layers(layers)
        .seed(seed)
        .build();
  }

  private void describe(SplitText text, LanguageModel model) {
    print(
        "Text      %s: %,d characters, %,d different ones",
        file.getFileName(), SplitText.characters(text.whole()), model.vocabulary());
    print(
        "Model     %s: embedding %d, hidden %d, layers %d: %,d parameters",
        cell, embedding, hidden, layers, model.parameterCount());
    print(
        "Training  %d epochs, %d streams, windows of %d, learning rate %s falling to %s",
        epochs, streams, window, rate(learningRate), rate(finalLearningRate()));
    print("Machine   %d threads, instruction set %s%n", Unroll.threads(), Unroll.instructionSet());
  }

  private static String rate(double rate) {
    return new BigDecimal(rate).round(new MathContext(2)).stripTrailingZeros().toPlainString();
  }

  private double finalLearningRate() {
    return learningRate * FINAL_RATE_SHARE;
  }

  private void train(CharLanguageModel model, SplitText text) {
    TrainingOptions options =
        new TrainingOptions(epochs, streams, window, learningRate, finalLearningRate(), clipNorm);
    boolean terminal = TrainingDisplay.onTerminal();
    long start = System.nanoTime();
    try (var display = new TrainingDisplay(out, terminal, () -> model.evaluate(text.validation()))) {
      train(model, text.train(), options, display);
      double seconds = (System.nanoTime() - start) / 1e9;
      if (display.hasTrained()) {
        print("Trained in %,.0f s, at %,.0f characters/s%n", seconds, display.charactersPerSecond());
      } else {
        print("The training of %s had ended already%n", checkpoint);
      }
    }
  }

  private void train(CharLanguageModel model, String text, TrainingOptions options, TrainingDisplay display) {
    if (checkpoint == null) {
      model.train(text, options, display);
      return;
    }
    try {
      model.train(text, options, checkpoint, display);
    } catch (IOException e) {
      throw wrong("--checkpoint", checkpoint, "a file of this training, or a new one, but: " + e.getMessage());
    }
  }

  private void save(CharLanguageModel model) {
    if (save == null) {
      return;
    }
    try {
      model.save(save);
    } catch (IOException e) {
      throw wrong("--save", save, "a file that can be written, but: " + e.getMessage());
    }
  }

  private void compare(CharLanguageModel model, SplitText text) {
    CharVocabulary vocabulary = model.vocabulary();
    NGram counts = new NGram(vocabulary.encode(text.train()), vocabulary.size(), HIGHEST_ORDER);
    int[] test = vocabulary.encode(text.test());
    print("Loss on the last 5 %% of the text, in nats per character; n-grams with Witten-Bell smoothing:");
    printLoss("uniform", Math.log(vocabulary.size()));
    for (int order = 1; order <= HIGHEST_ORDER; order++) {
      printLoss(order + "-gram", counts.loss(test, order));
    }
    printLoss("this model", model.evaluate(text.test()));
  }

  private void printLoss(String name, double loss) {
    print("  %-12s %.3f", name, loss);
  }

  private void write(CharLanguageModel model, String start) {
    print("%nPassage of %d characters at temperature %s, after:", length, temperature);
    print("%s%n---%n%s", start, model.generate(start, length, temperature, seed));
  }

  private void print(String format, Object... values) {
    out.printf(Locale.ROOT, format + "%n", values);
    out.flush();
  }
}
