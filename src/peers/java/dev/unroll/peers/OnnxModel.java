package dev.unroll.peers;

import ai.onnx.proto.OnnxMl.AttributeProto;
import ai.onnx.proto.OnnxMl.GraphProto;
import ai.onnx.proto.OnnxMl.ModelProto;
import ai.onnx.proto.OnnxMl.NodeProto;
import ai.onnx.proto.OnnxMl.OperatorSetIdProto;
import ai.onnx.proto.OnnxMl.TensorProto;
import ai.onnx.proto.OnnxMl.TypeProto;
import ai.onnx.proto.OnnxMl.ValueInfoProto;
import com.google.protobuf.ByteString;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;

/**
 * One recurrent layer as an ONNX model of one operator ({@code RNN}, {@code LSTM}, {@code GRU}), and its weights as
 * ONNX has them.
 */
public final class OnnxModel {
  /** Which of our gates stands where: ONNX has i o f g and z r n. */
  private static final int[] LSTM_GATES = {0, 3, 1, 2};

  private static final int[] GRU_GATES = {1, 0, 2};
  private static final int[] ONE_GATE = {0};
  /** Of peepholes: ours are i f o, those of ONNX i o f. */
  private static final int[] PEEPHOLES = {0, 2, 1};

  private OnnxModel() {}

  /** An input of the model that holds weights of all directions. */
  record Weight(String name, float[] values, long... dimensions) {}

  /** The model of a layer; all layers of a shape have the same. Weights and lengths are inputs. */
  static byte[] ofLayer(RecurrentShape shape) {
    return ofLayer(shape, true, List.of());
  }

  /** The model of the only layer of a case, its weights constant; lengths are an input or left out. */
  public static byte[] ofLayer(RecurrentCase problem, boolean lengths) {
    return ofLayer(problem.shape(), lengths, weights(problem, 0));
  }

  private static byte[] ofLayer(RecurrentShape shape, boolean lengths, List<Weight> constants) {
    boolean cells = shape.cell().hasCells();
    NodeProto.Builder node = NodeProto.newBuilder().setName("layer");
    node.addInput("X").addInput("W").addInput("R").addInput(shape.bias() ? "B" : "");
    node.addInput(lengths ? "lengths" : "");
    node.addInput("initial_h").addOutput("Y").addOutput("Y_h");
    if (cells) {
      node.addInput("initial_c").addOutput("Y_c");
      if (hasPeepholes(shape)) {
        node.addInput("P");
      }
    }
    node.addAttribute(integer("hidden_size", shape.hidden()));
    node.addAttribute(
        AttributeProto.newBuilder()
            .setName("direction")
            .setType(AttributeProto.AttributeType.STRING)
            .setS(ByteString.copyFromUtf8(shape.bidirectional() ? "bidirectional" : "forward")));
    switch (shape.cell()) {
      case RNN_TANH -> node.setOpType("RNN").addAttribute(activation(shape, "Tanh"));
      case RNN_RELU -> node.setOpType("RNN").addAttribute(activation(shape, "Relu"));
      case LSTM, LSTM_PEEPHOLES -> node.setOpType("LSTM");
      case LSTM_COUPLED -> node.setOpType("LSTM").addAttribute(integer("input_forget", 1));
      case GRU -> node.setOpType("GRU").addAttribute(integer("linear_before_reset", 1));
      case GRU_RESET_BEFORE -> node.setOpType("GRU").addAttribute(integer("linear_before_reset", 0));
      case LSTM_PROJECTED -> throw new AssertionError(shape.cell());
    }
    GraphProto.Builder graph = GraphProto.newBuilder().setName("layer").addNode(node);
    constants.forEach(weight -> graph.addInitializer(constant(weight)));
    List<String> constantNames = constants.stream().map(Weight::name).toList();
    for (String input : node.getInputList()) {
      if (!input.isEmpty() && !constantNames.contains(input)) {
        graph.addInput(tensor(input, input.equals("lengths")));
      }
    }
    node.getOutputList().forEach(output -> graph.addOutput(tensor(output, false)));
    return model(graph);
  }

  /** The model of one operator that makes Y of X. */
  public static byte[] ofFunction(String operator) {
    NodeProto.Builder node = NodeProto.newBuilder().setName("function").setOpType(operator);
    node.addInput("X").addOutput("Y");
    GraphProto.Builder graph = GraphProto.newBuilder().setName("function").addNode(node);
    return model(graph.addInput(tensor("X", false)).addOutput(tensor("Y", false)));
  }

