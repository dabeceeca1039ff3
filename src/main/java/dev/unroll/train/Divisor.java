package dev.unroll.train;

import dev.unroll.sequence.SequenceLayout;

/** What the sum of a loss over all real steps of a batch is divided by. Padding never counts: there is none. */
public enum Divisor {
  /** The number of real steps: the mean over all steps of all sequences. PyTorch's {@code reduction="mean"}. */
  MEAN_OVER_STEPS {
    @Override
    double of(SequenceLayout layout) {
      return layout.rows();
    }
  },
  /** The number of sequences: each counts with its length. */
  SUM_OVER_STEPS_MEAN_OVER_SEQUENCES {
    @Override
    double of(SequenceLayout layout) {
      return layout.sequences();
    }
  },
  /** One: the plain sum. PyTorch's {@code reduction="sum"}. */
  SUM_OVER_STEPS {
    @Override
    double of(SequenceLayout layout) {
      return 1;
    }
  };

  abstract double of(SequenceLayout layout);
}
