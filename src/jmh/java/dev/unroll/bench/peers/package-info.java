/** The libraries that are measured, behind one interface. */
package dev.unroll.bench.peers;
