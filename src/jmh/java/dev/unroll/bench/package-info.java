/** Benchmarks beside other libraries: one class for each question, all started by {@link dev.unroll.bench.Main}. */
package dev.unroll.bench;
