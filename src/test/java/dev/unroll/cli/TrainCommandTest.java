package dev.unroll.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.unroll.Unroll;
import dev.unroll.model.CharLanguageModel;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import picocli.CommandLine;

/** The command line: what a run prints, and what wrong input gets for an answer. */
class TrainCommandTest {
  private static final String TEXT = "The jeep goes up the hill, the jeep goes down the hill.\n".repeat(8);
  private static final String[] TINY = {
    "--epochs=2", "--hidden=8", "--embedding=4", "--layers=1", "--streams=3", "--window=5", "--length=20"
  };

  @TempDir Path temp;

  @Test
  void runPrintsPlanEpochsTableAndPassage() throws IOException {
    Result result = train(write(TEXT), "--prime=The j");

    assertEquals("", result.err);
    assertEquals(0, result.exitCode);
    result.assertLine("Text      text.txt: 448 characters, 19 different ones");
    // Embedding 19 x 4, recurrence 8 x (4 + 8 + 2), output 19 x (8 + 1).
    result.assertLine("Model     RNN: embedding 4, hidden 8, layers 1: 359 parameters");
    result.assertLine("Epoch 1/2   loss [\\d.]+   validation [\\d.]+   [\\d,]+ characters/s");
    result.assertLine("Epoch 2/2   loss [\\d.]+   validation [\\d.]+   [\\d,]+ characters/s");
    result.assertLine("  uniform      2.944"); // ln 19
    for (int order = 1; order <= 5; order++) {
      result.assertLine("  " + order + "-gram       \\d\\.\\d{3}");
    }
    result.assertLine("  this model   \\d\\.\\d{3}");
    assertEquals(20, SplitText.characters(result.passage()));
    assertFalse(result.out.contains("\r"), "a bar without a terminal");
  }

  @Test
  void sameSeedGivesTheSameTextForAnyThreads() throws IOException {
    int before = Unroll.threads();
    try {
      Path text = write(TEXT);
      String one = train(text, "--seed=3", "--threads=1").passage();
      assertEquals(1, Unroll.threads());
      assertEquals(one, train(text, "--seed=3", "--threads=2").passage());
      assertFalse(one.equals(train(text, "--seed=4", "--threads=2").passage()));
    } finally {
      Unroll.threads(before);
    }
  }

  @Test
  void aRunGoesOnFromItsCheckpointAndSavesItsModel() throws IOException {
    Path text = write(TEXT);
    String checkpoint = "--checkpoint=" + temp.resolve("checkpoint");
    Path model = temp.resolve("model");
    Result whole = train(text, checkpoint, "--save=" + model);
    assertEquals("", whole.err);
    whole.assertLine("Epoch 2/2   loss [\\d.]+   validation [\\d.]+   [\\d,]+ characters/s");
    Result again = train(text, checkpoint);
    again.assertLine("The training of .*checkpoint had ended already");
    assertFalse(again.out.contains("Epoch"));
    assertEquals(whole.passage(), again.passage());
    try (CharLanguageModel saved = CharLanguageModel.load(model)) {
      assertEquals(19, saved.vocabulary().size());
    }
    Result other = train(text, checkpoint, "--epochs=3");
    assertEquals(2, other.exitCode);
    assertTrue(other.err.contains("options is TrainingOptions[epochs=2") && other.err.lines().count() == 1, other.err);
    train(text, "--save=" + temp).assertWrong("--save is " + temp + ": expected a file, not a folder");
    Path nowhere = temp.resolve("none").resolve("model");
    train(text, "--checkpoint=" + nowhere)
        .assertWrong("--checkpoint is " + nowhere + ": expected a file in a folder that exists and may be written");
  }

  @Test
  void lastTextWins() throws IOException {
    Path right = write(TEXT);
    Result result = execute("train", "--text", "none.txt", "--text", right.toString(), "--epochs=1", "--hidden=2");

    assertEquals("", result.err);
    assertEquals(0, result.exitCode);
  }

  @Test
  void missingFileIsNamed() {
    Path none = temp.resolve("none.txt");
    train(none).assertWrong("--text is " + none + ": expected a file that exists");
  }

  @Test
  void folderIsNoText() {
    train(temp).assertWrong("--text is " + temp + ": expected a file, not a folder");
  }

  @Test
  void malformedUtf8IsShownWithItsPlace() throws IOException {
    byte[] bytes = TEXT.getBytes(StandardCharsets.UTF_8);
    bytes[123] = (byte) 0xE9;
    Path file = Files.write(temp.resolve("latin1.txt"), bytes);

    train(file).assertWrong("--text is " + file + ": expected a text in UTF-8, but byte 123 is not UTF-8");
  }

