package dev.unroll.bench.peers;

import static dev.unroll.bench.work.CharacterModelWorkload.*;

import dev.unroll.bench.work.CharacterModelWorkload;
import dev.unroll.bench.work.Subject;
import dev.unroll.peers.RecurrentCase;
import java.util.LinkedHashMap;
import java.util.Map;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Adam;
import org.bytedeco.pytorch.AdamOptions;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorVector;
import org.bytedeco.pytorch.global.torch;

/** The character model of PyTorch's functions and its optimiser. */
final class PyTorchCharacterModel implements Subject {
  private final PointerScope scope = new PointerScope();
  private final Map<String, Tensor> parameters = new LinkedHashMap<>();
  private final TensorVector recurrent = new TensorVector();
  private final TensorVector all = new TensorVector();
  private final TensorVector zeroState;
  private final Adam optimizer;
  private final Tensor tokens;
  private final Tensor targets;

  PyTorchCharacterModel(CharacterModelWorkload workload) {
    torch.globalContext().setUserEnabledMkldnn(true);
    workload.weights().forEach((name, values) -> {
      int rows =
          name.startsWith("embedding") || name.startsWith("linear") ? VOCABULARY : 4 * HIDDEN;
      long[] dimensions = name.contains("bias") ? new long[] {rows} : new long[] {rows, values.length / rows};
      Tensor weight = Tensor.create(values, dimensions).set_requires_grad(true);
      parameters.put(name, weight);
      all.push_back(weight);
      if (name.startsWith("recurrent")) {
        recurrent.push_back(weight);
      }
    });
    zeroState = new TensorVector(zeros(), zeros());
    optimizer = new Adam(all, new AdamOptions(LEARNING_RATE));
    tokens = Tensor.create(timeMajor(workload.tokens(), 0), STEPS, SEQUENCES);
    targets = Tensor.create(timeMajor(workload.tokens(), 1), STEPS * SEQUENCES);
  }

  private static Tensor zeros() {
    return Tensor.create(new float[LAYERS * SEQUENCES * HIDDEN], LAYERS, SEQUENCES, HIDDEN);
  }

  private static long[] timeMajor(int[][] text, int start) {
    long[] values = new long[STEPS * SEQUENCES];
    for (int t = 0; t < STEPS; t++) {
      for (int b = 0; b < SEQUENCES; b++) {
        values[t * SEQUENCES + b] = text[b][start + t];
      }
    }
    return values;
  }

  @Override
  @SuppressWarnings("try") // the scope works by being open
  public void run() {
    try (PointerScope call = new PointerScope()) {
      gradients();
      step();
    }
  }

  /** Computes the gradients of all parameters; returns the loss. */
  private Tensor gradients() {
    optimizer.zero_grad();
    Tensor embedded = torch.embedding(parameters.get("embedding.weight"), tokens);
    Tensor states = torch.lstm(embedded, zeroState, recurrent, true, LAYERS, 0, true, false, false).get0();
    Tensor rows = states.reshape(STEPS * SEQUENCES, HIDDEN);
    Tensor scores = torch.linear(rows, parameters.get("linear.weight"), parameters.get("linear.bias"));
    Tensor loss = torch.cross_entropy_loss(scores, targets);
    loss.backward();
    return loss;
  }

  private void step() {
    torch.clip_grad_norm_(all, CLIP_NORM);
    optimizer.step();
  }

  @Override
  @SuppressWarnings("try")
  public Map<String, float[]> results() {
    Map<String, float[]> results = new LinkedHashMap<>();
    float[] losses = new float[COMPARED_STEPS];
    for (int i = 0; i < losses.length; i++) {
      try (PointerScope call = new PointerScope()) {
        losses[i] = gradients().item_float();
        if (i == 0) {
          parameters.forEach(
              (name, weight) -> results.put(RecurrentCase.GRADIENT + name, PyTorchLayer.values(weight.grad())));
        }
        step();
      }
    }
    results.put(LOSSES, losses);
    return results;
  }

  @Override
  public void close() {
    scope.close();
  }
}
