package dev.unroll.bench.peers;

import dev.unroll.bench.work.Subject;
import dev.unroll.layer.Recurrent;
import dev.unroll.layer.RecurrentSession;
import dev.unroll.layer.State;
import dev.unroll.peers.RecurrentCase;
import java.util.LinkedHashMap;
import java.util.Map;

/** A single step of a layer of this library: an array in, an array out, the state kept by the session. */
final class UnrollStep implements Subject {
  private final RecurrentCase problem;
  private final Recurrent layer;
  private final RecurrentSession session;
  private final float[] input;
  private final float[] output;

  UnrollStep(RecurrentCase problem) {
    this.problem = problem;
    layer = problem.shape().build();
    layer.parameters().forEach(parameter -> parameter.set(problem.given(parameter.name())));
    session = layer.session(problem.shape().sequences());
    input = problem.given(RecurrentCase.INPUT);
    output = new float[problem.shape().rows() * problem.shape().outputSize()];
  }

  @Override
  public void run() {
    session.step(input, output);
  }

  @Override
  public Map<String, float[]> results() {
    try (State initial = UnrollLayer.state(problem)) {
      session.restore(initial);
    }
    run();
    Map<String, float[]> results = new LinkedHashMap<>();
    results.put(RecurrentCase.OUTPUT, output.clone());
    try (State state = session.state()) {
      UnrollLayer.put(results, RecurrentCase.FINAL_H, RecurrentCase.FINAL_C, state);
    }
    return results;
  }

  @Override
  public void close() {
    session.close();
    layer.close();
  }
}
