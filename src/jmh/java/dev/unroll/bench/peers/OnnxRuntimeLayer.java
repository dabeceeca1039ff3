package dev.unroll.bench.peers;

import ai.onnxruntime.OrtException;
import dev.unroll.bench.work.Subject;
import dev.unroll.peers.OnnxModel;
import dev.unroll.peers.RecurrentCase;
import dev.unroll.peers.RecurrentShape;
import java.util.LinkedHashMap;
import java.util.Map;

/** A layer of ONNX Runtime on a padded batch, with lengths where they differ; weights are constants of its model. */
final class OnnxRuntimeLayer implements Subject {
  private final RecurrentShape shape;
  private final PaddedRows rows;
  private final OnnxRuntimeCall call;

  OnnxRuntimeLayer(RecurrentCase problem, int threads) throws OrtException {
    shape = problem.shape();
    rows = new PaddedRows(shape);
    int steps = rows.steps();
    int sequences = rows.sequences();
    int hidden = shape.hidden();
    call = new OnnxRuntimeCall(OnnxModel.ofLayer(problem, !rows.isFull()), threads);
    float[] x = rows.pad(problem.given(RecurrentCase.INPUT), shape.inputs());
    call.input("X", x, steps, sequences, shape.inputs());
    if (!rows.isFull()) {
      call.input("lengths", rows.lengths());
    }
    inputState("initial_h", RecurrentCase.INITIAL_H, problem);
    call.output("Y", steps * sequences * hidden, steps, 1, sequences, hidden);
    call.output("Y_h", sequences * hidden, 1, sequences, hidden);
    if (shape.cell().hasCells()) {
      inputState("initial_c", RecurrentCase.INITIAL_C, problem);
      call.output("Y_c", sequences * hidden, 1, sequences, hidden);
    }
  }

  private void inputState(String name, String given, RecurrentCase problem) throws OrtException {
    call.input(
        name, rows.orderState(problem.given(given), shape.hidden()), 1, rows.sequences(), shape.hidden());
  }

  @Override
  public void run() {
    call.run();
  }

  @Override
  public Map<String, float[]> results() {
    run();
    Map<String, float[]> results = new LinkedHashMap<>();
    results.put(RecurrentCase.OUTPUT, rows.unpad(call.result("Y"), shape.hidden()));
    results.put(RecurrentCase.FINAL_H, rows.restoreState(call.result("Y_h"), shape.hidden()));
    if (shape.cell().hasCells()) {
      results.put(RecurrentCase.FINAL_C, rows.restoreState(call.result("Y_c"), shape.hidden()));
    }
    return results;
  }

  @Override
  public void close() {
    call.close();
  }
}
