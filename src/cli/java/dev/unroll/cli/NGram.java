package dev.unroll.cli;

import java.util.HashMap;
import java.util.Map;

/**
 * Predicts the next token from the last few: the baseline that a recurrent network has to beat. Order n looks at n - 1
 * tokens of context.
 *
 * <p>The orders are interpolated as Witten and Bell do (I. H. Witten, T. C. Bell: The zero-frequency problem, IEEE
 * Transactions on Information Theory 37(4), 1991, method C; S. F. Chen, J. Goodman: An empirical study of smoothing
 * techniques for language modeling, 1998, section 2.4):
 *
 * <pre>
 *   p(token | context) = (count(context token) + kinds(context) p(token | shorter context))
 *                        / (count(context) + kinds(context))
 * </pre>
 *
 * <p>where kinds counts the different tokens seen after the context; below the empty context all tokens are equally
 * probable.
 */
final class NGram {
  private final int order;
  private final int vocabulary;
  private final Context root = new Context();

  /**
   * Counts what follows what in a text.
   *
   * @param text tokens, each at least 0 and below {@code vocabulary}
   * @param vocabulary how many tokens there are, 1 or more
   * @param order the highest that can be asked for, 1 or more
   */
  NGram(int[] text, int vocabulary, int order) {
    this.order = order;
    this.vocabulary = vocabulary;
    for (int i = 0; i < text.length; i++) {
      Context context = root;
      context.count(text[i]);
      for (int back = 1; back < order && back <= i; back++) {
        context = context.longer.computeIfAbsent(text[i - back], token -> new Context());
        context.count(text[i]);
      }
    }
  }

  /**
   * Computes how probable a token is after the text before a position; near the text's start the context is shorter.
   *
   * @param text tokens; only those before the position are looked at
   * @param position of the token to predict, 0 or more
   * @param token to predict
   * @param n the order, 1 up to that of this object
   */
  double probability(int[] text, int position, int token, int n) {
    if (n < 1 || n > order) {
      throw new IllegalArgumentException("n is " + n + ": expected 1 to " + order);
    }
    double probability = root.interpolate(1.0 / vocabulary, token);
    Context context = root;
    for (int back = 1; back < n && back <= position; back++) {
      context = context.longer.get(text[position - back]);
      if (context == null) {
        break; // a context never seen says nothing: the shorter one decides
      }
      probability = context.interpolate(probability, token);
    }
    return probability;
  }

  /**
   * Computes how well a text is predicted, as {@code LanguageModel.evaluate} does.
   *
   * @param text 2 tokens or more
   * @param n the order, 1 up to that of this object
   * @return mean of {@code -log p} over all tokens but the first, in nats
   */
  double loss(int[] text, int n) {
    double sum = 0;
    for (int i = 1; i < text.length; i++) {
      sum -= Math.log(probability(text, i, text[i], n));
    }
    return sum / (text.length - 1);
  }

  /** What followed one context. The contexts that are one token longer, to the left, hang below it. */
  private static final class Context {
    private final Map<Integer, Context> longer = new HashMap<>();
    private final Map<Integer, Integer> counts = new HashMap<>();
    private int total;

    void count(int token) {
      counts.merge(token, 1, Integer::sum);
      total++;
    }

    double interpolate(double shorter, int token) {
      int kinds = counts.size();
      if (kinds == 0) {
        return shorter; // only the root of an empty text
      }
      return (counts.getOrDefault(token, 0) + kinds * shorter) / (total + kinds);
    }
  }
}
