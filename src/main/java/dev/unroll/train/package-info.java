/** Losses, metrics and optimisers. */
package dev.unroll.train;
