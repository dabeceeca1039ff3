package dev.unroll.bench.peers;

import static org.bytedeco.dnnl.global.dnnl.*;

import dev.unroll.bench.work.FunctionWorkload;
import dev.unroll.bench.work.Subject;
import java.util.Map;
import org.bytedeco.dnnl.eltwise_forward;
import org.bytedeco.dnnl.engine;
import org.bytedeco.dnnl.memory;
import org.bytedeco.dnnl.primitive;
import org.bytedeco.dnnl.primitive_desc;
import org.bytedeco.dnnl.softmax_forward;
import org.bytedeco.dnnl.stream;
import org.bytedeco.javacpp.PointerScope;

/** A function of oneDNN. */
final class OneDnnFunction implements Subject {
  private final PointerScope scope = new PointerScope();
  private final engine engine = new engine(dnnl_cpu, 0);
  private final OneDnnCall call = new OneDnnCall(engine, new stream(engine));
  private final memory.desc type;
  private final int size;
  private final Runnable run;

  OneDnnFunction(FunctionWorkload workload) {
    long[] dimensions = {workload.rows(), workload.columns()};
    type = new memory.desc(dimensions, memory.data_type.f32, memory.format_tag.ab);
    float[] input = workload.input();
    size = input.length;
    call.put(DNNL_ARG_SRC, input, type);
    call.allocate(DNNL_ARG_DST, type);
    run = call.bind(new primitive(describe(workload.function())));
  }

  private primitive_desc describe(FunctionWorkload.Function function) {
    return switch (function) {
      case SOFTMAX -> softmax(dnnl_softmax_accurate);
      case LOG_SOFTMAX -> softmax(dnnl_softmax_log);
      case TANH -> elementwise(dnnl_eltwise_tanh);
      case SIGMOID -> elementwise(dnnl_eltwise_logistic);
      case SOFTPLUS -> elementwise(dnnl_eltwise_soft_relu);
      case EXP -> elementwise(dnnl_eltwise_exp);
      case LOG -> elementwise(dnnl_eltwise_log);
    };
  }

  private primitive_desc softmax(int algorithm) {
    return new softmax_forward.primitive_desc(engine, dnnl_forward_inference, algorithm, type, type, 1);
  }

  /** Of the algorithms only soft_relu, log(1 + exp(alpha x)) / alpha, has a parameter. */
  private primitive_desc elementwise(int algorithm) {
    return new eltwise_forward.primitive_desc(engine, dnnl_forward_inference, algorithm, type, type, 1, 0);
  }

  @Override
  public void run() {
    run.run();
  }

  @Override
  public Map<String, float[]> results() {
    run();
    return Map.of(FunctionWorkload.OUTPUT, call.read(DNNL_ARG_DST, size, type));
  }

  @Override
  public void close() {
    scope.close();
  }
}
