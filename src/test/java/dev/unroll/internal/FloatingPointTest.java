package dev.unroll.internal;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.unroll.Unroll;
import dev.unroll.layer.Activation;
import dev.unroll.layer.Embedding;
import dev.unroll.layer.Linear;
import dev.unroll.layer.Parameter;
import dev.unroll.layer.RecurrentGradients;
import dev.unroll.layer.RecurrentOutput;
import dev.unroll.layer.Rnn;
import dev.unroll.layer.Softmax;
import dev.unroll.sequence.PackedSequence;
import dev.unroll.sequence.PackedTokens;
import dev.unroll.train.Adam;
import dev.unroll.train.CrossEntropy;
import dev.unroll.train.Divisor;
import dev.unroll.train.LossGradient;
import dev.unroll.train.Optimizer;
import dev.unroll.train.Sgd;
import dev.unroll.train.SquaredError;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;

/** Kernels flush denormals; the caller's thread must not notice. */
class FloatingPointTest {
  /** The exception flags of x86 stick, and Java's own arithmetic sets them. */
  private static final long FLAGS = 0x3f;

  private final Rnn rnn = Rnn.builder(3, 4).layers(2).bidirectional(true).build();
  private final Linear linear = new Linear(8, 5, 1);
  private final Embedding embedding = new Embedding(5, 3, 2);
  private final PackedTokens tokens = PackedTokens.of(new int[][] {{0, 4, 2}, {}, {1}}, 5);
  private final int threads = Unroll.threads();
  private volatile float smallest = Float.MIN_VALUE;
  private long before;

  @BeforeEach
  void remember() {
    before = control();
    assertDenormalsAreKept();
  }

  @AfterEach
  void close() {
    Unroll.threads(threads);
    rnn.close();
    linear.close();
    embedding.close();
    tokens.close();
  }

  @Test
  void trainingStepsLeaveTheControlRegisterAsItWas() {
    for (int width : new int[] {1, 2, 3}) {
      Unroll.threads(width);
      assertUnchanged("threads");
      List<Parameter> parameters = rnn.parameters();
      try (Optimizer adam = Adam.builder(parameters).clipNorm(1).build();
          Optimizer sgd = Sgd.builder(linear.parameters()).momentum(0.9).build()) {
        trainingStep();
        adam.step();
        assertUnchanged("Adam");
        sgd.step();
        assertUnchanged("Sgd");
      }
    }
  }

  private void trainingStep() {
    CrossEntropy loss = new CrossEntropy(Divisor.MEAN_OVER_STEPS);
    try (PackedSequence x = embedding.forward(tokens)) {
      assertUnchanged("embedding forward");
      try (RecurrentOutput h = rnn.forward(x)) {
        assertUnchanged("recurrent forward");
        try (PackedSequence scores = linear.forward(h.outputs());
            LossGradient gradient = loss.gradient(scores, tokens);
            PackedSequence dH = linear.backward(h.outputs(), gradient.gradient())) {
          assertUnchanged("linear and loss");
          try (RecurrentGradients dX = rnn.backward(h, dH, null)) {
            assertUnchanged("recurrent backward");
            embedding.backward(tokens, dX.input());
            assertUnchanged("embedding backward");
          }
        }
      }
    }
  }

  @Test
  void softmaxAndPackingLeaveTheControlRegisterAsItWas() {
    Softmax softmax = new Softmax();
    try (PackedSequence scores = PackedSequence.of(new float[][][] {{{1, Float.MIN_VALUE, Float.NaN}}}, 3);
        PackedSequence p = softmax.forward(scores);
        PackedSequence logP = softmax.logForward(scores);
        PackedSequence d = softmax.backward(p, logP)) {
      assertUnchanged("softmax");
      d.toArrays();
      assertUnchanged("unpacking");
    }
  }

  @Test
  void everyOtherNativeClassLeavesTheControlRegisterAsItWas() {
    SquaredError loss = new SquaredError(Divisor.SUM_OVER_STEPS);
    try (PackedSequence x = PackedSequence.of(new float[][][] {{{1, Float.MIN_VALUE, Float.NaN}}}, 3)) {
      for (Activation kind : Activation.values()) {
        try (PackedSequence y = kind.forward(x);
            PackedSequence dX = kind.backward(y, x)) {
          assertUnchanged("activation " + kind);
          loss.gradient(y, dX).close();
          assertUnchanged("squared error");
        }
      }
    }
    new Linear(200, 200, 1).close();
    assertUnchanged("initial weights");
    Parameter weight = linear.parameters().get(0);
    weight.set(weight.values());
    weight.zeroGradient();
    assertUnchanged("memory");
    Unroll.threads(Unroll.threads() + 1);
    Unroll.supportedInstructionSets();
    Unroll.instructionSet();
    assertUnchanged("the runtime");
  }

  @Test
  void refusedCallsLeaveTheControlRegisterAsItWas() {
    Rnn closed = Rnn.builder(3, 4).build();
    closed.close();
    try (PackedSequence x = embedding.forward(tokens);
        RecurrentOutput h = rnn.forward(x)) {
      List<Executable> calls =
          List.of(
              () -> rnn.forward(null),
              () -> closed.forward(x),
              () -> rnn.forward(h.outputs()),
              () -> rnn.backward(h, x, null),
              () -> closed.backward(h, null, null),
              () -> embedding.backward(tokens, h.outputs()),
              () -> linear.backward(h.outputs(), x),
              () -> Memory.zeroed(Long.MAX_VALUE / 2, "Owner"),
              () -> Sgd.builder(closed.parameters()).build().step());
      for (Executable call : calls) {
        assertThrows(Throwable.class, call);
        assertUnchanged("a refused call");
      }
    }
  }

  /** A C++ exception, for once a real one: the address space has no room for the stacks of so many threads. */
  @Test
  void exceptionsInNativeCodeLeaveTheControlRegisterAsItWas() throws Exception {
    Path java = Path.of(System.getProperty("java.home"), "bin", "java");
    Process process =
        new ProcessBuilder(
                "/bin/sh",
                "-c",
                "ulimit -v 2000000 && exec \"$0\" \"$@\"",
                java.toString(),
                "-Xint", // no compiler that would need memory meanwhile
                "-Xmx32m",
                "-XX:+UseSerialGC",
                "-XX:CompressedClassSpaceSize=16m",
                "-XX:ReservedCodeCacheSize=16m",
                "-classpath",
                System.getProperty("java.class.path"),
                Child.class.getName())
            .redirectErrorStream(true)
            .start();
    List<String> said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8).lines().toList();
    assertEquals(0, process.waitFor(), said::toString);
    assertEquals("refused, unchanged", said.get(said.size() - 1)); // JDKs from 24 on warn of native access before
  }

  /** Asks for more threads than there is room for and says what came of it. */
  public static final class Child {
    private Child() {}

    /** Takes no arguments. */
    public static void main(String[] arguments) {
      long before = control();
      String outcome = "not refused";
      try {
        Unroll.threads(1024);
      } catch (IllegalStateException e) {
        outcome = "refused";
      }
      System.out.println(outcome + (control() == before ? ", unchanged" : ", changed"));
    }
  }

  private void assertUnchanged(String after) {
    assertEquals(before, control(), "control register after " + after);
    assertDenormalsAreKept();
  }

  private void assertDenormalsAreKept() {
    assertEquals(2, Float.floatToRawIntBits(smallest * 2));
    assertEquals(1, Float.floatToRawIntBits(smallest * 0.75f));
  }

  private static long control() {
    NativeRuntime.start();
    return RuntimeNative.floatingPointControl() & ~FLAGS;
  }
}
