package dev.unroll.train;

import static dev.unroll.internal.OptimizerNative.PARAMETER_LONGS;

import dev.unroll.internal.Checks;
import dev.unroll.internal.Lease;
import dev.unroll.internal.Memory;
import dev.unroll.internal.MemoryNative;
import dev.unroll.internal.NativeRuntime;
import dev.unroll.internal.OptimizerNative;
import dev.unroll.io.SafeTensors;
import dev.unroll.io.Tensor;
import dev.unroll.io.Weights;
import dev.unroll.layer.Parameter;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Changes parameters by their gradients. With clipping, all gradients are scaled by
 * {@code min(1, clipNorm / (norm + 1e-6))}, where norm is that of all of them together (PyTorch
 * {@code clip_grad_norm_}), in the same pass as the update; the gradients themselves stay as they are.
 *
 * <p>What a run needs to go on later is the weights and the optimiser's state:
 *
 * <pre>{@code
 * Map<String, Tensor> all = new LinkedHashMap<>();
 * parameters.forEach((name, parameter) -> all.put("model." + name, Tensor.of(parameter)));
 * adam.state().forEach((name, tensor) -> all.put("adam." + name, tensor));
 * SafeTensors.write(path, all, Map.of("epoch", "3"));
 * ...
 * try (SafeTensors saved = SafeTensors.open(path)) {
 *   Weights.load(saved, "model.", parameters);
 *   adam.restore(saved, "adam.");
 * }
 * }</pre>
 *
 * <p>One thread at a time may use it; nobody may run the layers meanwhile. Close it before the layers.
 */
public abstract sealed class Optimizer implements AutoCloseable permits Sgd, Adam {
  private final List<Parameter> parameters;
  private final double clipNorm;
  private final List<List<Memory>> moments = new ArrayList<>();
  private double learningRate;
  private boolean closed;

  /**
   * Starts with the given settings.
   *
   * @param parameters what to change, each once
   * @param learningRate above 0
   * @param clipNorm above 0; infinity means no clipping
   */
  Optimizer(List<Parameter> parameters, double learningRate, double clipNorm) {
    Parameter[] own = Checks.ownCopy("parameters", parameters, new Parameter[0]);
    Set<Parameter> seen = Collections.newSetFromMap(new IdentityHashMap<>());
    for (int i = 0; i < own.length; i++) {
      String name = "parameters[" + i + "]";
      Checks.require(seen.add(own[i]), name, own[i], "one that is not in the list already");
    }
    NativeRuntime.start(); // an optimiser of no parameters may be the first to need it
    this.parameters = List.of(own);
    this.learningRate = learningRate;
    this.clipNorm = clipNorm;
  }

  /**
   * Returns the learning rate.
   *
   * @return the rate of the next step
   */
  public double learningRate() {
    return learningRate;
  }

  /**
   * Sets the learning rate, for schedules.
   *
   * @param rate 0, where some begin or end, or a number from 1.2e-38 to 3.4e38
   * @throws IllegalArgumentException if it is neither
   */
  public void learningRate(double rate) {
    learningRate = Checks.zeroOrPositive("learningRate", rate);
  }

  /**
   * Computes the Euclidean norm of all gradients together.
   *
   * @return the norm
   * @throws IllegalStateException if a layer is closed
   */
  public double gradientNorm() {
    try (Lease lease = new Lease()) {
      return OptimizerNative.gradientNorm(arrays(lease, List.of()));
    }
  }

  /**
   * Changes every parameter once.
   *
   * @throws IllegalStateException if this optimiser or a layer is closed; nothing is changed then
   */
  public void step() {
    step(1);
  }

  /**
   * Changes every parameter once, by its gradient times a number; the gradients themselves stay as they are. Clipping, if
   * there is any, is that of the product.
   *
   * <p>So gradients of several batches are averaged over all their steps, which are only known after the last:
   *
   * <pre>{@code
   * long steps = 0;
   * for (Batch batch : batches) {
   *   backward(batch, new CrossEntropy(Divisor.SUM_OVER_STEPS)); // adds to the gradients
   *   steps += batch.targets().layout().rows();
   * }
   * adam.step(1.0 / steps);
   * }</pre>
   *
   * <p>And so several optimisers without a limit of their own share one:
   *
   * <pre>{@code
   * double norm = Math.hypot(first.gradientNorm(), second.gradientNorm());
   * double scale = Math.min(1, limit / (norm + 1e-6));
   * first.step(scale);
   * second.step(scale);
   * }</pre>
   *
   * @param gradientScale a number from 1.2e-38 to 3.4e38
   * @throws IllegalArgumentException if it is not
   * @throws IllegalStateException if this optimiser or a layer is closed; nothing is changed then
   */
  public void step(double gradientScale) {
    Checks.positive("gradientScale", gradientScale);
    checkOpen();
    try (Lease lease = new Lease()) {
      step(gradientScale, clipNorm, arrays(lease, moments));
    }
    parameters.forEach(Parameter::changed);
  }

  private void checkOpen() {
    if (closed) {
      throw new IllegalStateException(getClass().getSimpleName() + " is closed: expected an open one");
    }
  }

