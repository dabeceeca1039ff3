package dev.unroll.model;

import dev.unroll.Workspace;
import dev.unroll.internal.Checks;
import dev.unroll.internal.Lease;
import dev.unroll.internal.RandomPurpose;
import dev.unroll.io.SafeTensors;
import dev.unroll.io.SafeTensorsException;
import dev.unroll.layer.Embedding;
import dev.unroll.layer.Gru;
import dev.unroll.layer.Linear;
import dev.unroll.layer.Lstm;
import dev.unroll.layer.Parameter;
import dev.unroll.layer.Recurrent;
import dev.unroll.layer.RecurrentOutput;
import dev.unroll.layer.RecurrentSession;
import dev.unroll.layer.Rnn;
import dev.unroll.layer.State;
import dev.unroll.sequence.PackedSequence;
import dev.unroll.sequence.PackedTokens;
import dev.unroll.sequence.TokenVectors;
import dev.unroll.train.CrossEntropy;
import dev.unroll.train.Divisor;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import java.util.function.Function;

/**
 * Predicts the next token of a sequence from all tokens before it: embedding, recurrent layers, linear layer, softmax.
 *
 * <p>Any number of threads may evaluate and generate with one model at once; training is one thread's business, alone.
 */
public final class LanguageModel implements AutoCloseable {
  private static final int EVALUATION_WINDOW = 512;

  private final Embedding embedding;
  private final Recurrent recurrent;
  private final Linear linear;
  private final double dropout;
  private final long seed;
  private long dropoutKey; // of the next training window

  LanguageModel(Embedding embedding, Recurrent recurrent, Linear linear, double dropout, long seed) {
    this.dropout = dropout;
    this.embedding = embedding;
    this.recurrent = recurrent;
    this.linear = linear;
    this.seed = seed;
    dropoutKey = RandomPurpose.seedOf(seed, 3);
  }

  /**
   * Starts a model.
   *
   * @param vocabulary how many tokens there are, 1 or more
   * @return its builder
   * @throws IllegalArgumentException if below 1
   */
  public static LanguageModelBuilder builder(int vocabulary) {
    return new LanguageModelBuilder(vocabulary);
  }

  /**
   * Writes this model to a safetensors file, from which {@link #load} makes it again.
   *
   * @param file its path, in a folder that exists; a file that is there is replaced, by a complete one only
   * @throws NullPointerException if {@code file} is null
   * @throws IllegalStateException if this model is closed
   * @throws IOException if it cannot be written
   */
  public void save(Path file) throws IOException {
    ModelFile.save(Checks.notNull("file", file), this, Map.of());
  }

  /**
   * Makes the model that a file holds.
   *
   * @param file what {@link #save} wrote
   * @return a model that predicts the same bits; a training begins anew. Close it to free its memory
   * @throws NullPointerException if {@code file} is null
   * @throws SafeTensorsException if the file is malformed, or holds no language model; the message says why
   * @throws IOException if there is no such file, or it cannot be read
   */
  public static LanguageModel load(Path file) throws IOException {
    try (SafeTensors saved = SafeTensors.open(file)) {
      return ModelFile.load(saved);
    }
  }

  /** The probability to drop an element between recurrent layers while training. */
  double dropout() {
    return dropout;
  }

  /** What the elements to drop are chosen by, beside the key. */
  long seed() {
    return seed;
  }

  /** Chooses the elements that the next training window drops. */
  long dropoutKey() {
    return dropoutKey;
  }

  void dropoutKey(long key) {
    dropoutKey = key;
  }

  /**
   * Counts the tokens that there are.
   *
   * @return vocabulary
   */
  public int vocabulary() {
    return embedding.vocabulary();
  }

  /**
   * Returns the parameters by name: {@code embedding.weight}, {@code recurrent.weight_ih_l0}, ..., {@code linear.bias}.
   *
   * @return all of them, always in the same order
   */
  public Map<String, Parameter> parameters() {
    Map<String, Parameter> named = new LinkedHashMap<>();
    embedding.parameters().forEach(p -> named.put("embedding." + p.name(), p));
    recurrent.parameters().forEach(p -> named.put("recurrent." + p.name(), p));
    linear.parameters().forEach(p -> named.put("linear." + p.name(), p));
    return named;
  }

  /**
   * Counts the weights.
   *
   * @return the number of values of all parameters together
   */
  public long parameterCount() {
    return embedding.parameterCount() + recurrent.parameterCount() + linear.parameterCount();
  }

