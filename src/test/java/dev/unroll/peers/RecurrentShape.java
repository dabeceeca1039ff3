package dev.unroll.peers;

import dev.unroll.layer.Gru;
import dev.unroll.layer.Lstm;
import dev.unroll.layer.Recurrent;
import dev.unroll.layer.RecurrentBuilder;
import dev.unroll.layer.Rnn;
import java.util.Arrays;
import java.util.stream.Collectors;

/** What a recurrent layer and its batch are: everything but the numbers. A projection of 0 means none. */
public record RecurrentShape(
    Cell cell, int inputs, int hidden, int projection, int layers, boolean bidirectional, boolean bias, int[] lengths) {
  /** The cells that are compared. */
  public enum Cell {
    RNN_TANH,
    RNN_RELU,
    LSTM,
    LSTM_PROJECTED,
    LSTM_PEEPHOLES,
    /** Coupled input and forget gate; with peepholes if it has biases. */
    LSTM_COUPLED,
    GRU,
    GRU_RESET_BEFORE;

    /** Whether there is a second state, c. */
    public boolean hasCells() {
      return gates() == 4;
    }

    public int gates() {
      return switch (this) {
        case RNN_TANH, RNN_RELU -> 1;
        case LSTM, LSTM_PROJECTED, LSTM_PEEPHOLES, LSTM_COUPLED -> 4;
        case GRU, GRU_RESET_BEFORE -> 3;
      };
    }
  }

  /** Makes the layer. */
  public Recurrent build() {
    return switch (cell) {
      case RNN_TANH -> build(Rnn.builder(inputs, hidden));
      case RNN_RELU -> build(Rnn.builder(inputs, hidden).activation(Rnn.Activation.RELU));
      case LSTM -> build(Lstm.builder(inputs, hidden));
      case LSTM_PROJECTED -> build(Lstm.builder(inputs, hidden).projectionSize(projection));
      case LSTM_PEEPHOLES -> build(Lstm.builder(inputs, hidden).peepholes(true));
      case LSTM_COUPLED -> build(Lstm.builder(inputs, hidden).coupledInputForget(true).peepholes(bias));
      case GRU -> build(Gru.builder(inputs, hidden));
      case GRU_RESET_BEFORE -> build(Gru.builder(inputs, hidden).resetBefore(true));
    };
  }

  private <B extends RecurrentBuilder<B, L>, L extends Recurrent> L build(B builder) {
    return builder.layers(layers).bidirectional(bidirectional).bias(bias).build();
  }

  public int directions() {
    return bidirectional ? 2 : 1;
  }

  /** Layers times directions. */
  public int entries() {
    return layers * directions();
  }

  public int sequences() {
    return lengths.length;
  }

  /** Steps of all sequences together. */
  public int rows() {
    return Arrays.stream(lengths).sum();
  }

  /** Features of an input step of a layer. */
  public int inputs(int layer) {
    return layer == 0 ? inputs : outputSize();
  }

  /** PyTorch's ending of the names of a layer's and direction's weights. */
  public static String suffix(int layer, int direction) {
    return "_l" + layer + (direction == 1 ? "_reverse" : "");
  }

  /** Features of the state h of one direction. */
  public int stateSize() {
    return projection > 0 ? projection : hidden;
  }

  public int outputSize() {
    return directions() * stateSize();
  }

  /** The one-line form that {@link #parse} reads. */
  @Override
  public String toString() {
    return String.format(
        "%s inputs=%d hidden=%d projection=%d layers=%d bidirectional=%b bias=%b lengths=%s",
        cell, inputs, hidden, projection, layers, bidirectional, bias,
        Arrays.stream(lengths).mapToObj(Integer::toString).collect(Collectors.joining(",")));
  }

  /** Reads what {@link #toString} writes. */
  public static RecurrentShape parse(String line) {
    String[] words = line.split(" ");
    String[] values = Arrays.stream(words).map(word -> word.substring(word.indexOf('=') + 1)).toArray(String[]::new);
    return new RecurrentShape(
        Cell.valueOf(values[0]),
        Integer.parseInt(values[1]),
        Integer.parseInt(values[2]),
        Integer.parseInt(values[3]),
        Integer.parseInt(values[4]),
        Boolean.parseBoolean(values[5]),
        Boolean.parseBoolean(values[6]),
        Arrays.stream(values[7].split(",")).mapToInt(Integer::parseInt).toArray());
  }
}
