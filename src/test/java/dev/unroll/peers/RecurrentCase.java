package dev.unroll.peers;

import java.util.Map;

/**
 * A shape and the numbers that every peer is given, by name: the weights under PyTorch's names and the tensors below;
 * what is not there is null. Steps stand sequence by sequence in the caller's order, states are [entries, sequences,
 * size].
 *
 * <p>A peer answers with {@link #OUTPUT}, {@link #FINAL_H}, {@link #FINAL_C} and, under {@link #GRADIENT} and the
 * name of what was given, the gradients of weights, input and initial state (also of an initial state that was null
 * and so zero).
 */
public record RecurrentCase(RecurrentShape shape, Map<String, float[]> given) {
  public static final String INPUT = "input";
  public static final String INITIAL_H = "initial_h";
  public static final String INITIAL_C = "initial_c";
  /** Gradients from above, of outputs and final state. */
  public static final String FROM_OUTPUT = "from_output";
  public static final String FROM_FINAL_H = "from_final_h";
  public static final String FROM_FINAL_C = "from_final_c";

  public static final String OUTPUT = "output";
  public static final String FINAL_H = "final_h";
  public static final String FINAL_C = "final_c";
  /** Before the name of a given tensor. */
  public static final String GRADIENT = "d_";

  public float[] given(String name) {
    return given.get(name);
  }
}