  /**
   * Trains on a text.
   *
   * @param tokens the text, 2 tokens or more of the vocabulary; each is to be predicted from those before it
   * @param options how
   * @param listener told about every window, or {@code null}; it may evaluate or save this model, and ends the training
   *     by an exception, which comes out here
   * @return mean loss of the last epoch, in nats per token
   * @throws NullPointerException if {@code tokens} or {@code options} is null
   * @throws IllegalArgumentException if there are fewer than 2 tokens, or one is outside the vocabulary
   * @throws IllegalStateException if this model is closed
   */
  public double train(int[] tokens, TrainingOptions options, Consumer<TrainingProgress> listener) {
    checkTokens(tokens, 2);
    Checks.notNull("options", options);
    try (LanguageModelTrainer trainer = new LanguageModelTrainer(this, options)) {
      return trainer.train(tokens, listener == null ? progress -> {} : listener);
    }
  }

  /**
   * Trains on a text, and writes what it takes to go on to a file, at first and after every epoch. If there is such a
   * file, the training goes on from it: one that was stopped ends with the bits of one that never was. Once it has ended,
   * calling it again takes over the weights of the file and does nothing else.
   *
   * @param tokens the text, as {@link #train(int[], TrainingOptions, Consumer)} takes it, the same every time
   * @param options how, the same every time
   * @param checkpoint the file, in a folder that exists; it is replaced by a complete one only
   * @param listener told about every window, or {@code null}; it may end the training by an exception
   * @return mean loss of the last epoch, in nats per token
   * @throws NullPointerException if {@code tokens}, {@code options} or {@code checkpoint} is null
   * @throws IllegalArgumentException if there are fewer than 2 tokens, or one is outside the vocabulary
   * @throws IllegalStateException if this model is closed
   * @throws SafeTensorsException if the file is malformed, or of another training: of another text, other options or sizes,
   *     or, with dropout, another seed; this model is as before then
   * @throws IOException if the file cannot be read or written
   */
  public double train(int[] tokens, TrainingOptions options, Path checkpoint, Consumer<TrainingProgress> listener)
      throws IOException {
    checkTokens(tokens, 2);
    Checks.notNull("options", options);
    Checks.notNull("checkpoint", checkpoint);
    try (LanguageModelTrainer trainer = new LanguageModelTrainer(this, options)) {
      return trainer.train(tokens, listener == null ? progress -> {} : listener, checkpoint);
    }
  }

  /**
   * Computes how well the model predicts a text, read from its start as one sequence.
   *
   * @param tokens the text, 2 tokens or more of the vocabulary
   * @return mean of {@code -log p(token | all before)} over all tokens but the first, in nats
   * @throws NullPointerException if {@code tokens} is null
   * @throws IllegalArgumentException if there are fewer than 2 tokens, or one is outside the vocabulary
   * @throws IllegalStateException if this model is closed
   */
  public double evaluate(int[] tokens) {
    checkTokens(tokens, 2);
    CrossEntropy loss = new CrossEntropy(Divisor.SUM_OVER_STEPS);
    int last = tokens.length - 1;
    double sum = 0;
    State state = null;
    try (Workspace workspace = new Workspace()) {
      for (int start = 0, end; start < last; start = end) {
        end = start + Math.min(EVALUATION_WINDOW, last - start);
        int[] window = Arrays.copyOfRange(tokens, start, end);
        int[] targets = Arrays.copyOfRange(tokens, start + 1, end + 1);
        try (PackedTokens input = PackedTokens.of(workspace, new int[][] {window}, vocabulary());
            PackedTokens right = PackedTokens.of(workspace, new int[][] {targets}, vocabulary());
            State before = state;
            Pass pass = forward(input, before)) {
          state = pass.states().takeFinalState();
          sum += loss.loss(pass.scores(), right);
        }
      }
    } finally {
      if (state != null) {
        state.close();
      }
    }
    return sum / last;
  }

