package dev.unroll.internal;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.unroll.Unroll;
import dev.unroll.Workspace;
import dev.unroll.io.Weights;
import dev.unroll.layer.Activation;
import dev.unroll.layer.Gru;
import dev.unroll.layer.Lstm;
import dev.unroll.layer.LstmCell;
import dev.unroll.layer.RecurrentGradients;
import dev.unroll.layer.RecurrentOutput;
import dev.unroll.layer.Softmax;
import dev.unroll.layer.State;
import dev.unroll.model.LanguageModel;
import dev.unroll.model.LanguageModelSession;
import dev.unroll.model.TrainingOptions;
import dev.unroll.sequence.PackedSequence;
import dev.unroll.train.Divisor;
import dev.unroll.train.LossGradient;
import dev.unroll.train.Optimizer;
import dev.unroll.train.Sgd;
import dev.unroll.train.SquaredError;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The JVM checks every use of JNI and finds nothing to say. */
class CheckJniTest {
  @TempDir Path temp;

  @Test
  void checkedJniIsSilent() throws Exception {
    Process process =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-Xcheck:jni",
                "-classpath",
                System.getProperty("java.class.path"),
                Child.class.getName(),
                temp.resolve("weights.safetensors").toString())
            .redirectErrorStream(true)
            .start();
    String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    // What JDKs from 24 on say of every library that is loaded without --enable-native-access.
    String restricted = "|WARNING: .*([Rr]estricted|System::load|native-access).*";
    List<String> said = output.lines().filter(line -> !line.matches(restricted)).toList();
    assertEquals(List.of("done"), said);
    assertEquals(0, process.waitFor());
  }

  /** Calls every native class: memory, packing, layers forward and backward, losses, optimisers, models, files. */
  public static final class Child {
    private Child() {}

    /** Takes the path of a file that is not there yet. */
    public static void main(String[] arguments) throws Exception {
      Unroll.threads(3);
      layers();
      refused();
      languageModel(Path.of(arguments[0]));
      System.out.println("done");
    }

    private static void layers() {
      float[][][] x = {{{1, 2}, {3, 4}, {5, 6}}, {}, {{7, 8}}};
      SquaredError loss = new SquaredError(Divisor.MEAN_OVER_STEPS);
      try (Workspace workspace = new Workspace();
          Gru gru = Gru.builder(2, 3).layers(2).bidirectional(true).dropout(0.2).build();
          Lstm lstm = Lstm.builder(6, 4).projectionSize(2).peepholes(true).build();
          Optimizer sgd = Sgd.builder(lstm.parameters()).momentum(0.9).clipNorm(1).build();
          PackedSequence input = PackedSequence.of(workspace, x, 2);
          RecurrentOutput below = gru.forwardTraining(input, null, 1);
          RecurrentOutput output = lstm.forward(below.outputs());
          PackedSequence y = Activation.SIGMOID.forward(output.outputs());
          LossGradient error = loss.gradient(y, input);
          PackedSequence dOutput = Activation.SIGMOID.backward(y, error.gradient());
          RecurrentGradients gradients = lstm.backward(output, dOutput, null);
          RecurrentGradients all = gru.backward(below, gradients.input(), null);
          PackedSequence p = new Softmax().forward(y);
          PackedSequence logP = new Softmax().logForward(y);
          PackedSequence dP = new Softmax().backward(p, logP);
          State state = new LstmCell(lstm).step(new float[][] {{1, 2, 3, 4, 5, 6}}, null)) {
        sgd.step();
        require(Arrays.deepEquals(x, input.toArrays()) && all.input().features() == 2 && dP.features() == 2);
        require(state.hidden().length == 1);
      }
    }

    private static void refused() {
      try {
        Memory.zeroed(Long.MAX_VALUE / 2, "Child").close();
        require(false);
      } catch (OutOfMemoryError expected) {
        require(expected.getMessage() != null);
      }
    }

    private static void languageModel(Path file) throws Exception {
      int[] text = new int[300];
      Arrays.setAll(text, i -> i * i % 5);
      try (LanguageModel model = LanguageModel.builder(5).embeddingSize(4).hiddenSize(6).layers(2).build();
          LanguageModelSession session = model.session()) {
        model.train(text, TrainingOptions.DEFAULT.withEpochs(1).withBatch(2, 16), null);
        require(session.next(3).length == 5 && model.generate(new int[] {1}, 9, 1, 2).length == 9);
        Weights.save(file, model.parameters());
        Weights.load(file, model.parameters());
      }
    }

    private static void require(boolean condition) {
      if (!condition) {
        throw new AssertionError();
      }
    }
  }
}
