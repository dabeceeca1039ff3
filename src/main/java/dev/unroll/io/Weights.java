package dev.unroll.io;

import dev.unroll.internal.Checks;
import dev.unroll.layer.Parameter;
import java.io.IOException;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Moves the weights of layers and models in and out of safetensors files. Names and shapes are PyTorch's (but for cells,
 * whose names have {@code _l0} here), so the file of a module's {@code state_dict} can be loaded as it is:
 *
 * <pre>{@code
 * Map<String, Parameter> parameters = new LinkedHashMap<>();
 * parameters.putAll(Weights.named("embedding.", embedding.parameters()));
 * parameters.putAll(Weights.named("lstm.", lstm.parameters()));
 * Weights.load(Path.of("model.safetensors"), parameters);
 * }</pre>
 */
public final class Weights {
  private Weights() {}

  /**
   * Names the parameters of a layer as part of a module.
   *
   * @param prefix what to put before their names, for example {@code "lstm."}, or {@code ""}
   * @param parameters of one layer
   * @return the parameters by name, in the same order
   * @throws NullPointerException if an argument or an element is null
   * @throws IllegalArgumentException if two have the same name
   */
  public static Map<String, Parameter> named(String prefix, List<Parameter> parameters) {
    Checks.notNull("prefix", prefix);
    Map<String, Parameter> named = new LinkedHashMap<>();
    for (Parameter parameter : Checks.notNull("parameters", parameters)) {
      String name = prefix + Checks.notNull("parameter", parameter).name();
      Checks.require(named.put(name, parameter) == null, "name", name, "it once: parameters of one layer");
    }
    return named;
  }

  /**
   * Writes weights and no metadata.
   *
   * @param file its path, in a folder that exists; a file that is there is replaced, by a complete one only
   * @param parameters by name
   * @throws NullPointerException if an argument, a key or a value is null
   * @throws IllegalArgumentException as {@link SafeTensors#write}
   * @throws IllegalStateException if a parameter's layer is closed
   * @throws IOException if the file cannot be written
   */
  public static void save(Path file, Map<String, Parameter> parameters) throws IOException {
    save(file, parameters, Map.of());
  }

  /**
   * Writes weights.
   *
   * @param file its path, in a folder that exists; a file that is there is replaced, by a complete one only
   * @param parameters by name
   * @param metadata any strings by name, for example the sizes to build the model from
   * @throws NullPointerException if an argument, a key or a value is null
   * @throws IllegalArgumentException as {@link SafeTensors#write}
   * @throws IllegalStateException if a parameter's layer is closed
   * @throws IOException if the file cannot be written
   */
  public static void save(Path file, Map<String, Parameter> parameters, Map<String, String> metadata)
      throws IOException {
    Map<String, Tensor> tensors = new LinkedHashMap<>();
    checked(parameters).forEach((name, parameter) -> tensors.put(name, Tensor.of(parameter)));
    SafeTensors.write(file, tensors, metadata);
  }

  /**
   * Reads weights; the names of the tensors must be exactly those of the parameters. If anything is wrong, no parameter
   * is changed.
   *
   * @param file its path
   * @param parameters by name
   * @throws NullPointerException if an argument, a key or a value is null
   * @throws IllegalStateException if a parameter's layer is closed
   * @throws NoSuchFileException if there is no such file
   * @throws SafeTensorsException if the file is malformed, or a tensor is missing, extra, of another shape, or of a
   *     type that cannot be converted; the message names all of these
   * @throws IOException if the file cannot be read
   */
  public static void load(Path file, Map<String, Parameter> parameters) throws IOException {
    load(file, "", parameters);
  }

  /**
   * Reads the weights of a part of a larger model: tensors whose names begin with the prefix; others are ignored, so
   * some of a file's layers are taken one by one. If anything is wrong, no parameter is changed.
   *
   * @param file its path
   * @param prefix what the tensors have before the names of the parameters, for example {@code "encoder."}
   * @param parameters by name, without the prefix
   * @throws NullPointerException if an argument, a key or a value is null
   * @throws IllegalStateException if a parameter's layer is closed
   * @throws NoSuchFileException if there is no such file
   * @throws SafeTensorsException if the file is malformed, or a tensor is missing, extra, of another shape, or of a
   *     type that cannot be converted; the message names all of these
   * @throws IOException if the file cannot be read
   */
  public static void load(Path file, String prefix, Map<String, Parameter> parameters) throws IOException {
    checked(parameters);
    Checks.notNull("prefix", prefix);
    try (SafeTensors open = SafeTensors.open(file)) {
      load(open, prefix, parameters);
    }
  }

