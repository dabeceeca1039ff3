package dev.unroll.bench.peers;

import dev.unroll.bench.work.Library;

/** The libraries by the names that the tables use. */
public final class Libraries {
  public static final String UNROLL = "unroll";
  /** An older jar of this library. */
  public static final String BEFORE = "before";
  public static final String ONEDNN = "onednn";
  public static final String ONNX_RUNTIME = "onnxruntime";
  public static final String PYTORCH_MKL = "pytorch-mkl";
  public static final String PYTORCH_OPENBLAS = "pytorch-openblas";
  public static final String DL4J = "dl4j";
  /** After a name of PyTorch: sequences are packed, not padded. */
  public static final String PACKED = "-packed";

  private Libraries() {}

  /** Finds a library. */
  public static Library of(String name) {
    return switch (name) {
      case UNROLL, BEFORE -> new UnrollLibrary();
      case ONEDNN -> new OneDnnLibrary();
      case ONNX_RUNTIME -> new OnnxRuntimeLibrary();
      case PYTORCH_MKL, PYTORCH_OPENBLAS -> new PyTorchLibrary(false);
      case PYTORCH_MKL + PACKED, PYTORCH_OPENBLAS + PACKED -> new PyTorchLibrary(true);
      case DL4J -> new Dl4jLibrary();
      default -> throw new IllegalArgumentException("no library " + name);
    };
  }
}
