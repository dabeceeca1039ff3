/** Recurrent neural networks on the CPU: layers, training and models over packed sequences of any lengths. */
module dev.unroll {
  requires org.scijava.nativelib;

  exports dev.unroll;
  exports dev.unroll.sequence;
  exports dev.unroll.layer;
  exports dev.unroll.train;
  exports dev.unroll.model;
  exports dev.unroll.io;
}
