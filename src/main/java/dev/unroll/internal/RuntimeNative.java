package dev.unroll.internal;

/** The native runtime: instruction set and threads. */
final class RuntimeNative {
  private RuntimeNative() {}

  static native boolean selectInstructionSet(String name);

  static native String instructionSet();

  static native int supportedInstructionSets();

  static native String supportedInstructionSet(int index);

  static native int threads();

  static native void setThreads(int threads);

  static native long floatingPointControl();
}
