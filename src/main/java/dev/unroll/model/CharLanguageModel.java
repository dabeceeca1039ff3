package dev.unroll.model;

import dev.unroll.internal.Checks;
import dev.unroll.io.SafeTensors;
import dev.unroll.io.SafeTensorsException;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Map;
import java.util.function.Consumer;

/** A {@link LanguageModel} whose tokens are the characters of a {@link CharVocabulary}. */
public final class CharLanguageModel implements AutoCloseable {
  private static final String CHARACTERS = "characters";

  private final CharVocabulary vocabulary;
  private final LanguageModel model;

  /**
   * Puts a vocabulary and a model together.
   *
   * @param vocabulary the characters
   * @param model a model of as many tokens; closed with this object
   * @throws NullPointerException if an argument is null
   * @throws IllegalArgumentException if their sizes differ
   */
  public CharLanguageModel(CharVocabulary vocabulary, LanguageModel model) {
    this.vocabulary = Checks.notNull("vocabulary", vocabulary);
    this.model = Checks.notNull("model", model);
    Checks.equal("vocabulary of model", model.vocabulary(), vocabulary.size());
  }

  /**
   * Makes a model of the default sizes.
   *
   * @param vocabulary the characters
   * @return a new model; close it to free its memory
   * @throws NullPointerException if {@code vocabulary} is null
   */
  public static CharLanguageModel of(CharVocabulary vocabulary) {
    int size = Checks.notNull("vocabulary", vocabulary).size();
    return new CharLanguageModel(vocabulary, LanguageModel.builder(size).build());
  }

  /**
   * Writes this model to a safetensors file, from which {@link #load} makes it again.
   *
   * @param file its path, in a folder that exists; a file that is there is replaced, by a complete one only
   * @throws NullPointerException if {@code file} is null
   * @throws IllegalArgumentException if the vocabulary has half of a surrogate pair, which no file can hold
   * @throws IllegalStateException if this model is closed
   * @throws IOException if it cannot be written
   */
  public void save(Path file) throws IOException {
    ModelFile.save(Checks.notNull("file", file), model, Map.of(CHARACTERS, vocabulary.characters()));
  }

  /**
   * Makes the model that a file holds.
   *
   * @param file what {@link #save} wrote
   * @return a model that predicts the same bits; a training begins anew. Close it to free its memory
   * @throws NullPointerException if {@code file} is null
   * @throws SafeTensorsException if the file is malformed, or holds no such model; the message says why
   * @throws IOException if there is no such file, or it cannot be read
   */
  public static CharLanguageModel load(Path file) throws IOException {
    try (SafeTensors saved = SafeTensors.open(file)) {
      String characters = saved.metadata().getOrDefault(CHARACTERS, "");
      if (characters.isEmpty()) {
        throw new SafeTensorsException(file, "no " + CHARACTERS + " in the metadata: expected a model of characters");
      }
      CharVocabulary vocabulary = CharVocabulary.of(characters);
      LanguageModel model = ModelFile.load(saved);
      if (model.vocabulary() != vocabulary.size()) {
        model.close();
        String found = vocabulary.size() + " characters for " + model.vocabulary() + " tokens";
        throw new SafeTensorsException(file, found + ": expected as many");
      }
      return new CharLanguageModel(vocabulary, model);
    }
  }

  /**
   * Returns the characters.
   *
   * @return the vocabulary
   */
  public CharVocabulary vocabulary() {
    return vocabulary;
  }

  /**
   * Returns the model of tokens.
   *
   * @return the model; closed with this object
   */
  public LanguageModel model() {
    return model;
  }

  /**
   * Trains on a text.
   *
   * @param text 2 characters or more of the vocabulary
   * @param options how
   * @param listener told about every window, or {@code null}
   * @return mean loss of the last epoch, in nats per character
   * @throws NullPointerException if {@code text} or {@code options} is null
   * @throws IllegalArgumentException if the text is too short or has a character outside the vocabulary
   * @throws IllegalStateException if this model is closed
   */
  public double train(String text, TrainingOptions options, Consumer<TrainingProgress> listener) {
    return model.train(vocabulary.encode(text), options, listener);
  }

  /**
   * Trains on a text, and goes on from where an earlier training of the same text and options was stopped: {@link
   * LanguageModel#train(int[], TrainingOptions, Path, Consumer)}.
   *
   * @param text 2 characters or more of the vocabulary
   * @param options how
   * @param checkpoint the file that is written after every epoch
   * @param listener told about every window, or {@code null}
   * @return mean loss of the last epoch, in nats per character
   * @throws NullPointerException if {@code text}, {@code options} or {@code checkpoint} is null
   * @throws IllegalArgumentException if the text is too short or has a character outside the vocabulary
   * @throws IllegalStateException if this model is closed
   * @throws SafeTensorsException if the file is malformed, or of another training
   * @throws IOException if the file cannot be read or written
   */
  public double train(String text, TrainingOptions options, Path checkpoint, Consumer<TrainingProgress> listener)
      throws IOException {
    return model.train(vocabulary.encode(text), options, checkpoint, listener);
  }

  /**
   * Computes how well the model predicts a text, read from its start.
   *
   * @param text 2 characters or more of the vocabulary
   * @return mean loss over all characters but the first, in nats per character
   * @throws NullPointerException if {@code text} is null
   * @throws IllegalArgumentException if the text is too short or has a character outside the vocabulary
   * @throws IllegalStateException if this model is closed
   */
  public double evaluate(String text) {
    return model.evaluate(vocabulary.encode(text));
  }

  /**
   * Predicts, after each character of a text, the most probable next one.
   *
   * @param text characters of the vocabulary
   * @return as many characters
   * @throws NullPointerException if {@code text} is null
   * @throws IllegalArgumentException if it has a character outside the vocabulary
   * @throws IllegalStateException if this model is closed
   */
  public String predict(String text) {
    return vocabulary.decode(model.predict(vocabulary.encode(text)));
  }

  /**
   * Goes on with a text: each character is drawn from the model's probabilities and becomes the next input.
   *
   * @param prime the text to go on from, 1 character or more of the vocabulary
   * @param length characters to generate, 0 or more
   * @param temperature above 0 divides the scores before the softmax; 0 always takes the most probable character
   * @param seed of the random numbers: the same seed gives the same text
   * @return the generated text, without the prime
   * @throws NullPointerException if {@code prime} is null
   * @throws IllegalArgumentException if an argument is out of range or a character outside the vocabulary
   * @throws IllegalStateException if this model is closed
   */
  public String generate(String prime, int length, double temperature, long seed) {
    int[] start = vocabulary.encode(Checks.notNull("prime", prime));
    return vocabulary.decode(model.generate(start, length, temperature, seed));
  }

  /** Frees the memory of the model; calling it again does nothing. */
  @Override
  public void close() {
    model.close();
  }
}
