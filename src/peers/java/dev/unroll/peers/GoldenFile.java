package dev.unroll.peers;

import dev.unroll.peers.RecurrentShape.Cell;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;

/** Writes PyTorch's answers to a few small cases into the file that {@code PyTorchGoldenTest} reads. */
public final class GoldenFile {
  private GoldenFile() {}

  /** Takes the file's name. */
  public static void main(String[] arguments) throws IOException {
    Peer peer = new PyTorch();
    StringBuilder text = new StringBuilder();
    text.append("# Answers of ").append(peer.name()).append(", written by dev.unroll.peers.GoldenFile (src/peers).\n");
    text.append("# Random weights and inputs; gradients (d_) are those of the sums of outputs times from_output,\n");
    text.append("# final_h times from_final_h and final_c times from_final_c. Form: dev.unroll.peers.GoldenText.\n");
    for (Cell cell : Arrays.stream(Cell.values()).filter(peer::computes).toList()) {
      int projection = cell == Cell.LSTM_PROJECTED ? 2 : 0;
      append(text, peer, new RecurrentShape(cell, 3, 4, projection, 1, false, true, new int[] {4}), false);
      append(text, peer, new RecurrentShape(cell, 2, 5, projection, 1, true, false, new int[] {2, 0, 9, 1}), true);
      append(text, peer, new RecurrentShape(cell, 3, 3, projection, 2, true, true, new int[] {1, 5, 3}), true);
      append(text, peer, new RecurrentShape(cell, 1, 17, projection, 1, false, true, new int[] {3, 2}), true);
    }
    Files.writeString(Path.of(arguments[0]), text);
    System.out.println(arguments[0] + ": " + text.length() + " bytes");
  }

  private static void append(StringBuilder text, Peer peer, RecurrentShape shape, boolean initialState) {
    RecurrentCase problem = RandomCases.rounded(shape, initialState, shape.hidden());
    text.append(GoldenText.write(new GoldenText.Answered(problem, peer.run(problem))));
  }
}
