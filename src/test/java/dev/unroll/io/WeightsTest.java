package dev.unroll.io;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.unroll.Expect;
import dev.unroll.layer.Embedding;
import dev.unroll.layer.Gru;
import dev.unroll.layer.Layer;
import dev.unroll.layer.Linear;
import dev.unroll.layer.Lstm;
import dev.unroll.layer.Parameter;
import dev.unroll.layer.Rnn;
import dev.unroll.model.LanguageModel;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.LongFunction;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

class WeightsTest {
  @TempDir Path folder;

  private Path path() {
    return folder.resolve("model.safetensors");
  }

  private static Map<String, Parameter> named(Layer layer) {
    return Weights.named("", layer.parameters());
  }

  private static float[][] values(Map<String, Parameter> parameters) {
    return parameters.values().stream().map(Parameter::values).toArray(float[][]::new);
  }

  static Stream<Arguments> layers() {
    return Stream.of(
        layer("Rnn", seed -> Rnn.builder(3, 4).layers(2).seed(seed).build()),
        layer("Lstm", seed -> Lstm.builder(3, 4).bidirectional(true).seed(seed).build()),
        layer("Lstm of all options", seed -> Lstm.builder(3, 4).projectionSize(2).peepholes(true).seed(seed).build()),
        layer("Gru", seed -> Gru.builder(3, 4).bias(false).seed(seed).build()),
        layer("Linear", seed -> new Linear(3, 4, seed)),
        layer("Embedding", seed -> new Embedding(3, 4, seed)));
  }

