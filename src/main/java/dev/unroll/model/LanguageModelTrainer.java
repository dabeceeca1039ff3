package dev.unroll.model;

import dev.unroll.Workspace;
import dev.unroll.layer.State;
import dev.unroll.sequence.PackedTokens;
import dev.unroll.train.Adam;
import dev.unroll.train.CrossEntropy;
import dev.unroll.train.Divisor;
import dev.unroll.train.LossGradient;
import java.io.IOException;
import java.nio.file.Path;
import java.util.function.Consumer;

/**
 * Truncated back-propagation through time over a text. The text is cut into streams of nearly equal length that run
 * side by side; a window of each is one batch, and the state goes on from window to window.
 */
final class LanguageModelTrainer implements AutoCloseable {
  private final LanguageModel model;
  private final TrainingOptions options;
  private final CrossEntropy loss = new CrossEntropy(Divisor.MEAN_OVER_STEPS);
  private final Adam optimizer;
  private final Workspace workspace = new Workspace();
  private State state;

  LanguageModelTrainer(LanguageModel model, TrainingOptions options) {
    this.model = model;
    this.options = options;
    optimizer = Adam.builder(model.parameterList()).clipNorm(options.clipNorm()).build();
  }

  double train(int[] tokens, Consumer<TrainingProgress> listener) {
    double epochLoss = 0;
    for (int epoch = 0; epoch < options.epochs(); epoch++) {
      epochLoss = trainEpoch(tokens, epoch, listener);
    }
    return epochLoss;
  }

  double train(int[] tokens, Consumer<TrainingProgress> listener, Path file) throws IOException {
    TrainingCheckpoint checkpoint = new TrainingCheckpoint(file, model, optimizer, options, tokens);
    TrainingCheckpoint.Position position = checkpoint.resume();
    while (position.epochs() < options.epochs()) {
      double epochLoss = trainEpoch(tokens, position.epochs(), listener);
      position = new TrainingCheckpoint.Position(position.epochs() + 1, epochLoss);
      checkpoint.write(position);
    }
    return position.loss();
  }

  /** Trains on the whole text once, from a state of zeros, and returns the mean loss. */
  private double trainEpoch(int[] tokens, int epoch, Consumer<TrainingProgress> listener) {
    long steps = tokens.length - 1; // every token but the first is predicted
    double sum = 0;
    long done = 0;
    for (Windows windows = new Windows(tokens, epoch); windows.hasNext(); ) {
      int[][] inputs = windows.inputs();
      int[][] targets = windows.targets();
      windows.advance();
      int count = count(inputs);
      optimizer.learningRate(options.learningRateAt((double) (epoch * steps + done) / (options.epochs() * steps)));
      try (PackedTokens x = PackedTokens.of(workspace, inputs, model.vocabulary());
          PackedTokens y = PackedTokens.of(workspace, targets, model.vocabulary());
          LanguageModel.Pass pass = model.forwardTraining(x, state);
          LossGradient gradient = loss.gradient(pass.scores(), y)) {
        optimizer.zeroGradients();
        model.backward(pass, gradient.gradient());
        optimizer.step();
        carry(pass.states().takeFinalState());
        done += count;
        sum += gradient.loss() * count;
        listener.accept(
            new TrainingProgress(
                epoch + 1, options.epochs(), epoch * steps + done, options.epochs() * steps, gradient.loss()));
      }
    }
    carry(null);
    return sum / steps;
  }

  /** Goes on from a state, or from zero. */
  private void carry(State next) {
    if (state != null) {
      state.close();
    }
    state = next;
  }

  private static int count(int[][] sequences) {
    int count = 0;
    for (int[] sequence : sequences) {
      count += sequence.length;
    }
    return count;
  }

  @Override
  public void close() {
    carry(null);
    optimizer.close();
    workspace.close();
  }

  /** The windows of one epoch, in order. */
  private final class Windows {
    private final int[] tokens;
    private final int[] position; // of every stream, the next input
    private final int[] end;
    private int size;

    Windows(int[] tokens, int epoch) {
      this.tokens = tokens;
      int steps = tokens.length - 1;
      int streams = Math.min(options.streams(), steps);
      position = new int[streams];
      end = new int[streams];
      for (int s = 0; s < streams; s++) {
        position[s] = (int) ((long) steps * s / streams);
        end[s] = (int) ((long) steps * (s + 1) / streams);
      }
      // The first window differs from epoch to epoch, so that gradients are not always cut at the same places.
      size = options.window() - (int) ((long) options.window() * epoch / options.epochs());
    }

    boolean hasNext() {
      for (int s = 0; s < position.length; s++) {
        if (position[s] < end[s]) {
          return true;
        }
      }
      return false;
    }

    int[][] inputs() {
      return slices(0);
    }

    int[][] targets() {
      return slices(1);
    }

    private int[][] slices(int shift) {
      int[][] slices = new int[position.length][];
      for (int s = 0; s < slices.length; s++) {
        int length = Math.min(size, end[s] - position[s]);
        slices[s] = new int[length];
        System.arraycopy(tokens, position[s] + shift, slices[s], 0, length);
      }
      return slices;
    }

    void advance() {
      for (int s = 0; s < position.length; s++) {
        position[s] += Math.min(size, end[s] - position[s]);
      }
      size = options.window();
    }
  }
}
