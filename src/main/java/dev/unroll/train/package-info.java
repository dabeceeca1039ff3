/** Losses and optimisers. */
package dev.unroll.train;
