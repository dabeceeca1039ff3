package dev.unroll.bench.peers;

import java.io.IOException;
import java.io.UncheckedIOException;
import org.bytedeco.javacpp.Loader;

/**
 * The OpenMP library that MKL's threads need on every processor: with GNU's, some of its functions end the process, or
 * give wrong results, on Intel's processors. It serves those as well who want GNU's, if it is loaded first.
 */
public final class IntelOpenMp {
  private IntelOpenMp() {}

  /** Loads it, before any library that uses OpenMP. */
  public static void load() {
    Loader.load(Loader.class);
    try {
      Loader.loadGlobal(Loader.cacheResource("/org/bytedeco/mkl/linux-x86_64/libiomp5.so").getPath());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
