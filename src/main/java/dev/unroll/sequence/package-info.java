/** Batches of sequences of any lengths, packed off-heap without padding. */
package dev.unroll.sequence;
