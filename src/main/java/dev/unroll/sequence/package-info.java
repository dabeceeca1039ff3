/** Batches of sequences of any lengths, packed off-heap without padding: how they are made, cut, joined and taken apart. */
package dev.unroll.sequence;
