package dev.unroll.model;

import dev.unroll.io.SafeTensors;
import dev.unroll.io.SafeTensorsException;
import dev.unroll.io.Tensor;
import dev.unroll.io.Weights;
import dev.unroll.train.Adam;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * What a training needs to go on after an epoch, as a file: weights, the optimiser's state, how far it is, and what the
 * training is of, so that no other goes on from it.
 */
final class TrainingCheckpoint {
  private static final int CHUNK = 1 << 14;
  private static final String MODEL = "model.";
  private static final String ADAM = "adam.";
  private static final String EPOCHS = "epochs";
  private static final String LOSS = "loss";
  private static final String DROPOUT_KEY = "dropout_key";

  private final Path file;
  private final LanguageModel model;
  private final Adam optimizer;
  private final int mostEpochs;
  private final Map<String, String> training = new LinkedHashMap<>();

  /**
   * How far a training is.
   *
   * @param epochs that are done
   * @param loss mean of the last of them
   */
  record Position(int epochs, double loss) {}

  TrainingCheckpoint(Path file, LanguageModel model, Adam optimizer, TrainingOptions options, int[] tokens) {
    this.file = file;
    this.model = model;
    this.optimizer = optimizer;
    mostEpochs = options.epochs();
    training.put("options", options.toString());
    training.put("text", tokens.length + " tokens, SHA-256 " + hash(tokens));
    training.put("dropout", model.dropout() == 0 ? "0" : model.dropout() + ", seed " + model.seed());
  }

  private static String hash(int[] tokens) {
    ByteBuffer bytes = ByteBuffer.allocate(CHUNK * Integer.BYTES);
    try {
      MessageDigest digest = MessageDigest.getInstance("SHA-256");
      for (int done = 0, size; done < tokens.length; done += size) {
        size = Math.min(CHUNK, tokens.length - done);
        bytes.clear().asIntBuffer().put(tokens, done, size);
        digest.update(bytes.limit(size * Integer.BYTES));
      }
      return HexFormat.of().formatHex(digest.digest());
    } catch (NoSuchAlgorithmException e) {
      throw new AssertionError("every Java platform has SHA-256", e);
    }
  }

  /**
   * Goes on from the file, or from the beginning, which is then its content; if anything about it is wrong, the model is
   * as before.
   */
  Position resume() throws IOException {
    if (!Files.exists(file)) {
      Position beginning = new Position(0, 0);
      write(beginning);
      return beginning;
    }
    try (SafeTensors saved = SafeTensors.open(file)) {
      for (Map.Entry<String, String> expected : training.entrySet()) {
        String found = value(saved, expected.getKey());
        if (!found.equals(expected.getValue())) {
          throw new SafeTensorsException(
              file, expected.getKey() + " is " + found + ": expected that of this training, " + expected.getValue());
        }
      }
      Position position = new Position((int) number(saved, EPOCHS, 0, mostEpochs), loss(saved));
      long dropoutKey = number(saved, DROPOUT_KEY, Long.MIN_VALUE, Long.MAX_VALUE);
      restoreOptimizer(saved);
      Weights.load(saved, MODEL, model.parameters());
      model.dropoutKey(dropoutKey);
      return position;
    }
  }

  private void restoreOptimizer(SafeTensors saved) throws IOException {
    try {
      optimizer.restore(saved, ADAM);
    } catch (IllegalArgumentException e) {
      throw new SafeTensorsException(file, e.getMessage());
    }
  }

  private String value(SafeTensors saved, String name) throws SafeTensorsException {
    String value = saved.metadata().get(name);
    if (value == null) {
      throw new SafeTensorsException(file, "no " + name + " in its metadata: expected the checkpoint of a training");
    }
    return value;
  }

  private long number(SafeTensors saved, String name, long least, long most) throws SafeTensorsException {
    String value = value(saved, name);
    try {
      long number = Long.parseLong(value);
      if (number >= least && number <= most) {
        return number;
      }
    } catch (NumberFormatException e) {
      throw wrong(name, value);
    }
    throw wrong(name, value);
  }

  private double loss(SafeTensors saved) throws SafeTensorsException {
    String value = value(saved, LOSS);
    try {
      return Double.parseDouble(value);
    } catch (NumberFormatException e) {
      throw wrong(LOSS, value);
    }
  }

  private SafeTensorsException wrong(String name, String value) {
    return new SafeTensorsException(file, name + " is " + value + ": expected a number that a training has written");
  }

  void write(Position position) throws IOException {
    Map<String, Tensor> tensors = new LinkedHashMap<>();
    model.parameters().forEach((name, parameter) -> tensors.put(MODEL + name, Tensor.of(parameter)));
    optimizer.state().forEach((name, tensor) -> tensors.put(ADAM + name, tensor));
    Map<String, String> metadata = new LinkedHashMap<>(training);
    metadata.put(EPOCHS, Integer.toString(position.epochs()));
    metadata.put(LOSS, Double.toString(position.loss()));
    metadata.put(DROPOUT_KEY, Long.toString(model.dropoutKey()));
    SafeTensors.write(file, tensors, metadata);
  }
}
