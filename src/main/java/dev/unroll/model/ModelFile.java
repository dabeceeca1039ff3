package dev.unroll.model;

import dev.unroll.io.SafeTensors;
import dev.unroll.io.SafeTensorsException;
import dev.unroll.io.Weights;
import java.io.IOException;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Map;

/** A {@link LanguageModel} as a file: its weights by name, whose shapes say what it is, and what shapes do not say. */
final class ModelFile {
  private static final String DROPOUT = "dropout";

  private final SafeTensors file;

  private ModelFile(SafeTensors file) {
    this.file = file;
  }

  static void save(Path path, LanguageModel model, Map<String, String> metadata) throws IOException {
    Map<String, String> all = new HashMap<>(metadata);
    all.put(DROPOUT, Double.toString(model.dropout()));
    Weights.save(path, model.parameters(), all);
  }

  /** Makes the model that a file holds, after its weights have been read: no more memory than the file is large. */
  static LanguageModel load(SafeTensors file) throws IOException {
    ModelFile model = new ModelFile(file);
    LanguageModelBuilder builder = model.builder();
    Map<String, float[]> values = Weights.read(file, "", model.shapes());
    LanguageModel made = builder.build();
    made.parameters().forEach((name, parameter) -> parameter.set(values.get(name)));
    return made;
  }

  private LanguageModelBuilder builder() throws SafeTensorsException {
    long[] embedding = shape("embedding.weight", 2);
    return LanguageModel.builder((int) embedding[0])
        .embeddingSize((int) embedding[1])
        .hiddenSize((int) hiddenSize())
        .layers(layers())
        .cell(cell(gates()))
        .dropout(dropout());
  }

  private long hiddenSize() throws SafeTensorsException {
    return shape("linear.weight", 2)[1];
  }

  private int layers() {
    int layers = 0;
    while (file.names().contains("recurrent.weight_ih_l" + layers)) {
      layers++;
    }
    return layers;
  }

  private long gates() throws SafeTensorsException {
    return shape("recurrent.weight_ih_l0", 2)[0] / hiddenSize();
  }

  /** Those of all parameters of such a model. */
  private Map<String, long[]> shapes() throws SafeTensorsException {
    long[] embedding = shape("embedding.weight", 2);
    long hidden = hiddenSize();
    long gateRows = gates() * hidden;
    Map<String, long[]> shapes = new LinkedHashMap<>();
    shapes.put("embedding.weight", embedding);
    for (int layer = 0; layer < layers(); layer++) {
      shapes.put("recurrent.weight_ih_l" + layer, new long[] {gateRows, layer == 0 ? embedding[1] : hidden});
      shapes.put("recurrent.weight_hh_l" + layer, new long[] {gateRows, hidden});
      shapes.put("recurrent.bias_ih_l" + layer, new long[] {gateRows});
      shapes.put("recurrent.bias_hh_l" + layer, new long[] {gateRows});
    }
    shapes.put("linear.weight", new long[] {embedding[0], hidden});
    shapes.put("linear.bias", new long[] {embedding[0]});
    return shapes;
  }

  /** Weights have at least one value and at most 2^31 - 1. */
  private long[] shape(String name, int dimensions) throws SafeTensorsException {
    if (!file.names().contains(name)) {
      throw new SafeTensorsException(file.file(), "no tensor " + name + ": expected those of a language model");
    }
    long[] shape = file.shape(name);
    long size = 1;
    for (long dimension : shape) {
      size = dimension < 1 || dimension > Integer.MAX_VALUE / size ? Long.MAX_VALUE : size * dimension;
    }
    if (shape.length != dimensions || size > Integer.MAX_VALUE) {
      String expected = dimensions + " dimensions of 1 or more, and at most 2^31 - 1 values";
      throw new SafeTensorsException(file.file(), "shape of " + name + " is wrong: expected " + expected);
    }
    return shape;
  }

  private LanguageModel.Cell cell(long gates) throws SafeTensorsException {
    if (gates == 1) {
      return LanguageModel.Cell.RNN;
    }
    if (gates == 3) {
      return LanguageModel.Cell.GRU;
    }
    if (gates == 4) {
      return LanguageModel.Cell.LSTM;
    }
    throw new SafeTensorsException(file.file(), "recurrent.weight_ih_l0 has " + gates + " gates: expected 1, 3 or 4");
  }

  private double dropout() throws SafeTensorsException {
    String text = file.metadata().getOrDefault(DROPOUT, "0");
    try {
      double dropout = Double.parseDouble(text);
      if (dropout >= 0 && dropout < 1) {
        return dropout;
      }
    } catch (NumberFormatException e) {
      throw wrongDropout(text);
    }
    throw wrongDropout(text);
  }

  private SafeTensorsException wrongDropout(String text) {
    return new SafeTensorsException(
        file.file(), DROPOUT + " is \"" + text + "\": expected a number at least 0 and below 1");
  }
}
