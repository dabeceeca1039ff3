package dev.unroll.train;

import dev.unroll.sequence.SequenceLayout;
import java.util.function.DoubleSupplier;

/** What the sum of a loss over all real steps of a batch is divided by. Padding never counts: there is none. */
public enum Divisor {
  /**
   * The number of real steps: the mean over all steps of all sequences. PyTorch's {@code reduction="mean"} without
   * weights, Keras' mean, weighted or not.
   */
  MEAN_OVER_STEPS {
    @Override
    double of(SequenceLayout layout, DoubleSupplier weights) {
      return layout.rows();
    }
  },
  /**
   * The sum of the steps' weights, or of the elements', PyTorch's {@code reduction="mean"} of classes with weights;
   * without weights, each weighs 1. NaN comes of weights that sum to 0.
   */
  MEAN_OVER_WEIGHTS {
    @Override
    double of(SequenceLayout layout, DoubleSupplier weights) {
      return weights.getAsDouble();
    }
  },
  /** The number of sequences, those without steps included: each gives the sum over its steps. */
  SUM_OVER_STEPS_MEAN_OVER_SEQUENCES {
    @Override
    double of(SequenceLayout layout, DoubleSupplier weights) {
      return layout.sequences();
    }
  },
  /**
   * One: the plain sum over steps, for {@link CrossEntropy} PyTorch's {@code reduction="sum"}. (An {@link ElementLoss}
   * takes the mean over features first.)
   */
  SUM_OVER_STEPS {
    @Override
    double of(SequenceLayout layout, DoubleSupplier weights) {
      return 1;
    }
  };

  abstract double of(SequenceLayout layout, DoubleSupplier weights);
}
