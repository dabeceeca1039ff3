package dev.unroll.bench.peers;

import static org.bytedeco.dnnl.global.dnnl.*;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.bytedeco.dnnl.dnnl_exec_arg_t;
import org.bytedeco.dnnl.dnnl_primitive;
import org.bytedeco.dnnl.dnnl_stream;
import org.bytedeco.dnnl.engine;
import org.bytedeco.dnnl.memory;
import org.bytedeco.dnnl.primitive;
import org.bytedeco.dnnl.reorder;
import org.bytedeco.dnnl.stream;
import org.bytedeco.javacpp.FloatPointer;

/** Arguments of oneDNN's primitives, and calls of them with all that can be prepared prepared. */
final class OneDnnCall {
  private final engine engine;
  private final stream stream;
  private final Map<Integer, memory> arguments = new LinkedHashMap<>();
  private final List<FloatPointer> buffers = new ArrayList<>(); // oneDNN does not keep them alive

  OneDnnCall(engine engine, stream stream) {
    this.engine = engine;
    this.stream = stream;
  }

  /** Gives an argument values in a layout of our choice. */
  memory put(int argument, float[] values, memory.desc type) {
    memory made = of(values, type);
    arguments.put(argument, made);
    return made;
  }

  private memory of(float[] values, memory.desc type) {
    FloatPointer data = new FloatPointer(values);
    buffers.add(data);
    return new memory(type, engine, data);
  }

  /** Gives an argument an array that oneDNN fills; its layout is oneDNN's choice. */
  memory allocate(int argument, memory.desc type) {
    memory made = new memory(type, engine);
    arguments.put(argument, made);
    return made;
  }

  /** Gives an argument values, laid out as oneDNN wants them; returns what lays them out anew. */
  Runnable putReordered(int argument, float[] values, memory.desc from, memory.desc to) {
    memory source = of(values, from);
    memory target = new memory(to, engine);
    arguments.put(argument, target);
    Runnable layOut = bind(new reorder(source, target), Map.of(DNNL_ARG_FROM, source, DNNL_ARG_TO, target));
    layOut.run();
    stream._wait();
    return layOut;
  }

  /** Reads an argument in a layout of our choice. */
  float[] read(int argument, int size, memory.desc type) {
    memory source = arguments.get(argument);
    float[] values = new float[size];
    FloatPointer data = new FloatPointer(size);
    memory target = new memory(type, engine, data);
    new reorder(source, target).execute(stream, source, target);
    stream._wait();
    data.get(values);
    return values;
  }

  /** Sets an argument to zero. */
  void clear(int argument) {
    memory made = arguments.get(argument);
    long bytes = made.get_desc().get_size();
    new FloatPointer(made.get_data_handle()).capacity(bytes / Float.BYTES).zero();
  }

  /** Binds the arguments given so far to a primitive: the C interface, which builds no map in a call. */
  Runnable bind(primitive of) {
    return bind(of, arguments);
  }

  private Runnable bind(primitive of, Map<Integer, memory> given) {
    dnnl_exec_arg_t array = new dnnl_exec_arg_t(given.size());
    int index = 0;
    for (Map.Entry<Integer, memory> argument : given.entrySet()) {
      array.position(index++).arg(argument.getKey()).memory(argument.getValue().get());
    }
    array.position(0);
    int count = given.size();
    dnnl_primitive bound = of.get();
    dnnl_stream on = stream.get();
    return () -> {
      int status = dnnl_primitive_execute(bound, on, count, array);
      if (status != dnnl_success) {
        throw new IllegalStateException("oneDNN status " + status);
      }
    };
  }
}
