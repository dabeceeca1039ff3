package dev.unroll.bench.peers;

import dev.unroll.bench.work.Subject;
import dev.unroll.peers.RecurrentCase;
import dev.unroll.peers.RecurrentShape;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.layers.LSTM;
import org.deeplearning4j.nn.conf.layers.Layer;
import org.deeplearning4j.nn.conf.layers.recurrent.SimpleRnn;
import org.deeplearning4j.nn.gradient.Gradient;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.nd4j.common.primitives.Pair;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/** A network of one layer of DL4J, [sequences, features, steps], from a state of zeros, of which it has no gradient. */
final class Dl4jLayer implements Subject {
  /** Which of our gates stands where: it has g f o i. */
  private static final int[] LSTM_GATES = {2, 1, 3, 0};

  private static final int[] ONE_GATE = {0};

  private final RecurrentShape shape;
  private final int[] gates;
  private final boolean training;
  private final MultiLayerNetwork network;
  private final INDArray input;
  private final INDArray fromOutput;

  Dl4jLayer(RecurrentCase problem, boolean training) {
    shape = problem.shape();
    gates = shape.cell().hasCells() ? LSTM_GATES : ONE_GATE;
    this.training = training;
    network = new MultiLayerNetwork(new NeuralNetConfiguration.Builder().list().layer(layer()).build());
    network.init();
    Map<String, INDArray> parameters = network.paramTable();
    parameters.get("0_W").assign(columns(problem.given("weight_ih_l0"), shape.inputs()));
    parameters.get("0_RW").assign(columns(problem.given("weight_hh_l0"), shape.hidden()));
    float[] bias = problem.given("bias_ih_l0").clone();
    for (int i = 0; i < bias.length; i++) {
      bias[i] += problem.given("bias_hh_l0")[i];
    }
    parameters.get("0_b").assign(columns(bias, 1));
    input = batch(problem.given(RecurrentCase.INPUT), shape.inputs());
    fromOutput = batch(problem.given(RecurrentCase.FROM_OUTPUT), shape.hidden());
  }

  private Layer layer() {
    return shape.cell().hasCells()
        ? new LSTM.Builder()
            .nIn(shape.inputs())
            .nOut(shape.hidden())
            .activation(Activation.TANH)
            .gateActivationFunction(Activation.SIGMOID)
            .build()
        : new SimpleRnn.Builder().nIn(shape.inputs()).nOut(shape.hidden()).activation(Activation.TANH).build();
  }

  /** Our [gates * hidden, size] as its [size, gates * hidden]. */
  private INDArray columns(float[] rows, int size) {
    int hidden = shape.hidden();
    float[] values = new float[rows.length];
    for (int g = 0; g < gates.length; g++) {
      for (int j = 0; j < hidden; j++) {
        for (int k = 0; k < size; k++) {
          values[k * gates.length * hidden + g * hidden + j] = rows[(gates[g] * hidden + j) * size + k];
        }
      }
    }
    return Nd4j.create(values, new long[] {size, (long) gates.length * hidden}, 'c');
  }

  /** The reverse of {@link #columns}. */
  private float[] rows(INDArray columns, int size) {
    int hidden = shape.hidden();
    float[] values = columns.dup('c').data().asFloat();
    float[] rows = new float[values.length];
    for (int g = 0; g < gates.length; g++) {
      for (int j = 0; j < hidden; j++) {
        for (int k = 0; k < size; k++) {
          rows[(gates[g] * hidden + j) * size + k] = values[k * gates.length * hidden + g * hidden + j];
        }
      }
    }
    return rows;
  }

  private INDArray batch(float[] values, int features) {
    long[] dimensions = {shape.sequences(), shape.lengths()[0], features};
    return Nd4j.create(values, dimensions, 'c').permute(0, 2, 1).dup('f');
  }

  private static float[] unbatch(INDArray batch) {
    return batch.permute(0, 2, 1).dup('c').data().asFloat();
  }

  @Override
  public void run() {
    if (training) {
      network.setInput(input);
      network.feedForward(true, false);
      backward();
    } else {
      network.output(input, false);
    }
  }

  private Pair<Gradient, INDArray> backward() {
    return network.backpropGradient(fromOutput, null);
  }

  @Override
  public Set<String> lacking() {
    String d = RecurrentCase.GRADIENT;
    return Set.of(
        RecurrentCase.FINAL_H,
        RecurrentCase.FINAL_C,
        d + RecurrentCase.INITIAL_H,
        d + RecurrentCase.INITIAL_C,
        d + "bias_hh_l0"); // there is one bias
  }

  @Override
  public Map<String, float[]> results() {
    Map<String, float[]> results = new LinkedHashMap<>();
    if (!training) {
      results.put(RecurrentCase.OUTPUT, unbatch(network.output(input, false)));
      return results;
    }
    network.setInput(input);
    results.put(RecurrentCase.OUTPUT, unbatch(network.feedForward(true, false).get(1)));
    Pair<Gradient, INDArray> gradients = backward();
    Map<String, INDArray> ofWeights = gradients.getFirst().gradientForVariable();
    String d = RecurrentCase.GRADIENT;
    results.put(d + "weight_ih_l0", rows(ofWeights.get("0_W"), shape.inputs()));
    results.put(d + "weight_hh_l0", rows(ofWeights.get("0_RW"), shape.hidden()));
    results.put(d + "bias_ih_l0", rows(ofWeights.get("0_b"), 1));
    results.put(d + RecurrentCase.INPUT, unbatch(gradients.getSecond()));
    return results;
  }

  @Override
  public void close() {
    network.close();
  }
}