  @Test
  void characterCutOffAtTheEndIsMalformed() throws IOException {
    byte[] bytes = (TEXT + "é").getBytes(StandardCharsets.UTF_8);
    Path file = Files.write(temp.resolve("cut.txt"), Arrays.copyOf(bytes, bytes.length - 1));

    train(file).assertWrong("--text is " + file + ": expected a text in UTF-8, but byte 448 is not UTF-8");
  }

  @Test
  void shortTextIsShownWithItsLength() throws IOException {
    Path file = write("x".repeat(39));
    train(file).assertWrong("--text is " + file + ": expected 40 characters or more, not 39");
    assertEquals(0, train(write("xy".repeat(20))).exitCode);
  }

  @Test
  void emptyTextIsTooShort() throws IOException {
    Path file = write("");
    train(file).assertWrong("--text is " + file + ": expected 40 characters or more, not 0");
  }

  @Test
  void charactersAreCodePointsAndTheByteOrderMarkIsNone() throws IOException {
    Result result = train(write("\uFEFF" + "\uD83D\uDE00é".repeat(30)));

    assertEquals("", result.err);
    result.assertLine("Text      text.txt: 60 characters, 2 different ones");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "--epochs|0|1 or more",
        "--hidden|-1|1 or more",
        "--layers|-2|1 or more",
        "--embedding|0|1 or more",
        "--streams|-32|1 or more",
        "--window|0|1 or more",
        "--learning-rate|-0.1|a number from 1e-30 to 1e30",
        "--learning-rate|NaN|a number from 1e-30 to 1e30",
        "--clip-norm|0.0|a number from 1e-30 to 1e30",
        "--threads|0|1 to 1024",
        "--threads|1025|1 to 1024",
        "--length|-1|0 or more",
        "--clip-norm|1.0E-40|a number from 1e-30 to 1e30",
        "--temperature|1.0E-39|0 or a number from 1e-30 to 1e30",
        "--temperature|-0.5|0 or a number from 1e-30 to 1e30",
        "--temperature|Infinity|0 or a number from 1e-30 to 1e30"
      })
  void numberOutOfRangeIsRefused(String option, String value, String expected) throws IOException {
    train(write(TEXT), option, value).assertWrong(option + " is " + value + ": expected " + expected);
  }

  @Test
  void valueThatIsNoNumberIsRefused() throws IOException {
    train(write(TEXT), "--epochs", "many").assertWrong("Invalid value for option '--epochs': 'many' is not an int");
  }

  @Test
  void primeOutsideTheVocabularyIsRefused() throws IOException {
    train(write(TEXT), "--prime", "jeeps?")
        .assertWrong(
            "--prime is \"jeeps?\": expected characters of the text; "
                + "character 5 of text is '?' (U+003F): expected one of the vocabulary's 19");
    train(write(TEXT), "--prime", "").assertWrong("--prime is empty: expected 1 character or more");
  }

  @Test
  void missingTextIsNamed() {
    execute("train").assertWrong("Missing required option: '--text=FILE'");
  }

  @Test
  void missingCommandIsNamed() {
    execute().assertWrong("Missing required subcommand");
  }

  @Test
  void helpAndVersionNameWhatThereIs() {
    Result help = execute("train", "--help");
    assertEquals(0, help.exitCode);
    assertTrue(help.out.contains("--learning-rate"), help.out);

    Result version = execute("--version");
    assertEquals(0, version.exitCode);
    assertTrue(version.out.contains(Unroll.instructionSet()), version.out);
  }

  private Path write(String text) throws IOException {
    return Files.writeString(temp.resolve("text.txt"), text);
  }

  private static Result train(Path text, String... more) {
    List<String> args = new ArrayList<>(List.of("train", "--text", text.toString()));
    args.addAll(List.of(TINY));
    args.addAll(List.of(more));
    return execute(args.toArray(String[]::new));
  }

  private static Result execute(String... args) {
    StringWriter out = new StringWriter();
    StringWriter err = new StringWriter();
    CommandLine command = Main.commandLine().setOut(new PrintWriter(out)).setErr(new PrintWriter(err));
    int exitCode = Main.execute(command, args);
    return new Result(exitCode, out.toString(), err.toString());
  }

  /** What a run left behind. */
  private record Result(int exitCode, String out, String err) {
    /** Requires a line of the output that matches a pattern, whose brackets and dots are taken as such if escaped. */
    void assertLine(String pattern) {
      assertTrue(out.lines().anyMatch(line -> line.matches(pattern)), () -> "no line " + pattern + " in\n" + out);
    }

    /** Requires exit code 2, no output, and one line that starts with a message. */
    void assertWrong(String message) {
      assertEquals(2, exitCode, err);
      assertEquals("", out);
      assertEquals(1, err.lines().count(), err);
      assertEquals("unroll: " + message + " (see --help)", err.strip());
    }

    String passage() {
      String end = out.substring(out.indexOf("---\n") + 4);
      return end.substring(0, end.length() - 1);
    }
  }
}
