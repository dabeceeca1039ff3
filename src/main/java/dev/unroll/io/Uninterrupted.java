package dev.unroll.io;

import java.io.IOException;
import java.nio.channels.ClosedChannelException;

/** Work on files that interrupting a thread does not end: it closes the channel that the thread uses, for all others. */
final class Uninterrupted {
  private Uninterrupted() {}

  /** What is to be done; it may be begun again. */
  interface Work {
    /** Opens its channel if that is closed. */
    void run() throws IOException;
  }

  /** Does the work; a thread that was interrupted before or meanwhile is so afterwards. */
  static void run(Work work) throws IOException {
    boolean interrupted = false;
    try {
      for (boolean done = false; !done; ) {
        interrupted |= Thread.interrupted();
        done = hasRun(work);
      }
    } finally {
      if (interrupted) {
        Thread.currentThread().interrupt();
      }
    }
  }

  private static boolean hasRun(Work work) throws IOException {
    try {
      work.run();
      return true;
    } catch (ClosedChannelException e) {
      return false; // by an interruption, of this thread or another
    }
  }
}
