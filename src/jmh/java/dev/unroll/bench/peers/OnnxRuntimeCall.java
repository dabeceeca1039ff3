package dev.unroll.bench.peers;

import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OnnxValue;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.nio.IntBuffer;
import java.util.LinkedHashMap;
import java.util.Map;

/** A session of ONNX Runtime and its tensors, all of them outside the Java heap and used again in every call. */
final class OnnxRuntimeCall implements AutoCloseable {
  private final OrtEnvironment environment = OrtEnvironment.getEnvironment();
  private final OrtSession session;
  private final Map<String, OnnxTensor> inputs = new LinkedHashMap<>();
  private final Map<String, OnnxValue> outputs = new LinkedHashMap<>();
  private final Map<String, FloatBuffer> results = new LinkedHashMap<>();

  OnnxRuntimeCall(byte[] model, int threads) throws OrtException {
    try (OrtSession.SessionOptions options = new OrtSession.SessionOptions()) {
      options.setIntraOpNumThreads(threads);
      options.setInterOpNumThreads(1);
      options.setOptimizationLevel(OrtSession.SessionOptions.OptLevel.ALL_OPT);
      session = environment.createSession(model, options);
    }
  }

  void input(String name, float[] values, long... dimensions) throws OrtException {
    FloatBuffer buffer = direct(values.length);
    buffer.put(0, values);
    inputs.put(name, OnnxTensor.createTensor(environment, buffer, dimensions));
  }

  void input(String name, int[] values) throws OrtException {
    IntBuffer buffer = bytes(values.length).asIntBuffer();
    buffer.put(0, values);
    inputs.put(name, OnnxTensor.createTensor(environment, buffer, new long[] {values.length}));
  }

  void output(String name, int size, long... dimensions) throws OrtException {
    FloatBuffer buffer = direct(size);
    results.put(name, buffer);
    outputs.put(name, OnnxTensor.createTensor(environment, buffer, dimensions));
  }

  private static FloatBuffer direct(int size) {
    return bytes(size).asFloatBuffer();
  }

  private static ByteBuffer bytes(int size) {
    return ByteBuffer.allocateDirect(size * Float.BYTES).order(ByteOrder.nativeOrder());
  }

  void run() {
    try {
      session.run(inputs, outputs).close();
    } catch (OrtException e) {
      throw new IllegalStateException(e);
    }
  }

  float[] result(String name) {
    FloatBuffer buffer = results.get(name);
    float[] values = new float[buffer.capacity()];
    buffer.get(0, values);
    return values;
  }

  @Override
  public void close() {
    inputs.values().forEach(OnnxTensor::close);
    outputs.values().forEach(OnnxValue::close);
    try {
      session.close();
    } catch (OrtException e) {
      throw new IllegalStateException(e);
    }
  }
}
