package dev.unroll;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.unroll.examples.EncoderDecoder;
import dev.unroll.examples.ManyToManyInStep;
import dev.unroll.examples.ManyToOne;
import dev.unroll.examples.MixedInputs;
import dev.unroll.examples.OneToMany;
import dev.unroll.examples.OneToOne;
import dev.unroll.examples.SimpleRnn;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** Every example learns its task, and is short. */
class ExamplesTest {
  private static String run(Runnable example) {
    PrintStream console = System.out;
    ByteArrayOutputStream printed = new ByteArrayOutputStream();
    try {
      System.setOut(new PrintStream(printed, true, StandardCharsets.UTF_8));
      example.run();
    } finally {
      System.setOut(console);
    }
    return printed.toString(StandardCharsets.UTF_8).trim();
  }

  private static double loss(Runnable example) {
    String printed = run(example);
    assertTrue(printed.startsWith("loss "), printed);
    return Double.parseDouble(printed.substring(5));
  }

  private static final String[] NO_ARGUMENTS = {};

  @Test
  void oneToOneGivesOneOutputForEveryInput() {
    assertEquals(3, run(() -> OneToOne.main(NO_ARGUMENTS)).lines().mapToDouble(Double::parseDouble).count());
  }

  @Test
  void oneToManySpellsJeep() {
    assertEquals("jeep", run(() -> OneToMany.main(NO_ARGUMENTS)));
  }

  @Test
  void manyToOneLearnsParity() {
    double loss = loss(() -> ManyToOne.main(NO_ARGUMENTS));
    assertTrue(loss < 0.1, "loss " + loss + ", chance is 0.69");
  }

  @Test
  void manyToManyInStepLearnsToLookAhead() {
    double loss = loss(() -> ManyToManyInStep.main(NO_ARGUMENTS));
    assertTrue(loss < 0.1, "loss " + loss + ", chance is 0.69");
  }

  @Test
  void mixedInputsLearnWhoMeasuredWhat() {
    double loss = loss(() -> MixedInputs.main(NO_ARGUMENTS));
    assertTrue(loss < 0.25, "loss " + loss + ", chance is 0.69");
  }

  @Test
  void encoderDecoderWritesBackwards() {
    double loss = loss(() -> EncoderDecoder.main(NO_ARGUMENTS));
    assertTrue(loss < 0.2, "loss " + loss + ", chance is 1.79");
  }

  @Test
  void simpleRnnForecastsASine() {
    double loss = loss(() -> SimpleRnn.main(NO_ARGUMENTS));
    assertTrue(loss < 0.001, "loss " + loss + ", the sine's variance is 0.5");
  }

  @Test
  void examplesAreAtMost40LinesAfterTheImports() throws IOException {
    try (Stream<Path> files = Files.list(Path.of("src/examples/java/dev/unroll/examples"))) {
      for (Path file : files.toList()) {
        List<String> lines = Files.readAllLines(file);
        long code = lines.stream().filter(line -> !line.isBlank() && !line.matches("(import|package) .*")).count();
        assertTrue(code <= 40, file + " has " + code + " lines");
      }
    }
  }
}