  /** The parameters as native code takes them, pinned; `moments` are arrays for each of them, none to two. */
  private long[] arrays(Lease lease, List<List<Memory>> moments) {
    long[] arrays = new long[parameters.size() * PARAMETER_LONGS];
    for (int i = 0, at = 0; i < parameters.size(); i++, at += PARAMETER_LONGS) {
      Parameter parameter = parameters.get(i);
      arrays[at] = parameter.size();
      arrays[at + 1] = lease.address(parameter.gradientMemory());
      arrays[at + 2] = lease.address(parameter.memory());
      for (int m = 0; m < moments.size(); m++) {
        arrays[at + 3 + m] = lease.address(moments.get(m).get(i));
      }
    }
    return arrays;
  }

  /**
   * Sets the gradients of its parameters to zero; those of others, such as frozen layers, go on adding up.
   *
   * @throws IllegalStateException if a layer is closed
   */
  public void zeroGradients() {
    parameters.forEach(p -> p.memory().checkOpen());
    parameters.forEach(Parameter::zeroGradient);
  }

  /**
   * Returns what this optimiser remembers of past steps, to be written beside the weights: a run that goes on from both
   * has the bits of one that was never stopped. Settings, such as the learning rate, are the caller's.
   *
   * @return a copy of the values by name, as PyTorch names them: {@code 0.exp_avg} is that of {@code parameters[0]}
   *     (its {@code step}, which PyTorch has for every parameter, an {@link Adam} has once)
   * @throws IllegalStateException if this optimiser is closed
   */
  public Map<String, Tensor> state() {
    checkOpen();
    Map<String, Tensor> state = new LinkedHashMap<>();
    try (Lease lease = new Lease()) {
      for (int i = 0; i < parameters.size(); i++) {
        for (int m = 0; m < moments.size(); m++) {
          float[] values = new float[parameters.get(i).size()];
          MemoryNative.getFloats(lease.address(moments.get(m).get(i)), values, 0, values.length);
          state.put(i + "." + momentNames().get(m), Tensor.of(values, Tensor.of(parameters.get(i)).shape()));
        }
      }
    }
    return state;
  }

  /**
   * Goes on from what {@link #state} returned, for example to take back steps that went wrong. If anything is wrong,
   * nothing is changed.
   *
   * @param state as it was
   * @throws NullPointerException if {@code state}, a name or a value is null
   * @throws IllegalArgumentException if it is not that of such an optimiser of such parameters
   * @throws IllegalStateException if this optimiser is closed
   */
  public void restore(Map<String, Tensor> state) {
    Map<String, Tensor> now = state();
    Checks.require(
        Checks.notNull("state", state).keySet().equals(now.keySet()), "state", state.keySet(), now.keySet().toString());
    Map<String, float[]> values = new LinkedHashMap<>();
    now.forEach((name, expected) -> {
      Tensor tensor = Checks.notNull(name, state.get(name));
      String shape = Arrays.toString(expected.shape());
      Checks.require(Arrays.equals(tensor.shape(), expected.shape()), name, Arrays.toString(tensor.shape()), shape);
      values.put(name, tensor.values());
    });
    set(values);
  }

  /**
   * Goes on from what {@link #state} returned and a file has. If anything is wrong, nothing is changed.
   *
   * @param file has it among others
   * @param prefix what its tensors have before their names, for example {@code "adam."}
   * @throws NullPointerException if an argument is null
   * @throws IllegalStateException if this optimiser or the file is closed
   * @throws dev.unroll.io.SafeTensorsException if a tensor is missing, extra, of another shape, or of a type that
   *     cannot be converted; the message names all of these
   * @throws IllegalArgumentException if the steps of an {@link Adam} are not a whole number that it can have counted
   * @throws IOException if the file cannot be read
   */
  public void restore(SafeTensors file, String prefix) throws IOException {
    Map<String, long[]> shapes = new LinkedHashMap<>();
    state().forEach((name, tensor) -> shapes.put(name, tensor.shape()));
    set(Weights.read(file, prefix, shapes));
  }

  /** Takes over values that have the names and shapes of the state. */
  void set(Map<String, float[]> state) {
    try (Lease lease = new Lease()) {
      for (int i = 0; i < parameters.size(); i++) {
        for (int m = 0; m < moments.size(); m++) {
          float[] values = state.get(i + "." + momentNames().get(m));
          MemoryNative.putFloats(lease.address(moments.get(m).get(i)), values, 0, values.length);
        }
      }
    }
  }

  /** PyTorch's name of each moment. */
  abstract List<String> momentNames();

  /** Changes all parameters, given as native code takes them. */
  abstract void step(double scale, double limit, long[] arrays);

  /** Gives every parameter one more array, of zeros and shaped alike, owned by this optimiser. */
  void addMoment() {
    List<Memory> arrays = new ArrayList<>();
    moments.add(arrays);
    try {
      for (Parameter parameter : parameters) {
        arrays.add(Memory.zeroed((long) parameter.size() * Float.BYTES, getClass().getSimpleName()));
      }
    } catch (OutOfMemoryError e) {
      close();
      throw e;
    }
  }

  /** Frees the memory; calling it again does nothing. */
  @Override
  public void close() {
    closed = true;
    moments.forEach(arrays -> arrays.forEach(Memory::close));
  }
}
