/** One small program for each shape of a sequence problem. */
package dev.unroll.examples;
