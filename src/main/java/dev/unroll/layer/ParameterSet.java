package dev.unroll.layer;

import dev.unroll.internal.ArrayNative;
import dev.unroll.internal.Lease;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;

/** The parameters of one layer, with initial values that depend on the seed and their place in the list alone. */
final class ParameterSet {
  private final List<Parameter> all = new ArrayList<>();
  private final long seed;

  ParameterSet(long seed) {
    this.seed = seed;
  }

  /** Adds a parameter of numbers uniform in [-bound, bound). */
  Parameter uniform(String name, double bound, int... shape) {
    Parameter parameter = new Parameter(name, shape);
    long purpose = all.size();
    all.add(parameter);
    try (Lease lease = new Lease()) {
      long values = lease.address(parameter.memory());
      ArrayNative.uniform(seed, purpose, 0, parameter.size(), (float) -bound, (float) bound, values);
    }
    return parameter;
  }

  List<Parameter> all() {
    return Collections.unmodifiableList(all);
  }

  /** Changes of all parameters so far: equal if nothing changed between. */
  long version() {
    long sum = 0;
    for (Parameter parameter : all) {
      sum += parameter.version();
    }
    return sum;
  }

  void checkOpen() {
    all.get(0).memory().checkOpen();
  }

  void close() {
    all.forEach(Parameter::close);
  }
}
