package dev.unroll.golden;

import dev.unroll.layer.Activation;
import dev.unroll.layer.Dropout;
import dev.unroll.layer.Embedding;
import dev.unroll.layer.Linear;
import dev.unroll.layer.Parameter;
import dev.unroll.layer.Pooling;
import dev.unroll.layer.Softmax;
import dev.unroll.sequence.Features;
import dev.unroll.sequence.PackedSequence;
import dev.unroll.sequence.PackedTokens;
import dev.unroll.train.CrossEntropy;
import dev.unroll.train.Divisor;
import dev.unroll.train.ElementLoss;
import dev.unroll.train.LossGradient;
import java.util.List;
import java.util.function.Function;

/** The layers without time. */
record PlainModel(String name, boolean keepsSequencesApart, Function<List<Integer>, Results> body)
    implements GoldenModel {
  private static final int INPUTS = 150;
  private static final int OUTPUTS = 301;

  PlainModel(String name, Function<List<Integer>, Results> body) {
    this(name, true, body);
  }

  @Override
  public Results run(List<Integer> which) {
    return body.apply(which);
  }

  static Results linear(List<Integer> which) {
    try (Linear layer = new Linear(INPUTS, OUTPUTS, 5);
        PackedSequence input = Data.batch(which, INPUTS, 1);
        PackedSequence output = layer.forward(input);
        PackedSequence dOutput = Data.batch(which, OUTPUTS, 2);
        PackedSequence dInput = layer.backward(input, dOutput)) {
      return new Results(perSequence(output, dInput), layer.parameters().stream().map(Parameter::gradient).toList());
    }
  }

  static Results embedding(List<Integer> which) {
    try (Embedding layer = new Embedding(11, OUTPUTS, 6);
        PackedTokens tokens = tokens(which, 11);
        PackedSequence output = layer.forward(tokens);
        PackedSequence dOutput = Data.batch(which, OUTPUTS, 2)) {
      layer.backward(tokens, dOutput);
      return new Results(perSequence(output), layer.parameters().stream().map(Parameter::gradient).toList());
    }
  }

  static Results softmax(List<Integer> which) {
    Softmax layer = new Softmax(0.7);
    try (PackedSequence input = Data.batch(which, OUTPUTS, 1);
        PackedSequence output = layer.forward(input);
        PackedSequence logarithms = layer.logForward(input);
        PackedSequence dOutput = Data.batch(which, OUTPUTS, 2);
        PackedSequence dInput = layer.backward(output, dOutput)) {
      return new Results(perSequence(output, logarithms, dInput), List.of());
    }
  }

  static Results crossEntropy(List<Integer> which) {
    // The plain sum: the gradient of a sequence does not depend on how many steps others have.
    CrossEntropy loss = new CrossEntropy(Divisor.SUM_OVER_STEPS);
    try (PackedSequence scores = Data.batch(which, OUTPUTS, 1);
        PackedTokens targets = tokens(which, OUTPUTS);
        LossGradient gradient = loss.gradient(scores, targets)) {
      return new Results(perSequence(gradient.gradient()), List.of());
    }
  }

  static Function<List<Integer>, Results> activation(Activation kind) {
    return which -> {
      try (PackedSequence input = Data.batch(which, OUTPUTS, 1);
          PackedSequence output = kind.forward(input);
          PackedSequence dOutput = Data.batch(which, OUTPUTS, 2);
          PackedSequence dInput = kind.backward(output, dOutput)) {
        return new Results(perSequence(output, dInput), List.of());
      }
    };
  }

  static Function<List<Integer>, Results> pooling(Pooling kind) {
    return which -> {
      try (PackedSequence input = Data.batch(which, OUTPUTS, 1);
          PackedSequence output = kind.forward(input);
          PackedSequence dInput = kind.backward(input, output, output)) {
        return new Results(perSequence(output, dInput), List.of());
      }
    };
  }

  static Results dropout(List<Integer> which) {
    Dropout dropout = new Dropout(0.4, 8);
    try (PackedSequence input = Data.batch(which, OUTPUTS, 1);
        PackedSequence output = dropout.forwardTraining(input, 9);
        PackedSequence dInput = dropout.backward(output, 9)) {
      return new Results(perSequence(output, dInput), List.of());
    }
  }

  static Results features(List<Integer> which) {
    try (PackedSequence a = Data.batch(which, INPUTS, 1);
        PackedSequence b = Data.batch(which, INPUTS, 2);
        PackedSequence sum = Features.sum(a, b, 0.3f);
        PackedSequence multiple = Features.scale(a, 0.7f);
        PackedSequence all = Features.concatenate(a, sum, multiple);
        PackedSequence some = Features.slice(all, INPUTS - 1, 2 * INPUTS + 1);
        PackedSequence product = Features.product(a, b);
        PackedSequence pooled = Pooling.MAX.forward(product);
        PackedSequence repeated = Features.repeat(pooled, a.layout())) {
      return new Results(perSequence(all, some, product, repeated), List.of());
    }
  }

  /** Plain, and with weights of elements; each sequence by itself, for the divisor is no number of the batch. */
  static Function<List<Integer>, Results> loss(ElementLoss loss) {
    return which -> {
      try (PackedSequence outputs = Data.batch(which, OUTPUTS, 1);
          PackedSequence targets = Data.batch(which, OUTPUTS, 2);
          PackedSequence weights = Data.batch(which, OUTPUTS, 3);
          PackedSequence losses = loss.ofEachStep(outputs, targets);
          LossGradient plain = loss.gradient(outputs, targets);
          LossGradient weighted = loss.gradient(outputs, targets, weights)) {
        return new Results(perSequence(losses, plain.gradient(), weighted.gradient()), List.of());
      }
    };
  }

  /** Likewise. */
  static Results smoothedLabels(List<Integer> which) {
    CrossEntropy loss = new CrossEntropy(Divisor.SUM_OVER_STEPS, 0.1);
    try (PackedSequence scores = Data.batch(which, OUTPUTS, 1);
        PackedTokens targets = tokens(which, OUTPUTS);
        PackedSequence losses = loss.ofEachStep(scores, targets);
        LossGradient gradient = loss.gradient(scores, targets)) {
      return new Results(perSequence(losses, gradient.gradient()), List.of());
    }
  }

  private static PackedTokens tokens(List<Integer> which, int vocabulary) {
    return PackedTokens.of(which.stream().map(b -> Data.tokens(b, vocabulary, 7)).toArray(int[][]::new), vocabulary);
  }

  private static float[][][] perSequence(PackedSequence... batches) {
    float[][][] results = new float[batches[0].layout().sequences()][batches.length][];
    for (int i = 0; i < batches.length; i++) {
      float[][] flat = batches[i].toFlatArrays();
      for (int b = 0; b < flat.length; b++) {
        results[b][i] = flat[b];
      }
    }
    return results;
  }
}