  private static Arguments layer(String name, LongFunction<Layer> maker) {
    return Arguments.of(name, maker);
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("layers")
  void whatWasSavedIsLoadedToTheBit(String name, LongFunction<Layer> maker) throws IOException {
    try (Layer saved = maker.apply(1);
        Layer loaded = maker.apply(2)) {
      saved.parameters().get(0).set(special(saved.parameters().get(0).size()));
      Weights.save(path(), named(saved));
      Weights.load(path(), named(loaded));
      Expect.sameBits(values(named(saved)), values(named(loaded)));
    }
  }

  private static float[] special(int size) {
    float[] some = {-0.0f, Float.MIN_VALUE, -1e-40f, Float.POSITIVE_INFINITY, Float.NEGATIVE_INFINITY, Float.NaN};
    float[] values = Arrays.copyOf(some, size);
    Arrays.fill(values, some.length, size, Float.MAX_VALUE);
    return values;
  }

  @Test
  void aModuleOfPyTorchIsLoadedByName() throws IOException {
    Map<String, Tensor> state = new LinkedHashMap<>();
    state.put("embedding.weight", counting(0, 5, 2));
    state.put("lstm.weight_ih_l0", counting(100, 12, 2));
    state.put("lstm.weight_hh_l0", counting(200, 12, 3));
    state.put("lstm.bias_ih_l0", counting(300, 12));
    state.put("lstm.bias_hh_l0", counting(400, 12));
    state.put("fc.weight", counting(500, 5, 3));
    state.put("fc.bias", counting(600, 5));
    SafeTensors.write(path(), state, Map.of("format", "pt"));
    try (Embedding embedding = new Embedding(5, 2, 1);
        Lstm lstm = Lstm.builder(2, 3).build();
        Linear linear = new Linear(3, 5, 1)) {
      Map<String, Parameter> parameters = new LinkedHashMap<>();
      parameters.putAll(Weights.named("embedding.", embedding.parameters()));
      parameters.putAll(Weights.named("lstm.", lstm.parameters()));
      parameters.putAll(Weights.named("fc.", linear.parameters()));
      Weights.load(path(), parameters);
      assertEquals(state.keySet(), parameters.keySet());
      state.forEach((name, tensor) -> assertArrayEquals(tensor.values(), parameters.get(name).values(), name));
    }
  }

  private static Tensor counting(int first, long... shape) {
    float[] values = new float[(int) Shape.size(shape)];
    for (int i = 0; i < values.length; i++) {
      values[i] = first + i;
    }
    return Tensor.of(values, shape);
  }

  @Test
  void aPartOfALargerModelIsLoadedByItsPrefix() throws IOException {
    try (Gru encoder = Gru.builder(2, 3).seed(1).build();
        Gru decoder = Gru.builder(2, 3).seed(2).build();
        Gru loaded = Gru.builder(2, 3).seed(3).build()) {
      Map<String, Parameter> all = new LinkedHashMap<>(Weights.named("encoder.", encoder.parameters()));
      all.putAll(Weights.named("decoder.", decoder.parameters()));
      Weights.save(path(), all);
      Weights.load(path(), "decoder.", named(loaded));
      Expect.sameBits(values(named(decoder)), values(named(loaded)));
      refusedUnchanged(
          loaded, "coder.", "missing: [\"coder.weight_ih_l0\", ", "\"coder.bias_hh_l0\"]");
    }
  }

  @Test
  void aLanguageModelAndItsSizesComeBackFromOneFile() throws IOException {
    Map<String, String> sizes = Map.of("vocabulary", "7", "hidden", "5");
    try (LanguageModel saved = LanguageModel.builder(7).hiddenSize(5).seed(1).build()) {
      Weights.save(path(), saved.parameters(), sizes);
      try (SafeTensors file = SafeTensors.open(path());
          LanguageModel loaded = LanguageModel.builder(7).hiddenSize(5).seed(2).build()) {
        assertEquals(sizes, file.metadata());
        Weights.load(file, "", loaded.parameters());
        Expect.sameBits(values(saved.parameters()), values(loaded.parameters()));
        assertEquals(saved.evaluate(new int[] {1, 2, 3, 6}), loaded.evaluate(new int[] {1, 2, 3, 6}));
      }
    }
  }

  @Test
  void missingExtraMisshapenAndWrongTypesAreNamedTogetherAndNothingChanges() throws IOException {
    String header =
        "{"
            + RawFile.tensor("weight_ih_l0", "F32", "[3,2]", "[0,24]") + ","
            + RawFile.tensor("weight_hh_l0", "F32", "[9]", "[24,60]") + ","
            + RawFile.tensor("bias_ih_l0", "I32", "[3]", "[60,72]") + ","
            + RawFile.tensor("bias", "F32", "[3]", "[72,84]") + ","
            + RawFile.tensor("weight_ih_l1", "F32", "[0]", "[84,84]")
            + "}";
    RawFile.write(folder, header, 84);
    Files.move(folder.resolve("raw.safetensors"), path());
    try (Rnn layer = Rnn.builder(2, 3).build()) {
      refusedUnchanged(
          layer,
          "",
          path() + ": missing: [\"bias_hh_l0\"], extra: [\"bias\", \"weight_ih_l1\"], "
              + "shapes: [\"weight_hh_l0\" expected [3, 3] found [9]], "
              + "dtypes: [\"bias_ih_l0\" expected F32, F16, BF16 or F64 found I32]");
    }
  }

  @Test
  void aTransposedWeightIsRefusedThoughItsSizeFits() throws IOException {
    SafeTensors.write(path(), Map.of("weight", counting(0, 2, 3), "bias", counting(0, 3)), Map.of());
    try (Linear layer = new Linear(2, 3, 1)) {
      refusedUnchanged(layer, "", "shapes: [\"weight\" expected [3, 2] found [2, 3]]");
    }
  }

  @Test
  void aTruncatedFileChangesNothing() throws IOException {
    try (Linear saved = new Linear(2, 3, 1);
        Linear layer = new Linear(2, 3, 2)) {
      Weights.save(path(), named(saved));
      byte[] bytes = Files.readAllBytes(path());
      Files.write(path(), Arrays.copyOf(bytes, bytes.length - 1));
      refusedUnchanged(layer, "", "begin <= end <= 35");
    }
  }

  private void refusedUnchanged(Layer layer, String prefix, String... mentioned) {
    float[][] before = values(named(layer));
    Expect.refused(SafeTensorsException.class, () -> Weights.load(path(), prefix, named(layer)), mentioned);
    Expect.sameBits(before, values(named(layer)));
  }

  @Test
  void oneClosedLayerLeavesTheOthersUnchanged() throws IOException {
    try (Linear open = new Linear(2, 3, 1)) {
      Linear closed = new Linear(2, 3, 2);
      Map<String, Parameter> all = new LinkedHashMap<>(Weights.named("a.", open.parameters()));
      all.putAll(Weights.named("b.", closed.parameters()));
      Weights.save(path(), all);
      open.parameters().get(0).set(new float[6]);
      byte[] before = Files.readAllBytes(path());
      closed.close();
      Expect.refused(IllegalStateException.class, () -> Weights.load(path(), all), "closed");
      Expect.refused(IllegalStateException.class, () -> Weights.save(path(), all), "closed");
      assertArrayEquals(new float[6], open.parameters().get(0).values());
      assertArrayEquals(before, Files.readAllBytes(path()));
    }
  }

  @Test
  void aMissingFileIsNamed() {
    try (Linear layer = new Linear(2, 3, 1)) {
      Expect.refused(NoSuchFileException.class, () -> Weights.load(path(), named(layer)), path().toString());
    }
  }

  @Test
  void wrongArgumentsAreRefused() {
    try (Linear layer = new Linear(2, 3, 1)) {
      Map<String, Parameter> parameters = named(layer);
      Map<String, Parameter> nullParameter = new LinkedHashMap<>();
      nullParameter.put("weight", null);
      List<Parameter> twice = new ArrayList<>(layer.parameters());
      twice.addAll(layer.parameters());
      Expect.refused(IllegalArgumentException.class, () -> Weights.named("p.", twice), "p.weight");
      Class<NullPointerException> isNull = NullPointerException.class;
      Expect.refused(isNull, () -> Weights.named(null, layer.parameters()), "prefix");
      Expect.refused(isNull, () -> Weights.named("", null), "parameters");
      Expect.refused(isNull, () -> Weights.load((Path) null, parameters), "file");
      Expect.refused(isNull, () -> Weights.load((SafeTensors) null, "", parameters), "file");
      Expect.refused(isNull, () -> Weights.load(path(), null), "parameters");
      Expect.refused(isNull, () -> Weights.load(path(), null, parameters), "prefix");
      Expect.refused(isNull, () -> Weights.load(path(), nullParameter), "parameter weight");
      Expect.refused(isNull, () -> Weights.save(null, parameters), "file");
      Expect.refused(isNull, () -> Weights.save(path(), null), "parameters");
      Expect.refused(isNull, () -> Weights.save(path(), nullParameter), "parameter weight");
      Expect.refused(isNull, () -> Weights.save(path(), parameters, null), "metadata");
    }
  }
}