  /**
   * Predicts, after each token of a text, the most probable next one.
   *
   * @param tokens the text, of the vocabulary
   * @return as many tokens
   * @throws NullPointerException if {@code tokens} is null
   * @throws IllegalArgumentException if one is outside the vocabulary
   * @throws IllegalStateException if this model is closed
   */
  public int[] predict(int[] tokens) {
    checkTokens(tokens, 0);
    parameterList().forEach(parameter -> parameter.memory().checkOpen());
    int[] next = new int[tokens.length];
    try (LanguageModelSession session = session()) {
      for (int i = 0; i < tokens.length; i++) {
        next[i] = Sampler.mostProbable(session.next(tokens[i]));
      }
    }
    return next;
  }

  /**
   * Generates a text: each token is drawn from the probabilities that the model gives after all before, and becomes the
   * next input.
   *
   * @param prime the text to go on from, 1 token or more
   * @param length tokens to generate, 0 or more
   * @param temperature above 0 divides the scores before the softmax; 0 always takes the most probable token
   * @param seed of the random numbers: the same seed gives the same text
   * @return the generated tokens, without the prime
   * @throws NullPointerException if {@code prime} is null
   * @throws IllegalArgumentException if an argument is out of range or a token outside the vocabulary
   * @throws IllegalStateException if this model is closed
   */
  public int[] generate(int[] prime, int length, double temperature, long seed) {
    checkTokens(Checks.notNull("prime", prime), 1);
    Checks.notNegative("length", length);
    Sampler sampler = new Sampler(temperature, seed, length);
    int[] generated = new int[length];
    try (LanguageModelSession session = session()) {
      float[] scores = null;
      for (int token : prime) {
        scores = session.next(token);
      }
      for (int i = 0; i < length; i++) {
        generated[i] = sampler.next(scores);
        scores = i + 1 < length ? session.next(generated[i]) : null;
      }
    }
    return generated;
  }

  /**
   * Starts reading a text token by token.
   *
   * @return a session of its own state; close it to free its memory
   * @throws IllegalStateException if this model is closed
   */
  public LanguageModelSession session() {
    return new LanguageModelSession(this, recurrent.session(1), embedding.size(), recurrent.outputSize());
  }

  /** Takes a session's token through all layers. */
  void step(int token, float[] embedded, RecurrentSession session, float[] output, float[] scores) {
    embedding.forward(token, embedded);
    session.step(embedded, output);
    linear.forward(output, scores);
  }

  private void checkTokens(int[] tokens, int least) {
    int count = Checks.notNull("tokens", tokens).length;
    if (count < least) {
      throw Checks.unexpected("number of tokens", count, least + " or more");
    }
    Checks.indices("tokens", tokens, vocabulary());
  }

  /** Runs all layers over a batch; closing the pass frees everything but a final state that was taken over. */
  Pass forward(PackedTokens tokens, State initial) {
    return run(tokens, input -> recurrent.infer(input, initial));
  }

  /** The same in training, with dropout. */
  Pass forwardTraining(PackedTokens tokens, State initial) {
    return run(tokens, input -> recurrent.forwardTraining(input, initial, dropoutKey++));
  }

  private Pass run(PackedTokens tokens, Function<TokenVectors, RecurrentOutput> layers) {
    try (Lease lease = new Lease()) {
      TokenVectors embedded = lease.result(TokenVectors.of(tokens, embedding::forward));
      RecurrentOutput states = lease.result(layers.apply(embedded));
      return lease.done(new Pass(embedded, states, linear.forward(states.outputs())));
    }
  }

  /** Adds to the gradients of all layers; the state that a window starts from gets none, which truncates it. */
  void backward(Pass pass, PackedSequence scoresGradient) {
    try (PackedSequence dOutputs = linear.backward(pass.states.outputs(), scoresGradient);
        var gradients = recurrent.backward(pass.states, dOutputs, null)) {
      embedding.backward(pass.embedded.distinct(), gradients.input());
    }
  }

  List<Parameter> parameterList() {
    return new ArrayList<>(parameters().values());
  }

  /** Frees the memory of all layers; calling it again does nothing. */
  @Override
  public void close() {
    embedding.close();
    recurrent.close();
    linear.close();
  }

  /** The kinds of recurrent layers, with their default options. */
  public enum Cell {
    /** {@link Rnn} with tanh. */
    RNN,
    /** {@link Lstm}. */
    LSTM,
    /** {@link Gru}. */
    GRU
  }

  /** What one forward pass computed. */
  record Pass(TokenVectors embedded, RecurrentOutput states, PackedSequence scores)
      implements AutoCloseable {
    @Override
    public void close() {
      embedded.close();
      states.close();
      scores.close();
    }
  }
}