  private static byte[] model(GraphProto.Builder graph) {
    return ModelProto.newBuilder()
        .setIrVersion(7)
        .addOpsetImport(OperatorSetIdProto.newBuilder().setVersion(14))
        .setGraph(graph)
        .build()
        .toByteArray();
  }

  private static boolean hasPeepholes(RecurrentShape shape) {
    return switch (shape.cell()) {
      case LSTM_PEEPHOLES -> true;
      case LSTM_COUPLED -> shape.bias();
      default -> false;
    };
  }

  private static AttributeProto.Builder integer(String name, int value) {
    return AttributeProto.newBuilder().setName(name).setType(AttributeProto.AttributeType.INT).setI(value);
  }

  private static AttributeProto.Builder activation(RecurrentShape shape, String name) {
    AttributeProto.Builder attribute =
        AttributeProto.newBuilder().setName("activations").setType(AttributeProto.AttributeType.STRINGS);
    for (int d = 0; d < shape.directions(); d++) {
      attribute.addStrings(ByteString.copyFromUtf8(name));
    }
    return attribute;
  }

  private static TensorProto.Builder constant(Weight weight) {
    ByteBuffer bytes = ByteBuffer.allocate(weight.values.length * Float.BYTES).order(ByteOrder.LITTLE_ENDIAN);
    bytes.asFloatBuffer().put(weight.values);
    TensorProto.Builder tensor = TensorProto.newBuilder().setName(weight.name);
    for (long dimension : weight.dimensions) {
      tensor.addDims(dimension);
    }
    return tensor.setDataType(TensorProto.DataType.FLOAT.getNumber()).setRawData(ByteString.copyFrom(bytes));
  }

  private static ValueInfoProto.Builder tensor(String name, boolean integers) {
    int type = (integers ? TensorProto.DataType.INT32 : TensorProto.DataType.FLOAT).getNumber();
    TypeProto.Tensor.Builder ofElements = TypeProto.Tensor.newBuilder().setElemType(type);
    return ValueInfoProto.newBuilder().setName(name).setType(TypeProto.newBuilder().setTensorType(ofElements));
  }

  /** The weights of a layer. */
  static List<Weight> weights(RecurrentCase problem, int layer) {
    RecurrentShape shape = problem.shape();
    int hidden = shape.hidden();
    int inputs = shape.inputs(layer);
    int rows = shape.cell().gates() * hidden;
    int[] order =
        switch (shape.cell().gates()) {
          case 1 -> ONE_GATE;
          case 3 -> GRU_GATES;
          default -> LSTM_GATES;
        };
    int directions = shape.directions();
    float[] w = new float[directions * rows * inputs];
    float[] r = new float[directions * rows * hidden];
    float[] b = new float[directions * 2 * rows];
    float[] p = new float[directions * 3 * hidden];
    for (int d = 0; d < directions; d++) {
      String suffix = RecurrentShape.suffix(layer, d);
      reorder(problem.given("weight_ih" + suffix), order, w, d * rows * inputs);
      reorder(problem.given("weight_hh" + suffix), order, r, d * rows * hidden);
      if (shape.bias()) {
        reorder(problem.given("bias_ih" + suffix), order, b, 2 * d * rows);
        reorder(problem.given("bias_hh" + suffix), order, b, (2 * d + 1) * rows);
      }
      if (hasPeepholes(shape)) {
        reorder(problem.given("weight_peephole" + suffix), PEEPHOLES, p, d * 3 * hidden);
      }
    }
    List<Weight> weights = new ArrayList<>();
    weights.add(new Weight("W", w, directions, rows, inputs));
    weights.add(new Weight("R", r, directions, rows, hidden));
    if (shape.bias()) {
      weights.add(new Weight("B", b, directions, 2L * rows));
    }
    if (hasPeepholes(shape)) {
      weights.add(new Weight("P", p, directions, 3L * hidden));
    }
    return weights;
  }

  /** Copies a weight's gates in another order. */
  private static void reorder(float[] from, int[] order, float[] to, int start) {
    int block = from.length / order.length;
    for (int g = 0; g < order.length; g++) {
      System.arraycopy(from, order[g] * block, to, start + g * block, block);
    }
  }
}