  /**
   * Reads weights from an open file, for example after a look at its metadata; otherwise as {@link #load(Path, String,
   * Map)}.
   *
   * @param file the file; it stays open
   * @param prefix what the tensors have before the names of the parameters, or {@code ""}
   * @param parameters by name, without the prefix
   * @throws NullPointerException if an argument, a key or a value is null
   * @throws IllegalStateException if the file or a parameter's layer is closed
   * @throws SafeTensorsException if a tensor is missing, extra, of another shape, or of a type that cannot be
   *     converted; the message names all of these
   * @throws IOException if the file cannot be read
   */
  public static void load(SafeTensors file, String prefix, Map<String, Parameter> parameters) throws IOException {
    Map<String, long[]> shapes = new LinkedHashMap<>();
    Map<String, Parameter> own = checked(parameters);
    own.forEach((name, parameter) -> shapes.put(name, Tensor.of(parameter).shape()));
    for (Parameter parameter : own.values()) {
      parameter.memory().checkOpen();
    }
    Map<String, float[]> values = read(file, prefix, shapes);
    own.forEach((name, parameter) -> parameter.set(values.get(name)));
  }

  /**
   * Reads tensors whose names and shapes are known: those of the file whose names begin with the prefix must be exactly
   * these; others are ignored.
   *
   * @param file the file; it stays open
   * @param prefix what the tensors have before their names, or {@code ""}
   * @param shapes by name, without the prefix
   * @return the values by name, row-major
   * @throws NullPointerException if an argument, a key or a value is null
   * @throws IllegalStateException if the file is closed
   * @throws SafeTensorsException if a tensor is missing, extra, of another shape, or of a type that cannot be
   *     converted; the message names all of these
   * @throws IOException if the file cannot be read
   */
  public static Map<String, float[]> read(SafeTensors file, String prefix, Map<String, long[]> shapes)
      throws IOException {
    Checks.notNull("file", file);
    Checks.notNull("prefix", prefix);
    Map<String, long[]> wanted = new LinkedHashMap<>();
    Checks.notNull("shapes", shapes).forEach((name, shape) -> {
      Checks.notNull("name", name);
      wanted.put(prefix + name, Checks.notNull("shape of " + name, shape));
    });
    new Mismatch(file, prefix, wanted).check();
    Map<String, float[]> values = new LinkedHashMap<>();
    for (String name : shapes.keySet()) {
      values.put(name, file.values(prefix + name));
    }
    return values;
  }

  /** A copy, so that nobody changes what was checked. */
  private static Map<String, Parameter> checked(Map<String, Parameter> parameters) {
    Map<String, Parameter> own = new LinkedHashMap<>();
    Checks.notNull("parameters", parameters).forEach((name, parameter) -> {
      Checks.notNull("name of a parameter", name);
      own.put(name, Checks.notNull("parameter " + name, parameter));
    });
    return own;
  }

  /** How the tensors of a file differ from those that are wanted. */
  private static final class Mismatch {
    private final SafeTensors file;
    private final List<String> missing = new ArrayList<>();
    private final List<String> extra = new ArrayList<>();
    private final List<String> shapes = new ArrayList<>();
    private final List<String> types = new ArrayList<>();

    Mismatch(SafeTensors file, String prefix, Map<String, long[]> wanted) {
      this.file = file;
      for (String name : file.names()) {
        if (name.startsWith(prefix) && !wanted.containsKey(name)) {
          extra.add(JsonText.shown(name));
        }
      }
      wanted.forEach(this::compare);
    }

    private void compare(String name, long[] shape) {
      TensorEntry found = file.entries().get(name);
      if (found == null) {
        missing.add(JsonText.shown(name));
        return;
      }
      if (!Arrays.equals(found.shape(), shape)) {
        String expected = Shape.shown(shape);
        shapes.add(JsonText.shown(name) + " expected " + expected + " found " + Shape.shown(found.shape()));
      }
      if (!found.type().isConvertible()) {
        types.add(JsonText.shown(name) + " expected " + DataType.CONVERTIBLE + " found " + found.type());
      }
    }

    void check() throws SafeTensorsException {
      List<String> problems = new ArrayList<>();
      add(problems, "missing", missing);
      add(problems, "extra", extra);
      add(problems, "shapes", shapes);
      add(problems, "dtypes", types);
      if (!problems.isEmpty()) {
        throw new SafeTensorsException(file.file(), String.join(", ", problems));
      }
    }

    private static void add(List<String> problems, String kind, List<String> found) {
      if (!found.isEmpty()) {
        problems.add(kind + ": " + found);
      }
    }
  }
}
