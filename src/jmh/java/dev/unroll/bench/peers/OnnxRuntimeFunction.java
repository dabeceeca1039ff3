package dev.unroll.bench.peers;

import ai.onnxruntime.OrtException;
import dev.unroll.bench.work.FunctionWorkload;
import dev.unroll.bench.work.Subject;
import dev.unroll.peers.OnnxModel;
import java.util.Map;

/** A function of ONNX Runtime. */
final class OnnxRuntimeFunction implements Subject {
  private final OnnxRuntimeCall call;

  OnnxRuntimeFunction(FunctionWorkload workload, int threads) throws OrtException {
    String operator =
        switch (workload.function()) {
          case SOFTMAX -> "Softmax";
          case LOG_SOFTMAX -> "LogSoftmax";
          case TANH -> "Tanh";
          case SIGMOID -> "Sigmoid";
          case SOFTPLUS -> "Softplus";
          case EXP -> "Exp";
          case LOG -> "Log";
        };
    call = new OnnxRuntimeCall(OnnxModel.ofFunction(operator), threads);
    float[] input = workload.input();
    call.input("X", input, workload.rows(), workload.columns());
    call.output("Y", input.length, workload.rows(), workload.columns());
  }

  @Override
  public void run() {
    call.run();
  }

  @Override
  public Map<String, float[]> results() {
    run();
    return Map.of(FunctionWorkload.OUTPUT, call.result("Y"));
  }

  @Override
  public void close() {
    call.close();
  }
}
